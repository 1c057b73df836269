/** What a reader has before following a page: files, directories, and names for what the page writes in capitals. */
import { join } from "node:path"
import { root } from "../documents.ts"

/** The words in capitals that stand for a reader's own. */
export const reader: { readonly [word: string]: string } = {
  MOUNTPOINT: "/mnt",
  STORE: "/srv/own.store",
  DIR: "/srv/project",
  FILE: "/srv/own.mjs",
  DIRECTORY: "/srv/project",
  FOLDER: "/srv/project",
  PORT: "8080",
  CHECK: "true",
  "ATTEMPT...": "'touch made'",
  USER: "postgres",
  HOST: "localhost",
  DATABASE: "postgres",
  ARCHIVE: "/srv/photos.zip",
  REPOSITORY: "/srv/repository",
  REVISION: "v1.2",
  BUCKET: "bucket",
  PREFIX: "some/prefix",
  URL: "https://example.org/files/"
}

/** On every page, in its directory. */
export const everywhere = `
mkdir -p /srv/data /srv/project /var/lib/bickford /run/bickford mnt
echo 'import { memory } from "bickford"; export const backend = memory()' >/srv/own.mjs
cat >/srv/project/package.json <<end
{ "private": true, "scripts": { "test": "echo tested >tested" } }
end
printf 'made:\\n\\ttouch made\\n' >/srv/project/Makefile
[ -e package.json ] || echo '{ "private": true, "type": "module" }' >package.json
`

const zip = `python3 -c 'import zipfile; zipfile.ZipFile("photos.zip", "w").writestr("photo", "of somebody")'`

const repository = `
git init -q repository
git -C repository -c user.name=somebody -c user.email=somebody@example.org commit -q --allow-empty -m first
git -C repository tag v1.2`

/** Begins a server, in the background, and waits until it has said what it says when it is ready. */
const server = (command: string, ready: string, log: string): string =>
  `{ ${command}; } >${log} 2>&1 &\nuntil grep -q ${ready} ${log}; do kill -0 $!; sleep 0.1; done`

/** https://example.org/, whose certificate is `trusted`. */
const web = `
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=example.org \
  -addext subjectAltName=DNS:example.org -keyout /srv/key.pem -out /srv/certificate.pem 2>/srv/openssl.log
echo '127.0.0.1 example.org' >>/etc/hosts
${server(`node ${join(root, "test/documents/follow/remote.mjs")} /srv/key.pem /srv/certificate.pem`, "ready", "/srv/remote.log")}`

const trusted = { NODE_EXTRA_CA_CERTS: "/srv/certificate.pem" }

/** An S3 that is not Amazon's; the keys are `keys`. */
const s3 = `
mkdir /srv/served
${server(`sleep infinity | node ${join(root, "packages/faces/test/s3Server.mjs")} /srv/served 9000`, "9000", "/srv/s3.log")}`

const endpoint = { AWS_ENDPOINT_URL: "http://127.0.0.1:9000" }
const keys = { AWS_ACCESS_KEY_ID: "S3RVER", AWS_SECRET_ACCESS_KEY: "S3RVER" }

/** Before the blocks of a page, by its path: commands of sh, after those above. */
export const before: { readonly [page: string]: string } = {
  "docs/faces.md": [zip, "tar --zstd -cf source.tar.zst package.json", repository, web, s3].join("\n"),
  "examples/archive.ts": `cd /srv\n${zip}`,
  "examples/bucket.ts": s3,
  "examples/commit.ts": `cd /srv\n${repository}`,
  "examples/web.ts": web,
  // The page makes it.
  "docs/installing.md": "rmdir mnt",
  "docs/postgres.md": `
programs=$(ls -d /usr/lib/postgresql/*/bin | tail -1)
mkdir -p /srv/cluster /run/postgresql
chown postgres /srv/cluster /run/postgresql
su postgres -c "$programs/initdb -D /srv/cluster/data -A trust -E UTF8 --no-locale --no-sync"
su postgres -c "$programs/pg_ctl -D /srv/cluster/data -w -l /srv/cluster/log -o '-c fsync=off -k /run/postgresql' start"
su postgres -c "createdb administered"
echo '127.0.0.1 db' >>/etc/hosts`,
  "docs/workspaces.md": "mkdir -p /srv/app /var/lib/app"
}

/** What a reader has in the environment on a page. */
export const environments: { readonly [page: string]: NodeJS.ProcessEnv } = {
  "docs/faces.md": { ...endpoint, ...trusted },
  "examples/bucket.ts": { ...endpoint, ...keys },
  "examples/web.ts": trusted
}

/** Where the commands of a page are run, if not in a directory that is empty. */
export const workplaces: { readonly [page: string]: string } = { "docs/workspaces.md": "/srv/project" }

/** Commands that are done in another way here, and how; the rest of the line is what is run. */
export const instead: ReadonlyArray<{ readonly command: RegExp; readonly run: string; readonly reason: string }> = [
  {
    command: /^npm install( --save-dev)? [a-z0-9@/ -]+$/,
    run: "ls node_modules >/dev/null",
    reason: "the packages of the checkout are there already; test:packages installs them"
  },
  {
    command: /^bickford run -- npm install something$/,
    run: "bickford run -- touch something",
    reason: "there is no package of that name"
  },
  {
    command: /^npx tsc --noEmit$/,
    run: "npx tsc --noEmit --customConditions development",
    reason: "the packages of the checkout are sources, of which no declarations were built"
  },
  {
    command: /^apt-get install postgresql$/,
    run: "ls /usr/lib/postgresql/*/bin/postgres",
    reason: "Debian's server is there, and one was started for the page"
  },
  {
    command: /^su postgres -c "createuser bickford --pwprompt; (.*)"$/,
    run: `printf 'secret\\nsecret\\n' | su postgres -c "createuser bickford --pwprompt; $1"`,
    reason: "the password comes from a pipe, not from a terminal"
  },
  {
    command: /^AWS_ACCESS_KEY_ID=\.\.\. AWS_SECRET_ACCESS_KEY=\.\.\. (.*)$/,
    run: `AWS_ACCESS_KEY_ID=${keys.AWS_ACCESS_KEY_ID} AWS_SECRET_ACCESS_KEY=${keys.AWS_SECRET_ACCESS_KEY} $1`,
    reason: "the keys of the test's server"
  },
  {
    command: /^bickford shell (.*)$/,
    run: `script --quiet --return --command "bickford shell $1" /dev/null <<'end'\ntouch /srv/here made-by-the-shell\nexit\nend`,
    reason: "the terminal is one of script(1)'s, in which a file is made before `exit`"
  }
]

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
  DATABASE: "postgres"
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

/** Servers of docs/faces.md. */
const remote = join(root, "test/documents/follow/remote.mjs")
const s3 = join(root, "packages/faces/test/s3Server.mjs")

/** Before the blocks of a page, by its path: commands of sh, after those above. */
export const before: { readonly [page: string]: string } = {
  "docs/faces.md": `
python3 -c 'import zipfile; zipfile.ZipFile("photos.zip", "w").writestr("photo", "of somebody")'
tar --zstd -cf source.tar.zst package.json
git init -q repository
git -C repository -c user.name=somebody -c user.email=somebody@example.org commit -q --allow-empty -m first
git -C repository tag v1.2
mkdir /srv/served
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=example.org \
  -addext subjectAltName=DNS:example.org -keyout /srv/key.pem -out /srv/certificate.pem 2>/srv/openssl.log
echo '127.0.0.1 example.org' >>/etc/hosts
node ${remote} /srv/key.pem /srv/certificate.pem >/srv/remote.log 2>&1 &
{ sleep infinity | node ${s3} /srv/served 9000; } >/srv/s3.log 2>&1 &
until grep -q ready /srv/remote.log && grep -q 9000 /srv/s3.log; do kill -0 $!; sleep 0.1; done`,
  // The page makes it.
  "docs/installing.md": "rmdir mnt",
  "docs/postgres.md": `
programs=$(ls -d /usr/lib/postgresql/*/bin | tail -1)
mkdir -p /srv/cluster /run/postgresql
chown postgres /srv/cluster /run/postgresql
su postgres -c "$programs/initdb -D /srv/cluster/data -A trust -E UTF8 --no-locale --no-sync"
su postgres -c "$programs/pg_ctl -D /srv/cluster/data -w -l /srv/cluster/log -o '-c fsync=off -k /run/postgresql' start"
su postgres -c "createdb administered"`,
  "docs/workspaces.md": "mkdir -p /srv/app /var/lib/app"
}

/** What a reader has in the environment on a page. */
export const environments: { readonly [page: string]: NodeJS.ProcessEnv } = {
  "docs/faces.md": { AWS_ENDPOINT_URL: "http://127.0.0.1:9000", NODE_EXTRA_CA_CERTS: "/srv/certificate.pem" }
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
    run: "AWS_ACCESS_KEY_ID=S3RVER AWS_SECRET_ACCESS_KEY=S3RVER $1",
    reason: "the keys of the test's server"
  },
  {
    command: /^bickford shell (.*)$/,
    run: `script --quiet --return --command "bickford shell $1" /dev/null <<'end'\ntouch /srv/here made-by-the-shell\nexit\nend`,
    reason: "the terminal is one of script(1)'s, in which a file is made before `exit`"
  }
]

/** What a reader has before following a page: files, directories, and names for what the page writes in capitals. */

/** The words in capitals that stand for a reader's own. */
export const reader: { readonly [word: string]: string } = {
  MOUNTPOINT: "/mnt",
  STORE: "/srv/own.store",
  DIR: "/srv/project",
  FILE: "/srv/own.mjs"
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

/** Before the blocks of a page, by its path: commands of sh, after those above. */
export const before: { readonly [page: string]: string } = {
  "docs/faces.md": `
python3 -c 'import zipfile; zipfile.ZipFile("photos.zip", "w").writestr("photo", "of somebody")'
tar --zstd -cf source.tar.zst package.json`,
  "docs/workspaces.md": "mkdir -p /srv/app /var/lib/app"
}

/** Where the commands of a page are run, if not in a directory that is empty. */
export const workplaces: { readonly [page: string]: string } = { "docs/workspaces.md": "/srv/project" }

/** Commands that are done in another way here, and how; the rest of the line is what is run. */
export const instead: ReadonlyArray<{ readonly command: RegExp; readonly run: string; readonly reason: string }> = [
  {
    command: /^npm install( --save-dev)? [a-z@/ -]+$/,
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
  }
]

/** Every TypeScript block of the documents is a whole module, and passes the compiler with this repository's settings. */
import { assert, it } from "@effect/vitest"
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { basename, join, relative } from "node:path"
import { attempt } from "../mount/processes.ts"
import { documents, fencesOf, root } from "./documents.ts"

/** Compiles with the checkout's compiler. */
const compile = async (place: string, config: object): Promise<void> => {
  await writeFile(join(place, "package.json"), JSON.stringify({ type: "module" }))
  await writeFile(join(place, "tsconfig.json"), JSON.stringify(config))
  const { status, stdout } = await attempt(
    process.execPath,
    [join(root, "node_modules/typescript/bin/tsc"), "-p", place],
    { cwd: root }
  )
  assert.strictEqual(status, 0, stdout)
}

/** Runs `body` in an empty directory within the checkout, where packages are found. */
const within = async (body: (place: string) => Promise<void>): Promise<void> => {
  await mkdir(join(root, "node_modules/.cache"), { recursive: true })
  const place = await mkdtemp(join(root, "node_modules/.cache/snippets-"))
  try {
    await body(place)
  } finally {
    await rm(place, { recursive: true })
  }
}

it("TypeScript in the documents compiles", () =>
  within(async (place) => {
    const files: Array<string> = []
    for (const file of await documents()) {
      let count = 0
      for (const { content, info, language } of fencesOf(await readFile(file, "utf8"))) {
        if (language !== "ts" && language !== "typescript") continue
        assert.match(content, /^import /m, `${relative(root, file)}: a block that imports nothing cannot be tried`)
        // A block with a name is a file that others import.
        const name =
          info === "" ? `${relative(root, file).replaceAll("/", "-").slice(0, -3)}-${count++}.ts` : basename(info)
        files.push(name)
        await writeFile(join(place, name), content)
      }
    }
    assert.isAbove(files.length, 10)
    await compile(place, {
      extends: join(root, "tsconfig.test.json"),
      compilerOptions: { typeRoots: [join(root, "node_modules/@types")] },
      include: [],
      files
    })
  }))

it("the tsconfig.json of typescript.md compiles the tutorial", () =>
  within(async (place) => {
    const [config] = fencesOf(await readFile(join(root, "docs/typescript.md"), "utf8")).filter(
      ({ language }) => language === "json"
    )
    await writeFile(join(place, "advised.json"), config?.content ?? "")
    for (const { content, info, language } of fencesOf(await readFile(join(root, "docs/tutorial.md"), "utf8"))) {
      if (language === "ts") await writeFile(join(place, info), content)
    }
    // From the packages' sources, which a checkout has without a build.
    await compile(place, {
      extends: "./advised.json",
      compilerOptions: { customConditions: ["development"], typeRoots: [join(root, "node_modules/@types")] },
      files: ["greeting.ts", "greeting.test.ts", "mount.ts"]
    })
  }))

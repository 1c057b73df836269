/**
 * Writes the manual pages and shell completions of `bickford` from the command itself, so that they say what it does:
 * `node --conditions=development scripts/manual.ts DIRECTORY` makes man1/, man8/, bash, zsh and fish there.
 */
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as CliConfig from "effect/cli/CliConfig"
import * as CliOutput from "effect/cli/CliOutput"
import * as Command from "effect/cli/Command"
import * as Completions from "effect/cli/Completions"
import * as GlobalFlag from "effect/cli/GlobalFlag"
import type * as HelpDoc from "effect/cli/HelpDoc"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { bickford } from "../packages/bickford/src/cli/bickford.ts"
import { helpOf, namesOf } from "./manual/options.ts"
import { escaped, heading, italic, item, page, paragraphs } from "./manual/roff.ts"

interface Manifest {
  readonly version: string
}
const manifest: Manifest = JSON.parse(
  readFileSync(new URL("../packages/bickford/package.json", import.meta.url), "utf8")
)

/** What `bickford ...path --help` shows, as data. */
const helpDocOf = (path: ReadonlyArray<string>): Promise<HelpDoc.HelpDoc> => {
  let shown: HelpDoc.HelpDoc | undefined
  const present: CliOutput.Presenter["present"] = (event) =>
    Effect.sync(() => {
      if (event._tag !== "Version") shown = event.helpDoc
    })
  const layers = Layer.mergeAll(
    NodeServices.layer,
    CliConfig.layer({ builtIns: [GlobalFlag.Help, GlobalFlag.Version] }),
    CliOutput.layerPresenter({ present })
  )
  const help = Command.runWith(bickford, { version: manifest.version })([...path, "--help"])
  return Effect.runPromise(Effect.ignore(help).pipe(Effect.provide(layers))).then(() => {
    if (shown === undefined) throw new Error(`bickford ${path.join(" ")} --help showed nothing`)
    return shown
  })
}

const textOf = (description: Option.Option<string>): string => Option.getOrElse(description, () => "")

const argumentItems = ({ args = [] }: HelpDoc.HelpDoc): string =>
  args
    .map(({ description, name, variadic }) => item(italic(name) + (variadic ? "..." : ""), textOf(description)))
    .join("")

const flagItems = (flags: ReadonlyArray<HelpDoc.FlagDoc>): string =>
  flags
    .map(({ aliases, description, name, type }) => {
      const names = [...aliases.map((alias) => (alias.startsWith("-") ? alias : `-${alias}`)), `--${name}`]
      const bold = names.map((one) => `\\fB${escaped(one)}\\fR`).join(", ")
      return item(type === "boolean" ? bold : `${bold} ${italic(type)}`, textOf(description))
    })
    .join("")

/** The commands of a command, without a heading where it has none. */
const subcommandsOf = ({ subcommands = [] }: HelpDoc.HelpDoc): ReadonlyArray<HelpDoc.SubcommandDoc> =>
  subcommands.flatMap(({ commands }) => commands)

const shortOf = ({ description, shortDescription }: HelpDoc.SubcommandDoc): string =>
  shortDescription ?? description.split("\n")[0] ?? ""

const section = (title: string, body: string): string => (body === "" ? "" : heading(title) + body)

/** What a command and those below it take. */
const bodyOf = async (path: ReadonlyArray<string>, isTop: boolean): Promise<string> => {
  const doc = await helpDocOf(path)
  const below = path.length === 0 ? [] : subcommandsOf(doc)
  const inner = await Promise.all(below.map(({ name }) => bodyOf([...path, name], false)))
  const title = (name: string) => (isTop ? name : `${path.at(-1) ?? ""}: ${name}`.toUpperCase())
  return (
    section(title("SYNOPSIS"), `\\fB${escaped(doc.usage)}\\fR\n`) +
    section(title("DESCRIPTION"), paragraphs(doc.description)) +
    section(title("ARGUMENTS"), argumentItems(doc)) +
    section(title("OPTIONS"), flagItems([...doc.flags, ...(isTop ? (doc.globalFlags ?? []) : [])])) +
    inner.join("")
  )
}

const statuses =
  item("0", "It did what it was asked to.") +
  item("1", "It failed, and said why in one line.") +
  item("2", "It was called in a wrong way.")

const mainPage = async (commands: ReadonlyArray<HelpDoc.SubcommandDoc>): Promise<string> =>
  page("BICKFORD", 1, manifest.version, [
    section("NAME", "bickford \\- FUSE filesystems, served from Node.js\n"),
    await bodyOf([], true),
    section(
      "COMMANDS",
      commands.map((command) => item(`\\fBbickford\\-${command.name}\\fR(1)`, shortOf(command))).join("")
    ),
    section("EXIT STATUS", statuses),
    section("FILES", item(italic("/etc/bickford.toml"), "The mounts that root's daemon keeps.")),
    section(
      "SEE ALSO",
      `${commands.map(({ name }) => `\\fBbickford\\-${name}\\fR(1)`).join(",\n")},\n\\fBmount.fuse.bickford\\fR(8)\n`
    )
  ])

const commandPage = async (command: HelpDoc.SubcommandDoc): Promise<string> =>
  page(`BICKFORD-${command.name.toUpperCase()}`, 1, manifest.version, [
    section("NAME", `bickford\\-${command.name} \\- ${escaped(shortOf(command))}\n`),
    await bodyOf([command.name], true),
    section("EXIT STATUS", statuses),
    section("SEE ALSO", "\\fBbickford\\fR(1)\n")
  ])

const mountHelperPage = (): string =>
  page("MOUNT.FUSE.BICKFORD", 8, manifest.version, [
    section("NAME", "mount.fuse.bickford \\- mount a filesystem of bickford by mount(8) and fstab(5)\n"),
    section(
      "SYNOPSIS",
      "\\fBmount \\-t fuse.bickford\\fR [\\fB\\-o\\fR \\fIOPTIONS\\fR] \\fISOURCE\\fR \\fIMOUNTPOINT\\fR\n"
    ),
    section(
      "DESCRIPTION",
      paragraphs(
        "It is called by mount(8), and has a process in the background serve the mount. SOURCE is one of bickford-mount(1). A line of fstab(5):\n\n" +
          "  sqlite:/srv/data.store  /mnt  fuse.bickford  noatime,nofail  0  0"
      )
    ),
    section(
      "OPTIONS",
      namesOf()
        .map((name) => item(`\\fB${escaped(name)}\\fR`, helpOf(name)))
        .join("")
    ),
    section("SEE ALSO", "\\fBbickford\\-mount\\fR(1),\n\\fBmount\\fR(8),\n\\fBfstab\\fR(5)\n")
  ])

const shells = [
  ["bash", "bickford.bash"],
  ["zsh", "_bickford"],
  ["fish", "bickford.fish"]
] as const

/**
 * A completion of zsh in which arguments are completed as paths. An argument with no action has zsh show what it is; then a flag is
 * listed, and not put in, where an argument could stand too.
 */
const withPaths = (text: string): string => text.replace(/^( +'\*?:.*:)'$/gm, "$1_files'")

/** Writes everything into a directory. */
export const writeManual = async (directory: string): Promise<void> => {
  for (const name of ["man1", "man8"]) mkdirSync(join(directory, name), { recursive: true })
  const commands = subcommandsOf(await helpDocOf([]))
  writeFileSync(join(directory, "man1", "bickford.1"), await mainPage(commands))
  for (const command of commands)
    writeFileSync(join(directory, "man1", `bickford-${command.name}.1`), await commandPage(command))
  writeFileSync(join(directory, "man8", "mount.fuse.bickford.8"), mountHelperPage())
  const descriptor = Completions.fromCommand(bickford)
  for (const [shell, name] of shells) {
    const generated = Completions.generate("bickford", shell, descriptor)
    const text = shell === "zsh" ? withPaths(generated) : generated
    writeFileSync(join(directory, name), text.endsWith("\n") ? text : `${text}\n`)
  }
}

if (import.meta.main) await writeManual(process.argv[2] ?? ".")

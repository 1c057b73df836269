/** Runs the tests that need a socketpair only by another Node than the checkout's: an emulated one, or one of another C library. */
import { spawnSync } from "node:child_process"
import { readdirSync } from "node:fs"
import { join } from "node:path"

const root = join(import.meta.dirname, "..", "..")

/** A backstop for a hang, on a machine that is busy and emulates. */
const hangMilliseconds = 900_000

/** A Node, and the addon that fits it. */
export interface OtherNode {
  /** For the last line. */
  readonly name: string
  /** The command that runs it, and its first arguments. */
  readonly command: readonly [string, ...ReadonlyArray<string>]
  /** The file of the addon. */
  readonly addon: string
}

/** What takes more of vitest than vitest.mjs has: modules that are replaced. */
const notRun = ["overRing.test.ts"]

const wire = (): ReadonlyArray<string> =>
  readdirSync(join(root, "test", "wire"))
    .filter((name) => name.endsWith(".test.ts") && !notRun.includes(name))
    .map((name) => join("test", "wire", name))

const transport = ["DeviceTransport", "select", "mountinfo"].map((name) =>
  join("packages", "transport", "test", `${name}.test.ts`)
)

const flags = [
  "--conditions=development",
  "--disable-warning=ExperimentalWarning",
  "--import",
  join(import.meta.dirname, "hooks.mjs"),
  "--test-reporter=tap"
]

/** Runs the files, relative to the checkout, or all; prints what each did, and sets the exit code. */
export const runSocketpairTests = ({ addon, command, name }: OtherNode, chosen: ReadonlyArray<string>): void => {
  const files = chosen.length > 0 ? chosen : [...wire(), ...transport]
  if (chosen.length === 0) console.log(`not run, since they replace modules: ${notRun.join(", ")}`)
  const total = { pass: 0, fail: 0, skipped: 0 }
  const [program, ...args] = command
  for (const file of files) {
    const { status, stderr, stdout } = spawnSync(program, [...args, ...flags, join(root, file)], {
      cwd: root,
      encoding: "utf8",
      maxBuffer: 1 << 26,
      timeout: hangMilliseconds,
      env: { ...process.env, BICKFORD_ADDON: addon }
    })
    const count = (kind: string) => Number(new RegExp(`^# ${kind} (\\d+)$`, "m").exec(stdout)?.[1] ?? 0)
    const [pass, failed, skipped] = [count("pass"), count("fail"), count("skipped")]
    total.pass += pass
    total.fail += failed
    total.skipped += skipped
    console.log(`${file}: ${pass} passed, ${failed} failed, ${skipped} skipped`)
    if (status !== 0) {
      if (failed === 0) total.fail++
      console.log(stdout, stderr)
    }
  }
  console.log(`${name}: ${total.pass} passed, ${total.fail} failed, ${total.skipped} skipped`)
  process.exitCode = total.fail === 0 && total.pass > 0 ? 0 : 1
}

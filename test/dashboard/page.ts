/**
 * `npm run test:page -- [DIRECTORY]`: the daemon's page in a browser without a window, on a daemon under load. Puts pictures of
 * it, light and dark, narrow and wide, into DIRECTORY. On Debian: apt-get install chromium
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import assert from "node:assert/strict"
import { spawn } from "node:child_process"
import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { createRequire } from "node:module"
import { dirname, join } from "node:path"
import { after, before, it } from "node:test"
import type { Browser, Page } from "playwright-core"
import { root } from "../mount/bickford.ts"
import { ended, run } from "../mount/processes.ts"
import {
  bickfordCommand,
  type Daemon,
  mountConfig,
  mountpoints,
  startDaemon,
  until,
  workFolder
} from "../daemon/daemon.ts"
import { patienceMilliseconds } from "../patience.ts"
import { launch } from "./browser.ts"
import { testThousandMounts } from "./thousand.ts"

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8")
const pictures = process.argv[2]
if (pictures !== undefined) mkdirSync(pictures, { recursive: true })

/** Of a mount and of a file: what would be markup, and what turns text around. */
const hostile = "a<b>x\u202e\u001b[31m"
const shown = String.raw`a<b>x\u202e\x1b[31m`

/** A backend that looks for a second and a half for the file "late". */
const lateModule = `
import { memory, withFaults } from "bickford"
export const backend = withFaults(memory(), [{ operations: ["lookup"], path: "/late", fault: { delay: 1500 } }])
`

const scope = Scope.makeUnsafe()
let browser: Browser
let daemon: Daemon
let mountpoint = ""
let late = ""
let folder = ""
let address = ""

before(async () => {
  const started = Effect.gen(function* () {
    folder = yield* workFolder
    const [store = "", memory = "", slow = ""] = yield* mountpoints(3)
    const module = join(folder, "late.mjs")
    writeFileSync(module, lateModule)
    mountpoint = store
    late = slow
    const mounts = [
      mountConfig(hostile, `sqlite:${join(folder, "store")}`, store),
      mountConfig("scratch", "memory:", memory),
      mountConfig("late", `module:${module}`, slow)
    ]
    daemon = yield* startDaemon(folder, mounts)
  })
  await Effect.runPromise(Scope.provide(started, scope))
  await daemon.reaches(hostile, "running")
  browser = await launch()
})

after(async () => {
  await browser?.close()
  await Effect.runPromise(Scope.close(scope, Exit.void))
})

/** `bickford dashboard`, for as long as `use` runs. */
const withDashboard = async (use: () => Promise<void>): Promise<void> => {
  const [program = "", ...args] = bickfordCommand
  const served = spawn(program, [...args, "dashboard", "--runtime-directory", dirname(daemon.socket)], {
    stdio: ["ignore", "pipe", "inherit"]
  })
  let said = ""
  served.stdout.setEncoding("utf8").on("data", (text: string) => (said += text))
  try {
    address = await until(async () => /^http:\S+/.exec(said)?.[0], "the page's address")
    await use()
  } finally {
    served.kill("SIGINT")
    await ended(served)
  }
}

/** A page, and what it asked for that is not at the address itself. */
const opened = async (
  where: string,
  options: { readonly width: number; readonly scheme: "light" | "dark" } = { width: 1280, scheme: "light" }
): Promise<{
  readonly page: Page
  readonly elsewhere: ReadonlyArray<string>
  readonly errors: ReadonlyArray<string>
}> => {
  const context = await browser.newContext({
    colorScheme: options.scheme,
    viewport: { width: options.width, height: 800 }
  })
  context.setDefaultTimeout(patienceMilliseconds)
  const page = await context.newPage()
  const elsewhere: Array<string> = []
  const errors: Array<string> = []
  page.on("request", (request) => {
    if (new URL(request.url()).host !== new URL(where).host) elsewhere.push(request.url())
  })
  page.on("pageerror", ({ message }) => errors.push(message))
  await page.goto(where)
  return { page, elsewhere, errors }
}

const violations = async (page: Page): Promise<ReadonlyArray<string>> => {
  await page.evaluate(axe)
  return page.evaluate(
    `axe.run().then(({ violations }) => violations.map(({ id, nodes }) => id + ": " + nodes[0].html))`
  )
}

/** Pictures of a view as it is, light and dark, narrow and wide. It fits each width. */
const pictured = async (page: Page, name: string): Promise<void> => {
  for (const colorScheme of ["light", "dark"] as const) {
    for (const width of [400, 1280]) {
      await page.emulateMedia({ colorScheme })
      await page.setViewportSize({ width, height: 800 })
      assert.equal(
        await page.evaluate(`document.documentElement.scrollWidth <= ${width}`),
        true,
        `${name} fits ${width}`
      )
      if (pictures !== undefined) await page.screenshot({ path: join(pictures, `${name}-${colorScheme}-${width}.png`) })
    }
  }
}

const rowOf = (page: Page, name: string) => page.locator("tbody tr", { hasText: name })

it("shows the mounts, light and dark, narrow and wide, without a violation or a request elsewhere", () =>
  withDashboard(async () => {
    for (const scheme of ["light", "dark"] as const) {
      for (const width of [400, 1280]) {
        const { elsewhere, errors, page } = await opened(address, { width, scheme })
        await rowOf(page, shown).waitFor()
        assert.deepEqual(await violations(page), [], `${scheme} ${width}`)
        assert.deepEqual([elsewhere, errors], [[], []])
        assert.equal(await page.evaluate(`document.documentElement.scrollWidth <= ${width}`), true, `fits ${width}`)
        if (pictures !== undefined) await page.screenshot({ path: join(pictures, `mounts-${scheme}-${width}.png`) })
        await page.context().close()
      }
    }
  }))

it("kills a worker under load: it is started again, and no call fails", () =>
  withDashboard(async () => {
    const enough = join(folder, "enough")
    const client = run(process.execPath, [join(root, "test", "soak", "client.ts"), join(mountpoint, "work"), enough])
    const { errors, page } = await opened(address)
    await rowOf(page, shown).getByRole("link").click()
    const facts = page.locator("dd")
    await facts.nth(4).waitFor()
    const worker = async (): Promise<string | undefined> => /process \d+/.exec(await facts.nth(3).innerText())?.[0]
    const first = await worker()
    const figures = await facts.nth(4).innerText()
    await until(async () => ((await facts.nth(4).innerText()) === figures ? undefined : true), "figures that move")
    assert.deepEqual(await violations(page), [])
    await pictured(page, "mount")
    await page.getByRole("button", { name: "Kill worker" }).click()
    await page.locator("li", { hasText: "SIGKILL" }).waitFor()
    await until(async () => {
      const now = await worker()
      return now !== undefined && now !== first ? true : undefined
    }, "another worker")
    await daemon.reaches(hostile, "running")
    writeFileSync(enough, "")
    const report: { readonly failed: number; readonly wrong: ReadonlyArray<string> } = JSON.parse(await client)
    assert.deepEqual([report.failed, report.wrong], [0, []])
    assert.deepEqual(errors, [])
    await page.context().close()
  }))

it("shows how large a store is, and checks it once it is not served", () =>
  withDashboard(async () => {
    const { errors, page } = await opened(address)
    await rowOf(page, shown).getByRole("link").click()
    await page.getByRole("link", { name: "Store" }).click()
    await page.getByText(/^[\d.]+ MiB, and [\d.]+ MiB of its log$/).waitFor()
    const check = page.getByRole("button", { name: "Check the store" })
    assert.equal(await check.isVisible(), false)
    await pictured(page, "store")
    const said = page.locator("main [role=status]")
    await until(async () => {
      // What is read below is this press's answer, not an earlier one's.
      await said.evaluate((element) => element.replaceChildren())
      await page.getByRole("button", { name: "Unmount" }).click()
      const answer = await until(async () => (await said.innerText()) || undefined, "an answer")
      if (answer.endsWith(": unmounted")) return true
      // A process of another test, or whoever looks at each mount of the machine, may be in it.
      assert.match(answer, /busy/)
      return undefined
    }, "an unmount")
    await check.click()
    await page.getByText("The store is clean.").waitFor()
    await page.getByText(/: clean, \d+ inodes, \d+ bytes$/).waitFor()
    assert.deepEqual(await violations(page), [])
    await page.getByRole("button", { name: "Start", exact: true }).click()
    await daemon.reaches(hostile, "running")
    assert.deepEqual(errors, [])
    await page.context().close()
  }))

it("shows the calls of a path, a hostile name as text", () =>
  withDashboard(async () => {
    const { errors, page } = await opened(address)
    await rowOf(page, shown).getByRole("link").click()
    await page.getByRole("link", { name: "Calls", exact: true }).click()
    const list = page.locator("ol.calls")
    await list.waitFor({ state: "attached" })
    const looked = setInterval(() => void run("touch", [join(mountpoint, hostile)]).catch(() => undefined), 500)
    try {
      await page.getByRole("searchbox", { name: "Operation" }).fill("lookup")
      await page.getByRole("searchbox", { name: "Path with" }).fill("/a<b>")
      // Of the calls from before it was chosen, none is left.
      await page.getByText("Waiting for calls.").waitFor()
      await list.locator("li").first().waitFor()
    } finally {
      clearInterval(looked)
    }
    const lines = await list.locator("li").allInnerTexts()
    assert.ok(
      lines.every((line) => line.includes(`LOOKUP  /${shown}  `) && / {2}(touch|process) \d+$/.test(line)),
      lines.join("\n")
    )
    assert.equal(await page.locator("b").count(), 0)
    assert.deepEqual(await violations(page), [])
    assert.deepEqual(errors, [])
    await pictured(page, "calls")
    await page.context().close()
  }))

it("shows slow calls, and those that are not answered yet, with their paths", () =>
  withDashboard(async () => {
    const { errors, page } = await opened(address)
    await rowOf(page, "late").getByRole("link").click()
    await page.locator("nav").getByText("Slow calls").click()
    const looked = setInterval(() => void run("stat", [join(late, "late")]).catch(() => undefined), 1000)
    try {
      await page.getByRole("table", { name: "Slow calls" }).getByText("/late").first().waitFor()
      const waiting = page.getByRole("table", { name: "Calls that wait" })
      await waiting.getByText("stat").first().waitFor()
      await waiting.getByRole("button", { name: "Interrupt" }).first().click()
      await page.getByText("The call was interrupted.").waitFor()
    } finally {
      clearInterval(looked)
    }
    assert.deepEqual(await violations(page), [])
    assert.deepEqual(errors, [])
    await pictured(page, "slow")
    await page.context().close()
  }))

it("shows the supervisors of a mount, and kills one of their children", () =>
  withDashboard(async () => {
    const { errors, page } = await opened(address)
    await rowOf(page, "scratch").getByRole("link").click()
    await page.getByRole("link", { name: "Supervisors" }).click()
    const dispatcher = page.locator(".node", { hasText: "dispatcher" })
    await dispatcher.getByText(/, 0 restarts$/).waitFor()
    await dispatcher.getByRole("button", { name: "Kill dispatcher" }).click()
    await dispatcher.getByText(/, 1 restarts$/).waitFor()
    await page.locator("li", { hasText: "worker/session/dispatcher  restarting" }).first().waitFor()
    await dispatcher.getByRole("button", { name: "Restart dispatcher" }).click()
    await dispatcher.getByText(/, 2 restarts$/).waitFor()
    await page.locator(".node", { hasText: "session" }).getByText("rest_for_one").first().waitFor()
    assert.deepEqual(await violations(page), [])
    assert.deepEqual(errors, [])
    await pictured(page, "supervisors")
    await page.context().close()
  }))

it("shows which paths, directories and programs are asked for most", () =>
  withDashboard(async () => {
    const directory = join(mountpoint, "hot")
    await run("mkdir", ["-p", directory])
    const { errors, page } = await opened(address)
    await rowOf(page, shown).getByRole("link").click()
    await page.getByRole("link", { name: "Hot" }).click()
    const path = join(directory, hostile)
    const used = setInterval(
      () => void run("dd", ["if=/dev/zero", `of=${path}`, "bs=64k", "count=4"]).catch(() => undefined),
      500
    )
    try {
      await page.getByRole("table", { name: "Paths" }).getByText(`/hot/${shown}`).first().waitFor()
      await page.getByRole("table", { name: "Directories" }).getByText("/hot", { exact: true }).waitFor()
      await page.getByRole("table", { name: "Programs" }).getByText("dd", { exact: true }).waitFor()
      await page.getByLabel("Most").selectOption("Bytes")
      const first = page.getByRole("table", { name: "Paths" }).locator("tbody tr").first()
      await first.getByText(`/hot/${shown}`).waitFor()
      await page.getByRole("table", { name: "Operations" }).getByText("WRITE", { exact: true }).waitFor()
    } finally {
      clearInterval(used)
    }
    assert.deepEqual(await violations(page), [])
    assert.deepEqual(errors, [])
    await pictured(page, "hot")
    await page.context().close()
  }))

it("shows what the kernel holds and has agreed on, and has it forget", () =>
  withDashboard(async () => {
    const { errors, page } = await opened(address)
    await rowOf(page, shown).getByRole("link").click()
    await page.getByRole("link", { name: "Kernel" }).click()
    await page.getByText(/^FUSE 7\.\d+$/).waitFor()
    const nodes = async (): Promise<number> => Number(await page.locator("dd").first().innerText())
    const directory = join(mountpoint, "many")
    await run("mkdir", ["-p", directory])
    await run("sh", ["-c", `cd ${directory} && for n in $(seq 50); do : > file$n; done`])
    await until(async () => ((await nodes()) > 50 ? true : undefined), "nodes that the kernel holds")
    await page.getByRole("button", { name: "New epoch" }).click()
    await page.getByText("The kernel looks every name up again.").waitFor()
    await page.getByRole("button", { name: "Prune" }).click()
    await page.getByText("The kernel was told to drop the nodes that nobody uses.").waitFor()
    await until(async () => ((await nodes()) < 50 ? true : undefined), "fewer nodes")
    assert.deepEqual(await violations(page), [])
    assert.deepEqual(errors, [])
    await pictured(page, "kernel")
    await page.context().close()
  }))

it("shows the last 24 hours, and gives them as CSV", () =>
  withDashboard(async () => {
    const { errors, page } = await opened(address)
    await rowOf(page, shown).getByRole("link").click()
    await page.getByRole("link", { name: "History" }).click()
    await until(async () => {
      await page.reload()
      const pictures = await page.getByText(/^Operations a second: at most /).count()
      return pictures > 0 ? true : undefined
    }, "a minute that is over")
    const saved = page.waitForEvent("download")
    await page.getByRole("button", { name: "Export as CSV" }).click()
    const csv = readFileSync(await (await saved).path(), "utf8").split("\n")
    assert.match(csv[0] ?? "", /^time,operations,errors,/)
    assert.match(csv[1] ?? "", /^\d{4}-\d\d-\d\dT\d\d:\d\d:00\.000Z,\d/)
    assert.deepEqual(await violations(page), [])
    assert.deepEqual(errors, [])
    await pictured(page, "history")
    await page.context().close()
  }))

it("keeps the focus while figures move, and acts from the list of mounts", () =>
  withDashboard(async () => {
    const { errors, page } = await opened(address)
    const row = rowOf(page, "scratch")
    await row.getByRole("link").focus()
    await page.evaluate(`document.activeElement.dataset.mark = "kept"`)
    const uptime = page.locator("#daemon")
    const before = await uptime.innerText()
    await until(async () => ((await uptime.innerText()) === before ? undefined : true), "another second")
    assert.equal(await page.evaluate(`document.activeElement.dataset.mark`), "kept")
    await row.getByRole("button", { name: "Unmount" }).click()
    await row.getByText("stopped").waitFor()
    await row.getByRole("button", { name: "Start", exact: true }).click()
    await row.getByText("running").waitFor()
    assert.deepEqual(errors, [])
    await page.context().close()
  }))

it("does nothing without the token", () =>
  withDashboard(async () => {
    const { page } = await opened(address.replace(/#.*/, ""))
    await page.getByText("open the address that bickford dashboard prints").waitFor()
    await page.goto(`${address.replace(/#.*/, "")}#/mounts/scratch`)
    assert.equal(await page.getByRole("button", { name: "Unmount" }).count(), 0)
    assert.equal((await daemon.mount("scratch")).state, "running")
    await page.context().close()
  }))

testThousandMounts()

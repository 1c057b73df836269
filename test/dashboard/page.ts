/**
 * `npm run test:page -- [DIRECTORY]`: the daemon's page in a browser without a window, on a daemon under load. Puts pictures of
 * it, light and dark, narrow and wide, into DIRECTORY. On Debian: apt-get install chromium
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import assert from "node:assert/strict"
import { spawn } from "node:child_process"
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { createRequire } from "node:module"
import { dirname, join } from "node:path"
import { after, before, it } from "node:test"
import { type Browser, chromium, type Page } from "playwright-core"
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

const browserFile = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find((file) =>
  existsSync(file)
)
if (browserFile === undefined) {
  console.error("Chromium is missing: apt-get install chromium")
  process.exit(1)
}
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
  browser = await chromium.launch({ executablePath: browserFile, args: ["--no-sandbox"] })
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

it("shows how large a store is, and checks it once it is not served", () =>
  withDashboard(async () => {
    const { errors, page } = await opened(address)
    await rowOf(page, shown).getByRole("link").click()
    await page.getByRole("link", { name: "Store" }).click()
    await page.getByText(/^[\d.]+ MiB, and [\d.]+ MiB of its log$/).waitFor()
    const check = page.getByRole("button", { name: "Check the store" })
    assert.equal(await check.isVisible(), false)
    await pictured(page, "store")
    await until(async () => {
      await page.getByRole("button", { name: "Unmount" }).click()
      // A process of another test may still be in it.
      const answer = await until(
        async () => (await page.locator("main [role=status]").innerText()) || undefined,
        "an answer"
      )
      if (!answer.includes("busy")) assert.match(answer, /: unmounted$/)
      return answer.endsWith(": unmounted") ? true : undefined
    }, "an unmount")
    await check.click()
    await page.getByText("The store is clean.").waitFor()
    await page.getByText(/: clean, \d+ inodes, \d+ bytes$/).waitFor()
    assert.deepEqual(await violations(page), [])
    await page.getByRole("button", { name: "Restart" }).click()
    await daemon.reaches(hostile, "running")
    assert.deepEqual(errors, [])
    await page.context().close()
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
      lines.every((line) => line.includes(`LOOKUP  /${shown}  `)),
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
      await page.getByRole("table", { name: "Calls that wait" }).getByText("stat").first().waitFor()
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
    assert.deepEqual(await violations(page), [])
    assert.deepEqual(errors, [])
    await pictured(page, "supervisors")
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

/** A browser without a window. On Debian: apt-get install chromium */
import { existsSync } from "node:fs"
import { type Browser, chromium } from "playwright-core"

const browserFile = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find((file) =>
  existsSync(file)
)
if (browserFile === undefined) {
  console.error("Chromium is missing: apt-get install chromium")
  process.exit(1)
}

export const launch = (): Promise<Browser> => chromium.launch({ executablePath: browserFile, args: ["--no-sandbox"] })

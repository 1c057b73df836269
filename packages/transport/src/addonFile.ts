/** Which build of the addon this process loads. */
import { existsSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

/** What Node reports of itself, as much of it as tells glibc from musl. */
interface ReportHeader {
  readonly header?: { readonly glibcVersionRuntime?: string }
}

/** `glibc` or `musl`: what the running Node is linked with. */
const libc = (): string => {
  const { report } = process
  // Else the report looks up the names of all peers. (Node 22.13; its types do not know it.)
  const before: unknown = Reflect.get(report, "excludeNetwork")
  Reflect.set(report, "excludeNetwork", true)
  // Node types the report as `object`.
  const { header } = report.getReport() as ReportHeader
  Reflect.set(report, "excludeNetwork", before)
  return header?.glibcVersionRuntime === undefined ? "musl" : "glibc"
}

/** The package's own directory, above `src` and `dist` alike. */
const ownDirectory = fileURLToPath(new URL("..", import.meta.url))

/**
 * The path of the addon for a package at `directory`: what `named` names, a build from source, or the prebuilt one
 * for this platform. Throws an error that says how to build it when there is none.
 */
export const chooseAddon = (directory: string, named: string | undefined, libcName: () => string): string => {
  if (named !== undefined) return named
  // In a checkout, and where a person built an installed package's sources.
  const builds = ["../../native", "native"].map((place) => join(directory, place, "build", "Release", "bickford.node"))
  const built = builds.find((file) => existsSync(file))
  if (built !== undefined) return built
  const platform = `${process.platform}-${process.arch}-${libcName()}`
  const prebuilt = join(directory, "prebuilds", `${platform}.node`)
  if (existsSync(prebuilt)) return prebuilt
  throw new Error(
    `@bickford/transport has no native addon for ${platform}. In a checkout: npm run build:addon. Installed: with python3, make and g++ ` +
      `(Debian: apt-get install python3 make g++), npm install node-addon-api && npx node-gyp rebuild --directory=${join(directory, "native")}`
  )
}

/** The addon for this process; BICKFORD_ADDON names another build of it, as one with AddressSanitizer. */
export const addonFile = (): string => chooseAddon(ownDirectory, process.env["BICKFORD_ADDON"], libc)

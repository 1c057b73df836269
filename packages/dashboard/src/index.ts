/** The page's files, by the last part of their path. */
import { html } from "./html.ts"
import { ending, moduleText } from "./pageModules.ts"
import { style } from "./style.ts"

/** A file as HTTP sends it. */
export interface PageFile {
  /** For `content-type`. */
  readonly type: string
  readonly body: string
}

/** The browser's modules, without their endings. */
const modules: ReadonlySet<string> = new Set([
  "actions",
  "agreed",
  "calls",
  "callText",
  "dom",
  "events",
  "figures",
  "history",
  "hot",
  "kernel",
  "main",
  "minutes",
  "mount",
  "mounts",
  "mountViews",
  "slow",
  "spark",
  "store",
  "tally",
  "tree",
  "visible"
])

/** The file of a name, "" being the page itself; undefined when there is none. */
export const pageFile = (name: string): PageFile | undefined => {
  if (name === "") return { type: "text/html; charset=utf-8", body: html(`main.${ending}`) }
  if (name === "style.css") return { type: "text/css; charset=utf-8", body: style }
  const [, module = "", asked] = /^([a-zA-Z]+)\.(js|ts)$/.exec(name) ?? []
  if (!modules.has(module) || asked !== ending) return undefined
  return { type: "text/javascript; charset=utf-8", body: moduleText(module) }
}

/** For every answer with a file of the page: nothing from elsewhere, nothing inline, in nobody's frame. */
export const pageHeaders: { readonly [name: string]: string } = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cache-control": "no-cache"
}

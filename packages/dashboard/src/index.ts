/**
 * The page's files, by the last part of their path. In a checkout the browser's modules are its TypeScript sources with
 * the types taken out; in what is installed they are compiled.
 */
import { readFileSync } from "node:fs"
import { stripTypeScriptTypes } from "node:module"
import { html } from "./html.ts"
import { style } from "./style.ts"

/** A file as HTTP sends it. */
export interface PageFile {
  /** For `content-type`. */
  readonly type: string
  readonly body: string
}

const isCheckout = import.meta.url.endsWith(".ts")

/** The browser's modules, without their endings. */
const modules: ReadonlySet<string> = new Set([
  "actions",
  "calls",
  "callText",
  "dom",
  "events",
  "figures",
  "main",
  "mount",
  "mounts",
  "spark",
  "visible"
])

const moduleText = (name: string): string => {
  if (!isCheckout) return readFileSync(new URL(`page/${name}.js`, import.meta.url), "utf8")
  const source = readFileSync(new URL(`page/${name}.ts`, import.meta.url), "utf8")
  return stripTypeScriptTypes(source)
}

/** The file of a name, "" being the page itself; undefined when there is none. */
export const pageFile = (name: string): PageFile | undefined => {
  if (name === "") return { type: "text/html; charset=utf-8", body: html(isCheckout ? "main.ts" : "main.js") }
  if (name === "style.css") return { type: "text/css; charset=utf-8", body: style }
  const [, module = "", ending] = /^([a-zA-Z]+)\.(js|ts)$/.exec(name) ?? []
  if (!modules.has(module) || (ending === "ts") !== isCheckout) return undefined
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

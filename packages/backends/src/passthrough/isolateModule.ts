/**
 * The module by which another isolate serves a directory: its URL, or undefined where there is none. The single executable has a module
 * of its own in this one's place.
 */
// The built file has the same name but for its ending.
export const isolateModule: string | undefined = new URL(
  import.meta.url.endsWith(".ts") ? "./isolate.ts" : "./isolate.js",
  import.meta.url
).href

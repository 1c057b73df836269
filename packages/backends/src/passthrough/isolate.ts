/** The module by which another isolate serves a directory that is served with `shared`. */
export { passthroughBeside as backend } from "./passthrough.ts"

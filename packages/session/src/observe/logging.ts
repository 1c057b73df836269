/** The log of programs that serve mounts. */
import { printableLogLine } from "@bickford/protocol"
import type * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"

/**
 * Has log lines go to stderr in logfmt, a line for each event whatever it tells: names and errors from outside
 * come with their control characters escaped.
 */
export const logToStderr: Layer.Layer<never> = Logger.layer([
  Logger.withConsoleError(Logger.map(Logger.formatLogFmt, printableLogLine))
])

/** What a mount serves: its source, and what of its options selects a part of that. */
import * as Result from "effect/Result"
import type { MountConfig } from "../config/DaemonConfig.ts"
import { parseMountOptions } from "../options/mountOptions.ts"
import { isParsed, parseSource } from "../sources/index.ts"
import type { MountRecord } from "./stateFile.ts"

/** What of a mount's options selects what is served, as text; empty where the source alone tells. */
export const selectedBy = ({ options, source }: Pick<MountConfig, "options" | "source">): string => {
  const parsed = parseSource(source)
  if (!isParsed(parsed) || parsed.kind.selected === undefined) return ""
  const mountOptions = parseMountOptions(options, parsed.kind)
  return Result.isSuccess(mountOptions) ? parsed.kind.selected(mountOptions.success) : ""
}

/** Whether a worker of this configuration can serve what another one served. */
export const fits = (
  config: Pick<MountConfig, "mountpoint" | "options" | "source">,
  record: Pick<MountRecord, "configured" | "selected" | "source">
): boolean =>
  config.source === record.source &&
  config.mountpoint === record.configured &&
  selectedBy(config) === (record.selected ?? "")

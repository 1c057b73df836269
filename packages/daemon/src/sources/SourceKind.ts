/** What a kind of source is to the command, to the configuration and to the help. A kind is one file beside this one. */
import type { BackendSource } from "@bickford/session"
import type * as Effect from "effect/Effect"
import type { CommandError } from "../CommandError.ts"
import type { ParsedOptions } from "../options/table.ts"

/** One kind of source, as `sqlite` of `sqlite:PATH`. It is small: what serves is loaded when it is to be served. */
export interface SourceKind {
  readonly kind: string
  /** What follows the colon, as the help writes it; undefined when nothing may. */
  readonly operand: string | undefined
  /** The operand is no path of this machine: it stays as it is given. */
  readonly elsewhere?: true
  /** A few words for the help, after the source's form. */
  readonly help: string
  /** What the operand is, where it is missing: `needs ...`. */
  readonly needs: string
  /** What to do where the operand is missing, in lines of its own. */
  readonly missing?: string
  /** One mount at a time may serve a source of this kind. */
  readonly exclusive: boolean
  /**
   * What can be found out by a process while another one serves the source and has its lock. Undefined where nothing is
   * locked: it is opened to try.
   */
  readonly tryLocked?: (path: string) => Effect.Effect<void, CommandError>
  /**
   * A source that lies at or below its own mountpoint: it can be reached underneath the mount by its path without
   * links, or it is refused, or (undefined) it is not looked at.
   */
  readonly covered: "reached" | "refused" | undefined
  /** A mountpoint that lies inside the source would have the server wait for itself: it is refused. Undefined: it need not be. */
  readonly holdsMountpoint?: "refused"
  /** The options of `-o` that are for some kinds of source, and for this one. */
  readonly options: ReadonlyArray<string>
  /** Options of every mount that make no sense for this kind, each with the reason. */
  readonly refuses: { readonly [option: string]: string }
  /** Why options of this kind cannot stand together; undefined when they can. */
  readonly contradiction?: (options: ParsedOptions) => string | undefined
  /**
   * What of the options tells which thing is served, besides the operand: what was served with another value, a worker
   * cannot go on with. Undefined where the operand alone tells.
   */
  readonly selected?: (options: ParsedOptions) => string
  /** Loads the code that `open` needs; fails as that code does. */
  readonly load: (path: string) => Promise<unknown>
  /** The backend. What can be known to be wrong before the mount fails here. */
  readonly open: (path: string, options: ParsedOptions) => Effect.Effect<BackendSource, CommandError>
}

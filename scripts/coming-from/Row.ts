/**
 * What a row of docs/coming-from.md says: a name of another system, and what stands for it here.
 *
 * Names of ours are typed by the interface they belong to, so that a renamed member is a type error here; exports of
 * packages, options of the command and tests are looked up by test/documents/comingFrom.test.ts.
 */
import type { PathCallbacks } from "@bickford/backends"
import type { BackendCapabilities, Entry, IoctlReply, Negotiated, Open, ReplyOf } from "@bickford/protocol"
import type {
  Backend,
  BackendConnection,
  EmbeddedSession,
  FrameSession,
  Mount,
  MountOptions,
  Notify,
  RequestContext,
  Session
} from "@bickford/session"

/** Members by the interface that has them. */
interface Interfaces {
  readonly Backend: keyof Backend
  readonly BackendCapabilities: keyof BackendCapabilities
  readonly BackendConnection: keyof BackendConnection
  readonly EmbeddedSession: keyof EmbeddedSession
  readonly Entry: keyof Entry
  readonly FrameSession: keyof FrameSession
  readonly IoctlReply: IoctlReply extends infer Reply ? (Reply extends Reply ? keyof Reply : never) : never
  readonly Mount: keyof Mount
  readonly MountOptions: keyof MountOptions
  readonly Negotiated: keyof Negotiated
  readonly Notify: keyof Notify
  readonly Open: keyof Open
  readonly PathCallbacks: keyof PathCallbacks
  readonly ReplyOf: keyof ReplyOf
  readonly RequestContext: keyof RequestContext
  readonly Session: keyof Session.Session
  readonly SessionOptions: keyof Session.SessionOptions
}

export type Member = {
  readonly [Of in keyof Interfaces]: { readonly of: Of; readonly name: Interfaces[Of] }
}[keyof Interfaces]

/** An export of a package of ours; `name` may go into a namespace, as `Lifecycle.start`. */
export interface Exported {
  readonly from:
    | "bickford"
    | "@bickford/backends"
    | "@bickford/protocol"
    | "@bickford/session"
    | "@bickford/session/testing"
    | "@bickford/transport"
  readonly name: string
}

/** An option of `bickford mount -o`. */
export interface CommandOption {
  readonly option: string
}

export type Counterpart = Member | Exported | CommandOption

/** A test file, and a part of the title of the test in it. */
export type Tested = readonly [file: string, title: string]

export interface Row {
  /** Their name. */
  readonly theirs: string
  /** What stands for it here; empty when nothing does, and `note` says why. */
  readonly ours: ReadonlyArray<Counterpart>
  /** What is different, in a sentence or two. */
  readonly note?: string
  /** What shows it; a sentence says why nothing does. */
  readonly test: Tested | string
}

export interface Section {
  readonly title: string
  readonly rows: ReadonlyArray<Row>
}

export interface Document {
  /** What it is called. */
  readonly system: string
  readonly introduction: string
  readonly sections: ReadonlyArray<Section>
}

const every = "test/mount/everyOperation/everyOperation.test.ts"

/** The test that has a real kernel send each operation. */
export const byEveryOperation: Tested = [every, "reaches the backend with what the program asked"]
/** Likewise, for what only a block device's mount is sent. */
export const byBlockDevice: Tested = [every, "a block device's mount has BMAP and SYNCFS too"]

export const member = <Of extends keyof Interfaces>(of: Of, name: Interfaces[Of]): Member => ({ of, name }) as Member
export const exported = (from: Exported["from"], name: string): Exported => ({ from, name })
export const option = (name: string): CommandOption => ({ option: name })

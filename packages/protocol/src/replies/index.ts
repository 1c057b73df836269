/** The replies' codecs, by kind. */
import type { ReplyTypes } from "../replyTypes.ts"
import { attribute, content, listing, listingPlus, target } from "./data.ts"
import { attributes, created, extendedAttributes, found, newEntry, opened } from "./entries.ts"
import { controlled } from "./ioctl.ts"
import { agreed, block, conflict, copied, position, ready, usage, written } from "./numbers.ts"
import { nothing, type ReplyCodec } from "./reply.ts"

/** One for each kind; which requests it answers is the operations' table's to say. */
export const replyCodecs = {
  nothing,
  found,
  entry: newEntry,
  attributes,
  statx: extendedAttributes,
  target,
  opened,
  created,
  data: content,
  written,
  usage,
  xattr: attribute,
  agreed,
  listing,
  listingPlus,
  lock: conflict,
  block,
  ioctl: controlled,
  events: ready,
  position,
  copied
} satisfies { readonly [Kind in keyof ReplyTypes]: ReplyCodec<never, ReplyTypes[Kind]> }

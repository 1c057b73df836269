/** Who may act by way of a TCP port: whoever has the token, which the control socket gives to the daemon's own user. */
import type { IncomingHttpHeaders } from "node:http"
import { randomBytes, timingSafeEqual } from "node:crypto"

export const makeToken = (): string => randomBytes(32).toString("hex")

/** Whether a request has `authorization: Bearer TOKEN`. */
export const hasToken = ({ authorization }: IncomingHttpHeaders, token: string): boolean => {
  const given = Buffer.from(authorization ?? "")
  const wanted = Buffer.from(`Bearer ${token}`)
  return given.length === wanted.length && timingSafeEqual(given, wanted)
}

/**
 * Whether a request was made to this machine by its own name: a page of somebody else's, whose name leads here, has
 * another one in `host`.
 */
export const isOwnHost = ({ host }: IncomingHttpHeaders): boolean =>
  /^(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/.test(host ?? "")

/** Options of a session as a thread is told them. */
import * as Duration from "effect/Duration"
import type { Deadline } from "../dispatcher/deadline.ts"
import type { SessionOptions } from "../SessionOptions.ts"
import type { IsolateSessionOptions } from "./messages.ts"

/** A `Duration` is an object of a class, which does not outlast being sent. */
const millisOf = (duration: Duration.Input): number => Duration.toMillis(Duration.fromInputUnsafe(duration))

const plainDeadline = ({ after, errno }: Deadline): Deadline => ({ after: millisOf(after), errno })

type Deadlines = NonNullable<SessionOptions["deadline"]>

const plainDeadlines = (limits: Deadlines): Deadlines =>
  "after" in limits
    ? plainDeadline(limits as Deadline)
    : Object.fromEntries(
        Object.entries(limits).map(([operation, limit]) => [
          operation,
          limit === undefined ? limit : plainDeadline(limit)
        ])
      )

/** What of a session's options each of its isolates has too. */
export const isolateSessionOptions = ({
  deadline,
  drain,
  grace,
  maxBytesInFlight,
  maxInFlight,
  maxRestarts,
  maxSeconds
}: SessionOptions): IsolateSessionOptions => ({
  ...(deadline === undefined ? {} : { deadline: plainDeadlines(deadline) }),
  ...(drain === undefined ? {} : { drain: millisOf(drain) }),
  ...(grace === undefined ? {} : { grace: millisOf(grace) }),
  ...(maxBytesInFlight === undefined ? {} : { maxBytesInFlight }),
  ...(maxInFlight === undefined ? {} : { maxInFlight }),
  ...(maxRestarts === undefined ? {} : { maxRestarts }),
  ...(maxSeconds === undefined ? {} : { maxSeconds: millisOf(maxSeconds) })
})

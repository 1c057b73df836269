/** Requests by HTTP that do not wait for ever, and bodies that are whole or an error. */

/** Sends a request; as `fetch`. */
export type Send = (url: string, init: RequestInit & { readonly signal: AbortSignal }) => Promise<Response>

/** The server answered with a status that says no. */
export class StatusError extends Error {
  override readonly name = "StatusError"
  readonly status: number
  constructor(status: number, url: string) {
    super(`the server answered ${status} for ${url}`)
    this.status = status
  }
}

/** An answer, of which pieces come within `patience` milliseconds of each other. */
export interface Answer {
  readonly response: Response
  readonly pieces: AsyncIterable<Uint8Array>
  /** Takes no more. */
  readonly cancel: () => Promise<void>
}

/** Aborts when `patience` milliseconds have passed since `beat` was called last. */
const watchdog = (patience: number, signal: AbortSignal) => {
  const controller = new AbortController()
  const stalled = (): void => controller.abort(new Error(`the server has sent nothing for ${patience / 1000} seconds`))
  let timer = setTimeout(stalled, patience)
  return {
    signal: AbortSignal.any([signal, controller.signal]),
    beat: (): void => {
      clearTimeout(timer)
      timer = setTimeout(stalled, patience)
    },
    end: (): void => clearTimeout(timer)
  }
}

/** What a fetch failed with, in words: undici hides the reason in `cause`. */
const told = (error: unknown, url: string): Error => {
  if (!(error instanceof Error)) return new Error(String(error))
  if (error.name === "AbortError" || !(error.cause instanceof Error)) return error
  return new Error(`${url}: ${error.cause.message}`, { cause: error })
}

/** Sends a request and gives the answer's head; its body comes by `pieces`. */
export const request = async (
  send: Send,
  url: string,
  init: RequestInit,
  patience: number,
  signal: AbortSignal
): Promise<Answer> => {
  const dog = watchdog(patience, signal)
  const response = await send(url, { ...init, signal: dog.signal }).catch((error: unknown) => {
    dog.end()
    throw told(error, url)
  })
  dog.beat()
  const { body } = response
  async function* pieces(): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      if (body === null) return
      for await (const piece of body) {
        dog.beat()
        yield piece
      }
    } catch (error) {
      throw told(error, url)
    } finally {
      dog.end()
    }
  }
  return {
    response,
    pieces: pieces(),
    cancel: async () => {
      dog.end()
      await body?.cancel().catch(() => undefined)
    }
  }
}

/** A body's bytes from `skip` on, exactly `length`; what comes then is not read. Rejects when there are fewer. */
export const exactly = async ({ cancel, pieces }: Answer, skip: number, length: number): Promise<Uint8Array> => {
  const whole = new Uint8Array(length)
  let at = -skip
  for await (const piece of pieces) {
    const from = Math.max(0, -at)
    if (from < piece.length) {
      const part = piece.subarray(from, Math.min(piece.length, length - at))
      whole.set(part, Math.max(0, at))
    }
    at += piece.length
    if (at >= length) break
  }
  await cancel()
  if (at < length) throw new Error(`the server gave ${Math.max(0, at)} of ${length} bytes`)
  return whole
}

/** A body as text, of up to `most` bytes. */
export const textOf = async ({ cancel, pieces }: Answer, most: number): Promise<string> => {
  const parts: Array<Uint8Array> = []
  let size = 0
  for await (const piece of pieces) {
    size += piece.length
    if (size > most) {
      await cancel()
      throw new Error(`an index of more than ${most} bytes`)
    }
    parts.push(piece)
  }
  return Buffer.concat(parts).toString()
}

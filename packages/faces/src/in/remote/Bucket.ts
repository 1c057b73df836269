/** The requests that a bucket of S3 is asked by, signed by aws4fetch. */
import type { AwsClient } from "aws4fetch"
import { Errno } from "@bickford/session"
import { type ListedPage, readListing, textIn } from "./listing.ts"
import { type Answer, request, type Send, StatusError, textOf } from "./request.ts"

/** Where a bucket is. */
export interface BucketPlace {
  /** As `https://s3.eu-central-1.amazonaws.com`, without a slash at the end. */
  readonly endpoint: string
  readonly bucket: string
}

const mostBytes = 16 << 20
/** Files of more bytes are uploaded in parts of as many. */
const partSize = 8 << 20

const keyPath = (key: string): string => key.split("/").map(encodeURIComponent).join("/")

/** Throws what a status says, if it is no success. */
const checked = async (answer: Answer, url: string): Promise<Answer> => {
  const { ok, status } = answer.response
  if (ok) return answer
  await answer.cancel()
  if (status === 404) throw Errno.ENOENT
  throw status === 401 || status === 403 ? Errno.EACCES : new StatusError(status, url)
}

/** Bytes `start` to `start + size` of what is to be uploaded. */
export type ReadPart = (start: number, size: number) => Promise<Uint8Array<ArrayBuffer>>

/** A bucket. Every call ends soon after its signal is aborted. */
export class Bucket {
  readonly #send: Send
  readonly #base: string
  readonly #patience: number

  constructor(client: AwsClient, { bucket, endpoint }: BucketPlace, patience: number) {
    this.#send = (url, init) => client.fetch(url, init)
    this.#base = `${endpoint}/${encodeURIComponent(bucket)}`
    this.#patience = patience
  }

  /** Asks about a key; any status is an answer. */
  ask(key: string, init: RequestInit, signal: AbortSignal, query = ""): Promise<Answer> {
    const url = `${this.#base}/${keyPath(key)}${query === "" ? "" : `?${query}`}`
    return request(this.#send, url, init, this.#patience, signal)
  }

  async #done(key: string, init: RequestInit, signal: AbortSignal, query?: string): Promise<Headers> {
    const answer = await checked(await this.ask(key, init, signal, query), key)
    await answer.cancel()
    return answer.response.headers
  }

  /** One page of the keys that begin with `prefix`, cut at the next slash. */
  async list(prefix: string, most: number, next: string | undefined, signal: AbortSignal): Promise<ListedPage> {
    const query = new URLSearchParams({
      "list-type": "2",
      "encoding-type": "url",
      delimiter: "/",
      prefix,
      "max-keys": String(most),
      ...(next !== undefined && { "continuation-token": next })
    })
    const answer = await checked(await this.ask("", {}, signal, query.toString()), prefix)
    return readListing(await textOf(answer, mostBytes))
  }

  /** Removes an object. */
  async remove(key: string, signal: AbortSignal): Promise<void> {
    await this.#done(key, { method: "DELETE" }, signal)
  }

  /** Copies an object within the bucket. */
  async copy(from: string, to: string, bucket: string, signal: AbortSignal): Promise<void> {
    const source = `/${encodeURIComponent(bucket)}/${keyPath(from)}`
    await this.#done(to, { method: "PUT", headers: { "x-amz-copy-source": source } }, signal)
  }

  /** Replaces an object with `size` bytes, in parts where they are many. What fails leaves the old object. */
  async put(key: string, size: number, read: ReadPart, signal: AbortSignal): Promise<void> {
    if (size <= partSize) {
      await this.#done(key, { method: "PUT", body: await read(0, size) }, signal)
      return
    }
    const begun = await checked(await this.ask(key, { method: "POST" }, signal, "uploads="), key)
    const upload = textIn(await textOf(begun, mostBytes), "UploadId")
    if (upload === undefined) throw new Error(`${key}: the server began no upload`)
    const query = `uploadId=${encodeURIComponent(upload)}`
    try {
      const tags: Array<string> = []
      for (let at = 0; at < size; at += partSize) {
        const body = await read(at, Math.min(partSize, size - at))
        const headers = await this.#done(key, { method: "PUT", body }, signal, `partNumber=${tags.length + 1}&${query}`)
        tags.push(headers.get("etag") ?? "")
      }
      const parts = tags.map((tag, index) => `<Part><PartNumber>${index + 1}</PartNumber><ETag>${tag}</ETag></Part>`)
      const body = `<CompleteMultipartUpload>${parts.join("")}</CompleteMultipartUpload>`
      const ended = await checked(await this.ask(key, { method: "POST", body }, signal, query), key)
      // A failure to put the parts together comes with status 200.
      if ((await textOf(ended, mostBytes)).includes("<Error>"))
        throw new Error(`${key}: the server did not join the parts`)
    } catch (error) {
      await this.#done(key, { method: "DELETE" }, signal, query).catch(() => undefined)
      throw error
    }
  }
}

/** A server of S3's protocol with an empty bucket, and a proxy before it that a test can have misbehave. */
import { AwsClient } from "aws4fetch"
import * as Effect from "effect/Effect"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtemp, rm } from "node:fs/promises"
import { createServer, request as forward, type IncomingMessage, type Server, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"

/** What becomes of a request: no answer at all, the beginning of one, or none until a Promise resolves; undefined: it is answered. */
type Mischief = "stall" | "break" | Promise<void> | undefined

/** What the server takes. */
export const bucketKeys = { accessKeyId: "S3RVER", secretAccessKey: "S3RVER", region: "us-east-1" }

const close = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    server.closeAllConnections()
    server.close(() => resolve())
  })

/** Passes an answer on, or breaks off after its first bytes. */
const passOn = (answer: IncomingMessage, to: ServerResponse, mischief: Mischief): void => {
  to.writeHead(answer.statusCode ?? 500, answer.headers)
  if (mischief !== "break") answer.pipe(to)
  else answer.once("data", (part: Buffer) => to.write(part.subarray(0, 1000), () => to.destroy()))
}

/** Asks the server for objects without any mount: a path below the bucket, as `?list-type=2` or `key`. */
export const askBucket = (endpoint: string, path: string, init?: RequestInit): Promise<Response> =>
  new AwsClient({ ...bucketKeys, service: "s3" }).fetch(`${endpoint}/bucket/${path}`, init)

/** The server, for the life of a scope. `requests` has a line for each that came, as `GET /bucket/key`. */
export const bucket = Effect.acquireRelease(
  Effect.promise(async () => {
    const directory = await mkdtemp(join(tmpdir(), "bickford-s3-"))
    // It makes its continuation tokens with DES, which OpenSSL has put aside.
    const program = join(import.meta.dirname, "s3Server.mjs")
    const s3rver = spawn(process.execPath, ["--openssl-legacy-provider", program, directory], {
      stdio: ["pipe", "pipe", "inherit"]
    })
    const ended = once(s3rver, "exit")
    const [line] = await once(s3rver.stdout, "data")
    const port = Number(String(line))
    const requests: Array<string> = []
    let mischief: (line: string) => Mischief = () => undefined
    const proxy = createServer((from, to) => {
      const line = `${from.method} ${from.url}`
      requests.push(line)
      const met = mischief(line)
      if (met === "stall") return
      const pass = (): void => {
        const passed = forward(
          { host: "127.0.0.1", port, path: from.url, method: from.method, headers: from.headers },
          (answer) => passOn(answer, to, met)
        )
        passed.on("error", () => to.destroy())
        from.pipe(passed)
      }
      if (met instanceof Promise) void met.then(pass)
      else pass()
    })
    await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve))
    // A server that listens has an address with a port.
    const endpoint = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`
    return {
      directory,
      s3rver,
      ended,
      proxy,
      requests,
      options: { ...bucketKeys, endpoint },
      meet: (body: typeof mischief) => {
        mischief = body
      }
    }
  }),
  ({ directory, ended, proxy, s3rver }) =>
    Effect.promise(async () => {
      await close(proxy)
      s3rver.stdin.end()
      await ended
      await rm(directory, { recursive: true, force: true })
    })
)

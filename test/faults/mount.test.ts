/**
 * The failure contract on a real mount: what fails, what restarts, what a program using the mountpoint
 * sees. The rows are those of docs/failures.md; the causes are real.
 */
import { assert, describe, it } from "@effect/vitest"
import { type Backend, Errno, mount } from "@bickford/session"
import { abortConnection, findMount } from "@bickford/transport"
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import { spawn } from "node:child_process"
import { join } from "node:path"
import { mountpointFolder, serve } from "../mount/inProcess.ts"
import { oneFile } from "../mount/oneFile.ts"
import { ended } from "../mount/processes.ts"

const until = (condition: () => boolean) => Effect.repeat(Effect.yieldNow, { until: condition })

/** A backend whose layer fails when told to. */
const failing = (operations: (instance: number) => Partial<Backend>) => {
  let instances = 0
  let fail: (() => void) | undefined
  const source = Effect.gen(function* () {
    const instance = ++instances
    const broken = yield* Deferred.make<void>()
    fail = () => Deferred.doneUnsafe(broken, Effect.void)
    return {
      ...oneFile(operations(instance)),
      run: Effect.andThen(Deferred.await(broken), Effect.fail("the database is gone"))
    }
  })
  return { source, fail: () => fail?.(), instances: () => instances }
}

describe("the failure contract, on a real mount", () => {
  it.live("an operation that fails with an errno error: the program gets that errno", () =>
    Effect.gen(function* () {
      const { attempt, mounted, mountpoint } = yield* serve(oneFile({ read: () => Errno.EDQUOT }))
      assert.include((yield* attempt("cat", [join(mountpoint, "file")])).stderr, "Disk quota exceeded")
      assert.strictEqual(mounted.session.connection.counters.defects, 0)
    })
  )

  it.live("an operation that throws, dies or returns nonsense: EIO for that call, and a count", () =>
    Effect.gen(function* () {
      let call = 0
      const answers: ReadonlyArray<() => Effect.Effect<Uint8Array>> = [
        () => {
          throw new Error("a defect")
        },
        () => Effect.die("a defect"),
        () => Effect.andThen(Effect.sleep(1), Effect.die("a late defect")),
        // Nonsense, as a backend in JavaScript may return it.
        () => Effect.succeed(Object.create(null)),
        () => Object.create(null),
        () => Effect.succeed(Buffer.from("hello"))
      ]
      const { attempt, mounted, mountpoint, run } = yield* serve(
        oneFile({ read: () => (answers[call++] ?? (() => Effect.never))() })
      )
      for (let i = 0; i < answers.length - 1; i++) {
        assert.include((yield* attempt("cat", [join(mountpoint, "file")])).stderr, "Input/output error")
      }
      assert.strictEqual(mounted.session.connection.counters.defects, answers.length - 1)
      assert.strictEqual(yield* run("cat", [join(mountpoint, "file")]), "hello")
    })
  )

  it.live("an operation that outlives its deadline: its fiber is interrupted, ETIMEDOUT", () =>
    Effect.gen(function* () {
      const interrupted = yield* Deferred.make<void>()
      const { attempt, mountpoint } = yield* serve(
        oneFile({ read: () => Effect.onInterrupt(Effect.never, () => Deferred.succeed(interrupted, undefined)) }),
        { session: { deadline: { read: { after: "50 millis", errno: 110 } } } }
      )
      assert.include((yield* attempt("cat", [join(mountpoint, "file")])).stderr, "Connection timed out")
      yield* Deferred.await(interrupted)
    })
  )

  it.live("the backend's layer fails: calls in flight get EIO once, new ones wait for the next instance", () =>
    Effect.gen(function* () {
      const asked = yield* Deferred.make<void>()
      const backend = failing((instance) =>
        instance === 1 ? { read: () => Effect.andThen(Deferred.succeed(asked, undefined), Effect.never) } : {}
      )
      const { attempt, mounted, mountpoint, run } = yield* serve(backend.source)
      const device = mounted.device
      const cat = yield* Effect.forkChild(attempt("cat", [join(mountpoint, "file")]))
      yield* Deferred.await(asked)
      backend.fail()
      assert.include((yield* Fiber.join(cat)).stderr, "Input/output error")
      assert.strictEqual(yield* run("cat", [join(mountpoint, "file")]), "hello")
      assert.strictEqual(backend.instances(), 2)
      assert.strictEqual(findMount(mountpoint)?.device, device, "the mount stays")
    })
  )

  it.live("the layer of a durable backend fails: calls in flight are run again, and the program sees nothing", () =>
    Effect.gen(function* () {
      const asked = yield* Deferred.make<void>()
      const backend = failing((instance) => ({
        durable: true,
        ...(instance === 1 ? { read: () => Effect.andThen(Deferred.succeed(asked, undefined), Effect.never) } : {})
      }))
      const { mountpoint, run } = yield* serve(backend.source)
      const cat = yield* Effect.forkChild(run("cat", [join(mountpoint, "file")]))
      yield* Deferred.await(asked)
      backend.fail()
      assert.strictEqual(yield* Fiber.join(cat), "hello")
    })
  )

  it.live("a backend that does not come back: calls wait for `grace`, then EIO, until it does", () =>
    Effect.gen(function* () {
      const back = yield* Deferred.make<void>()
      let instances = 0
      let fail: (() => void) | undefined
      const source = Effect.gen(function* () {
        if (++instances > 1) yield* Deferred.await(back)
        const broken = yield* Deferred.make<void>()
        fail = () => Deferred.doneUnsafe(broken, Effect.void)
        return { ...oneFile(), run: Effect.andThen(Deferred.await(broken), Effect.fail("gone")) }
      })
      const { attempt, mounted, mountpoint, run } = yield* serve(source, { session: { grace: "100 millis" } })
      yield* run("cat", [join(mountpoint, "file")])
      fail?.()
      yield* until(() => mounted.session.connection.backend === undefined)
      const began = Date.now()
      assert.include((yield* attempt("cat", [join(mountpoint, "file")])).stderr, "Input/output error")
      assert.isAtLeast(Date.now() - began, 80, "it has waited")
      yield* Deferred.succeed(back, undefined)
      yield* until(() => mounted.session.connection.backend !== undefined)
      assert.strictEqual(yield* run("cat", [join(mountpoint, "file")]), "hello")
    })
  )

  for (const part of ["dispatcher", "session"] as const) {
    it.live(`the ${part} fails: calls in flight run on to their answer, the mount stays, INIT is not repeated`, () =>
      Effect.gen(function* () {
        const asked = yield* Deferred.make<void>()
        const answer = yield* Deferred.make<void>()
        let reads = 0
        const { mounted, mountpoint, run } = yield* serve(
          oneFile({
            read: () => {
              reads++
              return Effect.as(
                Effect.andThen(Deferred.succeed(asked, undefined), Deferred.await(answer)),
                Buffer.from("hello")
              )
            }
          })
        )
        const { negotiated } = mounted.session.connection
        const cat = yield* Effect.forkChild(run("cat", [join(mountpoint, "file")]))
        yield* Deferred.await(asked)
        assert.isTrue(mounted.session.supervisor.kill(part))
        yield* run("stat", [join(mountpoint, "file")])
        yield* Deferred.succeed(answer, undefined)
        assert.strictEqual(yield* Fiber.join(cat), "hello")
        assert.strictEqual(reads, 1)
        assert.strictEqual(mounted.session.connection.negotiated, negotiated)
      })
    )
  }

  it.live("the read loop fails: nothing is seen, and the backend is untouched", () =>
    Effect.gen(function* () {
      const backend = failing(() => ({}))
      const { mounted, mountpoint, run } = yield* serve(backend.source)
      for (let i = 0; i < 3; i++) {
        assert.isTrue(mounted.session.supervisor.kill("transport"))
        assert.strictEqual(yield* run("cat", [join(mountpoint, "file")]), "hello")
      }
      assert.strictEqual(backend.instances(), 1)
    })
  )

  it.live("unmounted from outside: the tree ends normally, and destroy has run once", () =>
    Effect.gen(function* () {
      let destroyed = 0
      const { mounted, mountpoint, run } = yield* serve(oneFile({ destroy: () => Effect.sync(() => void destroyed++) }))
      yield* run("cat", [join(mountpoint, "file")])
      yield* run("umount", [mountpoint], { cwd: "/" })
      const end = yield* mounted.awaitEnd
      assert.strictEqual(end.reason, "unmounted")
      assert.strictEqual(destroyed, 1)
    })
  )

  it.live("aborted from outside: the mount ends, and leaves no dead mountpoint", () =>
    Effect.gen(function* () {
      const { attempt, mounted, mountpoint } = yield* serve(oneFile({ read: () => Effect.never }))
      const cat = yield* Effect.forkChild(attempt("cat", [join(mountpoint, "file")]))
      yield* until(() => mounted.session.connection.inFlight.size === 1)
      yield* abortConnection(mounted)
      assert.notStrictEqual((yield* Fiber.join(cat)).status, 0)
      assert.strictEqual((yield* mounted.awaitEnd).reason, "aborted")
      assert.isUndefined(findMount(mountpoint))
    })
  )

  it.live("aborted from outside, with remount onAbort: mounted anew in the same place", () =>
    Effect.gen(function* () {
      const { mounted, mountpoint, run } = yield* serve(oneFile(), { remount: "onAbort" })
      for (let i = 1; i <= 3; i++) {
        yield* abortConnection(mounted)
        yield* until(() => mounted.remounts === i && mounted.session.connection.negotiated !== undefined)
        assert.strictEqual(yield* run("cat", [join(mountpoint, "file")]), "hello")
      }
      yield* mounted.unmount()
      assert.strictEqual((yield* mounted.awaitEnd).reason, "asked")
      assert.isUndefined(findMount(mountpoint))
    })
  )

  it.live(
    "more restarts than the intensity allows: the tree fails upward with its history, and nobody is left hanging",
    () =>
      Effect.gen(function* () {
        const { attempt, mounted, mountpoint } = yield* serve(oneFile({ read: () => Effect.never }), {
          session: { maxRestarts: 2 }
        })
        const cat = yield* Effect.forkChild(attempt("cat", [join(mountpoint, "file")]))
        yield* until(() => mounted.session.connection.inFlight.size === 1)
        for (let i = 0; i < 3; i++) yield* until(() => mounted.session.supervisor.kill("dispatcher"))
        const end = yield* mounted.awaitEnd
        assert.strictEqual(end.reason, "failed")
        const failure: unknown = end.session.reason === "failed" ? Cause.squash(end.session.cause) : undefined
        assert.isTrue(
          typeof failure === "object" && failure !== null && "_tag" in failure && failure._tag === "SupervisorError"
        )
        assert.isTrue(
          typeof failure === "object" &&
            failure !== null &&
            "history" in failure &&
            Array.isArray(failure.history) &&
            failure.history.length === 3
        )
        assert.notStrictEqual((yield* Fiber.join(cat)).status, 0)
        assert.isUndefined(findMount(mountpoint))
      })
  )

  it.live("the scope closes under load: what is asked is answered until the mount is gone", () =>
    Effect.gen(function* () {
      let destroyed = 0
      let afterDestroy = 0
      const server = Effect.gen(function* () {
        const { mounted, mountpoint } = yield* serve(
          oneFile({
            read: () => {
              afterDestroy += destroyed
              return Effect.as(Effect.sleep(1), Buffer.from("hello"))
            },
            destroy: () => Effect.sync(() => void destroyed++)
          })
        )
        // Each ends when the file is gone, or at the first error that is not that.
        const clients = Array.from({ length: 4 }, () =>
          spawn(
            "sh",
            [
              "-c",
              `while out=$(cat "$1" 2>&1); do [ "$out" = hello ] || exit 3; done; case $out in *"No such file"*) exit 0;; *) echo "$out" >&2; exit 4;; esac`,
              "sh",
              join(mountpoint, "file")
            ],
            {
              stdio: ["ignore", "ignore", "pipe"],
              env: { ...process.env, LC_ALL: "C" }
            }
          )
        )
        yield* until(() => mounted.session.connection.counters.requests > 200)
        return { mounted, clients }
      })
      const { clients, mounted } = yield* Effect.scoped(server)
      for (const client of clients) {
        const said: Array<string> = []
        client.stderr.setEncoding("utf8").on("data", (text: string) => said.push(text))
        assert.deepStrictEqual(yield* Effect.promise(() => ended(client)), { status: 0, signal: null }, said.join(""))
      }
      assert.strictEqual((yield* mounted.awaitEnd).reason, "asked")
      assert.strictEqual(destroyed, 1)
      assert.strictEqual(afterDestroy, 0)
      const { connection, supervisor } = mounted.session
      assert.strictEqual(connection.inFlight.size, 0)
      assert.strictEqual(connection.nodes.size, 0)
      assert.isTrue(Exit.isSuccess(yield* Effect.exit(supervisor.await)))
    })
  )

  it.live("a backend that never comes: mounting fails in time, and nothing stays mounted", () =>
    Effect.gen(function* () {
      const mountpoint = yield* mountpointFolder
      const error = yield* Effect.flip(Effect.scoped(mount({ mountpoint, backend: Effect.never, startTimeout: 200 })))
      assert.strictEqual(error._tag, "MountTimeoutError")
      assert.isUndefined(findMount(mountpoint))
    })
  )

  it.live("the scope closes while the backend is away: the mount is gone in time", () =>
    Effect.gen(function* () {
      let instances = 0
      const source = Effect.suspend(() =>
        instances++ === 0 ? Effect.succeed<Backend>(oneFile({ run: Effect.never })) : Effect.never
      )
      const scope = yield* Scope.make()
      const mountpoint = yield* mountpointFolder
      const mounted = yield* Scope.provide(
        mount({ mountpoint, backend: source, stopTimeout: 100, session: { grace: "1 hour" } }),
        scope
      )
      mounted.session.supervisor.kill("backend")
      yield* until(() => mounted.session.connection.backend === undefined)
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual((yield* mounted.awaitEnd).reason, "asked")
      assert.isUndefined(findMount(mountpoint))
    })
  )
})

/** TLS with the server: which certificate is taken, and what is said of one that is not. */
import { assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { execFileSync } from "node:child_process"
import { chownSync, statSync } from "node:fs"
import { join } from "node:path"
import { postgres } from "../../src/index.ts"
import { serveStore } from "../sqlite/server.ts"
import { useCluster } from "./store.ts"

const cluster = useCluster()

/** Makes a certificate for `localhost`, which is its own authority, and its key, which the server can read. */
const makeCertificate = (name: string): { readonly certificate: string; readonly key: string } => {
  const { folder } = cluster()
  const certificate = join(folder, `${name}.crt`)
  const key = join(folder, `${name}.key`)
  const args = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
  const files = ["-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", certificate]
  execFileSync("openssl", [...args, ...files], { stdio: "ignore" })
  const { gid, uid } = statSync(folder)
  chownSync(key, uid, gid)
  chownSync(certificate, uid, gid)
  return { certificate, key }
}

let own = ""
let other = ""
beforeAll(() => {
  const { crash, newStore, psql } = cluster()
  const { certificate, key } = makeCertificate("server")
  own = certificate
  other = makeCertificate("other").certificate
  const url = newStore()
  psql(url, `ALTER SYSTEM SET ssl_cert_file = '${certificate}'`)
  psql(url, `ALTER SYSTEM SET ssl_key_file = '${key}'`)
  psql(url, "ALTER SYSTEM SET ssl = on")
  crash()
})

/** A new store's URL, by a name of the server and with these parameters. */
const storeAt = (host: string, parameters: Record<string, string>): string => {
  const url = new URL(cluster().newStore())
  url.hostname = host
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value)
  return url.href
}

const refusal = (url: string) => Effect.map(Effect.flip(Effect.scoped(postgres(url))), ({ message }) => message)

describe("TLS", () => {
  it.live("serves a store where the certificate is the host's, of the authority that is named", () =>
    Effect.gen(function* () {
      const url = storeAt("localhost", { sslmode: "verify-full", sslrootcert: own })
      const server = yield* serveStore(postgres(url), "c")
      yield* server.call("mkdir", { name: "d" }, { unique: 2 })
      const encrypted = cluster().psql(
        url.replace(/sslmode=.*/, "").replace(/[?&]$/, ""),
        `SELECT bool_and(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name = 'bickford'`
      )
      assert.strictEqual(encrypted, "t")
    })
  )

  it.live("refuses another authority's certificate, in one sentence", () =>
    Effect.gen(function* () {
      for (const sslmode of ["verify-full", "verify-ca"]) {
        const message = yield* refusal(storeAt("localhost", { sslmode, sslrootcert: other }))
        assert.include(message, "from an authority in sslrootcert", sslmode)
        assert.notInclude(message, "\n")
      }
    })
  )

  it.live("refuses a certificate of another host with verify-full, and not with verify-ca", () =>
    Effect.gen(function* () {
      const message = yield* refusal(storeAt("127.0.0.1", { sslmode: "verify-full", sslrootcert: own }))
      assert.include(message, "a certificate of the host that the URL names")
      assert.notInclude(message, "\n")
      for (const sslmode of ["verify-ca", "require"])
        yield* Effect.scoped(postgres(storeAt("127.0.0.1", { sslmode, sslrootcert: own })))
    })
  )

  it.live("that the server does not offer is not done without", () =>
    Effect.gen(function* () {
      const url = cluster().newStore()
      cluster().psql(url, "ALTER SYSTEM SET ssl = off")
      cluster().crash()
      const message = yield* refusal(storeAt("localhost", { sslmode: "require" }))
      assert.include(message, "have the server offer TLS")
      assert.notInclude(message, "\n")
    })
  )
})

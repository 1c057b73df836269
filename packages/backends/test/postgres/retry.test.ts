/** Statements that lost against another one are sent again: nobody else notices. */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { checkPostgres, postgres } from "../../src/index.ts"
import { serveStore } from "../sqlite/server.ts"
import { newStore, useCluster } from "./store.ts"

const cluster = useCluster()

/**
 * Has the server refuse, with these SQLSTATEs in turn, each unit of work but every fourth. The count is a
 * sequence's, which a rollback does not set back.
 */
const refuseMost = (url: string, states: readonly [string, string, string]): void => {
  const cases = states.map((state, n) => `WHEN ${n + 1} THEN '${state}'`).join(" ")
  cluster().psql(
    url,
    `CREATE SEQUENCE attempts;
     CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
     DECLARE state text := CASE nextval('attempts') % 4 ${cases} END;
     BEGIN
       IF state IS NOT NULL THEN RAISE EXCEPTION 'refused' USING ERRCODE = state; END IF;
       RETURN NEW;
     END $$;
     CREATE TRIGGER refuse BEFORE UPDATE OF units ON session FOR EACH ROW EXECUTE FUNCTION refuse()`
  )
}

it.live("a serialization failure, a deadlock and a server that is stopping are not the caller's", () =>
  Effect.gen(function* () {
    const url = yield* newStore(cluster)
    const { backend, call } = yield* serveStore(postgres(url), "c")
    // serialization_failure, deadlock_detected, admin_shutdown
    refuseMost(url, ["40001", "40P01", "57P01"])
    let unique = 0
    for (const name of ["a", "b", "c", "d", "e"]) yield* call("mkdir", { name }, { unique: (unique += 2) })
    yield* call("rename", { name: "a", newname: "f" }, { unique: (unique += 2) })
    assert.isAtLeast(Number(cluster().psql(url, "SELECT last_value FROM attempts")), 24)
    assert.strictEqual(backend.stats().inodes, 6)
    const found = cluster().psql(url, "SELECT convert_from(name, 'UTF8') FROM entry ORDER BY name")
    assert.deepStrictEqual(found.split("\n"), ["b", "c", "d", "e", "f"])
    assert.deepStrictEqual((yield* checkPostgres(url)).problems, [])
  })
)

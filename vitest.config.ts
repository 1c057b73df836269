import { join } from "node:path"
import { defineConfig } from "vitest/config"

// The `development` condition resolves the workspace's packages to their
// TypeScript sources, so that tests never run a stale build.
const conditions = ["development", "node", "default"]
const nodeFlags = ["--conditions=development", "--disable-warning=ExperimentalWarning"]

// The programs that tests start are compiled once, which halves the processor time of a start. V8's coverage of code from
// a cache is less precise.
if (process.env["NODE_V8_COVERAGE"] === undefined)
  process.env["NODE_COMPILE_CACHE"] ??= join(import.meta.dirname, "node_modules", ".cache", "bickford-compiled")

export default defineConfig({
  resolve: { conditions },
  // Node knows by itself what is imported and what is required: a package with both forms would be mixed up.
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: {
    include: ["packages/*/test/**/*.test.ts", "test/**/*.test.ts"],
    pool: "forks",
    execArgv: nodeFlags,
    maxWorkers: 2,
    // Backstops for a hang, not measures of speed: test/patience.ts has those that end it and tell why.
    testTimeout: 600_000,
    hookTimeout: 600_000,
    silent: "passed-only",
    ...(process.env["NODE_V8_COVERAGE"] === undefined
      ? {}
      : {
          setupFiles: ["scripts/takeCoverage.mjs"],
          // Node strips the types and leaves every position as it was, so that what V8 counts is what stands in the file.
          experimental: { viteModuleRunner: false }
        })
  }
})

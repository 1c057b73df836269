/**
 * A branch for each attempt at a task, all at once; the first that passes a check is kept, the others are thrown away. An attempt is
 * a shell command, as the start of a coding agent: `npm run example agents DIRECTORY CHECK ATTEMPT...`
 */
import { openWorkspace, type WorkspaceBranch } from "bickford"
import { tmpdir } from "node:os"
import { join } from "node:path"

const [directory = ".", check = "true", ...attempts] = process.argv.slice(2)
const store = process.env["BRANCHES"] ?? join(tmpdir(), `agents-${process.pid}`)
const workspace = await openWorkspace(directory, { store })

/** Works on a branch of its own; tells whether the check passes there. */
const work = async (attempt: string, branch: WorkspaceBranch): Promise<boolean> => {
  const { stderr } = await branch.run("sh", ["-c", attempt], { net: "none" })
  // The check may leave files that are not part of the work.
  await branch.checkpoint("done")
  const { exitCode } = await branch.run("sh", ["-c", check], { net: "none" })
  await branch.reset("done")
  const changes = await branch.diff()
  console.log(
    `${branch.name}: ${exitCode === 0 ? "passes" : "fails"}, ${changes.length} changes${stderr && `: ${stderr.trim()}`}`
  )
  return exitCode === 0
}

const tries = attempts.map((attempt, n) => ({ attempt, branch: workspace.branch(`try-${n + 1}`) }))
const passes = await Promise.all(tries.map(({ attempt, branch }) => work(attempt, branch)))
const chosen = tries[passes.indexOf(true)]?.branch

if (chosen !== undefined) {
  for (const { deletions, insertions, path } of await chosen.stat()) console.log(`${path} +${insertions} -${deletions}`)
  await chosen.commit()
}
for (const { branch } of tries) await branch.delete()
console.log(
  chosen === undefined ? "no attempt passes; nothing was changed" : `${chosen.name} is in ${workspace.base} now`
)
process.exitCode = chosen === undefined ? 1 : 0

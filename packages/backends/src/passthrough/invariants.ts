/** What always holds of the nodes of a served directory between two operations. For tests. */
import { isSame } from "./attributes.ts"
import type { NodeTable } from "./nodeTable.ts"

/** Returns a sentence for each thing that is wrong. `held`: descriptors that are counted as held for nodes, the root's apart. */
export const invariantsOf = (table: NodeTable, held: number): ReadonlyArray<string> => {
  const nodes = table.all()
  const wrong = nodes.flatMap((node) => {
    const { fd, identity, lent, name, opens, parent, unopened } = node
    const which = `node ${node.id} (${identity.device}:${identity.ino})`
    const found = table.find(identity.device, identity.ino)
    return [
      // An inode number can be a newer file's by now, which is told by its birth.
      ...(found === undefined || found === node || !isSame(found.identity, identity)
        ? []
        : [`${which}: node ${found.id} stands for the same file`]),
      ...(unopened >= 0 && opens >= unopened
        ? []
        : [`${which}: ${opens} have it open, ${unopened} of them by its own`]),
      ...(unopened > 0 && fd < 0 ? [`${which}: is open by a descriptor that it does not hold`] : []),
      ...(lent >= 0 && opens === 0 ? [`${which}: is lent a descriptor, and nobody has it open`] : []),
      ...(node === table.root || parent !== undefined || name === "" ? [] : [`${which}: has a name in no directory`])
    ]
  })
  const holding = nodes.filter((node) => node !== table.root && node.fd >= 0).length
  return holding === held ? wrong : [...wrong, `${held} descriptors are counted as held, ${holding} are`]
}

/** Which node stands for which file: by node id, and by filesystem and inode number. */
import type { Name, U64 } from "@bickford/protocol"
import type { Identity } from "./attributes.ts"
import { Node } from "./node.ts"

const rootId = 1

export class NodeTable {
  readonly root: Node
  readonly #byId: Array<Node | undefined>
  readonly #freeIds: Array<number> = []
  readonly #ofRoot: Map<U64, Node>
  readonly #byDevice: Map<number, Map<U64, Node>>
  #generation = 0

  constructor(rootFd: number, identity: Identity) {
    this.root = new Node(rootId, 0, identity, undefined, "")
    this.root.fd = rootFd
    this.#byId = [undefined, this.root]
    this.#ofRoot = new Map([[identity.ino, this.root]])
    this.#byDevice = new Map([[identity.device, this.#ofRoot]])
  }

  get(nodeid: U64): Node | undefined {
    return this.#byId[typeof nodeid === "number" ? nodeid : -1]
  }

  /** The node of that inode number, which may have been another file's. Most files are on the root's filesystem. */
  find(device: number, ino: U64): Node | undefined {
    return (device === this.root.identity.device ? this.#ofRoot : this.#byDevice.get(device))?.get(ino)
  }

  /** A new node for a file, in place of one that had its inode number. */
  add(identity: Identity, parent: Node | undefined, name: Name): Node {
    const id = this.#freeIds.pop() ?? this.#byId.length
    const node = new Node(id, ++this.#generation, identity, parent, name)
    this.#byId[id] = node
    let ofDevice = this.#byDevice.get(identity.device)
    if (ofDevice === undefined) this.#byDevice.set(identity.device, (ofDevice = new Map()))
    ofDevice.set(identity.ino, node)
    return node
  }

  remove(node: Node): void {
    this.#byId[node.id] = undefined
    this.#freeIds.push(node.id)
    const ofDevice = this.#byDevice.get(node.identity.device)
    if (ofDevice?.get(node.identity.ino) === node) ofDevice.delete(node.identity.ino)
  }

  /** All nodes, the root included. */
  all(): ReadonlyArray<Node> {
    return this.#byId.filter((node) => node !== undefined)
  }

  clear(): void {
    this.#byId.length = 0
    this.#byDevice.clear()
  }
}

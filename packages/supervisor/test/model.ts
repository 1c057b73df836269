/**
 * OTP's supervisor as a pure function over a log, written from supervisor(3erl) and not from the
 * implementation: what a child's end entails, with inits that can fail.
 */
import type { Restart, Strategy } from "../src/index.ts"

export interface ModelChild {
  readonly id: string
  readonly restart: Restart
}

interface Member extends ModelChild {
  running: boolean
}

export class Model {
  readonly log: Array<string> = []
  readonly failing = new Map<string, number>()
  /** Whether it gave up. */
  over = false
  private readonly strategy: Strategy
  private readonly maxRestarts: number
  private readonly window: number
  private members: Array<Member>
  private restarts: Array<number> = []

  constructor(strategy: Strategy, maxRestarts: number, window: number, children: ReadonlyArray<ModelChild>) {
    this.strategy = strategy
    this.maxRestarts = maxRestarts
    this.window = window
    this.members = children.map((child) => ({ ...child, running: true }))
    for (const { id } of children) this.log.push(`+${id}`)
  }

  /** Ids and whether they run, in order. */
  get children(): ReadonlyArray<readonly [string, boolean]> {
    return this.members.map(({ id, running }) => [id, running] as const)
  }

  exit(id: string, normal: boolean, at: number): void {
    const child = this.members.find((member) => member.id === id)
    if (this.over || child === undefined || !child.running) return
    this.stop(child)
    if (child.restart === "temporary") this.members = this.members.filter((member) => member !== child)
    else if (child.restart === "permanent" || !normal) this.restart(child, at)
  }

  terminate(id: string): void {
    const child = this.members.find((member) => member.id === id)
    if (this.over || child === undefined) return
    this.stop(child)
    if (child.restart === "temporary") this.members = this.members.filter((member) => member !== child)
  }

  start(id: string): void {
    const child = this.members.find((member) => member.id === id)
    if (!this.over && child !== undefined && !child.running) this.begin(child)
  }

  private stop(child: Member): void {
    if (!child.running) return
    child.running = false
    this.log.push(`-${child.id}`)
  }

  private begin(child: Member): boolean {
    const left = this.failing.get(child.id) ?? 0
    if (left > 0) {
      this.failing.set(child.id, left - 1)
      this.log.push(`!${child.id}`)
      return false
    }
    child.running = true
    this.log.push(`+${child.id}`)
    return true
  }

  private restart(child: Member, at: number): void {
    this.restarts = [...this.restarts.filter((earlier) => at - earlier <= this.window), at]
    if (this.restarts.length > this.maxRestarts) {
      for (const member of this.members.toReversed()) this.stop(member)
      this.over = true
      return
    }
    const index = this.members.indexOf(child)
    const touched = this.members.filter(
      (member, at) =>
        member === child || this.strategy === "one_for_all" || (this.strategy === "rest_for_one" && at > index)
    )
    for (const member of touched.toReversed()) this.stop(member)
    this.members = this.members.filter(
      (member) => !touched.includes(member) || member === child || member.restart !== "temporary"
    )
    for (const member of this.members.filter((member) => touched.includes(member))) {
      if (!this.begin(member)) return this.restart(member, at)
    }
  }
}

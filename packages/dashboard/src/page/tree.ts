/** A mount's supervisors and their children, and what happened in them. */
import { button, element } from "./dom.ts"
import { act, type Detail, type TreeEvent, type TreeNode } from "./events.ts"
import { duration } from "./figures.ts"
import { visible } from "./visible.ts"

/** The style of a state, from those that mounts have. */
const styles: { readonly [state: string]: string } = {
  starting: "starting",
  running: "running",
  backoff: "backoff",
  stopping: "draining",
  stopped: "stopped",
  failed: "failed"
}

/** Milliseconds until a child in `backoff` is started again. */
const countdown = (path: ReadonlyArray<string>, events: ReadonlyArray<TreeEvent>, now: number): number => {
  const last = events.findLast(({ delay, path: where }) => delay !== undefined && where.join("/") === path.join("/"))
  return last === undefined ? 0 : Math.max(0, last.at + (last.delay ?? 0) - now)
}

/** What can be killed: the worker, and the children of its session. */
const killing = (name: string, path: ReadonlyArray<string>): (() => Promise<void>) | undefined => {
  const id = path.at(-1) ?? ""
  if (path.length === 1) return () => act(name, "kill")
  return path.length === 3 ? () => act(name, "kill", `?child=${encodeURIComponent(id)}`) : undefined
}

/** What can be stopped in order, and started again: the same, and what does not run. */
const restarting = (name: string, path: ReadonlyArray<string>): (() => Promise<void>) | undefined => {
  const id = path.at(-1) ?? ""
  if (path.length === 1) return () => act(name, "restart")
  return path.length === 3 ? () => act(name, "restart", `?child=${encodeURIComponent(id)}`) : undefined
}

/** What a node last failed with; its trace where there is one. */
const causeOf = ({ lastCause, lastTrace }: TreeNode): ReadonlyArray<HTMLElement> => {
  if (lastCause === undefined) return []
  const text = element("span", { class: "error" }, visible(lastCause))
  if (lastTrace === undefined) return [text]
  const trace = lastTrace.split("\n").map(visible).join("\n")
  return [element("details", {}, element("summary", {}, text), element("pre", { tabindex: "0" }, trace))]
}

/** An event on one line. */
const eventText = (name: string, { at, cause, delay, path, what }: TreeEvent): string => {
  const parts = [
    new Date(at).toLocaleTimeString(),
    path.length === 0 ? name : path.join("/"),
    what.toLowerCase(),
    delay === undefined ? "" : `in ${delay} ms`,
    cause ?? ""
  ]
  return visible(parts.filter((part) => part !== "").join("  "))
}

/** A view that is drawn anew only where something has changed: a button that has the focus keeps it. */
export const treeView = (name: string, say: (text: string) => void) => {
  const tree = element("section", {})
  const happened = element("section", {})
  let drawnTree = ""
  let drawnEvents = ""

  const nodeOf = (
    node: TreeNode,
    path: ReadonlyArray<string>,
    events: ReadonlyArray<TreeEvent>,
    now: number
  ): HTMLElement => {
    const state = node.state === "backoff" ? `backoff, ${Math.ceil(countdown(path, events, now) / 1000)} s` : node.state
    const kill = node.state === "running" ? killing(name, path) : undefined
    const restart = ["running", "stopped", "failed"].includes(node.state) ? restarting(name, path) : undefined
    const line = element(
      "div",
      { class: "node" },
      element("strong", {}, visible(node.id)),
      ...(node.strategy === undefined ? [] : [element("span", { class: "quiet" }, visible(node.strategy))]),
      element("span", { class: `state ${styles[node.state] ?? "quiet"}` }, visible(state)),
      element("span", { class: "quiet" }, `for ${duration(now - node.since)}, ${node.restarts} restarts`),
      ...(kill === undefined
        ? []
        : [button(`Kill ${visible(node.id)}`, () => kill().then(() => `${visible(node.id)} was killed`), say)]),
      ...(restart === undefined
        ? []
        : [
            button(`Restart ${visible(node.id)}`, () => restart().then(() => `${visible(node.id)} was restarted`), say)
          ]),
      ...causeOf(node)
    )
    if (node.children.length === 0) return element("li", {}, line)
    const below = node.children.map((child) => nodeOf(child, [...path, child.id], events, now))
    return element("li", {}, line, element("ul", { class: "tree" }, ...below))
  }

  const update = ({ budget, events = [], tree: root }: Detail): void => {
    const now = Date.now()
    // A minute is as exact as the times are.
    const isCounting = JSON.stringify(root ?? "").includes('"backoff"')
    const looks = `${JSON.stringify([root, budget])}${Math.floor(now / (isCounting ? 1000 : 60_000))}`
    if (looks !== drawnTree) {
      drawnTree = looks
      tree.replaceChildren(
        ...(root === undefined || budget === undefined
          ? [
              element(
                "p",
                {},
                "What is inside is shown to who may act: open the address that bickford dashboard prints."
              )
            ]
          : [
              element(
                "p",
                {},
                `The worker was restarted ${budget.used} times in the last ${budget.seconds} s, and may be ${budget.most} times.`
              ),
              element("ul", { class: "tree" }, nodeOf(root, [], events, now))
            ])
      )
    }
    const list = JSON.stringify(events)
    if (list === drawnEvents) return
    drawnEvents = list
    happened.replaceChildren(
      element("h3", {}, "What happened"),
      element(
        "ol",
        { class: "calls", reversed: "" },
        ...events.toReversed().map((event) => element("li", {}, eventText(name, event)))
      )
    )
  }
  return { parts: [tree, happened], update }
}

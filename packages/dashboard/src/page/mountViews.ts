/** The views of one mount. */
import { actions } from "./actions.ts"
import { callsView } from "./calls.ts"
import { element } from "./dom.ts"
import type { Detail, Overview, Report } from "./events.ts"
import { historyView } from "./history.ts"
import { hotView } from "./hot.ts"
import { kernelView } from "./kernel.ts"
import { mountParts } from "./mount.ts"
import { slowView } from "./slow.ts"
import { storeView } from "./store.ts"
import { treeView } from "./tree.ts"
import { visible } from "./visible.ts"

/** What a view consists of, and what moves and ends it. */
interface Parts {
  readonly parts: ReadonlyArray<Element>
  readonly update?: (overview: Overview, detail: Detail) => void
  readonly stop?: () => void
}

/** Makes a view of a mount; `say` tells the reader what became of a press, `rates` are its last five minutes. */
type Make = (name: string, say: (text: string) => void, rates: () => ReadonlyArray<number>) => Parts

const operations: Make = (_name, _say, rates) => {
  const place = element("section", {})
  return {
    parts: [place],
    update: (overview, detail) => place.replaceChildren(...mountParts(overview, detail, rates()))
  }
}

/** By what an address ends in: the view's title, and the view. */
const views: ReadonlyArray<readonly [ending: string, title: string, make: Make]> = [
  ["", "Operations", operations],
  [
    "/calls",
    "Calls",
    (name) => {
      const { root, stop } = callsView(name)
      return { parts: [root], stop }
    }
  ],
  [
    "/slow",
    "Slow calls",
    (name, say) => {
      const { parts, update } = slowView(name, say)
      return { parts, update: (_, detail) => update(detail) }
    }
  ],
  [
    "/hot",
    "Hot",
    (name) => {
      const { root, stop, update } = hotView(name)
      return { parts: [root], stop, update: (_, detail) => update(detail) }
    }
  ],
  [
    "/tree",
    "Supervisors",
    (name, say) => {
      const { parts, update } = treeView(name, say)
      return { parts, update: (_, detail) => update(detail) }
    }
  ],
  ["/kernel", "Kernel", kernelView],
  ["/store", "Store", storeView],
  [
    "/history",
    "History",
    (name, say) => {
      const { root, stop } = historyView(name, say)
      return { parts: [root], stop }
    }
  ]
]

const tabs = (name: string, current: string): HTMLElement =>
  element(
    "nav",
    { "aria-label": "Views of the mount" },
    ...views.map(([ending, title]) =>
      element(
        "a",
        {
          href: `#/mounts/${encodeURIComponent(name)}${ending}`,
          ...(ending === current ? { "aria-current": "page" } : {})
        },
        title
      )
    )
  )

export interface MountView {
  readonly parts: ReadonlyArray<Element>
  readonly show: (report: Report, detail: Detail | undefined) => void
  readonly stop: () => void
}

/** The view of a mount that an address ends in; of its operations where that is none. */
export const mountView = (name: string, ending: string, rates: () => ReadonlyArray<number>): MountView => {
  const said = element("p", { role: "status" })
  const say = (text: string): void => said.replaceChildren(visible(text))
  const buttons = actions(name, say)
  const [current, , make] = views.find(([one]) => one === ending) ?? ["", "", operations]
  const view = make(name, say, rates)
  const place = element("section", {}, ...view.parts)
  const missing = element("p", {}, "There is no such mount.")
  missing.hidden = true
  return {
    parts: [element("h2", {}, visible(name)), tabs(name, current), buttons.root, said, missing, place],
    show: ({ mayAct, mounts }, detail) => {
      const overview = mounts.find((mount) => mount.name === name)
      missing.hidden = overview !== undefined
      place.hidden = overview === undefined
      if (overview === undefined) return buttons.update("", false)
      buttons.update(overview.state, mayAct)
      if (detail?.name === name) view.update?.(overview, detail)
    },
    stop: () => view.stop?.()
  }
}

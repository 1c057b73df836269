/** The page: which view is shown, and the events that move it. */
import { actions } from "./actions.ts"
import { type CallsView, callsView } from "./calls.ts"
import { element } from "./dom.ts"
import { type Detail, listen, type Overview, type Report, type Sent } from "./events.ts"
import { duration, mebibytes } from "./figures.ts"
import { mountParts } from "./mount.ts"
import { mountsView } from "./mounts.ts"
import { slowParts } from "./slow.ts"
import { storeView } from "./store.ts"
import { treeView } from "./tree.ts"
import { visible } from "./visible.ts"

/** Seconds of which the pictures tell. */
const remembered = 300

/** Milliseconds before a lost connection is tried again: the daemon may be on its way back, and is not to be flooded. */
const reconnectDelay = 1000

/** A view: what is looked at, and what to do when that changes. */
interface View {
  readonly mount: string | undefined
  readonly show: (report: Report, detail: Detail | undefined) => void
  readonly leave: () => void
}

const part = (id: string): HTMLElement => {
  const found = document.getElementById(id)
  if (found === null) throw new Error(`the page has no ${id}`)
  return found
}

const rates = new Map<string, ReadonlyArray<number>>()
const remember = (name: string, value: number): void => {
  rates.set(name, [...(rates.get(name) ?? []), value].slice(-remembered))
}

const overviewView = (place: HTMLElement): View => {
  const view = mountsView()
  place.replaceChildren(view.root)
  return { mount: undefined, show: (report) => view.update(report, rates), leave: () => {} }
}

/** The views of a mount: what its address ends in, and its title. */
const mountTabs = [
  ["", "Operations"],
  ["/calls", "Calls"],
  ["/slow", "Slow calls"],
  ["/tree", "Supervisors"],
  ["/store", "Store"]
] as const

const tabs = (name: string, current: string): HTMLElement =>
  element(
    "nav",
    { "aria-label": "Views of the mount" },
    ...mountTabs.map(([ending, label]) =>
      element(
        "a",
        {
          href: `#/mounts/${encodeURIComponent(name)}${ending}`,
          ...(ending === current ? { "aria-current": "page" } : {})
        },
        label
      )
    )
  )

const mountView = (place: HTMLElement, name: string, tab: string): View => {
  const parts = element("section", {})
  const said = element("p", { role: "status" })
  const buttons = actions(name, (text) => said.replaceChildren(visible(text)))
  buttons.hidden = true
  const calls: CallsView | undefined = tab === "/calls" ? callsView(name) : undefined
  const tree = tab === "/tree" ? treeView(name, (text) => said.replaceChildren(visible(text))) : undefined
  const store = tab === "/store" ? storeView(name, (text) => said.replaceChildren(visible(text))) : undefined
  parts.append(...(tree?.parts ?? store?.parts ?? []))
  const partsOf = (overview: Overview, detail: Detail): ReadonlyArray<Element> =>
    tab === "/slow" ? slowParts(detail) : mountParts(overview, detail, rates.get(name) ?? [])
  place.replaceChildren(element("h2", {}, visible(name)), tabs(name, tab), buttons, said, calls?.root ?? parts)
  return {
    mount: name,
    show: (report, detail) => {
      buttons.hidden = !report.mayAct
      const overview = report.mounts.find((mount) => mount.name === name)
      if (overview === undefined) parts.replaceChildren(element("p", {}, "There is no such mount."))
      else if (detail?.name !== name) return
      else if (tree !== undefined) tree.update(detail)
      else if (store !== undefined) store.update(overview, detail)
      else parts.replaceChildren(...partsOf(overview, detail))
    },
    leave: () => calls?.stop()
  }
}

const viewFor = (place: HTMLElement, hash: string): View => {
  const [, name, tab = ""] = /^#\/mounts\/([^/]+)(\/[a-z]+)?$/.exec(hash) ?? []
  return name === undefined ? overviewView(place) : mountView(place, decodeURIComponent(name), tab)
}

const daemonText = ({ mayAct, mounts, pid, rss, startedAt, version }: Report): string =>
  `${version}, process ${pid}, ${mebibytes(rss)} MiB, up for ${duration(Date.now() - startedAt)}, ${mounts.length} mounts${mayAct ? "" : "; reading only: bickford dashboard opens a page that may act"}`

const start = (): void => {
  const place = part("view")
  const status = part("daemon")
  let view = viewFor(place, location.hash)
  let detail: Detail | undefined
  let listening = new AbortController()

  const hear = (sent: Sent): void => {
    if (sent.event === "history") for (const [name, values] of Object.entries(sent.data)) rates.set(name, values)
    else if (sent.event === "mount") detail = sent.data
    else {
      for (const { name, rates: now } of sent.data.mounts) remember(name, now.operations)
      status.replaceChildren(visible(daemonText(sent.data)))
      view.show(sent.data, detail)
    }
  }

  const follow = async (): Promise<void> => {
    const mine = listening
    for (;;) {
      try {
        await listen(view.mount, mine.signal, hear)
      } catch (error) {
        if (mine.signal.aborted) return
        status.replaceChildren(`not connected: ${visible(error instanceof Error ? error.message : String(error))}`)
        await new Promise((resolve) => setTimeout(resolve, reconnectDelay))
        if (mine.signal.aborted) return
      }
    }
  }

  addEventListener("hashchange", () => {
    view.leave()
    listening.abort()
    listening = new AbortController()
    view = viewFor(place, location.hash)
    place.focus()
    void follow()
  })
  void follow()
}

start()

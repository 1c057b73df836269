/** The page: which view is shown, and the events that move it. */
import { type Detail, listen, type Report, type Sent } from "./events.ts"
import { duration, mebibytes } from "./figures.ts"
import { mountsView } from "./mounts.ts"
import { mountView } from "./mountViews.ts"
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

const rates = new Map<string, Array<number>>()
const remember = (name: string, value: number): void => {
  const known = rates.get(name) ?? []
  known.push(value)
  if (known.length > remembered) known.shift()
  rates.set(name, known)
}

const overviewView = (place: HTMLElement): View => {
  const view = mountsView()
  place.replaceChildren(view.root)
  return { mount: undefined, show: (report) => view.update(report, rates), leave: view.stop }
}

const viewFor = (place: HTMLElement, hash: string): View => {
  const [, encoded, ending = ""] = /^#\/mounts\/([^/]+)(\/[a-z]+)?$/.exec(hash) ?? []
  if (encoded === undefined) return overviewView(place)
  const name = decodeURIComponent(encoded)
  const { parts, show, stop } = mountView(name, ending, () => rates.get(name) ?? [])
  place.replaceChildren(...parts)
  return { mount: name, show, leave: stop }
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
    if (sent.event === "history")
      for (const [name, values] of Object.entries(sent.data)) rates.set(name, Array.from(values))
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

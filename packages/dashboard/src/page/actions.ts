/** What a reader may do to a mount. */
import { button, element } from "./dom.ts"
import { act, type Action } from "./events.ts"

const labels: ReadonlyArray<readonly [label: string, action: Action, done: string]> = [
  ["Restart", "restart", "restarted"],
  ["Kill worker", "kill", "its worker was killed"],
  ["Unmount", "unmount", "unmounted"]
]

/** The buttons of a mount; `say` is told what became of each press. */
export const actions = (name: string, say: (text: string) => void): HTMLElement =>
  element(
    "span",
    { class: "buttons" },
    ...labels.map(([label, action, done]) => button(label, () => act(name, action).then(() => `${name}: ${done}`), say))
  )

/** What a reader may do to a mount. */
import { button, element } from "./dom.ts"
import { act, type Action } from "./events.ts"

const isOver = (state: string): boolean => state === "stopped" || state === "failed"

/** Buttons, each with the states that it is for. */
const labels: ReadonlyArray<readonly [label: string, action: Action, done: string, isFor: (state: string) => boolean]> =
  [
    ["Start", "restart", "started", isOver],
    ["Restart", "restart", "restarted", (state) => !isOver(state)],
    ["Kill worker", "kill", "its worker was killed", (state) => !isOver(state)],
    ["Unmount", "unmount", "unmounted", (state) => !isOver(state)]
  ]

export interface Actions {
  readonly root: HTMLElement
  /** Shows the buttons that a mount's state has; none to a reader who may not act. */
  readonly update: (state: string, mayAct: boolean) => void
}

/** The buttons of a mount, or some of them, hidden until they are updated; `say` is told what became of each press. */
export const actions = (
  name: string,
  say: (text: string) => void,
  wanted: ReadonlyArray<Action> = ["restart", "kill", "unmount"]
): Actions => {
  const chosen = labels.filter(([, action]) => wanted.includes(action))
  const made = chosen.map(([label, action, done, isFor]) => ({
    isFor,
    shown: button(label, () => act(name, action).then(() => `${name}: ${done}`), say)
  }))
  const root = element("span", { class: "buttons" }, ...made.map(({ shown }) => shown))
  root.hidden = true
  return {
    root,
    update: (state, mayAct) => {
      root.hidden = !mayAct
      for (const { isFor, shown } of made) shown.hidden = !isFor(state)
    }
  }
}

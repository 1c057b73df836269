/** Signals that mean nothing to this program, and would end it, or open Node's inspector to everybody on the machine. */

/** Node's inspector is opened by SIGUSR1, and the others kill by default, which would leave mounts that nobody serves. */
const strayedSignals = [
  "SIGUSR1",
  "SIGUSR2",
  "SIGALRM",
  "SIGVTALRM",
  "SIGIO",
  "SIGPWR",
  "SIGSTKFLT"
] as const satisfies ReadonlyArray<NodeJS.Signals>

/** The flag by which Node does not listen for SIGUSR1 from its start on. */
export const noInspector = "--disable-sigusr1"

/** Has this process go on when it gets one of them. */
export const ignoreStrayedSignals = (told: (signal: NodeJS.Signals) => void = () => {}): void => {
  for (const signal of strayedSignals) process.on(signal, told)
}

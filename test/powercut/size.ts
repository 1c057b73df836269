/** How much the power-cut test does. */
export interface PowerCutTest {
  readonly seed: number
  /** Servers, one after the other; each but the last is killed with SIGKILL. */
  readonly lives: number
  readonly clients: number
  /** Operations of one client of one server. */
  readonly operations: number
  /** Moments at which the power goes, spread over the record; 0 for each of them. */
  readonly moments: number
}

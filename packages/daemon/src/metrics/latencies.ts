/** How long calls took, as a histogram with four steps to each doubling: a percentile is at most a fifth too high. */

/** By the number of a step, how many calls took as long; steps without calls are left out. */
export interface Latencies {
  readonly [step: number]: number
}

const stepsPerDoubling = 4

/** One more than the last step, which holds whatever takes longer: 2^30 microseconds are 18 minutes. */
export const latencySteps = 30 * stepsPerDoubling

/** The step of a time in microseconds. */
export const stepOf = (microseconds: number): number =>
  Math.max(0, Math.min(latencySteps - 1, Math.ceil(Math.log2(microseconds) * stepsPerDoubling)))

/** The longest time that a step holds, in microseconds. */
const boundOf = (step: number): number => 2 ** (step / stepsPerDoubling)

const inOrder = (latencies: Latencies): ReadonlyArray<readonly [step: number, count: number]> =>
  Object.entries(latencies)
    .map(([step, count]): readonly [number, number] => [Number(step), count])
    .sort(([a], [b]) => a - b)

/** The longest time of the step that holds the percentile, in microseconds; 0 without any call. */
export const percentile = (latencies: Latencies, share: number): number => {
  const steps = inOrder(latencies)
  const total = steps.reduce((sum, [, count]) => sum + count, 0)
  let seen = 0
  for (const [step, count] of steps) {
    seen += count
    if (seen >= total * share) return Math.round(boundOf(step) * 10) / 10
  }
  return 0
}

/** The calls of both. */
export const addLatencies = (one: Latencies, other: Latencies): Latencies => {
  const sum: { [step: number]: number } = { ...one }
  for (const [step, count] of inOrder(other)) sum[step] = (sum[step] ?? 0) + count
  return sum
}

/** The calls of `one` that `earlier` did not have yet. */
export const latenciesSince = (one: Latencies, earlier: Latencies): Latencies =>
  Object.fromEntries(
    inOrder(one)
      .map(([step, count]): readonly [number, number] => [step, count - (earlier[step] ?? 0)])
      .filter(([, count]) => count > 0)
  )

/** From 16 microseconds to 17 seconds, each four times the one before; as seconds. */
const bucketBounds = Array.from({ length: 11 }, (_, nth) => 4 + 2 * nth)

/** How many calls took no longer than each bound, as Prometheus' buckets are: bounds in seconds, the last infinite. */
export const cumulativeBuckets = (latencies: Latencies): ReadonlyArray<readonly [bound: number, count: number]> => {
  const steps = inOrder(latencies)
  const upTo = (most: number): number => steps.reduce((sum, [step, count]) => (step <= most ? sum + count : sum), 0)
  return [
    ...bucketBounds.map((doublings): readonly [number, number] => [
      2 ** doublings / 1e6,
      upTo(doublings * stepsPerDoubling)
    ]),
    [Number.POSITIVE_INFINITY, upTo(latencySteps)]
  ]
}

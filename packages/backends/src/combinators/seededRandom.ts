/** Numbers from 0 up to, not including, 1, that look random: the same ones for the same seed (Marsaglia's xorshift32). */
export const seededRandom = (seed: number): (() => number) => {
  // Any state but 0 will do; near seeds are spread.
  let state = Math.imul(seed | 0, 0x9e3779b1) ^ 0x5bd1e995 || 1
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) / 2 ** 32
  }
}

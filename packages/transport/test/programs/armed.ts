/** A handle that is waited for is not collected, though nobody else knows it: the wait is answered. */
import { addon } from "../../src/native.ts"

if (global.gc === undefined) throw new Error("needs --expose-gc")
const arm = () => {
  const pair = addon.pipe_pair()
  if (typeof pair === "number") throw new Error(`pipe_pair: ${pair}`)
  const [readEnd, writeEnd] = pair
  return { ready: new Promise<number>((resolve) => addon.select_read(readEnd, resolve)), writeEnd }
}
const { ready, writeEnd } = arm()
for (let i = 0; i < 10; i++) {
  global.gc()
  await new Promise((resolve) => setImmediate(resolve))
}
addon.write_frame(writeEnd, new Uint8Array(1))
console.log(await ready)

/**
 * In a worker thread: sends frames to itself through the addon and counts them, then ends with handles
 * open, armed and at work, as a worker that is terminated does.
 */
import { parentPort, workerData } from "node:worker_threads"
import { addon, type FuseHandle } from "../../src/native.ts"

const frames: number = workerData.frames
const pair = addon.socketpair("seqpacket")
if (typeof pair === "number") throw new Error(`socketpair: ${pair}`)
const [one, other]: [FuseHandle, FuseHandle] = pair
const frame = new Uint8Array(64)
let received = 0
let sent = 0
const send = (): void => {
  while (sent < frames && addon.write_frame(one, frame) > 0) sent++
}
addon.select_read(
  other,
  () => {
    while (addon.read_frame(other, frame) > 0) received++
    if (received < frames) {
      send()
      return
    }
    // A job under way, a persistent wait, forgotten handles: the environment's end has to deal with all.
    void addon.resolve_path("/")
    addon.pipe_pair()
    parentPort?.postMessage(received)
  },
  true
)
send()

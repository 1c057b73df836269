/** QFuse: FUSE in a Qt application's event loop. */
import { type Document, exported, member, type Row, type Tested } from "./Row.ts"

const embedded: Tested = ["test/wire/embed.test.ts", "serves what the program has read, and nothing else"]
const out: Tested = ["test/mount/signals.test.ts", "unmounts, and the signal ends it"]

const loop: ReadonlyArray<Row> = [
  {
    theirs: "watch `/dev/fuse` in the application's loop (QLocalSocket)",
    ours: [exported("bickford", "mount")],
    note: "Node's event loop watches it: a mount is served beside the program's own work.",
    test: ["test/mount/promise.test.ts", ""]
  },
  {
    theirs: "one's own loop: fuse_session_receive_buf, fuse_session_process_buf",
    ours: [exported("@bickford/session", "embed")],
    test: embedded
  },
  {
    theirs: "fuse_loop_mt",
    ours: [exported("@bickford/session", "mountWorker")],
    note: "A thread for a mount, not for a request.",
    test: ["test/mount/worker.test.ts", ""]
  },
  { theirs: "fuse_session_reset", ours: [member("EmbeddedSession", "reset")], test: embedded },
  {
    theirs: "read errors: ENOENT again, ENODEV the end, EINTR and EAGAIN later",
    ours: [exported("@bickford/transport", "makeDeviceTransport")],
    test: ["packages/transport/test/DeviceTransport.test.ts", ""]
  },
  {
    theirs: "reading device: Bad file descriptor",
    ours: [],
    note: "The fault is not here: the descriptor is closed after the last read has ended.",
    test: ["packages/transport/test/lifetime.test.ts", ""]
  }
]

const waysOut: ReadonlyArray<Row> = [
  {
    theirs: "Ctrl-C",
    ours: [member("MountOptions", "unmountOnExit")],
    note: "Unmounts, while still serving, and ends the program as without us; on by default. A program that listens for SIGINT itself unmounts by itself.",
    test: out
  },
  {
    theirs: "fusermount -u dst",
    ours: [member("Mount", "awaitEnd")],
    note: "Ends normally; `destroy` has run.",
    test: ["test/mount/waysOut.test.ts", ""]
  },
  { theirs: "kill 123", ours: [member("MountOptions", "unmountOnExit")], note: "As Ctrl-C.", test: out }
]

export const qfuse: Document = {
  system: "QFuse",
  introduction:
    "A mount in an application's own event loop needs nothing special here; `embed` is for programs that want to read the descriptor themselves.",
  sections: [
    { title: "The event loop", rows: loop },
    { title: "Ways out", rows: waysOut }
  ]
}

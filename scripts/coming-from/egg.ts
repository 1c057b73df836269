/** The CHICKEN Scheme egg `fuse`. */
import type { PathCallbacks } from "@bickford/backends"
import { type Document, exported, member, type Row, type Tested } from "./Row.ts"

const served: Tested = ["test/mount/path.test.ts", ""]
const driven: Tested = ["packages/backends/test/path/paths.test.ts", ""]
const lifecycle: Tested = ["test/mount/path.test.ts", "start, wait, isRunning, stop; several at once"]
const lifecycleOf: Tested = ["test/mount/path.test.ts", "stop says so when another filesystem is mounted there"]

const callback = (name: keyof PathCallbacks, note?: string): Row => ({
  theirs: `${name}:`,
  ours: [member("PathCallbacks", name)],
  ...(note === undefined ? {} : { note }),
  test: served
})

const callbacks: ReadonlyArray<Row> = [
  callback("access"),
  callback("chmod"),
  callback("chown"),
  callback("create"),
  callback("destroy"),
  callback("flush", "Takes the handle first, then the path."),
  callback("fsync", "Takes the handle first, then the path."),
  callback("getattr", "Answers an object with stat(2)'s fields; only `mode` is needed."),
  callback("init", "Learns how the mount keeps times."),
  callback("ioctl"),
  callback("link"),
  callback("mkdir"),
  callback("mknod"),
  callback("open"),
  callback("readdir"),
  callback("readlink"),
  callback("read"),
  callback("release", "Once for each `open` or `create` that succeeded."),
  callback("rename"),
  callback("rmdir"),
  callback("statfs"),
  callback("symlink"),
  callback("truncate", "Takes the size too."),
  callback("unlink"),
  callback("utimens"),
  callback("write")
]

const answers: ReadonlyArray<Row> = [
  {
    theirs: "#f as an answer",
    ours: [exported("@bickford/backends", "PathFilesystem.make")],
    note: "`false` from any callback fails the call: ENOENT.",
    test: [driven[0], "false is ENOENT of whatever callback"]
  },
  {
    theirs: "(raise errno/...)",
    ours: [exported("@bickford/session", "Errno")],
    note: "Throw `Errno.EACCES`, an error with an errno's `code`, or an error number; or return the failed Effect.",
    test: driven
  },
  {
    theirs: "size, string or value of read and write",
    ours: [member("PathCallbacks", "read"), member("PathCallbacks", "write")],
    note: "`read`: bytes, a string (UTF-8), or how many bytes of its `buffer` it filled. `write`: how many it took; `undefined` is all.",
    test: [driven[0], "read answers a string, bytes, or how many bytes of its buffer it filled"]
  },
  {
    theirs: "handle",
    ours: [member("PathCallbacks", "open")],
    note: "Any JavaScript value; it is not copied.",
    test: served
  },
  {
    theirs: "value",
    ours: [exported("@bickford/backends", "PathFilesystem.make")],
    note: "A value, a Promise or an Effect. What is no answer is EIO, and a sentence in the log.",
    test: [driven[0], "what is no answer is EIO, and one sentence in the log"]
  }
]

const lifetimes: ReadonlyArray<Row> = [
  { theirs: "make-filesystem", ours: [exported("@bickford/backends", "PathFilesystem.make")], test: served },
  {
    theirs: "filesystem?",
    ours: [exported("@bickford/backends", "PathFilesystem.isFilesystem")],
    test: [driven[0], "isFilesystem knows what it gave"]
  },
  {
    theirs: "filesystem-start!",
    ours: [exported("bickford", "Lifecycle.start")],
    note: "Rejects with a reason instead of answering #f.",
    test: lifecycle
  },
  {
    theirs: "filesystem-stop!",
    ours: [exported("bickford", "Lifecycle.stop")],
    note: "Nothing happens where nothing runs; rejects when another filesystem is mounted there. Resolves when it has stopped.",
    test: lifecycleOf
  },
  {
    theirs: "filesystem-wait!",
    ours: [exported("bickford", "Lifecycle.wait")],
    note: "Waits for `stopped` unless told otherwise.",
    test: lifecycle
  },
  {
    theirs: "filesystem-running?",
    ours: [exported("bickford", "Lifecycle.isRunning")],
    note: "Follows symbolic links, as `start` does.",
    test: lifecycleOf
  },
  {
    theirs: "a thread for each filesystem; callbacks of all in one runtime",
    ours: [exported("@bickford/session", "mountWorker")],
    note: "Callbacks may wait (Promise, Effect) without holding up others. A filesystem whose own program uses it goes into a worker thread.",
    test: ["test/mount/worker.test.ts", ""]
  }
]

const types: ReadonlyArray<Row> = ["fifo", "chr", "blk", "reg", "dir", "lnk", "sock"].map((name) => ({
  theirs: `file/${name}`,
  ours: [exported("@bickford/backends", `fileType.${name}`)],
  test: driven
}))

export const egg: Document = {
  system: "the CHICKEN egg `fuse`",
  introduction:
    "The callbacks by path are `PathFilesystem.make`'s, with the same names. Each is optional; one that is absent answers ENOSYS.",
  sections: [
    { title: "Callbacks", rows: callbacks },
    { title: "What a callback answers", rows: answers },
    { title: "Filesystems", rows: lifetimes },
    { title: "File types", rows: types }
  ]
}

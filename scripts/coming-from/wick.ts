/** Wick's native transport (Elixir). */
import { type Document, exported, type Row, type Tested } from "./Row.ts"

const pipes: Tested = ["packages/transport/test/wick.test.ts", ""]
const fusermount: Tested = ["packages/transport/test/fusermount.test.ts", ""]

const call = (name: string, note: string, test: Row["test"] = pipes): Row => ({
  theirs: name,
  ours: [exported("@bickford/transport", name)],
  note,
  test
})

const calls: ReadonlyArray<Row> = [
  call("open_dev_fuse", "`/dev/fuse`, O_RDWR | O_NONBLOCK | O_CLOEXEC, closed with the scope."),
  call("pipe_pair", "The reading and the writing end."),
  call("socketpair", "Two ends, each to be read and written."),
  call("select_read", "Succeeds once the descriptor is readable; armed anew by each call."),
  call("read_frame", "One non-blocking read(2)."),
  call("write_frame", "One non-blocking write(2) of a whole frame."),
  call("fusermount3_mount", "Options as fusermount3 -o takes them, unparsed.", fusermount)
]

const error = (theirs: string, tag: string, note: string, test: Row["test"] = pipes): Row => ({
  theirs,
  ours: [exported("@bickford/transport", "TransportError")],
  note: `\`_tag: "${tag}"\`. ${note}`,
  test
})

const errors: ReadonlyArray<Row> = [
  error(":eagain", "EAGAIN", "Not ready, or a short write: arm `select_read` again."),
  error(":eintr", "EINTR", "A signal came first."),
  error(":einval", "EINVAL", "An argument, or a descriptor that cannot be read so."),
  error(":enodev", "ENODEV", "Unmounted."),
  error(":enoent", "ENOENT", "The request was interrupted before it was read; read again."),
  error(":enomem", "ENOMEM", "No memory in the kernel."),
  error(":enosys", "ENOSYS", "The kernel has no such call."),
  error(":eperm", "EPERM", "Not allowed."),
  error(":epipe", "EPIPE", "The other end is closed."),
  error(":select_already_closed", "select_already_closed", "The handle was closed."),
  error(":select_failed", "select_failed", "The event loop refused the descriptor."),
  error(":select_not_supported", "select_not_supported", "The descriptor can never be waited for."),
  error(
    ":fusermount_no_fd",
    "fusermount_no_fd",
    "The helper ended without sending a descriptor; the message has what it printed.",
    fusermount
  ),
  error(":fusermount_failed", "fusermount_failed", "The helper sent something that is no descriptor.", fusermount)
]

const promises: ReadonlyArray<Row> = [
  {
    theirs: "handle()",
    ours: [exported("@bickford/transport", "FuseHandle")],
    note: "Opaque; `fd` has its number.",
    test: ["packages/transport/test/lifetime.test.ts", ""]
  },
  {
    theirs: "closed with its last reference",
    ours: [exported("@bickford/transport", "close")],
    note: "Closed with the scope that it was opened in, and in any case when it is collected.",
    test: ["packages/transport/test/lifetime.test.ts", ""]
  },
  {
    theirs: "frames of at most 128 KiB",
    ours: [exported("@bickford/transport", "read_frame")],
    note: "128 KiB and the headers unless another bound is given; the session gives what INIT agreed on.",
    test: pipes
  },
  {
    theirs: "Wick.Fusermount, which also unmounts",
    ours: [exported("@bickford/transport", "mountDevice"), exported("@bickford/transport", "unmountDevice")],
    test: ["test/mount/waysOut.test.ts", ""]
  }
]

export const wick: Document = {
  system: "Wick's native transport",
  introduction:
    "`@bickford/transport` has the functions by the same names. Each is an Effect whose failure is typed by its tag.",
  sections: [
    { title: "Functions", rows: calls },
    { title: "Errors", rows: errors },
    { title: "Promises", rows: promises }
  ]
}

export { abortConnection, type AbortTarget } from "./mounting/abort.ts"
export { type BufferTransport, makeBufferTransport } from "./BufferTransport.ts"
export { coveredPlaces, type CoveredPlace, coveringPlace, coverPlace } from "./mounting/coveredPlaces.ts"
export { type DescriptorLimit, descriptorLimit } from "./descriptorLimit.ts"
export { detachAtEnd, detachNow } from "./mounting/detachNow.ts"
export { type DeviceTransportOptions, makeDeviceTransport } from "./device/DeviceTransport.ts"
export {
  type ErrnoTag,
  type FusermountError,
  type FusermountErrorOf,
  type SelectError,
  type SystemCallError,
  type TransportError,
  type TransportErrorOf,
  type TransportTag
} from "./errors.ts"
export { attributeWords, type FileName, files, type FilesystemCalls, type Wide } from "./filesystem/index.ts"
export { attachFiles } from "./filesystem/attachFiles.ts"
export type { SharedFiles } from "./filesystem/SharedFiles.ts"
export type { RequestAnswerer } from "./ring/Ring.ts"
export { type FrameOptions, read_frame, write_frame } from "./frame.ts"
export type { DetachedRequest, FrameSink, FrameTransport, Rings, Slot, TransportEnd } from "./FrameTransport.ts"
export { fusermount3_mount, fusermount3_unmount, type FusermountOptions } from "./mounting/fusermount.ts"
export { close, fd, fromFd, type FuseHandle, open_dev_fuse, pipe_pair, socketpair } from "./handle.ts"
export { allocateMemory, discardMemory, lockMemory } from "./memory.ts"
export {
  mountDevice,
  type MountedDevice,
  type MountDeviceOptions,
  type SecurityContexts,
  unmountDevice,
  type UnmountTarget
} from "./mounting/mount.ts"
export { describeMount } from "./mounting/mountpoint.ts"
export { ownConnection, ownDevice } from "./mounting/ownDevices.ts"
export type { PipedData } from "./device/PipedData.ts"
export { countIsolates, findHolder, type Holder, isolateThreadName } from "./mounting/holder.ts"
export { type Health, probe } from "./mounting/probe.ts"
export { findMount, isFuse, isMounted, type MountEntry, mountTable } from "./mounting/mountinfo.ts"
export { watchThread } from "./mounting/watchdog.ts"
export { frameCapacityFor, largestRequest } from "./requestSize.ts"
export type { Ring } from "./ring/Ring.ts"
export { machineShares, type QueueShare } from "./ring/cpus.ts"
export {
  makeQueueTransport,
  makeRingMemory,
  makeRingTransport,
  makeRingTransportOver,
  nudgeQueue,
  pinThread,
  type QueueTransportOptions,
  type RingTransportOptions
} from "./ring/RingTransport.ts"
export type { MountingDevice, ServeMounting } from "./mounting/syncInit.ts"
export { sdNotify } from "./sdNotify.ts"
export { select_read } from "./select.ts"

/** The whole library: sessions and mounts, filesystems ready to mount, and the transport underneath. */
export * from "@bickford/backends"
export * from "@bickford/session"
export * as Transport from "@bickford/transport"

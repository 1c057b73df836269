// A handle owns one file descriptor. To JavaScript it is an external: opaque, closed by `close` or,
// when forgotten, by its finalizer.
#pragma once

#include "addon.h"
#include "detach_at_end.h"
#include "unique_fd.h"

struct Poller;

struct Handle {
  Addon* addon;
  UniqueFd fd;
  // The external, and channels: they keep this struct, the external alone keeps the descriptor open.
  int references = 1;
  // Registered with the event loop; stopped and closed before the descriptor is.
  Poller* poller = nullptr;
  // Of a device that is mounted: what becomes of the mount when the environment ends first.
  std::unique_ptr<MountAtEnd> at_end = nullptr;
};

// Makes a handle that owns `fd`; undefined, with an exception pending, when the environment cannot.
napi_value wrap_handle(Addon* addon, UniqueFd fd);

void retain_handle(Handle* handle);
void release_handle(Handle* handle);

// Whether what the handle is for is still there: a mounted, living connection; a peer that has not closed.
bool is_connected(const Handle* handle);

// The handle that `value` is, or null with a TypeError pending.
Handle* unwrap_handle(Addon* addon, napi_value value);

Napi::Value close_handle(const Napi::CallbackInfo& info);
Napi::Value handle_fd(const Napi::CallbackInfo& info);
Napi::Value handle_kind(const Napi::CallbackInfo& info);
Napi::Value handle_connected(const Napi::CallbackInfo& info);

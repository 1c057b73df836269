// Mounts that go with their environment. A worker thread that is ended by terminate() runs no more JavaScript, and the end of
// its descriptors would leave a dead mount.
#pragma once

#include <napi.h>

#include <string>

struct Handle;

// What is left to do for a device when its environment ends.
struct MountAtEnd {
  // Empty while mount(2) is still at work: then there is only a connection.
  std::string mountpoint;
  // `MAJOR:MINOR`
  std::string device;
  // Of its connection, in fusectl.
  std::string abort_file;
};

Napi::Value detach_at_end(const Napi::CallbackInfo& info);

// Aborts the connection, so that nobody waits for this thread, and detaches the mount if it is still there. Holds the thread up
// for as long as that takes.
void detach_now(Handle* handle);

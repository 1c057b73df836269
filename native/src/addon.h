// The addon's state in one environment (the main thread or a worker).
#pragma once

#include <napi.h>
#include <uv.h>

#include <sys/types.h>

#include <memory>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "mailbox.h"
#include "shared_words.h"

struct Handle;
struct RingLoop;
class RingMemory;

// Memory of a slot; `data` is null where the memory is gone.
struct Region {
  unsigned char* data = nullptr;
  size_t size = 0;
};

// A mount by the number that the kernel gives to no other (STATX_MNT_ID_UNIQUE); 0: none.
struct KnownMount {
  uint64_t id = 0;
  bool answers_itself = false;
};

struct Addon {
  napi_env env = nullptr;
  uv_loop_t* loop = nullptr;
  napi_async_context context = nullptr;
  napi_async_cleanup_hook_handle cleanup = nullptr;
  // An external is one of ours only if its pointer is in here: cheaper than a type tag, and as safe,
  // since no other live object can have the same address.
  std::unordered_set<const void*> handles;
  const void* last_handle = nullptr;
  std::shared_ptr<Mailbox> mailbox;
  uv_async_t* wake = nullptr;
  int jobs = 0;
  // libuv handles that are open; the environment waits for them at its end.
  int open_uv_handles = 0;
  bool ending = false;
  // What the last look at a file saw, for JavaScript to read: attribute_words of shared_words.h.
  uint32_t attributes[attribute_words::count] = {};
  // The filesystems that this environment serves itself (device_key): a call into one of them waits for this thread.
  std::vector<uint64_t> own_devices;
  // Whether files of a mount may be looked at without asking anybody (fs_attributes.cc); the oldest gives way.
  KnownMount known_mounts[8] = {};
  size_t next_known_mount = 0;
  // This process's supplementary groups, to return to.
  std::vector<gid_t> groups;
  // Memory of slots by number: channels of this environment read into it and write from it.
  std::vector<Region> regions;
  // Rings on the loop of this environment, and all that it has.
  std::unordered_set<RingLoop*> running_rings;
  std::unordered_set<RingLoop*> rings;
  // Memory of rings' entries by number, that this environment keeps for others.
  std::unordered_map<uint32_t, std::shared_ptr<RingMemory>> ring_memories;
  int references = 1;

  static Addon* of(napi_env env) {
    void* data = nullptr;
    napi_get_instance_data(env, &data);
    return static_cast<Addon*>(data);
  }

  void acquire() { ++references; }
  void release() {
    if (--references == 0) delete this;
  }

  // To be called from the close callback of each libuv handle counted in open_uv_handles.
  void uv_handle_closed();
};

// Calls a JavaScript function from the event loop, as Node does: ticks and microtasks run after it,
// and what it throws is an uncaught exception.
void call_from_loop(Addon* addon, napi_value function, int argument);

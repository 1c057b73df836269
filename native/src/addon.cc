#include "addon.h"

#include "channel.h"
#include "frame.h"
#include "from_fd.h"
#include "fs_call.h"
#include "fusermount.h"
#include "handle.h"
#include "job.h"
#include "memory.h"
#include "mount.h"
#include "notify.h"
#include "open.h"
#include "path.h"
#include "pin.h"
#include "pipe.h"
#include "poll.h"
#include "ring_binding.h"
#include "ring_loop.h"
#include "sd_notify.h"
#include "shared_files_binding.h"
#include "socketpair.h"
#include "splice.h"
#include "watchdog.h"

void Addon::uv_handle_closed() {
  if (--open_uv_handles == 0 && ending) napi_remove_async_cleanup_hook(cleanup);
}

void call_from_loop(Addon* addon, napi_value function, int argument) {
  const napi_env env = addon->env;
  napi_value receiver = nullptr;
  napi_value argv[1] = {nullptr};
  if (napi_get_global(env, &receiver) != napi_ok || napi_create_int32(env, argument, argv) != napi_ok) return;
  if (napi_make_callback(env, addon->context, receiver, function, 1, argv, nullptr) != napi_pending_exception) return;
  napi_value thrown = nullptr;
  // Not there when the environment is being terminated.
  if (napi_get_and_clear_last_exception(env, &thrown) == napi_ok) napi_fatal_exception(env, thrown);
}

namespace {

// The environment ends: closes everything that its loop still has, and lets it go on when that is done.
void end(napi_async_cleanup_hook_handle, void* data) {
  Addon* addon = static_cast<Addon*>(data);
  addon->ending = true;
  for (const void* known : addon->handles) {
    Handle* handle = const_cast<Handle*>(static_cast<const Handle*>(known));
    if (handle->poller != nullptr) detach_poller(handle);
    detach_now(handle);
  }
  while (!addon->running_rings.empty()) stop_ring(*addon->running_rings.begin());
  // Their entries are another isolate's from now on, with what has come to them by now.
  for (RingLoop* ring : addon->rings) {
    if (ring->ring.is_registered()) ring->ring.enter(false, 0);
    ring->ring.close();
  }
  close_mailbox(addon);
}

void define(Addon* addon, Napi::Object exports, const char* name, napi_callback function) {
  napi_value value = nullptr;
  napi_create_function(addon->env, name, NAPI_AUTO_LENGTH, function, addon, &value);
  exports.Set(name, Napi::Value(addon->env, value));
}

Napi::Object initialize(Napi::Env env, Napi::Object exports) {
  Addon* addon = new Addon;
  addon->env = env;
  napi_value name = nullptr;
  if (napi_get_uv_event_loop(env, &addon->loop) != napi_ok || napi_create_string_utf8(env, "bickford", NAPI_AUTO_LENGTH, &name) != napi_ok ||
      napi_async_init(env, nullptr, name, &addon->context) != napi_ok || !open_mailbox(addon)) {
    Napi::Error::New(env, "the event loop of this environment cannot be used").ThrowAsJavaScriptException();
    return exports;
  }
  napi_set_instance_data(env, addon, [](napi_env, void* data, void*) { static_cast<Addon*>(data)->release(); }, nullptr);
  napi_add_async_cleanup_hook(env, end, addon, &addon->cleanup);

  const auto set = [&](const char* key, Napi::Value (*function)(const Napi::CallbackInfo&)) { exports.Set(key, Napi::Function::New(env, function, key)); };
  set("open_dev_fuse", open_dev_fuse);
  set("sync_init", sync_init);
  set("pipe_pair", pipe_pair);
  set("socketpair", make_socketpair);
  set("from_fd", from_fd);
  set("close", close_handle);
  set("fd", handle_fd);
  set("kind", handle_kind);
  set("connected", handle_connected);
  set("select_read", select_read);
  set("select_write", select_write);
  set("select_stop", select_stop);
  set("channel", make_channel);
  set("ring", make_ring);
  set("ring_memory", make_ring_memory);
  set("release_ring_memory", release_ring_memory);
  set("pin_thread", pin_thread);
  set("nudge", nudge);
  set("attach_files", attach_files);
  set("lock_memory", lock_memory);
  set("slot_memory", slot_memory);
  set("allocate_memory", allocate_memory);
  set("discard_memory", discard_memory);
  set("notify", notify);
  set("sd_notify", sd_notify);
  set("fusermount3_mount", fusermount3_mount);
  set("fusermount3_unmount", fusermount3_unmount);
  set("mount", mount_filesystem);
  set("mount_with_context", mount_with_context);
  set("unmount", unmount_filesystem);
  set("unmount_now", unmount_filesystem_now);
  set("detach_at_end", detach_at_end);
  set("resolve_path", resolve_path);
  set("file_mode", file_mode);
  set("watchdog", watchdog);
  define(addon, exports, "read_frame", read_frame);
  define(addon, exports, "write_frame", write_frame);
  define(addon, exports, "message_length", message_length);
  define(addon, exports, "write_some", write_some);
  define(addon, exports, "read_range", read_range);
  define(addon, exports, "pipe_slots", pipe_slots);
  define(addon, exports, "splice_file", splice_file);
  define(addon, exports, "splice_pipe", splice_pipe);
  define(addon, exports, "splice_into", splice_into);
  for (const FsFunction* functions : {fs_name_functions, fs_attribute_functions, fs_data_functions, fs_handle_functions, fs_caller_functions}) {
    for (const FsFunction* each = functions; each->name != nullptr; ++each) define(addon, exports, each->name, each->function);
  }
  return exports;
}

}  // namespace

NODE_API_MODULE(bickford, initialize)

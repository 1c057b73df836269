#include "channel.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>

#include "arguments.h"
#include "handle.h"

namespace {

struct Channel {
  Handle* reader;
  Handle* writer;
  unsigned char* data;
  size_t size;
  // The memory and the two functions share it; the last one to go frees it.
  int owners;
};

void disown(Channel* channel) {
  if (--channel->owners > 0) return;
  munmap(channel->data, channel->size);
  release_handle(channel->reader);
  release_handle(channel->writer);
  delete channel;
}

void finalize_function(napi_env, void* data, void*) { disown(static_cast<Channel*>(data)); }
void finalize_memory(napi_env, void*, void* hint) { disown(static_cast<Channel*>(hint)); }

napi_value number(napi_env env, ssize_t count) {
  napi_value result = nullptr;
  napi_create_int32(env, static_cast<int32_t>(count), &result);
  return result;
}

// (offset, length) within the memory; an exception is pending otherwise.
Channel* range_arguments(napi_env env, napi_callback_info info, unsigned char** at, size_t* length) {
  size_t argc = 2;
  napi_value argv[2];
  void* data = nullptr;
  if (napi_get_cb_info(env, info, &argc, argv, nullptr, &data) != napi_ok) return nullptr;
  Channel* channel = static_cast<Channel*>(data);
  uint32_t offset = 0;
  uint32_t count = 0;
  if (napi_get_value_uint32(env, argv[0], &offset) != napi_ok || napi_get_value_uint32(env, argv[1], &count) != napi_ok) {
    napi_throw_type_error(env, nullptr, "expected an offset and a length");
    return nullptr;
  }
  if (offset > channel->size || count > channel->size - offset) {
    napi_throw_range_error(env, nullptr, "the range lies outside the memory");
    return nullptr;
  }
  *at = channel->data + offset;
  *length = count;
  return channel;
}

// (offset, length): reads one frame. Bytes read, 0 at the end, or a negative errno.
napi_value channel_read(napi_env env, napi_callback_info info) {
  unsigned char* at = nullptr;
  size_t length = 0;
  Channel* channel = range_arguments(env, info, &at, &length);
  if (channel == nullptr) return nullptr;
  if (!channel->reader->fd.open()) return number(env, -EBADF);
  const ssize_t count = ::read(channel->reader->fd.get(), at, length);
  return number(env, count < 0 ? -errno : count);
}

// (offset, length): writes one frame. Bytes written, or a negative errno: -EAGAIN when not all went out.
napi_value channel_write(napi_env env, napi_callback_info info) {
  unsigned char* at = nullptr;
  size_t length = 0;
  Channel* channel = range_arguments(env, info, &at, &length);
  if (channel == nullptr) return nullptr;
  if (!channel->writer->fd.open()) return number(env, -EBADF);
  const ssize_t count = ::write(channel->writer->fd.get(), at, length);
  if (count >= 0 && static_cast<size_t>(count) < length) return number(env, -EAGAIN);
  return number(env, count < 0 ? -errno : count);
}

// A function that owns a share of the channel; null when the environment cannot make one.
napi_value make_function(napi_env env, const char* name, napi_callback callback, Channel* channel) {
  napi_value function = nullptr;
  if (napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, channel, &function) != napi_ok) return nullptr;
  if (napi_add_finalizer(env, function, channel, finalize_function, nullptr, nullptr) != napi_ok) return nullptr;
  ++channel->owners;
  return function;
}

}  // namespace

// (reader, writer, bytes): { memory, locked, read, write }, or a negative errno.
Napi::Value make_channel(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Addon* addon = Addon::of(env);
  Handle* reader = unwrap_handle(addon, info[0]);
  if (reader == nullptr) return {};
  Handle* writer = unwrap_handle(addon, info[1]);
  if (writer == nullptr) return {};
  uint32_t size = 0;
  if (!read_uint32(info, 2, "bytes", &size)) return {};
  if (size == 0) return Napi::Number::New(env, -EINVAL);
  void* data = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  if (data == MAP_FAILED) return Napi::Number::New(env, -errno);
  const bool locked = mlock(data, size) == 0;
  retain_handle(reader);
  retain_handle(writer);
  // Ours until this function returns.
  Channel* channel = new Channel{reader, writer, static_cast<unsigned char*>(data), size, 1};
  const napi_value read = make_function(env, "read", channel_read, channel);
  const napi_value write = make_function(env, "write", channel_write, channel);
  napi_value memory = nullptr;
  if (napi_create_external_arraybuffer(env, data, size, finalize_memory, channel, &memory) == napi_ok) ++channel->owners;
  const bool complete = read != nullptr && write != nullptr && memory != nullptr;
  disown(channel);
  if (!complete) return Napi::Number::New(env, -ENOMEM);
  Napi::Object result = Napi::Object::New(env);
  result.Set("memory", Napi::Value(env, memory));
  result.Set("locked", Napi::Boolean::New(env, locked));
  result.Set("read", Napi::Value(env, read));
  result.Set("write", Napi::Value(env, write));
  return result;
}

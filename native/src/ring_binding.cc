#include "ring_binding.h"

#include <cerrno>
#include <vector>

#include "answerer_binding.h"
#include "arguments.h"
#include "handle.h"
#include "ring_loop.h"
#include "shared_registry.h"

namespace {

RingLoop* loop_of(napi_env env, napi_callback_info info) {
  void* data = nullptr;
  napi_get_cb_info(env, info, nullptr, nullptr, nullptr, &data);
  return static_cast<RingLoop*>(data);
}

napi_value number(napi_env env, int value) {
  napi_value result = nullptr;
  napi_create_int32(env, value, &result);
  return result;
}

// (callback): 0 or a negative errno; -EBUSY when somebody is called already.
napi_value ring_start(napi_env env, napi_callback_info info) {
  size_t argc = 1;
  napi_value argv[1] = {nullptr};
  void* data = nullptr;
  if (napi_get_cb_info(env, info, &argc, argv, nullptr, &data) != napi_ok) return nullptr;
  napi_valuetype type = napi_undefined;
  napi_typeof(env, argv[0], &type);
  if (type != napi_function) {
    napi_throw_type_error(env, nullptr, "expected a function");
    return nullptr;
  }
  return number(env, start_ring(static_cast<RingLoop*>(data), argv[0]));
}

// (): nobody is called any more; what comes waits.
napi_value ring_stop(napi_env env, napi_callback_info info) {
  stop_ring(loop_of(env, info));
  return nullptr;
}

// (): submits what is to be committed, without waiting. Returns 0 or a negative errno.
napi_value ring_submit(napi_env env, napi_callback_info info) {
  RingLoop* const loop = loop_of(env, info);
  return number(env, loop->ring.enter(false, 0));
}

// (answerer): what answers requests before JavaScript is told of them, in place of another; undefined for nothing.
napi_value ring_answer_by(napi_env env, napi_callback_info info) {
  size_t argc = 1;
  napi_value argv[1] = {nullptr};
  void* data = nullptr;
  if (napi_get_cb_info(env, info, &argc, argv, nullptr, &data) != napi_ok) return nullptr;
  static_cast<RingLoop*>(data)->ring.answer_by(unwrap_answerer(env, argv[0]));
  return nullptr;
}

// (): unmaps and closes. Idempotent.
napi_value ring_close(napi_env env, napi_callback_info info) {
  RingLoop* const loop = loop_of(env, info);
  stop_ring(loop);
  loop->ring.answer_by(nullptr);
  loop->ring.close();
  return nullptr;
}

// The memory of entries by number, for the isolate that serves them next.
SharedRegistry<RingMemory>& registry() {
  static SharedRegistry<RingMemory> memories;
  return memories;
}

// A ring's entries, as JavaScript has them.
struct Entries {
  RingLoop* loop;
  std::shared_ptr<RingMemory> memory;
};

// Nobody can serve without the memory, and the kernel must not write to what takes its place.
void finalize_entries(napi_env, void*, void* hint) {
  const std::unique_ptr<Entries> entries(static_cast<Entries*>(hint));
  entries->loop->ring.close();
  disown_ring(entries->loop);
}

// The memory of that number, or new memory; null and errno when there is none for that ring.
std::shared_ptr<RingMemory> memory_for(const Ring& ring, size_t payload, uint32_t number) {
  if (number == 0) return RingMemory::make(ring.entries(), payload);
  std::shared_ptr<RingMemory> memory = registry().find(number);
  const bool fits = memory != nullptr && memory->entries() == ring.entries() && memory->layout().payload >= payload;
  if (!fits) errno = memory == nullptr ? ENOENT : EINVAL;
  return fits ? memory : nullptr;
}

// (device, bytes of a payload, number of the memory): the memory of all entries, registered with the kernel; or a negative errno.
// Memory without a number is new, and when it cannot be registered the kernel serves the connection by its device.
napi_value ring_register(napi_env env, napi_callback_info info) {
  size_t argc = 3;
  napi_value argv[3] = {nullptr, nullptr, nullptr};
  void* data = nullptr;
  if (napi_get_cb_info(env, info, &argc, argv, nullptr, &data) != napi_ok) return nullptr;
  RingLoop* const loop = static_cast<RingLoop*>(data);
  Handle* const device = unwrap_handle(loop->addon, argv[0]);
  if (device == nullptr) return nullptr;
  uint32_t payload = 0;
  if (napi_get_value_uint32(env, argv[1], &payload) != napi_ok || payload == 0) {
    napi_throw_type_error(env, nullptr, "expected a handle and the bytes of a payload");
    return nullptr;
  }
  uint32_t shared = 0;
  napi_get_value_uint32(env, argv[2], &shared);
  Ring& ring = loop->ring;
  if (!ring.is_open() || !device->fd.open()) return number(env, -EBADF);
  if (ring.is_registered()) return number(env, -EBUSY);
  const int fd = device->fd.get();
  std::shared_ptr<RingMemory> memory = memory_for(ring, payload, shared);
  napi_value result = nullptr;
  int error = memory == nullptr ? -errno : 0;
  if (error == 0) {
    Entries* const entries = new Entries{loop, memory};
    if (napi_create_external_arraybuffer(env, memory->data(), memory->bytes(), finalize_entries, entries, &result) != napi_ok) {
      delete entries;
      error = -ENOMEM;
    } else {
      ++loop->owners;
      error = ring.register_entries(fd, memory);
    }
  }
  if (error == 0) return result;
  if (shared == 0) ring.give_back(fd);
  ring.close();
  return number(env, error);
}

void finalize_share(napi_env, void*, void* hint) { disown_ring(static_cast<RingLoop*>(hint)); }

// A function that owns a share of the ring; false when the environment cannot make one.
bool add_function(Napi::Object* into, const char* name, napi_callback callback, RingLoop* loop) {
  const napi_env env = loop->addon->env;
  napi_value function = nullptr;
  if (napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, loop, &function) != napi_ok) return false;
  if (napi_add_finalizer(env, function, loop, finalize_share, loop, nullptr) != napi_ok) return false;
  ++loop->owners;
  into->Set(name, Napi::Value(env, function));
  return true;
}

bool add_control(Napi::Object* into, RingLoop* loop) {
  const napi_env env = loop->addon->env;
  napi_value control = nullptr;
  const Ring& ring = loop->ring;
  if (napi_create_external_arraybuffer(env, ring.control(), ring.control_bytes(), finalize_share, loop, &control) != napi_ok) return false;
  ++loop->owners;
  into->Set("control", Napi::Value(env, control));
  return true;
}

}  // namespace

// (queues): a ring with an entry for each of the queues' numbers, a queue as often as it is to have entries:
// { control, header_stride, register, start, stop, submit, close }, or a negative errno.
Napi::Value make_ring(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (!info[0].IsTypedArray() || info[0].As<Napi::TypedArray>().TypedArrayType() != napi_uint16_array) {
    Napi::TypeError::New(env, "expected a Uint16Array").ThrowAsJavaScriptException();
    return {};
  }
  const Napi::Uint16Array queues = info[0].As<Napi::Uint16Array>();
  if (queues.ElementLength() == 0) return Napi::Number::New(env, -EINVAL);
  Addon* const addon = Addon::of(env);
  addon->acquire();
  // Ours until this function returns.
  RingLoop* const loop = new RingLoop{};
  loop->addon = addon;
  addon->rings.insert(loop);
  int error = loop->ring.open(std::vector<uint16_t>(queues.Data(), queues.Data() + queues.ElementLength()));
  Napi::Object result = Napi::Object::New(env);
  if (error == 0) {
    const bool complete = add_control(&result, loop) && add_function(&result, "register", ring_register, loop) &&
                          add_function(&result, "start", ring_start, loop) && add_function(&result, "stop", ring_stop, loop) &&
                          add_function(&result, "submit", ring_submit, loop) && add_function(&result, "answer_by", ring_answer_by, loop) &&
                          add_function(&result, "close", ring_close, loop);
    result.Set("header_stride", Napi::Number::New(env, static_cast<double>(RingLayout::header_stride())));
    if (!complete) error = -ENOMEM;
  }
  disown_ring(loop);
  if (error < 0) return Napi::Number::New(env, error);
  return result;
}

// (entries, bytes of a payload): the number of memory for so many entries, which stays until it is released; or a negative errno.
Napi::Value make_ring_memory(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  uint32_t entries = 0;
  uint32_t payload = 0;
  if (!read_uint32(info, 0, "entries", &entries) || !read_uint32(info, 1, "payload", &payload)) return {};
  if (entries == 0 || payload == 0) return Napi::Number::New(env, -EINVAL);
  const std::shared_ptr<RingMemory> memory = RingMemory::make(entries, payload);
  if (memory == nullptr) return Napi::Number::New(env, -errno);
  const uint32_t number = registry().add(memory);
  Addon::of(env)->ring_memories[number] = memory;
  return Napi::Number::New(env, number);
}

// (number): it goes when no ring has it any more. Idempotent.
Napi::Value release_ring_memory(const Napi::CallbackInfo& info) {
  uint32_t number = 0;
  if (!read_uint32(info, 0, "number", &number)) return {};
  Addon::of(info.Env())->ring_memories.erase(number);
  return info.Env().Undefined();
}

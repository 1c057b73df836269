#include "channel.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <vector>

#include "arguments.h"
#include "fuse_wire.h"
#include "handle.h"
#include "shared_words.h"

namespace {

// Of a WRITE's frame, what comes before its data: fuse_in_header and fuse_write_in.
constexpr size_t write_head = fuse_wire::in_header::bytes + fuse_wire::write_in::bytes;

// Nanoseconds in which a caller takes the reply and sends its next request many times over: a longer turn was not
// its own.
constexpr int64_t longest_turn = 200000;
constexpr int reads_without_yield = 1000;

// Nanoseconds for which the next request is looked for, where its sender may run on another CPU; that is a little longer than
// most callers take, and less than waking this thread would. After several looks in vain the next
// ones are left out, up to 2^most_misses / 16.
constexpr int64_t longest_spin = 20000;
constexpr int most_misses = 10;

struct Channel {
  Handle* reader;
  Handle* writer;
  Addon* addon;
  ChannelWords control;
  // Memory of somebody else's for the data of a WRITE of just its size.
  napi_env env;
  napi_ref lent;
  unsigned char* lent_data;
  size_t lent_size;
  // For so many reads the CPU is not yielded.
  int without_yield;
  // Another CPU may run the caller. Looks in vain one after the other, and how many are still left out for them.
  bool spins;
  int misses, without_spin;
  // The control and the functions share it; the last one to go frees it.
  int owners;
};

void disown(Channel* channel) {
  if (--channel->owners > 0) return;
  if (channel->lent != nullptr) napi_delete_reference(channel->env, channel->lent);
  release_handle(channel->reader);
  release_handle(channel->writer);
  channel->addon->release();
  delete channel;
}

void finalize_function(napi_env, void* data, void*) { disown(static_cast<Channel*>(data)); }
void finalize_control(napi_env, void*, void* hint) { disown(static_cast<Channel*>(hint)); }

// Where `length` bytes at `at` of the channel's memory of the moment lie; null when they are not all in it.
unsigned char* place_of(const Channel* channel, int32_t at, int32_t length) {
  const std::vector<Region>& regions = channel->addon->regions;
  const size_t number = static_cast<size_t>(channel->control.memory);
  if (number >= regions.size() || regions[number].data == nullptr) return nullptr;
  const Region& region = regions[number];
  const bool within = at >= 0 && length >= 0 && static_cast<size_t>(at) <= region.size && static_cast<size_t>(length) <= region.size - static_cast<size_t>(at);
  return within ? region.data + at : nullptr;
}

// The system calls themselves: the library's are cancellation points of threads, which cost and serve nobody here.

// Reads one frame whose data may stay in the lent memory: that of a WRITE which fills it. What else comes is put together.
long read_apart(Channel* channel, unsigned char* head) {
  ChannelWords* control = &channel->control;
  unsigned char* const rest = head + write_head;
  const size_t room = static_cast<size_t>(control->read_length) - write_head;
  const iovec parts[] = {{head, write_head}, {channel->lent_data, channel->lent_size}, {rest + channel->lent_size, room - channel->lent_size}};
  const long count = syscall(SYS_readv, channel->reader->fd.get(), parts, 3L);
  if (count <= static_cast<long>(write_head)) return count;
  const size_t size = static_cast<size_t>(count) - write_head;
  uint32_t opcode = 0;
  memcpy(&opcode, head + fuse_wire::in_header::opcode, sizeof opcode);
  if (size == channel->lent_size && opcode == fuse_wire::opcode::WRITE) control->apart = 1;
  else memcpy(rest, channel->lent_data, size < channel->lent_size ? size : channel->lent_size);
  return count;
}

// Reads one frame: its length, 0 at the end, or a negative errno.
void read_one(Channel* channel) {
  ChannelWords* control = &channel->control;
  control->apart = 0;
  unsigned char* const into = place_of(channel, control->read_at, control->read_length);
  if (into == nullptr) {
    control->read = -EFAULT;
  } else if (!channel->reader->fd.open()) {
    control->read = -EBADF;
  } else {
    const bool lends = control->lend != 0 && channel->lent_size > 0 && static_cast<size_t>(control->read_length) > write_head + channel->lent_size;
    const long count = lends ? read_apart(channel, into) : syscall(SYS_read, channel->reader->fd.get(), into, static_cast<size_t>(control->read_length));
    control->read = static_cast<int32_t>(count < 0 ? -errno : count);
  }
}

// Writes one frame, of which `parts[1]` and those behind it lie elsewhere: the length of all, or a negative errno:
// -EAGAIN when not all went out.
void write_one(Channel* channel, iovec* parts, size_t count) {
  ChannelWords* control = &channel->control;
  unsigned char* const from = place_of(channel, control->write_at, control->write_length);
  size_t total = static_cast<size_t>(control->write_length);
  for (size_t i = 1; i < count; ++i) total += parts[i].iov_len;
  if (from == nullptr || total > INT32_MAX) {
    control->written = -EFAULT;
  } else if (!channel->writer->fd.open()) {
    control->written = -EBADF;
  } else {
    parts[0] = {from, static_cast<size_t>(control->write_length)};
    const int fd = channel->writer->fd.get();
    const long written = count == 1 ? syscall(SYS_write, fd, parts[0].iov_base, parts[0].iov_len) : syscall(SYS_writev, fd, parts, count);
    if (written >= 0 && static_cast<size_t>(written) < total) control->written = -EAGAIN;
    else control->written = static_cast<int32_t>(written < 0 ? -errno : written);
  }
}

int64_t now() {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * INT64_C(1000000000) + time.tv_nsec;
}

// Lets another thread have the CPU. False, and nothing is done, for a while after a long turn: that was somebody else's, who
// wants the CPU for himself.
bool yielded(Channel* channel) {
  if (channel->without_yield > 0) {
    --channel->without_yield;
    return false;
  }
  const int64_t before = now();
  sched_yield();
  if (now() - before > longest_turn) channel->without_yield = reads_without_yield;
  return true;
}

// A moment in which the CPU gives way to its other hardware thread.
void pause_cpu() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

// Looks for the next frame for a short while. The caller runs on another CPU then, and its request takes less time to come than this
// thread would take to fall asleep and be woken, in a virtual machine above all: that costs tens of microseconds (`git clone` of 2,600
// files in 0.69 s instead of 0.85, 2026-11-28; `test/fuseNative/beside.ts` measures it). Where callers take longer, it is seldom tried.
void spin(Channel* channel) {
  if (channel->without_spin > 0) {
    --channel->without_spin;
    return;
  }
  const int64_t until = now() + longest_spin;
  do {
    for (int i = 0; i < 16; ++i) pause_cpu();
    read_one(channel);
  } while (channel->control.read == -EAGAIN && now() < until);
  if (channel->control.read != -EAGAIN) {
    channel->misses = 0;
  } else {
    if (channel->misses < most_misses) ++channel->misses;
    channel->without_spin = (1 << channel->misses) / 16;
  }
}

// Whether this thread may run on more than one CPU.
bool has_cpus() {
  cpu_set_t set;
  return sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 1;
}

// Reads the frame that comes next after a reply. The caller that the reply has woken often has had the CPU before
// this thread is back from writing, and the frame is there. Where it has not, and waits for this very CPU, it is let
// go first: to wait in the event loop instead costs more than all else that is done for a request.
void read_next(Channel* channel) {
  read_one(channel);
  if (channel->control.read != -EAGAIN || channel->control.written < 0) return;
  if (!yielded(channel)) return;
  read_one(channel);
  if (channel->spins && channel->control.read == -EAGAIN) spin(channel);
}

// Reads `length` bytes out of a pipe that has them.
bool drain(int pipe, unsigned char* into, size_t length) {
  size_t done = 0;
  while (done < length) {
    const ssize_t count = read(pipe, into + done, length - done);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    done += static_cast<size_t>(count);
  }
  return true;
}

// Reads one frame by way of an empty pipe, in which the data of a WRITE of `least` bytes or more stays; what else comes
// is in memory, as ever. -EIO: some of it may be left in the pipe.
void read_by_pipe(Channel* channel, int from, int into, size_t least) {
  ChannelWords* control = &channel->control;
  control->apart = 0;
  unsigned char* const head = place_of(channel, control->read_at, control->read_length);
  if (head == nullptr || static_cast<size_t>(control->read_length) < write_head) {
    control->read = -EFAULT;
    return;
  }
  if (!channel->reader->fd.open()) {
    control->read = -EBADF;
    return;
  }
  const size_t most = static_cast<size_t>(control->read_length);
  const ssize_t count = splice(channel->reader->fd.get(), nullptr, into, nullptr, most, SPLICE_F_NONBLOCK);
  control->read = static_cast<int32_t>(count < 0 ? -errno : count);
  if (count <= 0) return;
  const size_t length = static_cast<size_t>(count);
  const size_t first = length < write_head ? length : write_head;
  uint32_t opcode = 0;
  bool complete = drain(from, head, first);
  if (complete) memcpy(&opcode, head + fuse_wire::in_header::opcode, sizeof opcode);
  if (complete && opcode == fuse_wire::opcode::WRITE && length - first >= least) control->apart = 1;
  else if (complete) complete = drain(from, head + first, length - first);
  if (!complete) control->read = -EIO;
}

void write_one(Channel* channel) {
  iovec whole;
  write_one(channel, &whole, 1);
}

Channel* channel_of(napi_env env, napi_callback_info info) {
  void* data = nullptr;
  napi_get_cb_info(env, info, nullptr, nullptr, nullptr, &data);
  return static_cast<Channel*>(data);
}

napi_value channel_read(napi_env env, napi_callback_info info) {
  read_one(channel_of(env, info));
  return nullptr;
}

napi_value channel_write(napi_env env, napi_callback_info info) {
  write_one(channel_of(env, info));
  return nullptr;
}

// A reply, and then the next request: one call into the addon where there would be two.
napi_value channel_exchange(napi_env env, napi_callback_info info) {
  Channel* channel = channel_of(env, info);
  write_one(channel);
  read_next(channel);
  return nullptr;
}

// (...tails), up to 63: as `exchange`; what is written goes on with the tails.
napi_value channel_exchange_with(napi_env env, napi_callback_info info) {
  constexpr size_t most = 63;
  size_t argc = most;
  napi_value argv[most];
  void* data = nullptr;
  if (napi_get_cb_info(env, info, &argc, argv, nullptr, &data) != napi_ok) return nullptr;
  Channel* channel = static_cast<Channel*>(data);
  if (argc > most) {
    napi_throw_type_error(env, nullptr, "expected up to 63 tails");
    return nullptr;
  }
  iovec parts[most + 1];
  for (size_t i = 0; i < argc; ++i) {
    if (!bytes_of(env, argv[i], &parts[i + 1].iov_base, &parts[i + 1].iov_len)) return nullptr;
  }
  write_one(channel, parts, argc + 1);
  read_next(channel);
  return nullptr;
}

// (memory or undefined): lends it for the data of WRITEs of its size, in place of what was lent before.
napi_value channel_lend(napi_env env, napi_callback_info info) {
  size_t argc = 1;
  napi_value argv[1] = {nullptr};
  void* data = nullptr;
  if (napi_get_cb_info(env, info, &argc, argv, nullptr, &data) != napi_ok) return nullptr;
  Channel* channel = static_cast<Channel*>(data);
  napi_valuetype type = napi_undefined;
  napi_typeof(env, argv[0], &type);
  void* memory = nullptr;
  size_t size = 0;
  if (type != napi_undefined && !bytes_of(env, argv[0], &memory, &size)) return nullptr;
  if (channel->lent != nullptr) napi_delete_reference(env, channel->lent);
  channel->lent = nullptr;
  channel->lent_data = nullptr;
  channel->lent_size = 0;
  if (size == 0 || napi_create_reference(env, argv[0], 1, &channel->lent) != napi_ok) return nullptr;
  channel->lent_data = static_cast<unsigned char*>(memory);
  channel->lent_size = size;
  return nullptr;
}

// (read end, write end, least): as `read`, by way of an empty pipe; see `read_by_pipe`.
napi_value channel_read_by_pipe(napi_env env, napi_callback_info info) {
  size_t argc = 3;
  napi_value argv[3] = {nullptr, nullptr, nullptr};
  void* data = nullptr;
  if (napi_get_cb_info(env, info, &argc, argv, nullptr, &data) != napi_ok) return nullptr;
  Channel* channel = static_cast<Channel*>(data);
  Handle* from = unwrap_handle(channel->addon, argv[0]);
  if (from == nullptr) return nullptr;
  Handle* into = unwrap_handle(channel->addon, argv[1]);
  if (into == nullptr) return nullptr;
  uint32_t least = 0;
  if (napi_get_value_uint32(env, argv[2], &least) != napi_ok) {
    napi_throw_type_error(env, nullptr, "expected a number of bytes");
    return nullptr;
  }
  if (!from->fd.open() || !into->fd.open()) {
    channel->control.apart = 0;
    channel->control.read = -EBADF;
    return nullptr;
  }
  read_by_pipe(channel, from->fd.get(), into->fd.get(), least);
  if (channel->control.read == -EAGAIN && yielded(channel)) read_by_pipe(channel, from->fd.get(), into->fd.get(), least);
  return nullptr;
}

// A function that owns a share of the channel; null when the environment cannot make one.
napi_value make_function(napi_env env, const char* name, napi_callback callback, Channel* channel) {
  napi_value function = nullptr;
  if (napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, channel, &function) != napi_ok) return nullptr;
  if (napi_add_finalizer(env, function, channel, finalize_function, nullptr, nullptr) != napi_ok) return nullptr;
  ++channel->owners;
  return function;
}

// The control as an ArrayBuffer that owns a share of the channel; null when the environment cannot make one.
napi_value make_control(napi_env env, Channel* channel) {
  napi_value control = nullptr;
  if (napi_create_external_arraybuffer(env, &channel->control, sizeof(ChannelWords), finalize_control, channel, &control) != napi_ok) return nullptr;
  ++channel->owners;
  return control;
}

}  // namespace

// (reader, writer): { control, read, write, exchange, exchange_with, lend, read_by_pipe }, or a negative errno.
Napi::Value make_channel(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Addon* addon = Addon::of(env);
  Handle* reader = unwrap_handle(addon, info[0]);
  if (reader == nullptr) return {};
  Handle* writer = unwrap_handle(addon, info[1]);
  if (writer == nullptr) return {};
  retain_handle(reader);
  retain_handle(writer);
  addon->acquire();
  // Ours until this function returns.
  Channel* channel = new Channel{reader, writer, addon, ChannelWords{}, env, nullptr, nullptr, 0, 0, has_cpus(), 0, 0, 1};
  const napi_value functions[] = {make_function(env, "read", channel_read, channel), make_function(env, "write", channel_write, channel),
                                  make_function(env, "exchange", channel_exchange, channel),
                                  make_function(env, "exchange_with", channel_exchange_with, channel),
                                  make_function(env, "lend", channel_lend, channel),
                                  make_function(env, "read_by_pipe", channel_read_by_pipe, channel)};
  const napi_value control = make_control(env, channel);
  bool complete = control != nullptr;
  for (const napi_value function : functions) complete = complete && function != nullptr;
  disown(channel);
  if (!complete) return Napi::Number::New(env, -ENOMEM);
  Napi::Object result = Napi::Object::New(env);
  result.Set("control", Napi::Value(env, control));
  result.Set("read", Napi::Value(env, functions[0]));
  result.Set("write", Napi::Value(env, functions[1]));
  result.Set("exchange", Napi::Value(env, functions[2]));
  result.Set("exchange_with", Napi::Value(env, functions[3]));
  result.Set("lend", Napi::Value(env, functions[4]));
  result.Set("read_by_pipe", Napi::Value(env, functions[5]));
  return result;
}

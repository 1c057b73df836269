// Waiting: libuv waits by epoll, a ring by io_uring_enter, and the same call can submit the replies. So the ring is entered just
// before libuv would wait, by a `uv_prepare`, and waits in its place: for a completion, for anything that epoll knows of (a POLL_ADD
// on its descriptor), or for the next timer. libuv itself then only looks, since a `uv_idle` is active.
//
// Where an environment has several rings, none waits: each has an eventfd that epoll watches. (Epoll on the ring itself is not told of
// work that this thread has to run: seen on Linux 6.18.)
#include "ring_loop.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>

#include "unique_fd.h"

namespace {

// Nanoseconds for which requests are served before the rest of the loop has its turn.
constexpr uint64_t longest_batch = 400000;

void do_nothing(uv_idle_t*) {}
}  // namespace

struct RingHandles {
  uv_prepare_t prepare;
  uv_idle_t idle;
  uv_poll_t poll;
  UniqueFd event;
  Addon* addon;
  // Null once it was stopped.
  RingLoop* loop;
  bool polling;
  int open;
};

namespace {

void on_closed(uv_handle_t* closed) {
  RingHandles* const handles = static_cast<RingHandles*>(closed->data);
  Addon* const addon = handles->addon;
  if (--handles->open == 0) delete handles;
  addon->uv_handle_closed();
  addon->release();
}

void adopt(RingHandles* handles, uv_handle_t* handle) {
  handle->data = handles;
  handles->addon->acquire();
  ++handles->addon->open_uv_handles;
  ++handles->open;
}

// Milliseconds that libuv would wait now, without the idle handle: 0 when it has something to do, -1 when nothing limits it.
int loop_timeout(RingHandles* handles) {
  uv_idle_stop(&handles->idle);
  uv_update_time(handles->addon->loop);
  return uv_backend_timeout(handles->addon->loop);
}

// The ring is entered by the next turn of the loop, which comes now.
void on_event(uv_poll_t* poll, int, int) {
  uint64_t count = 0;
  const ssize_t drained = read(static_cast<RingHandles*>(poll->data)->event.get(), &count, sizeof count);
  static_cast<void>(drained);
}

// Chooses who waits: this ring in its own call, or epoll for all rings of the environment.
bool waits_itself(RingHandles* handles) {
  const bool alone = handles->addon->running_rings.size() == 1;
  Ring& ring = handles->loop->ring;
  if (alone && handles->polling) {
    uv_poll_stop(&handles->poll);
    ring.signal(-1);
  }
  if (!alone) uv_idle_stop(&handles->idle);
  if (!alone && !handles->polling) {
    ring.signal(handles->event.get());
    uv_poll_start(&handles->poll, UV_READABLE, on_event);
  }
  handles->polling = !alone;
  return alone;
}

// Enters the ring once; true when the loop is to go on: something else has happened, or there was nothing to wait for.
bool enter_once(RingHandles* handles, bool alone, int* error) {
  Ring& ring = handles->loop->ring;
  int timeout = 0;
  // What came while nobody was called is there already.
  if (alone && ring.ready() == 0) {
    if (!ring.is_watching()) ring.watch(uv_backend_fd(handles->addon->loop));
    timeout = loop_timeout(handles);
  }
  const int result = ring.enter(timeout != 0, timeout);
  if (alone) uv_idle_start(&handles->idle, do_nothing);
  if (timeout != 0) uv_update_time(handles->addon->loop);
  const bool timed = result == -ETIME || result == -EINTR;
  *error = timed ? 0 : result;
  return ring.take_woken() || timeout == 0 || timed;
}

// Calls JavaScript; false when that has stopped the ring.
bool call(RingHandles* handles, int argument) {
  Addon* const addon = handles->addon;
  napi_value function = nullptr;
  napi_get_reference_value(addon->env, handles->loop->callback, &function);
  handles->loop->ring.set_entering(true);
  handles->loop->ring.give_ready();
  call_from_loop(addon, function, argument);
  if (handles->loop == nullptr) return false;
  handles->loop->ring.set_entering(false);
  return true;
}

void serve(RingHandles* handles) {
  const bool alone = waits_itself(handles);
  const uint64_t until = uv_hrtime() + longest_batch;
  for (;;) {
    int error = 0;
    const bool over = enter_once(handles, alone, &error);
    Ring& ring = handles->loop->ring;
    if (error < 0) {
      call(handles, error);
      return;
    }
    const bool answered = ring.answer_ready() > 0;
    const int32_t ready = ring.ready();
    if (ready == 0 && !answered) {
      // After an empty wait without an event it waits on: a turn of the loop costs more.
      if (over) return;
      continue;
    }
    if (ready > 0 && !call(handles, ready)) return;
    if ((over && alone) || uv_hrtime() > until) {
      // What was answered last goes out before anybody else has the thread. What has come with it is served next time.
      ring.enter(false, 0);
      if (ring.ready() > 0) uv_idle_start(&handles->idle, do_nothing);
      return;
    }
  }
}

void on_prepare(uv_prepare_t* prepare) {
  RingHandles* const handles = static_cast<RingHandles*>(prepare->data);
  if (handles->loop == nullptr || !handles->loop->ring.is_open()) return;
  const napi_env env = handles->addon->env;
  napi_handle_scope scope = nullptr;
  if (napi_open_handle_scope(env, &scope) != napi_ok) return;
  serve(handles);
  napi_close_handle_scope(env, scope);
}

}  // namespace

int start_ring(RingLoop* loop, napi_value callback) {
  if (loop->addon->ending) return -ECANCELED;
  if (!loop->ring.is_open()) return -EBADF;
  if (loop->handles != nullptr) return -EBUSY;
  uv_loop_t* const uv = loop->addon->loop;
  RingHandles* const handles = new RingHandles{};
  handles->event.reset(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  const int error = handles->event.open() ? uv_poll_init(uv, &handles->poll, handles->event.get()) : -errno;
  if (error != 0) {
    delete handles;
    return error;
  }
  napi_create_reference(loop->addon->env, callback, 1, &loop->callback);
  ++loop->owners;
  handles->addon = loop->addon;
  handles->loop = loop;
  uv_prepare_init(uv, &handles->prepare);
  uv_idle_init(uv, &handles->idle);
  adopt(handles, reinterpret_cast<uv_handle_t*>(&handles->poll));
  adopt(handles, reinterpret_cast<uv_handle_t*>(&handles->prepare));
  adopt(handles, reinterpret_cast<uv_handle_t*>(&handles->idle));
  uv_prepare_start(&handles->prepare, on_prepare);
  loop->handles = handles;
  loop->addon->running_rings.insert(loop);
  return 0;
}

void stop_ring(RingLoop* loop) {
  RingHandles* const handles = loop->handles;
  if (handles == nullptr) return;
  loop->handles = nullptr;
  handles->loop = nullptr;
  loop->addon->running_rings.erase(loop);
  loop->ring.set_entering(false);
  if (handles->polling) loop->ring.signal(-1);
  // What was answered in this turn of JavaScript.
  loop->ring.enter(false, 0);
  uv_close(reinterpret_cast<uv_handle_t*>(&handles->prepare), on_closed);
  uv_close(reinterpret_cast<uv_handle_t*>(&handles->idle), on_closed);
  uv_close(reinterpret_cast<uv_handle_t*>(&handles->poll), on_closed);
  napi_delete_reference(loop->addon->env, loop->callback);
  loop->callback = nullptr;
  disown_ring(loop);
}

void disown_ring(RingLoop* loop) {
  if (--loop->owners > 0) return;
  Addon* const addon = loop->addon;
  addon->rings.erase(loop);
  delete loop;
  addon->release();
}

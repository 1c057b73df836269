#include "job.h"

#include <pthread.h>

#include <cerrno>
#include <csignal>

namespace {

struct Run {
  std::unique_ptr<Job> job;
  // Null for a job whose environment has ended already: then there is only the undoing left.
  std::shared_ptr<Mailbox> mailbox;
};

void* thread_main(void* argument) {
  // As top and ps show it.
  pthread_setname_np(pthread_self(), "bickford-job");
  std::unique_ptr<Run> run(static_cast<Run*>(argument));
  if (run->mailbox != nullptr) {
    run->job->run();
    const std::lock_guard<std::mutex> lock(run->mailbox->mutex);
    if (run->mailbox->wake != nullptr) {
      run->mailbox->done.push_back(run->job.release());
      // Under the lock: the environment closes the async handle only after it took `wake` away.
      uv_async_send(run->mailbox->wake);
      return nullptr;
    }
  }
  run->job->abandon();
  return nullptr;
}

bool start_thread(std::unique_ptr<Run> run) {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  // Signals are for the threads of the program.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pthread_t thread;
  const bool started = pthread_create(&thread, &attributes, thread_main, run.get()) == 0;
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  pthread_attr_destroy(&attributes);
  if (started) run.release();
  return started;
}

void deliver(Addon* addon) {
  std::vector<Job*> done;
  {
    const std::lock_guard<std::mutex> lock(addon->mailbox->mutex);
    done.swap(addon->mailbox->done);
  }
  for (Job* raw : done) {
    const std::unique_ptr<Job> job(raw);
    if (--addon->jobs == 0) uv_unref(reinterpret_cast<uv_handle_t*>(addon->wake));
    const Napi::HandleScope handles(addon->env);
    napi_callback_scope scope = nullptr;
    napi_value resource = nullptr;
    napi_create_object(addon->env, &resource);
    if (napi_open_callback_scope(addon->env, resource, addon->context, &scope) != napi_ok) continue;
    const Napi::Value value = job->result(addon->env);
    napi_resolve_deferred(addon->env, job->deferred, value);
    napi_close_callback_scope(addon->env, scope);
  }
}

void on_wake(uv_async_t* wake) { deliver(static_cast<Addon*>(wake->data)); }

void on_wake_closed(uv_handle_t* closed) {
  Addon* addon = static_cast<Addon*>(closed->data);
  delete reinterpret_cast<uv_async_t*>(closed);
  addon->uv_handle_closed();
  addon->release();
}

}  // namespace

Napi::Value start_job(Napi::Env env, std::unique_ptr<Job> job) {
  Addon* addon = Addon::of(env);
  napi_value promise = nullptr;
  napi_deferred deferred = nullptr;
  if (napi_create_promise(env, &deferred, &promise) != napi_ok) return {};
  job->deferred = deferred;
  auto run = std::make_unique<Run>();
  run->job = std::move(job);
  run->mailbox = addon->mailbox;
  if (addon->ending || !start_thread(std::move(run))) {
    napi_resolve_deferred(env, deferred, Napi::Number::New(env, -EAGAIN));
    return Napi::Value(env, promise);
  }
  if (addon->jobs++ == 0) uv_ref(reinterpret_cast<uv_handle_t*>(addon->wake));
  return Napi::Value(env, promise);
}

bool open_mailbox(Addon* addon) {
  uv_async_t* wake = new uv_async_t;
  if (uv_async_init(addon->loop, wake, on_wake) != 0) {
    delete wake;
    return false;
  }
  wake->data = addon;
  uv_unref(reinterpret_cast<uv_handle_t*>(wake));
  addon->wake = wake;
  addon->acquire();
  ++addon->open_uv_handles;
  addon->mailbox = std::make_shared<Mailbox>();
  addon->mailbox->wake = wake;
  return true;
}

void close_mailbox(Addon* addon) {
  std::vector<Job*> left;
  {
    const std::lock_guard<std::mutex> lock(addon->mailbox->mutex);
    addon->mailbox->wake = nullptr;
    left.swap(addon->mailbox->done);
  }
  for (Job* raw : left) {
    auto run = std::make_unique<Run>();
    run->job.reset(raw);
    // The undoing may block, and an environment's end must not.
    start_thread(std::move(run));
  }
  uv_close(reinterpret_cast<uv_handle_t*>(addon->wake), on_wake_closed);
}

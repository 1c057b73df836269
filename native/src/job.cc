#include "job.h"

#include <errno.h>
#include <pthread.h>

#include <memory>

namespace bickford {

namespace {

struct Job {
  Job(Napi::Env env, Work w) : deferred(Napi::Promise::Deferred::New(env)), work(std::move(w)) {}
  Napi::Promise::Deferred deferred;
  Work work;
  Deliver deliver;
  napi_threadsafe_function done = nullptr;
};

void* Run(void* data) {
  auto* job = static_cast<Job*>(data);
  job->deliver = job->work();
  napi_threadsafe_function done = job->done;
  // On success the job belongs to the environment's thread from here on; when that is ending, to nobody.
  if (napi_call_threadsafe_function(done, job, napi_tsfn_blocking) == napi_closing) {
    delete job;
    return nullptr;
  }
  napi_release_threadsafe_function(done, napi_tsfn_release);
  return nullptr;
}

void Finish(napi_env env, napi_value, void*, void* data) {
  std::unique_ptr<Job> job(static_cast<Job*>(data));
  // No environment: it is being torn down, and its promise with it.
  if (env == nullptr) return;
  Napi::HandleScope scope(env);
  job->deferred.Resolve(job->deliver(env));
}

}  // namespace

Napi::Value RunJob(Napi::Env env, const char* name, Work work) {
  auto job = std::make_unique<Job>(env, std::move(work));
  Napi::Promise promise = job->deferred.Promise();
  Napi::String resource = Napi::String::New(env, name);
  if (napi_create_threadsafe_function(env, nullptr, nullptr, resource, 0, 1, nullptr, nullptr, nullptr, Finish, &job->done) != napi_ok) {
    Napi::Error::New(env, "the event loop takes no more work").ThrowAsJavaScriptException();
    return env.Undefined();
  }
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_t thread;
  napi_threadsafe_function done = job->done;
  Job* running = job.release();
  int failed = pthread_create(&thread, &attributes, Run, running);
  pthread_attr_destroy(&attributes);
  if (failed != 0) {
    job.reset(running);
    job->deferred.Resolve(Napi::Number::New(env, -failed));
    napi_release_threadsafe_function(done, napi_tsfn_abort);
  }
  return promise;
}

}  // namespace bickford

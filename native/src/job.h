// Work that may block, on a thread of its own: never on libuv's pool, which a host program's file
// calls on its own mount may have filled.
#pragma once

#include "addon.h"

// Something to do off the JavaScript thread. Its owner is the thread while it runs, then the mailbox.
struct Job {
  virtual ~Job() = default;
  // On the job's thread.
  virtual void run() = 0;
  // On the JavaScript thread: what the promise resolves to.
  virtual Napi::Value result(Napi::Env env) = 0;
  // On a thread, when the environment ended before it could take the result: undoes what was done.
  virtual void abandon() = 0;

  napi_deferred deferred = nullptr;
};

// Starts the job and returns a promise of its result. A thread that cannot be started resolves it with
// -EAGAIN.
Napi::Value start_job(Napi::Env env, std::unique_ptr<Job> job);

// For the addon's start and end.
bool open_mailbox(Addon* addon);
void close_mailbox(Addon* addon);

// Where the addon's threads leave what they have done. Outlives the environment for as long as a
// thread needs it.
#pragma once

#include <uv.h>

#include <mutex>
#include <vector>

struct Job;

struct Mailbox {
  std::mutex mutex;
  std::vector<Job*> done;
  // Wakes the environment; null once it has ended, and then nobody takes what is left here.
  uv_async_t* wake = nullptr;
};

// What isolates of this process share, found by number: a thread can be given a number, but no pointer.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <unordered_map>

// Numbers are never used twice. What nobody owns any more is not found.
template <typename Shared>
class SharedRegistry {
 public:
  uint32_t add(const std::shared_ptr<Shared>& shared) {
    const std::lock_guard<std::mutex> lock(mutex_);
    for (auto each = entries_.begin(); each != entries_.end();) each = each->second.expired() ? entries_.erase(each) : std::next(each);
    entries_[++last_] = shared;
    return last_;
  }

  std::shared_ptr<Shared> find(uint32_t number) {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto found = entries_.find(number);
    return found == entries_.end() ? nullptr : found->second.lock();
  }

 private:
  std::mutex mutex_;
  std::unordered_map<uint32_t, std::weak_ptr<Shared>> entries_;
  uint32_t last_ = 0;
};

// An io_uring by its system calls: mapped rings, entries of 128 bytes, one thread that submits and reaps.
#pragma once

#include <cstddef>
#include <cstdint>

#include "unique_fd.h"

// A mapping, unmapped with its owner.
class Mapping {
 public:
  Mapping() = default;
  Mapping(Mapping&& other) noexcept;
  Mapping& operator=(Mapping&& other) noexcept;
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  ~Mapping() { reset(); }

  // 0 or a negative errno.
  int map(size_t size, int fd, int64_t offset);
  void reset();
  unsigned char* data() const { return data_; }

 private:
  unsigned char* data_ = nullptr;
  size_t size_ = 0;
};

// What a completion says.
struct Completion {
  uint64_t tag;
  int32_t result;
};

class Uring {
 public:
  // Makes a ring for `entries` submissions at a time and `completions` outstanding: 0 or a negative errno (EPERM and ENOSYS
  // where io_uring is denied, EINVAL before Linux 6.1). Only the calling thread may submit and reap.
  int open(uint32_t entries, uint32_t completions);
  // Unmaps and closes; what the kernel still has is cancelled.
  void close();
  bool is_open() const { return fd_.open(); }

  // An empty entry to fill in, submitted by the next `enter`; null when all are in use.
  unsigned char* next_entry();
  // Whether entries wait to be submitted.
  bool has_pending() const { return pending_ > 0; }
  // Submits, has the kernel run what it has for this thread, and waits for `completions`, at most `timeout_ms` (-1: for ever).
  // 0, -ETIME, -EINTR or another negative errno.
  int enter(uint32_t completions, int timeout_ms);
  // Has the kernel signal an eventfd when there is something for this thread to enter for; -1 ends that. 0 or a negative errno.
  int signal(int event);
  // Takes the oldest completion; false when there is none.
  bool reap(Completion* into);

 private:
  UniqueFd fd_;
  Mapping rings_;
  Mapping entries_;
  uint32_t* sq_head_ = nullptr;
  uint32_t* sq_tail_ = nullptr;
  uint32_t* cq_head_ = nullptr;
  uint32_t* cq_tail_ = nullptr;
  unsigned char* completions_ = nullptr;
  uint32_t sq_mask_ = 0;
  uint32_t cq_mask_ = 0;
  uint32_t pending_ = 0;
};

// Fields of an entry (struct io_uring_sqe).
namespace uring_entry {
constexpr size_t bytes = 128;
constexpr size_t opcode = 0;
constexpr size_t fd = 4;
constexpr size_t cmd_op = 8;
constexpr size_t addr = 16;
constexpr size_t len = 24;
constexpr size_t poll32_events = 28;
constexpr size_t user_data = 32;
constexpr size_t cmd = 48;
}

namespace uring_operation {
constexpr uint8_t POLL_ADD = 6;
constexpr uint8_t URING_CMD = 46;
}

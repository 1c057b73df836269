#include "uring.h"

#include <linux/time_types.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

// <linux/io_uring.h> of the oldest systems that this is compiled on lacks most of these; the numbers never change.
namespace {

// Of every architecture that the addon is built for (asm-generic/unistd.h, x86's syscall_64.tbl).
constexpr long nr_io_uring_setup = 425;
constexpr long nr_io_uring_enter = 426;
constexpr long nr_io_uring_register = 427;

constexpr unsigned REGISTER_EVENTFD = 4;
constexpr unsigned UNREGISTER_EVENTFD = 5;

constexpr uint32_t SETUP_CQSIZE = 1U << 3;
constexpr uint32_t SETUP_SUBMIT_ALL = 1U << 7;
constexpr uint32_t SETUP_SQE128 = 1U << 10;
constexpr uint32_t SETUP_SINGLE_ISSUER = 1U << 12;
constexpr uint32_t SETUP_DEFER_TASKRUN = 1U << 13;
constexpr uint32_t FEAT_SINGLE_MMAP = 1U << 0;
constexpr uint32_t FEAT_EXT_ARG = 1U << 8;
constexpr uint32_t ENTER_GETEVENTS = 1U << 0;
constexpr uint32_t ENTER_EXT_ARG = 1U << 3;
constexpr int64_t OFF_SQ_RING = 0;
constexpr int64_t OFF_SQES = 0x10000000;

struct SubmissionOffsets {
  uint32_t head, tail, ring_mask, ring_entries, flags, dropped, array, resv1;
  uint64_t user_addr;
};

struct CompletionOffsets {
  uint32_t head, tail, ring_mask, ring_entries, overflow, cqes, flags, resv1;
  uint64_t user_addr;
};

// struct io_uring_params
struct Parameters {
  uint32_t sq_entries, cq_entries, flags, sq_thread_cpu, sq_thread_idle, features, wq_fd, resv[3];
  SubmissionOffsets sq_off;
  CompletionOffsets cq_off;
};
static_assert(sizeof(Parameters) == 120, "struct io_uring_params");

// struct io_uring_cqe
struct Cqe {
  uint64_t user_data;
  int32_t res;
  uint32_t flags;
};
static_assert(sizeof(Cqe) == 16, "struct io_uring_cqe");

// struct io_uring_getevents_arg
struct EventsArgument {
  uint64_t sigmask;
  uint32_t sigmask_sz;
  uint32_t pad;
  uint64_t ts;
};

uint32_t* word(const Mapping& mapping, uint32_t offset) { return reinterpret_cast<uint32_t*>(mapping.data() + offset); }

}  // namespace

Mapping::Mapping(Mapping&& other) noexcept : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

Mapping& Mapping::operator=(Mapping&& other) noexcept {
  if (this == &other) return *this;
  reset();
  data_ = std::exchange(other.data_, nullptr);
  size_ = std::exchange(other.size_, 0);
  return *this;
}

int Mapping::map(size_t size, int fd, int64_t offset) {
  reset();
  void* const mapped = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, static_cast<off_t>(offset));
  if (mapped == MAP_FAILED) return -errno;
  data_ = static_cast<unsigned char*>(mapped);
  size_ = size;
  return 0;
}

void Mapping::reset() {
  if (data_ != nullptr) munmap(data_, size_);
  data_ = nullptr;
  size_ = 0;
}

int Uring::open(uint32_t entries, uint32_t completions) {
  Parameters parameters{};
  parameters.flags = SETUP_CQSIZE | SETUP_SUBMIT_ALL | SETUP_SQE128 | SETUP_SINGLE_ISSUER | SETUP_DEFER_TASKRUN;
  parameters.cq_entries = completions;
  const long fd = syscall(nr_io_uring_setup, entries, &parameters);
  if (fd < 0) return -errno;
  fd_.reset(static_cast<int>(fd));
  if ((parameters.features & FEAT_SINGLE_MMAP) == 0 || (parameters.features & FEAT_EXT_ARG) == 0) {
    close();
    return -ENOSYS;
  }
  const size_t of_submissions = parameters.sq_off.array + parameters.sq_entries * sizeof(uint32_t);
  const size_t of_completions = parameters.cq_off.cqes + parameters.cq_entries * sizeof(Cqe);
  int error = rings_.map(of_submissions > of_completions ? of_submissions : of_completions, fd_.get(), OFF_SQ_RING);
  if (error == 0) error = entries_.map(parameters.sq_entries * uring_entry::bytes, fd_.get(), OFF_SQES);
  if (error != 0) {
    close();
    return error;
  }
  sq_head_ = word(rings_, parameters.sq_off.head);
  sq_tail_ = word(rings_, parameters.sq_off.tail);
  sq_mask_ = *word(rings_, parameters.sq_off.ring_mask);
  cq_head_ = word(rings_, parameters.cq_off.head);
  cq_tail_ = word(rings_, parameters.cq_off.tail);
  cq_mask_ = *word(rings_, parameters.cq_off.ring_mask);
  completions_ = rings_.data() + parameters.cq_off.cqes;
  // Entry by entry, always: the place in the array is the place of the entry.
  uint32_t* const array = word(rings_, parameters.sq_off.array);
  for (uint32_t i = 0; i < parameters.sq_entries; ++i) array[i] = i;
  return 0;
}

void Uring::close() {
  // The mappings hold the ring as its descriptor does.
  entries_.reset();
  rings_.reset();
  fd_.reset(-1);
  pending_ = 0;
}

unsigned char* Uring::next_entry() {
  const uint32_t tail = *sq_tail_;
  if (tail - __atomic_load_n(sq_head_, __ATOMIC_ACQUIRE) > sq_mask_) return nullptr;
  unsigned char* const entry = entries_.data() + (tail & sq_mask_) * uring_entry::bytes;
  memset(entry, 0, uring_entry::bytes);
  // This thread alone submits: the kernel looks at the entry when `enter` says so.
  __atomic_store_n(sq_tail_, tail + 1, __ATOMIC_RELEASE);
  ++pending_;
  return entry;
}

int Uring::enter(uint32_t completions, int timeout_ms) {
  __kernel_timespec time{timeout_ms / 1000, (timeout_ms % 1000) * 1000000LL};
  EventsArgument argument{0, _NSIG / 8, 0, timeout_ms < 0 ? 0 : reinterpret_cast<uintptr_t>(&time)};
  const uint32_t flags = ENTER_GETEVENTS | ENTER_EXT_ARG;
  const long submitted = syscall(nr_io_uring_enter, fd_.get(), pending_, completions, flags, &argument, sizeof argument);
  const int error = submitted < 0 ? -errno : 0;
  // What was submitted is told by the queue itself, also where waiting ended with an error.
  pending_ = *sq_tail_ - __atomic_load_n(sq_head_, __ATOMIC_ACQUIRE);
  return error;
}

int Uring::signal(int event) {
  const long result = event < 0 ? syscall(nr_io_uring_register, fd_.get(), UNREGISTER_EVENTFD, nullptr, 0U)
                                : syscall(nr_io_uring_register, fd_.get(), REGISTER_EVENTFD, &event, 1U);
  return result < 0 ? -errno : 0;
}

bool Uring::reap(Completion* into) {
  const uint32_t head = *cq_head_;
  if (head == __atomic_load_n(cq_tail_, __ATOMIC_ACQUIRE)) return false;
  const Cqe* const completion = reinterpret_cast<const Cqe*>(completions_) + (head & cq_mask_);
  *into = {completion->user_data, completion->res};
  __atomic_store_n(cq_head_, head + 1, __ATOMIC_RELEASE);
  return true;
}

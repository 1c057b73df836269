#include "ring.h"

#include <poll.h>
#include <cerrno>
#include <cstring>
#include <utility>

#include "fuse_wire.h"

namespace {

// Tags of completions that are of no entry.
constexpr uint64_t watch_tag = UINT64_MAX;
constexpr uint64_t give_back_tag = UINT64_MAX - 1;

// More submissions than that at a time go in several calls.
constexpr uint32_t most_submissions = 1024;

// No machine has it: the kernel takes the registration of such a queue for one that failed.
constexpr uint16_t no_queue = UINT16_MAX;

void put(unsigned char* entry, size_t offset, const void* value, size_t size) { memcpy(entry + offset, value, size); }

template <typename Value>
void put(unsigned char* entry, size_t offset, Value value) {
  put(entry, offset, &value, sizeof value);
}

}  // namespace

int Ring::open(std::vector<uint16_t> queues) {
  queues_ = std::move(queues);
  control_ = std::make_unique<unsigned char[]>(control_bytes());
  memset(control_.get(), 0, control_bytes());
  const uint32_t entries = static_cast<uint32_t>(queues_.size());
  // Besides the entries the ring has the watch, and the command that gives the connection back.
  const uint32_t outstanding = entries + 2;
  return uring_.open(outstanding < most_submissions ? outstanding : most_submissions, outstanding);
}

void Ring::close() {
  uring_.close();
  watching_ = false;
}

size_t Ring::control_bytes() const { return sizeof(RingWords) + 2 * queues_.size() * sizeof(uint32_t); }

// The next entry of the submission queue, which is emptied first where it is full.
unsigned char* Ring::entry_to_fill() {
  unsigned char* entry = uring_.next_entry();
  if (entry != nullptr) return entry;
  uring_.enter(0, 0);
  return uring_.next_entry();
}

// IORING_OP_URING_CMD on the device, with struct fuse_uring_cmd_req in its own part.
void Ring::command(uint32_t operation, uint32_t entry, uint64_t commit_id, uint16_t queue) {
  unsigned char* const submission = entry_to_fill();
  if (submission == nullptr) return;
  put<uint8_t>(submission, uring_entry::opcode, uring_operation::URING_CMD);
  put<int32_t>(submission, uring_entry::fd, device_);
  put<uint32_t>(submission, uring_entry::cmd_op, operation);
  if (operation == fuse_wire::uring_command::REGISTER) {
    put<uint64_t>(submission, uring_entry::addr, reinterpret_cast<uintptr_t>(&parts_[size_t{entry} * 2]));
    put<uint32_t>(submission, uring_entry::len, 2);
  }
  put<uint64_t>(submission, uring_entry::user_data, queue == no_queue ? give_back_tag : entry);
  put<uint64_t>(submission, uring_entry::cmd + fuse_wire::uring_cmd_req::commit_id, commit_id);
  put<uint16_t>(submission, uring_entry::cmd + fuse_wire::uring_cmd_req::qid, queue);
}

void Ring::register_entry(uint32_t entry) { command(fuse_wire::uring_command::REGISTER, entry, 0, queues_[entry]); }

// Writes a reply's header over the request's, which has `unique` at the same place.
void Ring::put_reply(uint32_t entry, const RingReply& reply) {
  unsigned char* const header = memory_->data() + RingLayout::header_at(entry);
  const uint32_t length = static_cast<uint32_t>(fuse_wire::out_header::bytes) + reply.body_size;
  put<uint32_t>(header, fuse_wire::uring_req_header::in_out + fuse_wire::out_header::len, length);
  put<int32_t>(header, fuse_wire::uring_req_header::in_out + fuse_wire::out_header::error, reply.error);
  put<uint32_t>(header, fuse_wire::uring_req_header::ring_ent_in_out + fuse_wire::uring_ent_in_out::payload_sz, reply.body_size);
}

// Answers EIO to what an isolate that is gone had in hand.
void Ring::refuse_entry(uint32_t entry) {
  put_reply(entry, {-EIO, 0});
  commit_entry(entry);
}

bool Ring::answer_entry(uint32_t entry) {
  const RingLayout& layout = memory_->layout();
  unsigned char* const header = memory_->data() + RingLayout::header_at(entry);
  uint32_t payload_size = 0;
  memcpy(&payload_size, header + fuse_wire::uring_req_header::ring_ent_in_out + fuse_wire::uring_ent_in_out::payload_sz, sizeof payload_size);
  const RingRequest request{header + fuse_wire::uring_req_header::in_out, header + fuse_wire::uring_req_header::op_in,
                            memory_->data() + layout.payload_at(entry), payload_size, layout.payload};
  RingReply reply;
  if (!answerer_->answer(request, &reply)) return false;
  put_reply(entry, reply);
  return true;
}

int32_t Ring::answer_ready() {
  if (answerer_ == nullptr) return 0;
  RingWords* const control = counts();
  int32_t left = 0;
  int32_t answered = 0;
  for (int32_t i = 0; i < control->ready; ++i) {
    const uint32_t entry = ready_list()[i];
    if (answer_entry(entry)) {
      // As if JavaScript had answered: should this ring end before it is committed, the next one owes the reply.
      memory_->set_state(entry, EntryState::given);
      commit_list()[control->commits++] = entry;
      ++answered;
    } else {
      ready_list()[left++] = entry;
    }
  }
  control->ready = left;
  return answered;
}

int Ring::register_entries(int device, std::shared_ptr<RingMemory> memory) {
  device_ = device;
  memory_ = std::move(memory);
  const RingLayout& layout = memory_->layout();
  parts_.resize(queues_.size() * 2);
  registering_ = true;
  for (uint32_t entry = 0; entry < queues_.size(); ++entry) {
    parts_[size_t{entry} * 2] = {memory_->data() + RingLayout::header_at(entry), fuse_wire::uring_req_header::bytes};
    parts_[size_t{entry} * 2 + 1] = {memory_->data() + layout.payload_at(entry), layout.payload};
    const EntryState state = memory_->state(entry);
    if (state == EntryState::kernels) register_entry(entry);
    else if (state == EntryState::given) refuse_entry(entry);
    else ready_list()[counts()->ready++] = entry;
  }
  const int error = uring_.enter(0, 0);
  reap();
  registering_ = false;
  return refused_ != 0 ? refused_ : error;
}

void Ring::give_ready() {
  for (int32_t i = 0; i < ready(); ++i) memory_->set_state(ready_list()[i], EntryState::given);
}

void Ring::give_back(int device) {
  device_ = device;
  if (parts_.size() < 2) parts_.resize(2);
  command(fuse_wire::uring_command::REGISTER, 0, 0, no_queue);
  uring_.enter(0, 0);
}

void Ring::commit_entry(uint32_t entry) {
  uint64_t commit_id = 0;
  const size_t at = RingLayout::header_at(entry) + fuse_wire::uring_req_header::ring_ent_in_out + fuse_wire::uring_ent_in_out::commit_id;
  memcpy(&commit_id, memory_->data() + at, sizeof commit_id);
  memory_->set_state(entry, EntryState::kernels);
  command(fuse_wire::uring_command::COMMIT_AND_FETCH, entry, commit_id, queues_[entry]);
}

void Ring::submit_commits() {
  RingWords* const control = counts();
  for (int32_t i = 0; i < control->commits; ++i) {
    const uint32_t entry = commit_list()[i];
    if (entry < queues_.size()) commit_entry(entry);
  }
  control->commits = 0;
}

void Ring::watch(int fd) {
  unsigned char* const submission = entry_to_fill();
  if (submission == nullptr) return;
  put<uint8_t>(submission, uring_entry::opcode, uring_operation::POLL_ADD);
  put<int32_t>(submission, uring_entry::fd, fd);
  put<uint32_t>(submission, uring_entry::poll32_events, POLLIN);
  put<uint64_t>(submission, uring_entry::user_data, watch_tag);
  watching_ = true;
}

bool Ring::take_woken() { return std::exchange(woken_, false); }

int Ring::enter(bool wait, int timeout_ms) {
  // At an environment's end the memory can go first, and closes the ring.
  if (!uring_.is_open()) return -EBADF;
  submit_commits();
  const int error = uring_.enter(wait ? 1 : 0, wait ? timeout_ms : 0);
  reap();
  return error;
}

void Ring::reap() {
  RingWords* const control = counts();
  Completion completion;
  while (uring_.reap(&completion)) {
    if (completion.tag == watch_tag) {
      watching_ = false;
      woken_ = true;
      continue;
    }
    if (completion.tag >= queues_.size()) continue;
    const uint32_t entry = static_cast<uint32_t>(completion.tag);
    // An entry is ready once until it is committed, so the list has room for all.
    if (completion.result == 0) {
      memory_->set_state(entry, EntryState::ready);
      ready_list()[control->ready++] = entry;
    } else if (registering_ && completion.result != -ENOENT) refused_ = refused_ != 0 ? refused_ : completion.result;
    // The kernel has taken the reply's place from it (a request that is gone): it is offered anew. When the connection has ended,
    // the device says so.
    else if (completion.result == -ENOENT) register_entry(entry);
  }
}

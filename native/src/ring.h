// FUSE over io_uring: the entries of a connection's queues, registered with the kernel and committed one request at a time.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "request_answerer.h"
#include "ring_memory.h"
#include "shared_words.h"
#include "uring.h"

class Ring {
 public:
  Ring() = default;
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;

  // Makes the io_uring for an entry in each of `queues` (their numbers, one for each entry): 0 or a negative errno.
  int open(std::vector<uint16_t> queues);
  // Registers all entries for `device`: 0, or the negative errno of the first that was refused. What an earlier ring of that memory,
  // which is closed, had given to JavaScript is answered EIO, and with that the entry is this ring's; what it had not is ready.
  int register_entries(int device, std::shared_ptr<RingMemory> memory);
  // What answers requests before they are ready; null for nothing.
  void answer_by(std::shared_ptr<RequestAnswerer> answerer) { answerer_ = std::move(answerer); }
  // Has it answer what is ready: how many it has. They are committed by the next `enter`.
  int32_t answer_ready();
  // JavaScript is about to be told of what is ready.
  void give_ready();
  // Has the kernel serve the connection by its device again: for a registration that was not completed.
  void give_back(int device);
  // Unmaps and closes the io_uring. The memory of the entries is the caller's.
  void close();

  bool is_open() const { return uring_.is_open(); }
  size_t entries() const { return queues_.size(); }
  unsigned char* control() const { return control_.get(); }
  size_t control_bytes() const;
  // Whether entries have been registered, or tried to be.
  bool is_registered() const { return memory_ != nullptr; }
  int32_t ready() const { return counts()->ready; }
  void set_entering(bool entering) const { counts()->entering = entering ? 1 : 0; }

  // A completion tells, once, when `fd` can be read.
  void watch(int fd);
  // Whether what `watch` was called for has come since it was asked last.
  bool take_woken();
  bool is_watching() const { return watching_; }
  // As of `Uring`.
  int signal(int event) { return uring_.signal(event); }
  // Submits what is to be committed, waits for a completion if `wait`, at most `timeout_ms` (-1: for ever), and adds what came to
  // the list of what is ready. 0, -ETIME, -EINTR or a negative errno after which the ring is of no use: -EBADF when it is closed.
  int enter(bool wait, int timeout_ms);

 private:
  RingWords* counts() const { return reinterpret_cast<RingWords*>(control_.get()); }
  uint32_t* commit_list() const { return reinterpret_cast<uint32_t*>(control_.get() + sizeof(RingWords)); }
  uint32_t* ready_list() const { return commit_list() + queues_.size(); }
  unsigned char* entry_to_fill();
  void command(uint32_t operation, uint32_t entry, uint64_t commit_id, uint16_t queue);
  void register_entry(uint32_t entry);
  void commit_entry(uint32_t entry);
  void refuse_entry(uint32_t entry);
  void put_reply(uint32_t entry, const RingReply& reply);
  bool answer_entry(uint32_t entry);
  void submit_commits();
  void reap();

  Uring uring_;
  std::vector<uint16_t> queues_;
  std::unique_ptr<unsigned char[]> control_;
  std::vector<iovec> parts_;
  std::shared_ptr<RingMemory> memory_;
  std::shared_ptr<RequestAnswerer> answerer_;
  int device_ = -1;
  bool registering_ = false;
  int refused_ = 0;
  bool watching_ = false;
  bool woken_ = false;
};

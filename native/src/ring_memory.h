// The memory of a ring's entries. It can outlive the isolate that serves them: what that had in hand is known by it to the next.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

// Where an entry's parts lie in the memory of all: first every header, then every payload.
struct RingLayout {
  // Bytes of all headers together, and of one payload: whole pages.
  size_t headers;
  size_t payload;

  static RingLayout of(size_t entries, size_t payload);
  // Bytes from one header to the next.
  static size_t header_stride();
  static size_t header_at(size_t entry) { return entry * header_stride(); }
  size_t payload_at(size_t entry) const { return headers + entry * payload; }
};

// Whose an entry is.
enum class EntryState : uint8_t {
  // It waits for a request.
  kernels,
  // It has one that nobody was told of.
  ready,
  // JavaScript owes the reply.
  given,
};

class RingMemory {
 public:
  // Null, and errno, when there is none.
  static std::shared_ptr<RingMemory> make(size_t entries, size_t payload);
  ~RingMemory();
  RingMemory(const RingMemory&) = delete;
  RingMemory& operator=(const RingMemory&) = delete;

  unsigned char* data() const { return data_; }
  size_t entries() const { return entries_; }
  const RingLayout& layout() const { return layout_; }
  size_t bytes() const { return layout_.payload_at(entries_); }

  EntryState state(size_t entry) const { return states_[entry].load(std::memory_order_acquire); }
  void set_state(size_t entry, EntryState state) { states_[entry].store(state, std::memory_order_release); }

 private:
  RingMemory(size_t entries, const RingLayout& layout, unsigned char* data);

  size_t entries_;
  RingLayout layout_;
  unsigned char* data_;
  std::unique_ptr<std::atomic<EntryState>[]> states_;
};

#include "ring_memory.h"

#include <sys/mman.h>

#include "fuse_wire.h"
#include "memory.h"

RingLayout RingLayout::of(size_t entries, size_t payload) {
  return {round_up(entries * header_stride(), page_size()), round_up(payload, page_size())};
}

// Each begins at a cache line.
size_t RingLayout::header_stride() { return round_up(fuse_wire::uring_req_header::bytes, 64); }

std::shared_ptr<RingMemory> RingMemory::make(size_t entries, size_t payload) {
  const RingLayout layout = RingLayout::of(entries, payload);
  void* const mapped = mmap(nullptr, layout.payload_at(entries), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapped == MAP_FAILED) return nullptr;
  return std::shared_ptr<RingMemory>(new RingMemory(entries, layout, static_cast<unsigned char*>(mapped)));
}

RingMemory::RingMemory(size_t entries, const RingLayout& layout, unsigned char* data)
    : entries_(entries), layout_(layout), data_(data), states_(new std::atomic<EntryState>[entries]()) {}

RingMemory::~RingMemory() { munmap(data_, bytes()); }

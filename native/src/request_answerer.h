// What answers requests before JavaScript is told of them.
#pragma once

#include <cstddef>
#include <cstdint>

// A request in an entry of a ring. Its reply's body goes where its payload is.
struct RingRequest {
  // struct fuse_in_header.
  const unsigned char* header;
  // The first argument struct.
  const unsigned char* arguments;
  // The rest of the request.
  unsigned char* payload;
  size_t payload_size;
  // Bytes that a body may have.
  size_t capacity;
};

struct RingReply {
  // 0 or a negative errno.
  int32_t error = 0;
  uint32_t body_size = 0;
};

class RequestAnswerer {
 public:
  virtual ~RequestAnswerer() = default;
  // Answers the request, or leaves it, untouched, to JavaScript: false. Called on the thread of the ring's environment, and never waits for
  // another request.
  virtual bool answer(const RingRequest& request, RingReply* reply) = 0;

 protected:
  RequestAnswerer() = default;
  RequestAnswerer(const RequestAnswerer&) = default;
  RequestAnswerer& operator=(const RequestAnswerer&) = default;
};

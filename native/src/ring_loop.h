// A ring on the event loop of its environment.
#pragma once

#include "addon.h"
#include "ring.h"

struct RingHandles;

struct RingLoop {
  Addon* addon;
  Ring ring;
  // Called with the number of entries that are ready, or with a negative errno after which the ring is of no use.
  napi_ref callback = nullptr;
  // Null while nobody is called.
  RingHandles* handles = nullptr;
  // The functions and the memory that share it; the last one to go frees it.
  int owners = 1;
};

// Waits for the ring's completions, and for all else of the loop, from now on, and calls `callback`: 0 or a negative errno. A ring
// that is waited for owns a share of itself.
int start_ring(RingLoop* loop, napi_value callback);
// Leaves the ring alone. Idempotent.
void stop_ring(RingLoop* loop);
// Gives a share back.
void disown_ring(RingLoop* loop);

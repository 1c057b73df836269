// Made by scripts/shared-words.ts of packages/transport/src/sharedWords.ts, which says what each word is; do not edit.
#pragma once

#include <cstddef>
#include <cstdint>

// What a channel's functions are told, and what they answer.
struct ChannelWords {
  int32_t memory;
  int32_t write_at;
  int32_t write_length;
  int32_t read_at;
  int32_t read_length;
  int32_t written;
  int32_t read;
  int32_t lend;
  int32_t apart;
};

// What a ring's two sides tell each other, before its two lists.
struct RingWords {
  int32_t commits;
  int32_t ready;
  int32_t entering;
};

// Where in a file's attributes each is.
namespace attribute_words {
constexpr size_t ino = 0;
constexpr size_t size = 2;
constexpr size_t blocks = 4;
constexpr size_t mode = 6;
constexpr size_t nlink = 7;
constexpr size_t uid = 8;
constexpr size_t gid = 9;
constexpr size_t rdev = 10;
constexpr size_t blksize = 11;
constexpr size_t atime = 12;
constexpr size_t mtime = 15;
constexpr size_t ctime = 18;
constexpr size_t btime = 21;
constexpr size_t dev_major = 24;
constexpr size_t dev_minor = 25;
constexpr size_t mask = 26;
constexpr size_t attributes = 27;
constexpr size_t attributes_mask = 28;
constexpr size_t count = 29;
}

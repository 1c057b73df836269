#include "files_answerer.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "fs_attributes.h"
#include "fuse_wire.h"

namespace {

// GETATTR: the handle counts (FUSE_GETATTR_FH).
constexpr uint32_t by_handle = 1;
// How a file is open that the kernel reads by itself (FOPEN_NOFLUSH, FOPEN_PASSTHROUGH).
constexpr uint32_t opened_backed = 1U << 5 | 1U << 7;
// Directories whose names are looked at before a change. Where there are more JavaScript does it.
constexpr int checked_most = 16;

template <typename Value>
Value take(const unsigned char* from, size_t offset) {
  Value value;
  memcpy(&value, from + offset, sizeof value);
  return value;
}

template <typename Value>
void put(unsigned char* to, size_t offset, Value value) {
  memcpy(to + offset, &value, sizeof value);
}

// The name that a payload is; null where it is no name of one component that leads down.
const char* name_in(const RingRequest& request) {
  const char* const name = reinterpret_cast<const char*>(request.payload);
  if (request.payload_size < 2 || name[request.payload_size - 1] != '\0') return nullptr;
  if (strlen(name) != request.payload_size - 1 || memchr(name, '/', request.payload_size) != nullptr) return nullptr;
  const bool dots = name[0] == '.' && (name[1] == '\0' || (name[1] == '.' && name[2] == '\0'));
  return dots ? nullptr : name;
}

}  // namespace

bool FilesAnswerer::answer(const RingRequest& request, RingReply* reply) {
  if (files_ == nullptr) return false;
  switch (take<uint32_t>(request.header, fuse_wire::in_header::opcode)) {
    case fuse_wire::opcode::LOOKUP:
      return look_up(request, reply);
    case fuse_wire::opcode::GETATTR:
      return get_attributes(request, reply);
    case fuse_wire::opcode::OPEN:
      return open_file(request, reply);
    case fuse_wire::opcode::RELEASE:
      return release_file(request);
    case fuse_wire::opcode::UNLINK:
      return remove_name(request, 0);
    case fuse_wire::opcode::RMDIR:
      return remove_name(request, AT_REMOVEDIR);
    default:
      return false;
  }
}

bool FilesAnswerer::is_covered(const char* name) const {
  return std::any_of(options_.covered.begin(), options_.covered.end(), [name](const std::string& each) { return each == name; });
}

bool FilesAnswerer::is_on_root_filesystem() const {
  const FileIdentity& root = files_->files().root_identity();
  return addon_->attributes[attribute_words::dev_major] == root.device_major && addon_->attributes[attribute_words::dev_minor] == root.device_minor;
}

// The kernel reads and writes a file that is open by its registration without a word: its attributes hold for no time.
Validity FilesAnswerer::attributes_validity(uint64_t node) const {
  return files_->files().is_backed(node) ? Validity{} : options_.attributes;
}

void FilesAnswerer::put_attributes(unsigned char* to) const {
  namespace attr = fuse_wire::attr;
  const uint32_t* const words = addon_->attributes;
  const auto wide = [words](size_t index) { return static_cast<uint64_t>(words[index + 1]) << 32 | words[index]; };
  put<uint64_t>(to, attr::ino, wide(attribute_words::ino));
  put<uint64_t>(to, attr::size, wide(attribute_words::size));
  put<uint64_t>(to, attr::blocks, wide(attribute_words::blocks));
  put<uint64_t>(to, attr::atime, wide(attribute_words::atime));
  put<uint64_t>(to, attr::mtime, wide(attribute_words::mtime));
  put<uint64_t>(to, attr::ctime, wide(attribute_words::ctime));
  put<uint32_t>(to, attr::atimensec, words[attribute_words::atime + 2]);
  put<uint32_t>(to, attr::mtimensec, words[attribute_words::mtime + 2]);
  put<uint32_t>(to, attr::ctimensec, words[attribute_words::ctime + 2]);
  put<uint32_t>(to, attr::mode, words[attribute_words::mode]);
  put<uint32_t>(to, attr::nlink, words[attribute_words::nlink]);
  put<uint32_t>(to, attr::uid, words[attribute_words::uid]);
  put<uint32_t>(to, attr::gid, words[attribute_words::gid]);
  put<uint32_t>(to, attr::rdev, words[attribute_words::rdev]);
  put<uint32_t>(to, attr::blksize, words[attribute_words::blksize]);
  put<uint32_t>(to, attr::flags, 0);
}

bool FilesAnswerer::look_up(const RingRequest& request, RingReply* reply) {
  namespace out = fuse_wire::entry_out;
  const char* const name = name_in(request);
  if (name == nullptr || request.capacity < out::bytes || is_covered(name)) return false;
  const uint64_t parent = take<uint64_t>(request.header, fuse_wire::in_header::nodeid);
  const int folder = files_->directory_of(parent);
  if (folder < 0) return false;
  uint64_t node = 0;
  if (fs_look_across(addon_, folder, name) == 0) {
    if (!is_on_root_filesystem()) return false;
    node = files_->files().find(identity_seen(addon_), true, parent, name);
    if (node == 0) return false;
  } else if (errno != ENOENT) {
    return false;
  } else if (!options_.trusts_absence) {
    reply->error = -ENOENT;
    return true;
  }
  unsigned char* const to = request.payload;
  memset(to, 0, out::bytes);
  const Validity& entry = node == 0 ? options_.absence : options_.entry;
  put<uint64_t>(to, out::nodeid, node);
  put<uint64_t>(to, out::entry_valid, entry.seconds);
  put<uint32_t>(to, out::entry_valid_nsec, entry.nanoseconds);
  if (node != 0) {
    const Validity attributes = attributes_validity(node);
    put<uint64_t>(to, out::attr_valid, attributes.seconds);
    put<uint32_t>(to, out::attr_valid_nsec, attributes.nanoseconds);
    put_attributes(to + out::attr);
  }
  reply->body_size = out::bytes;
  return true;
}

bool FilesAnswerer::get_attributes(const RingRequest& request, RingReply* reply) {
  namespace in = fuse_wire::getattr_in;
  namespace out = fuse_wire::attr_out;
  if (request.capacity < out::bytes) return false;
  const uint64_t node = take<uint64_t>(request.header, fuse_wire::in_header::nodeid);
  OpenedFile opened;
  // An open file is looked at as it is open: the kernel sends RELEASE last, so the descriptor is there meanwhile.
  const bool is_open = (take<uint32_t>(request.arguments, in::getattr_flags) & by_handle) != 0 &&
                       files_->files().opened(take<uint64_t>(request.arguments, in::fh), &opened) && opened.fd >= 0;
  const int fd = is_open ? opened.fd : files_->descriptor_of(node);
  if (fd < 0 || fs_look(addon_, fd, "") != 0 || !is_on_root_filesystem()) return false;
  unsigned char* const to = request.payload;
  const Validity attributes = attributes_validity(node);
  memset(to, 0, out::bytes);
  put<uint64_t>(to, out::attr_valid, attributes.seconds);
  put<uint32_t>(to, out::attr_valid_nsec, attributes.nanoseconds);
  put_attributes(to + out::attr);
  reply->body_size = out::bytes;
  return true;
}

// What is only read, of a file that is registered: JavaScript has told of it when it opened it so before.
bool FilesAnswerer::open_file(const RingRequest& request, RingReply* reply) {
  namespace out = fuse_wire::open_out;
  const auto flags = static_cast<int32_t>(take<uint32_t>(request.arguments, fuse_wire::open_in::flags));
  if (request.capacity < out::bytes || (flags & (O_ACCMODE | O_TRUNC | O_APPEND)) != 0) return false;
  uint64_t handle = 0;
  int32_t backing = 0;
  if (!files_->open_backed(take<uint64_t>(request.header, fuse_wire::in_header::nodeid), flags, &handle, &backing)) return false;
  put<uint64_t>(request.payload, out::fh, handle);
  put<uint32_t>(request.payload, out::open_flags, opened_backed);
  put<int32_t>(request.payload, out::backing_id, backing);
  reply->body_size = out::bytes;
  return true;
}

bool FilesAnswerer::release_file(const RingRequest& request) {
  SharedFiles& files = files_->files();
  const uint64_t handle = take<uint64_t>(request.arguments, fuse_wire::release_in::fh);
  if (files.close_backed(handle, options_.backed_bits)) return true;
  OpenedFile file;
  if (!files.close_unbacked(handle, options_.backed_bits, &file)) return false;
  if ((file.bits & options_.made_bits) != 0 && fs_look(addon_, file.fd, "") == 0) {
    const uint32_t* const size = addon_->attributes + attribute_words::size;
    files.note_made(static_cast<uint64_t>(size[1]) << 32 | size[0]);
  }
  ::close(file.fd);
  return true;
}

bool FilesAnswerer::is_reached(uint64_t directory) {
  // The kernel has just looked the path up.
  if (options_.entry.seconds == 0 && options_.entry.nanoseconds == 0) return true;
  SharedFiles& files = files_->files();
  uint64_t at = directory;
  for (int checked = 0; at != SharedFiles::root; ++checked) {
    uint64_t parent = 0;
    std::string name;
    FileIdentity identity;
    if (checked == checked_most || !files.place_of(at, &parent, &name) || parent == 0 || !files.identity_of(at, &identity)) return false;
    const int folder = files_->descriptor_of(parent);
    if (folder < 0 || fs_look_across(addon_, folder, name.c_str()) != 0 || !(identity_seen(addon_) == identity)) return false;
    at = parent;
  }
  return true;
}

// What the call refuses is left to JavaScript, which has it refused once more.
bool FilesAnswerer::remove_name(const RingRequest& request, int flags) {
  const char* const name = name_in(request);
  if (name == nullptr || is_covered(name)) return false;
  const uint64_t parent = take<uint64_t>(request.header, fuse_wire::in_header::nodeid);
  const int folder = files_->directory_of(parent);
  if (folder < 0 || !is_reached(parent) || unlinkat(folder, name, flags) != 0) return false;
  files_->files().note_removed(parent, name);
  return true;
}

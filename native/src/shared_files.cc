#include "shared_files.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <ctime>
#include <utility>

namespace {

using Lock = std::lock_guard<std::mutex>;

int64_t now() {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<int64_t>(time.tv_sec) * 1000000000 + time.tv_nsec;
}

}  // namespace

size_t FileIdentityHash::operator()(const FileIdentity& identity) const {
  // Inode numbers are often consecutive: the multiplication (2^64 by the golden ratio) spreads them over shards and buckets.
  uint64_t hash = identity.ino ^ (static_cast<uint64_t>(identity.device_major) << 52) ^ (static_cast<uint64_t>(identity.device_minor) << 32);
  hash = (hash ^ static_cast<uint64_t>(identity.birth_seconds) ^ identity.birth_nanoseconds) * 0x9e3779b97f4a7c15u;
  return static_cast<size_t>(hash ^ (hash >> 29));
}

SharedFiles::SharedFiles(const FileIdentity& root_identity) : root_identity_(root_identity) {
  Node node;
  node.identity = root_identity;
  shard_of(root).nodes.emplace(root, std::move(node));
}

SharedFiles::~SharedFiles() {
  for (Shard& shard : shards_) {
    for (const auto& file : shard.files) {
      if (file.second.fd >= 0) ::close(file.second.fd);
    }
  }
}

SharedFiles::Node* SharedFiles::node_in(Shard& shard, uint64_t node) {
  const auto found = shard.nodes.find(node);
  return found == shard.nodes.end() ? nullptr : &found->second;
}

void SharedFiles::see(Node& node, uint64_t parent, const char* name) {
  node.parent = parent;
  if (node.name != name) node.name = name;
}

uint64_t SharedFiles::find(const FileIdentity& identity, bool count, uint64_t parent, const char* name) {
  if (identity == root_identity_) return root;
  Shard& shard = shard_of(FileIdentityHash{}(identity));
  const Lock lock(shard.mutex);
  const auto found = shard.by_identity.find(identity);
  if (found == shard.by_identity.end()) return 0;
  Node* const node = node_in(shard, found->second);
  if (node == nullptr) return 0;
  if (count) ++node->lookups;
  if (parent != 0) see(*node, parent, name);
  return found->second;
}

uint64_t SharedFiles::adopt(const FileIdentity& identity, uint64_t parent, const char* name) {
  if (identity == root_identity_) return root;
  const uint64_t index = FileIdentityHash{}(identity) % shard_count;
  Shard& shard = shards_[index];
  const Lock lock(shard.mutex);
  uint64_t& number = shard.by_identity[identity];
  if (number == 0) {
    number = ++shard.last_node * shard_count + index;
    shard.nodes[number].identity = identity;
  }
  Node& node = shard.nodes[number];
  ++node.lookups;
  see(node, parent, name);
  return number;
}

int32_t SharedFiles::forget(uint64_t number, uint64_t lookups) {
  if (number == root) return 0;
  int32_t backing = 0;
  {
    Shard& shard = shard_of(number);
    const Lock lock(shard.mutex);
    Node* const node = node_in(shard, number);
    if (node == nullptr) return 0;
    node->lookups -= std::min(node->lookups, lookups);
    if (node->lookups > 0) return 0;
    backing = node->backing;
    shard.by_identity.erase(node->identity);
    shard.nodes.erase(number);
  }
  const Lock lock(shares_mutex_);
  for (FilesShare* const share : shares_) share->note_forgotten(number);
  return backing;
}

bool SharedFiles::identity_of(uint64_t number, FileIdentity* into) {
  Shard& shard = shard_of(number);
  const Lock lock(shard.mutex);
  const Node* const node = node_in(shard, number);
  if (node == nullptr) return false;
  *into = node->identity;
  return true;
}

bool SharedFiles::place_of(uint64_t number, uint64_t* parent, std::string* name) {
  Shard& shard = shard_of(number);
  const Lock lock(shard.mutex);
  const Node* const node = node_in(shard, number);
  if (node == nullptr) return false;
  *parent = node->name.empty() ? 0 : node->parent;
  *name = node->name;
  return true;
}

uint64_t SharedFiles::parent_of(uint64_t number) {
  Shard& shard = shard_of(number);
  const Lock lock(shard.mutex);
  const Node* const node = node_in(shard, number);
  return node == nullptr || node->name.empty() ? 0 : node->parent;
}

void SharedFiles::record_handle(uint64_t number, const unsigned char* bytes, size_t size) {
  Shard& shard = shard_of(number);
  const Lock lock(shard.mutex);
  Node* const node = node_in(shard, number);
  if (node != nullptr && node->handle.empty()) node->handle.assign(bytes, bytes + size);
}

std::vector<unsigned char> SharedFiles::handle_of(uint64_t number) {
  Shard& shard = shard_of(number);
  const Lock lock(shard.mutex);
  const Node* const node = node_in(shard, number);
  return node == nullptr ? std::vector<unsigned char>() : node->handle;
}

bool SharedFiles::was_sent_back(uint64_t number, int32_t pid) {
  Shard& shard = shard_of(number);
  const Lock lock(shard.mutex);
  Node* const node = node_in(shard, number);
  if (node == nullptr) return false;
  const auto found = std::find(node->sent_back.begin(), node->sent_back.end(), pid);
  if (found == node->sent_back.end()) {
    node->sent_back.push_back(pid);
    return false;
  }
  node->sent_back.erase(found);
  return true;
}

void SharedFiles::note_removed(uint64_t directory, const char* name) {
  Shard& shard = shard_of(directory);
  const Lock lock(shard.mutex);
  Node* const node = node_in(shard, directory);
  if (node == nullptr) return;
  if (node->removed_names.size() >= most_removed_names) node->removed_names.clear();
  node->removed_names.insert(name);
}

bool SharedFiles::was_removed(uint64_t number) {
  uint64_t parent = 0;
  std::string name;
  if (!place_of(number, &parent, &name) || parent == 0) return false;
  Shard& shard = shard_of(parent);
  const Lock lock(shard.mutex);
  const Node* const directory = node_in(shard, parent);
  return directory != nullptr && directory->removed_names.count(name) != 0;
}

uint64_t SharedFiles::open(const OpenedFile& file) {
  Shard& shard = shard_of(file.node);
  const Lock lock(shard.mutex);
  Node* const node = node_in(shard, file.node);
  if (node != nullptr) {
    ++node->opens;
    if (file.fd < 0) ++node->unopened;
  }
  const uint64_t handle = ++shard.last_file * shard_count + file.node % shard_count;
  shard.files.emplace(handle, file);
  return handle;
}

bool SharedFiles::opened(uint64_t handle, OpenedFile* into) {
  Shard& shard = shard_of(handle);
  const Lock lock(shard.mutex);
  const auto found = shard.files.find(handle);
  if (found == shard.files.end()) return false;
  *into = found->second;
  return true;
}

int SharedFiles::give_descriptor(uint64_t handle, int fd) {
  Shard& shard = shard_of(handle);
  const Lock lock(shard.mutex);
  const auto found = shard.files.find(handle);
  if (found == shard.files.end()) return -1;
  OpenedFile& file = found->second;
  if (file.fd >= 0) return file.fd;
  file.fd = fd;
  Node* const node = node_in(shard, file.node);
  if (node != nullptr && node->unopened > 0) --node->unopened;
  return fd;
}

void SharedFiles::take_out(Shard& shard, std::unordered_map<uint64_t, OpenedFile>::iterator found, OpenedFile* into) {
  *into = found->second;
  shard.files.erase(found);
  Node* const node = node_in(shard, into->node);
  if (node == nullptr) return;
  if (node->opens > 0) --node->opens;
  if (into->fd < 0 && node->unopened > 0) --node->unopened;
}

bool SharedFiles::close(uint64_t handle, OpenedFile* into) {
  Shard& shard = shard_of(handle);
  const Lock lock(shard.mutex);
  const auto found = shard.files.find(handle);
  if (found == shard.files.end()) return false;
  take_out(shard, found, into);
  return true;
}

bool SharedFiles::close_unbacked(uint64_t handle, int32_t bits, OpenedFile* into) {
  Shard& shard = shard_of(handle);
  const Lock lock(shard.mutex);
  const auto found = shard.files.find(handle);
  if (found == shard.files.end() || found->second.fd < 0 || (found->second.bits & bits) != 0) return false;
  take_out(shard, found, into);
  return true;
}

int SharedFiles::reopen(uint64_t number) {
  Shard& shard = shard_of(number);
  const Lock lock(shard.mutex);
  for (const auto& each : shard.files) {
    const OpenedFile& file = each.second;
    if (file.node != number || file.fd < 0) continue;
    // Under the lock: the descriptor is closed after the file was taken from the table.
    char path[32];
    snprintf(path, sizeof path, "/proc/self/fd/%d", file.fd);
    return ::open(path, O_PATH | O_CLOEXEC);
  }
  return -1;
}

uint32_t SharedFiles::opens(uint64_t number) {
  Shard& shard = shard_of(number);
  const Lock lock(shard.mutex);
  const Node* const node = node_in(shard, number);
  return node == nullptr ? 0 : node->opens;
}

uint32_t SharedFiles::unopened(uint64_t number) {
  Shard& shard = shard_of(number);
  const Lock lock(shard.mutex);
  const Node* const node = node_in(shard, number);
  return node == nullptr ? 0 : node->unopened;
}

int32_t SharedFiles::backing(uint64_t number, bool kept_only) {
  Shard& shard = shard_of(number);
  const Lock lock(shard.mutex);
  Node* const node = node_in(shard, number);
  if (node == nullptr || node->backing == 0) return 0;
  if (kept_only && !node->backing_kept) return -EBUSY;
  ++node->backing_opens;
  return node->backing;
}

int32_t SharedFiles::register_backing(uint64_t number, int32_t id, bool kept) {
  Shard& shard = shard_of(number);
  const Lock lock(shard.mutex);
  Node* const node = node_in(shard, number);
  if (node == nullptr) return -ESTALE;
  if (node->backing == 0) {
    node->backing = id;
    node->backing_opens = 0;
    node->backing_kept = kept;
  }
  ++node->backing_opens;
  return node->backing;
}

int32_t SharedFiles::close_backing(uint64_t number) {
  Shard& shard = shard_of(number);
  const Lock lock(shard.mutex);
  Node* const node = node_in(shard, number);
  if (node == nullptr || node->backing == 0) return 0;
  if (node->backing_opens > 0) --node->backing_opens;
  return node->backing_opens == 0 && !node->backing_kept ? std::exchange(node->backing, 0) : 0;
}

bool SharedFiles::close_backed(uint64_t handle, int32_t bits) {
  Shard& shard = shard_of(handle);
  const Lock lock(shard.mutex);
  const auto found = shard.files.find(handle);
  if (found == shard.files.end() || found->second.bits != bits || found->second.fd >= 0) return false;
  // A handle is in the shard of its node.
  Node* const node = node_in(shard, found->second.node);
  if (node == nullptr || node->backing == 0 || !node->backing_kept) return false;
  shard.files.erase(found);
  if (node->opens > 0) --node->opens;
  if (node->unopened > 0) --node->unopened;
  if (node->backing_opens > 0) --node->backing_opens;
  return true;
}

int32_t SharedFiles::let_backing_go(uint64_t number) {
  Shard& shard = shard_of(number);
  const Lock lock(shard.mutex);
  Node* const node = node_in(shard, number);
  if (node == nullptr || node->backing == 0) return 0;
  node->backing_kept = false;
  return node->backing_opens == 0 ? std::exchange(node->backing, 0) : 0;
}

bool SharedFiles::is_backed(uint64_t number) {
  Shard& shard = shard_of(number);
  const Lock lock(shard.mutex);
  const Node* const node = node_in(shard, number);
  return node != nullptr && node->backing != 0 && node->backing_opens > 0;
}

size_t SharedFiles::count() {
  size_t nodes = 0;
  for (Shard& shard : shards_) {
    const Lock lock(shard.mutex);
    nodes += shard.nodes.size();
  }
  return nodes;
}

std::vector<std::string> SharedFiles::invariants() {
  std::vector<std::string> wrong;
  for (Shard& shard : shards_) {
    const Lock lock(shard.mutex);
    std::unordered_map<uint64_t, std::pair<uint32_t, uint32_t>> counted;
    for (const auto& [handle, file] : shard.files) {
      static_cast<void>(handle);
      ++counted[file.node].first;
      if (file.fd < 0) ++counted[file.node].second;
    }
    for (const auto& [number, node] : shard.nodes) {
      const std::string which = "node " + std::to_string(number);
      const auto [opens, unopened] = counted[number];
      if (node.opens != opens || node.unopened != unopened) wrong.push_back(which + ": its open files are not counted right");
      if (number == root) continue;
      if (node.lookups == 0) wrong.push_back(which + ": the kernel does not know it");
      const auto found = shard.by_identity.find(node.identity);
      if (found == shard.by_identity.end() || found->second != number) wrong.push_back(which + ": is not found by its file");
    }
    if (shard.by_identity.size() != shard.nodes.size() - shard.nodes.count(root)) wrong.push_back("a file has a node that is gone");
  }
  return wrong;
}

void SharedFiles::attach(FilesShare* share) {
  const Lock lock(shares_mutex_);
  shares_.push_back(share);
}

void SharedFiles::detach(FilesShare* share) {
  const Lock lock(shares_mutex_);
  shares_.erase(std::remove(shares_.begin(), shares_.end(), share), shares_.end());
}

FilesShare::FilesShare(std::shared_ptr<SharedFiles> files) : files_(std::move(files)) { files_->attach(this); }

FilesShare::~FilesShare() {
  files_->detach(this);
  for (const int fd : held_) ::close(fd);
}

void FilesShare::let_go(int fd) {
  held_.erase(fd);
  ::close(fd);
}

void FilesShare::tell_descriptor(uint64_t node, int fd) {
  if (fd < 0) {
    told_.erase(node);
    return;
  }
  Told& told = told_[node];
  told.fd = fd;
  told.opens_backed = false;
}

void FilesShare::tell_opening(uint64_t node, int32_t flags, int32_t bits) {
  const auto found = told_.find(node);
  if (found == told_.end()) return;
  found->second.opens_backed = true;
  found->second.open_flags = flags;
  found->second.open_bits = bits;
}

bool FilesShare::open_backed(uint64_t node, int32_t flags, uint64_t* handle, int32_t* backing) {
  const auto found = told_.find(node);
  if (found == told_.end() || !found->second.opens_backed) return false;
  const Told& told = found->second;
  const int32_t id = files_->backing(node, true);
  if (id <= 0) return false;
  found->second.used = true;
  *backing = id;
  *handle = files_->open({node, flags & told.open_flags, told.open_bits, -1});
  return true;
}

void FilesShare::tell_beneath(uint64_t node, int64_t nanoseconds) {
  const auto found = told_.find(node);
  if (found != told_.end()) found->second.beneath_until = now() + nanoseconds;
}

int FilesShare::descriptor_of(uint64_t node) {
  const auto found = told_.find(node);
  if (found == told_.end()) return -1;
  found->second.used = true;
  return found->second.fd;
}

int FilesShare::directory_of(uint64_t node) {
  const auto found = told_.find(node);
  if (found == told_.end() || (node != SharedFiles::root && now() >= found->second.beneath_until)) return -1;
  found->second.used = true;
  return found->second.fd;
}

bool FilesShare::take_used(uint64_t node) {
  const auto found = told_.find(node);
  return found != told_.end() && std::exchange(found->second.used, false);
}

std::vector<uint64_t> FilesShare::take_forgotten() {
  const Lock lock(mutex_);
  pending_.store(false, std::memory_order_relaxed);
  return std::exchange(forgotten_, {});
}

void FilesShare::note_forgotten(uint64_t node) {
  const Lock lock(mutex_);
  forgotten_.push_back(node);
  pending_.store(true, std::memory_order_relaxed);
}

// The files of a served directory as several isolates know them: nodes, lookup counts, where each was seen last, open files.
//
// Each function takes one lock and gives it back before it returns, so a thread that ends anywhere in its JavaScript leaves all of
// this consistent. Numbers of nodes and of open files are never used twice.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

// Which file it is: no two have the same.
struct FileIdentity {
  uint32_t device_major = 0;
  uint32_t device_minor = 0;
  uint64_t ino = 0;
  int64_t birth_seconds = 0;
  uint32_t birth_nanoseconds = 0;

  bool operator==(const FileIdentity& other) const {
    return ino == other.ino && device_major == other.device_major && device_minor == other.device_minor &&
           birth_seconds == other.birth_seconds && birth_nanoseconds == other.birth_nanoseconds;
  }
};

struct FileIdentityHash {
  size_t operator()(const FileIdentity& identity) const;
};

// An open file or directory.
struct OpenedFile {
  uint64_t node = 0;
  // open(2)'s flags, for when it is opened; and what JavaScript notes with it.
  int32_t flags = 0;
  int32_t bits = 0;
  // -1 until it is opened.
  int fd = -1;
};

// What one isolate has of them: it ends with the isolate.
class FilesShare;

class SharedFiles {
 public:
  static constexpr uint64_t root = 1;

  explicit SharedFiles(const FileIdentity& root_identity);
  ~SharedFiles();
  SharedFiles(const SharedFiles&) = delete;
  SharedFiles& operator=(const SharedFiles&) = delete;

  // The node of a file, 0 when there is none. With `count` it counts one lookup; with a `parent` that is not 0 the file was seen there.
  uint64_t find(const FileIdentity& identity, bool count, uint64_t parent, const char* name);
  // As `find`, which makes the node where there is none. The name "" is that of a file that has none.
  uint64_t adopt(const FileIdentity& identity, uint64_t parent, const char* name);
  // Takes lookups back; a node that has none left is gone. The backing id that is to be closed then, or 0.
  int32_t forget(uint64_t node, uint64_t lookups);
  bool identity_of(uint64_t node, FileIdentity* into);
  // Where it was seen last; the parent is 0 for the root, and where that is not known.
  bool place_of(uint64_t node, uint64_t* parent, std::string* name);
  uint64_t parent_of(uint64_t node);
  void record_handle(uint64_t node, const unsigned char* bytes, size_t size);
  std::vector<unsigned char> handle_of(uint64_t node);
  // Whether the thread was sent back already; it was not, the first time, and is noted.
  bool was_sent_back(uint64_t node, int32_t pid);

  // A name was removed from the directory, or replaced in it.
  void note_removed(uint64_t directory, const char* name);
  // Whether that was noted, of late, of the name that the node was seen by last.
  bool was_removed(uint64_t node);

  // A file that was opened: its number. It is told apart whether it has a descriptor already.
  uint64_t open(const OpenedFile& file);
  // False when it is not open.
  bool opened(uint64_t handle, OpenedFile* into);
  // Gives an open file its descriptor: the one that it has, which can be another's by then; -1 when it is not open.
  int give_descriptor(uint64_t handle, int fd);
  bool close(uint64_t handle, OpenedFile* into);
  // A new descriptor (O_PATH) of a file that is open, or -1.
  int reopen(uint64_t node);
  uint32_t opens(uint64_t node);
  // Those without a descriptor.
  uint32_t unopened(uint64_t node);

  // The registration of a node's file with the kernel, for one more who opens it: its id; 0 where there is none; -EBUSY where there
  // is one that is not `kept`, if only such is wanted.
  int32_t backing(uint64_t node, bool kept_only);
  // Notes that a node's file was registered as `id`, for one who opens it, unless there is a registration by now. The one that counts:
  // all who have a file open must have it by the same (fs/fuse/iomode.c, fuse_inode_uncached_io_start). -ESTALE for no node.
  int32_t register_backing(uint64_t node, int32_t id, bool kept);
  // One has closed it: the id that is to be closed, or 0.
  int32_t close_backing(uint64_t node);
  // As `close` and `close_backing` of a file that was opened by its registration and has no descriptor, if nothing is to be closed with
  // that; false, and nothing is changed, otherwise.
  bool close_backed(uint64_t handle, int32_t bits);
  // As `close` of a file that has a descriptor and none of the bits; false, and nothing is changed, otherwise.
  bool close_unbacked(uint64_t handle, int32_t bits, OpenedFile* into);
  // Bytes of the file that was closed last of those that were made as they were opened; the most there can be before the first.
  void note_made(uint64_t size) { last_made_size_.store(size, std::memory_order_relaxed); }
  uint64_t last_made_size() const { return last_made_size_.load(std::memory_order_relaxed); }
  // It is not to be kept for the next who opens it: likewise.
  int32_t let_backing_go(uint64_t node);
  // Whether somebody has the file open by its registration.
  bool is_backed(uint64_t node);

  const FileIdentity& root_identity() const { return root_identity_; }
  size_t count();
  // A sentence for each thing that is wrong.
  std::vector<std::string> invariants();

  void attach(FilesShare* share);
  void detach(FilesShare* share);

 private:
  struct Node {
    FileIdentity identity;
    uint64_t lookups = 0;
    uint64_t parent = 0;
    std::string name;
    std::vector<unsigned char> handle;
    std::vector<int32_t> sent_back;
    // Of a directory.
    std::unordered_set<std::string> removed_names;
    uint32_t opens = 0;
    uint32_t unopened = 0;
    int32_t backing = 0;
    uint32_t backing_opens = 0;
    bool backing_kept = false;
  };

  // All that is of a node is in one shard, which its number tells.
  struct Shard {
    std::mutex mutex;
    std::unordered_map<FileIdentity, uint64_t, FileIdentityHash> by_identity;
    std::unordered_map<uint64_t, Node> nodes;
    std::unordered_map<uint64_t, OpenedFile> files;
    uint64_t last_node = 0;
    uint64_t last_file = 0;
  };
  static constexpr uint64_t shard_count = 64;
  // So many are remembered of a directory.
  static constexpr size_t most_removed_names = 64;

  Shard& shard_of(uint64_t number) { return shards_[number % shard_count]; }
  static Node* node_in(Shard& shard, uint64_t node);
  static void see(Node& node, uint64_t parent, const char* name);
  // An open file that was found is open no more.
  static void take_out(Shard& shard, std::unordered_map<uint64_t, OpenedFile>::iterator found, OpenedFile* into);

  FileIdentity root_identity_;
  // JavaScript's largest number that is exact.
  std::atomic<uint64_t> last_made_size_{(uint64_t{1} << 53) - 1};
  Shard shards_[shard_count];
  std::mutex shares_mutex_;
  std::vector<FilesShare*> shares_;
};

class FilesShare {
 public:
  explicit FilesShare(std::shared_ptr<SharedFiles> files);
  ~FilesShare();
  FilesShare(const FilesShare&) = delete;
  FilesShare& operator=(const FilesShare&) = delete;

  SharedFiles& files() const { return *files_; }
  // The share owns it from now on.
  void hold(int fd) { held_.insert(fd); }
  // Closes it.
  void let_go(int fd);
  // By which descriptor the node can be looked at, from now on; by none any more: -1. The caller has it closed later than it says so.
  void tell_descriptor(uint64_t node, int fd);
  // The node, whose descriptor was told, is a directory beneath the root for so long.
  void tell_beneath(uint64_t node, int64_t nanoseconds);
  // The descriptor that was told, or -1; the node counts as used.
  int descriptor_of(uint64_t node);
  // As `descriptor_of`, while it is told to be a directory beneath the root.
  int directory_of(uint64_t node);
  // The node, whose descriptor was told, may be opened by the kernel alone, by the registration that it has and that is kept: with these of
  // open(2)'s flags, and bits, as of `OpenedFile`.
  void tell_opening(uint64_t node, int32_t flags, int32_t bits);
  // Opens it so: its handle and the registration's id; false when it is not told of, or not registered any more.
  bool open_backed(uint64_t node, int32_t flags, uint64_t* handle, int32_t* backing);
  // Whether it was used since this was asked last.
  bool take_used(uint64_t node);
  // Whether nodes were forgotten since they were taken last; it takes no lock.
  bool has_forgotten() const { return pending_.load(std::memory_order_relaxed); }
  std::vector<uint64_t> take_forgotten();
  // On any thread.
  void note_forgotten(uint64_t node);

 private:
  struct Told {
    int fd = -1;
    // By CLOCK_MONOTONIC.
    int64_t beneath_until = 0;
    bool used = false;
    bool opens_backed = false;
    int32_t open_flags = 0;
    int32_t open_bits = 0;
  };

  std::shared_ptr<SharedFiles> files_;
  std::mutex mutex_;
  std::vector<uint64_t> forgotten_;
  std::atomic<bool> pending_{false};
  // Descriptors of nodes: this isolate's alone, so no lock is needed.
  std::unordered_set<int> held_;
  std::unordered_map<uint64_t, Told> told_;
};

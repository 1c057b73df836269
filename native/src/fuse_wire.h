// Made by packages/protocol/generator; do not edit.
#pragma once

#include <cstddef>
#include <cstdint>

// Numbers of FUSE 7.45.
namespace fuse_wire {

// enum fuse_opcode
namespace opcode {
constexpr uint32_t LOOKUP = 1;
constexpr uint32_t FORGET = 2;
constexpr uint32_t GETATTR = 3;
constexpr uint32_t SETATTR = 4;
constexpr uint32_t READLINK = 5;
constexpr uint32_t SYMLINK = 6;
constexpr uint32_t MKNOD = 8;
constexpr uint32_t MKDIR = 9;
constexpr uint32_t UNLINK = 10;
constexpr uint32_t RMDIR = 11;
constexpr uint32_t RENAME = 12;
constexpr uint32_t LINK = 13;
constexpr uint32_t OPEN = 14;
constexpr uint32_t READ = 15;
constexpr uint32_t WRITE = 16;
constexpr uint32_t STATFS = 17;
constexpr uint32_t RELEASE = 18;
constexpr uint32_t FSYNC = 20;
constexpr uint32_t SETXATTR = 21;
constexpr uint32_t GETXATTR = 22;
constexpr uint32_t LISTXATTR = 23;
constexpr uint32_t REMOVEXATTR = 24;
constexpr uint32_t FLUSH = 25;
constexpr uint32_t INIT = 26;
constexpr uint32_t OPENDIR = 27;
constexpr uint32_t READDIR = 28;
constexpr uint32_t RELEASEDIR = 29;
constexpr uint32_t FSYNCDIR = 30;
constexpr uint32_t GETLK = 31;
constexpr uint32_t SETLK = 32;
constexpr uint32_t SETLKW = 33;
constexpr uint32_t ACCESS = 34;
constexpr uint32_t CREATE = 35;
constexpr uint32_t INTERRUPT = 36;
constexpr uint32_t BMAP = 37;
constexpr uint32_t DESTROY = 38;
constexpr uint32_t IOCTL = 39;
constexpr uint32_t POLL = 40;
constexpr uint32_t NOTIFY_REPLY = 41;
constexpr uint32_t BATCH_FORGET = 42;
constexpr uint32_t FALLOCATE = 43;
constexpr uint32_t READDIRPLUS = 44;
constexpr uint32_t RENAME2 = 45;
constexpr uint32_t LSEEK = 46;
constexpr uint32_t COPY_FILE_RANGE = 47;
constexpr uint32_t SETUPMAPPING = 48;
constexpr uint32_t REMOVEMAPPING = 49;
constexpr uint32_t SYNCFS = 50;
constexpr uint32_t TMPFILE = 51;
constexpr uint32_t STATX = 52;
constexpr uint32_t COPY_FILE_RANGE_64 = 53;
constexpr uint32_t CUSE_INIT = 4096;
constexpr uint32_t CUSE_INIT_BSWAP_RESERVED = 1048576;
constexpr uint32_t INIT_BSWAP_RESERVED = 436207616;
}

// ioctl(2) requests of /dev/fuse: FUSE_DEV_IOC_*.
namespace ioctl_request {
constexpr unsigned long CLONE = 0x8004e500;
constexpr unsigned long BACKING_OPEN = 0x4010e501;
constexpr unsigned long BACKING_CLOSE = 0x4004e502;
constexpr unsigned long SYNC_INIT = 0xe503;
}

// enum fuse_uring_cmd: commands of IORING_OP_URING_CMD on /dev/fuse.
namespace uring_command {
constexpr uint32_t INVALID = 0;
constexpr uint32_t REGISTER = 1;
constexpr uint32_t COMMIT_AND_FETCH = 2;
}

// struct fuse_in_header: its size and its fields' offsets, in bytes.
namespace in_header {
constexpr size_t bytes = 40;
constexpr size_t len = 0;
constexpr size_t opcode = 4;
constexpr size_t unique = 8;
constexpr size_t nodeid = 16;
constexpr size_t uid = 24;
constexpr size_t gid = 28;
constexpr size_t pid = 32;
constexpr size_t total_extlen = 36;
constexpr size_t padding = 38;
}

// struct fuse_out_header: its size and its fields' offsets, in bytes.
namespace out_header {
constexpr size_t bytes = 16;
constexpr size_t len = 0;
constexpr size_t error = 4;
constexpr size_t unique = 8;
}

// struct fuse_write_in: its size and its fields' offsets, in bytes.
namespace write_in {
constexpr size_t bytes = 40;
constexpr size_t fh = 0;
constexpr size_t offset = 8;
constexpr size_t size = 16;
constexpr size_t write_flags = 20;
constexpr size_t lock_owner = 24;
constexpr size_t flags = 32;
constexpr size_t padding = 36;
}

// struct fuse_getattr_in: its size and its fields' offsets, in bytes.
namespace getattr_in {
constexpr size_t bytes = 16;
constexpr size_t getattr_flags = 0;
constexpr size_t dummy = 4;
constexpr size_t fh = 8;
}

// struct fuse_attr: its size and its fields' offsets, in bytes.
namespace attr {
constexpr size_t bytes = 88;
constexpr size_t ino = 0;
constexpr size_t size = 8;
constexpr size_t blocks = 16;
constexpr size_t atime = 24;
constexpr size_t mtime = 32;
constexpr size_t ctime = 40;
constexpr size_t atimensec = 48;
constexpr size_t mtimensec = 52;
constexpr size_t ctimensec = 56;
constexpr size_t mode = 60;
constexpr size_t nlink = 64;
constexpr size_t uid = 68;
constexpr size_t gid = 72;
constexpr size_t rdev = 76;
constexpr size_t blksize = 80;
constexpr size_t flags = 84;
}

// struct fuse_attr_out: its size and its fields' offsets, in bytes.
namespace attr_out {
constexpr size_t bytes = 104;
constexpr size_t attr_valid = 0;
constexpr size_t attr_valid_nsec = 8;
constexpr size_t dummy = 12;
constexpr size_t attr = 16;
}

// struct fuse_entry_out: its size and its fields' offsets, in bytes.
namespace entry_out {
constexpr size_t bytes = 128;
constexpr size_t nodeid = 0;
constexpr size_t generation = 8;
constexpr size_t entry_valid = 16;
constexpr size_t attr_valid = 24;
constexpr size_t entry_valid_nsec = 32;
constexpr size_t attr_valid_nsec = 36;
constexpr size_t attr = 40;
}

// struct fuse_open_in: its size and its fields' offsets, in bytes.
namespace open_in {
constexpr size_t bytes = 8;
constexpr size_t flags = 0;
constexpr size_t open_flags = 4;
}

// struct fuse_open_out: its size and its fields' offsets, in bytes.
namespace open_out {
constexpr size_t bytes = 16;
constexpr size_t fh = 0;
constexpr size_t open_flags = 8;
constexpr size_t backing_id = 12;
}

// struct fuse_release_in: its size and its fields' offsets, in bytes.
namespace release_in {
constexpr size_t bytes = 24;
constexpr size_t fh = 0;
constexpr size_t flags = 8;
constexpr size_t release_flags = 12;
constexpr size_t lock_owner = 16;
}

// struct fuse_backing_map: its size and its fields' offsets, in bytes.
namespace backing_map {
constexpr size_t bytes = 16;
constexpr size_t fd = 0;
constexpr size_t flags = 4;
constexpr size_t padding = 8;
}

// struct fuse_uring_ent_in_out: its size and its fields' offsets, in bytes.
namespace uring_ent_in_out {
constexpr size_t bytes = 32;
constexpr size_t flags = 0;
constexpr size_t commit_id = 8;
constexpr size_t payload_sz = 16;
constexpr size_t padding = 20;
constexpr size_t reserved = 24;
}

// struct fuse_uring_req_header: its size and its fields' offsets, in bytes.
namespace uring_req_header {
constexpr size_t bytes = 288;
constexpr size_t in_out = 0;
constexpr size_t op_in = 128;
constexpr size_t ring_ent_in_out = 256;
}

// struct fuse_uring_cmd_req: its size and its fields' offsets, in bytes.
namespace uring_cmd_req {
constexpr size_t bytes = 24;
constexpr size_t flags = 0;
constexpr size_t commit_id = 8;
constexpr size_t qid = 16;
constexpr size_t padding = 18;
}

}  // namespace fuse_wire

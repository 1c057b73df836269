/*
 * null MOUNTPOINT [FILE]: the floor. Reads /dev/fuse and answers at once, from a few numbers: what a FUSE server
 * in C costs that does nothing else. With FILE, the kernel reads and writes that file by itself (FUSE_PASSTHROUGH):
 * what is left is the kernel's own way through FUSE, the same for every server.
 *
 * It can be told from a filesystem, but not by programs/load.c: one folder, whose name begins with l, which lists as many
 * files f0, f1, ... as were made; one large file, whose name begins with b; one short-lived file, with c.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum { max_write = 1 << 20, capacity = max_write + 8192, folder_id = 2, large_id, passing_id, file_id };

/* Newer than the headers of some systems that can do it: 7.40. */
enum { init_ext = 1 << 30, passthrough = 1 << 5 /* of flags2 */, open_passthrough = 1 << 7 };
struct open_reply {
  uint64_t fh;
  uint32_t open_flags;
  int32_t backing_id;
};
struct backing_map {
  int32_t fd;
  uint32_t flags;
  uint64_t padding;
};
#define BACKING_OPEN _IOW(229, 1, struct backing_map)

static int device;
static int backing = -1, backing_id; /* FILE, if there is one, and as what the kernel knows it */
static uint64_t folders, files, large, passing, file_size;
static unsigned char *request, *body;

static void reply(uint64_t unique, int error, const void *data, size_t length) {
  struct fuse_out_header header = {.len = (uint32_t)(sizeof header + length), .error = error, .unique = unique};
  struct iovec parts[2] = {{&header, sizeof header}, {(void *)data, length}};
  /* ENOENT: the caller is gone. */
  if (writev(device, parts, length > 0 ? 2 : 1) < 0 && errno != ENOENT) perror("null: write");
}

static void resize(uint64_t size) {
  file_size = size;
  if (backing >= 0 && ftruncate(backing, (off_t)size) < 0) perror("null: ftruncate");
}

/* How a file is open: the kernel's own affair if FILE is there. */
static struct open_reply opened(uint64_t id) {
  if (backing < 0 || id != large_id) return (struct open_reply){.open_flags = FOPEN_KEEP_CACHE | FOPEN_NOFLUSH};
  if (backing_id == 0) {
    const struct backing_map map = {.fd = backing};
    backing_id = ioctl(device, BACKING_OPEN, &map);
    if (backing_id <= 0) {
      perror("null: FUSE_DEV_IOC_BACKING_OPEN");
      exit(1);
    }
  }
  return (struct open_reply){.open_flags = open_passthrough | FOPEN_NOFLUSH, .backing_id = backing_id};
}

static struct fuse_attr attributes(uint64_t id) {
  const int is_file = id > folder_id;
  struct stat seen;
  if (id == large_id && backing >= 0 && fstat(backing, &seen) == 0) file_size = (uint64_t)seen.st_size;
  return (struct fuse_attr){
      .ino = id,
      .size = is_file ? file_size : 0,
      .blocks = is_file ? (file_size + 511) / 512 : 0,
      .mode = is_file ? S_IFREG | 0644 : S_IFDIR | 0755,
      .nlink = is_file ? 1 : 2,
      .blksize = 4096,
  };
}

static struct fuse_entry_out entry(uint64_t id) { return (struct fuse_entry_out){.nodeid = id, .attr = attributes(id)}; }

/* The id that a name has, or would have. */
static uint64_t id_of(const char *name) {
  switch (name[0]) {
    case 'l':
      return folder_id;
    case 'b':
      return large_id;
    case 'c':
      return passing_id;
    case 'f':
      return file_id + strtoull(name + 1, NULL, 10);
    default:
      return 0;
  }
}

/* How many files of this kind there are, whose ids begin where the kind's do. */
static uint64_t *count_of(uint64_t id) {
  return id == folder_id ? &folders : id == large_id ? &large : id == passing_id ? &passing : &files;
}

static int exists(uint64_t id) { return id >= file_id ? id - file_id < files : id != 0 && *count_of(id) > 0; }

static void initialize(const struct fuse_in_header *in, const struct fuse_init_in *offer) {
  struct fuse_init_out out = {
      .major = FUSE_KERNEL_VERSION,
      .minor = offer->minor < FUSE_KERNEL_MINOR_VERSION ? offer->minor : FUSE_KERNEL_MINOR_VERSION,
      .max_readahead = offer->max_readahead,
      .flags = offer->flags & (FUSE_ASYNC_READ | FUSE_BIG_WRITES | FUSE_MAX_PAGES | FUSE_PARALLEL_DIROPS | FUSE_ATOMIC_O_TRUNC),
      .max_background = 64,
      .congestion_threshold = 48,
      .max_write = max_write,
      .time_gran = 1,
      .max_pages = 256,
  };
  if (backing >= 0) {
    const uint32_t stack_depth = 1;
    out.flags |= init_ext;
    out.flags2 = passthrough;
    memcpy((char *)&out + offsetof(struct fuse_init_out, flags2) + sizeof out.flags2, &stack_depth, sizeof stack_depth);
  }
  reply(in->unique, 0, &out, sizeof out);
}

static size_t list(uint64_t offset, size_t room) {
  size_t at = 0;
  for (uint64_t i = offset; i < files; i++) {
    char name[24];
    const int length = snprintf(name, sizeof name, "f%llu", (unsigned long long)i);
    const size_t size = FUSE_DIRENT_ALIGN(FUSE_NAME_OFFSET + (size_t)length);
    if (at + size > room) break;
    struct fuse_dirent *dirent = (struct fuse_dirent *)(body + at);
    *dirent = (struct fuse_dirent){.ino = file_id + i, .off = i + 1, .namelen = (uint32_t)length, .type = S_IFREG >> 12};
    memcpy(dirent->name, name, (size_t)length);
    at += size;
  }
  return at;
}

static void answer(const struct fuse_in_header *in) {
  const void *arguments = in + 1;
  switch (in->opcode) {
    case FUSE_INIT:
      initialize(in, arguments);
      return;
    case FUSE_LOOKUP: {
      const uint64_t id = id_of(arguments);
      const struct fuse_entry_out out = entry(id);
      const int there = exists(id);
      reply(in->unique, there ? 0 : -ENOENT, &out, there ? sizeof out : 0);
      return;
    }
    case FUSE_GETATTR:
    case FUSE_SETATTR: {
      const struct fuse_setattr_in *set = arguments;
      if (in->opcode == FUSE_SETATTR && (set->valid & FATTR_SIZE) != 0) resize(set->size);
      const struct fuse_attr_out out = {.attr = attributes(in->nodeid)};
      reply(in->unique, 0, &out, sizeof out);
      return;
    }
    case FUSE_MKDIR: {
      files = 0;
      folders++;
      const struct fuse_entry_out out = entry(folder_id);
      reply(in->unique, 0, &out, sizeof out);
      return;
    }
    case FUSE_CREATE: {
      const uint64_t id = id_of((const char *)arguments + sizeof(struct fuse_create_in));
      const struct {
        struct fuse_entry_out entry;
        struct open_reply open;
      } out = {entry(id), opened(id)};
      ++*count_of(id);
      if (id == large_id) resize(0);
      reply(in->unique, 0, &out, sizeof out);
      return;
    }
    case FUSE_UNLINK:
    case FUSE_RMDIR:
      --*count_of(id_of(arguments));
      reply(in->unique, 0, NULL, 0);
      return;
    case FUSE_OPEN: {
      const struct fuse_open_in *open = arguments;
      if ((open->flags & O_TRUNC) != 0) resize(0);
      const struct open_reply out = opened(in->nodeid);
      reply(in->unique, 0, &out, sizeof out);
      return;
    }
    case FUSE_OPENDIR: {
      const struct open_reply out = {.open_flags = FOPEN_KEEP_CACHE | FOPEN_CACHE_DIR};
      reply(in->unique, 0, &out, sizeof out);
      return;
    }
    case FUSE_READ: {
      const struct fuse_read_in *read = arguments;
      const uint64_t left = read->offset < file_size ? file_size - read->offset : 0;
      reply(in->unique, 0, body, left < read->size ? left : read->size);
      return;
    }
    case FUSE_WRITE: {
      const struct fuse_write_in *write = arguments;
      if (write->offset + write->size > file_size) file_size = write->offset + write->size;
      const struct fuse_write_out out = {.size = write->size};
      reply(in->unique, 0, &out, sizeof out);
      return;
    }
    case FUSE_READDIR: {
      const struct fuse_read_in *read = arguments;
      reply(in->unique, 0, body, list(read->offset, read->size));
      return;
    }
    case FUSE_RELEASE:
    case FUSE_RELEASEDIR:
      reply(in->unique, 0, NULL, 0);
      return;
    case FUSE_FORGET:
    case FUSE_BATCH_FORGET:
    case FUSE_INTERRUPT:
      return;
    default:
      reply(in->unique, -ENOSYS, NULL, 0);
  }
}

int main(int argc, char **argv) {
  if (argc != 2 && argc != 3) {
    fprintf(stderr, "usage: null MOUNTPOINT [FILE]\n");
    return 2;
  }
  if (argc == 3 && (backing = open(argv[2], O_RDWR | O_CREAT | O_CLOEXEC, 0644)) < 0) {
    perror("null: FILE");
    return 1;
  }
  device = open("/dev/fuse", O_RDWR | O_CLOEXEC);
  char options[96];
  snprintf(options, sizeof options, "fd=%d,rootmode=40755,user_id=0,group_id=0,allow_other", device);
  if (device < 0 || mount("null", argv[1], "fuse.null", MS_NOSUID | MS_NODEV, options) < 0) {
    perror("null: mount");
    return 1;
  }
  request = aligned_alloc(4096, capacity);
  body = aligned_alloc(4096, max_write);
  if (request == NULL || body == NULL) return 1;
  memset(body, 0, max_write);
  for (;;) {
    const ssize_t count = read(device, request, capacity);
    if (count >= (ssize_t)sizeof(struct fuse_in_header)) answer((const struct fuse_in_header *)request);
    else if (count >= 0 || (errno != EINTR && errno != ENOENT)) return count < 0 && errno == ENODEV ? 0 : 1;
  }
}

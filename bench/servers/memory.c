/*
 * memory MOUNTPOINT [libfuse options] [-o no_open]: a filesystem in memory on libfuse's low-level API, one thread.
 *
 * As good as we know how: one hash table for all names, chunks of 128 KiB that are used again, data sent from
 * where it lies, and what saves requests (no FLUSH, the kernel keeps pages and listings, READDIRPLUS).
 * With `no_open` the kernel also opens and makes files without asking; libfuse's own examples all have it ask.
 * With `trust` the kernel trusts names and attributes for a second, as is usual. With `ask` it sends FLUSH and GETXATTR too,
 * as it does where a filesystem has them.
 */
#define FUSE_USE_VERSION 312
#include <errno.h>
#include <fuse_lowlevel.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <time.h>

enum { chunk_bits = 17, chunk_size = 1 << chunk_bits, max_chunks_kept = 8192, most_parts = 12 };

struct entry;

struct node {
  mode_t mode;
  uid_t uid;
  gid_t gid;
  nlink_t nlink;
  dev_t rdev;
  off_t size;
  struct timespec atime, mtime, ctime;
  uint64_t lookups, generation;
  /* Of a file. */
  unsigned char **chunks;
  size_t chunk_count;
  /* Of a folder: its entries in the order of their cookies. */
  struct node *parent;
  struct entry *first, *last;
  uint64_t next_cookie, removals;
  size_t entries;
  char *target;
};

struct entry {
  struct node *dir, *node;
  struct entry *chain;
  struct entry *before, *after;
  uint64_t cookie;
  uint32_t hash;
  uint16_t length;
  char name[];
};

/* Where a listing stopped. */
struct cursor {
  struct entry *entry;
  uint64_t cookie, removals;
};

static struct node root;
static struct entry **table;
static size_t table_size = 1 << 16, table_used;
static unsigned char *spare[max_chunks_kept];
static size_t spares;
static uint64_t generations;
/* What is asked for on the command line. */
static struct settings {
  int no_open, trust, ask;
} settings;
static const unsigned char zeros[chunk_size];
static unsigned char *list_buffer;
static size_t list_capacity;

static struct node *node_of(fuse_ino_t ino) { return ino == FUSE_ROOT_ID ? &root : (struct node *)(uintptr_t)ino; }
static fuse_ino_t ino_of(const struct node *node) { return node == &root ? FUSE_ROOT_ID : (fuse_ino_t)(uintptr_t)node; }

static struct timespec now(void) {
  struct timespec t;
  clock_gettime(CLOCK_REALTIME_COARSE, &t);
  return t;
}

/* ---------------------------------------------------------------- names */

static uint32_t hash_of(const struct node *dir, const char *name, size_t length) {
  uint32_t hash = (uint32_t)((uintptr_t)dir >> 6) * 2654435761u;
  for (size_t i = 0; i < length; i++) hash = (hash ^ (unsigned char)name[i]) * 16777619u;
  return hash;
}

static struct entry **place_of(const struct node *dir, const char *name, size_t length, uint32_t hash) {
  struct entry **at = &table[hash & (table_size - 1)];
  while (*at != NULL && !((*at)->hash == hash && (*at)->dir == dir && (*at)->length == length && memcmp((*at)->name, name, length) == 0))
    at = &(*at)->chain;
  return at;
}

static struct entry *find(const struct node *dir, const char *name) {
  const size_t length = strlen(name);
  return *place_of(dir, name, length, hash_of(dir, name, length));
}

static void grow_table(void) {
  const size_t size = table_size * 2;
  struct entry **grown = calloc(size, sizeof *grown);
  if (grown == NULL) return;
  for (size_t i = 0; i < table_size; i++) {
    for (struct entry *e = table[i], *next; e != NULL; e = next) {
      next = e->chain;
      e->chain = grown[e->hash & (size - 1)];
      grown[e->hash & (size - 1)] = e;
    }
  }
  free(table);
  table = grown;
  table_size = size;
}

static bool add_entry(struct node *dir, const char *name, struct node *node) {
  const size_t length = strlen(name);
  struct entry *e = malloc(sizeof *e + length + 1);
  if (e == NULL) return false;
  if (table_used++ >= table_size) grow_table();
  const uint32_t hash = hash_of(dir, name, length);
  struct entry **at = &table[hash & (table_size - 1)];
  *e = (struct entry){.dir = dir, .node = node, .chain = *at, .before = dir->last, .cookie = dir->next_cookie++, .hash = hash, .length = (uint16_t)length};
  memcpy(e->name, name, length + 1);
  *at = e;
  if (dir->last != NULL) dir->last->after = e;
  else dir->first = e;
  dir->last = e;
  dir->entries++;
  return true;
}

static void remove_entry(struct entry *e) {
  struct node *dir = e->dir;
  *place_of(dir, e->name, e->length, e->hash) = e->chain;
  table_used--;
  if (e->before != NULL) e->before->after = e->after;
  else dir->first = e->after;
  if (e->after != NULL) e->after->before = e->before;
  else dir->last = e->before;
  dir->entries--;
  dir->removals++;
  free(e);
}

static void touch(struct node *node) { node->mtime = node->ctime = now(); }

/* ---------------------------------------------------------------- nodes and their bytes */

static struct node *make_node(fuse_req_t req, mode_t mode, dev_t rdev) {
  struct node *node = calloc(1, sizeof *node);
  if (node == NULL) return NULL;
  const struct fuse_ctx *caller = fuse_req_ctx(req);
  node->mode = mode;
  node->uid = caller->uid;
  node->gid = caller->gid;
  node->rdev = rdev;
  node->generation = generations++;
  node->next_cookie = 3;
  node->atime = node->mtime = node->ctime = now();
  return node;
}

static unsigned char *take_chunk(void) { return spares > 0 ? spare[--spares] : malloc(chunk_size); }

static void give_chunk(unsigned char *chunk) {
  if (spares < max_chunks_kept) spare[spares++] = chunk;
  else free(chunk);
}

static void cut_chunks(struct node *node, size_t kept) {
  for (size_t i = kept; i < node->chunk_count; i++)
    if (node->chunks[i] != NULL) give_chunk(node->chunks[i]);
  if (kept < node->chunk_count) node->chunk_count = kept;
}

static void resize(struct node *node, off_t size) {
  if (size < node->size) {
    const size_t kept = ((size_t)size + chunk_size - 1) >> chunk_bits, used = (size_t)size & (chunk_size - 1);
    cut_chunks(node, kept);
    if (used > 0 && kept <= node->chunk_count && node->chunks[kept - 1] != NULL) memset(node->chunks[kept - 1] + used, 0, chunk_size - used);
  }
  node->size = size;
}

static void drop(struct node *node) {
  if (node->lookups > 0 || node->nlink > 0 || node == &root) return;
  cut_chunks(node, 0);
  free(node->chunks);
  free(node->target);
  free(node);
}

static bool need_chunks(struct node *node, size_t count) {
  if (count <= node->chunk_count) return true;
  unsigned char **grown = realloc(node->chunks, count * sizeof *grown);
  if (grown == NULL) return false;
  memset(grown + node->chunk_count, 0, (count - node->chunk_count) * sizeof *grown);
  node->chunks = grown;
  node->chunk_count = count;
  return true;
}

/* ---------------------------------------------------------------- replies */

static struct stat stat_of(const struct node *node) {
  return (struct stat){
      .st_ino = ino_of(node), .st_mode = node->mode, .st_nlink = node->nlink, .st_uid = node->uid, .st_gid = node->gid,
      .st_rdev = node->rdev, .st_size = node->size, .st_blksize = 4096, .st_blocks = (node->size + 511) / 512,
      .st_atim = node->atime, .st_mtim = node->mtime, .st_ctim = node->ctime,
  };
}

static struct fuse_entry_param entry_of(struct node *node) {
  return (struct fuse_entry_param){.ino = ino_of(node),
                                   .generation = node->generation,
                                   .attr = stat_of(node),
                                   .attr_timeout = settings.trust,
                                   .entry_timeout = settings.trust};
}

static void reply_new(fuse_req_t req, struct node *node) {
  const struct fuse_entry_param e = entry_of(node);
  node->lookups++;
  fuse_reply_entry(req, &e);
}

/* ---------------------------------------------------------------- operations */

static void on_init(void *data, struct fuse_conn_info *conn) {
  (void)data;
  conn->max_write = 1 << 20;
  conn->max_read = 0;
  conn->max_background = 64;
  conn->congestion_threshold = 48;
  conn->want &= ~(unsigned)FUSE_CAP_AUTO_INVAL_DATA;
  if ((conn->capable & FUSE_CAP_CACHE_SYMLINKS) != 0) conn->want |= FUSE_CAP_CACHE_SYMLINKS;
}

static void on_lookup(fuse_req_t req, fuse_ino_t parent, const char *name) {
  const struct entry *e = find(node_of(parent), name);
  if (e == NULL) fuse_reply_err(req, ENOENT);
  else reply_new(req, e->node);
}

static void forget_node(fuse_ino_t ino, uint64_t count) {
  struct node *node = node_of(ino);
  node->lookups -= count;
  drop(node);
}

static void on_forget(fuse_req_t req, fuse_ino_t ino, uint64_t count) {
  forget_node(ino, count);
  fuse_reply_none(req);
}

static void on_forget_multi(fuse_req_t req, size_t count, struct fuse_forget_data *forgets) {
  for (size_t i = 0; i < count; i++) forget_node(forgets[i].ino, forgets[i].nlookup);
  fuse_reply_none(req);
}

static void on_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi) {
  (void)fi;
  const struct stat st = stat_of(node_of(ino));
  fuse_reply_attr(req, &st, settings.trust);
}

static void on_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *attr, int valid, struct fuse_file_info *fi) {
  (void)fi;
  struct node *node = node_of(ino);
  const struct timespec at = now();
  if ((valid & FUSE_SET_ATTR_MODE) != 0) node->mode = (node->mode & S_IFMT) | (attr->st_mode & 07777);
  if ((valid & FUSE_SET_ATTR_UID) != 0) node->uid = attr->st_uid;
  if ((valid & FUSE_SET_ATTR_GID) != 0) node->gid = attr->st_gid;
  if ((valid & FUSE_SET_ATTR_SIZE) != 0) {
    resize(node, attr->st_size);
    node->mtime = at;
  }
  if ((valid & FUSE_SET_ATTR_ATIME_NOW) != 0) node->atime = at;
  else if ((valid & FUSE_SET_ATTR_ATIME) != 0) node->atime = attr->st_atim;
  if ((valid & FUSE_SET_ATTR_MTIME_NOW) != 0) node->mtime = at;
  else if ((valid & FUSE_SET_ATTR_MTIME) != 0) node->mtime = attr->st_mtim;
  node->ctime = at;
  const struct stat st = stat_of(node);
  fuse_reply_attr(req, &st, settings.trust);
}

/* A new node under a name; NULL when the failure has been replied. */
static struct node *create_node(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, dev_t rdev) {
  struct node *dir = node_of(parent);
  if (find(dir, name) != NULL) {
    fuse_reply_err(req, EEXIST);
    return NULL;
  }
  struct node *node = make_node(req, mode, rdev);
  if (node == NULL || !add_entry(dir, name, node)) {
    free(node);
    fuse_reply_err(req, ENOMEM);
    return NULL;
  }
  node->nlink = S_ISDIR(mode) ? 2 : 1;
  if (S_ISDIR(mode)) {
    node->parent = dir;
    dir->nlink++;
  }
  touch(dir);
  return node;
}

static void on_mknod(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, dev_t rdev) {
  struct node *node = create_node(req, parent, name, mode, rdev);
  if (node != NULL) reply_new(req, node);
}

static void on_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode) {
  struct node *node = create_node(req, parent, name, S_IFDIR | (mode & 07777), 0);
  if (node != NULL) reply_new(req, node);
}

static void on_symlink(fuse_req_t req, const char *target, fuse_ino_t parent, const char *name) {
  struct node *node = create_node(req, parent, name, S_IFLNK | 0777, 0);
  if (node == NULL) return;
  node->target = strdup(target);
  node->size = (off_t)strlen(target);
  reply_new(req, node);
}

static void on_readlink(fuse_req_t req, fuse_ino_t ino) { fuse_reply_readlink(req, node_of(ino)->target); }

static void on_link(fuse_req_t req, fuse_ino_t ino, fuse_ino_t parent, const char *name) {
  struct node *node = node_of(ino), *dir = node_of(parent);
  if (find(dir, name) != NULL || !add_entry(dir, name, node)) {
    fuse_reply_err(req, EEXIST);
    return;
  }
  node->nlink++;
  node->ctime = now();
  touch(dir);
  reply_new(req, node);
}

static void unlink_entry(struct entry *e) {
  struct node *dir = e->dir, *node = e->node;
  remove_entry(e);
  touch(dir);
  if (S_ISDIR(node->mode)) {
    node->nlink = 0;
    dir->nlink--;
  } else node->nlink--;
  node->ctime = dir->ctime;
  drop(node);
}

static void on_unlink(fuse_req_t req, fuse_ino_t parent, const char *name) {
  struct entry *e = find(node_of(parent), name);
  if (e != NULL) unlink_entry(e);
  fuse_reply_err(req, e == NULL ? ENOENT : 0);
}

static void on_rmdir(fuse_req_t req, fuse_ino_t parent, const char *name) {
  struct entry *e = find(node_of(parent), name);
  const int error = e == NULL ? ENOENT : e->node->entries > 0 ? ENOTEMPTY : 0;
  if (error == 0) unlink_entry(e);
  fuse_reply_err(req, error);
}

static void on_rename(fuse_req_t req, fuse_ino_t parent, const char *name, fuse_ino_t new_parent, const char *new_name, unsigned flags) {
  struct node *from = node_of(parent), *to = node_of(new_parent);
  struct entry *e = find(from, name), *target = find(to, new_name);
  int error = 0;
  if (e == NULL) error = ENOENT;
  else if ((flags & ~1u) != 0) error = EINVAL; /* RENAME_NOREPLACE alone */
  else if (target != NULL && (flags & 1u) != 0) error = EEXIST;
  else if (target != NULL && target->node != e->node && target->node->entries > 0) error = ENOTEMPTY;
  if (error == 0 && (target == NULL || target->node != e->node)) {
    struct node *node = e->node;
    if (target != NULL) unlink_entry(target);
    if (add_entry(to, new_name, node)) {
      remove_entry(e);
      if (S_ISDIR(node->mode)) {
        from->nlink--;
        to->nlink++;
        node->parent = to;
      }
      touch(from);
      touch(to);
      node->ctime = to->ctime;
    } else error = ENOMEM;
  }
  fuse_reply_err(req, error);
}

static void opened(struct node *node, struct fuse_file_info *fi) {
  if ((fi->flags & O_TRUNC) != 0) {
    resize(node, 0);
    touch(node);
  }
  fi->keep_cache = 1;
  fi->noflush = !settings.ask;
}

static void on_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi) {
  if (settings.no_open) {
    fuse_reply_err(req, ENOSYS);
    return;
  }
  opened(node_of(ino), fi);
  fuse_reply_open(req, fi);
}

static void on_create(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, struct fuse_file_info *fi) {
  if (settings.no_open) {
    fuse_reply_err(req, ENOSYS);
    return;
  }
  struct node *node = create_node(req, parent, name, S_IFREG | (mode & 07777), 0);
  if (node == NULL) return;
  opened(node, fi);
  const struct fuse_entry_param e = entry_of(node);
  node->lookups++;
  fuse_reply_create(req, &e, fi);
}

static void on_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset, struct fuse_file_info *fi) {
  (void)fi;
  const struct node *node = node_of(ino);
  if (offset >= node->size) {
    fuse_reply_buf(req, NULL, 0);
    return;
  }
  if ((off_t)size > node->size - offset) size = (size_t)(node->size - offset);
  struct iovec parts[most_parts];
  int count = 0;
  for (size_t done = 0; done < size && count < most_parts; count++) {
    const size_t index = ((size_t)offset + done) >> chunk_bits, from = ((size_t)offset + done) & (chunk_size - 1);
    const size_t length = chunk_size - from < size - done ? chunk_size - from : size - done;
    const unsigned char *chunk = index < node->chunk_count && node->chunks[index] != NULL ? node->chunks[index] : zeros;
    parts[count] = (struct iovec){(void *)(chunk + from), length};
    done += length;
  }
  fuse_reply_iov(req, parts, count);
}

static void on_write(fuse_req_t req, fuse_ino_t ino, const char *data, size_t size, off_t offset, struct fuse_file_info *fi) {
  (void)fi;
  struct node *node = node_of(ino);
  if (!need_chunks(node, ((size_t)offset + size + chunk_size - 1) >> chunk_bits)) {
    fuse_reply_err(req, ENOSPC);
    return;
  }
  for (size_t done = 0; done < size;) {
    const size_t index = ((size_t)offset + done) >> chunk_bits, from = ((size_t)offset + done) & (chunk_size - 1);
    const size_t length = chunk_size - from < size - done ? chunk_size - from : size - done;
    unsigned char **chunk = &node->chunks[index];
    if (*chunk == NULL) {
      *chunk = take_chunk();
      if (*chunk == NULL) {
        fuse_reply_err(req, ENOSPC);
        return;
      }
      memset(*chunk, 0, from);
      memset(*chunk + from + length, 0, chunk_size - from - length);
    }
    memcpy(*chunk + from, data + done, length);
    done += length;
  }
  if (offset + (off_t)size > node->size) node->size = offset + (off_t)size;
  touch(node);
  fuse_reply_write(req, size);
}

static void on_opendir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi) {
  (void)ino;
  fi->fh = (uint64_t)(uintptr_t)calloc(1, sizeof(struct cursor));
  fi->keep_cache = 1;
  fi->cache_readdir = 1;
  fuse_reply_open(req, fi);
}

static void on_releasedir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi) {
  (void)ino;
  free((void *)(uintptr_t)fi->fh);
  fuse_reply_err(req, 0);
}

/* The entry to go on with: where this listing stopped, if nothing has been removed since. */
static struct entry *entry_at(const struct node *dir, const struct cursor *cursor, uint64_t offset) {
  if (cursor->cookie == offset && offset > 2 && cursor->removals == dir->removals && cursor->entry != NULL) return cursor->entry;
  if (dir->last == NULL || dir->last->cookie < offset) return NULL;
  struct entry *e = dir->first;
  while (e != NULL && e->cookie < offset) e = e->after;
  return e;
}

static size_t put(fuse_req_t req, char *at, size_t room, const char *name, struct node *node, uint64_t next, bool plus, bool dots) {
  if (!plus) {
    const struct stat st = {.st_ino = ino_of(node), .st_mode = node->mode};
    return fuse_add_direntry(req, at, room, name, &st, (off_t)next);
  }
  struct fuse_entry_param e = entry_of(node);
  if (dots) e.ino = 0;
  const size_t size = fuse_add_direntry_plus(req, at, room, name, &e, (off_t)next);
  if (size <= room && !dots) node->lookups++;
  return size;
}

/* Cookies: 1 comes after `.`, 2 after `..`; an entry's listing goes on with its own cookie + 1, all being 3 or more. */
static void list(fuse_req_t req, fuse_ino_t ino, size_t size, uint64_t offset, struct fuse_file_info *fi, bool plus) {
  struct node *dir = node_of(ino);
  struct cursor *cursor = (struct cursor *)(uintptr_t)fi->fh;
  if (size > list_capacity) {
    char *grown = realloc(list_buffer, size);
    if (grown == NULL) {
      fuse_reply_err(req, ENOMEM);
      return;
    }
    list_buffer = (unsigned char *)grown;
    list_capacity = size;
  }
  char *buffer = (char *)list_buffer;
  size_t at = 0;
  if (offset < 1) at += put(req, buffer + at, size - at, ".", dir, 1, plus, true);
  if (offset < 2) at += put(req, buffer + at, size - at, "..", dir->parent, 2, plus, true);
  struct entry *e = entry_at(dir, cursor, offset);
  for (; e != NULL; e = e->after) {
    const size_t length = put(req, buffer + at, size - at, e->name, e->node, e->cookie + 1, plus, false);
    if (length > size - at) break;
    at += length;
    cursor->cookie = e->cookie + 1;
  }
  cursor->entry = e;
  cursor->removals = dir->removals;
  fuse_reply_buf(req, buffer, at);
}

static void on_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset, struct fuse_file_info *fi) {
  list(req, ino, size, (uint64_t)offset, fi, false);
}

static void on_readdirplus(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset, struct fuse_file_info *fi) {
  list(req, ino, size, (uint64_t)offset, fi, true);
}

static void on_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi) {
  (void)ino;
  (void)fi;
  fuse_reply_err(req, 0);
}

static void on_statfs(fuse_req_t req, fuse_ino_t ino) {
  (void)ino;
  const struct statvfs st = {.f_bsize = 4096, .f_frsize = 4096, .f_blocks = 1 << 22, .f_bfree = 1 << 21, .f_bavail = 1 << 21, .f_namemax = 255};
  fuse_reply_statfs(req, &st);
}

static void on_flush(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi) {
  (void)ino, (void)fi;
  fuse_reply_err(req, 0);
}

static void on_getxattr(fuse_req_t req, fuse_ino_t ino, const char *name, size_t size) {
  (void)ino, (void)name, (void)size;
  fuse_reply_err(req, ENODATA);
}

/* FSYNC, ACCESS and, without `ask`, FLUSH and extended attributes are absent: the kernel asks once, and never again. */
static struct fuse_lowlevel_ops operations = {
    .init = on_init, .lookup = on_lookup, .forget = on_forget, .forget_multi = on_forget_multi, .getattr = on_getattr,
    .setattr = on_setattr, .readlink = on_readlink, .mknod = on_mknod, .mkdir = on_mkdir, .unlink = on_unlink,
    .rmdir = on_rmdir, .symlink = on_symlink, .rename = on_rename, .link = on_link, .open = on_open, .read = on_read,
    .write = on_write, .release = on_release, .opendir = on_opendir, .readdir = on_readdir, .releasedir = on_releasedir,
    .statfs = on_statfs, .create = on_create, .readdirplus = on_readdirplus,
};

int main(int argc, char **argv) {
  struct fuse_args args = FUSE_ARGS_INIT(argc, argv);
  struct fuse_cmdline_opts options;
  const struct fuse_opt own[] = {{"no_open", offsetof(struct settings, no_open), 1},
                                 {"trust", offsetof(struct settings, trust), 1},
                                 {"ask", offsetof(struct settings, ask), 1},
                                 FUSE_OPT_END};
  if (fuse_opt_parse(&args, &settings, own, NULL) != 0) return 1;
  if (settings.ask) {
    operations.flush = on_flush;
    operations.getxattr = on_getxattr;
  }
  if (fuse_parse_cmdline(&args, &options) != 0 || options.mountpoint == NULL) return 2;
  table = calloc(table_size, sizeof *table);
  root.mode = S_IFDIR | 0755;
  root.nlink = 2;
  root.parent = &root;
  root.next_cookie = 3;
  root.atime = root.mtime = root.ctime = now();
  struct fuse_session *session = fuse_session_new(&args, &operations, sizeof operations, NULL);
  if (table == NULL || session == NULL) return 1;
  if (fuse_set_signal_handlers(session) != 0 || fuse_session_mount(session, options.mountpoint) != 0) return 1;
  const int result = fuse_session_loop(session);
  fuse_session_unmount(session);
  fuse_session_destroy(session);
  fuse_opt_free_args(&args);
  free(options.mountpoint);
  return result == 0 ? 0 : 1;
}

// Whose a file is that is made: the ids that this thread uses towards filesystems. Other threads keep theirs,
// which is why these are the system calls themselves: libc's setgroups changes all threads.
#include <sys/fsuid.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "fs_call.h"

namespace {

constexpr size_t most_groups = 64;

// (uid, gid, group): group is a supplementary one, or -1 for none. 0 or a negative errno, with nothing changed.
napi_value become(napi_env env, napi_callback_info info) {
  FsCall call(env, info);
  const uid_t uid = static_cast<uid_t>(call.integer(0));
  const gid_t gid = static_cast<gid_t>(call.integer(1));
  const int group = call.integer(2);
  if (!call.ok()) return nullptr;
  const gid_t groups[] = {static_cast<gid_t>(group)};
  if (syscall(SYS_setgroups, group == -1 ? 0 : 1, groups) != 0) return call.error(errno);
  setfsgid(gid);
  // Last: without root's id the others cannot be changed.
  setfsuid(uid);
  return call.result(0);
}

// (): this process's own ids again.
napi_value be_oneself(napi_env env, napi_callback_info info) {
  FsCall call(env, info);
  setfsuid(geteuid());
  setfsgid(getegid());
  if (syscall(SYS_setgroups, call.addon()->groups.size(), call.addon()->groups.data()) != 0) return call.error(errno);
  return call.result(0);
}

// (): notes the supplementary groups to return to.
napi_value know_oneself(napi_env env, napi_callback_info info) {
  FsCall call(env, info);
  gid_t groups[most_groups];
  const int count = getgroups(most_groups, groups);
  if (count < 0) return call.error(errno);
  call.addon()->groups.assign(groups, groups + count);
  return call.result(0);
}

}  // namespace

const FsFunction fs_caller_functions[] = {{"fs_become", become}, {"fs_be_oneself", be_oneself}, {"fs_know_oneself", know_oneself}, {nullptr, nullptr}};

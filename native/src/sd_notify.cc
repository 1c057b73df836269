#include "sd_notify.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstddef>
#include <cstring>

#include "arguments.h"
#include "handle.h"

namespace {

// A path, or a name in the abstract namespace, written with @ for its leading zero (sd_notify(3)).
bool socket_address(const std::string& name, sockaddr_un* address, socklen_t* length) {
  if (name.size() < 2 || name.size() >= sizeof(address->sun_path) || (name[0] != '/' && name[0] != '@')) return false;
  address->sun_family = AF_UNIX;
  memcpy(address->sun_path, name.data(), name.size());
  if (name[0] == '@') address->sun_path[0] = '\0';
  *length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size() + (name[0] == '/' ? 1 : 0));
  return true;
}

int send(const std::string& name, const std::string& state, int attached) {
  sockaddr_un address{};
  socklen_t length = 0;
  if (!socket_address(name, &address, &length)) return EINVAL;
  UniqueFd fd(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!fd.open()) return errno;
  iovec part{const_cast<char*>(state.data()), state.size()};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))]{};
  msghdr message{};
  message.msg_name = &address;
  message.msg_namelen = length;
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (attached >= 0) {
    message.msg_control = control;
    message.msg_controllen = sizeof(control);
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(header), &attached, sizeof(int));
  }
  // A service manager that does not read must not hold its services up.
  return sendmsg(fd.get(), &message, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? errno : 0;
}

}  // namespace

// (socket, state, handle?): one message to a service manager, with a descriptor if one is given; 0 or a
// negative errno.
Napi::Value sd_notify(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  std::string name;
  std::string state;
  if (!read_string(info, 0, "socket", &name) || !read_string(info, 1, "state", &state)) return {};
  int attached = -1;
  if (!info[2].IsUndefined()) {
    Handle* handle = unwrap_handle(Addon::of(env), info[2]);
    if (handle == nullptr) return {};
    if (!handle->fd.open()) return Napi::Number::New(env, -EBADF);
    attached = handle->fd.get();
  }
  return Napi::Number::New(env, -send(name, state, attached));
}

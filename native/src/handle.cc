#include "handle.h"

#include <unistd.h>

namespace bickford {

namespace {
// Marks our objects, so that no other wrapped object is taken for one.
constexpr napi_type_tag kHandleTag = {0x8f0f6d4bb5f04a3eULL, 0x9c1d5a7e2b64c0d1ULL};
}  // namespace

UniqueFd& UniqueFd::operator=(UniqueFd&& other) noexcept {
  if (this != &other) reset(other.release());
  return *this;
}

void UniqueFd::reset(int fd) {
  if (fd_ >= 0) ::close(fd_);
  fd_ = fd;
}

Environment* GetEnvironment(napi_env env) {
  void* data = nullptr;
  napi_get_instance_data(env, &data);
  return static_cast<Environment*>(data);
}

void Handle::Init(Napi::Env env) {
  Napi::Function constructor = DefineClass(env, "FuseHandle", {});
  GetEnvironment(env)->handle_constructor = Napi::Persistent(constructor);
}

Handle::Handle(const Napi::CallbackInfo& info) : Napi::ObjectWrap<Handle>(info) {
  napi_type_tag_object(info.Env(), info.This(), &kHandleTag);
  if (info.Length() == 1 && info[0].IsExternal()) {
    fd_ = std::move(*info[0].As<Napi::External<UniqueFd>>().Data());
  }
}

Handle::~Handle() { Close(); }

void Handle::Close() {
  // The watcher first: the event loop must not hold a number that the kernel may hand out again.
  if (watcher != nullptr) {
    CloseWatcher(watcher);
    watcher = nullptr;
  }
  fd_.reset();
}

Napi::Value Handle::Make(Napi::Env env, UniqueFd fd) {
  return GetEnvironment(env)->handle_constructor.New({Napi::External<UniqueFd>::New(env, &fd)});
}

Handle* Handle::From(napi_env env, napi_value value) {
  bool ours = false;
  if (napi_check_object_type_tag(env, value, &kHandleTag, &ours) != napi_ok || !ours) return nullptr;
  void* handle = nullptr;
  if (napi_unwrap(env, value, &handle) != napi_ok) return nullptr;
  return static_cast<Handle*>(handle);
}

}  // namespace bickford

// A file descriptor owned by a JavaScript object, and the readiness watcher on it.
#pragma once
#include <napi.h>
#include <uv.h>

#include <set>

namespace bickford {

// A descriptor that is closed when it goes out of scope.
class UniqueFd {
 public:
  explicit UniqueFd(int fd = -1) : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(other.release()) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept;
  UniqueFd(const UniqueFd&) = delete;
  UniqueFd& operator=(const UniqueFd&) = delete;
  ~UniqueFd() { reset(); }
  int get() const { return fd_; }
  int release() {
    int fd = fd_;
    fd_ = -1;
    return fd;
  }
  void reset(int fd = -1);

 private:
  int fd_;
};

struct Watcher;

// What one environment (main thread or worker) owns of the addon.
struct Environment {
  Napi::FunctionReference handle_constructor;
  std::set<Watcher*> watchers;
  napi_async_cleanup_hook_handle cleanup = nullptr;
  bool closing = false;
};

class Handle : public Napi::ObjectWrap<Handle> {
 public:
  static void Init(Napi::Env env);
  // Takes the descriptor; an empty value with a pending exception when the object cannot be made.
  static Napi::Value Make(Napi::Env env, UniqueFd fd);
  // The handle behind a value; nullptr when it is none.
  static Handle* From(napi_env env, napi_value value);

  explicit Handle(const Napi::CallbackInfo& info);
  ~Handle() override;

  // -1 once closed.
  int fd() const { return fd_.get(); }
  void Close();

  Watcher* watcher = nullptr;

 private:
  friend Napi::Value MakeHandle(Napi::Env env, UniqueFd fd);
  UniqueFd fd_;
};

Environment* GetEnvironment(napi_env env);
// Stops the watcher and gives its memory back to the event loop.
void CloseWatcher(Watcher* watcher);

void InitOpen(Napi::Env env, Napi::Object exports);
void InitPoll(Napi::Env env, Napi::Object exports);
void InitFrame(Napi::Env env, Napi::Object exports);
void InitMount(Napi::Env env, Napi::Object exports);
void InitFusermount(Napi::Env env, Napi::Object exports);
void InitMemory(Napi::Env env, Napi::Object exports);

}  // namespace bickford

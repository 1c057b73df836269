#include "fusermount.h"

#include <fcntl.h>

#include <cerrno>

#include "arguments.h"
#include "handle.h"
#include "job.h"
#include "spawn.h"

namespace {

constexpr uint32_t default_timeout_ms = 30000;

// Program, PATH and timeout, from a third argument's properties.
bool helper_options(const Napi::CallbackInfo& info, size_t index, Helper* helper) {
  const Napi::Env env = info.Env();
  helper->program = "fusermount3";
  helper->path = "/usr/local/bin:/usr/bin:/bin";
  helper->timeout_ms = default_timeout_ms;
  if (info[index].IsUndefined()) return true;
  if (!info[index].IsObject()) {
    Napi::TypeError::New(env, "expected options to be an object").ThrowAsJavaScriptException();
    return false;
  }
  const Napi::Object options = info[index].As<Napi::Object>();
  const Napi::Value program = options.Get("program");
  const Napi::Value path = options.Get("path");
  const Napi::Value timeout = options.Get("timeout");
  if (env.IsExceptionPending()) return false;
  if (program.IsString()) helper->program = program.As<Napi::String>().Utf8Value();
  if (path.IsString()) helper->path = path.As<Napi::String>().Utf8Value();
  if (timeout.IsNumber()) helper->timeout_ms = timeout.As<Napi::Number>().Uint32Value();
  return true;
}

const char* sent_name(Sent sent) {
  switch (sent) {
    case Sent::descriptor:
      return "descriptor";
    case Sent::bytes:
      return "bytes";
    case Sent::nothing:
      break;
  }
  return "nothing";
}

Napi::Object outcome_object(Napi::Env env, const HelperOutcome& outcome) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("error", Napi::Number::New(env, -outcome.error));
  object.Set("syscall", Napi::String::New(env, outcome.syscall));
  object.Set("exitCode", Napi::Number::New(env, outcome.exit_code));
  object.Set("signal", Napi::Number::New(env, outcome.signal));
  object.Set("output", Napi::String::New(env, outcome.output));
  object.Set("sent", Napi::String::New(env, sent_name(outcome.sent)));
  return object;
}

bool succeeded(const HelperOutcome& outcome) { return outcome.error == 0 && outcome.exit_code == 0; }

struct UnmountJob : Job {
  Helper helper;
  HelperOutcome outcome;

  void run() override { outcome = run_helper(helper); }
  Napi::Value result(Napi::Env env) override { return outcome_object(env, outcome); }
  void abandon() override {}
};

std::vector<std::string> unmount_arguments(const std::string& mountpoint, bool lazy) {
  std::vector<std::string> arguments{"-u"};
  if (lazy) arguments.push_back("-z");
  arguments.push_back("--");
  arguments.push_back(mountpoint);
  return arguments;
}

struct MountJob : Job {
  std::string mountpoint;
  Helper helper;
  HelperOutcome outcome;

  void run() override {
    outcome = run_helper(helper);
    // What a helper sent that then failed is nobody's.
    if (!succeeded(outcome)) outcome.received.reset(-1);
    if (!outcome.received.open()) return;
    const int flags = fcntl(outcome.received.get(), F_GETFL);
    if (flags >= 0 && fcntl(outcome.received.get(), F_SETFL, flags | O_NONBLOCK) == 0) return;
    outcome.error = errno;
    outcome.syscall = "fcntl";
    outcome.received.reset(-1);
  }

  Napi::Value result(Napi::Env env) override {
    Napi::Object object = outcome_object(env, outcome);
    if (outcome.received.open()) {
      object.Set("handle", Napi::Value(env, wrap_handle(Addon::of(env), std::move(outcome.received))));
    }
    return object;
  }

  // Mounted for nobody: nothing will serve it.
  void abandon() override {
    if (!outcome.received.open()) return;
    outcome.received.reset(-1);
    Helper undo = helper;
    undo.socket_variable = nullptr;
    undo.arguments = unmount_arguments(mountpoint, true);
    run_helper(undo);
  }
};

}  // namespace

// (mountpoint, options, { program?, path?, timeout? }?): a promise of
// { error, syscall, exitCode, signal, output, sent, handle? }; `error` is 0 or a negative errno, `timeout` in
// milliseconds. `sent` is "nothing", "descriptor" or "bytes" (without a descriptor); `handle` is there when the helper
// exited with 0 and sent a descriptor.
Napi::Value fusermount3_mount(const Napi::CallbackInfo& info) {
  auto job = std::make_unique<MountJob>();
  std::string options;
  if (!read_string(info, 0, "mountpoint", &job->mountpoint)) return {};
  if (!read_string(info, 1, "options", &options)) return {};
  if (!helper_options(info, 2, &job->helper)) return {};
  job->helper.socket_variable = "_FUSE_COMMFD";
  job->helper.arguments = {"-o", options, "--", job->mountpoint};
  return start_job(info.Env(), std::move(job));
}

// (mountpoint, lazy, { program?, path?, timeout? }?): a promise of the same, without a handle.
Napi::Value fusermount3_unmount(const Napi::CallbackInfo& info) {
  auto job = std::make_unique<UnmountJob>();
  std::string mountpoint;
  if (!read_string(info, 0, "mountpoint", &mountpoint)) return {};
  if (!info[1].IsBoolean()) {
    Napi::TypeError::New(info.Env(), "expected lazy to be a boolean").ThrowAsJavaScriptException();
    return {};
  }
  if (!helper_options(info, 2, &job->helper)) return {};
  job->helper.arguments = unmount_arguments(mountpoint, info[1].As<Napi::Boolean>().Value());
  return start_job(info.Env(), std::move(job));
}

#include "shared_files_binding.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "answerer_binding.h"
#include "files_answerer.h"
#include "fs_attributes.h"
#include "fs_call.h"
#include "fs_place.h"
#include "shared_files.h"
#include "shared_registry.h"

namespace {

// All that this process's isolates share: the one thing that threads find each other's files by.
SharedRegistry<SharedFiles>& registry() {
  static SharedRegistry<SharedFiles> files;
  return files;
}

// An isolate's share, as JavaScript has it: the functions that work on it own it together.
struct Share {
  Addon* addon;
  std::unique_ptr<FilesShare> files;
  int owners = 1;
};

void disown(Share* share) {
  if (--share->owners > 0) return;
  Addon* const addon = share->addon;
  delete share;
  addon->release();
}

class ShareCall : public FsCall {
 public:
  ShareCall(napi_env env, napi_callback_info info)
      : FsCall(env, info, [](void* data) { return static_cast<Share*>(data)->addon; }), share_(static_cast<Share*>(data())) {}

  // Whether the arguments that were read are right, and the share is not closed; it is told otherwise by `wrong`.
  bool usable() const { return ok() && share_->files != nullptr; }
  napi_value wrong() { return ok() ? error(EBADF) : nullptr; }
  FilesShare& share() const { return *share_->files; }
  SharedFiles& files() const { return share_->files->files(); }
  Share* owner() const { return share_; }
  uint64_t number(size_t index) { return static_cast<uint64_t>(wide(index)); }
  napi_value status(int32_t value) { return value < 0 ? error(-value) : result(value); }

 private:
  Share* share_;
};

// (folder, name, parent, count): the node of what is under a name now, 0 where it has none; its attributes noted.
napi_value look(napi_env env, napi_callback_info info) {
  ShareCall call(env, info);
  const FsPlace place(call, 0);
  const uint64_t parent = call.number(2);
  const bool count = call.integer(3) != 0;
  if (!call.usable()) return call.wrong();
  if (place.wrong != 0) return call.error(place.wrong);
  if (fs_look_across(call.addon(), place.folder, place.name) != 0) return call.error(errno);
  return call.result(static_cast<int64_t>(call.files().find(identity_seen(call.addon()), count, parent, place.name)));
}

// (): the node of the file whose attributes were noted last, or 0.
napi_value find(napi_env env, napi_callback_info info) {
  ShareCall call(env, info);
  if (!call.usable()) return call.wrong();
  return call.result(static_cast<int64_t>(call.files().find(identity_seen(call.addon()), false, 0, "")));
}

// (parent, name): likewise, made where there was none.
napi_value adopt(napi_env env, napi_callback_info info) {
  ShareCall call(env, info);
  const uint64_t parent = call.number(0);
  FsName buffer;
  const char* name = call.name(1, &buffer);
  if (!call.usable()) return call.wrong();
  return call.result(static_cast<int64_t>(call.files().adopt(identity_seen(call.addon()), parent, name)));
}

// (node, into): seven words: inode number, birth (seconds, nanoseconds), major and minor number of the device.
napi_value describe(napi_env env, napi_callback_info info) {
  ShareCall call(env, info);
  const uint64_t node = call.number(0);
  size_t size = 0;
  unsigned char* const into = call.bytes(1, &size);
  if (!call.usable()) return call.wrong();
  FileIdentity identity;
  if (!call.files().identity_of(node, &identity)) return call.error(ESTALE);
  const uint64_t birth = static_cast<uint64_t>(identity.birth_seconds);
  const uint32_t words[] = {static_cast<uint32_t>(identity.ino), static_cast<uint32_t>(identity.ino >> 32),
                            static_cast<uint32_t>(birth),        static_cast<uint32_t>(birth >> 32),
                            identity.birth_nanoseconds,          identity.device_major,
                            identity.device_minor};
  if (size < sizeof words) return call.error(ERANGE);
  memcpy(into, words, sizeof words);
  return call.result(0);
}

// (node): the directory in which it was seen last, or 0.
napi_value parent_of(napi_env env, napi_callback_info info) {
  ShareCall call(env, info);
  const uint64_t node = call.number(0);
  if (!call.usable()) return call.wrong();
  return call.result(static_cast<int64_t>(call.files().parent_of(node)));
}

// (node, folder): 1 when what has its name in that directory now is its file, else 0.
napi_value is_in(napi_env env, napi_callback_info info) {
  ShareCall call(env, info);
  const uint64_t node = call.number(0);
  const int folder = call.integer(1);
  if (!call.usable()) return call.wrong();
  uint64_t parent = 0;
  std::string name;
  FileIdentity identity;
  SharedFiles& files = call.files();
  if (!files.place_of(node, &parent, &name) || parent == 0 || !files.identity_of(node, &identity)) return call.result(0);
  const bool there = fs_look_across(call.addon(), folder, name.c_str()) == 0 && identity_seen(call.addon()) == identity;
  return call.result(there ? 1 : 0);
}

// (node, into): the length of its name, whose bytes are in `into`.
napi_value name_of(napi_env env, napi_callback_info info) {
  ShareCall call(env, info);
  const uint64_t node = call.number(0);
  size_t size = 0;
  unsigned char* const into = call.bytes(1, &size);
  if (!call.usable()) return call.wrong();
  uint64_t parent = 0;
  std::string name;
  if (!call.files().place_of(node, &parent, &name)) return call.error(ESTALE);
  if (name.size() > size) return call.error(ERANGE);
  memcpy(into, name.data(), name.size());
  return call.result(static_cast<int64_t>(name.size()));
}

// (node, lookups): the backing id that is to be closed now, or 0.
napi_value forget(napi_env env, napi_callback_info info) {
  ShareCall call(env, info);
  const uint64_t node = call.number(0);
  const uint64_t lookups = call.number(1);
  if (!call.usable()) return call.wrong();
  return call.status(call.files().forget(node, lookups));
}

// (): the nodes that were forgotten since, as numbers.
napi_value forgotten(napi_env env, napi_callback_info info) {
  ShareCall call(env, info);
  if (!call.usable()) return call.wrong();
  const std::vector<uint64_t> nodes = call.share().take_forgotten();
  napi_value array = nullptr;
  napi_create_array_with_length(env, nodes.size(), &array);
  for (size_t i = 0; i < nodes.size(); ++i) napi_set_element(env, array, static_cast<uint32_t>(i), call.result(static_cast<int64_t>(nodes[i])));
  return array;
}

// (): 1 when there are some.
napi_value has_forgotten(napi_env env, napi_callback_info info) {
  ShareCall call(env, info);
  if (!call.usable()) return call.wrong();
  return call.result(call.share().has_forgotten() ? 1 : 0);
}

// (fd): it is closed with the share at the latest.
napi_value hold(napi_env env, napi_callback_info info) {
  ShareCall call(env, info);
  const int fd = call.integer(0);
  if (!call.usable()) return call.wrong();
  call.share().hold(fd);
  return call.result(0);
}

// (fd): closed.
napi_value let_go(napi_env env, napi_callback_info info) {
  ShareCall call(env, info);
  const int fd = call.integer(0);
  if (!call.usable()) return call.wrong();
  call.share().let_go(fd);
  return call.result(0);
}

// (node, fd): by which the addon may look at the node; -1: by none any more.
napi_value tell_descriptor(napi_env env, napi_callback_info info) {
  ShareCall call(env, info);
  const uint64_t node = call.number(0);
  const int fd = call.integer(1);
  if (!call.usable()) return call.wrong();
  call.share().tell_descriptor(node, fd);
  return call.result(0);
}

// (node, milliseconds): it is a directory beneath the root for so long.
napi_value tell_beneath(napi_env env, napi_callback_info info) {
  ShareCall call(env, info);
  const uint64_t node = call.number(0);
  const int milliseconds = call.integer(1);
  if (!call.usable()) return call.wrong();
  call.share().tell_beneath(node, int64_t{milliseconds} * 1000000);
  return call.result(0);
}

// (node, flags, bits): the kernel alone may open it, by its registration, with these of open(2)'s flags.
napi_value tell_opening(napi_env env, napi_callback_info info) {
  ShareCall call(env, info);
  const uint64_t node = call.number(0);
  const int flags = call.integer(1);
  const int bits = call.integer(2);
  if (!call.usable()) return call.wrong();
  call.share().tell_opening(node, flags, bits);
  return call.result(0);
}

// (node): 1 when the addon has looked at it by its descriptor since this was asked last.
napi_value take_used(napi_env env, napi_callback_info info) {
  ShareCall call(env, info);
  const uint64_t node = call.number(0);
  if (!call.usable()) return call.wrong();
  return call.result(call.share().take_used(node) ? 1 : 0);
}

// Answers by a share, of which it owns a part.
class OwningAnswerer : public FilesAnswerer {
 public:
  OwningAnswerer(Share* share, AnswerOptions options) : FilesAnswerer(share->addon, share->files, std::move(options)), share_(share) {
    ++share->owners;
  }
  ~OwningAnswerer() override { disown(share_); }
  OwningAnswerer(const OwningAnswerer&) = delete;
  OwningAnswerer& operator=(const OwningAnswerer&) = delete;

 private:
  Share* share_;
};

Validity validity_at(const double* values) { return {static_cast<uint64_t>(values[0]), static_cast<uint32_t>(values[1])}; }

// The names of a list in which each is ended by a NUL.
std::vector<std::string> names_in(const unsigned char* bytes, size_t size) {
  std::vector<std::string> names;
  const char* at = reinterpret_cast<const char*>(bytes);
  const char* const end = at + size;
  while (at < end) {
    const char* const next = std::find(at, end, '\0');
    names.emplace_back(at, next);
    at = next == end ? end : next + 1;
  }
  return names;
}

// (seconds and nanoseconds of entries, attributes, names that are not there (-1: ENOENT); covered names, each ended by a NUL; the bits of
// files that the kernel alone has open, and of those that were made as they were opened): what answers by this share (request_answerer.h).
napi_value answerer(napi_env env, napi_callback_info info) {
  ShareCall call(env, info);
  size_t size = 0;
  const unsigned char* const words = call.bytes(0, &size);
  size_t names = 0;
  const unsigned char* const covered = call.bytes(1, &names);
  const int backed_bits = call.integer(2);
  const int made_bits = call.integer(3);
  if (!call.usable()) return call.wrong();
  double values[6];
  if (size != sizeof values) return call.error(EINVAL);
  memcpy(values, words, sizeof values);
  AnswerOptions options{validity_at(values), validity_at(values + 2), values[4] >= 0, {}, backed_bits, made_bits, names_in(covered, names)};
  if (options.trusts_absence) options.absence = validity_at(values + 4);
  return wrap_answerer(env, std::make_shared<OwningAnswerer>(call.owner(), std::move(options)));
}

// (node, handle)
napi_value record_handle(napi_env env, napi_callback_info info) {
  ShareCall call(env, info);
  const uint64_t node = call.number(0);
  size_t size = 0;
  const unsigned char* const bytes = call.bytes(1, &size);
  if (!call.usable()) return call.wrong();
  call.files().record_handle(node, bytes, size);
  return call.result(0);
}

// (node, into): the length of its handle; 0 where none was recorded.
napi_value handle_of(napi_env env, napi_callback_info info) {
  ShareCall call(env, info);
  const uint64_t node = call.number(0);
  size_t size = 0;
  unsigned char* const into = call.bytes(1, &size);
  if (!call.usable()) return call.wrong();
  const std::vector<unsigned char> handle = call.files().handle_of(node);
  if (handle.size() > size) return call.error(ERANGE);
  if (!handle.empty()) memcpy(into, handle.data(), handle.size());
  return call.result(static_cast<int64_t>(handle.size()));
}

// (node, pid): 1 when it was told of before, and then no more.
napi_value was_sent_back(napi_env env, napi_callback_info info) {
  ShareCall call(env, info);
  const uint64_t node = call.number(0);
  const int pid = call.integer(1);
  if (!call.usable()) return call.wrong();
  return call.result(call.files().was_sent_back(node, pid) ? 1 : 0);
}

// (directory, name): the name was removed from it, or replaced in it.
napi_value note_removed(napi_env env, napi_callback_info info) {
  ShareCall call(env, info);
  const uint64_t directory = call.number(0);
  FsName buffer;
  const char* name = call.name(1, &buffer);
  if (!call.usable()) return call.wrong();
  call.files().note_removed(directory, name);
  return call.result(0);
}

// (node): 1 when its name was.
napi_value was_removed(napi_env env, napi_callback_info info) {
  ShareCall call(env, info);
  const uint64_t node = call.number(0);
  if (!call.usable()) return call.wrong();
  return call.result(call.files().was_removed(node) ? 1 : 0);
}

// (node, flags, bits, fd): the number of the open file.
napi_value open_file(napi_env env, napi_callback_info info) {
  ShareCall call(env, info);
  OpenedFile file;
  file.node = call.number(0);
  file.flags = call.integer(1);
  file.bits = call.integer(2);
  file.fd = call.integer(3);
  if (!call.usable()) return call.wrong();
  return call.result(static_cast<int64_t>(call.files().open(file)));
}

// The number of an open file as JavaScript tells of it: four numbers.
napi_value tell(ShareCall& call, const OpenedFile& file, size_t index) {
  size_t size = 0;
  unsigned char* const into = call.bytes(index, &size);
  if (!call.ok()) return nullptr;
  const double values[] = {static_cast<double>(file.node), static_cast<double>(file.flags), static_cast<double>(file.bits),
                           static_cast<double>(file.fd)};
  if (size < sizeof values) return call.error(ERANGE);
  memcpy(into, values, sizeof values);
  return call.result(0);
}

// (handle): its descriptor, -ENOENT when it has none yet, -ESTALE when it is not open.
napi_value descriptor_of(napi_env env, napi_callback_info info) {
  ShareCall call(env, info);
  const uint64_t handle = call.number(0);
  if (!call.usable()) return call.wrong();
  OpenedFile file;
  if (!call.files().opened(handle, &file)) return call.error(ESTALE);
  return file.fd < 0 ? call.error(ENOENT) : call.result(file.fd);
}

// (handle, into): node, flags, bits, descriptor or -1. 0 or -ESTALE.
napi_value opened_file(napi_env env, napi_callback_info info) {
  ShareCall call(env, info);
  const uint64_t handle = call.number(0);
  if (!call.usable()) return call.wrong();
  OpenedFile file;
  return call.files().opened(handle, &file) ? tell(call, file, 1) : call.error(ESTALE);
}

// (handle, fd): the descriptor that it has now, which is not `fd` when another was quicker; -ESTALE when it is not open.
napi_value give_descriptor(napi_env env, napi_callback_info info) {
  ShareCall call(env, info);
  const uint64_t handle = call.number(0);
  const int fd = call.integer(1);
  if (!call.usable()) return call.wrong();
  const int given = call.files().give_descriptor(handle, fd);
  return given < 0 ? call.error(ESTALE) : call.result(given);
}

// (handle, into): as opened_file, and it is open no more. The descriptor is the caller's to close.
napi_value close_file(napi_env env, napi_callback_info info) {
  ShareCall call(env, info);
  const uint64_t handle = call.number(0);
  if (!call.usable()) return call.wrong();
  OpenedFile file;
  return call.files().close(handle, &file) ? tell(call, file, 1) : call.error(ESTALE);
}

// (node): a new descriptor, O_PATH, of a file that is open; -ESTALE when it is not.
napi_value reopen(napi_env env, napi_callback_info info) {
  ShareCall call(env, info);
  const uint64_t node = call.number(0);
  if (!call.usable()) return call.wrong();
  const int fd = call.files().reopen(node);
  return fd < 0 ? call.error(ESTALE) : call.result(fd);
}

// (node): what `Count` counts of it.
template <uint32_t (SharedFiles::*Count)(uint64_t)>
napi_value count_of(napi_env env, napi_callback_info info) {
  ShareCall call(env, info);
  const uint64_t node = call.number(0);
  if (!call.usable()) return call.wrong();
  return call.result((call.files().*Count)(node));
}

// (node): does `Change` to it.
template <int32_t (SharedFiles::*Change)(uint64_t)>
napi_value changed_by(napi_env env, napi_callback_info info) {
  ShareCall call(env, info);
  const uint64_t node = call.number(0);
  if (!call.usable()) return call.wrong();
  return call.status((call.files().*Change)(node));
}

// (node, kept only)
napi_value backing(napi_env env, napi_callback_info info) {
  ShareCall call(env, info);
  const uint64_t node = call.number(0);
  const bool kept_only = call.integer(1) != 0;
  if (!call.usable()) return call.wrong();
  return call.status(call.files().backing(node, kept_only));
}

// (node, id, kept)
napi_value register_backing(napi_env env, napi_callback_info info) {
  ShareCall call(env, info);
  const uint64_t node = call.number(0);
  const int id = call.integer(1);
  const bool kept = call.integer(2) != 0;
  if (!call.usable()) return call.wrong();
  return call.status(call.files().register_backing(node, id, kept));
}

// (node): 1 while somebody has it open by its registration.
napi_value is_backed(napi_env env, napi_callback_info info) {
  ShareCall call(env, info);
  const uint64_t node = call.number(0);
  if (!call.usable()) return call.wrong();
  return call.result(call.files().is_backed(node) ? 1 : 0);
}

// (bytes): of a file that was made as it was opened, and is closed.
napi_value note_made(napi_env env, napi_callback_info info) {
  ShareCall call(env, info);
  const uint64_t size = call.number(0);
  if (!call.usable()) return call.wrong();
  call.files().note_made(size);
  return call.result(0);
}

// (): of the last of those.
napi_value last_made_size(napi_env env, napi_callback_info info) {
  ShareCall call(env, info);
  if (!call.usable()) return call.wrong();
  return call.result(static_cast<int64_t>(call.files().last_made_size()));
}

// (): how many nodes there are.
napi_value count(napi_env env, napi_callback_info info) {
  ShareCall call(env, info);
  if (!call.usable()) return call.wrong();
  return call.result(static_cast<int64_t>(call.files().count()));
}

// (): what is wrong, a sentence each.
napi_value invariants(napi_env env, napi_callback_info info) {
  ShareCall call(env, info);
  if (!call.usable()) return call.wrong();
  napi_value array = nullptr;
  napi_create_array(env, &array);
  uint32_t index = 0;
  for (const std::string& sentence : call.files().invariants()) {
    napi_value text = nullptr;
    napi_create_string_utf8(env, sentence.data(), sentence.size(), &text);
    napi_set_element(env, array, index++, text);
  }
  return array;
}

// (): the descriptors that it holds are closed, and no other share is told of anything. Idempotent.
napi_value close_share(napi_env env, napi_callback_info info) {
  ShareCall call(env, info);
  call.owner()->files.reset();
  return nullptr;
}

constexpr FsFunction functions[] = {
    {"look", look}, {"find", find}, {"adopt", adopt}, {"describe", describe}, {"parent_of", parent_of}, {"is_in", is_in},
    {"name_of", name_of}, {"forget", forget}, {"forgotten", forgotten}, {"has_forgotten", has_forgotten}, {"hold", hold}, {"let_go", let_go},
    {"tell_descriptor", tell_descriptor}, {"tell_beneath", tell_beneath}, {"tell_opening", tell_opening}, {"take_used", take_used}, {"answerer", answerer},
    {"record_handle", record_handle}, {"handle_of", handle_of}, {"was_sent_back", was_sent_back}, {"note_removed", note_removed},
    {"was_removed", was_removed}, {"open", open_file},
    {"descriptor_of", descriptor_of}, {"opened", opened_file}, {"give_descriptor", give_descriptor}, {"close_file", close_file},
    {"reopen", reopen}, {"opens", count_of<&SharedFiles::opens>}, {"unopened", count_of<&SharedFiles::unopened>},
    {"backing", backing}, {"register_backing", register_backing}, {"close_backing", changed_by<&SharedFiles::close_backing>},
    {"let_backing_go", changed_by<&SharedFiles::let_backing_go>}, {"is_backed", is_backed}, {"note_made", note_made},
    {"last_made_size", last_made_size}, {"count", count},
    {"invariants", invariants}, {"close", close_share},
};

void finalize(napi_env, void*, void* hint) { disown(static_cast<Share*>(hint)); }

// A share's functions, each of which owns a part of it; false when the environment cannot make them.
bool add_functions(Napi::Object* into, Share* share) {
  const napi_env env = share->addon->env;
  for (const FsFunction& each : functions) {
    napi_value function = nullptr;
    if (napi_create_function(env, each.name, NAPI_AUTO_LENGTH, each.function, share, &function) != napi_ok) return false;
    if (napi_add_finalizer(env, function, share, finalize, share, nullptr) != napi_ok) return false;
    ++share->owners;
    into->Set(each.name, Napi::Value(env, function));
  }
  return true;
}

}  // namespace

// (number): an isolate's share of files that are there, or, without a number, of new ones, whose root's attributes were noted last:
// an object of the functions above and the files' number; or a negative errno.
Napi::Value attach_files(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Addon* const addon = Addon::of(env);
  std::shared_ptr<SharedFiles> files;
  uint32_t number = 0;
  if (info[0].IsNumber()) {
    number = info[0].As<Napi::Number>().Uint32Value();
    files = registry().find(number);
    if (files == nullptr) return Napi::Number::New(env, -ENOENT);
  } else {
    files = std::make_shared<SharedFiles>(identity_seen(addon));
    number = registry().add(files);
  }
  addon->acquire();
  Share* const share = new Share{addon, std::make_unique<FilesShare>(std::move(files))};
  Napi::Object result = Napi::Object::New(env);
  const bool complete = add_functions(&result, share);
  result.Set("number", Napi::Number::New(env, number));
  disown(share);
  if (!complete) return Napi::Number::New(env, -ENOMEM);
  return result;
}

#include "answerer_binding.h"

#include <utility>

namespace {

using Owned = std::shared_ptr<RequestAnswerer>;

// Tells an external of this kind from others.
constexpr napi_type_tag tag = {0x5d2f6a1c8be34f07, 0xa94c0e7715d863b2};

void finalize(napi_env, void* data, void*) { delete static_cast<Owned*>(data); }

}  // namespace

napi_value wrap_answerer(napi_env env, std::shared_ptr<RequestAnswerer> answerer) {
  Owned* const owned = new Owned(std::move(answerer));
  napi_value value = nullptr;
  if (napi_create_external(env, owned, finalize, nullptr, &value) != napi_ok) {
    delete owned;
    return nullptr;
  }
  return napi_type_tag_object(env, value, &tag) == napi_ok ? value : nullptr;
}

std::shared_ptr<RequestAnswerer> unwrap_answerer(napi_env env, napi_value value) {
  napi_valuetype type = napi_undefined;
  bool is_ours = false;
  void* data = nullptr;
  if (napi_typeof(env, value, &type) != napi_ok || type != napi_external) return nullptr;
  if (napi_check_object_type_tag(env, value, &tag, &is_ours) != napi_ok || !is_ours) return nullptr;
  if (napi_get_value_external(env, value, &data) != napi_ok) return nullptr;
  return *static_cast<Owned*>(data);
}

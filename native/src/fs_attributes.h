#pragma once

#include "addon.h"

// statx of what `name` names in `folder` ("": the folder's own descriptor), never following a last link; the
// result goes to the addon's attributes. 0 or -1, with errno set.
int fs_look(Addon* addon, int folder, const char* name);

// As fs_look, for what a path led to: EDEADLK, and no question to its server, where this environment serves it itself.
int fs_look_across(Addon* addon, int folder, const char* name);

// A device as one number, for Addon::own_devices.
constexpr uint64_t device_key(uint32_t major, uint32_t minor) { return (static_cast<uint64_t>(major) << 32) | minor; }

// Which file the addon's attributes are of.
struct FileIdentity;
FileIdentity identity_seen(const Addon* addon);

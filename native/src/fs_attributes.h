#pragma once

#include "addon.h"

// statx of what `name` names in `folder` ("": the folder's own descriptor), never following a last link; the
// result goes to the addon's attributes. 0 or -1, with errno set.
int fs_look(Addon* addon, int folder, const char* name);

// Which word of the addon's attributes is st_mode.
constexpr size_t attribute_mode = 6;

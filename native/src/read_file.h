#pragma once

#include <string>

// What a file of /proc or /sys holds; empty when it cannot be read.
std::string read_file(const std::string& path);

{
  "variables": { "asan%": 0 },
  "targets": [
    {
      "target_name": "bickford",
      "sources": [
        "src/addon.cc", "src/handle.cc", "src/open.cc", "src/poll.cc", "src/frame.cc", "src/job.cc", "src/mount.cc", "src/fusermount.cc", "src/memory.cc"
      ],
      "include_dirs": ["<!(node -p \"require('node-addon-api').include_dir\")"],
      "defines": ["NAPI_VERSION=9", "NAPI_DISABLE_CPP_EXCEPTIONS", "NODE_ADDON_API_DISABLE_DEPRECATED", "_GNU_SOURCE"],
      "cflags": ["-fvisibility=hidden", "-Wall", "-Wextra", "-Werror", "-Wno-cast-function-type"],
      "cflags_cc": ["-std=c++17", "-fno-exceptions"],
      "ldflags": ["-Wl,-z,nodelete"],
      "conditions": [
        ["asan==1", { "cflags": ["-fsanitize=address", "-fno-omit-frame-pointer", "-O1", "-g"], "ldflags": ["-fsanitize=address"] }]
      ]
    }
  ]
}

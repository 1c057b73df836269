{
  "variables": { "bickford_sanitize%": 0 },
  "targets": [
    {
      "target_name": "bickford",
      "sources": [
        "src/addon.cc",
        "src/answerer_binding.cc",
        "src/arguments.cc",
        "src/blocked_call.cc",
        "src/channel.cc",
        "src/detach_at_end.cc",
        "src/frame.cc",
        "src/from_fd.cc",
        "src/files_answerer.cc",
        "src/fs_attributes.cc",
        "src/fs_call.cc",
        "src/fs_caller.cc",
        "src/fs_data.cc",
        "src/fs_handles.cc",
        "src/fs_names.cc",
        "src/fusermount.cc",
        "src/handle.cc",
        "src/job.cc",
        "src/memory.cc",
        "src/mount.cc",
        "src/mount_context.cc",
        "src/notify.cc",
        "src/open.cc",
        "src/path.cc",
        "src/pin.cc",
        "src/pipe.cc",
        "src/poll.cc",
        "src/read_file.cc",
        "src/ring.cc",
        "src/ring_binding.cc",
        "src/ring_loop.cc",
        "src/ring_memory.cc",
        "src/sd_notify.cc",
        "src/shared_files.cc",
        "src/shared_files_binding.cc",
        "src/socketpair.cc",
        "src/spawn.cc",
        "src/splice.cc",
        "src/uring.cc",
        "src/watchdog.cc"
      ],
      "defines": ["NAPI_VERSION=9", "NAPI_DISABLE_CPP_EXCEPTIONS", "_GNU_SOURCE", "_FILE_OFFSET_BITS=64"],
      "cflags!": ["-Wno-unused-parameter"],
      "cflags": ["-Wall", "-Wextra", "-Werror", "-O2", "-fvisibility=hidden"],
      "include_dirs": ["<!(node -p \"require('node-addon-api').include_dir\")"],
      "cflags_cc": ["-std=c++17", "-fno-exceptions", "-fno-rtti", "-fvisibility-inlines-hidden"],
      "cflags_cc!": ["-std=gnu++17", "-std=gnu++20"],
      "ldflags": ["-Wl,-z,nodelete", "-pthread"],
      "conditions": [
        ["bickford_sanitize==1", {
          "cflags": ["-fsanitize=address,undefined,float-cast-overflow", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer", "-g"],
          "ldflags": ["-fsanitize=address,undefined"]
        }]
      ]
    }
  ]
}

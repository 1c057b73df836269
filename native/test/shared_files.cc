// Threads that find, open, close and forget the same few files, to be compiled with -fsanitize=thread or address: prints what is wrong.
#include "../src/shared_files.h"

#include <fcntl.h>

#include <cstdio>
#include <thread>

namespace {

constexpr int thread_count = 4;
constexpr int rounds = 20000;
constexpr uint64_t file_count = 16;

FileIdentity identity(uint64_t ino) { return {8, 1, ino, 1700000000, 5}; }

// As one isolate: each lookup that it counts it gives back, sooner or later.
void work(std::shared_ptr<SharedFiles> files, uint64_t seed) {
  FilesShare share(files);
  uint64_t state = seed;
  uint64_t sum = 0;
  for (int round = 0; round < rounds; ++round) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    const FileIdentity file = identity(100 + (state >> 33) % file_count);
    uint64_t node = files->find(file, true, SharedFiles::root, "name");
    if (node == 0) node = files->adopt(file, SharedFiles::root, "name");
    const uint64_t handle = files->open({node, O_RDONLY, 0, round % 2 == 0 ? -1 : 1000000});
    OpenedFile opened;
    if (!files->opened(handle, &opened) || opened.node != node) printf("handle %llu is not open\n", static_cast<unsigned long long>(handle));
    files->give_descriptor(handle, 1000001);
    if (files->backing(node, false) <= 0) files->register_backing(node, 1 + round, round % 3 == 0);
    uint64_t parent = 0;
    std::string name;
    if (!files->place_of(node, &parent, &name) || name.empty()) printf("node %llu has no place\n", static_cast<unsigned long long>(node));
    files->close_backing(node);
    const bool closed = round % 2 == 0 ? files->close(handle, &opened) : files->close_unbacked(handle, 1, &opened);
    if (!closed || opened.fd < 0) printf("handle %llu was closed\n", static_cast<unsigned long long>(handle));
    const bool backed = files->backing(node, true) > 0;
    const uint64_t kernels = files->open({node, O_RDONLY, 1, -1});
    if (files->close_unbacked(kernels, 1, &opened)) printf("handle %llu is the kernel's\n", static_cast<unsigned long long>(kernels));
    if (!backed || !files->close_backed(kernels, 1)) {
      if (backed) files->close_backing(node);
      files->close(kernels, &opened);
    }
    sum += share.has_forgotten() ? share.take_forgotten().size() : 0;
    files->forget(node, 1);
  }
  if (sum == 0) printf("no isolate was told of what another forgot\n");
}

}  // namespace

int main() {
  const auto files = std::make_shared<SharedFiles>(identity(2));
  std::vector<std::thread> threads;
  for (uint64_t thread = 1; thread <= thread_count; ++thread) threads.emplace_back(work, files, thread);
  for (std::thread& thread : threads) thread.join();
  for (const std::string& wrong : files->invariants()) printf("%s\n", wrong.c_str());
  if (files->count() != 1) printf("%zu nodes are left\n", files->count());
  return 0;
}

// Of a served directory, answered for one of several isolates: LOOKUP, GETATTR, UNLINK, RMDIR, OPEN of a file that the kernel alone opens,
// RELEASE where nothing of the kernel's is to be closed with it.
//
// What JavaScript would do is done here in the same order: the same system call, the same count of lookups in the same table, by
// descriptors that JavaScript has told of. Whatever is not plain is left to it: a file that has no node yet, or lies on another
// filesystem, a directory that was not lately seen to lie beneath the root, a name that a mount of this process covers, any error but
// ENOENT.
#pragma once

#include <ctime>
#include <string>
#include <vector>

#include "addon.h"
#include "request_answerer.h"
#include "shared_files.h"

// How long the kernel may trust what it is told.
struct Validity {
  uint64_t seconds = 0;
  uint32_t nanoseconds = 0;
};

struct AnswerOptions {
  Validity entry;
  Validity attributes;
  // Of a name that is not there; otherwise it is ENOENT.
  bool trusts_absence = false;
  Validity absence;
  // `OpenedFile::bits` of a file that the kernel alone has open.
  int32_t backed_bits = 0;
  // Of a file that was made as it was opened.
  int32_t made_bits = 0;
  // Names that lead to what other mounts of this process cover, in some directory.
  std::vector<std::string> covered;
};

// Answers by the share of `files`, while there is one.
class FilesAnswerer : public RequestAnswerer {
 public:
  FilesAnswerer(Addon* addon, std::unique_ptr<FilesShare>& files, AnswerOptions options)
      : addon_(addon), files_(files), options_(std::move(options)) {}

  bool answer(const RingRequest& request, RingReply* reply) override;

 private:
  bool look_up(const RingRequest& request, RingReply* reply);
  bool get_attributes(const RingRequest& request, RingReply* reply);
  bool open_file(const RingRequest& request, RingReply* reply);
  bool release_file(const RingRequest& request);
  bool remove_name(const RingRequest& request, int flags);
  // Whether the directory, and those above it, still have the names by which they were seen last. False where that is not sure.
  bool is_reached(uint64_t directory);
  bool is_covered(const char* name) const;
  // Whether the file that was looked at last is on the filesystem that the root is on.
  bool is_on_root_filesystem() const;
  void put_attributes(unsigned char* to) const;
  Validity attributes_validity(uint64_t node) const;

  Addon* addon_;
  std::unique_ptr<FilesShare>& files_;
  AnswerOptions options_;
};

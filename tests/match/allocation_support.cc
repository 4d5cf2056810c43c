#include "tests/match/allocation_support.h"

#include <cstdlib>
#include <new>
#include <optional>

// ThreadSanitizer links its own operator new and takes no other.
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define DETWATCH_OWN_NEW 0
#endif
#endif
#ifndef DETWATCH_OWN_NEW
#define DETWATCH_OWN_NEW 1
#endif

#if DETWATCH_OWN_NEW
namespace {

std::size_t allocations = 0;

}  // namespace

void* operator new(std::size_t size) {
  ++allocations;
  void* const memory = std::malloc(size == 0 ? 1 : size);
  if (memory == nullptr) {
    std::abort();
  }
  return memory;
}

// A sanitizer brings its own otherwise, which would not agree with the operator delete below.
void* operator new(std::size_t size, const std::nothrow_t& /*tag*/) noexcept {
  ++allocations;
  return std::malloc(size == 0 ? 1 : size);
}

void operator delete(void* memory) noexcept {
  std::free(memory);
}

void operator delete(void* memory, std::size_t /*size*/) noexcept {
  std::free(memory);
}

#endif

namespace detwatch::match {

std::optional<std::size_t> Allocations() {
#if DETWATCH_OWN_NEW
  return allocations;
#else
  return std::nullopt;
#endif
}

}  // namespace detwatch::match

#pragma once
// Counts what operator new hands out in this test binary.

#include <cstddef>
#include <optional>

namespace detwatch::match {

// Nothing under a sanitizer that has an operator new of its own.
[[nodiscard]] std::optional<std::size_t> Allocations();

}  // namespace detwatch::match

#pragma once
// Counts what operator new hands out in this test binary.

#include <cstddef>

namespace detwatch::match {

[[nodiscard]] std::size_t Allocations();

}  // namespace detwatch::match

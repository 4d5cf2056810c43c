#pragma once
// daemon/tools -- whether a person may be looking at a stream: colours, columns and progress lines are for
// terminals only.

#include <iosfwd>

namespace detwatch::tools {

// True for standard output and standard error where they are terminals.
[[nodiscard]] bool IsTerminal(const std::ostream& stream);

}  // namespace detwatch::tools

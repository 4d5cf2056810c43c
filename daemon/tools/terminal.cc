#include "daemon/tools/terminal.h"

#include <unistd.h>

#include <iostream>

namespace detwatch::tools {

bool IsTerminal(const std::ostream& stream) {
  return (&stream == &std::cout && isatty(STDOUT_FILENO) == 1) ||
         (&stream == &std::cerr && isatty(STDERR_FILENO) == 1);
}

}  // namespace detwatch::tools

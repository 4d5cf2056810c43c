#pragma once
// daemon/serve -- what the operating system says of this process, from /proc/self.
// Threads: any. A value that cannot be read is 0.

#include "lib/expose/expose.h"

namespace detwatch::serve {

// Fills in the process_* facts; leaves the others.
void ReadProcess(expose::Process& process);

}  // namespace detwatch::serve

#pragma once
// daemon/web -- the landing page, embedded into the binary so that it works offline and from any directory.
// Requires nothing but GET /api/v1/summary of the daemon that served it. Threads: constant data.

#include <string_view>

namespace detwatch::web {

// GET /: UTF-8 HTML without external resources; script and style are inline.
[[nodiscard]] std::string_view IndexHtml();

}  // namespace detwatch::web

#pragma once
// daemon/config -- the word that was meant: of keys, commands and flags. Threads: pure functions.

#include <string>
#include <string_view>
#include <vector>

namespace detwatch::config {

// The known word nearest to `word`, or empty when none is near enough to be meant.
[[nodiscard]] std::string_view Nearest(std::string_view word, const std::vector<std::string_view>& known);
// " (did you mean \"eval\"?)", or nothing when no known word is near.
[[nodiscard]] std::string DidYouMean(std::string_view word, const std::vector<std::string>& known);

}  // namespace detwatch::config

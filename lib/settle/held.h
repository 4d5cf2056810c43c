#pragma once
// lib/settle -- a half that waits or is kept, as the ledger holds it. Frozen by golden files.
//
// Laws (tests of the same name): EveryHeldHalfIsFrozen. Errors: what was not written by us throws
// std::runtime_error: the store is damaged.

#include <string>
#include <string_view>
#include <vector>

#include "lib/accumulate/ring.h"
#include "lib/cells/contribution.h"
#include "lib/core/frame.h"

namespace detwatch::settle {

struct HeldFrame {
  accumulate::Ordinal ordinal = 0;  // 0 while it waits
  std::vector<cells::GroupId> groups;
  std::string_view payload;  // wire::EncodePayload of the predictions; lives as long as what was decoded
};

[[nodiscard]] std::string EncodeHeld(accumulate::Ordinal ordinal, const std::vector<cells::GroupId>& groups,
                                     const Predictions& predictions);
[[nodiscard]] HeldFrame DecodeHeld(std::string_view bytes);
[[noreturn]] void Damaged();

}  // namespace detwatch::settle

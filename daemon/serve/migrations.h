#pragma once
// daemon/serve -- how stores of earlier formats become one of today's: the n-th entry turns format n into n
// + 1.
//
// A change of any row (lib/pipeline/rows.h, lib/cells/rows.h, lib/join/ledger_rows.h, lib/settle/held.h) is a
// new format: raise pipeline::kStoreFormat, add its migration here, keep the golden files of the format
// before, and let a test open a store of it. Format 1 was nobody's but ours: it is refused, so that nothing
// is counted wrong. Threads: none.

#include <functional>
#include <vector>

#include "lib/core/key_value.h"
#include "lib/core/result.h"

namespace detwatch::serve {

using Migration = std::function<Result<void>(KeyValue&)>;

[[nodiscard]] inline std::vector<Migration> Migrations() {
  return {[](KeyValue&) -> Result<void> {
    return Fail(
        "the store is of format 1, whose counts this version cannot read; start with another "
        "--storage.path, or read it with the version that wrote it");
  }};
}

}  // namespace detwatch::serve

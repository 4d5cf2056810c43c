#pragma once
// tests/expose -- snapshots with fixed, made-up numbers.

#include <cstddef>
#include <memory>
#include <string>

#include "lib/expose/expose.h"
#include "lib/snapshot/snapshot.h"

namespace detwatch::expose {

[[nodiscard]] Process SampleProcess();

// Small, with something of everything: two views, one of them without classes; a class with a quote, a
// backslash and a line break in its name; a class that was not judged in a window; two models, one silent.
[[nodiscard]] std::shared_ptr<snapshot::Snapshot> SampleSnapshot();

// `models` groups of `classes` classes with COCO's parameters, windows total, 5m, 1h and 24h, and fleet bins.
[[nodiscard]] std::shared_ptr<snapshot::Snapshot> CocoSnapshot(std::size_t models, std::size_t classes);

// Serves one snapshot, which may be null.
[[nodiscard]] Collector Serve(std::shared_ptr<const snapshot::Snapshot> snapshot, ExposeOptions options = {});

}  // namespace detwatch::expose

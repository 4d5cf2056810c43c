#pragma once
// lib/cells -- evaluation parameters with the tools made from them once. Threads: one owner, as the matcher
// has scratch space.

#include <cstdint>
#include <memory>

#include "lib/accumulate/histogram.h"
#include "lib/core/evaluation.h"
#include "lib/match/matcher.h"

namespace detwatch::cells {

struct Evaluation {
  explicit Evaluation(std::shared_ptr<const EvaluationParams> with)
      : params(std::move(with)),
        fingerprint(params->Fingerprint()),
        fine(accumulate::Shape::Fine(*params)),
        matcher(*params) {}

  std::shared_ptr<const EvaluationParams> params;
  std::uint64_t fingerprint;
  accumulate::Shape fine;
  match::Matcher matcher;
};

}  // namespace detwatch::cells

// Every limit that a daemon refuses by is told in `Limits`, and proto/DELIVERY.md says what it refuses. A new
// reason has to be put into the table here, with its limits.

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "lib/core/result.h"

namespace detwatch::wire {
namespace {

using R = RejectReason;
using Names = std::set<std::string>;

// What decides about a reason beside the message itself.
enum class By {
  kLimits,  // fields of Limits
  kRange,   // a range that is part of the contract and stands with the field
  kShape,   // nothing: such a message is wrong everywhere, or contradicts another
};

struct Rule {
  By by;
  Names limits;
};

// A switch without a default: the compiler names the reason that is missing.
Rule RuleOf(R reason) {
  switch (reason) {
    case R::kOversized:
      return {By::kLimits, {"message_bytes", "batch_items", "header_bytes"}};
    case R::kHeaderInvalid:
    case R::kStringTooLong:
    case R::kTagInvalid:
      return {By::kLimits, {"string_bytes"}};
    case R::kTooManyBoxes:
      return {By::kLimits, {"boxes_per_frame"}};
    case R::kClassListUnknown:
      return {By::kLimits, {"class_list_wait_ns", "class_list_waiting_bytes"}};
    case R::kTooManyClasses:
      return {By::kLimits, {"classes_per_list", "class_names", "class_lists"}};
    case R::kTooManyModels:
      return {By::kLimits, {"models"}};
    case R::kTooManyStreams:
      return {By::kLimits, {"streams"}};
    case R::kTooManyGroups:
      return {By::kLimits, {"groups"}};
    case R::kTooManyPublishers:
      return {By::kLimits, {"publishers"}};
    case R::kTooManyTags:
      return {By::kLimits, {"tags"}};
    case R::kTooLate:
      return {By::kLimits, {"retention_ns", "waiting_bytes", "corrections_ns", "corrections_bytes"}};
    case R::kMemory:
      return {By::kLimits, {"cell_bytes", "waiting_bytes"}};
    case R::kSequenceInvalid:
    case R::kScoreOutOfRange:
    case R::kBoxNotFinite:
    case R::kAreaInvalid:
    case R::kValueInvalid:
      return {By::kRange, {}};
    case R::kHeaderUnreadable:
    case R::kPayloadUnreadable:
    case R::kPayloadEmpty:
    case R::kNestedBatch:
    case R::kFrameMissing:
    case R::kFrameMismatch:
    case R::kStringInvalid:
    case R::kModelMissing:
    case R::kBoxFormatMissing:
    case R::kImageSizeMissing:
    case R::kColumnLength:
    case R::kBoxNegativeSize:
    case R::kClassUnknown:
    case R::kClassListInvalid:
    case R::kConflict:
    case R::kStaleRevision:
    case R::kCount:
      break;
  }
  return {By::kShape, {}};
}

std::vector<R> AllReasons() {
  std::vector<R> reasons;
  reasons.reserve(kRejectReasons);
  for (std::size_t i = 0; i < kRejectReasons; ++i) {
    reasons.push_back(static_cast<R>(i));
  }
  return reasons;
}

// From the text of the schema: the generated code is of the lite runtime, which has no descriptors.
Names FieldsOfLimits() {
  Names names;
  std::ifstream file(std::string(DETWATCH_SOURCE_DIR) + "/proto/detwatch/v1/detwatch.proto");
  bool inside = false;
  for (std::string line; std::getline(file, line);) {
    inside = line.starts_with("message Limits {") || (inside && line != "}");
    std::istringstream words(line);
    std::string type;
    std::string name;
    std::string equals;
    if (inside && words >> type >> name >> equals && equals == "=") {
      names.insert(name);
    }
  }
  return names;
}

// The words in backticks of one cell of a table.
Names Quoted(const std::string& cell) {
  Names words;
  for (std::size_t at = cell.find('`'); at != std::string::npos;) {
    const std::size_t end = cell.find('`', at + 1);
    if (end == std::string::npos) {
      break;
    }
    words.insert(cell.substr(at + 1, end - at - 1));
    at = cell.find('`', end + 1);
  }
  return words;
}

std::vector<std::string> Cells(const std::string& row) {
  std::vector<std::string> cells;
  for (std::size_t at = 1; at < row.size();) {
    const std::size_t end = std::min(row.find('|', at), row.size());
    cells.push_back(row.substr(at, end - at));
    at = end + 1;
  }
  return cells;
}

struct Documented {
  std::map<std::string, Names> reasons_of_limit;
  Names fixed;  // reasons of rows that are told in no field
};

// The table below "### Limits" of DELIVERY.md: limit | told in | who keeps it | beyond it.
Documented ReadDelivery() {
  Documented documented;
  std::ifstream file(std::string(DETWATCH_SOURCE_DIR) + "/proto/DELIVERY.md");
  bool inside = false;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("#")) {
      inside = line == "### Limits";
    }
    if (!inside || !line.starts_with("|")) {
      continue;
    }
    const std::vector<std::string> cells = Cells(line);
    if (cells.size() != 4) {
      ADD_FAILURE() << line;
      continue;
    }
    const Names told = Quoted(cells[1]);
    const Names reasons = Quoted(cells[3]);
    for (const std::string& limit : told) {
      documented.reasons_of_limit[limit].insert(reasons.begin(), reasons.end());
    }
    if (told.empty()) {
      documented.fixed.insert(reasons.begin(), reasons.end());
    }
  }
  return documented;
}

TEST(LimitsTest, EveryLimitIsToldAndEveryToldLimitRefusesSomething) {
  Names told;
  for (const R reason : AllReasons()) {
    const Rule rule = RuleOf(reason);
    EXPECT_EQ(rule.by == By::kLimits, !rule.limits.empty()) << Name(reason);
    told.insert(rule.limits.begin(), rule.limits.end());
  }
  EXPECT_EQ(told, FieldsOfLimits());
}

TEST(LimitsTest, TheProtocolSaysWhatEachLimitRefuses) {
  std::map<std::string, Names> reasons_of_limit;
  Names ranges;
  for (const R reason : AllReasons()) {
    const Rule rule = RuleOf(reason);
    for (const std::string& limit : rule.limits) {
      reasons_of_limit[limit].insert(std::string(Name(reason)));
    }
    if (rule.by == By::kRange) {
      ranges.insert(std::string(Name(reason)));
    }
  }
  const Documented documented = ReadDelivery();
  EXPECT_EQ(documented.reasons_of_limit, reasons_of_limit);
  for (const std::string& reason : ranges) {
    EXPECT_TRUE(documented.fixed.contains(reason)) << reason;
  }
}

}  // namespace
}  // namespace detwatch::wire

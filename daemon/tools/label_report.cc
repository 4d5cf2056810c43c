#include "daemon/tools/label_report.h"

#include <algorithm>
#include <array>
#include <cinttypes>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <string_view>

namespace detwatch::tools {
namespace {

// Name(RejectReason::kTooLate): how a daemon refuses what is late.
constexpr std::string_view kLate = "too_late";

struct Row {
  std::string name;
  std::uint64_t count = 0;
  std::string meaning;
};

// The last reject of this reason that is remembered.
std::string Sample(const LabelReport& report, const std::string& reason) {
  const auto& recent = report.to.recent_rejects;
  const auto found = std::find_if(recent.rbegin(), recent.rend(),
                                  [&](const RejectedItem& item) { return item.reason == reason; });
  return found == recent.rend() ? std::string() : found->detail;
}

std::vector<Row> RowsOf(const LabelReport& report) {
  const LabelTally& tally = report.to.labels;
  std::vector<Row> rows = {
      {"joined", tally.joined, "judged with the predictions of their frames"},
      {"corrected", tally.corrected, "of the joined: replaced labels of a lower revision"},
      {"unknown", report.Unknown(), "no predictions of these frames are known; the labels wait for them"},
      {"duplicate", tally.duplicate, "published before with the same content"},
      {"late", report.Late(), "their frames are no longer held"},
      {"refused", report.Refused(), ""},
  };
  for (const auto& [reason, count] : report.Reasons()) {
    rows.push_back({"refused:" + reason, count, Sample(report, reason)});
  }
  if (report.Untold() > 0) {
    rows.push_back(
        {"untold", report.Untold(), "acknowledged; this daemon does not tell what became of them"});
  }
  if (report.to.pending > 0) {
    rows.push_back({"unacknowledged", report.to.pending, "published, and no answer came"});
  }
  return rows;
}

}  // namespace

std::uint64_t LabelReport::Late() const {
  const auto found = to.rejected.find(std::string(kLate));
  return std::max(to.labels.late, found == to.rejected.end() ? 0 : found->second);
}

std::map<std::string, std::uint64_t> LabelReport::Reasons() const {
  auto reasons = to.rejected;
  reasons.erase(std::string(kLate));
  return reasons;
}

std::uint64_t LabelReport::Refused() const {
  std::uint64_t told = 0;
  for (const auto& [reason, count] : Reasons()) {
    told += count;
  }
  // An answer with reasons can be lost with a connection; the tally is told again.
  return std::max(to.labels.refused, told);
}

std::uint64_t LabelReport::Untold() const {
  const std::uint64_t told = to.labels.joined + Unknown() + to.labels.duplicate + Late() + Refused();
  return to.acknowledged - std::min(to.acknowledged, told);
}

int LabelReport::ExitCode(bool strict) const {
  const bool good = complete && to.dropped == 0 && Refused() == 0;
  return good && (!strict || (Unknown() == 0 && Late() == 0 && Untold() == 0)) ? 0 : 1;
}

std::string TextOf(const LabelReport& report, bool aligned) {
  std::array<char, 160> head{};
  std::snprintf(head.data(), head.size(),
                "%" PRIu64 " frames in %.1f s (%.0f/s): %" PRIu64 " acknowledged, %" PRIu64 " sent again\n",
                report.frames, report.seconds,
                static_cast<double>(report.frames) / std::max(1e-3, report.seconds), report.to.acknowledged,
                report.to.resent);
  const std::vector<Row> rows = RowsOf(report);
  std::size_t name_width = 0;
  std::size_t count_width = 0;
  for (const Row& row : rows) {
    name_width = std::max(name_width, row.name.size());
    count_width = std::max(count_width, std::to_string(row.count).size());
  }
  std::string text = head.data();
  for (const Row& row : rows) {
    const std::string count = std::to_string(row.count);
    if (aligned) {
      text += "  " + row.name + std::string(name_width - row.name.size() + 2, ' ') +
              std::string(count_width - count.size(), ' ') + count;
      text += row.count == 0 || row.meaning.empty() ? "" : "  " + row.meaning;
    } else {
      text += row.name + ' ' + count;
      text += row.name.find(':') == std::string::npos || row.meaning.empty() ? "" : ' ' + row.meaning;
    }
    text += '\n';
  }
  return text;
}

std::string JsonOf(const LabelReport& report) {
  nlohmann::ordered_json json;
  json["frames"] = report.frames;
  json["seconds"] = report.seconds;
  json["acknowledged"] = report.to.acknowledged;
  json["unacknowledged"] = report.to.pending;
  json["resent"] = report.to.resent;
  json["joined"] = report.to.labels.joined;
  json["corrected"] = report.to.labels.corrected;
  json["unknown"] = report.Unknown();
  json["duplicate"] = report.to.labels.duplicate;
  json["late"] = report.Late();
  json["refused"] = report.Refused();
  json["untold"] = report.Untold();
  json["reasons"] = nlohmann::ordered_json::object();
  for (const auto& [reason, count] : report.Reasons()) {
    json["reasons"][reason] = {{"count", count}, {"sample", Sample(report, reason)}};
  }
  json["complete"] = report.complete;
  // A detail may quote bytes of a name; they are escaped before, so this does not throw.
  return json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + '\n';
}

}  // namespace detwatch::tools

#include "daemon/config/load.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <memory>
#include <system_error>
#include <utility>

#include "daemon/config/names.h"
#include "daemon/config/reader.h"
#include "daemon/config/sections.h"

namespace detwatch::config {
namespace {

struct FileCloser {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using FilePtr = std::unique_ptr<std::FILE, FileCloser>;

// Fleet thresholds are meant to be the evaluated ones to the bit; unless given, those that exist.
void SettleFleet(const std::vector<double>& evaluated, bool given, std::vector<double>& iou) {
  std::vector<double> settled;
  for (const double wanted : iou) {
    const auto same = [&](double t) { return std::abs(t - wanted) < 1e-9; };
    const auto found = std::find_if(evaluated.begin(), evaluated.end(), same);
    if (found != evaluated.end() || given) {
      settled.push_back(found != evaluated.end() ? *found : wanted);
    }
  }
  if (settled.empty() && !given && !evaluated.empty()) {
    settled.push_back(evaluated.front());
  }
  iou = std::move(settled);
}

void ReadWeb(const Field& f, Web& section) {
  f.Map({{"listen_address", Into(section.listen_address)},
         {"max_connections", Into(section.max_connections)},
         {"max_connections_per_ip", Into(section.max_connections_per_ip)},
         {"timeout", Into(section.timeout)}});
}

void ReadIngest(const Field& f, Ingest& section) {
  f.Map({{"subscribe", Into(section.subscribe)},
         {"reliable", Into(section.reliable)},
         {"message_bytes", IntoBytes(section.message_bytes)},
         {"boxes_per_frame", Into(section.boxes_per_frame)},
         {"high_water_mark", Into(section.high_water_mark)},
         {"reliable_high_water_mark", Into(section.reliable_high_water_mark)},
         {"credit_bytes", IntoBytes(section.credit_bytes)},
         {"insecure", Into(section.insecure)}});
}

void ReadJoin(const Field& f, Join& section) {
  f.Map({{"retention", Into(section.retention)},
         {"bytes", IntoBytes(section.bytes)},
         {"linger", Into(section.linger)},
         {"class_list_wait", Into(section.class_list_wait)},
         {"corrections", Into(section.corrections)},
         {"corrections_bytes", IntoBytes(section.corrections_bytes)}});
}

void ReadLimits(const Field& f, Limits& section) {
  f.Map({{"models", Into(section.models)},
         {"groups", Into(section.groups)},
         {"streams", Into(section.streams)},
         {"publishers", Into(section.publishers)},
         {"classes", Into(section.classes)},
         {"class_lists", Into(section.class_lists)},
         {"cell_bytes", IntoBytes(section.cell_bytes)},
         {"series", Into(section.series)}});
}

void ReadRoot(const Field& root, Config& c) {
  bool fleet_given = false;
  const auto fleet_iou = [&](const Field& f) { fleet_given = f.To(c.fleet.iou); };
  root.Map({
      {"web", [&](const Field& f) { ReadWeb(f, c.web); }},
      {"ingest", [&](const Field& f) { ReadIngest(f, c.ingest); }},
      {"evaluation", [&](const Field& f) { ReadEvaluation(f, c.evaluation); }},
      {"models", [&](const Field& f) { ReadModels(f, c); }},
      {"windows", [&](const Field& f) { ReadWindows(f, c); }},
      {"views", [&](const Field& f) { ReadViews(f, c); }},
      {"storage",
       [&](const Field& f) {
         f.Map({{"path", Into(c.storage.path)},
                {"fsync", Into(c.storage.fsync)},
                {"checkpoint", Into(c.storage.checkpoint)}});
       }},
      {"join", [&](const Field& f) { ReadJoin(f, c.join); }},
      {"dedup",
       [&](const Field& f) {
         f.Map({{"horizon", Into(c.dedup.horizon)}, {"frames", Into(c.dedup.frames)}});
       }},
      {"limits", [&](const Field& f) { ReadLimits(f, c.limits); }},
      {"labels",
       [&](const Field& f) {
         f.Map({{"sources", IntoOneOf(kSourceNames, c.labels.sources)},
                {"sampling", IntoOneOf(kSamplingNames, c.labels.sampling)}});
       }},
      {"fleet",
       [&](const Field& f) {
         f.Map({{"bins", Into(c.fleet.bins)}, {"iou", fleet_iou}});
       }},
      {"log",
       [&](const Field& f) {
         f.Map({{"level", IntoOneOf(kLogLevelNames, c.log.level)},
                {"format", IntoOneOf(kLogFormatNames, c.log.format)}});
       }},
  });
  SettleFleet(c.evaluation.iou_thresholds, fleet_given, c.fleet.iou);
}

}  // namespace

std::vector<std::string> LoadResult::Messages() const {
  std::vector<std::string> messages;
  messages.reserve(problems.size());
  for (const Problem& problem : problems) {
    messages.push_back(Describe(problem, file));
  }
  return messages;
}

LoadResult LoadText(std::string_view yaml, std::string file) {
  LoadResult result;
  result.file = std::move(file);
  Findings findings;
  try {
    const std::vector<YAML::Node> documents = YAML::LoadAll(std::string(yaml));
    if (documents.size() > 1) {
      result.problems.push_back(
          {documents[1].Mark().line + 1, "", "a second document begins; only one is read"});
      return result;
    }
    ReadRoot(Field(documents.empty() ? YAML::Node() : documents[0], "", findings), result.config);
  } catch (const YAML::Exception& e) {  // only for text that is not YAML; values are parsed by us
    result.problems.push_back({e.mark.line + 1, "", "is not YAML: " + e.msg});
    return result;
  }
  result.problems = std::move(findings.problems);
  result.absent = std::move(findings.absent);
  for (Problem& problem : Problems(result.config)) {
    problem.line = findings.LineOf(problem.field);
    result.problems.push_back(std::move(problem));
  }
  std::stable_sort(result.problems.begin(), result.problems.end(),
                   [](const Problem& a, const Problem& b) { return a.line < b.line; });
  return result;
}

LoadResult LoadFile(const std::string& path) {
  std::string text;
  errno = 0;
  const FilePtr file(std::fopen(path.c_str(), "rb"));
  if (file != nullptr) {
    std::array<char, 65536> piece{};
    while (const std::size_t n = std::fread(piece.data(), 1, piece.size(), file.get())) {
      text.append(piece.data(), n);
    }
  }
  if (file == nullptr || std::ferror(file.get()) != 0) {
    LoadResult result;
    result.file = path;
    result.problems.push_back({0, "", "cannot be read: " + std::generic_category().message(errno)});
    return result;
  }
  return LoadText(text, path);
}

}  // namespace detwatch::config

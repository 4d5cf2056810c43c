#include "lib/expose/sink.h"

namespace detwatch::expose {
namespace {

void AppendSeries(std::string& out, std::string_view name, std::string_view suffix, const LabelSet& base,
                  std::string_view leaf, double value) {
  out += name;
  out += suffix;
  if (!base.text().empty() || !leaf.empty()) {
    out += '{';
    out += base.text();
    if (!base.text().empty() && !leaf.empty()) {
      out += ',';
    }
    out += leaf;
    out += '}';
  }
  out += ' ';
  AppendNumber(out, value);
  out += '\n';
}

std::string_view TypeName(prometheus::MetricType type) {
  switch (type) {
    case prometheus::MetricType::Counter:
      return "counter";
    case prometheus::MetricType::Histogram:
      return "histogram";
    default:
      return "gauge";
  }
}

}  // namespace

void TextSink::Sample(Family family, const LabelSet& base, const LabelSet& leaf, double value) {
  AppendSeries(bodies_[static_cast<std::size_t>(family)], Info(family).name, "", base, leaf.text(), value);
}

void TextSink::Histogram(Family family, const LabelSet& base, std::span<const double> upper_edges,
                         std::span<const std::uint64_t> counts, double sum) {
  std::string& out = bodies_[static_cast<std::size_t>(family)];
  const std::string_view name = Info(family).name;
  std::uint64_t cumulated = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    cumulated += counts[i];
    std::string le = "le=\"";
    if (i < upper_edges.size()) {
      AppendNumber(le, upper_edges[i]);
    } else {
      le += "+Inf";
    }
    le += '"';
    AppendSeries(out, name, "_bucket", base, le, static_cast<double>(cumulated));
  }
  AppendSeries(out, name, "_sum", base, {}, sum);
  AppendSeries(out, name, "_count", base, {}, static_cast<double>(cumulated));
}

void TextSink::Mark() {
  for (std::size_t f = 0; f < kFamilies; ++f) {
    marks_[f] = bodies_[f].size();
  }
}

void TextSink::Rollback() {
  for (std::size_t f = 0; f < kFamilies; ++f) {
    bodies_[f].resize(marks_[f]);
  }
}

std::string TextSink::Finish() {
  std::size_t size = 0;
  for (const std::string& body : bodies_) {
    size += body.size();
  }
  std::string out;
  out.reserve(size + kFamilies * 256);
  for (std::size_t f = 0; f < kFamilies; ++f) {
    if (bodies_[f].empty()) {
      continue;
    }
    const FamilyInfo& info = Info(static_cast<Family>(f));
    out += "# HELP ";
    out += info.name;
    out += ' ';
    out += info.help;
    out += "\n# TYPE ";
    out += info.name;
    out += ' ';
    out += TypeName(info.type);
    out += '\n';
    out += bodies_[f];
    bodies_[f] = {};  // given back at once: the text is held only once
  }
  return out;
}

}  // namespace detwatch::expose

#include "daemon/tools/label.h"

#include <algorithm>
#include <ostream>
#include <unordered_map>
#include <utility>

#include "daemon/files/dataset_files.h"
#include "daemon/tools/label_report.h"
#include "daemon/tools/terminal.h"

namespace detwatch::tools {
namespace {

constexpr const char* kCommand = "detwatch label: ";

// Class ids of options.classes, ascending. A VOC folder has only the classes that occur in it, so there a
// name it does not have is one that was looked for and never found; elsewhere it is a mistake.
Result<std::vector<std::uint32_t>> Examined(const LabelOptions& options, dataset::Dataset& data) {
  std::vector<std::uint32_t> ids;
  for (const std::string& name : options.classes) {
    auto found = std::find_if(data.classes.begin(), data.classes.end(),
                              [&](const dataset::ClassEntry& entry) { return entry.name == name; });
    if (found == data.classes.end()) {
      if (data.format != dataset::Format::kVoc || name.empty()) {
        return Fail("--classes: " + options.from.string() + " has no class \"" + name + "\"");
      }
      data.warnings.push_back("class \"" + name + "\" is in no annotation: examined, and never found");
      data.classes.push_back({static_cast<std::int64_t>(data.classes.size()) + 1, name});
      found = std::prev(data.classes.end());
    }
    ids.push_back(static_cast<std::uint32_t>(found - data.classes.begin()));
  }
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  return ids;
}

// Keeps the entries of a column whose place is in `kept`.
template <class T>
void Select(const std::vector<std::size_t>& kept, std::vector<T>& column) {
  if (column.empty()) {
    return;
  }
  for (std::size_t i = 0; i < kept.size(); ++i) {
    column[i] = column[kept[i]];
  }
  column.resize(kept.size());
}

// Makes labels partial. Returns how many boxes of other classes were left out.
std::size_t KeepExamined(const std::vector<std::uint32_t>& examined, Labels& labels) {
  std::vector<std::size_t> kept;
  const std::size_t before = labels.boxes.size();
  for (std::size_t i = 0; i < before; ++i) {
    if (std::binary_search(examined.begin(), examined.end(), labels.class_ids[i])) {
      kept.push_back(i);
    }
  }
  Select(kept, labels.boxes);
  Select(kept, labels.areas);
  Select(kept, labels.class_ids);
  Select(kept, labels.crowd);
  Select(kept, labels.difficult);
  labels.partial = true;
  labels.examined = examined;
  return before - kept.size();
}

std::string FrameId(FrameIdRule rule, const dataset::Frame& frame) {
  switch (rule) {
    case FrameIdRule::kImageId:
      return std::to_string(frame.image_id);
    case FrameIdRule::kFileName:
      return frame.file_name;
    case FrameIdRule::kFileStem:
      return std::filesystem::path(frame.file_name).stem().string();
    case FrameIdRule::kReplay:
      break;
  }
  return frame.frame_id;
}

// Two images with one id would be two labels of one frame, the second a conflict.
Result<void> NameFrames(FrameIdRule rule, std::vector<dataset::Frame>& frames) {
  std::unordered_map<std::string, std::string> image_of;
  for (dataset::Frame& frame : frames) {
    std::string id = FrameId(rule, frame);
    if (id.empty()) {
      return Fail("--frame-id: image " + frame.frame_id + " has no file name");
    }
    const auto [other, fresh] = image_of.emplace(id, frame.frame_id);
    if (!fresh) {
      return Fail("--frame-id: images " + other->second + " and " + frame.frame_id +
                  " would both be frame \"" + id + "\"");
    }
    frame.labels.frame.frame_id = std::move(id);
  }
  return {};
}

// What every frame has in common, and the ids of the frames.
Result<void> Prepare(const LabelOptions& options, dataset::Dataset& data) {
  if (auto named = NameFrames(options.frame_id, data.frames); !named) {
    return named;
  }
  const auto examined = Examined(options, data);
  if (!examined) {
    return tl::unexpected(examined.error());
  }
  std::size_t left_out = 0;
  for (dataset::Frame& frame : data.frames) {
    Labels& labels = frame.labels;
    labels.frame.stream = options.publish.stream;
    labels.source = options.source;
    labels.sampling = options.sampling;
    labels.revision = options.revision;
    labels.final = options.final || options.source != LabelSource::kHuman;
    if (!examined->empty()) {
      left_out += KeepExamined(*examined, labels);
    }
  }
  if (left_out > 0) {
    data.warnings.push_back(std::to_string(left_out) + " boxes of classes not in --classes are left out");
  }
  return {};
}

Result<void> SendAll(std::vector<dataset::Frame>& frames, ToolPublisher& publisher) {
  for (dataset::Frame& frame : frames) {
    for (const TimePoint turn = publisher.Turn(); Now() < turn;) {
      publisher.Wait(turn);
    }
    frame.labels.class_list = publisher.class_list();
    if (auto sent = publisher.Send(std::move(frame.labels)); !sent) {
      return Fail("frame " + frame.frame_id + ": " + sent.error().message);
    }
    publisher.FrameSent();
  }
  return {};
}

}  // namespace

int RunLabel(const LabelOptions& options, std::ostream& out, std::ostream& err) {
  files::ReadOptions read;
  read.image_size = options.image_size;
  auto data = files::ReadGroundTruth(options.from, read);
  if (!data) {
    err << kCommand << data.error().message << '\n';
    return 1;
  }
  const auto prepared = Prepare(options, *data);
  for (const std::string& warning : data->warnings) {
    err << kCommand << warning << '\n';
  }
  if (!prepared) {
    err << kCommand << prepared.error().message << '\n';
    return 2;
  }
  PublishOptions publish = options.publish;
  publish.model.clear();  // labels belong to the frame, not to a model
  auto publisher = ToolPublisher::Make(publish, "label", data->classes, data->frames.size(), err);
  if (!publisher) {
    err << kCommand << publisher.error().message << '\n';
    return 2;
  }
  const auto sent = SendAll(data->frames, *publisher);
  if (!sent) {
    err << kCommand << sent.error().message << '\n';
  }
  LabelReport report;
  report.complete = sent && publisher->Finish();
  report.frames = publisher->frames();
  report.seconds = publisher->seconds();
  report.to = publisher->Stats();
  out << (publish.json ? JsonOf(report) : TextOf(report, IsTerminal(out)));
  if (sent && !report.complete) {
    publisher->PrintWhyIncomplete();
  }
  return report.ExitCode(options.strict);
}

}  // namespace detwatch::tools

// What is said in a history: as messages, and in words.
#include "tests/pipeline/history_support.h"

#include <array>

#include "tests/pipeline/feed_support.h"

namespace detwatch::test {
namespace {

using Classes = std::vector<std::pair<std::uint32_t, std::string>>;
using Objects = std::vector<SaidObject>;

constexpr std::uint32_t kNoSuchId = 77;  // in none of the lists

Box BoxOf(const SaidObject& object) {
  return {100.0 * object.place + object.shift, 10, 40, 40};
}

Predictions PredictionsOf(const Said& said) {
  const SaidPredictions& from = said.predictions;
  Predictions to;
  to.frame = said.frame;
  to.model = {from.model, "1"};
  to.class_list = HashClassList(ClassesOf(from.list));
  for (const SaidObject& object : ObjectsOf(from)) {
    to.boxes.push_back(BoxOf(object));
    to.scores.push_back(object.score);
    to.class_ids.push_back(ClassesOf(from.list)[static_cast<std::size_t>(object.entry)].first);
  }
  if (from.fault != Fault::kNone) {
    to.boxes.push_back({1, 1, 2, 2});
    to.scores.push_back(from.fault == Fault::kScore ? 1.5F : 0.5F);
    to.class_ids.push_back(kNoSuchId);
  }
  return to;
}

Labels LabelsOf(const Said& said) {
  const SaidLabels& from = said.labels;
  Labels to;
  to.frame = said.frame;
  to.class_list = HashClassList(ClassesOf(from.list));
  for (const SaidObject& object : ObjectsOf(from)) {
    to.boxes.push_back(BoxOf(object));
    to.areas.push_back(to.boxes.back().Area());
    to.class_ids.push_back(ClassesOf(from.list)[static_cast<std::size_t>(object.entry)].first);
  }
  if (from.fault != Fault::kNone) {
    to.boxes.push_back({1, 1, 2, 2});
    to.areas.push_back(4);
    to.class_ids.push_back(kNoSuchId);
  }
  to.partial = from.examined != 0;
  for (std::size_t entry = 0; entry < ClassesOf(from.list).size(); ++entry) {
    if ((from.examined >> entry & 1U) != 0) {
      to.examined.push_back(ClassesOf(from.list)[entry].first);
    }
  }
  to.source = from.source;
  to.sampling = from.sampling;
  to.revision = from.revision;
  to.final = from.final;
  return to;
}

std::string ListName(int list) {
  return {static_cast<char>('A' + list)};
}

std::string WordsOf(const SaidPredictions& said) {
  return "predictions " + std::to_string(said.content) + " by " + said.model + " (list " +
         ListName(said.list) +
         (said.fault == Fault::kNone      ? ")"
          : said.fault == Fault::kClassId ? ", an unknown class)"
                                          : ", a score of 1.5)");
}

std::string WordsOf(const SaidLabels& said) {
  static constexpr std::array kSources = {"someone", "a person", "a machine", "a simulator"};
  std::string words = "labels " + std::to_string(said.content) + " revision " +
                      std::to_string(said.revision) + " from " +
                      kSources[static_cast<std::size_t>(said.source)] + " (list " + ListName(said.list);
  words += said.examined != 0 ? ", partial " + std::to_string(said.examined) : "";
  words += said.final ? ", final" : "";
  words += said.sampling == Sampling::kTriggered ? ", triggered" : "";
  return words + (said.fault == Fault::kNone ? ")" : ", an unknown class)");
}

std::string InWords(const HistoryEvent& event) {
  std::string words;
  const std::string cut = std::string(event.commit ? "" : ", not committed") +
                          (event.answer ? "" : ", answered later") + (event.look ? ", and a look" : "");
  switch (event.kind) {
    case HistoryEvent::Kind::kSay:
      for (const Said& said : event.said) {
        words += (words.empty() ? "" : "\n   with ") + InWords(said);
      }
      return words;
    case HistoryEvent::Kind::kTime:
      words = "a cut" + cut + "; " + std::to_string(event.monotonic) + " s pass";
      break;
    case HistoryEvent::Kind::kCut:
      return "a cut" + cut;
    case HistoryEvent::Kind::kHear:
      return "ingest hears of the cuts";
    case HistoryEvent::Kind::kCrash:
      words = std::string("a crash; what was lost comes again") +
              (event.by_publisher ? ", by publisher" : ", in order");
  }
  return words + (event.wall == 0 ? "" : ", the wall clock is set by " + std::to_string(event.wall) + " s");
}

}  // namespace

const Classes& ClassesOf(int list) {
  static const std::array<Classes, 4> kLists = {
      Classes{{0, "person"}, {1, "car"}, {2, "dog"}}, Classes{{4, "car"}, {5, "dog"}, {6, "cat"}},
      Classes{{1, "person"}, {2, "car"}, {3, "bus"}}, Classes{{0, "dog"}, {1, "cat"}, {9, "car"}}};
  return kLists.at(static_cast<std::size_t>(list));
}

const Objects& ObjectsOf(const SaidPredictions& predictions) {
  static const std::array<Objects, 4> kContents = {
      Objects{}, Objects{{0, 0, 0, 0.9F}, {1, 1, 8, 0.8F}},
      Objects{{1, 0, 0, 0.9F}, {2, 1, 0, 0.3F}, {1, 1, 24, 0.6F}},
      Objects{{0, 1, 8, 0.5F}, {2, 0, 0, 0.7F}, {2, 0, 8, 0.6F}}};
  return kContents.at(static_cast<std::size_t>(predictions.content));
}

const Objects& ObjectsOf(const SaidLabels& labels) {
  static const std::array<Objects, 4> kContents = {Objects{}, Objects{{0, 0}, {1, 1}},
                                                   Objects{{1, 0}, {2, 0}, {1, 1}}, Objects{{0, 1}, {2, 0}}};
  return kContents.at(static_cast<std::size_t>(labels.content));
}

wire::Message MessageOf(const Said& said) {
  switch (said.kind) {
    case Said::Kind::kPredictions:
      return PredictionsOf(said);
    case Said::Kind::kLabels:
      return LabelsOf(said);
    case Said::Kind::kFrame:
      return wire::FramePair{PredictionsOf(said), LabelsOf(said)};
    case Said::Kind::kList:
      return MakeClassList(ClassesOf(said.list));
    case Said::Kind::kModel:
      break;
  }
  ModelInfo info;
  info.model = {said.predictions.model, "1"};
  info.class_list = HashClassList(ClassesOf(said.predictions.list));
  info.labels_expected = said.predictions.model != kQuietModel;
  return info;
}

std::string InWords(const Said& said) {
  const std::string who = said.publisher + " ";
  const std::string frame = "of " + said.frame.stream + "/" + said.frame.frame_id + ": ";
  switch (said.kind) {
    case Said::Kind::kPredictions:
      return who + frame + WordsOf(said.predictions);
    case Said::Kind::kLabels:
      return who + frame + WordsOf(said.labels);
    case Said::Kind::kFrame:
      return who + frame + WordsOf(said.predictions) + " and " + WordsOf(said.labels);
    case Said::Kind::kList:
      return who + "announces list " + ListName(said.list);
    case Said::Kind::kModel:
      break;
  }
  return who + "announces model " + said.predictions.model;
}

std::string InWords(const History& history) {
  const join::JoinLimits& join = history.config.join;
  std::string words = "history " + std::to_string(history.seed) + ": retention " +
                      std::to_string(ToSeconds(join.retention)) + " s, linger " +
                      std::to_string(ToSeconds(join.linger)) + " s, corrections " +
                      std::to_string(ToSeconds(join.corrections)) + " s, dedup horizon " +
                      std::to_string(ToSeconds(join.dedup_horizon)) + " s\n";
  for (const HistoryEvent& event : history.events) {
    words += " - " + InWords(event) + "\n";
  }
  return words;
}

}  // namespace detwatch::test

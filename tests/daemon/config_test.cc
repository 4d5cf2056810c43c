// The configuration file: every rule, and every message with its line.
#include "daemon/config/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <vector>

#include "daemon/config/load.h"

namespace detwatch::config {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

std::vector<std::string> MessagesOf(std::string_view yaml) {
  return LoadText(yaml, "f.yml").Messages();
}

Config MustLoad(std::string_view yaml) {
  const LoadResult loaded = LoadText(yaml, "f.yml");
  EXPECT_THAT(loaded.Messages(), IsEmpty());
  return loaded.config;
}

TEST(ConfigTest, AnEmptyFileIsTheDefaults) {
  for (const std::string_view yaml :
       {"", "# nothing\n", "---\n", "web:\nviews:\nevaluation:\n  protocol:\n"}) {
    EXPECT_EQ(MustLoad(yaml), Config()) << yaml;
  }
  EXPECT_THAT(Problems(Config()), IsEmpty());
}

TEST(ConfigTest, TheExampleListsEveryKeyWithItsDefault) {
  const LoadResult loaded = LoadFile(std::string(DETWATCH_SOURCE_DIR) + "/deploy/detwatch.yml");
  EXPECT_THAT(loaded.Messages(), IsEmpty());
  EXPECT_THAT(loaded.absent, IsEmpty());
  EXPECT_EQ(loaded.config, Config());
}

TEST(ConfigTest, EveryValueOfTheFileArrives) {
  const Config config = MustLoad(R"(
web: {listen_address: ":80", max_connections: 7, max_connections_per_ip: 3, timeout: 2s}
ingest:
  subscribe: []
  reliable: ["tcp://*:0", "ipc:///run/x"]
  message_bytes: 1MiB
  boxes_per_frame: 300
  high_water_mark: 11
  reliable_high_water_mark: 12
  credit_bytes: 2MiB
  insecure: true
storage: {path: /var/lib/x, fsync: false, checkpoint: 200ms}
join: {retention: 7d, bytes: 1GiB, linger: 1m, class_list_wait: 5s, corrections: 2h, corrections_bytes: 3MiB}
dedup: {horizon: 2h, frames: 5}
limits: {models: 1, groups: 2, streams: 3, publishers: 4, classes: 5, class_lists: 8, cell_bytes: 6MiB, series: 7}
labels: {sources: [human], sampling: [random, unknown]}
fleet: {bins: false, iou: [0.9]}
log: {level: debug, format: json}
)");
  EXPECT_EQ(config.web, (Web{":80", 7, 3, std::chrono::seconds(2)}));
  EXPECT_EQ(config.ingest, (Ingest{{}, {"tcp://*:0", "ipc:///run/x"}, kMiB, 300, 11, 12, 2 * kMiB, true}));
  EXPECT_EQ(config.storage, (Storage{"/var/lib/x", false, std::chrono::milliseconds(200)}));
  EXPECT_EQ(config.join, (Join{std::chrono::hours(168), kGiB, std::chrono::minutes(1),
                               std::chrono::seconds(5), std::chrono::hours(2), 3 * kMiB}));
  EXPECT_EQ(config.dedup, (Dedup{std::chrono::hours(2), 5}));
  EXPECT_EQ(config.limits, (Limits{1, 2, 3, 4, 5, 8, 6 * kMiB, 7}));
  EXPECT_EQ(config.labels, (LabelKinds{{LabelSource::kHuman}, {Sampling::kRandom, Sampling::kUnknown}}));
  EXPECT_EQ(config.fleet, (Fleet{false, {0.8999999999999999}}));
  EXPECT_EQ(config.log, (Log{LogLevel::kDebug, LogFormat::kJson}));
  EXPECT_TRUE(config.labels.Counts(LabelSource::kHuman, Sampling::kRandom));
  EXPECT_FALSE(config.labels.Counts(LabelSource::kAuto, Sampling::kRandom));
  EXPECT_FALSE(config.labels.Counts(LabelSource::kHuman, Sampling::kTriggered));
}

TEST(ConfigTest, AllProblemsComeAtOnceEachWithItsLine) {
  EXPECT_THAT(
      MessagesOf(R"(web:
  timeout: soon
  max_connections: 0
ingest:
  message_bytes: 64MB
evaluation:
  max_dets: [1, ten]
join:
  retention: 8d
  bytes:
    - 5
windows:
  - 5m
  - 97s
log: {level: loud}
)"),
      ElementsAre(
          R"(f.yml:2: web.timeout: "soon" is not a duration; write for example 30s, 5m or 1h30m)",
          "f.yml:3: web.max_connections: 0 is below 1",
          R"(f.yml:5: ingest.message_bytes: "64MB" is not a size; write a whole number of KiB, MiB or GiB)",
          R"(f.yml:7: evaluation.max_dets[1]: "ten" is not a whole number)",
          "f.yml:9: join.retention: 8d is above 1w", "f.yml:10: join.bytes: must be a single value",
          "f.yml:14: windows[1]: 97s is not a multiple of its pane of 5s; try 1m35s",
          R"(f.yml:15: log.level: "loud" is none of debug, info, warn, error)"));
}

TEST(ConfigTest, UnknownKeysNameTheNearestKnownOne) {
  EXPECT_THAT(MessagesOf("web:\n  listen_adress: x\nwindow: [5m]\nfrobnicate: 1\nevaluation: {model: a}\n"),
              ElementsAre("f.yml:2: web.listen_adress: is not a known key; did you mean listen_address?",
                          "f.yml:3: window: is not a known key; did you mean windows?",
                          "f.yml:4: frobnicate: is not a known key",
                          "f.yml:5: evaluation.model: is not a known key"));
}

TEST(ConfigTest, AKeyGivenTwiceIsAProblem) {
  EXPECT_THAT(MessagesOf("log:\n  level: info\n  level: debug\n"),
              ElementsAre("f.yml:3: log.level: is given twice"));
}

TEST(ConfigTest, KeysMayStandInAnyOrder) {
  EXPECT_EQ(MustLoad("views: [{windows: [2h], name: a}]\n"
                     "evaluation: {iou_thresholds: [0.3], protocol: voc2012}\nwindows: [2h]\n"),
            MustLoad("windows: [2h]\nevaluation: {protocol: voc2012, iou_thresholds: [0.3]}\n"
                     "views: [{name: a, windows: [2h]}]\n"));
}

TEST(ConfigTest, WhatIsNotYamlIsToldWithItsLine) {
  EXPECT_THAT(MessagesOf("web: {timeout: 5s\nlog: x\n"), ElementsAre(StartsWith("f.yml:2: is not YAML: ")));
  EXPECT_THAT(MessagesOf("web:\n\ttimeout: 5s\n"), ElementsAre(StartsWith("f.yml:")));
  EXPECT_THAT(MessagesOf("[1, 2]"), ElementsAre("f.yml: must be a map of keys and values"));
  EXPECT_THAT(MessagesOf("web: 5"), ElementsAre("f.yml:1: web: must be a map of keys and values"));
  EXPECT_THAT(MessagesOf("{}\n---\nlog: {}\n"),
              ElementsAre("f.yml:3: a second document begins; only one is read"));
  EXPECT_THAT(MessagesOf("? [a, b]\n: c\n"), ElementsAre("f.yml:1: a key must be a word"));
}

TEST(ConfigTest, WrongShapesAreTold) {
  EXPECT_THAT(MessagesOf("windows: 5m\n"),
              ElementsAre("f.yml:1: windows: must be a list, for example [a, b]"));
  EXPECT_THAT(MessagesOf("ingest: {insecure: yes}\n"),
              ElementsAre(R"(f.yml:1: ingest.insecure: "yes" is neither true nor false)"));
  EXPECT_THAT(MessagesOf("evaluation: {max_dets: [4294967296]}\n"),
              ElementsAre("f.yml:1: evaluation.max_dets[0]: 4294967296 is too large",
                          HasSubstr("f.yml:1: evaluation.max_dets: ")));
}

TEST(ConfigTest, AFileThatCannotBeReadIsAProblem) {
  EXPECT_THAT(LoadFile("/nowhere/detwatch.yml").Messages(),
              ElementsAre("/nowhere/detwatch.yml: cannot be read: No such file or directory"));
  EXPECT_THAT(LoadFile("/").Messages(), ElementsAre("/: cannot be read: Is a directory"));
}

TEST(ConfigTest, WithoutKeysOnlyLoopbackIsBound) {
  const std::string open =
      "ingest:\n  subscribe:\n    - tcp://127.0.0.1:1\n    - tcp://*:2\n  reliable: [tcp://10.0.0.1:3]\n";
  EXPECT_THAT(MessagesOf(open),
              ElementsAre(StartsWith("f.yml:4: ingest.subscribe[1]: tcp://*:2 is open to the network"),
                          StartsWith("f.yml:5: ingest.reliable[0]: tcp://10.0.0.1:3 is open")));
  EXPECT_THAT(MessagesOf(open + "  insecure: true\n"), IsEmpty());
  EXPECT_THAT(MessagesOf("web: {listen_address: \":9977\"}"), IsEmpty());
}

TEST(ConfigTest, EndpointsAreCheckedAndListedOnce) {
  EXPECT_THAT(MessagesOf("ingest: {subscribe: [tcp://127.0.0.1:1, here], reliable: [tcp://127.0.0.1:1]}"),
              ElementsAre(HasSubstr("ingest.subscribe[1]: \"here\" is not an endpoint"),
                          "f.yml:1: ingest.reliable[0]: tcp://127.0.0.1:1 is listed twice"));
  EXPECT_THAT(MessagesOf("ingest: {subscribe: [tcp://127.0.0.1:0, tcp://127.0.0.1:*]}"), IsEmpty());
  EXPECT_THAT(MessagesOf("ingest: {subscribe: [], reliable: []}"),
              ElementsAre(HasSubstr("ingest: has neither a subscribe nor a reliable endpoint")));
  EXPECT_THAT(
      MessagesOf("ingest: {credit_bytes: 1MiB}"),
      ElementsAre(
          "f.yml:1: ingest.credit_bytes: 1MiB is below ingest.message_bytes, 16MiB: a large message could "
          "never be sent"));
}

TEST(ConfigTest, AnAddressToListenOnIsChecked) {
  EXPECT_THAT(MessagesOf("web: {listen_address: localhost}"),
              ElementsAre(StartsWith("f.yml:1: web.listen_address: \"localhost\" is not host:port")));
}

struct RangeCase {
  std::string yaml;
  std::string message;
};

TEST(ConfigTest, NumbersOutOfRangeAreToldWithTheLimit) {
  for (const RangeCase& c : {
           RangeCase{"web: {max_connections: 100001}", "web.max_connections: 100001 is above 100000"},
           RangeCase{"web: {max_connections_per_ip: 0}", "web.max_connections_per_ip: 0 is below 1"},
           RangeCase{"web: {timeout: 99ms}", "web.timeout: 99ms is below 100ms"},
           RangeCase{"web: {timeout: 2h}", "web.timeout: 2h is above 1h"},
           RangeCase{"ingest: {message_bytes: 1KiB}", "ingest.message_bytes: 1KiB is below 64KiB"},
           RangeCase{"ingest: {boxes_per_frame: 65536}", "ingest.boxes_per_frame: 65536 is above 65535"},
           RangeCase{"ingest: {high_water_mark: 0}", "ingest.high_water_mark: 0 is below 1"},
           RangeCase{"ingest: {reliable_high_water_mark: 0}",
                     "ingest.reliable_high_water_mark: 0 is below 1"},
           RangeCase{"join: {retention: 0}", "join.retention: 0s is below 1s"},
           RangeCase{"join: {bytes: 1}", "join.bytes: 1B is below 1MiB"},
           RangeCase{"join: {linger: 25h}", "join.linger: 1d1h is above 1d"},
           RangeCase{"join: {class_list_wait: 2h}", "join.class_list_wait: 2h is above 1h"},
           RangeCase{"join: {corrections: 169h}", "join.corrections: 7d1h is above 1w"},
           RangeCase{"join: {corrections_bytes: 1KiB}", "join.corrections_bytes: 1KiB is below 1MiB"},
           RangeCase{"storage: {checkpoint: 49ms}", "storage.checkpoint: 49ms is below 50ms"},
           RangeCase{"storage: {checkpoint: 61s}", "storage.checkpoint: 1m1s is above 1m"},
           RangeCase{"storage: {path: \"a\\tb\"}", "storage.path: has a control character in it"},
           RangeCase{"dedup: {horizon: 0}", "dedup.horizon: 0s is below 1s"},
           RangeCase{"dedup: {frames: 0}", "dedup.frames: 0 is below 1"},
           RangeCase{"limits: {models: 0}", "limits.models: 0 is below 1"},
           RangeCase{"limits: {groups: 0}", "limits.groups: 0 is below 1"},
           RangeCase{"limits: {streams: 0}", "limits.streams: 0 is below 1"},
           RangeCase{"limits: {publishers: 0}", "limits.publishers: 0 is below 1"},
           RangeCase{"limits: {classes: 0}", "limits.classes: 0 is below 1"},
           RangeCase{"limits: {class_lists: 0}", "limits.class_lists: 0 is below 1"},
           RangeCase{"limits: {cell_bytes: 5KiB}", "limits.cell_bytes: 5KiB is below 1MiB"},
           RangeCase{"limits: {series: 0}", "limits.series: 0 is below 1"},
           RangeCase{"labels: {sources: []}", "labels.sources: is empty, so no label would count"},
           RangeCase{"labels: {sampling: []}", "labels.sampling: is empty, so no label would count"},
           RangeCase{"labels: {sources: [bot]}",
                     "labels.sources[0]: \"bot\" is none of human, auto, simulator, unknown"},
           RangeCase{"log: {format: xml}", "log.format: \"xml\" is none of text, json"},
       }) {
    EXPECT_THAT(MessagesOf(c.yaml), Contains("f.yml:1: " + c.message)) << c.yaml;
  }
}

TEST(ConfigTest, CorrectionsCanBeSwitchedOff) {
  const Config config = MustLoad("join: {corrections: 0, corrections_bytes: 0}");
  EXPECT_EQ(config.join.corrections, Duration(0));
  EXPECT_EQ(config.join.corrections_bytes, 0U);
}

TEST(ConfigTest, FlagsReplaceWhatTheFileSays) {
  Config config = MustLoad("ingest: {subscribe: [tcp://127.0.0.1:1]}\nlog: {level: warn}\n");
  const Config untouched = config;
  ApplyOverrides(config, {});
  EXPECT_EQ(config, untouched);
  ApplyOverrides(config, {.web_listen_address = ":0",
                          .ingest_subscribe = {"tcp://*:0"},
                          .ingest_reliable = {"ipc:///a", "ipc:///b"},
                          .log_level = LogLevel::kDebug,
                          .log_format = LogFormat::kJson,
                          .storage_path = "/srv/store"});
  EXPECT_EQ(config.web.listen_address, ":0");
  EXPECT_THAT(config.ingest.reliable, ElementsAre("ipc:///a", "ipc:///b"));
  EXPECT_EQ(config.log, (Log{LogLevel::kDebug, LogFormat::kJson}));
  EXPECT_EQ(config.storage.path, "/srv/store");
  // Flags obey the same rules.
  const std::vector<Problem> problems = Problems(config);
  ASSERT_EQ(problems.size(), 1U);
  EXPECT_THAT(Describe(problems[0], "flags"), StartsWith("flags: ingest.subscribe[0]: tcp://*:0 is open"));
}

TEST(ConfigTest, LogWordsAreKnown) {
  EXPECT_EQ(ParseLogLevel("warn"), LogLevel::kWarn);
  EXPECT_EQ(ParseLogLevel("WARN"), std::nullopt);
  EXPECT_EQ(ParseLogFormat("json"), LogFormat::kJson);
  EXPECT_EQ(ParseLogFormat(""), std::nullopt);
}

}  // namespace
}  // namespace detwatch::config

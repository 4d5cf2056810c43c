#pragma once
// daemon/config -- everything the daemon can be told, with its defaults, and what is wrong with it.
//
// Config{} is the daemon without a configuration file; deploy/detwatch.yml lists the same values with the
// reason for each. A file is read in two steps: Load (load.h) turns text into a Config and finds what is
// not even a value; Problems() finds what contradicts itself or the limits. Flags are applied in between.
//
// Laws: TheExampleListsEveryKeyWithItsDefault, AllProblemsComeAtOnceEachWithItsLine,
//   WithoutKeysOnlyLoopbackIsBound. Threads: values. Errors: lists of Problem, never exceptions.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "daemon/config/units.h"
#include "lib/core/evaluation.h"
#include "lib/core/frame.h"
#include "lib/core/time.h"
#include "lib/core/view.h"

namespace detwatch::config {

struct Web {
  std::string listen_address = "127.0.0.1:9977";  // host:port; ":9977" is every address, port 0 any free one
  std::uint64_t max_connections = 512;
  std::uint64_t max_connections_per_ip = 128;
  Duration timeout = std::chrono::seconds(30);  // to send a request, to take the answer, to idle
  friend bool operator==(const Web&, const Web&) = default;
};

struct Ingest {
  std::vector<std::string> subscribe = {"tcp://127.0.0.1:5556"};  // SUB, at most once
  std::vector<std::string> reliable = {"tcp://127.0.0.1:5557"};   // ROUTER, acknowledged
  std::uint64_t message_bytes = 16 * kMiB;
  std::uint64_t boxes_per_frame = 10000;
  std::uint64_t high_water_mark = 10000;        // messages queued per subscribe peer
  std::uint64_t reliable_high_water_mark = 64;  // per reliable peer; 10 000 peers at 1000 would park 45 GB
  std::uint64_t credit_bytes = 64 * kMiB;       // unacknowledged bytes per reliable publisher
  bool insecure = false;                        // bind more than loopback although anybody could publish
  friend bool operator==(const Ingest&, const Ingest&) = default;
};

// What one model is evaluated with instead of `evaluation`.
struct ModelOverride {
  std::string model;
  EvaluationParams evaluation;
  friend bool operator==(const ModelOverride&, const ModelOverride&) = default;
};

// Where counts and waiting frames outlive the process.
struct Storage {
  std::string path;                               // folder of the store; empty: memory only
  bool fsync = true;                              // wait for the disk before acknowledging
  Duration checkpoint = std::chrono::seconds(1);  // between two checkpoints, with and without a store
  friend bool operator==(const Storage&, const Storage&) = default;
};

struct Join {
  Duration retention = std::chrono::hours(24);
  std::uint64_t bytes = 512 * kMiB;  // of what waits: on disk with a store, else in memory
  Duration linger = std::chrono::minutes(10);
  Duration class_list_wait = std::chrono::seconds(30);
  Duration corrections = std::chrono::hours(24);  // judged frames whose labels are not final are kept
  std::uint64_t corrections_bytes = kGiB;
  // Judged frames are kept, so that later labels can correct them.
  [[nodiscard]] bool KeepsJudged() const { return corrections > Duration(0) && corrections_bytes > 0; }
  friend bool operator==(const Join&, const Join&) = default;
};

struct Dedup {
  Duration horizon = std::chrono::hours(1);
  std::uint64_t frames = 4'000'000;
  friend bool operator==(const Dedup&, const Dedup&) = default;
};

struct Limits {
  std::uint64_t models = 1000;
  std::uint64_t groups = 1000;
  std::uint64_t streams = 100'000;
  std::uint64_t publishers = 10'000;
  std::uint64_t classes = 10'000;     // per class list, and different names over all of them
  std::uint64_t class_lists = 2'000;  // known at a time, and sets of judged classes
  std::uint64_t cell_bytes = 2 * kGiB;
  std::uint64_t series = 200'000;
  friend bool operator==(const Limits&, const Limits&) = default;
};

// Which labels count for the headline numbers.
struct LabelKinds {
  std::vector<LabelSource> sources = {LabelSource::kHuman, LabelSource::kAuto, LabelSource::kSimulator,
                                      LabelSource::kUnknown};
  std::vector<Sampling> sampling = {Sampling::kRandom, Sampling::kTriggered, Sampling::kUnknown};
  [[nodiscard]] bool Counts(LabelSource source, Sampling how) const;
  friend bool operator==(const LabelKinds&, const LabelKinds&) = default;
};

struct Fleet {
  bool bins = true;
  std::vector<double> iou = {0.50, 0.75};  // each one of evaluation.iou_thresholds
  friend bool operator==(const Fleet&, const Fleet&) = default;
};

enum class LogLevel : std::uint8_t { kDebug, kInfo, kWarn, kError };
enum class LogFormat : std::uint8_t { kText, kJson };

struct Log {
  LogLevel level = LogLevel::kInfo;
  LogFormat format = LogFormat::kText;
  friend bool operator==(const Log&, const Log&) = default;
};

struct Config {
  Web web;
  Ingest ingest;
  EvaluationParams evaluation = EvaluationParams::Coco();
  std::vector<ModelOverride> models;
  std::vector<WindowSpec> windows;  // 5m, 1h, 24h; "total" is always there and never listed
  std::vector<ViewSpec> views;      // the first one has the counters
  Storage storage;
  Join join;
  Dedup dedup;
  Limits limits;
  LabelKinds labels;
  Fleet fleet;
  Log log;

  Config();  // the defaults
  // Of the model's override, else `evaluation`.
  [[nodiscard]] const EvaluationParams& EvaluationOf(const std::string& model) const;
  friend bool operator==(const Config&, const Config&);
};

// One thing that is wrong. `field` is the path in the file, "views[1].group_by".
struct Problem {
  int line = 0;  // from 1; 0: not known, for example because it came from a flag
  std::string field;
  std::string text;
};
// "detwatch.yml:12: evaluation.iou_thresholds: 1.5 is above 1"; without a line "detwatch.yml: ...".
[[nodiscard]] std::string Describe(const Problem& problem, const std::string& file);

// Everything that contradicts itself or a limit, in the order of the file; empty when sound.
[[nodiscard]] std::vector<Problem> Problems(const Config& config);

// What flags say; absent or empty: nothing. A list given by flags replaces the list of the file.
struct Overrides {
  std::optional<std::string> web_listen_address;
  std::vector<std::string> ingest_subscribe;
  std::vector<std::string> ingest_reliable;
  std::optional<LogLevel> log_level;
  std::optional<LogFormat> log_format;
  std::optional<std::string> storage_path{};
};
// Check Problems() afterwards: flags obey the same rules as the file.
void ApplyOverrides(Config& config, const Overrides& overrides);

[[nodiscard]] std::optional<LogLevel> ParseLogLevel(std::string_view name);    // debug, info, warn, error
[[nodiscard]] std::optional<LogFormat> ParseLogFormat(std::string_view name);  // text, json

}  // namespace detwatch::config

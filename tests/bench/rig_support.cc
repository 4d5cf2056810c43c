#include "tests/bench/rig_support.h"

#include <malloc.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <utility>

#include "lib/wire/encode.h"

namespace detwatch::bench {
namespace {

double Seconds(clockid_t clock) {
  timespec at{};
  clock_gettime(clock, &at);
  return static_cast<double>(at.tv_sec) + static_cast<double>(at.tv_nsec) * 1e-9;
}

double StatusMiB(const std::string& field) {
  std::ifstream file("/proc/self/status");
  for (std::string word; file >> word;) {
    if (word == field) {
      double kib = 0;
      file >> kib;
      return kib / 1024;
    }
  }
  return 0;
}

}  // namespace

void Die(const std::string& message) {
  std::fprintf(stderr, "bench: %s\n", message.c_str());
  std::exit(1);  // NOLINT(concurrency-mt-unsafe): benchmarks have one thread of their own
}

double ThreadSeconds() {
  return Seconds(CLOCK_THREAD_CPUTIME_ID);
}
double ProcessSeconds() {
  return Seconds(CLOCK_PROCESS_CPUTIME_ID);
}
double WallSeconds() {
  return Seconds(CLOCK_MONOTONIC);
}

double ResidentMiB() {
  malloc_trim(0);
  return StatusMiB("VmRSS:");
}
double PeakMiB() {
  return StatusMiB("VmHWM:");
}
void ForgetPeak() {
  std::ofstream("/proc/self/clear_refs") << '5';
}

Cost& Cost::operator+=(const Cost& other) {
  ingest += other.ingest;
  absorb += other.absorb;
  commit += other.commit;
  commit_wall += other.commit_wall;
  take += other.take;
  background += other.background;
  bytes += other.bytes;
  return *this;
}

Rig::Rig(const pipeline::PipelineConfig& config, Durability durability, std::string folder,
         const std::string& class_list, TimePoint now)
    : config_(config), durability_(durability), folder_(std::move(folder)) {
  header_.publisher = "line-3-detector-0";
  header_.epoch = 1;
  header_.oldest_held = 1;
  std::filesystem::remove_all(folder_);
  Open();
  state_ = std::make_unique<pipeline::State>(config_, values());
  ingest_ = std::make_unique<pipeline::Ingest>(config_);
  Send(class_list, now);
  Cut(now);
}

Rig::~Rig() {
  state_.reset();
  store_.reset();
  std::filesystem::remove_all(folder_);
}

void Rig::Open() {
  if (durability_ == Durability::kMemory) {
    return;
  }
  auto opened = store::Store::Open({.path = folder_, .fsync = durability_ == Durability::kFsync});
  if (!opened) {
    Die(opened.error().message);
  }
  store_ = std::move(*opened);
}

void Rig::Send(const std::string& payload, TimePoint now) {
  ++header_.sequence;
  const auto reaction = ingest_->OnMessage(Transport::kReliable, wire::EncodeHeader(header_), payload, now);
  if (!reaction.rejected.empty()) {
    Die("rejected: " + reaction.rejected.front().reason + " " + reaction.rejected.front().detail);
  }
}

Cost Rig::Cut(TimePoint now, bool take) {
  Cost cost;
  ingest_->Tick(now);
  const double process = ProcessSeconds();
  const double start = ThreadSeconds();
  {
    const auto cut = ingest_->TakeCut(now);
    ingest_->OnAbsorbed(state_->Absorb(*cut));
  }
  const double absorbed = ThreadSeconds();
  const double wall = WallSeconds();
  if (store_ != nullptr) {
    cost.bytes = static_cast<double>(store_->pending_bytes());
    if (const auto done = store_->Commit(); !done) {
      Die(done.error().message);
    }
  }
  const double committed = ThreadSeconds();
  cost.commit_wall = WallSeconds() - wall;
  if (take) {
    snapshot_ = state_->Take();
  }
  const double end = ThreadSeconds();
  cost.absorb = absorbed - start;
  cost.commit = committed - absorbed;
  cost.take = end - committed;
  cost.background = ProcessSeconds() - process - (end - start);
  return cost;
}

double Rig::Restart(TimePoint now) {
  ingest_.reset();
  state_.reset();
  store_.reset();
  snapshot_.reset();
  const double start = WallSeconds();
  Open();
  state_ = std::make_unique<pipeline::State>(config_, values());
  const auto restored = state_->Restore(now);
  if (!restored) {
    Die(restored.error().message);
  }
  ingest_ = std::make_unique<pipeline::Ingest>(config_, *restored);
  return WallSeconds() - start;
}

const snapshot::Snapshot& Rig::Snapshot(TimePoint now) {
  state_->Advance(now);
  snapshot_ = state_->Take();
  return *snapshot_;
}

}  // namespace detwatch::bench

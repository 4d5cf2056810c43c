#include "daemon/serve/serve.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <exception>
#include <functional>
#include <random>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "daemon/config/load.h"
#include "daemon/config/reload.h"
#include "daemon/serve/ingest_loop.h"
#include "daemon/serve/log.h"
#include "daemon/serve/migrations.h"
#include "daemon/serve/state_loop.h"
#include "daemon/serve/web.h"
#include "daemon/serve/wiring.h"
#include "daemon/version.h"
#include "lib/core/key_value.h"
#include "lib/pipeline/rows.h"
#include "lib/pipeline/state.h"
#include "lib/store/store.h"

namespace detwatch::serve {
namespace {

std::string RandomId() {
  std::random_device device;
  std::string id;
  for (int i = 0; i < 4; ++i) {
    std::array<char, 9> word{};
    std::snprintf(word.data(), word.size(), "%08x", device());
    id += word.data();
  }
  return id;
}

std::string Join(const std::vector<std::string>& values) {
  std::string text;
  for (const std::string& value : values) {
    text += (text.empty() ? "" : ",") + value;
  }
  return text.empty() ? "none" : text;
}

// File, then flags, then the check of both. Problems go to the log.
std::optional<config::Config> LoadConfig(const ServeOptions& options) {
  config::LoadResult loaded;
  loaded.file = "flags";
  if (!options.config_file.empty()) {
    loaded = config::LoadFile(options.config_file);
  }
  for (const std::string& message : loaded.Messages()) {
    log::Error(message);
  }
  if (!loaded.ok()) {
    return std::nullopt;
  }
  config::ApplyOverrides(loaded.config, options.overrides);
  const auto problems = config::Problems(loaded.config);
  for (const config::Problem& problem : problems) {
    log::Error(config::Describe(problem, loaded.file));
  }
  return problems.empty() ? std::optional(loaded.config) : std::nullopt;
}

// Where counts live, and under which name publishers know them.
struct Storage {
  std::unique_ptr<KeyValue> values;
  store::Store* on_disk = nullptr;  // `values`, when there is one
  std::string id;
};

// Null when there is a reason, which went to the log, not to start.
std::optional<Storage> OpenStorage(const config::Storage& config, bool repair) {
  Storage storage;
  if (config.path.empty()) {
    if (repair) {
      log::Error("--storage.repair: there is no --storage.path to repair");
      return std::nullopt;
    }
    log::Warn("no storage.path: counts and waiting frames end with this process");
    storage.values = std::make_unique<MemoryKeyValue>();
    storage.id = RandomId();
    return storage;
  }
  if (repair) {
    log::Info("repairing the store; this reads all of it", {{"path", config.path}});
    const auto repaired = store::Store::Repair(config.path);
    if (!repaired) {
      log::Error(repaired.error().message);
      return std::nullopt;
    }
    log::Warn(*repaired);
  }
  store::Options options;
  options.path = config.path;
  options.fsync = config.fsync;
  options.format = pipeline::kStoreFormat;
  options.migrations = Migrations();
  auto opened = store::Store::Open(options);
  if (!opened) {
    log::Error(opened.error().message);
    return std::nullopt;
  }
  storage.on_disk = opened->get();
  storage.values = std::move(*opened);
  if (const auto id = storage.values->Get(pipeline::keys::kStoreId)) {
    storage.id = *id;
  } else {
    storage.id = RandomId();
    storage.values->Put(pipeline::keys::kStoreId, storage.id);
    if (const auto written = storage.values->Commit(); !written) {
      log::Error(written.error().message);
      return std::nullopt;
    }
  }
  return storage;
}

// A thread whose exception is not lost: it is kept, and `failed_fd` becomes readable.
class Worker {
 public:
  Worker(std::string name, std::function<void()> run, std::function<void()> on_failure, int failed_fd)
      : name_(std::move(name)),
        thread_([this, run = std::move(run), on_failure = std::move(on_failure), failed_fd] {
          try {
            run();
          } catch (...) {
            error_ = std::current_exception();
            on_failure();
            const std::uint64_t one = 1;
            [[maybe_unused]] const ssize_t written = ::write(failed_fd, &one, sizeof(one));
          }
        }) {}
  // Returns whether it ended well.
  bool Join() {
    thread_.join();
    if (error_ == nullptr) {
      return true;
    }
    try {
      std::rethrow_exception(error_);
    } catch (const std::exception& e) {
      log::Error("a thread failed", {{"thread", name_}, {"error", e.what()}});
    } catch (...) {
      log::Error("a thread failed", {{"thread", name_}, {"error", "not a std::exception"}});
    }
    return false;
  }

 private:
  std::string name_;
  std::exception_ptr error_;  // written before the thread ends, read after Join
  std::thread thread_;
};

class Fd {
 public:
  explicit Fd(int fd) : fd_(fd) {
    if (fd < 0) {
      throw std::system_error(errno, std::generic_category(), "serve");
    }
  }
  ~Fd() { ::close(fd_); }
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  [[nodiscard]] int get() const { return fd_; }

 private:
  int fd_;
};

double UnixNow() {
  return ToUnixSeconds(std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now()));
}

void Reload(const ServeOptions& options, config::Config& running, Handover& handover, Web& web) {
  log::Info("reading the configuration again", {{"file", options.config_file}});
  const auto next = LoadConfig(options);
  std::vector<std::string> refused;
  if (next) {
    refused = config::RefusedChanges(running, *next);
    for (const std::string& change : refused) {
      log::Error("a reload cannot change this; restart instead", {{"change", change}});
    }
  }
  const bool good = next && refused.empty();
  web.SetReload(good, UnixNow());
  if (!good) {
    log::Error("the configuration was not reloaded; the old one stays");
    return;
  }
  running = *next;
  log::Configure(running.log.level, running.log.format);
  handover.Reload(running);
  web.Reload(running);
  log::Info("configuration reloaded");
}

// Until a signal says stop (true) or a thread has failed (false).
bool WaitForEnd(int signal_fd, int failed_fd, const std::function<void()>& on_hangup) {
  for (;;) {
    std::array<pollfd, 2> fds{{{signal_fd, POLLIN, 0}, {failed_fd, POLLIN, 0}}};
    if (::poll(fds.data(), fds.size(), -1) < 0) {
      continue;  // EINTR
    }
    if (fds[1].revents != 0) {
      return false;
    }
    signalfd_siginfo info{};
    if (::read(signal_fd, &info, sizeof(info)) != static_cast<ssize_t>(sizeof(info))) {
      continue;
    }
    if (info.ssi_signo != SIGHUP) {
      return true;
    }
    on_hangup();
  }
}

// The configuration, with a log that is as it says as soon as it is known.
std::optional<config::Config> Configure(const ServeOptions& options) {
  log::Configure(options.overrides.log_level.value_or(config::LogLevel::kInfo),
                 options.overrides.log_format.value_or(config::LogFormat::kText));
  auto config = LoadConfig(options);
  if (config) {
    log::Configure(config->log.level, config->log.format);
  }
  return config;
}

// SIGTERM, SIGINT and SIGHUP come as bytes of a file descriptor, which is returned. Before any thread starts,
// so that all of them have the signals blocked.
int TakeSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) {
    sigaddset(&signals, signal);
  }
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  return ::signalfd(-1, &signals, SFD_CLOEXEC);
}

// Goes on from what is stored. Null when there is a reason, which went to the log, not to start.
std::optional<pipeline::Restored> Restore(const std::string& path, const std::string& store_id,
                                          pipeline::State& state) {
  auto restored = state.Restore(std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now()));
  if (!restored) {
    log::Error(
        restored.error().message + "; try --storage.repair, or start fresh with another --storage.path",
        {{"path", path}});
    return std::nullopt;
  }
  for (const std::string& note : restored->notes) {
    log::Warn(note);
  }
  if (!restored->fresh) {
    log::Info("went on from the last checkpoint",
              {{"store", store_id}, {"checkpoint", std::to_string(restored->cut)}});
  }
  return std::move(*restored);
}

// Ingest ends first: the state takes its last cut. Returns whether both ended well.
bool Stop(Web& web, Handover& handover, Worker& ingest, Worker& state) {
  log::Info("stopping");
  web.SetReady(false);
  handover.AskStop();
  const bool ingest_well = ingest.Join();
  const bool state_well = state.Join();
  log::Info("stopped");
  return ingest_well && state_well;
}

}  // namespace

int RunServe(const ServeOptions& options) {
  auto config = Configure(options);
  if (!config) {
    return 2;
  }

  const Fd signal_fd(TakeSignals());
  const Fd failed_fd(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));

  auto storage = OpenStorage(config->storage, options.storage_repair);
  if (!storage) {
    return 1;
  }
  const pipeline::PipelineConfig pipeline_config = ToPipeline(*config, storage->id);
  pipeline::State state(pipeline_config, *storage->values);
  const auto restored = Restore(config->storage.path, storage->id, state);
  if (!restored) {
    return 1;
  }

  auto sockets = Sockets::Bind(config->ingest);
  if (!sockets) {
    log::Error(sockets.error().message);
    return 1;
  }
  const std::string subscribe = Join((*sockets)->subscribe_endpoints());
  const std::string reliable = Join((*sockets)->reliable_endpoints());
  const Identity identity{storage->id, RandomId()};
  Published published;
  StorageHealth health(storage->on_disk != nullptr, storage->id);
  HandoverTimes handover_times;
  Web web(*config, published, health, handover_times, (*sockets)->subscribe_endpoints(),
          (*sockets)->reliable_endpoints());
  if (const auto started = web.Start(); !started) {
    log::Error(started.error().message);
    return 1;
  }
  Handover handover;
  const store::Store* on_disk = storage->on_disk;
  StateLoop state_loop(
      state, *storage->values, health, [on_disk] { return on_disk == nullptr ? 0 : on_disk->DiskBytes(); },
      handover, published);
  IngestLoop ingest(std::move(*sockets), *config, identity, *restored, health, handover_times, handover);
  const auto abandon = [&] { handover.Abandon(); };
  Worker state_worker(
      "state", [&] { state_loop.Run(); }, abandon, failed_fd.get());
  Worker ingest_worker(
      "ingest", [&] { ingest.Run(); }, abandon, failed_fd.get());
  web.SetReload(true, UnixNow());
  web.SetReady(true);
  log::Info("listening", {{"web", "http://" + web.bound()},
                          {"subscribe", subscribe},
                          {"reliable", reliable},
                          {"version", std::string(kVersion)}});

  const bool asked =
      WaitForEnd(signal_fd.get(), failed_fd.get(), [&] { Reload(options, *config, handover, web); });
  const bool well = Stop(web, handover, ingest_worker, state_worker);
  return asked && well ? 0 : 1;
}

}  // namespace detwatch::serve

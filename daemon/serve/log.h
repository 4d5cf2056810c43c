#pragma once
// daemon/serve -- the daemon's log, to standard error: text for people, one JSON object a line for machines.
//
// spdlog does the work and is slow to compile, so only log.cc includes it. Values travel as fields, not
// inside the sentence, so that a log can be searched by them. Threads: all functions may be called from any
// thread. What comes from outside and could flood (rejected messages) goes through a RateLimit.

#include <chrono>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "daemon/config/config.h"
#include "lib/core/time.h"

namespace detwatch::log {

using Field = std::pair<std::string_view, std::string>;

void Configure(config::LogLevel level, config::LogFormat format);
void Debug(std::string_view message, std::initializer_list<Field> fields = {});
void Info(std::string_view message, std::initializer_list<Field> fields = {});
void Warn(std::string_view message, std::initializer_list<Field> fields = {});
void Error(std::string_view message, std::initializer_list<Field> fields = {});

// Lets `burst` pass per interval and counts the rest. One thread.
class RateLimit {
 public:
  RateLimit(int burst, Duration interval) : burst_(burst), interval_(interval) {}
  // By a steady clock: the wall may be set.
  [[nodiscard]] bool Pass(std::chrono::steady_clock::time_point now);
  // How many were held back since this was last asked.
  [[nodiscard]] std::uint64_t TakeHeldBack() { return std::exchange(held_back_, 0); }

 private:
  int burst_;
  Duration interval_;
  std::chrono::steady_clock::time_point started_;
  bool fresh_ = true;
  int passed_ = 0;
  std::uint64_t held_back_ = 0;
};

}  // namespace detwatch::log

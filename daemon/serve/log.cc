#include "daemon/serve/log.h"

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <memory>
#include <nlohmann/json.hpp>

namespace detwatch::log {
namespace {

std::atomic<bool> g_json{false};

spdlog::logger& Logger() {
  // Colours on a terminal only; spdlog looks at the stream itself.
  static const std::shared_ptr<spdlog::logger> logger = [] {
    auto made = spdlog::stderr_color_mt("detwatch");
    made->set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %^%-5l%$ %v");
    made->flush_on(spdlog::level::trace);
    return made;
  }();
  return *logger;
}

std::string Text(std::string_view message, std::initializer_list<Field> fields) {
  std::string text(message);
  for (const auto& [key, value] : fields) {
    text += ' ';
    text += key;
    text += '=';
    const bool plain = !value.empty() && value.find_first_of(" \"=\n\r\t") == std::string::npos;
    text +=
        plain ? value : nlohmann::json(value).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  }
  return text;
}

// The inside of an object; the pattern adds time and level.
std::string Json(std::string_view message, std::initializer_list<Field> fields) {
  const auto quote = [](std::string_view value) {
    return nlohmann::json(value).dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
  };
  std::string text = quote(message);
  for (const auto& [key, value] : fields) {
    text += ',';
    text += quote(key);
    text += ':';
    text += quote(value);
  }
  return text;
}

void Write(spdlog::level::level_enum level, std::string_view message, std::initializer_list<Field> fields) {
  spdlog::logger& logger = Logger();
  if (logger.should_log(level)) {
    logger.log(level, spdlog::string_view_t(g_json ? Json(message, fields) : Text(message, fields)));
  }
}

}  // namespace

void Configure(config::LogLevel level, config::LogFormat format) {
  spdlog::logger& logger = Logger();
  g_json = format == config::LogFormat::kJson;
  logger.set_pattern(g_json ? R"({"time":"%Y-%m-%dT%H:%M:%S.%e%z","level":"%l","message":%v})"
                            : "%Y-%m-%dT%H:%M:%S.%e%z %^%-5l%$ %v");
  switch (level) {
    case config::LogLevel::kDebug:
      logger.set_level(spdlog::level::debug);
      break;
    case config::LogLevel::kInfo:
      logger.set_level(spdlog::level::info);
      break;
    case config::LogLevel::kWarn:
      logger.set_level(spdlog::level::warn);
      break;
    case config::LogLevel::kError:
      logger.set_level(spdlog::level::err);
      break;
  }
}

void Debug(std::string_view message, std::initializer_list<Field> fields) {
  Write(spdlog::level::debug, message, fields);
}
void Info(std::string_view message, std::initializer_list<Field> fields) {
  Write(spdlog::level::info, message, fields);
}
void Warn(std::string_view message, std::initializer_list<Field> fields) {
  Write(spdlog::level::warn, message, fields);
}
void Error(std::string_view message, std::initializer_list<Field> fields) {
  Write(spdlog::level::err, message, fields);
}

bool RateLimit::Pass(std::chrono::steady_clock::time_point now) {
  if (fresh_ || now - started_ >= interval_) {
    fresh_ = false;
    started_ = now;
    passed_ = 0;
  }
  if (passed_ < burst_) {
    ++passed_;
    return true;
  }
  ++held_back_;
  return false;
}

}  // namespace detwatch::log

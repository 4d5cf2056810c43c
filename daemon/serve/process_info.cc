#include "daemon/serve/process_info.h"

#include <sys/resource.h>
#include <unistd.h>

#include <charconv>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

namespace detwatch::serve {
namespace {

std::string Read(const char* path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

double Number(std::string_view text) {
  double value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

// Fields of /proc/self/stat after the command, which may contain spaces; [0] is field 3, the state.
std::vector<std::string_view> StatFields(std::string_view stat) {
  std::vector<std::string_view> fields;
  const std::size_t command_end = stat.rfind(')');
  if (command_end == std::string_view::npos) {
    return fields;
  }
  stat.remove_prefix(command_end + 2);
  while (!stat.empty()) {
    const std::size_t space = stat.find(' ');
    fields.push_back(stat.substr(0, space));
    stat.remove_prefix(space == std::string_view::npos ? stat.size() : space + 1);
  }
  return fields;
}

// Seconds since the Unix epoch at which the machine started.
double BootTime() {
  const std::string stat = Read("/proc/stat");
  const std::size_t at = stat.find("\nbtime ");
  return at == std::string::npos ? 0 : Number(std::string_view(stat).substr(at + 7));
}

}  // namespace

void ReadProcess(expose::Process& process) {
  const std::string stat = Read("/proc/self/stat");
  const auto fields = StatFields(stat);
  const auto ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
  // proc(5): utime 14, stime 15, num_threads 20, starttime 22, vsize 23, rss 24; ours begin at 3.
  if (fields.size() > 21 && ticks > 0) {
    process.cpu_seconds = (Number(fields[11]) + Number(fields[12])) / ticks;
    process.threads = Number(fields[17]);
    process.start_time_seconds = BootTime() + Number(fields[19]) / ticks;
    process.virtual_bytes = Number(fields[20]);
    process.resident_bytes = Number(fields[21]) * static_cast<double>(::sysconf(_SC_PAGESIZE));
  }
  std::error_code error;
  double open = 0;
  for (std::filesystem::directory_iterator it("/proc/self/fd", error), end; !error && it != end;
       it.increment(error)) {
    ++open;
  }
  process.open_fds = open > 0 ? open - 1 : 0;  // less the one that reads the folder
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    process.max_fds = static_cast<double>(limit.rlim_cur);
  }
}

}  // namespace detwatch::serve

// Brings a store to another format, as a later version of the daemon would: set_format FOLDER FORMAT
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "lib/store/store.h"

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fputs("usage: set_format FOLDER FORMAT\n", stderr);
    return 2;
  }
  detwatch::store::Options options;
  options.path = argv[1];
  options.format = static_cast<std::uint32_t>(std::strtoul(argv[2], nullptr, 10));
  options.migrations.assign(options.format, [](detwatch::KeyValue&) { return detwatch::Result<void>(); });
  const auto store = detwatch::store::Store::Open(options);
  if (!store) {
    std::fprintf(stderr, "%s\n", store.error().message.c_str());
    return 1;
  }
  return 0;
}

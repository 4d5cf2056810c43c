#pragma once
// What state_bench is told on its command line.

#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "tests/bench/rig_support.h"

namespace detwatch::bench {

inline constexpr std::size_t kCut = 1000;  // frames, where the rate does not matter

struct Arguments {
  std::vector<std::string> scenarios;
  std::size_t frames = 1'000'000;
  std::size_t boxes = 20;
  std::string folder = ".";
};

inline Arguments Parse(int argc, char** argv) {
  Arguments arguments;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word.starts_with("--") && i + 1 < argc) {
      const std::string value = argv[++i];
      if (word == "--frames") {
        arguments.frames = std::max<std::size_t>(std::stoul(value) / kCut, 1) * kCut;
      } else if (word == "--boxes") {
        arguments.boxes = std::stoul(value);
      } else if (word == "--folder") {
        arguments.folder = value;
      } else {
        Die("no such option: " + word);
      }
    } else {
      arguments.scenarios.push_back(word);
    }
  }
  return arguments;
}

}  // namespace detwatch::bench

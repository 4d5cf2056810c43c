#include "lib/pipeline/config.h"

#include <numeric>

namespace detwatch::pipeline {

Duration PipelineConfig::Quantum() const {
  Duration quantum{0};
  for (const WindowSpec& window : windows) {
    quantum = Duration(std::gcd(quantum.count(), window.pane.count()));
  }
  return quantum == Duration{0} ? Duration(std::chrono::minutes(1)) : quantum;
}

Duration PipelineConfig::ClassListIdle() const {
  return limits.idle + join.retention + join.corrections;
}

}  // namespace detwatch::pipeline

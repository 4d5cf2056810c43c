#pragma once
// daemon/serve -- what the configuration file says, in the pipeline's words.

#include <string>

#include "daemon/config/config.h"
#include "lib/pipeline/config.h"
#include "lib/wire/encode.h"

namespace detwatch::serve {

// Requires: config::Problems(config) is empty.
[[nodiscard]] pipeline::PipelineConfig ToPipeline(const config::Config& config, const std::string& store_id);

// What publishers are told beside `config.wire`.
[[nodiscard]] wire::ToldLimits ToTold(const pipeline::PipelineConfig& config);

}  // namespace detwatch::serve

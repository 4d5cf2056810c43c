#include "daemon/serve/wiring.h"

#include <gtest/gtest.h>

#include <chrono>

namespace detwatch::serve {
namespace {

// Each value once, so that two which change places are seen.
TEST(WiringTest, PublishersAreToldTheLimitsOfTheConfiguration) {
  config::Config config;
  config.ingest.message_bytes = 70'001;
  config.ingest.boxes_per_frame = 70'002;
  config.limits.classes = 70'003;
  config.limits.class_lists = 70'004;
  config.limits.models = 70'005;
  config.limits.streams = 70'006;
  config.limits.groups = 70'007;
  config.limits.publishers = 70'008;
  config.limits.cell_bytes = 70'009;
  config.join.bytes = 70'010;
  config.join.corrections_bytes = 70'011;
  config.join.class_list_wait = std::chrono::seconds(12);
  config.join.retention = std::chrono::hours(13);
  config.join.corrections = std::chrono::hours(14);
  const pipeline::PipelineConfig pipeline = ToPipeline(config, "store");
  EXPECT_EQ(pipeline.wire.message_bytes, 70'001U);
  EXPECT_EQ(pipeline.wire.boxes_per_frame, 70'002U);
  EXPECT_EQ(pipeline.wire.classes_per_list, 70'003U);
  EXPECT_EQ(pipeline.wire.batch_items, wire::WireLimits{}.batch_items);
  EXPECT_EQ(pipeline.wire.tags, wire::WireLimits{}.tags);
  const wire::ToldLimits expected = {.string_bytes = 128,
                                     .header_bytes = 4096,
                                     .class_names = 70'003,
                                     .class_lists = 70'004,
                                     .class_list_waiting_bytes = std::size_t{64} << 20,
                                     .models = 70'005,
                                     .streams = 70'006,
                                     .groups = 70'007,
                                     .publishers = 70'008,
                                     .cell_bytes = 70'009,
                                     .waiting_bytes = 70'010,
                                     .corrections_bytes = 70'011,
                                     .class_list_wait = std::chrono::seconds(12),
                                     .retention = std::chrono::hours(13),
                                     .corrections = std::chrono::hours(14)};
  EXPECT_EQ(ToTold(pipeline), expected);
}

}  // namespace
}  // namespace detwatch::serve

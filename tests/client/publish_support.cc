#include "tests/client/publish_support.h"

#include <gtest/gtest.h>

namespace detwatch::client::test {

PublisherOptions Quick(const std::string& endpoint) {
  PublisherOptions options;
  options.endpoint = endpoint;
  options.model = "m";
  options.class_names = {{0, "person"}, {1, "car"}};
  options.timing = {std::chrono::milliseconds(50), std::chrono::milliseconds(300), std::chrono::seconds(30)};
  return options;
}

Publisher Made(PublisherOptions options) {
  auto made = Publisher::Make(std::move(options));
  EXPECT_TRUE(made) << made.error().message;
  return std::move(*made);
}

std::vector<std::string> Names(int count, int start) {
  std::vector<std::string> names;
  for (int i = start; i < start + count; ++i) {
    names.push_back("f" + std::to_string(i));
  }
  return names;
}

void Publish(Publisher& publisher, const std::vector<std::string>& names, std::size_t boxes) {
  const std::vector<Box> column(boxes, Box{0, 0, 10, 10});
  const std::vector<float> scores(boxes, 0.5F);
  const std::vector<std::uint32_t> ids(boxes, 0);
  for (const std::string& name : names) {
    const auto sent = publisher.Predictions(name, column, scores, ids);
    ASSERT_TRUE(sent) << sent.error().message;
  }
}

}  // namespace detwatch::client::test

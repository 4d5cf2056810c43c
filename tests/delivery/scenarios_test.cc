// tests/delivery/scenarios/window.json through the window of the C++ client; its README says what a step is.
// tests/python/test_scenarios.py plays the same file.
#include <gtest/gtest.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "lib/delivery/window.h"

namespace detwatch::delivery {
namespace {

using nlohmann::json;

constexpr TimePoint kStart = FromUnixNanos(1'700'000'000'000'000'000);

class Player {
 public:
  explicit Player(std::size_t window_bytes) : window_(window_bytes) {}

  void Play(const json& step) {
    static const std::map<std::string, void (Player::*)(const json&)> kEvents = {
        {"push", &Player::Push},  {"offer", &Player::Offer},
        {"send", &Player::Send},  {"drop_oldest", &Player::DropOldest},
        {"reply", &Player::Tell}, {"reconnected", &Player::Reconnected}};
    const std::string event = step.at("event");
    const auto known = kEvents.find(event);
    ASSERT_NE(known, kEvents.end()) << "an event this player does not know: " << event;
    sent_.clear();
    (this->*known->second)(step);
    ASSERT_TRUE(event != "send" || step.at("expect").contains("sent")) << "a send says what went out";
    const json expected = step.value("expect", json::object());
    for (const auto& [what, value] : expected.items()) {
      const json is = What(what, value);
      EXPECT_EQ(is, value) << what << " after " << step;
    }
  }

 private:
  void Push(const json& step) {
    for (int i = 0; i < step.at("count"); ++i) {
      (void)window_.Push(std::string(step.at("bytes").get<std::size_t>(), 'x'));
    }
  }

  void Offer(const json& step) {
    const std::size_t bytes = step.at("bytes");
    const std::string on_full = step.at("on_full");
    ASSERT_TRUE(on_full == "block" || on_full == "drop_oldest") << on_full;
    waits_ = false;
    for (int i = 0; i < step.at("count"); ++i) {
      while (!window_.HasRoom(bytes)) {
        if (on_full == "block") {
          waits_ = true;
          return;
        }
        window_.DropOldest();
      }
      (void)window_.Push(std::string(bytes, 'x'));
    }
  }

  void Send(const json& /*step*/) {
    while (const SendWindow::Item* item = window_.NextToSend()) {
      sent_.push_back(item->sequence);
      window_.Sent();
    }
  }

  void DropOldest(const json& step) {
    for (int i = 0; i < step.at("count"); ++i) {
      window_.DropOldest();
    }
  }

  void Tell(const json& step) {
    Acknowledgement reply;
    reply.store_id = step.value("store", "store");
    reply.boot_id = step.value("boot", "boot");
    reply.received = step.at("received");
    reply.durable = step.at("durable");
    reply.credit_bytes = step.value("credit", 1000U);
    reply.expected = step.value("expected", 0U);
    window_.OnReply(reply, kStart + Duration(std::llround(step.at("at").get<double>() * 1e9)));
  }

  void Reconnected(const json& /*step*/) { window_.Reconnected(); }

  [[nodiscard]] json What(const std::string& what, const json& value) const {
    if (what == "room") {
      json room;
      for (const auto& [bytes, fits] : value.items()) {
        room[bytes] = window_.HasRoom(std::stoul(bytes));
      }
      return room;
    }
    const std::map<std::string, json> all = {{"sent", sent_},
                                             {"waits", waits_},
                                             {"items", window_.items()},
                                             {"bytes", window_.bytes()},
                                             {"oldest_held", window_.oldest_held()},
                                             {"last_sequence", window_.last_sequence()},
                                             {"dropped", window_.dropped()},
                                             {"resent", window_.resent()},
                                             {"store_id", window_.store_id()}};
    const auto found = all.find(what);
    return found == all.end() ? json("an expectation this player does not know") : found->second;
  }

  SendWindow window_;
  std::vector<std::uint64_t> sent_;  // in this step
  bool waits_ = false;
};

TEST(ScenariosTest, TheWindowPassesEveryScenario) {
  std::ifstream file(DETWATCH_TESTS_DIR "/delivery/scenarios/window.json");
  const json scenarios = json::parse(file);
  ASSERT_GE(scenarios.size(), 30U);
  std::set<std::string> names;
  for (const json& scenario : scenarios) {
    const std::string name = scenario.at("name");
    SCOPED_TRACE(name);
    EXPECT_TRUE(names.insert(name).second) << "a name that is there twice";
    Player player(scenario.at("window_bytes"));
    for (const json& step : scenario.at("steps")) {
      player.Play(step);
    }
  }
}

}  // namespace
}  // namespace detwatch::delivery

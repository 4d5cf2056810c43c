#include "daemon/tools/scene.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <numbers>

namespace detwatch::tools {
namespace {

struct Kind {
  const char* name;
  double weight;  // share of the objects
  double side;    // typical, in pixels
  double aspect;  // width / height
  double skill;   // of the detector; higher is better
};

constexpr std::array<Kind, 8> kKinds = {{{"person", 0.34, 70, 0.42, 1.2},
                                         {"car", 0.26, 110, 1.7, 1.6},
                                         {"bicycle", 0.10, 65, 1.1, 0.6},
                                         {"truck", 0.08, 170, 1.5, 0.9},
                                         {"dog", 0.07, 50, 1.2, 0.4},
                                         {"bus", 0.05, 210, 1.6, 1.1},
                                         {"traffic light", 0.06, 24, 0.45, 0.3},
                                         {"stop sign", 0.04, 30, 1.0, 0.7}}};

constexpr double kSmallArea = 32 * 32;
constexpr std::size_t kFixtures = 64;

struct DriftName {
  std::string_view name;
  DriftKind kind;
  double amount;  // when none is given
};
constexpr std::array<DriftName, 4> kDrifts = {{{"small-misses", DriftKind::kSmallMisses, 0.8},
                                               {"box-shift", DriftKind::kBoxShift, 0.2},
                                               {"over-confidence", DriftKind::kOverConfidence, 3},
                                               {"clutter", DriftKind::kClutter, 4}}};

double Sigmoid(double z) {
  return 1 / (1 + std::exp(-z));
}

double ToFloat(double value) {
  return static_cast<double>(static_cast<float>(value));
}

template <class T>
bool Parse(std::string_view text, T& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size();
}

}  // namespace

Result<Drift> ParseDrift(std::string_view text) {
  const std::size_t at = text.find('@');
  const std::size_t colon = text.find(':');
  const std::string_view name = text.substr(0, at);
  for (const DriftName& known : kDrifts) {
    if (name != known.name || at == std::string_view::npos) {
      continue;
    }
    Drift drift{known.kind, 0, known.amount};
    const bool frame =
        Parse(text.substr(at + 1, colon == std::string_view::npos ? colon : colon - at - 1), drift.from);
    const bool amount = colon == std::string_view::npos || Parse(text.substr(colon + 1), drift.amount);
    if (frame && amount && drift.amount >= 0 && drift.amount <= 1000) {
      return drift;
    }
  }
  return Fail("\"" + std::string(text) +
              "\" is not KIND@FRAME or KIND@FRAME:AMOUNT with KIND one of small-misses, box-shift, "
              "over-confidence, clutter and AMOUNT in 0 to 1000");
}

std::vector<dataset::ClassEntry> Scene::Classes() {
  std::vector<dataset::ClassEntry> classes;
  classes.reserve(kKinds.size());
  for (const Kind& kind : kKinds) {
    classes.push_back({static_cast<std::int64_t>(classes.size()) + 1, kind.name});
  }
  return classes;
}

Scene::Scene(const SceneOptions& options) : options_(options), random_(options.seed) {
  const std::uint32_t count = Poisson(options_.objects);
  for (std::uint32_t i = 0; i < count; ++i) {
    objects_.push_back(Spawn(true));
  }
  for (std::size_t i = 0; i < kFixtures; ++i) {
    fixtures_.push_back(Spawn(true));
  }
}

double Scene::Uniform() {
  return static_cast<double>(random_() >> 11) * 0x1p-53;
}

// Box and Muller (1958).
double Scene::Normal() {
  const double radius = std::sqrt(-2 * std::log(1 - Uniform()));
  return radius * std::cos(2 * std::numbers::pi * Uniform());
}

// Knuth's product of uniforms; means here are small.
std::uint32_t Scene::Poisson(double mean) {
  const double limit = std::exp(-mean);
  std::uint32_t n = 0;
  double product = Uniform();
  while (product > limit) {
    product *= Uniform();
    ++n;
  }
  return n;
}

Scene::Object Scene::Spawn(bool anywhere) {
  Object object;
  double pick = Uniform();
  while (object.class_id + 1 < kKinds.size() && pick >= kKinds[object.class_id].weight) {
    pick -= kKinds[object.class_id].weight;
    ++object.class_id;
  }
  const Kind& kind = kKinds[object.class_id];
  const double side = std::clamp(kind.side * std::exp(0.6 * Normal()), 6.0, 0.8 * options_.height);
  object.box.w = side * std::sqrt(kind.aspect);
  object.box.h = side / std::sqrt(kind.aspect);
  const double speed = 1 + 3 * Uniform();
  const bool to_right = Uniform() < 0.5;
  object.vx = to_right ? speed : -speed;
  object.vy = 0.3 * Normal();
  const double span_x = options_.width - object.box.w;
  object.box.x = anywhere ? Uniform() * span_x : (to_right ? 0 : span_x);
  object.box.y = Uniform() * (options_.height - object.box.h);
  object.hardness = Normal();
  return object;
}

void Scene::Move() {
  for (Object& object : objects_) {
    object.box.x += object.vx;
    object.box.y += object.vy;
  }
  std::erase_if(objects_, [this](const Object& object) {
    return object.box.x < 0 || object.box.y < 0 || object.box.x + object.box.w > options_.width ||
           object.box.y + object.box.h > options_.height;
  });
  // About one in two hundred leaves per frame; newcomers keep the mean.
  const double missing = options_.objects - static_cast<double>(objects_.size());
  const std::uint32_t newcomers = Poisson(std::max(0.02, 0.1 * missing));
  for (std::uint32_t i = 0; i < newcomers; ++i) {
    objects_.push_back(Spawn(false));
  }
}

double Scene::Amount(DriftKind kind) const {
  double amount = 0;
  for (const Drift& drift : options_.drifts) {
    if (drift.kind == kind && frame_ >= drift.from) {
      amount = std::max(amount, drift.amount);
    }
  }
  return amount;
}

void Scene::Add(const Box& box, double score, std::uint32_t class_id, Predictions& out) const {
  const double over = Amount(DriftKind::kOverConfidence);
  const double shown = 1 - std::pow(1 - std::clamp(score, 0.0, 1.0), 1 + over);
  Box kept;
  kept.x = ToFloat(std::clamp(box.x, 0.0, options_.width - 1.0));
  kept.y = ToFloat(std::clamp(box.y, 0.0, options_.height - 1.0));
  kept.w = ToFloat(std::clamp(box.x + box.w - kept.x, 1.0, options_.width - kept.x));
  kept.h = ToFloat(std::clamp(box.y + box.h - kept.y, 1.0, options_.height - kept.y));
  out.boxes.push_back(kept);
  out.scores.push_back(static_cast<float>(shown));
  out.class_ids.push_back(class_id);
}

void Scene::Detect(const Object& object, Predictions& out) {
  const Kind& kind = kKinds[object.class_id];
  const double size = std::log(std::sqrt(object.box.Area()) / 48);
  const double quality = kind.skill + 0.7 * size - 0.9 * object.hardness + 0.5 * Normal();
  const bool lost = object.box.Area() < kSmallArea && Uniform() < Amount(DriftKind::kSmallMisses);
  if (lost || Uniform() > Sigmoid(quality + 1.6)) {
    return;
  }
  const double spread = 0.02 + 0.06 * std::exp(-0.5 * quality);
  const double shift = Amount(DriftKind::kBoxShift);
  const auto jitter = [&](double scale) {
    Box box = object.box;
    box.w *= std::exp(scale * spread * Normal());
    box.h *= std::exp(scale * spread * Normal());
    box.x += object.box.w * (scale * spread * Normal() + shift);
    box.y += object.box.h * (scale * spread * Normal() + shift);
    return box;
  };
  Add(jitter(1), Sigmoid(0.6 + 1.1 * quality + 0.6 * Normal()), object.class_id, out);
  if (Uniform() < 0.12) {  // a second, worse box on the same object
    Add(jitter(3), Sigmoid(-1.6 + 0.6 * quality + 0.7 * Normal()), object.class_id, out);
  }
  if (Uniform() < 0.06) {  // taken for its neighbour in the list
    Add(jitter(1.5), Sigmoid(-1.2 + 0.5 * quality + 0.8 * Normal()),
        (object.class_id + 1) % static_cast<std::uint32_t>(kKinds.size()), out);
  }
}

void Scene::AddClutter(Predictions& out) {
  const std::uint32_t count = Poisson(3);
  for (std::uint32_t i = 0; i < count; ++i) {
    const Object nothing = Spawn(true);
    Add(nothing.box, Sigmoid(-2.6 + 1.1 * Normal()), nothing.class_id, out);
  }
  const auto fixtures = std::min(kFixtures, static_cast<std::size_t>(Amount(DriftKind::kClutter)));
  for (std::size_t i = 0; i < fixtures; ++i) {
    Add(fixtures_[i].box, Sigmoid(1.8 + 0.4 * Normal()), fixtures_[i].class_id, out);
  }
}

dataset::Frame Scene::Next() {
  dataset::Frame frame;
  frame.image_id = static_cast<std::int64_t>(frame_) + 1;
  frame.frame_id = std::to_string(frame.image_id);
  frame.size = {options_.width, options_.height};
  for (const Object& object : objects_) {
    const Box box{ToFloat(object.box.x), ToFloat(object.box.y), ToFloat(object.box.w), ToFloat(object.box.h)};
    frame.labels.boxes.push_back(box);
    frame.labels.areas.push_back(box.Area());
    frame.labels.class_ids.push_back(object.class_id);
    frame.labels.crowd.push_back(0);
    frame.labels.difficult.push_back(0);
  }
  for (const Object& object : objects_) {
    Detect(object, frame.predictions);
  }
  AddClutter(frame.predictions);
  Move();
  ++frame_;
  return frame;
}

}  // namespace detwatch::tools

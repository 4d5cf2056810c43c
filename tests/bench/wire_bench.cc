// What a message costs before anyone looks at it: parsing, checking and hashing one frame, and its header.
// The budget is 0.4 us for the parse of a frame of 100 boxes; the rest here is checks and our own columns.

#include <benchmark/benchmark.h>
#include <detwatch/v1/relaxed.pb.h>

#include <random>
#include <string>
#include <vector>

#include "lib/wire/content_hash.h"
#include "lib/wire/decode.h"
#include "lib/wire/encode.h"

namespace detwatch::bench {
namespace {

Predictions MakePredictions(std::size_t n) {
  std::mt19937 random(1);
  std::uniform_real_distribution<float> place(0, 640);
  std::uniform_real_distribution<float> unit(0, 1);
  Predictions p;
  p.frame = {"camera-7", "frame-000123456"};
  p.model = {"yolo-v8-medium", "2024-11-03"};
  for (std::size_t i = 0; i < n; ++i) {
    const auto coordinate = [&] { return static_cast<double>(place(random)); };
    p.boxes.push_back({coordinate(), coordinate(), coordinate(), coordinate()});
    p.scores.push_back(unit(random));
    p.class_ids.push_back(static_cast<std::uint32_t>(random() % 90));
  }
  return p;
}

void Decode(benchmark::State& state, const std::string& payload) {
  wire::Decoder decoder{wire::WireLimits{}};
  std::vector<wire::Item> items;
  for ([[maybe_unused]] auto _ : state) {
    decoder.DecodePayload(payload, items);
    if (!items.front()) {
      state.SkipWithError("rejected");
      return;
    }
    benchmark::DoNotOptimize(items.data());
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(payload.size()));
}

void BM_DecodePredictions(benchmark::State& state) {
  Decode(state, wire::EncodePayload(MakePredictions(static_cast<std::size_t>(state.range(0)))));
}
BENCHMARK(BM_DecodePredictions)->Arg(0)->Arg(10)->Arg(100)->Arg(1000);

void BM_DecodeDoubles(benchmark::State& state) {
  Predictions p = MakePredictions(100);
  p.boxes[0].x = 0.1;  // no float32 has it
  Decode(state, wire::EncodePayload(p));
}
BENCHMARK(BM_DecodeDoubles);

void BM_DecodeNormalizedCorners(benchmark::State& state) {
  v1::relaxed::Payload payload;
  payload.ParseFromString(wire::EncodePayload(MakePredictions(100)));
  v1::relaxed::Predictions& p = *payload.mutable_predictions();
  p.mutable_frame()->set_image_width(640);
  p.mutable_frame()->set_image_height(480);
  p.mutable_boxes()->set_format(v1::relaxed::BOX_FORMAT_XYXY);
  p.mutable_boxes()->set_unit(v1::relaxed::BOX_UNIT_NORMALIZED);
  for (int i = 0; i < p.boxes().float_values_size(); ++i) {
    p.mutable_boxes()->set_float_values(i, i % 4 < 2 ? 0.25F : 0.5F);
  }
  Decode(state, payload.SerializeAsString());
}
BENCHMARK(BM_DecodeNormalizedCorners);

void BM_DecodeFramePair(benchmark::State& state) {
  wire::FramePair pair{MakePredictions(100), {}};
  pair.labels.frame = pair.predictions.frame;
  for (std::size_t i = 0; i < 10; ++i) {
    pair.labels.boxes.push_back(pair.predictions.boxes[i]);
    pair.labels.areas.push_back(pair.predictions.boxes[i].Area());
    pair.labels.class_ids.push_back(pair.predictions.class_ids[i]);
  }
  Decode(state, wire::EncodePayload(pair));
}
BENCHMARK(BM_DecodeFramePair);

// What protobuf alone takes, to compare with.
void BM_ParseOnly(benchmark::State& state) {
  const std::string payload = wire::EncodePayload(MakePredictions(100));
  v1::relaxed::Payload message;
  for ([[maybe_unused]] auto _ : state) {
    benchmark::DoNotOptimize(message.ParseFromString(payload));
  }
}
BENCHMARK(BM_ParseOnly);

void BM_ContentHash(benchmark::State& state) {
  const Predictions p = MakePredictions(100);
  for ([[maybe_unused]] auto _ : state) {
    benchmark::DoNotOptimize(wire::ContentHash(p));
  }
}
BENCHMARK(BM_ContentHash);

void BM_DecodeHeader(benchmark::State& state) {
  const std::string bytes =
      wire::EncodeHeader({"line-3-detector-0", 1700000000000000000ULL, 123456, 123000, ""});
  const wire::Decoder decoder{wire::WireLimits{}};
  for ([[maybe_unused]] auto _ : state) {
    benchmark::DoNotOptimize(decoder.DecodeHeader(bytes));
  }
}
BENCHMARK(BM_DecodeHeader);

void BM_EncodePredictions(benchmark::State& state) {
  const wire::Message message = MakePredictions(100);
  for ([[maybe_unused]] auto _ : state) {
    benchmark::DoNotOptimize(wire::EncodePayload(message));
  }
}
BENCHMARK(BM_EncodePredictions);

}  // namespace
}  // namespace detwatch::bench

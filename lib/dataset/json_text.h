#pragma once
// lib/dataset -- one JSON text under simdjson's forward-only parser, and the field types COCO files use.
// Private to the COCO readers: simdjson is slow to compile.
//
// Hot-path functions answer with the reason as static text, null when fine; the reader adds the file, the
// record and the field only once something is wrong.

#include <simdjson.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "lib/core/result.h"
#include "lib/dataset/dataset.h"
#include "lib/dataset/text.h"

namespace detwatch::dataset {

using Reason = const char*;  // null: fine
using JsonValue = simdjson::ondemand::value;

// Any number that is finite.
[[nodiscard]] inline Reason ReadDouble(JsonValue& value, double& out) {
  if (value.get_double().get(out) != simdjson::SUCCESS) {
    return "is not a number";
  }
  return std::isfinite(out) ? nullptr : "is not finite";
}

// 42 or 42.0; beyond 2^53 only as an integer.
[[nodiscard]] inline Reason ReadInteger(JsonValue& value, std::int64_t& out) {
  if (value.get_int64().get(out) == simdjson::SUCCESS) {
    return nullptr;
  }
  double number = 0;
  if (value.get_double().get(number) != simdjson::SUCCESS || std::trunc(number) != number ||
      std::abs(number) > 9007199254740992.0) {
    return "is not an integer";
  }
  out = static_cast<std::int64_t>(number);
  return nullptr;
}

// 42, 42.0, "42" or "000000000042".
[[nodiscard]] inline Reason ReadId(JsonValue& value, std::int64_t& out) {
  if (ReadInteger(value, out) == nullptr) {
    return nullptr;
  }
  std::string_view text;
  if (value.get_string().get(text) == simdjson::SUCCESS) {
    if (const auto number = ParseNumber<std::int64_t>(text)) {
      out = *number;
      return nullptr;
    }
  }
  return "is neither an integer nor the text of one";
}

// 0, 1, false or true.
[[nodiscard]] inline Reason ReadFlag(JsonValue& value, bool& out) {
  std::int64_t number = 0;
  if (ReadInteger(value, number) == nullptr) {
    out = number != 0;
    return number == 0 || number == 1 ? nullptr : "is not 0 or 1";
  }
  return value.get_bool().get(out) == simdjson::SUCCESS ? nullptr : "is not 0 or 1";
}

// [left, top, width, height].
[[nodiscard]] inline Reason ReadBox(JsonValue& value, Box& out) {
  constexpr Reason kShape = "is not a list of four numbers";
  simdjson::ondemand::array list;
  if (value.get_array().get(list) != simdjson::SUCCESS) {
    return kShape;
  }
  double numbers[4] = {};
  std::size_t count = 0;
  for (auto element : list) {
    if (count == 4 || element.get_double().get(numbers[count]) != simdjson::SUCCESS) {
      return kShape;
    }
    ++count;
  }
  out = {numbers[0], numbers[1], numbers[2], numbers[3]};
  return count == 4 ? nullptr : kShape;
}

class JsonText {
 public:
  // Requires: `progress` lives as long as this. `name` stands for the file in errors.
  JsonText(std::string name, const Progress& progress);

  // Finds the structure of the text.
  [[nodiscard]] Result<void> Open(std::string text);
  [[nodiscard]] simdjson::ondemand::document& document() { return document_; }

  // "gt.json: <what>"
  [[nodiscard]] tl::unexpected<Error> Wrong(std::string_view what) const;
  // "gt.json: annotations[17].bbox: <what>"; `list` and `field` may be empty.
  [[nodiscard]] tl::unexpected<Error> Wrong(std::string_view list, std::size_t record, std::string_view field,
                                            std::string_view what) const;
  // Broken JSON, with the byte.
  [[nodiscard]] tl::unexpected<Error> Broken(simdjson::error_code code);
  // Hands every field of a record to `use(key, value)`, which answers with the field's name and the reason.
  using FieldAnswer = std::pair<std::string_view, Reason>;
  template <class Use>
  [[nodiscard]] Result<void> Fields(std::string_view list, std::size_t index,
                                    simdjson::ondemand::object& record, const Use& use) {
    for (auto field : record) {
      simdjson::ondemand::raw_json_string key;
      JsonValue value;
      if (const auto code = field.key().get(key); code != simdjson::SUCCESS) {
        return Broken(code);
      }
      if (const auto code = field.value().get(value); code != simdjson::SUCCESS) {
        return Broken(code);
      }
      if (const FieldAnswer answer = use(key, value); answer.second != nullptr) {
        return Wrong(list, index, answer.first, answer.second);
      }
    }
    return {};
  }
  // Call once per record.
  void Passed(std::size_t record);

 private:
  std::string name_;
  const Progress& progress_;
  std::string text_;      // with simdjson's padding
  std::size_t size_ = 0;  // without it
  simdjson::ondemand::parser parser_;
  simdjson::ondemand::document document_;
  bool open_ = false;
};

}  // namespace detwatch::dataset

#include "lib/dataset/json_text.h"

#include <utility>

#include "lib/dataset/coco.h"

namespace detwatch::dataset {

static_assert(kTextPadding >= simdjson::SIMDJSON_PADDING);

JsonText::JsonText(std::string name, const Progress& progress)
    : name_(std::move(name)), progress_(progress) {}

Result<void> JsonText::Open(std::string text) {
  text_ = std::move(text);
  size_ = text_.size();
  text_.resize(size_ + simdjson::SIMDJSON_PADDING);
  const simdjson::padded_string_view view(text_.data(), size_, text_.size());
  if (const auto code = parser_.iterate(view).get(document_); code != simdjson::SUCCESS) {
    return Wrong(std::string("not valid JSON: ") + simdjson::error_message(code));
  }
  open_ = true;
  return {};
}

tl::unexpected<Error> JsonText::Wrong(std::string_view what) const {
  return Fail(name_ + ": " + std::string(what));
}

tl::unexpected<Error> JsonText::Wrong(std::string_view list, std::size_t record, std::string_view field,
                                      std::string_view what) const {
  std::string message = name_ + ": ";
  message.append(list).append("[").append(std::to_string(record)).append("]");
  if (!field.empty()) {
    message.append(".").append(field);
  }
  return Fail(message.append(": ").append(what));
}

tl::unexpected<Error> JsonText::Broken(simdjson::error_code code) {
  std::string message = name_ + ": not valid JSON";
  const char* where = nullptr;
  if (open_ && document_.current_location().get(where) == simdjson::SUCCESS) {
    message += " near byte " + std::to_string(where - text_.data());
  }
  return Fail(message + ": " + simdjson::error_message(code));
}

void JsonText::Passed(std::size_t record) {
  constexpr std::size_t kEvery = 8192;  // a few milliseconds
  if (record % kEvery != 0 || !progress_) {
    return;
  }
  const char* where = nullptr;
  if (document_.current_location().get(where) == simdjson::SUCCESS) {
    progress_(static_cast<double>(where - text_.data()) / static_cast<double>(size_ + 1));
  }
}

}  // namespace detwatch::dataset

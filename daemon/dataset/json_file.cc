#include "daemon/dataset/json_file.h"

#include <utility>

namespace detwatch::dataset {

JsonFile::JsonFile(std::filesystem::path path, const ReadOptions& options)
    : path_(std::move(path)), options_(options) {}

Result<void> JsonFile::Open() {
  if (simdjson::padded_string::load(path_.string()).get(text_) != simdjson::SUCCESS) {
    return Fail(path_.string() + ": cannot be read");
  }
  if (const auto code = parser_.iterate(text_).get(document_); code != simdjson::SUCCESS) {
    return Fail(path_.string() + ": not valid JSON: " + simdjson::error_message(code));
  }
  open_ = true;
  return {};
}

tl::unexpected<Error> JsonFile::Wrong(std::string_view list, std::size_t record, std::string_view field,
                                      std::string_view what) const {
  std::string message = path_.string() + ": ";
  message.append(list).append("[").append(std::to_string(record)).append("]");
  if (!field.empty()) {
    message.append(".").append(field);
  }
  return Fail(message.append(": ").append(what));
}

tl::unexpected<Error> JsonFile::Broken(simdjson::error_code code) {
  std::string message = path_.string() + ": not valid JSON";
  const char* where = nullptr;
  if (open_ && document_.current_location().get(where) == simdjson::SUCCESS) {
    message += " near byte " + std::to_string(where - text_.data());
  }
  return Fail(message + ": " + simdjson::error_message(code));
}

void JsonFile::Progress(std::size_t record) {
  constexpr std::size_t kEvery = 8192;  // a few milliseconds
  if (record % kEvery != 0 || !options_.progress) {
    return;
  }
  const char* where = nullptr;
  if (document_.current_location().get(where) == simdjson::SUCCESS) {
    options_.progress(path_.filename().string(),
                      static_cast<double>(where - text_.data()) / static_cast<double>(text_.size() + 1));
  }
}

}  // namespace detwatch::dataset

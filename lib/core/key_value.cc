#include "lib/core/key_value.h"

#include <cassert>
#include <vector>

namespace detwatch {

std::string AfterPrefix(std::string_view prefix) {
  std::string after(prefix);
  while (!after.empty() && after.back() == '\xff') {
    after.pop_back();
  }
  assert(!after.empty());
  after.back() = static_cast<char>(static_cast<unsigned char>(after.back()) + 1);
  return after;
}

void KeyValue::ScanPrefix(std::string_view prefix, const Visit& visit) const {
  Scan(prefix, AfterPrefix(prefix), visit);
}

void KeyValue::DeletePrefix(std::string_view prefix) {
  std::vector<std::string> keys;
  ScanPrefix(prefix, [&](std::string_view key, std::string_view) {
    keys.emplace_back(key);
    return true;
  });
  for (const std::string& key : keys) {
    Delete(key);
  }
}

std::optional<std::string> MemoryKeyValue::Get(std::string_view key) const {
  const auto at = values_.find(key);
  return at == values_.end() ? std::nullopt : std::optional(at->second);
}

void MemoryKeyValue::Scan(std::string_view from, std::string_view to, const Visit& visit) const {
  for (auto at = values_.lower_bound(from); at != values_.end() && at->first < to; ++at) {
    if (!visit(at->first, at->second)) {
      return;
    }
  }
}

void MemoryKeyValue::Put(std::string_view key, std::string_view value) {
  const auto at = values_.find(key);
  if (at != values_.end()) {
    at->second.assign(value);
  } else {
    values_.emplace(key, value);
  }
}

void MemoryKeyValue::Delete(std::string_view key) {
  const auto at = values_.find(key);
  if (at != values_.end()) {
    values_.erase(at);
  }
}

Result<void> MemoryKeyValue::Commit() {
  return {};
}

}  // namespace detwatch

#pragma once
// daemon -- a flag whose values have names. Only main.cc includes this: CLI11 is slow to compile.

#include <CLI/CLI.hpp>
#include <map>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

namespace detwatch {

template <class T>
const T& Unwrap(const T& value) {
  return value;
}
template <class T>
const T& Unwrap(const std::optional<T>& value) {
  return *value;
}

// A flag whose values have names; the help shows `text` and what `help` says of them. CLI11 on its own would
// print the numbers behind the names.
template <class T>
void AddChoice(CLI::App& command, const std::string& flag, T& value, const std::string& help,
               const std::string& text, std::map<std::string, std::decay_t<decltype(Unwrap(value))>> names) {
  command
      .add_option_function<std::string>(
          flag,
          [flag, &value, names = std::move(names)](const std::string& given) {
            const auto found = names.find(given);
            if (found == names.end()) {
              std::string known;
              for (const auto& [name, unused] : names) {
                known += (known.empty() ? "" : ", ") + name;
              }
              throw CLI::ValidationError(flag, given + " is none of " + known);
            }
            value = found->second;
          },
          help)
      ->option_text(text);
}

}  // namespace detwatch

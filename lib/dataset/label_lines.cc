#include "lib/dataset/label_lines.h"

#include <algorithm>
#include <array>
#include <string>

#include "lib/dataset/text.h"

namespace detwatch::dataset {

tl::unexpected<Error> LabelLine::Wrong(std::string_view what) const {
  return Fail(std::string(file) + ": line " + std::to_string(number) + ": " + std::string(what));
}

Result<void> ForEachLine(std::string_view file, std::string_view text,
                         const std::function<Result<void>(const LabelLine&)>& use) {
  std::string_view rest = text;
  for (std::size_t number = 1; !rest.empty(); ++number) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    const LabelLine line{file, number, Words(rest.substr(0, end))};
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (line.words.empty()) {
      continue;
    }
    if (auto used = use(line); !used) {
      return used;
    }
  }
  return {};
}

Result<double> NumberAt(const LabelLine& line, std::size_t word, std::string_view name) {
  const auto number = ParseNumber<double>(line.words[word]);
  if (!number) {
    return line.Wrong(std::string(name) + " \"" + std::string(line.words[word]) + "\" is not a number");
  }
  return *number;
}

Result<Box> YoloBox(const LabelLine& line, ImageSize size) {
  constexpr std::array<std::string_view, 4> kNames = {"centre x", "centre y", "width", "height"};
  std::array<double, 4> share{};
  for (std::size_t i = 0; i < share.size(); ++i) {
    const auto number = NumberAt(line, i + 1, kNames[i]);
    if (!number) {
      return tl::unexpected(number.error());
    }
    if (!(*number >= -1 && *number <= 2)) {
      return line.Wrong(std::string(kNames[i]) + " " + NumberText(*number) + " is not a share of the image");
    }
    share[i] = *number;
  }
  const auto width = static_cast<double>(size.width);
  const auto height = static_cast<double>(size.height);
  const Box box{(share[0] - share[2] / 2) * width, (share[1] - share[3] / 2) * height, share[2] * width,
                share[3] * height};
  if (const std::string problem = BoxProblem(box); !problem.empty()) {
    return line.Wrong(problem);
  }
  return box;
}

}  // namespace detwatch::dataset

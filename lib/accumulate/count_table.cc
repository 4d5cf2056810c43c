#include "lib/accumulate/count_table.h"

#include <algorithm>

namespace detwatch::accumulate {
namespace {

bool AllZero(std::span<const std::int64_t> row) {
  return std::all_of(row.begin(), row.end(), [](std::int64_t n) { return n == 0; });
}

}  // namespace

std::int64_t* BinRows::NewRow(int bin) {
  // A quarter at a time: doubling would waste up to half of what most of a cell's memory is.
  if (rows_.size() + width_ > rows_.capacity()) {
    const std::size_t most = row_of_bin_.size() * width_;
    rows_.reserve(std::min(most, rows_.size() + std::max(16 * width_, rows_.size() / 4)));
  }
  rows_.resize(rows_.size() + width_, 0);
  row_of_bin_[static_cast<std::size_t>(bin)] = static_cast<std::uint16_t>(rows_.size() / width_);
  return rows_.data() + (rows_.size() - width_);
}

std::span<const std::int64_t> BinRows::Find(int bin) const {
  const std::uint16_t row = row_of_bin_[static_cast<std::size_t>(bin)];
  if (row == 0) {
    return {};
  }
  return std::span(rows_).subspan((row - 1U) * width_, width_);
}

void BinRows::Compact() {
  std::vector<std::int64_t> kept;
  std::uint16_t rows = 0;
  for (int bin = 0; bin < bins(); ++bin) {
    const auto row = Find(bin);
    const bool drop = AllZero(row);
    if (!drop) {
      kept.insert(kept.end(), row.begin(), row.end());
      ++rows;
    }
    row_of_bin_[static_cast<std::size_t>(bin)] = drop ? std::uint16_t{0} : rows;
  }
  kept.shrink_to_fit();
  rows_ = std::move(kept);
}

void BinRows::Clear() {
  std::fill(row_of_bin_.begin(), row_of_bin_.end(), std::uint16_t{0});
  rows_.clear();
}

std::size_t BinRows::bytes() const {
  return row_of_bin_.capacity() * sizeof(std::uint16_t) + rows_.capacity() * sizeof(std::int64_t);
}

}  // namespace detwatch::accumulate

#include "lib/settle/held.h"

#include <stdexcept>

#include "lib/core/bytes.h"
#include "lib/wire/encode.h"

namespace detwatch::settle {
namespace {

constexpr std::uint8_t kVersion = 1;

}  // namespace

void Damaged() {
  throw std::runtime_error("the store is damaged: a frame that waits cannot be read; see --storage.repair");
}

std::string EncodeHeld(accumulate::Ordinal ordinal, const std::vector<cells::GroupId>& groups,
                       const Predictions& predictions) {
  std::string out(1, static_cast<char>(kVersion));
  AppendVarint(out, ordinal);
  AppendVarint(out, groups.size());
  for (const cells::GroupId group : groups) {
    AppendVarint(out, Index(group));
  }
  out += wire::EncodePayload(predictions);
  return out;
}

HeldFrame DecodeHeld(std::string_view bytes) {
  ByteReader in(bytes);
  HeldFrame held;
  const bool ours = in.Byte() == kVersion;
  held.ordinal = in.Varint();
  for (std::uint64_t n = in.Varint(); n > 0 && in.ok(); --n) {
    held.groups.push_back(static_cast<cells::GroupId>(in.Varint()));
  }
  held.payload = in.Raw(in.left());
  if (!ours || !in.ok()) {
    Damaged();
  }
  return held;
}

}  // namespace detwatch::settle

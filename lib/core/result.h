#pragma once
// lib/core -- errors as values. Bad input is data, not an exception: a Result carries it to the counter.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

namespace detwatch {

// An error for a person to read; names the file, field or option that is wrong.
struct Error {
  std::string message;
};

template <class T, class E = Error>
using Result = tl::expected<T, E>;

[[nodiscard]] inline tl::unexpected<Error> Fail(std::string message) {
  return tl::unexpected<Error>(Error{std::move(message)});
}

// Why a message, or one item of a batch, was not counted. Each value is the `reason` label of one series
// of detwatch_frames_rejected_total; the text is frozen once released.
enum class RejectReason : std::uint8_t {
  kOversized,          // message larger than the limit
  kHeaderUnreadable,   // part 1 is not a Header, or the message does not have two parts
  kHeaderInvalid,      // publisher or epoch missing or out of range
  kSequenceInvalid,    // further ahead than any publisher can have sent
  kPayloadUnreadable,  // part 2 is not a Payload
  kPayloadEmpty,       // no kind set
  kNestedBatch,
  kFrameMissing,   // no FrameRef or empty frame_id
  kFrameMismatch,  // predictions and labels of one Frame message name different frames
  kStringInvalid,  // not UTF-8, control characters
  kStringTooLong,
  kModelMissing,  // empty model name
  kBoxFormatMissing,
  kImageSizeMissing,  // normalised boxes without image size
  kColumnLength,      // boxes, scores, class_ids, areas, crowd, difficult disagree
  kScoreOutOfRange,   // NaN, infinite or outside [0, 1]
  kBoxNotFinite,      // NaN, infinite or beyond 1e9 pixels
  kBoxNegativeSize,
  kAreaInvalid,
  kValueInvalid,  // another number out of its documented range
  kTooManyBoxes,
  kClassUnknown,      // an id that is not in the announced class list
  kClassListUnknown,  // the list never came
  kClassListInvalid,  // duplicate ids or names, empty, or the hash does not match
  kTooManyClasses,
  kTooManyModels,
  kTooManyStreams,
  kTooManyGroups,
  kTooManyPublishers,
  kTagInvalid,
  kTooManyTags,
  kConflict,       // the same frame again with other content; the first stays
  kStaleRevision,  // labels older than the ones held
  kTooLate,        // a correction of a frame that is no longer held
  kMemory,         // the byte budget is used up
  kCount
};

inline constexpr std::size_t kRejectReasons = static_cast<std::size_t>(RejectReason::kCount);

// The label value, for example "score_out_of_range".
[[nodiscard]] std::string_view Name(RejectReason reason);

struct Reject {
  RejectReason reason = RejectReason::kPayloadUnreadable;
  std::string detail;           // names the field and the value, for people
  bool carried_labels = false;  // it is of a message of labels, for the publisher's tally
};

}  // namespace detwatch

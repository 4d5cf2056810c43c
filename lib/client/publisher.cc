#include "lib/client/publisher.h"

#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <utility>
#include <variant>

#include "lib/client/check.h"
#include "lib/client/link.h"
#include "lib/wire/encode.h"

namespace detwatch::client {
namespace {

// How often this process is a forked child: a link made under another number has no thread here.
std::atomic<std::uint32_t> generation{0};

void CountForks() {
  static const int registered = pthread_atfork(nullptr, nullptr, [] { ++generation; });
  static_cast<void>(registered);
}

std::string MadeUpName() {
  static std::atomic<std::uint32_t> serial{0};
  std::array<char, 97> host{};
  gethostname(host.data(), host.size() - 1);
  return std::string(host.data()) + "-" + std::to_string(getpid()) + "-" + std::to_string(serial++);
}

std::size_t BoxesOf(const wire::Message& message) {
  if (const auto* predictions = std::get_if<Predictions>(&message)) {
    return predictions->boxes.size();
  }
  if (const auto* labels = std::get_if<Labels>(&message)) {
    return labels->boxes.size();
  }
  if (const auto* pair = std::get_if<wire::FramePair>(&message)) {
    return std::max(pair->predictions.boxes.size(), pair->labels.boxes.size());
  }
  return 0;
}

template <class T>
std::vector<T> Copy(std::span<const T> values) {
  return {values.begin(), values.end()};
}

}  // namespace

class Publisher::Impl {
 public:
  explicit Impl(PublisherOptions options) : options_(std::move(options)) {
    std::sort(options_.class_names.begin(), options_.class_names.end());
    for (const auto& [id, name] : options_.class_names) {
      ids_.push_back(id);
    }
    if (!ids_.empty()) {
      hash_ = HashClassList(options_.class_names);
      Remember(ClassList{hash_, options_.class_names});
    }
    if (!options_.model.empty()) {
      Remember(ModelInfo{{options_.model, options_.version},
                         hash_,
                         options_.tags,
                         options_.score_threshold,
                         options_.max_detections,
                         options_.labels_expected});
    }
    if (!options_.stream_tags.empty()) {
      Remember(StreamInfo{options_.stream, options_.stream_tags});
    }
  }

  ~Impl() {
    if (link_ != nullptr && started_ != generation) {
      link_.release();  // NOLINT(bugprone-unused-return-value): its thread is in the parent process
    }
  }

  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  Result<void> StartLink() {
    MutexLock lock(mutex_);
    if (link_ != nullptr && started_ == generation) {
      return {};
    }
    auto link = Link::Start(options_, options_.name.empty() ? MadeUpName() : options_.name, announcements_);
    if (!link) {
      return tl::unexpected<Error>(std::move(link.error()));
    }
    link_.release();  // NOLINT(bugprone-unused-return-value): its thread, if any, is in the parent process
    link_ = std::move(*link);
    started_ = generation.load();
    return {};
  }

  // `classes`: entries of the class list it speaks of.
  Result<std::uint64_t> Offer(std::string payload, std::size_t boxes, std::size_t classes) {
    if (auto good = Open(); !good) {
      return tl::unexpected<Error>(std::move(good.error()));
    }
    if (boxes > link_->boxes_limit()) {
      return link_->Refuse("too_many_boxes", std::to_string(boxes) + " boxes, the daemon takes " +
                                                 std::to_string(link_->boxes_limit()));
    }
    if (classes >
        link_->classes_limit()) {  // the daemon refused the list, so it can judge none of its frames
      return link_->Refuse("too_many_classes", std::to_string(classes) + " class names, the daemon takes " +
                                                   std::to_string(link_->classes_limit()));
    }
    return link_->Offer(std::move(payload));
  }

  Result<std::uint64_t> Send(const wire::Message& message) {
    if (auto good = Open(); !good) {
      return tl::unexpected<Error>(std::move(good.error()));
    }
    if (std::holds_alternative<ModelInfo>(message) || std::holds_alternative<StreamInfo>(message) ||
        std::holds_alternative<ClassList>(message)) {
      Remember(message);
      if (link_->Announce(message)) {
        return 0;
      }
    }
    return Offer(wire::EncodePayload(message), BoxesOf(message), 0);
  }

  bool Close(Duration timeout) {
    if (closed_.exchange(true) || started_ != generation) {
      return Flush({});
    }
    const auto deadline = std::chrono::steady_clock::now() + std::min<Duration>(timeout, kLongest);
    const bool done = link_->Flush(timeout);
    // What is acknowledged needs no socket, and what is not is lost with the window either way.
    link_->Stop(options_.reliable ? Duration{} : deadline - std::chrono::steady_clock::now());
    return done;
  }

  bool Flush(Duration timeout) { return started_ != generation || link_->Flush(timeout); }
  PublisherStats Stats() { return started_ == generation ? link_->Stats() : PublisherStats{}; }
  const std::string& name() { return link_->name(); }
  const PublisherOptions& options() const { return options_; }
  std::span<const std::uint32_t> ids() const { return ids_; }
  ClassListHash hash() const { return hash_; }

 private:
  static constexpr Duration kLongest = std::chrono::hours(24 * 365);

  Result<void> Open() {
    if (closed_) {
      return Fail("the publisher is closed");
    }
    return started_ == generation ? Result<void>() : StartLink();
  }

  void Remember(const wire::Message& message) {
    MutexLock lock(mutex_);
    announcements_.Set(message);
  }

  PublisherOptions options_;
  std::vector<std::uint32_t> ids_;  // ascending
  ClassListHash hash_{};
  std::atomic<bool> closed_{false};
  std::atomic<std::uint32_t> started_{0};  // generation of link_
  Mutex mutex_;
  Announcements announcements_ DETWATCH_GUARDED_BY(mutex_);  // for the link of a forked child
  std::unique_ptr<Link> link_;  // replaced under mutex_, and only by the first call after a fork
};

Publisher::Publisher(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Publisher::~Publisher() = default;
Publisher::Publisher(Publisher&&) noexcept = default;
Publisher& Publisher::operator=(Publisher&&) noexcept = default;

Result<Publisher> Publisher::Make(PublisherOptions options) {
  CountForks();
  if (auto good = CheckOptions(options); !good) {
    return tl::unexpected<Error>(std::move(good.error()));
  }
  Publisher publisher(std::make_unique<Impl>(std::move(options)));
  if (auto good = publisher.impl_->StartLink(); !good) {
    return tl::unexpected<Error>(std::move(good.error()));
  }
  return publisher;
}

Result<std::uint64_t> Publisher::Predictions(std::string_view frame_id, std::span<const Box> boxes,
                                             std::span<const float> scores,
                                             std::span<const std::uint32_t> class_ids,
                                             const PredictionDetails& details) {
  const PublisherOptions& options = impl_->options();
  if (options.model.empty()) {
    return Fail("model: this publisher was made without one, so it can only publish labels");
  }
  detwatch::Predictions message{.frame = {details.stream.value_or(options.stream), std::string(frame_id)},
                                .model = {options.model, options.version},
                                .capture_time = details.capture_time,
                                .class_list = impl_->hash(),
                                .boxes = Copy(boxes),
                                .scores = Copy(scores),
                                .class_ids = Copy(class_ids),
                                .inference_seconds = details.inference_seconds};
  if (auto good = CheckPredictions(message, impl_->ids()); !good) {
    return tl::unexpected<Error>(std::move(good.error()));
  }
  return impl_->Offer(wire::EncodePayload(message), boxes.size(), impl_->ids().size());
}

Result<std::uint64_t> Publisher::Labels(std::string_view frame_id, std::span<const Box> boxes,
                                        std::span<const std::uint32_t> class_ids,
                                        const LabelDetails& details) {
  const PublisherOptions& options = impl_->options();
  detwatch::Labels message{.frame = {details.stream.value_or(options.stream), std::string(frame_id)},
                           .capture_time = details.capture_time,
                           .class_list = impl_->hash(),
                           .boxes = Copy(boxes),
                           .areas = Copy(details.areas),
                           .class_ids = Copy(class_ids),
                           .crowd = Copy(details.crowd),
                           .difficult = Copy(details.difficult),
                           .partial = details.examined.has_value(),
                           .examined = Copy(details.examined.value_or(std::span<const std::uint32_t>())),
                           .source = details.source,
                           .sampling = details.sampling,
                           .revision = details.revision,
                           .final = details.final.value_or(details.source != LabelSource::kHuman)};
  std::sort(message.examined.begin(), message.examined.end());
  message.examined.erase(std::unique(message.examined.begin(), message.examined.end()),
                         message.examined.end());
  if (auto good = CheckLabels(message, impl_->ids()); !good) {
    return tl::unexpected<Error>(std::move(good.error()));
  }
  return impl_->Offer(wire::EncodePayload(message), boxes.size(), impl_->ids().size());
}

Result<std::uint64_t> Publisher::Send(const wire::Message& message) {
  return impl_->Send(message);
}
Result<std::uint64_t> Publisher::SendPayload(std::string payload) {
  return impl_->Offer(std::move(payload), 0, 0);
}
bool Publisher::Flush(Duration timeout) {
  return impl_->Flush(timeout);
}
bool Publisher::Close(Duration timeout) {
  return impl_->Close(timeout);
}
PublisherStats Publisher::Stats() const {
  return impl_->Stats();
}
std::string Publisher::name() const {
  return impl_->name();
}

}  // namespace detwatch::client

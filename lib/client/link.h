#pragma once
// lib/client -- from the caller's thread to the daemon: an inbox under a mutex, and one thread that owns the
// window and the socket. This file is what both transports share; reliable.h and plain.h are the two.
//
// The thread takes the whole inbox at once and is woken only when it sleeps, so a busy caller pays one
// short lock a message. What does not fit the window is dropped, oldest first, or left in the inbox, where
// callers then wait.
//
// Threads: public members from any thread, the rest from the link's own. Errors: Start says what is wrong
// with the endpoint; afterwards a daemon that is away is a state, not an error.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "lib/client/announcements.h"
#include "lib/client/options.h"
#include "lib/client/socket.h"
#include "lib/core/mutex.h"
#include "lib/core/result.h"
#include "lib/delivery/window.h"

namespace detwatch::client {

using Monotonic = std::chrono::steady_clock::time_point;

class Link {
 public:
  // Bytes callers may be ahead of the link's thread.
  static constexpr std::size_t kInboxBytes = 1U << 20;

  // `name` replaces options.name.
  [[nodiscard]] static Result<std::unique_ptr<Link>> Start(const PublisherOptions& options, std::string name,
                                                           Announcements announcements);
  virtual ~Link();
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  // The number of the message. An error when the link was stopped, also while the caller waited for room.
  [[nodiscard]] Result<std::uint64_t> Offer(std::string payload);
  // In place of a message that breaks a limit the daemon told; it has a number all the same.
  [[nodiscard]] Result<std::uint64_t> Refuse(const std::string& reason, std::string detail);
  // False when it has to be offered as a message instead.
  bool Announce(const wire::Message& message);
  // Boxes a frame may have; the largest number until the daemon has told.
  [[nodiscard]] std::size_t boxes_limit() const { return boxes_limit_.load(std::memory_order_relaxed); }
  // Entries a class list may have, likewise.
  [[nodiscard]] std::size_t classes_limit() const { return classes_limit_.load(std::memory_order_relaxed); }
  bool Flush(Duration timeout);
  // Ends the thread. Idempotent.
  void Stop(Duration linger);
  [[nodiscard]] PublisherStats Stats() const;
  [[nodiscard]] const std::string& name() const { return header_.publisher; }

 protected:
  struct Counts {
    std::uint64_t sent = 0;
    std::uint64_t dropped = 0;
    std::uint64_t resent = 0;
    std::uint64_t acknowledged_sequence = 0;
    LabelTally labels;
    bool connected = false;
    bool superseded = false;
  };

  Link(const PublisherOptions& options, std::string name, Announcements announcements);

  // What a transport adds.
  [[nodiscard]] virtual Result<std::unique_ptr<Socket>> Connect() = 0;
  [[nodiscard]] virtual bool Ready() const = 0;  // messages may be sent
  [[nodiscard]] virtual std::uint64_t OldestHeld() const = 0;
  virtual void OnSent(std::uint64_t sequence, Monotonic now) = 0;
  virtual void Receive(Monotonic now) = 0;  // takes what the socket has
  virtual void Tick(Monotonic now) = 0;

  void Warn(const std::string& what) const;
  void Reject(RejectedItem item);
  // Nothing will be sent any more.
  void Supersede();
  // The window has moved. Returns how many of the callers' messages have left it, whichever way.
  std::uint64_t Settle();

  const PublisherOptions options_;
  Context context_;
  std::unique_ptr<Socket> socket_;
  delivery::SendWindow window_;
  Header header_;  // of the next message; publisher and epoch stay
  Counts counts_;
  bool announce_due_ = true;
  std::uint64_t sent_high_ = 0;
  std::optional<std::size_t> message_limit_;
  std::optional<std::size_t> batch_limit_;  // items
  std::atomic<std::size_t> boxes_limit_;
  std::atomic<std::size_t> classes_limit_;

 private:
  void Run();
  // Shows the counts, takes the inbox. False: stop.
  bool Exchange();
  void FillWindow();
  void DropOldest();
  // True when the socket is full.
  bool SendPending(Monotonic now);
  void PushAnnouncement(Monotonic now);
  // The item's payload, or a tombstone, or both with announcements: in buffer_ when it is not the item's.
  [[nodiscard]] std::string_view WireBytes(const delivery::SendWindow::Item& item, Monotonic now);
  void Sleep(bool full);
  void Wake();
  [[nodiscard]] bool IsAnnouncement(std::uint64_t sequence) const;

  const int wake_fd_;
  const int tick_ms_;  // longest sleep, so that timers are looked at
  std::string announcement_items_;
  std::size_t announcement_count_ = 0;
  std::string buffer_;
  Monotonic announced_at_;
  std::deque<std::uint64_t> announced_;  // own sequences of the window, ascending
  std::uint64_t announced_gone_ = 0;     // and how many have left it
  std::uint64_t entombed_ = 0;           // highest sequence a tombstone was sent for
  std::uint64_t settled_ = 0;            // messages that left the window, whichever way
  std::vector<std::string> taken_;       // from the inbox
  std::size_t taken_at_ = 0;             // first that is not in the window yet

  mutable Mutex mutex_;
  CondVar changed_;
  std::vector<std::string> inbox_ DETWATCH_GUARDED_BY(mutex_);
  std::size_t inbox_bytes_ DETWATCH_GUARDED_BY(mutex_) = 0;
  std::uint64_t offered_ DETWATCH_GUARDED_BY(mutex_) = 0;
  std::uint64_t settled_shown_ DETWATCH_GUARDED_BY(mutex_) = 0;
  Counts shown_ DETWATCH_GUARDED_BY(mutex_);
  PublisherStats rejects_ DETWATCH_GUARDED_BY(mutex_);  // its rejected and recent_rejects
  Announcements announcements_ DETWATCH_GUARDED_BY(mutex_);
  bool announcements_changed_ DETWATCH_GUARDED_BY(mutex_) = true;
  bool sleeping_ DETWATCH_GUARDED_BY(mutex_) = false;
  bool stopping_ DETWATCH_GUARDED_BY(mutex_) = false;
  std::thread thread_;  // last: it uses all of the above
};

}  // namespace detwatch::client

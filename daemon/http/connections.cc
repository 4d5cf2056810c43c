#include "daemon/http/connections.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <utility>

namespace detwatch::http {

std::string ClientKey(const sockaddr* address) {
  if (address != nullptr && address->sa_family == AF_INET) {
    const auto& v4 = *reinterpret_cast<const sockaddr_in*>(address);
    return {reinterpret_cast<const char*>(&v4.sin_addr), sizeof v4.sin_addr};
  }
  if (address != nullptr && address->sa_family == AF_INET6) {
    const in6_addr& v6 = reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr;
    const char* bytes = reinterpret_cast<const char*>(&v6);
    return IN6_IS_ADDR_V4MAPPED(&v6) ? std::string(bytes + 12, 4) : std::string(bytes, 8);
  }
  return {};
}

Connections::Entry* Connections::Opened(int fd, std::string client, Clock::time_point now) {
  const MutexLock lock(mutex_);
  Entry& entry = live_.emplace_back();
  entry.self = std::prev(live_.end());
  entry.fd = fd;
  entry.client = std::move(client);
  entry.since = now;
  const bool client_full = ++per_client_[entry.client] > limits_.per_client;
  if (!client_full && live_.size() <= limits_.total) {
    return &entry;
  }
  Entry* victim = LongestWaiting(client_full ? &entry.client : nullptr);
  ++(victim == &entry ? counts_.refused : counts_.displaced);
  End(*victim);
  return &entry;
}

Connections::Entry* Connections::LongestWaiting(const std::string* client) {
  const auto found = std::find_if(live_.begin(), live_.end(), [&](const Entry& entry) {
    return !entry.busy && (client == nullptr || entry.client == *client);
  });
  return &*found;  // the newcomer itself waits, so there is always one
}

void Connections::Busy(Entry* entry, Clock::time_point now) {
  const MutexLock lock(mutex_);
  Step(entry, true, now);
}

void Connections::Waiting(Entry* entry, Clock::time_point now) {
  const MutexLock lock(mutex_);
  Step(entry, false, now);
}

void Connections::Step(Entry* entry, bool busy, Clock::time_point now) {
  if (entry->ended) {
    return;
  }
  entry->busy = busy;
  entry->since = now;
  live_.splice(live_.end(), live_, entry->self);
}

void Connections::End(Entry& entry) {
  shutdown(entry.fd, SHUT_RDWR);
  entry.ended = true;
  if (const auto client = per_client_.find(entry.client); --client->second == 0) {
    per_client_.erase(client);
  }
  ended_.splice(ended_.end(), live_, entry.self);
}

void Connections::Closed(Entry* entry) {
  const MutexLock lock(mutex_);
  if (!entry->ended) {
    if (const auto client = per_client_.find(entry->client); --client->second == 0) {
      per_client_.erase(client);
    }
  }
  (entry->ended ? ended_ : live_).erase(entry->self);
}

Connections::Clock::time_point Connections::EndOverdue(Clock::time_point now) {
  const MutexLock lock(mutex_);
  while (!live_.empty() && live_.front().since + limits_.timeout <= now) {
    ++counts_.timed_out;
    End(live_.front());
  }
  return (live_.empty() ? now : live_.front().since) + limits_.timeout;
}

Connections::Counts Connections::counts() const {
  const MutexLock lock(mutex_);
  Counts counts = counts_;
  counts.open = live_.size();
  return counts;
}

}  // namespace detwatch::http

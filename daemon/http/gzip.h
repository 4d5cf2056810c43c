#pragma once
// daemon/http -- gzip by zlib for whoever accepts it. Metrics text shrinks to a tenth.
//
// Laws: GunzipOfGzipIsTheSame, QualityZeroMeansNo, TheSameBodyIsCompressedOnce.
// Cost: level 1, for a scrape waits for it: see GzipCache. Threads: as said below.

#include <memory>
#include <string>
#include <string_view>

#include "lib/core/mutex.h"

namespace detwatch::http {

// Whether the value of an Accept-Encoding header takes gzip: by name or by "*", unless with q=0. A missing
// header, "", takes nothing. RFC 9110, 12.5.3.
[[nodiscard]] bool AcceptsGzip(std::string_view accept_encoding);

[[nodiscard]] std::string Gzip(std::string_view body);

// Keeps the compressed form of the last body for as long as somebody holds that body. Several scrapers of
// one snapshot cost one compression, and slow readers of it share one copy. Any thread may call.
class GzipCache {
 public:
  [[nodiscard]] std::shared_ptr<const std::string> Compressed(const std::shared_ptr<const std::string>& body);

 private:
  Mutex mutex_;
  std::weak_ptr<const std::string> body_ DETWATCH_GUARDED_BY(mutex_);
  std::shared_ptr<const std::string> compressed_ DETWATCH_GUARDED_BY(mutex_);
};

}  // namespace detwatch::http

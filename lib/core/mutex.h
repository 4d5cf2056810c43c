#pragma once
// lib/core -- a mutex that clang's thread-safety analysis understands; it ignores std::mutex.

#include <condition_variable>
#include <mutex>

#if defined(__clang__)
#define DETWATCH_TSA(x) __attribute__((x))
#else
#define DETWATCH_TSA(x)
#endif
#define DETWATCH_GUARDED_BY(m) DETWATCH_TSA(guarded_by(m))
#define DETWATCH_REQUIRES(m) DETWATCH_TSA(requires_capability(m))

namespace detwatch {

class DETWATCH_TSA(capability("mutex")) Mutex {
 public:
  void lock() DETWATCH_TSA(acquire_capability()) { mutex_.lock(); }
  void unlock() DETWATCH_TSA(release_capability()) { mutex_.unlock(); }

 private:
  std::mutex mutex_;
};

class DETWATCH_TSA(scoped_lockable) MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) DETWATCH_TSA(acquire_capability(mutex)) : mutex_(mutex) { mutex_.lock(); }
  ~MutexLock() DETWATCH_TSA(release_capability()) { mutex_.unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mutex_;
};

// Waits with a Mutex; the caller holds it, as with std::condition_variable_any.
using CondVar = std::condition_variable_any;

}  // namespace detwatch

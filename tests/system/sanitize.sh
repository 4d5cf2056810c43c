#!/usr/bin/env bash
# Builds the unit tests and the replays of fuzzing corpora with a sanitizer preset and runs them. Python's tests see
# nothing of a sanitizer and stay out. tsan also drives the daemon from outside: its threads meet there.
#   sanitize.sh asan|tsan
#   DETWATCH_E2E="kill late_labels" sanitize.sh tsan    only these of tests/e2e, and no unit tests
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
preset=$1
# The libraries of the system are not instrumented; what happens inside them is not ours to report.
export TSAN_OPTIONS="ignore_noninstrumented_modules=1 halt_on_error=1"
export ASAN_OPTIONS="detect_leaks=1" UBSAN_OPTIONS="print_stacktrace=1"
export CCACHE_NOHASHDIR=1 CCACHE_BASEDIR=$PWD

cmake --preset "$preset"
# One name a line: they failed.
end_to_end() {
  local name
  export DETWATCH_BUILD=$PWD/build/$preset DETWATCH_KILLS=${DETWATCH_KILLS:-10} DETWATCH_SLOWNESS=2
  for name in "$@"; do
    echo "== e2e.$name with $preset" >&2
    local code=0
    timeout 900 /usr/bin/python3 "tests/e2e/${name}_test.py" >&2 || code=$?
    # 77: everything in it was skipped.
    [[ $code == 0 || $code == 77 ]] || echo "$name"
  done
}

mapfile -t targets < <(cmake --build "build/$preset" --target help | sed -n 's/^\([a-z_]*_\(test\|replay\)\): phony$/\1/p' | sort -u)
[[ ${#targets[@]} -gt 0 ]] || { echo "no unit tests in build/$preset"; exit 1; }
read -ra scripts <<<"${DETWATCH_E2E:-lifecycle publisher kill late_labels correction}"
[[ $preset == tsan ]] || scripts=()
if [[ ${#scripts[@]} -gt 0 ]]; then
  cmake --build "build/$preset" -j2 --target detwatch detwatch_python
  failed=$(end_to_end "${scripts[@]}")
  [[ -z $failed ]] || { echo "failed end to end with $preset: $failed"; exit 1; }
fi
[[ -z ${DETWATCH_E2E:-} ]] || exit 0
cmake --build "build/$preset" -j2 --target "${targets[@]}"
ctest --test-dir "build/$preset" -L unit -E '^python\.' --output-on-failure --no-tests=error -j2

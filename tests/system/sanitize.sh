#!/usr/bin/env bash
# Builds the unit tests and the replays of fuzzing corpora with a sanitizer preset and runs them. Python's tests see
# nothing of a sanitizer and stay out.
#   sanitize.sh asan|tsan
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
preset=$1
# The libraries of the system are not instrumented; what happens inside them is not ours to report.
export TSAN_OPTIONS="ignore_noninstrumented_modules=1 halt_on_error=1"
export ASAN_OPTIONS="detect_leaks=1" UBSAN_OPTIONS="print_stacktrace=1"
export CCACHE_NOHASHDIR=1 CCACHE_BASEDIR=$PWD

cmake --preset "$preset"
mapfile -t targets < <(cmake --build "build/$preset" --target help | sed -n 's/^\([a-z_]*_\(test\|replay\)\): phony$/\1/p' | sort -u)
[[ ${#targets[@]} -gt 0 ]] || { echo "no unit tests in build/$preset"; exit 1; }
cmake --build "build/$preset" -j2 --target "${targets[@]}"
ctest --test-dir "build/$preset" -L unit -E '^python\.' --output-on-failure --no-tests=error -j2

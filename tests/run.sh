#!/usr/bin/env bash
# Installs what the tests need, builds the release preset, and runs every test.
#
#   tests/run.sh                everything: unit, lint, sanitizers, install, end to end (the first time about half an hour)
#   tests/run.sh --quick        the unit tests alone, with the packages and the build that they need
#   tests/run.sh --packages     says which packages it would install (also behind --quick), and ends
#   tests/run.sh -R e2e         other arguments go to ctest
#
# Data of the reference evaluator is looked for in ../shared/golden or $DETWATCH_GOLDEN. Tests that need it say that
# they skipped when it is not there; with CI=true they fail, as do those that may not mount a small disk or have no
# faketime.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

quick=false packages_only=false
arguments=()
for argument in "$@"; do
  case $argument in
    --quick) quick=true ;;
    --packages) packages_only=true ;;
    *) arguments+=("$argument") ;;
  esac
done

lists=(deploy/packages-build.txt tests/packages-unit.txt)
system_tests=OFF
if ! $quick; then lists+=(tests/packages-system.txt) system_tests=ON; fi
if $packages_only; then
  sed 's/#.*//' "${lists[@]}" | awk 'NF { print $1 }'
  if ! $quick; then echo prometheus; fi
  exit 0
fi

export CCACHE_NOHASHDIR=1 CCACHE_BASEDIR=$PWD
[[ ${CI:-} == true ]] && export DETWATCH_REQUIRE_GOLDEN=1 DETWATCH_REQUIRE_MOUNT=1 DETWATCH_REQUIRE_FAKETIME=1

started=$SECONDS
phase() {
  local name=$1 before=$SECONDS
  shift
  echo "== $name"
  "$@"
  echo "== $name: $((SECONDS - before)) s"
}

# Prometheus and promtool, unpacked and not installed: installed, they would become a service.
fetch_prometheus() {
  if [[ -x build/tools/prometheus/usr/bin/promtool ]]; then
    echo "already in build/tools"
    return
  fi
  mkdir -p build/tools
  (
    cd build/tools
    rm -f prometheus_*.deb
    apt-get download -qq prometheus 2>/dev/null || { "${as_root[@]}" apt-get update -qq && apt-get download -qq prometheus; }
    dpkg-deb -x prometheus_*.deb prometheus
    rm -f prometheus_*.deb
  )
}
as_root=()
if [[ $(id -u) -ne 0 ]]; then as_root=(sudo); fi

phase "packages" deploy/install-packages.sh "${lists[@]}"
if ! $quick; then phase "prometheus" fetch_prometheus; fi
phase "configure" cmake --preset release -DDETWATCH_TESTS=ON "-DDETWATCH_SYSTEM_TESTS=$system_tests"
phase "build" cmake --build build/release -j2
echo "== ready after $((SECONDS - started)) s, testing"
export DETWATCH_PROMTOOL=$PWD/build/tools/prometheus/usr/bin/promtool
[[ -x $DETWATCH_PROMTOOL ]] || unset DETWATCH_PROMTOOL
if $quick; then arguments=(-L unit "${arguments[@]}"); fi
ctest --test-dir build/release --output-on-failure --no-tests=error -j2 "${arguments[@]}"

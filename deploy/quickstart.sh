#!/usr/bin/env bash
# From a fresh clone to live accuracy: installs what is missing, builds detwatch, starts it on free ports, streams a
# made-up scene into it and shows the numbers. Ctrl-C stops everything.
#
#   deploy/quickstart.sh          a scene without end, with its accuracy in the terminal
#   deploy/quickstart.sh --once   unattended: streams a fixed scene, compares the live numbers with an offline
#                                 evaluation of the same files, and exits 0 only if they agree
#
# For Debian 12. Packages are installed with apt-get (as root, or with sudo); nothing else outside this folder and a
# temporary one is touched.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

once=false
case ${1:-} in
  "") ;;
  --once) once=true ;;
  *) sed -n '2,10s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 2 ;;
esac

work=$(mktemp -d)
daemon_pid="" stream_pid=""
finish() {
  local status=$?
  trap - EXIT INT TERM
  for pid in $stream_pid $daemon_pid; do
    kill -TERM "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
  done
  if [[ $status -ne 0 && $status -lt 128 && -s $work/daemon.log ]]; then
    echo "-- the daemon's log"
    tail -n 20 "$work/daemon.log"
  fi
  rm -rf "$work"
  exit "$status"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

echo "== packages"
deploy/install-packages.sh deploy/packages-build.txt

echo "== build (the first time takes a few minutes)"
export CCACHE_NOHASHDIR=1 CCACHE_BASEDIR=$PWD
# A build folder that also builds the tests stays one.
tests=()
[[ -f build/release/CMakeCache.txt ]] || tests=(-DDETWATCH_TESTS=OFF)
cmake --preset release "${tests[@]}" >"$work/configure.log" || { cat "$work/configure.log"; exit 1; }
cmake --build build/release --target detwatch
detwatch=build/release/detwatch

# Counts live in a store of this run; a daemon that is started again goes on from it.
start() {
  "$detwatch" serve --storage.path "$work/store" --web.listen-address 127.0.0.1:0 \
    --ingest.subscribe tcp://127.0.0.1:0 --ingest.reliable tcp://127.0.0.1:0 2>"$work/daemon.log" &
  daemon_pid=$!
  for _ in $(seq 100); do
    grep -q ' listening ' "$work/daemon.log" && break
    kill -0 "$daemon_pid" 2>/dev/null || { echo "the daemon ended"; exit 1; }
    sleep 0.1
  done
  web=$(endpoint web)
  reliable=$(endpoint reliable)
  [[ -n $web && -n $reliable ]] || { echo "the daemon did not say where it listens"; exit 1; }
}
# It logs one line with the ports it got: listening web=http://... subscribe=tcp://... reliable=tcp://...
endpoint() { sed -n "s|.* $1=\([^ ]*\).*|\1|p" "$work/daemon.log" | head -n 1; }

echo "== start"
start
notes=(
  "page      $web/"
  "metrics   $web/metrics"
  "summary   $web/api/v1/summary"
  "publish   $reliable (acknowledged), $(endpoint subscribe) (fire and forget)"
)
printf '%s\n' "${notes[@]}"

if $once; then
  echo "== stream a scene from another process"
  "$detwatch" simulate --seed 7 --frames 300 --out "$work/scene"
  "$detwatch" replay --ground-truth "$work/scene/ground_truth.json" --predictions "$work/scene/predictions.json" --to "$reliable"
  "$detwatch" eval --ground-truth "$work/scene/ground_truth.json" --predictions "$work/scene/predictions.json" --format json \
    >"$work/eval.json"
  echo "== compare the live numbers with the offline evaluation"
  /usr/bin/python3 deploy/live.py compare "$web" "$work/eval.json" --frames 300
  echo "== kill -9, start again, compare again"
  kill -KILL "$daemon_pid"
  wait "$daemon_pid" 2>/dev/null || true
  start
  /usr/bin/python3 deploy/live.py compare "$web" "$work/eval.json" --frames 300
else
  echo "== stream a scene; Ctrl-C stops it all"
  trap 'exit 0' INT TERM
  "$detwatch" simulate --seed 7 --rate 30 --to "$reliable" >"$work/simulate.log" 2>&1 &
  stream_pid=$!
  /usr/bin/python3 deploy/live.py watch "$web" "${notes[@]}"
fi

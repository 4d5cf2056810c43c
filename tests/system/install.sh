#!/usr/bin/env bash
# Installs BUILD into an empty prefix, and builds and runs tests/install against it as a project of its own.
#   install.sh BUILD
set -euo pipefail
build=$(realpath "$1")
source=$(realpath "$(dirname "${BASH_SOURCE[0]}")/../install")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cmake --install "$build" --prefix "$work/prefix" >"$work/install.log" || { cat "$work/install.log"; exit 1; }
"$work/prefix/bin/detwatch" --version
cmake -S "$source" -B "$work/build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DCMAKE_PREFIX_PATH="$work/prefix"
cmake --build "$work/build" -j2
"$work/build/publish"
"$work/build/judge"
# A header that is installed must not include one that is not.
while read -r header; do
  printf '#include <%s>\n' "$header"
done < <(cd "$work/prefix/include/detwatch" && find lib -name '*.h' | sort) >"$work/all.cc"
g++ -std=c++20 -fsyntax-only -I"$work/prefix/include/detwatch" "$work/all.cc"
PYTHONPATH="$work/prefix/lib/python3/dist-packages" /usr/bin/python3 -c 'import detwatch; print(detwatch.Publisher.__name__)'

#!/usr/bin/env bash
# C++ is formatted as .clang-format says: clang-format-14 -i FILE mends it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
git ls-files -z --cached --others --exclude-standard '*.h' '*.cc' | sort -zu |
  while IFS= read -r -d '' file; do [[ -f $file ]] && printf '%s\0' "$file"; done |
  xargs -0 -r -n 16 -P 2 clang-format-14 --dry-run -Werror

#!/usr/bin/env bash
# Every shell script parses, and shellcheck finds nothing in it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
scripts=()
while IFS= read -r -d '' file; do
  if [[ -f $file ]] && head -c 64 "$file" | head -n 1 | grep -aqE '^#!.*\b(ba)?sh\b'; then scripts+=("$file"); fi
done < <(git ls-files -z --cached --others --exclude-standard | sort -zu)
for script in "${scripts[@]}"; do
  bash -n "$script"
  [[ -x $script ]] || { echo "$script: not executable"; exit 1; }
done
shellcheck --severity=style --shell=bash "${scripts[@]}"
echo "${#scripts[@]} scripts"

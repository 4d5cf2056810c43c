#!/usr/bin/env bash
# Installs the Debian packages listed in FILE..., those that are missing, and says which. Asks nothing.
#
#   deploy/install-packages.sh deploy/packages-build.txt
set -euo pipefail

missing=()
while read -r package; do
  status=$(dpkg-query -W -f='${Status}' "$package" 2>/dev/null || true)
  [[ $status == "install ok installed" ]] || missing+=("$package")
done < <(sed 's/#.*//' "$@" | awk 'NF { print $1 }' | sort -u)

if [[ ${#missing[@]} -eq 0 ]]; then
  echo "all packages are installed"
  exit 0
fi
echo "installing: ${missing[*]}"

as_root=()
if [[ $(id -u) -ne 0 ]]; then
  if ! command -v sudo >/dev/null; then
    echo "error: not root, and there is no sudo; install these packages first: ${missing[*]}" >&2
    exit 1
  fi
  as_root=(sudo)
fi
export DEBIAN_FRONTEND=noninteractive
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
  apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null

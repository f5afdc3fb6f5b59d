#!/usr/bin/env bash
# Installs the public client libraries that the tests drive: msal-node and @azure/identity from npm, python3-msal from Debian.
set -euo pipefail
root="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"

for folder in "$root"/*/node; do
  [ -f "$folder/package-lock.json" ] || continue
  ready="$folder/node_modules/.ready"
  if [ ! -f "$ready" ] || [ "$folder/package-lock.json" -nt "$ready" ]; then
    echo "Installing the Node clients of $(basename "$(dirname "$folder")") …" >&2
    (cd "$folder" && npm ci --no-audit --no-fund --loglevel=error >&2)
    touch "$ready"
  fi
done

if ! /usr/bin/python3 -c 'import msal, requests' 2>/dev/null; then
  as_root=""
  [ "$(id -u)" -eq 0 ] || as_root="sudo -n"
  echo "Installing python3-msal …" >&2
  if command -v apt-get >/dev/null 2>&1; then
    { $as_root apt-get update -qq && DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq python3-msal python3-requests; } >/dev/null 2>&1 ||
      echo "python3-msal could not be installed: the tests that need it will fail and say so." >&2
  fi
fi

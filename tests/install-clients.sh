#!/usr/bin/env bash
# Installs the public clients that the tests drive: msal-node, @azure/identity and others from npm; the Python ones and a browser from Debian.
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

# Debian packages: the Python clients, and the browser in which people sign in.
missing=()
/usr/bin/python3 -c 'import msal, requests' 2>/dev/null || missing+=(python3-msal python3-requests)
/usr/bin/python3 -c 'import azure.identity' 2>/dev/null || missing+=(python3-azure)
[ -x /usr/bin/chromium ] || missing+=(chromium)
command -v curl >/dev/null 2>&1 || missing+=(curl)
command -v openssl >/dev/null 2>&1 || missing+=(openssl)
command -v ip >/dev/null 2>&1 || missing+=(iproute2)
if [ ${#missing[@]} -gt 0 ]; then
  as_root=""
  [ "$(id -u)" -eq 0 ] || as_root="sudo -n"
  echo "Installing ${missing[*]} …" >&2
  if command -v apt-get >/dev/null 2>&1; then
    { $as_root apt-get update -qq && DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq --no-install-recommends "${missing[@]}"; } >/dev/null 2>&1 ||
      echo "Not all of ${missing[*]} could be installed: the tests that need them will fail and say so." >&2
  fi
fi

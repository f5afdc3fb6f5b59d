#!/usr/bin/env bash
# Time from the end of a recording that streams in to its alert being readable at /api/alerts, on a server of its own.
# Usage: bench/replay.sh FOLDER   (recordings as zip files, anywhere below)
set -euo pipefail
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
recordings="${1:?a folder of recordings is needed}"
work="$(mktemp -d)"
pid=""
stop() { [ -z "$pid" ] || { kill -TERM "$pid" 2>/dev/null || true; wait "$pid" 2>/dev/null || true; }; rm -rf "$work"; }
trap stop EXIT
mkfifo "$work/ready"
"$root/vedette" up --json --empty --data "$work/data" --http 18280 --https 18243 --quotas off >"$work/ready" 2>"$work/log" & pid=$!
read -r line <"$work/ready"
field() { grep -o "\"$1\":\"[^\"]*" <<<"$line" | cut -d'"' -f4; }
token="$(curl -sS "http://localhost:18280/$(field tenantId)/oauth2/v2.0/token" -d grant_type=client_credentials -d "client_id=$(field clientId)" \
  --data-urlencode "client_secret=$(field clientSecret)" --data-urlencode scope=https://api.securitycenter.microsoft.com/.default | grep -o '"access_token":"[^"]*' | cut -d'"' -f4)"
count() { curl -sS -H "Authorization: Bearer $token" 'http://localhost:18280/api/alerts?$top=1&$count=true' | grep -o '"@odata.count":[0-9]*' | cut -d: -f2; }
missed=0
while read -r file; do
  before="$(count)"
  "$root/vedette" import --data "$work/data" --replay --speed 1000000 --no-detections "$file" >"$work/out" 2>&1 </dev/null || { cat "$work/out"; exit 1; }
  started="$(date +%s%N)"
  after="$(count)"
  spent() { echo $((($(date +%s%N) - started) / 1000000)); }
  while [ "$after" = "$before" ] && [ "$(spent)" -lt 10000 ]; do sleep 0.05; after="$(count)"; done
  [ "$after" != "$before" ] || missed=1
  printf '%-90s %3d new alerts, the first at most %5d ms after the end\n' "$(basename "$file")" $((after - before)) "$(spent)"
done < <(find "$recordings" -name '*.zip' | sort)
exit $missed

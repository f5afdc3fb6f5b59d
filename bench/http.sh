#!/usr/bin/env bash
# Requests a second of GET /api/alerts?$top=100, of filtered machines, of isolating devices and of the token endpoint, each beside bare Kestrel on the same cores in the same run.
# Needs wrk. A script's background jobs ignore Ctrl-C's signal, so they are stopped with SIGTERM. Usage: bench/http.sh [SECONDS]
set -euo pipefail
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
seconds="${1:-8}"
work="$(mktemp -d)"
pids=()
stop() { for pid in "${pids[@]}"; do kill -TERM "$pid" 2>/dev/null || true; done; wait 2>/dev/null || true; rm -rf "$work"; }
trap stop EXIT
command -v wrk >/dev/null || { echo "wrk is needed (package wrk)" >&2; exit 1; }

mkfifo "$work/ready"
"$root/vedette" up --json --data "$work/data" --http 18180 --https 18143 --quotas off >"$work/ready" 2>"$work/log" & pids+=($!)
read -r line <"$work/ready"
field() { grep -o "\"$1\":\"[^\"]*" <<<"$line" | cut -d'"' -f4; }
tenant="$(field tenantId)" client="$(field clientId)" secret="$(field clientSecret)"
form="grant_type=client_credentials&client_id=$client&client_secret=$secret&scope=https%3A%2F%2Fapi.securitycenter.microsoft.com%2F.default"
token="$(curl -sS "http://localhost:18180/$tenant/oauth2/v2.0/token" -d "$form" | grep -o '"access_token":"[^"]*' | cut -d'"' -f4)"
curl -sS -H "Authorization: Bearer $token" 'http://localhost:18180/api/alerts?$top=100' >"$work/alerts.json"

dotnet build "$root/bench/Bare" -c Release -v q --nologo >/dev/null
dotnet "$root/artifacts/bin/Bare/release/Bare.dll" 18181 "$work/alerts.json" & pids+=($!)
until curl -sf http://localhost:18181/bytes >/dev/null; do sleep 0.1; done

cat >"$work/post.lua" <<L
wrk.method = "POST"
wrk.body = "$form"
wrk.headers["Content-Type"] = "application/x-www-form-urlencoded"
L
rate() { wrk -t2 -c32 -d"${seconds}s" --latency "$@" | awk '/99%/{p=$2} /Requests\/sec/{r=$2} /Non-2xx/{bad=$0} END{print r, p, bad}'; }
warm() { wrk -t2 -c16 -d4s "$@" >/dev/null; }
report() { # name, ours, bare
  awk -v n="$1" -v a="$2" -v b="$3" 'BEGIN{split(a,x," ");split(b,y," ");printf "%-28s %9.0f req/s  p99 %-8s  bare %9.0f req/s  p99 %-8s  ratio %.2f %s\n",n,x[1],x[2],y[1],y[2],x[1]/y[1],substr(a,length(x[1])+length(x[2])+3)}'
}
echo "alerts: $(wc -c <"$work/alerts.json") bytes an answer"
warm -H "Authorization: Bearer $token" 'http://localhost:18180/api/alerts?$top=100'; warm http://localhost:18181/bytes
ours="$(rate -H "Authorization: Bearer $token" 'http://localhost:18180/api/alerts?$top=100')"; bare="$(rate http://localhost:18181/bytes)"
report 'GET /api/alerts?$top=100' "$ours" "$bare"
# Every query another one: what the page cache cannot help.
cat >"$work/skip.lua" <<L
local n = 0
request = function() n = n + 1; return wrk.format("GET", "/api/alerts?\$top=100&\$filter=incidentId%20ge%20-" .. n) end
wrk.headers["Authorization"] = "Bearer $token"
L
report 'the same, each with its own $filter' "$(rate -s "$work/skip.lua" http://localhost:18180/)" "$bare"
machines='/api/machines?$filter=healthStatus%20eq%20%27Active%27'
curl -sS -H "Authorization: Bearer $token" "http://localhost:18180$machines" >"$work/machines.json"
echo "machines: $(wc -c <"$work/machines.json") bytes an answer"
dotnet "$root/artifacts/bin/Bare/release/Bare.dll" 18182 "$work/machines.json" & pids+=($!)
until curl -sf http://localhost:18182/bytes >/dev/null; do sleep 0.1; done
warm -H "Authorization: Bearer $token" "http://localhost:18180$machines"; warm http://localhost:18182/bytes
report 'GET /api/machines?$filter=…' "$(rate -H "Authorization: Bearer $token" "http://localhost:18180$machines")" "$(rate http://localhost:18182/bytes)"
# Isolating: each request another device, none of which takes its action.
"$root/vedette" control generate --machines 6000 --data "$work/data" >/dev/null 2>&1
"$root/vedette" control timing never --data "$work/data" >/dev/null
curl -sS -H "Authorization: Bearer $token" 'http://localhost:18180/api/machines?$select=id' | grep -o '"id":"[0-9a-f]*' | cut -d'"' -f4 >"$work/ids"
curl -sS -X POST -H "Authorization: Bearer $token" -H 'Content-Type: application/json' -d '{"Comment":"bench","IsolationType":"Full"}' \
  "http://localhost:18180/api/machines/$(tail -1 "$work/ids")/isolate" >"$work/isolate.json"
cat >"$work/isolate.lua" <<L
local threads = 0
function setup(thread) thread:set("part", threads); threads = threads + 1 end
function init() ids = {}; for line in io.lines("$work/ids") do ids[#ids + 1] = line end; at = part end
wrk.body = '{"Comment":"bench","IsolationType":"Full"}'
wrk.headers["Authorization"] = "Bearer $token"
wrk.headers["Content-Type"] = "application/json"
request = function() at = at + 2; return wrk.format("POST", "/api/machines/" .. ids[at % #ids + 1] .. "/isolate") end
L
dotnet "$root/artifacts/bin/Bare/release/Bare.dll" 18183 "$work/isolate.json" & pids+=($!)
until curl -sf http://localhost:18183/bytes >/dev/null; do sleep 0.1; done
warm http://localhost:18183/bytes
# Four seconds: a longer run would come to devices that are isolated already.
report "POST …/isolate ($(wc -l <"$work/ids") devices)" "$(wrk -t2 -c32 -d4s --latency -s "$work/isolate.lua" http://localhost:18180/ | awk '/99%/{p=$2} /Requests\/sec/{r=$2} /Non-2xx/{bad=$0} END{print r, p, bad}')" "$(rate http://localhost:18183/bytes)"
warm -s "$work/post.lua" "http://localhost:18180/$tenant/oauth2/v2.0/token"; warm -s "$work/post.lua" http://localhost:18181/token
ours="$(rate -s "$work/post.lua" "http://localhost:18180/$tenant/oauth2/v2.0/token")"; bare="$(rate -s "$work/post.lua" http://localhost:18181/token)"
report 'POST …/oauth2/v2.0/token' "$ours" "$bare"
grep -E 'VmRSS|VmHWM' "/proc/${pids[0]}/status"

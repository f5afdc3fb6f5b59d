#!/usr/bin/env bash
# Start to ready, as the server itself measures it from the start of its process: an empty folder, the same folder again, and the demo tenant.
# Usage: bench/start.sh [RUNS]
set -euo pipefail
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
runs="${1:-5}"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
once() { # folder, options
  local fifo="$work/ready" line pid
  rm -f "$fifo"; mkfifo "$fifo"
  "$root/vedette" up --json --data "$@" --http 0 --https 0 >"$fifo" 2>"$work/log" & pid=$!
  read -r line <"$fifo" || { cat "$work/log" >&2; exit 1; }
  grep -o '"startMs":[0-9.]*' <<<"$line" | cut -d: -f2
  # A script's background jobs ignore Ctrl-C's signal, so the server is stopped by the other one that it obeys.
  kill -TERM "$pid"; wait "$pid" || true
}
median() { sort -n | awk '{a[NR]=$1} END{printf "%.0f ms (%.0f to %.0f, %d runs)\n", a[int((NR+1)/2)], a[1], a[NR], NR}'; }
for run in $(seq "$runs"); do once "$work/empty$run" --empty; done >"$work/a"
for run in $(seq "$runs"); do once "$work/demo$run"; done >"$work/b"
for run in $(seq "$runs"); do once "$work/empty1" --empty; done >"$work/c"
for run in $(seq "$runs"); do once "$work/demo1"; done >"$work/d"
printf 'empty folder, --empty       %s' "$(median <"$work/a")"; echo
printf 'empty folder, demo tenant   %s' "$(median <"$work/b")"; echo
printf 'existing data, --empty      %s' "$(median <"$work/c")"; echo
printf 'existing data, demo tenant  %s' "$(median <"$work/d")"; echo

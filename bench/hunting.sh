#!/usr/bin/env bash
# Hunting work on ten million process and ten million network events: KQL through the compiler beside hand-written ClickHouse SQL on the same
# tables, DuckDB (npm @duckdb/node-api, two threads) on the same rows, and ClickHouse's own KQL dialect; then the gain of the term index, the
# memory of an answer of 100,000 wide rows and, with --queries FILE (JSON lines with "id" and "query"), compile times.
# The data folder (about 8 GB) is made once and kept. Usage: bench/hunting.sh [--data DIR] [--rows N] [--json FILE] [--rounds N] [--queries FILE] [NAME…]
set -euo pipefail
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
data="${TMPDIR:-/tmp}/vedette-bench" rows=10000000 rest=()
while (($#)); do
  case "$1" in
    --data) data="$2"; shift 2 ;;
    --rows) rows="$2"; shift 2 ;;
    *) rest+=("$1"); shift ;;
  esac
done
mkdir -p "$data/node"
if [[ ! -d "$data/node/node_modules/@duckdb/node-api" ]]; then
  echo '{"private":true}' >"$data/node/package.json"
  (cd "$data/node" && npm install --silent --no-audit --no-fund @duckdb/node-api) || echo "DuckDB cannot be installed; going on without it" >&2
fi
dotnet build "$root/bench/Vedette.Hunting.Bench" -c Release -v q --nologo >/dev/null
bench="$root/artifacts/bin/Vedette.Hunting.Bench/release/Vedette.Hunting.Bench"
"$bench" prepare "$data" "$rows"
"$bench" contest "$data" ${rest[@]+"${rest[@]}"}

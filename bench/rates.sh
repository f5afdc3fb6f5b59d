#!/usr/bin/env bash
# Events a second that ingest sustains with 0, 100 and 1,000 continuous rules and with 15,000 indicators, as ratios to ingest without rules and to the bare
# engine's insert of the same blocks in the same run, and the time from handing an event over to its alert being there.
# Usage: bench/rates.sh [SECONDS] [RULES …]
set -euo pipefail
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
dotnet build "$root/bench/Vedette.Rates.Bench" -c Release -v q --nologo >/dev/null
"$root/artifacts/bin/Vedette.Rates.Bench/release/Vedette.Rates.Bench" "$work" "$@"

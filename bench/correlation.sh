#!/usr/bin/env bash
# What adding an alert costs with 1,000, 100,000 and 1,000,000 alerts stored, evidence and incidents included; the first size is the rival.
# The state (about 6 GB for a million) is made in a temporary folder and removed. Usage: bench/correlation.sh [ALERTS [SIZE…]]
set -euo pipefail
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
dotnet build "$root/bench/Vedette.Correlation.Bench" -c Release -v q --nologo >/dev/null
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
"$root/artifacts/bin/Vedette.Correlation.Bench/release/Vedette.Correlation.Bench" "$work/data" "${@:-300}"

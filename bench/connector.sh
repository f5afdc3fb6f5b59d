#!/usr/bin/env bash
# A connector pages 20,000 machines and 5,000 alerts with 50 pieces of evidence each while the data changes; fails when it loses or doubles one.
# Usage: bench/connector.sh [MACHINESxALERTSxEVIDENCE]
set -euo pipefail
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
export VEDETTE_CONNECTOR_SIZE="${1:-20000x5000x50}"
time dotnet test "$root/tests/Vedette.Server.Tests" --nologo -v q --filter "FullyQualifiedName~PagingConnectorTests"

#!/usr/bin/env bash
# Installs the server's certificate authority into a system's store and takes it back, and tells after each step who trusts it. Runs in a mount
# namespace of its own, in which what may be changed are copies.
# trust.sh LAYOUT URL CLIENTS_DLL VEDETTE_DLL DATA
set -euo pipefail
layout=$1 url=$2 clients=$3 vedette=$4 data=$5

# Copies of /etc and of the folder for local certificates, in memory. A mount over /etc would hide the hosts file of this namespace.
work=$(mktemp -d)
mount -t tmpfs tmpfs "$work"
mkdir "$work/upper" "$work/work" "$work/local" "$work/bin"
cp /etc/hosts "$work/hosts"
mount -t overlay overlay -o "lowerdir=/etc,upperdir=$work/upper,workdir=$work/work" /etc
mount --bind "$work/hosts" /etc/hosts
if [ -d /usr/local/share/ca-certificates ]; then cp -a /usr/local/share/ca-certificates "$work/local/"; fi
mount --bind "$work/local" /usr/local/share

# Programs of other systems are played by one that does what they do: it joins the anchors to the bundle that everything reads.
anchors=/usr/local/share/ca-certificates
play() {
  anchors=$1
  rm -rf /usr/local/share/ca-certificates
  mkdir -p "$anchors"
  cp /etc/ssl/certs/ca-certificates.crt "$work/base.crt"
  printf '#!/bin/sh\n[ "$*" = "%s" ] || exit 64\ncat "%s" "%s"/*.crt > /etc/ssl/certs/ca-certificates.crt 2>/dev/null || :\n' "$3" "$work/base.crt" "$anchors" > "$work/bin/$2"
  chmod +x "$work/bin/$2"
}
case $layout in
  debian) mkdir -p "$anchors"; update-ca-certificates --fresh >&2 ;;  # what was put there by other means is not this test's
  fedora) play /etc/pki/ca-trust/source/anchors update-ca-trust extract ;;
  arch) play /etc/ca-certificates/trust-source/anchors trust extract-compat ;;
  suse) play /etc/pki/trust/anchors update-ca-certificates "" ;;
  unknown) rm -rf /usr/local/share/ca-certificates ;;
esac
export PATH="$work/bin:$PATH"

tell() {
  local code=$1 output=$2 curl python="" dotnet="" files store
  curl=$(curl --silent --output /dev/null --write-out '%{http_code}' "$url") || curl=$?
  if [ "$layout" = debian ]; then
    dotnet=$(dotnet exec "$clients" get "$url")
    python=$(/usr/bin/python3 - "$url" <<'END'
import ssl, sys, urllib.request, urllib.error
try:
    print(urllib.request.urlopen(sys.argv[1]).status)
except urllib.error.URLError as error:
    print(error.reason.reason if isinstance(error.reason, ssl.SSLError) else error.reason)
END
)
  fi
  files=$(find "$anchors" -name 'vedette-*' -printf '%p %M' 2>/dev/null || true)
  store=$( (cd /etc/ssl/certs; find . -printf '%p %l\n' | sort; cat ca-certificates.crt) | sha256sum)
/usr/bin/python3 -c 'import json, sys; names = sys.argv[1::2]; print(json.dumps(dict(zip(names, sys.argv[2::2]))))' \
    step "$step" code "$code" output "$output" curl "$curl" dotnet "$dotnet" python "$python" files "$files" store "$store"
}

run() {
  local code=0 output
  output=$(dotnet exec "$vedette" trust "$@" --data "$data" 2>&1) || code=$?
  tell "$code" "$output"
}

step=before; tell 0 ""
step=installed; run --install
step=removed; run --remove
step=again; run --remove

#!/usr/bin/env bash
# Plain curl does every grant. Settings come by environment; each line of the answer is a grant and its token or error.
set -u
here="$(dirname "$(readlink -f "$0")")"
base="${AUTHORITY:-https://login.microsoftonline.com}/$TENANT/oauth2/v2.0"
token="$base/token"
field() { grep -o "\"$1\":\"[^\"]*" <<<"$2" | head -1 | cut -d'"' -f4; }
encode() { tr '+/' '-_' | tr -d '=\n'; }
say() {
  local value; value="$(field access_token "$2")"
  if [ -n "$value" ]; then printf '{"grant":"%s","token":"%s"}\n' "$1" "$value"; else printf '{"grant":"%s","error":"%s"}\n' "$1" "$(tr -d '"\\\n' <<<"$2")"; fi
}
post() { curl -sS "$token" "$@" 2>&1; }

say secret "$(post -d grant_type=client_credentials -d "client_id=$CLIENT_ID" --data-urlencode "client_secret=$SECRET" --data-urlencode "scope=$SCOPE")"

now="$(date +%s)"
header="$(printf '{"alg":"RS256","typ":"JWT","x5t#S256":"%s"}' "$(printf '%s' "$THUMBPRINT_SHA256" | sed 's/../\\x&/g' | xargs -0 printf '%b' | base64 -w0 | encode)" | base64 -w0 | encode)"
claims="$(printf '{"aud":"%s","iss":"%s","sub":"%s","jti":"%s","nbf":%d,"exp":%d}' "$token" "$CLIENT_ID" "$CLIENT_ID" "$RANDOM$RANDOM" "$now" "$((now + 600))" | base64 -w0 | encode)"
signature="$(printf '%s.%s' "$header" "$claims" | openssl dgst -sha256 -sign "$KEY_PEM" -binary | base64 -w0 | encode)"
assertion=(-d client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer -d "client_assertion=$header.$claims.$signature")
say certificate "$(post -d grant_type=client_credentials -d "client_id=$CLIENT_ID" "${assertion[@]}" --data-urlencode "scope=$SCOPE")"

verifier="$(openssl rand -base64 48 | encode)"
challenge="$(printf '%s' "$verifier" | openssl dgst -sha256 -binary | base64 -w0 | encode)"
redirect="http://localhost:59/"
reached="$(node "$here/../node/browser.mjs" "$base/authorize?client_id=$NATIVE_ID&response_type=code&redirect_uri=$redirect&scope=$(sed 's/:/%3A/g;s,/,%2F,g' <<<"$USER_SCOPE")%20openid&code_challenge=$challenge&code_challenge_method=S256" "$redirect" 2>&1)"
code="$(grep -o 'code=[^&]*' <<<"$reached" | head -1 | cut -d= -f2)"
if [ -n "$code" ]; then say code "$(post -d grant_type=authorization_code -d "client_id=$NATIVE_ID" -d "code=$code" -d "redirect_uri=$redirect" -d "code_verifier=$verifier")"; else say code "$reached"; fi

start="$(curl -sS "$base/devicecode" -d "client_id=$NATIVE_ID" --data-urlencode "scope=$USER_SCOPE" 2>&1)"
node "$here/../node/browser.mjs" "$(field verification_uri "$start")?user_code=$(field user_code "$start")" >/dev/null 2>&1
say device "$(post -d grant_type=urn:ietf:params:oauth:grant-type:device_code -d "client_id=$NATIVE_ID" -d "device_code=$(field device_code "$start")")"

answer="$(post -d grant_type=password -d "client_id=$NATIVE_ID" -d "username=$VEDETTE_USER" --data-urlencode "password=$VEDETTE_PASSWORD" --data-urlencode "scope=$USER_SCOPE offline_access")"
say password "$answer"
say refresh "$(post -d grant_type=refresh_token -d "client_id=$NATIVE_ID" -d "refresh_token=$(field refresh_token "$answer")" --data-urlencode "scope=$USER_SCOPE")"
say obo "$(post -d grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer -d requested_token_use=on_behalf_of -d "client_id=$CLIENT_ID" --data-urlencode "client_secret=$SECRET" -d "assertion=$ASSERTION" --data-urlencode "scope=$USER_SCOPE")"

"""Gets a token with MSAL for Python: settings as JSON on standard input, the answer as JSON on standard output."""
import json
import sys

import msal

settings = json.load(sys.stdin)


def credential():
    if settings.get("secret"):
        return settings["secret"]
    with open(settings["keyPem"], encoding="ascii") as key:
        found = {"private_key": key.read(), "thumbprint": settings["thumbprint"]}
    if settings.get("sendX5c"):
        with open(settings["certificatePem"], encoding="ascii") as certificate:
            found["public_certificate"] = certificate.read()
    return found


application = msal.ConfidentialClientApplication(
    settings["clientId"],
    client_credential=credential(),
    authority=f"{settings['authority']}/{settings['tenant']}",
    validate_authority=False,
)
result = application.acquire_token_for_client(scopes=[settings["scope"]])
json.dump({"accessToken": result.get("access_token"), "error": result.get("error_description")}, sys.stdout)

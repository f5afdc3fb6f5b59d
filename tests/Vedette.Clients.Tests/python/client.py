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


def authority():
    return f"{settings['authority']}/{settings['tenant']}"


def for_application():
    application = msal.ConfidentialClientApplication(
        settings["clientId"], client_credential=credential(), authority=authority(), validate_authority=False
    )
    return application.acquire_token_for_client(scopes=[settings["scope"]])


def for_device():
    application = msal.PublicClientApplication(settings["clientId"], authority=authority(), validate_authority=False)
    flow = application.initiate_device_flow(scopes=[settings["scope"]])
    print(flow["user_code"], flush=True)
    first = application.acquire_token_by_device_flow(flow)
    if "access_token" not in first:
        return first
    # The library found its account in the answer, and its refresh token is good.
    account = application.get_accounts()[0]
    return application.acquire_token_silent([settings["scope"]], account=account, force_refresh=True)


result = for_device() if sys.argv[1].endswith("device") else for_application()
json.dump({"accessToken": result.get("access_token"), "error": result.get("error_description")}, sys.stdout)

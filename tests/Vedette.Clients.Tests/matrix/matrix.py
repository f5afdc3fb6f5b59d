"""Every grant of one of the Python libraries: settings as JSON on standard input, a line of JSON for each grant on standard output."""
import json
import os
import subprocess
import sys

settings = json.load(sys.stdin)
tenant = settings["tenant"]
local = settings.get("authority")
scope, user_scope = settings["scope"], settings["userScope"]
FRESH = '{"access_token":{"nbf":{"essential":true,"value":"1"}}}'


def certificate():
    with open(settings["keyPem"], encoding="ascii") as key, open(settings["certificatePem"], encoding="ascii") as public:
        return {"private_key": key.read(), "thumbprint": settings["thumbprint"], "public_certificate": public.read()}


def show(url):
    subprocess.run([os.environ["BROWSER"], url], check=True)


def run(grants):
    for name, grant in grants.items():
        try:
            answer = {"grant": name, "token": grant()}
        except Exception as error:  # pylint: disable=broad-except
            answer = {"grant": name, "error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


def msal_python():
    import msal

    authority = f"{local or 'https://login.microsoftonline.com'}/{tenant}"
    switch = {"validate_authority": False} if local else {}

    def token(result):
        if "access_token" not in result:
            raise RuntimeError(result.get("error_description", str(result)))
        return result["access_token"]

    def confidential(credential):
        return msal.ConfidentialClientApplication(settings["clientId"], client_credential=credential, authority=authority, **switch)

    def public():
        return msal.PublicClientApplication(settings["nativeId"], authority=authority, **switch)

    def device():
        application = public()
        flow = application.initiate_device_flow(scopes=[user_scope])
        show(f"{flow['verification_uri']}?user_code={flow['user_code']}")
        return token(application.acquire_token_by_device_flow(flow))

    def password(application):
        return application.acquire_token_by_username_password(settings["userName"], settings["password"], scopes=[user_scope])

    def refresh():
        application = public()
        first = token(password(application))
        second = token(application.acquire_token_silent([user_scope], account=application.get_accounts()[0], force_refresh=True))
        if first == second:
            raise RuntimeError("not refreshed")
        return second

    run({
        "secret": lambda: token(confidential(settings["secret"]).acquire_token_for_client([scope])),
        "certificate": lambda: token(confidential(certificate()).acquire_token_for_client([scope])),
        "code": lambda: token(public().acquire_token_interactive([user_scope], timeout=120)),
        "device": device,
        "password": lambda: token(password(public())),
        "refresh": refresh,
        "obo": lambda: token(confidential(settings["secret"]).acquire_token_on_behalf_of(settings["assertion"], [user_scope])),
    })


def azure_identity_python():
    import azure.identity as azure

    switch = {"authority": local, "instance_discovery": False} if local else {}
    native = {"client_id": settings["nativeId"], **switch}

    def refresh():
        credential = azure.UsernamePasswordCredential(username=settings["userName"], password=settings["password"], tenant_id=tenant, **native)
        first = credential.get_token(user_scope).token
        second = credential.get_token(user_scope, claims=FRESH).token
        if first == second:
            raise RuntimeError("not refreshed")
        return second

    run({
        "secret": lambda: azure.ClientSecretCredential(tenant, settings["clientId"], settings["secret"], **switch).get_token(scope).token,
        "certificate": lambda: azure.CertificateCredential(tenant, settings["clientId"], settings["bothPem"], **switch).get_token(scope).token,
        "code": lambda: azure.InteractiveBrowserCredential(tenant_id=tenant, timeout=120, **native).get_token(user_scope).token,
        "device": lambda: azure.DeviceCodeCredential(
            tenant_id=tenant, prompt_callback=lambda uri, code, _: show(f"{uri}?user_code={code}"), **native
        ).get_token(user_scope).token,
        "password": lambda: azure.UsernamePasswordCredential(
            username=settings["userName"], password=settings["password"], tenant_id=tenant, **native
        ).get_token(user_scope).token,
        "refresh": refresh,
        "obo": lambda: azure.OnBehalfOfCredential(
            tenant, settings["clientId"], client_secret=settings["secret"], user_assertion=settings["assertion"], **switch
        ).get_token(user_scope).token,
    })


{"msal-python": msal_python, "azure-identity-python": azure_identity_python}[sys.argv[1]]()

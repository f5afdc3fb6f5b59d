// Every grant of one of the Node libraries: settings as JSON on standard input, a line of JSON for each grant on standard output.
import { spawn } from "node:child_process";
import { createPrivateKey, webcrypto } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import * as azure from "@azure/identity";
import { ConfidentialClientApplication, PublicClientApplication } from "@azure/msal-node";
import * as oauth from "oauth4webapi";

const settings = JSON.parse(readFileSync(0, "utf8"));
const { tenant, clientId, nativeId, secret, scope, userScope, userName, password, assertion } = settings;
const local = settings.authority;
const FRESH = '{"access_token":{"nbf":{"essential":true,"value":"1"}}}';

const show = (url) => spawn(process.env.BROWSER, [url], { detached: true, stdio: "ignore" }).unref();

async function run(grants) {
  for (const [grant, act] of Object.entries(grants)) {
    try {
      console.log(JSON.stringify({ grant, token: await act() }));
    } catch (error) {
      console.log(JSON.stringify({ grant, error: [error.errorMessage, error.message, error.error_description, JSON.stringify(error.cause)].filter(Boolean).join(" ") }));
    }
  }
  process.exit(0);
}

function different(first, second) {
  if (first === second) throw new Error("not refreshed");
  return second;
}

function msalNode() {
  const auth = local ? { authority: `${local}/${tenant}`, knownAuthorities: [new URL(local).host] } : { authority: `https://login.microsoftonline.com/${tenant}` };
  const confidential = (credential) => new ConfidentialClientApplication({ auth: { clientId, ...auth, ...credential } });
  const publicClient = () => new PublicClientApplication({ auth: { clientId: nativeId, ...auth } });
  const byPassword = (client) => client.acquireTokenByUsernamePassword({ scopes: [userScope], username: userName, password });
  const certificate = { privateKey: readFileSync(settings.keyPem, "utf8"), thumbprintSha256: settings.thumbprintSha256, x5c: readFileSync(settings.certificatePem, "utf8") };
  return run({
    secret: async () => (await confidential({ clientSecret: secret }).acquireTokenByClientCredential({ scopes: [scope] })).accessToken,
    certificate: async () => (await confidential({ clientCertificate: certificate }).acquireTokenByClientCredential({ scopes: [scope] })).accessToken,
    code: async () => (await publicClient().acquireTokenInteractive({ scopes: [userScope], openBrowser: async (url) => show(url) })).accessToken,
    device: async () =>
      (await publicClient().acquireTokenByDeviceCode({ scopes: [userScope], deviceCodeCallback: (code) => show(`${code.verificationUri}?user_code=${code.userCode}`) })).accessToken,
    password: async () => (await byPassword(publicClient())).accessToken,
    refresh: async () => {
      const client = publicClient();
      const first = await byPassword(client);
      return different(first.accessToken, (await client.acquireTokenSilent({ account: first.account, scopes: [userScope], forceRefresh: true })).accessToken);
    },
    obo: async () => (await confidential({ clientSecret: secret }).acquireTokenOnBehalfOf({ oboAssertion: assertion, scopes: [userScope] })).accessToken,
  });
}

function azureIdentity() {
  const options = local ? { authorityHost: local, disableInstanceDiscovery: true } : {};
  const native = { tenantId: tenant, clientId: nativeId, ...options };
  const token = async (credential, name, more) => (await credential.getToken(name, more)).token;
  const byPassword = () => new azure.UsernamePasswordCredential(tenant, nativeId, userName, password, options);
  return run({
    secret: () => token(new azure.ClientSecretCredential(tenant, clientId, secret, options), scope),
    certificate: () => token(new azure.ClientCertificateCredential(tenant, clientId, { certificatePath: settings.bothPem }, options), scope),
    code: () => token(new azure.InteractiveBrowserCredential(native), userScope),
    device: () => token(new azure.DeviceCodeCredential({ ...native, userPromptCallback: (code) => show(`${code.verificationUri}?user_code=${code.userCode}`) }), userScope),
    password: () => token(byPassword(), userScope),
    refresh: async () => {
      const credential = byPassword();
      const first = await token(credential, userScope);
      return different(first, await token(credential, userScope, { claims: FRESH }));
    },
    obo: () => token(new azure.OnBehalfOfCredential({ tenantId: tenant, clientId, clientSecret: secret, userAssertionToken: assertion, ...options }), userScope),
  });
}

async function oauth4webapi() {
  const issuer = new URL(`${local ?? "https://login.microsoftonline.com"}/${tenant}/v2.0`);
  const server = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer));
  const web = { client_id: clientId };
  const native = { client_id: nativeId };
  const none = oauth.None();
  const application = async (authentication) =>
    (await oauth.processClientCredentialsResponse(server, web, await oauth.clientCredentialsGrantRequest(server, web, authentication, new URLSearchParams({ scope })))).access_token;
  const generic = async (client, authentication, grant, fields) =>
    oauth.processGenericTokenEndpointResponse(server, client, await oauth.genericTokenEndpointRequest(server, client, authentication, grant, new URLSearchParams(fields)));
  const byPassword = () => generic(native, none, "password", { username: userName, password, scope: `${userScope} offline_access` });
  return run({
    secret: () => application(oauth.ClientSecretPost(secret)),
    certificate: async () => {
      const der = createPrivateKey(readFileSync(settings.keyPem)).export({ format: "der", type: "pkcs8" });
      const key = await webcrypto.subtle.importKey("pkcs8", der, { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" }, false, ["sign"]);
      return application(oauth.PrivateKeyJwt({ key, kid: settings.thumbprint }));
    },
    code: async () => {
      const verifier = oauth.generateRandomCodeVerifier();
      const state = oauth.generateRandomState();
      const nonce = oauth.generateRandomNonce();
      const landing = createServer();
      await new Promise((listening) => landing.listen(0, "127.0.0.1", listening));
      const redirect = `http://localhost:${landing.address().port}/`;
      const url = new URL(server.authorization_endpoint);
      url.search = new URLSearchParams({
        client_id: nativeId, response_type: "code", redirect_uri: redirect, scope: `${userScope} openid`, state, nonce,
        code_challenge: await oauth.calculatePKCECodeChallenge(verifier), code_challenge_method: "S256",
      });
      const arrived = new Promise((resolve) => landing.on("request", (request, answer) => { answer.end("ok"); resolve(new URL(request.url, redirect)); }));
      show(url.href);
      const callback = oauth.validateAuthResponse(server, native, await arrived, state);
      landing.close();
      const response = await oauth.authorizationCodeGrantRequest(server, native, none, callback, redirect, verifier);
      const result = await oauth.processAuthorizationCodeResponse(server, native, response, { expectedNonce: nonce, requireIdToken: true });
      // The signature of the id token is checked with the published keys.
      await oauth.validateApplicationLevelSignature(server, response);
      return result.access_token;
    },
    device: async () => {
      const start = await oauth.processDeviceAuthorizationResponse(server, native, await oauth.deviceAuthorizationRequest(server, native, none, new URLSearchParams({ scope: userScope })));
      show(`${start.verification_uri}?user_code=${start.user_code}`);
      for (;;) {
        await new Promise((later) => setTimeout(later, start.interval * 1000));
        try {
          return (await oauth.processDeviceCodeResponse(server, native, await oauth.deviceCodeGrantRequest(server, native, none, start.device_code))).access_token;
        } catch (error) {
          if (error.error !== "authorization_pending") throw error;
        }
      }
    },
    password: async () => (await byPassword()).access_token,
    refresh: async () => {
      const first = await byPassword();
      const response = await oauth.refreshTokenGrantRequest(server, native, none, first.refresh_token, { additionalParameters: { scope: userScope } });
      return different(first.access_token, (await oauth.processRefreshTokenResponse(server, native, response)).access_token);
    },
    obo: async () =>
      (await generic(web, oauth.ClientSecretPost(secret), "urn:ietf:params:oauth:grant-type:jwt-bearer", { assertion, requested_token_use: "on_behalf_of", scope: userScope })).access_token,
  });
}

await { "msal-node": msalNode, "azure-identity-js": azureIdentity, oauth4webapi }[process.argv[2]]();

// Gets a token with one of the Node libraries: settings as JSON on standard input, the answer as JSON on standard output.
import { createPrivateKey, webcrypto } from "node:crypto";
import { readFileSync } from "node:fs";
import { ClientCertificateCredential, ClientSecretCredential } from "@azure/identity";
import { ConfidentialClientApplication, PublicClientApplication } from "@azure/msal-node";
import * as oauth from "oauth4webapi";

const settings = JSON.parse(readFileSync(0, "utf8"));
const { authority, tenant, clientId, scope, secret } = settings;

async function msal(credential) {
  const client = new ConfidentialClientApplication({
    auth: { clientId, authority: `${authority}/${tenant}`, knownAuthorities: [new URL(authority).host], ...credential },
  });
  return (await client.acquireTokenByClientCredential({ scopes: [scope] })).accessToken;
}

function certificate(thumbprint) {
  return {
    clientCertificate: {
      privateKey: readFileSync(settings.keyPem, "utf8"),
      ...thumbprint,
      ...(settings.sendX5c ? { x5c: readFileSync(settings.certificatePem, "utf8") } : {}),
    },
  };
}

async function azureIdentity(credential) {
  return (await credential.getToken(scope)).token;
}

const azureOptions = { authorityHost: authority, disableInstanceDiscovery: true, sendCertificateChain: settings.sendX5c };

async function plain(authentication) {
  const issuer = new URL(`${authority}/${tenant}/v2.0`);
  const server = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer));
  const client = { client_id: clientId };
  const response = await oauth.clientCredentialsGrantRequest(server, client, authentication, new URLSearchParams({ scope }));
  return (await oauth.processClientCredentialsResponse(server, client, response)).access_token;
}

async function privateKeyJwt() {
  const der = createPrivateKey(readFileSync(settings.keyPem)).export({ format: "der", type: "pkcs8" });
  const key = await webcrypto.subtle.importKey("pkcs8", der, { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" }, false, ["sign"]);
  return oauth.PrivateKeyJwt({ key, kid: settings.thumbprint });
}

function publicClient() {
  return new PublicClientApplication({ auth: { clientId, authority: `${authority}/${tenant}`, knownAuthorities: [new URL(authority).host] } });
}

// The library found its account in the answer, and its refresh token is good.
async function refreshed(client, first) {
  const second = await client.acquireTokenSilent({ account: first.account, scopes: [scope], forceRefresh: true });
  if (second.accessToken === first.accessToken) throw new Error("The token was not refreshed.");
  return second.accessToken;
}

async function password() {
  const client = publicClient();
  return refreshed(client, await client.acquireTokenByUsernamePassword({ scopes: [scope], username: settings.userName, password: settings.password }));
}

async function device() {
  const client = publicClient();
  const first = await client.acquireTokenByDeviceCode({ scopes: [scope], deviceCodeCallback: (code) => console.log(code.userCode) });
  return refreshed(client, first);
}

const clients = {
  "msal-node-password": password,
  "msal-node-device": device,
  "msal-node": () => msal(secret ? { clientSecret: secret } : certificate({ thumbprintSha256: settings.thumbprintSha256 })),
  "msal-node-sha1": () => msal(certificate({ thumbprint: settings.thumbprint })),
  "azure-identity-js": () =>
    azureIdentity(
      secret
        ? new ClientSecretCredential(tenant, clientId, secret, azureOptions)
        : new ClientCertificateCredential(tenant, clientId, { certificatePath: settings.bothPem }, azureOptions),
    ),
  "oauth4webapi-post": () => plain(oauth.ClientSecretPost(secret)),
  "oauth4webapi-basic": () => plain(oauth.ClientSecretBasic(secret)),
  "oauth4webapi-jwt": async () => plain(await privateKeyJwt()),
};

let answer;
try {
  answer = { accessToken: await clients[process.argv[2]](), error: null };
} catch (error) {
  answer = { accessToken: null, error: [error.errorMessage, error.message, error.error_description, JSON.stringify(error.cause)].filter(Boolean).join(" ") };
}
process.stdout.write(JSON.stringify(answer));

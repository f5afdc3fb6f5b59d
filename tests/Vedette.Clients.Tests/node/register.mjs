// Registers an application with Microsoft's own Graph client, uses it, and cleans up: settings as JSON on standard input, what happened as
// JSON on standard output. Nothing here knows that the services are not Microsoft's but the address; without one, nothing at all does.
import { readFileSync } from "node:fs";
import { ClientSecretCredential } from "@azure/identity";
import { Client, PageIterator } from "@microsoft/microsoft-graph-client";
import { TokenCredentialAuthenticationProvider } from "@microsoft/microsoft-graph-client/authProviders/azureTokenCredentials/index.js";

const { address, tenant, clientId, secret, resource } = JSON.parse(readFileSync(0, "utf8"));
const azureOptions = address ? { authorityHost: address, disableInstanceDiscovery: true } : {};
const log = {};

const graph = Client.initWithMiddleware({
  ...(address ? { baseUrl: `${address}/`, customHosts: new Set([new URL(address).hostname]) } : {}),
  authProvider: new TokenCredentialAuthenticationProvider(new ClientSecretCredential(tenant, clientId, secret, azureOptions), {
    scopes: ["https://graph.microsoft.com/.default"],
  }),
});

// The API and the app role that the new application is to have.
const [api] = (await graph.api("/servicePrincipals").filter("displayName eq 'WindowsDefenderATP'").select(["id", "appId", "appRoles"]).get()).value;
const role = api.appRoles.find((candidate) => candidate.value === "Machine.Read.All");

// Application, secret, service principal, role.
const application = await graph.api("/applications").post({
  displayName: "Registered by script",
  signInAudience: "AzureADMyOrg",
  requiredResourceAccess: [{ resourceAppId: api.appId, resourceAccess: [{ id: role.id, type: "Role" }] }],
});
const password = await graph.api(`/applications/${application.id}/addPassword`).post({ passwordCredential: { displayName: "script" } });
const principal = await graph.api("/servicePrincipals").post({ appId: application.appId });
const assignment = await graph
  .api(`/servicePrincipals/${principal.id}/appRoleAssignments`)
  .post({ principalId: principal.id, resourceId: api.id, appRoleId: role.id });
log.assigned = assignment.resourceDisplayName;

// A token for the new application, and a call with it.
const token = (await new ClientSecretCredential(tenant, application.appId, password.secretText, azureOptions).getToken(`${resource}/.default`)).token;
const answer = await fetch(`${address ?? resource}/api/machines`, { headers: { Authorization: `Bearer ${token}` } });
log.status = answer.status;
log.machines = (await answer.json()).value.map((machine) => machine.computerDnsName);

// Reading back: by the other key, page by page, and several at once.
log.byAppId = (await graph.api(`/applications(appId='${application.appId}')`).select("id").get()).id === application.id;
log.paged = [];
const first = await graph.api("/users").top(2).select("userPrincipalName").get();
await new PageIterator(graph, first, (user) => log.paged.push(user.userPrincipalName) > 0).iterate();
const batch = await graph.api("/$batch").post({
  requests: [
    { id: "1", method: "GET", url: "/organization" },
    { id: "2", method: "GET", url: `/applications/${application.id}/owners`, dependsOn: ["1"] },
  ],
});
log.batch = batch.responses.map((response) => response.status);

// Clean-up, and the error of what is not there any more.
await graph.api(`/servicePrincipals/${principal.id}/appRoleAssignments/${assignment.id}`).delete();
await graph.api(`/applications/${application.id}/removePassword`).post({ keyId: password.keyId });
await graph.api(`/servicePrincipals/${principal.id}`).delete();
await graph.api(`/applications/${application.id}`).delete();

// Deleted by mistake, brought back, and deleted for good.
const deleted = await graph.api("/directory/deletedItems/microsoft.graph.application").filter(`appId eq '${application.appId}'`).get();
log.deleted = deleted.value.map((item) => item.displayName);
log.restored = (await graph.api(`/directory/deletedItems/${application.id}/restore`).post({})).id === application.id;
await graph.api(`/applications/${application.id}`).delete();
await graph.api(`/directory/deletedItems/${application.id}`).delete();
try {
  await graph.api(`/applications/${application.id}`).get();
} catch (error) {
  log.gone = { status: error.statusCode, code: error.code, hasRequestId: Boolean(error.requestId) };
}

process.stdout.write(JSON.stringify(log));

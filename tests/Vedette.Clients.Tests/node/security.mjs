// Works with alerts and incidents by way of Microsoft's own Graph client: settings as JSON on standard input; a line when a change is to be told of,
// then what happened as JSON on standard output. Nothing here knows that the services are not Microsoft's but the addresses.
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { ClientSecretCredential } from "@azure/identity";
import { Client, PageIterator } from "@microsoft/microsoft-graph-client";
import { TokenCredentialAuthenticationProvider } from "@microsoft/microsoft-graph-client/authProviders/azureTokenCredentials/index.js";

const { address, tenant, clientId, secret } = JSON.parse(readFileSync(0, "utf8"));
const log = {};
const graph = Client.initWithMiddleware({
  baseUrl: `${address}/`,
  customHosts: new Set([new URL(address).hostname]),
  authProvider: new TokenCredentialAuthenticationProvider(
    new ClientSecretCredential(tenant, clientId, secret, { authorityHost: address, disableInstanceDiscovery: true }),
    { scopes: ["https://graph.microsoft.com/.default"] },
  ),
});

async function all(first, field) {
  const found = [];
  await new PageIterator(graph, first, (item) => found.push(item[field]) > 0).iterate();
  return found;
}

// Lists, page by page.
log.alerts = await all(await graph.api("/security/alerts_v2").top(3).orderby("createdDateTime desc").get(), "id");
log.incidents = await all(await graph.api("/security/incidents").top(2).expand("alerts").get(), "id");
const [chosen] = (await graph.api("/security/alerts_v2").filter("severity eq 'high'").top(1).get()).value;
log.evidence = chosen.evidence.map((item) => item["@odata.type"]);

// Changes and comments.
log.updated = (await graph.api(`/security/alerts_v2/${chosen.id}`).patch({ status: "inProgress", assignedTo: "soc@contoso.example" })).status;
log.comments = (await graph.api(`/security/alerts_v2/${chosen.id}/comments`).post({ "@odata.type": "microsoft.graph.security.alertComment", comment: "Looking." })).value.map((item) => item.comment);
const incident = await graph.api(`/security/incidents/${chosen.incidentId}`).patch({ customTags: ["script"], classification: "truePositive", determination: "malware" });
log.incident = [incident.classification, incident.determination, incident.customTags];
log.incidentComments = (await graph.api(`/security/incidents/${chosen.incidentId}/comments`).post({ comment: "Together." })).value.map((item) => item.comment);

// Hunting.
const hunt = await graph.api("/security/runHuntingQuery").post({ Query: "print answer = 42, words = 'a b'", Timespan: "P7D" });
log.hunt = [hunt.schema.map((column) => column.name), hunt.results];

// What changed since a moment.
let page = await graph.api("/security/incidents/delta").get();
const seen = [];
for (; page["@odata.nextLink"]; page = await graph.api(page["@odata.nextLink"]).get()) seen.push(...page.value);
log.delta = seen.length + page.value.length;
const deltaLink = page["@odata.deltaLink"];

// Notifications of changes.
let told;
const arrived = new Promise((resolve) => (told = resolve));
const receiver = createServer((request, answer) => {
  const token = new URL(request.url, "http://localhost").searchParams.get("validationToken");
  if (token) return answer.writeHead(200, { "Content-Type": "text/plain" }).end(token);
  let body = "";
  request.on("data", (part) => (body += part)).on("end", () => {
    answer.writeHead(202).end();
    told(JSON.parse(body).value);
  });
});
await new Promise((listening) => receiver.listen(0, "127.0.0.1", listening));
const subscription = await graph.api("/subscriptions").post({
  changeType: "updated",
  notificationUrl: `http://localhost:${receiver.address().port}/hook`,
  resource: "security/incidents",
  expirationDateTime: new Date(Date.now() + 3_600_000).toISOString(),
  clientState: "only we know",
});
await graph.api(`/security/incidents/${chosen.incidentId}`).patch({ status: "resolved" });
console.log("changed");
log.told = (await arrived).map((item) => [item.changeType, item.resource, item.clientState, item.subscriptionId === subscription.id]);
log.since = (await graph.api(deltaLink).get()).value.map((item) => [item.id, item.status]);
log.renewed = (await graph.api(`/subscriptions/${subscription.id}`).patch({ expirationDateTime: new Date(Date.now() + 7_200_000).toISOString() })).expirationDateTime > subscription.expirationDateTime;
await graph.api(`/subscriptions/${subscription.id}`).delete();
log.subscriptions = (await graph.api("/subscriptions").get()).value.length;
receiver.close();
receiver.closeAllConnections();

try {
  await graph.api("/security/incidents").top(100).get();
} catch (error) {
  log.refused = [error.statusCode, error.message];
}

console.log(JSON.stringify(log));

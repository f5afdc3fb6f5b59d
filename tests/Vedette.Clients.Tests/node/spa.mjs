// A single-page application: unmodified @azure/msal-browser in a page in Chromium signs a person in (in a popup, and by redirect), renews the
// token without the person, and signs out. Settings as JSON on standard input; the answer is a line of JSON with what happened, in order.
import { createServer } from "node:http";
import { readFileSync } from "node:fs";
import { chromium } from "playwright-core";

const settings = JSON.parse(readFileSync(0, "utf8"));
const library = new URL("./node_modules/@azure/msal-browser/lib/", import.meta.url);
const files = {
  "/": ["text/html", `<!doctype html><title>app</title><script src="/msal.js"></script><script type="module">
    const app = new msal.PublicClientApplication(${JSON.stringify({
      auth: {
        clientId: settings.nativeId,
        authority: `${settings.authority ?? "https://login.microsoftonline.com"}/${settings.tenant}`,
        redirectUri: "http://localhost:5173/redirect",
        ...(settings.authority ? { knownAuthorities: [new URL(settings.authority).host] } : {}),
      },
    })});
    const scopes = ${JSON.stringify([settings.userScope])};
    await app.initialize();
    const returned = await app.handleRedirectPromise();
    const account = () => app.getAllAccounts()[0];
    const told = (result) => ({ token: result.accessToken, user: result.account.username, idToken: result.idToken, tenant: result.tenantId, fromCache: result.fromCache });
    window.app = {
      returned: returned && told(returned),
      popup: async () => told(await app.acquireTokenPopup({ scopes })),
      redirect: () => app.acquireTokenRedirect({ scopes }),
      silent: async (forceRefresh) => told(await app.acquireTokenSilent({ scopes, account: account(), forceRefresh })),
      signOut: () => app.logoutRedirect({ account: account(), postLogoutRedirectUri: "http://localhost:5173/redirect" }),
      accounts: () => app.getAllAccounts().length,
    };
  </script>`],
  "/redirect": ["text/html", `<!doctype html><title>redirect</title><script src="/bridge.js"></script><script>
    if (location.hash || location.search) msalRedirectBridge.broadcastResponseToMainFrame();
  </script>`],
  "/msal.js": ["text/javascript", readFileSync(new URL("msal-browser.min.js", library))],
  "/bridge.js": ["text/javascript", readFileSync(new URL("redirect-bridge/msal-redirect-bridge.min.js", library))],
};
const server = createServer((request, response) => {
  const file = files[new URL(request.url, "http://localhost").pathname];
  response.writeHead(file ? 200 : 404, { "content-type": file?.[0] ?? "text/plain" }).end(file?.[1]);
});
await new Promise((ready) => server.listen(5173, "127.0.0.1", ready));

const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"] });
const said = [];
try {
  const first = {};
  {
    const context = await browser.newContext({ ignoreHTTPSErrors: true });
    const page = await open(context);
    const popup = context.waitForEvent("page");
    const popped = page.evaluate(() => window.app.popup());
    await signIn(await popup);
    first.popup = await popped;
    first.cached = await page.evaluate(() => window.app.silent(false));
    first.renewed = await page.evaluate(() => window.app.silent(true));
    await context.close();
  }

  const second = {};
  {
    const context = await browser.newContext({ ignoreHTTPSErrors: true });
    const page = await open(context);
    await leave(page, "redirect", (url) => url.port !== "5173");
    await signIn(page);
    await page.waitForURL("http://localhost:5173/");
    await page.waitForFunction(() => window.app);
    second.redirect = await page.evaluate(() => window.app.returned);
    second.renewed = await page.evaluate(() => window.app.silent(true));
    second.sessionBefore = await ask(context, second.renewed.idToken);
    await leave(page, "signOut", (url) => url.pathname === "/redirect");
    await page.goto("http://localhost:5173/");
    await page.waitForFunction(() => window.app);
    second.sessionAfter = await ask(context, second.renewed.idToken);
    second.accounts = await page.evaluate(() => window.app.accounts());

    // The authority forgot the person, too: it asks again.
    await leave(page, "redirect", (url) => url.port !== "5173");
    await page.waitForSelector("#password");
    second.askedAgain = true;
    await context.close();
  }

  const api = await fetch("https://api.securitycenter.microsoft.com/api/alerts?$top=1", { headers: { authorization: `Bearer ${first.renewed.token}` } });
  console.log(JSON.stringify({ first, second, api: { status: api.status, body: await api.json() } }));
} catch (error) {
  console.log(JSON.stringify({ error: String(error), said }));
} finally {
  await browser.close();
  server.close();
}

async function open(context) {
  const page = await context.newPage();
  page.setDefaultTimeout(60_000);
  page.on("console", (message) => said.push(message.text()));
  page.on("pageerror", (error) => said.push(String(error)));
  await page.goto("http://localhost:5173/");
  await page.waitForFunction(() => window.app);
  return page;
}

// The call does not return: the page goes away under it.
async function leave(page, call, there) {
  await Promise.all([page.waitForURL(there), page.evaluate((name) => void setTimeout(() => window.app[name]()), call)]);
}

// OpenID Connect Session Management: the authority's frame tells whether the session is still the one of the id token. Chromium keeps cookies
// from frames of other sites, so the page is opened by itself here.
async function ask(context, idToken) {
  const session = JSON.parse(Buffer.from(idToken.split(".")[1], "base64url")).sid;
  const page = await context.newPage();
  await page.goto(`${settings.authority ?? "https://login.microsoftonline.com"}/common/oauth2/checksession`);
  const answer = await page.evaluate((message) => new Promise((told) => {
    addEventListener("message", (event) => event.data !== message && told(event.data));
    postMessage(message, "*");
  }), `${settings.nativeId} ${session}`);
  await page.close();
  return answer;
}

async function signIn(page) {
  page.setDefaultTimeout(60_000);
  await page.waitForSelector("#password");
  await page.fill("#name", settings.userName);
  await page.fill("#password", settings.password);
  await page.keyboard.press("Enter");
}

// A person at a real browser (Chromium, without scripts): opens an address, signs in, accepts, and waits until the browser is back at the
// application. Usage: browser.mjs URL [PREFIX]. With PREFIX it prints the first address that starts with it and that the browser was sent to.
import { chromium } from "playwright-core";

const [url, prefix] = process.argv.slice(2);
const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"] });
try {
  // The browser is not what is tested here, so it need not have the authority in its own store.
  const context = await browser.newContext({ ignoreHTTPSErrors: true, javaScriptEnabled: false });
  const page = await context.newPage();
  page.setDefaultTimeout(60_000);
  let reached = null;
  page.on("request", (request) => {
    if (prefix && !reached && request.isNavigationRequest() && request.url().startsWith(prefix)) reached = request.url();
  });
  await page.goto(url);
  for (let step = 0; step < 8 && !reached; step++) {
    if (await page.locator("#password").count()) {
      await page.fill("#name", process.env.VEDETTE_USER);
      await page.fill("#password", process.env.VEDETTE_PASSWORD);
      await leave(page, () => page.keyboard.press("Enter"));
    } else if (await page.locator("button[value=accept]").count()) {
      await leave(page, () => page.click("button[value=accept]"));
    } else if (await page.locator("main button[type=submit]").count()) {
      // A device's code, or an answer that is posted to the application: without scripts that takes a press of a button.
      await leave(page, () => page.click("main button[type=submit]"));
    } else {
      break;
    }
  }
  if (prefix) process.stdout.write(reached ?? `nothing was reached; the page says: ${(await page.locator("main").innerText()).replace(/\s+/g, " ")}`);
} finally {
  await browser.close();
}

// The last redirect may lead where nobody listens: that is the end, too.
async function leave(page, act) {
  await Promise.all([page.waitForEvent("framenavigated").catch(() => null), act()]);
  await page.waitForLoadState("domcontentloaded").catch(() => null);
}

// The sign-in pages in Chromium without scripts, with the keyboard alone, at desktop and phone width. Prints what is wrong, a line each.
import { chromium } from "playwright-core";

const [url, user, password] = process.argv.slice(2);
const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"] });
const wrong = [];
try {
  for (const [name, options] of [["desktop", { viewport: { width: 1280, height: 800 } }], ["phone", { viewport: { width: 360, height: 740 }, isMobile: true, colorScheme: "dark" }]]) {
    const context = await browser.newContext({ ...options, ignoreHTTPSErrors: true, javaScriptEnabled: false });
    const page = await context.newPage();
    page.setDefaultTimeout(60_000);
    const check = async (what) => {
      // Nothing may stick out to the right, and everything that takes a finger must be large enough for one.
      for (const part of await page.locator("main h1, main p, main li, main input:not([type=hidden]), main button, main code").all()) {
        const box = await part.boundingBox();
        if (box && box.x + box.width > options.viewport.width + 1) wrong.push(`${name} ${what}: ${(await part.innerText().catch(() => "")).slice(0, 40)} sticks out`);
      }
      for (const button of await page.locator("main button").all()) {
        if ((await button.boundingBox()).height < 40) wrong.push(`${name} ${what}: a button is too small`);
      }
      for (const input of await page.locator("main input:not([type=hidden]):not([type=checkbox])").all()) {
        const id = await input.getAttribute("id");
        if (!(await page.locator(`label[for="${id}"]`).count())) wrong.push(`${name} ${what}: a field has no label`);
      }
    };
    await page.goto(url);
    await page.waitForSelector("#name:focus");
    await check("sign-in");
    await page.keyboard.type(user);
    await page.keyboard.press("Tab");
    await page.keyboard.type(password);
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await page.waitForSelector("button[value=accept]");
    await check("consent");
    for (let tabs = 0; tabs < 10 && !(await page.locator("button[value=cancel]:focus").count()); tabs++) await page.keyboard.press("Tab");
    let left = null;
    page.on("request", (request) => { if (request.isNavigationRequest() && request.url().startsWith("http://localhost:59/")) left = request.url(); });
    await page.keyboard.press("Enter");
    for (let waited = 0; waited < 600 && !left; waited++) await new Promise((later) => setTimeout(later, 100));
    if (!left?.includes("error=access_denied")) wrong.push(`${name}: Cancel led to ${left}`);
    await context.close();
  }
} catch (error) {
  wrong.push(String(error));
} finally {
  await browser.close();
}
console.log(JSON.stringify({ wrong }));

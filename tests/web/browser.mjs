// One headless Chromium for a test file, with an invented camera and microphone.
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { NOW } from "./fixtures.mjs";

const FLAGS = ["--use-fake-device-for-media-stream=fps=30", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--force-prefers-no-reduced-motion"];

export async function launch({ camera = "granted" } = {}) {
  const flags = camera === "none" ? FLAGS.map((flag) => (flag.startsWith("--use-fake-device") ? "--use-fake-device-for-media-stream=device-count=0" : flag)) : FLAGS;
  const ui = camera === "denied" ? ["--use-fake-ui-for-media-stream=deny"] : ["--use-fake-ui-for-media-stream"];
  return chromium.launch({ executablePath: "/usr/bin/chromium", chromiumSandbox: false, headless: true, args: [...flags, ...ui], env: { ...process.env, FONTCONFIG_FILE: fileURLToPath(new URL("fonts.conf", import.meta.url)) } });
}

export const PHONE = { width: 360, height: 800 };
export const DESK = { width: 1440, height: 900 };

// A page whose clock stands at the fixtures' moment (and runs), in a language, in light or dark. `text`: the size
// that is set in the browser.
export async function open(browser, { viewport = PHONE, scheme = "light", language = null, touch = viewport.width < 800, clock = true, text = 16 } = {}) {
  const context = await browser.newContext({ viewport, colorScheme: scheme, hasTouch: touch, isMobile: touch, deviceScaleFactor: touch ? 2 : 1, locale: language || "kk" });
  if (language) await context.addInitScript((chosen) => localStorage.setItem("checkind.language", chosen), language);
  const page = await context.newPage();
  if (text !== 16) await (await context.newCDPSession(page)).send("Page.setFontSizes", { fontSizes: { standard: text, fixed: text } });
  page.faults = [];
  page.on("console", (message) => message.type() === "error" && page.faults.push(message.text()));
  page.on("pageerror", (error) => page.faults.push(String(error)));
  if (clock) {
    await page.addInitScript((now) => {
      const start = performance.now();
      const Real = Date;
      Date.now = () => now + Math.round(performance.now() - start);
      window.Date = new Proxy(Real, { construct: (target, args) => (args.length ? new target(...args) : new target(Date.now())) });
    }, NOW);
  }
  return page;
}

// Chromium with fake devices, one instance a side, because all pages of one browser share the fake camera.
import { chromium } from "playwright-core";
import path from "node:path";

const QUIET = ["--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync", "--autoplay-policy=no-user-gesture-required"];

// For anything that will happen; the machine may be busy.
export const WAIT_MS = 60000;

export const PHONE = { viewport: { width: 360, height: 800 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true };
export const DESK = { viewport: { width: 1440, height: 900 } };

// side: "person" or "staff" for its picture and sound; or {flags} for a device that is missing or denied.
export async function launch(mediaDir, side, extra = []) {
  const media = side
    ? ["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream",
       `--use-file-for-fake-video-capture=${path.join(mediaDir, side + ".mjpeg")}`,
       `--use-file-for-fake-audio-capture=${path.join(mediaDir, side + ".wav")}`]
    : [];
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    chromiumSandbox: false,
    args: [...QUIET, "--allow-loopback-in-peer-connection", ...media, ...extra],
  });
}

// A fresh profile. Errors of the page are collected: a test that ends with one fails.
export async function open(browser, shape, language = "ru") {
  const context = await browser.newContext({ ...shape, ignoreHTTPSErrors: true, locale: language, timezoneId: "Asia/Almaty" });
  const page = await context.newPage();
  page.setDefaultTimeout(WAIT_MS);
  page.faults = [];
  page.on("pageerror", (error) => page.faults.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error" && !/Failed to load resource|net::ERR|WebSocket connection/.test(message.text()))
      page.faults.push(message.text());
  });
  return page;
}

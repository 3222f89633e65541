// Inside the namespace that firefox.test.mjs made: the person in Firefox, the inspector in Chromium, each sees and hears the other.
import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import puppeteer from "puppeteer-core";
import { DESK, launch, open } from "./browser.mjs";
import { ownDevices, tone } from "./devices.mjs";
import { SIDES, listen, makeMedia, watchPicture } from "./media.mjs";
import { REMOTE, login } from "./pages.mjs";
import { Product, until } from "./product.mjs";

const NUMBER = 5; // the person's picture and tone
const WAIT_MS = 60000;
const media = path.join(os.tmpdir(), "checkind-e2e-media");
makeMedia(media);

const home = fs.mkdtempSync(path.join(os.tmpdir(), "checkind-firefox-"));
// There is no sound card: Firefox's own pretended one keeps its sound running (media.cubeb.force_mock_context).
const firefox = () => puppeteer.launch({
  browser: "firefox", executablePath: "/usr/bin/firefox-esr", acceptInsecureCerts: true, env: { ...process.env, HOME: home },
  extraPrefsFirefox: {
    "media.autoplay.default": 0, "media.autoplay.blocking_policy": 0, "media.autoplay.block-webaudio": false,
    "media.cubeb.force_mock_context": true, "media.peerconnection.ice.obfuscate_host_addresses": false, "intl.accept_languages": "ru" },
});

async function press(page, text) {
  const button = await page.waitForSelector(`::-p-xpath(//button[normalize-space()="${text}"])`, { timeout: WAIT_MS, visible: true });
  await button.click();
}

const [product, persons, staff] = await Promise.all([
  Product.start({ name: "firefox" }).then((made) => made.people()), firefox(), launch(media, "staff")]);
try {
  const person = await product.person();
  const desk = await open(staff, DESK);
  await login(desk, product, "inspector");
  const { checkin, link } = await product.ring(person);

  const phone = await persons.newPage();
  await phone.setViewport({ width: 360, height: 740 });
  await phone.evaluateOnNewDocument(ownDevices, { number: NUMBER, tone: tone(NUMBER) });
  await phone.goto(link);
  await press(phone, "Продолжить");
  await press(phone, "Прочитано. Включить камеру");
  await press(phone, "Ответить");
  await phone.waitForSelector("[data-screen=waiting]", { timeout: WAIT_MS });
  await desk.locator(".urgent-card.ring").getByRole("button", { name: "Ответить" }).click();
  await phone.waitForSelector("[data-screen=call]", { timeout: WAIT_MS });

  const [there, here] = [await watchPicture(phone, REMOTE.person), await watchPicture(desk, REMOTE.staff)];
  assert.equal(there.error, undefined);
  assert.equal(there.hue, SIDES.staff.hue, "Firefox sees the inspector");
  assert.ok(there.frames.length >= 10, `Firefox sees ${there.frames.length} frames`);
  assert.ok(here.frames.length >= 10, `Chromium sees ${here.frames.length} frames`);
  assert.ok(here.frames.filter((frame) => (frame & 15) !== NUMBER).length <= 1, "Chromium sees Firefox's picture");
  for (const [page, side, hz] of [[phone, "person", SIDES.staff.tone], [desk, "staff", tone(NUMBER)]]) {
    const heard = await listen(page, REMOTE[side], hz);
    assert.equal(heard.error, undefined);
    assert.ok(Math.abs(heard.hz - hz) < 15, `${side} hears ${hz} Hz: ${heard.hz.toFixed(0)} Hz`);
  }

  await desk.getByRole("button", { name: "Завершить" }).click();
  await desk.getByLabel("Сравнил(а) с эталонным фото: это этот человек").check();
  await desk.getByRole("button", { name: "Сохранить итог" }).click();
  const row = await until(async () => { const now = await product.inspector.get(`/api/checkins/${checkin.id}`); return now.outcome && now; }, "the outcome");
  assert.equal(row.outcome, "completed");
  await phone.waitForSelector(".receipt-number", { timeout: WAIT_MS });
  assert.deepEqual(desk.faults, []);
} finally {
  await Promise.all([persons.close(), staff.close()]);
  await product.stop();
  fs.rmSync(home, { recursive: true, force: true });
}

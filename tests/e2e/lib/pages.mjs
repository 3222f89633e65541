// What people do in the pages, in the words that they read there (Russian).
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { WAIT_MS } from "./browser.mjs";
import { PASSWORD } from "./product.mjs";
import { SIDES, listen, watchPicture } from "./media.mjs";

export const REMOTE = { person: "video[aria-label='Изображение инспектора']", staff: "video.stage-remote" };

export async function login(page, product, name, password = PASSWORD) {
  await page.goto(product.base + "/");
  await page.getByLabel("Логин").fill(name);
  await page.getByLabel("Пароль").fill(password);
  await page.getByRole("button", { name: "Войти" }).click();
  await page.waitForFunction(() => location.hash.length > 1);
}

// From the link to the waiting room (or the first challenge): landing, notice, camera check, answer.
export async function answer(page, link) {
  await page.goto(link);
  await page.getByRole("button", { name: "Продолжить" }).click();
  await page.getByRole("button", { name: "Прочитано. Включить камеру" }).click();
  await page.getByRole("button", { name: "Ответить", exact: true }).click();
}

export const screen = (page, name) => page.waitForSelector(`[data-screen="${name}"]`, { timeout: WAIT_MS });

// Each side sees the other's moving picture and hears the other's tone, and not its own.
export async function verifyMedia(page, side) {
  const other = side === "person" ? "staff" : "person";
  const seen = await watchPicture(page, REMOTE[side]);
  assert.equal(seen.error, undefined);
  assert.equal(seen.hue, SIDES[other].hue, `${side} sees the picture of ${other}`);
  assert.ok(seen.frames.length >= 10, `${side} sees it move: ${seen.frames.length} frames`);
  const heard = await listen(page, REMOTE[side], SIDES[other].tone);
  assert.equal(heard.error, undefined);
  assert.ok(Math.abs(heard.hz - SIDES[other].tone) < 15, `${side} hears ${SIDES[other].tone} Hz: ${heard.hz.toFixed(0)} Hz at ${heard.level.toFixed(0)} dB`);
}

// Pictures for people to look at, where CK_SHOTS names a folder.
export async function shot(page, name) {
  if (!process.env.CK_SHOTS) return;
  fs.mkdirSync(process.env.CK_SHOTS, { recursive: true });
  await page.screenshot({ path: path.join(process.env.CK_SHOTS, `${name}.png`) });
}

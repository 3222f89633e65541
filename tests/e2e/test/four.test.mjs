// Four calls at once in one browser: eight pages, and each sees and hears its own counterpart and nobody else.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { DESK, PHONE, launch, open } from "../lib/browser.mjs";
import { ownDevices, tone } from "../lib/devices.mjs";
import { listen, watchPicture } from "../lib/media.mjs";
import { REMOTE, answer, login, screen } from "../lib/pages.mjs";
import { Product, until } from "../lib/product.mjs";

const CALLS = 4;
let product, browser;

before(async () => {
  product = await (await Product.start({ name: "four" })).people();
  browser = await launch(null, null);
});
after(async () => {
  await browser?.close();
  await product?.stop();
});

async function page(shape, number) {
  const made = await open(browser, shape);
  await made.addInitScript(ownDevices, { number, tone: tone(number) });
  return made;
}

async function begin(index) {
  const name = `inspector${index}`;
  const { id, own: who } = await product.staff({ login: name, name: `Инспектор ${index}`, roles: ["inspector"] });
  const person = await product.person(`Человек ${index}`, "medium", { who, inspector: id });
  const [phone, desk] = [await page(PHONE, 2 * index), await page(DESK, 2 * index + 1)];
  await login(desk, product, name);
  const checkin = await who.post(`/api/persons/${person.id}/checkins`, { reason: "test", kind: "live" });
  await answer(phone, await product.link(person));
  await screen(phone, "waiting");
  await desk.locator(".urgent-card.ring").getByRole("button", { name: "Ответить" }).click();
  await screen(phone, "call");
  return { index, who, person, checkin, phone, desk };
}

async function verify(side, from, to) {
  const seen = await watchPicture(side, REMOTE[from]);
  assert.equal(seen.error, undefined);
  assert.ok(seen.frames.length >= 10, `${seen.frames.length} frames`);
  const foreign = seen.frames.filter((frame) => (frame & 15) !== to);
  assert.ok(foreign.length <= 1, `page ${to} is seen, not ${foreign.map((frame) => frame & 15)}`); // a frame may be read while it is painted over
  const heard = await listen(side, REMOTE[from], tone(to));
  assert.equal(heard.error, undefined);
  assert.ok(Math.abs(heard.hz - tone(to)) < 15, `${tone(to)} Hz: ${heard.hz.toFixed(0)} Hz`);
}

test("four calls at once in one browser", { timeout: 300000 }, async () => {
  const calls = [];
  for (let index = 0; index < CALLS; index++) calls.push(await begin(index));
  const { calls: now } = JSON.parse(product.control("--json", "status"));
  assert.equal(now ?? CALLS, CALLS);
  for (const { index, phone, desk } of calls) {
    await verify(phone, "person", 2 * index + 1);
    await verify(desk, "staff", 2 * index);
  }
  for (const { desk, who, checkin, phone } of calls) {
    await desk.getByRole("button", { name: "Завершить" }).click();
    await desk.getByLabel("Сравнил(а) с эталонным фото: это этот человек").check();
    await desk.getByRole("button", { name: "Сохранить итог" }).click();
    const row = await until(async () => { const one = await who.get(`/api/checkins/${checkin.id}`); return one.state === "done" && one; }, "the outcome");
    assert.equal(row.outcome, "completed");
    assert.deepEqual([phone.faults, desk.faults], [[], []]);
  }
});

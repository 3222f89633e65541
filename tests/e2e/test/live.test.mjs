// A live check-in: the person answers on a phone, the inspector on a phone too, both see and hear each other through the daemon, and
// the outcome is written.
import assert from "node:assert/strict";
import os from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { PHONE, DESK, launch, open } from "../lib/browser.mjs";
import { makeMedia } from "../lib/media.mjs";
import { answer, login, screen, shot, verifyMedia } from "../lib/pages.mjs";
import { Product, until } from "../lib/product.mjs";

const media = path.join(os.tmpdir(), "checkind-e2e-media");
let product, personBrowser, staffBrowser;

before(async () => {
  makeMedia(media);
  product = await (await Product.start({ name: "live" })).people();
  personBrowser = await launch(media, "person");
  staffBrowser = await launch(media, "staff");
});

after(async () => {
  await personBrowser?.close();
  await staffBrowser?.close();
  await product?.stop();
});

for (const [shape, name] of [[DESK, "desk"], [PHONE, "phone"]]) {
  test(`live check-in, inspector at a ${name}`, { timeout: 120000 }, async () => {
    const person = await product.person();
    const console_ = await open(staffBrowser, shape);
    await login(console_, product, "inspector");
    await shot(console_, `console-today-${name}`);

    const { checkin, link } = await product.ring(person);
    const phone = await open(personBrowser, PHONE);
    await answer(phone, link);
    await screen(phone, "waiting");
    await shot(phone, `person-waiting-${name}`);

    await console_.getByRole("button", { name: "Ответить" }).first().click();
    await screen(phone, "call");
    await until(() => console_.evaluate(() => { const v = document.querySelector("video.stage-remote"); return v && v.videoWidth > 0; }), "the inspector sees the person");
    await verifyMedia(phone, "person");
    await verifyMedia(console_, "staff");
    await shot(phone, `person-call-${name}`);
    await shot(console_, `console-call-${name}`);

    await console_.getByRole("button", { name: "Завершить" }).click();
    await screen(phone, "result");
    await console_.getByLabel("Сравнил(а) с эталонным фото: это этот человек").check();
    await shot(console_, `console-outcome-${name}`);
    await console_.getByRole("button", { name: "Сохранить итог" }).click();
    const done = await until(async () => {
      const row = await product.inspector.get(`/api/checkins/${checkin.id}`);
      return row.state === "done" && row;
    }, "the check-in is done");
    assert.equal(done.outcome, "completed");
    await until(async () => (await product.inspector.get(`/api/checkins/${checkin.id}`)).recordings.every((r) => r.state === "closed"), "recordings are closed");
    const row = await product.inspector.get(`/api/checkins/${checkin.id}`);
    assert.deepEqual(row.recordings.map((r) => r.leg).sort(), ["person", "staff"]);
    assert.equal(row.incident_id, null);
    await shot(phone, `person-result-${name}`);
    assert.deepEqual(phone.faults, []);
    assert.deepEqual(console_.faults, []);
    await phone.context().close();
    await console_.context().close();
  });
}

// Nobody answers: notices to the person, the incident, the ladder over real SMTP and webhook receivers, an officer at a phone who takes
// it over and concludes it. And our own failure, which is never charged to the person.
import assert from "node:assert/strict";
import os from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { PHONE, launch, open } from "../lib/browser.mjs";
import { makeMedia } from "../lib/media.mjs";
import { login, shot } from "../lib/pages.mjs";
import { Product, until } from "../lib/product.mjs";

const media = path.join(os.tmpdir(), "checkind-e2e-media");
let product, browser;

before(async () => {
  makeMedia(media);
  product = await (await Product.start({ name: "no-answer", policy: {
    attempts: 2, attempt_spacing: "8 s", response_window: "24 s", grace: "2 s", late_limit: "34 s", answerable_percent: 40,
    ladder_inspector: "10 s", ladder_duty: "10 s", ladder_supervisor: "10 s", ladder_repeat: "10 s", makeup_delay: "30 min" } })).people();
  browser = await launch(media, "staff");
});

after(async () => {
  await browser?.close();
  await product?.stop();
});

const mailTo = (who, milliseconds) => product.mail.next((item) => item.to.includes(who) && /#\/incidents\//.test(item.text), milliseconds, `mail to ${who}`);

test("nobody answers, the ladder climbs, an officer takes it over", { timeout: 300000 }, async () => {
  const person = await product.person();
  const { checkin } = await product.ring(person);
  await product.mail.next((item) => item.to.includes("person@example.kz") && /\/c\//.test(item.text), 60000, "mail to the person");
  await product.sms.next((item) => item.body.to === person.phone, 60000, "second SMS");

  // The assigned inspector by mail, and the agency's own system by a signed webhook.
  const mail = await mailTo("inspector@example.kz", 60000);
  const hook = await product.hook.next((item) => true, 60000, "webhook");
  assert.ok(product.checkWebhook(hook), "the webhook is signed");
  const forged = { ...hook, raw: Buffer.concat([hook.raw, Buffer.from(" ")]) };
  assert.ok(!product.checkWebhook(forged), "and nothing else would be");
  assert.ok(!hook.raw.includes(person.name) && !mail.text.includes(person.name), "no name leaves the agency");
  const id = Number(mail.text.match(/#\/incidents\/(\d+)/)[1]);
  const row = await product.inspector.get(`/api/incidents/${id}`);
  assert.equal(row.kind, "no_contact");
  assert.equal(row.outcome, "no_answer");
  assert.equal(row.checkin_id, checkin.id);

  // Nobody takes it over: the duty officer, then the supervisor, and the last step again.
  await mailTo("officer@example.kz", 60000);
  await mailTo("chief@example.kz", 60000);
  await mailTo("chief@example.kz", 60000);

  const phone = await open(browser, PHONE);
  await login(phone, product, "officer");
  await phone.goto(`${product.base}/#/incidents/${id}`);
  const take = phone.locator(".dock").getByRole("button", { name: "Беру на себя" }); // the alarm above the page has one too
  const box = await take.boundingBox();
  assert.ok(box.height >= 44 && box.x >= 0 && box.x + box.width <= PHONE.viewport.width && box.y + box.height <= PHONE.viewport.height,
    `one tap away, under the thumb: ${JSON.stringify(box)}`);
  await shot(phone, "incident-open-phone");
  await take.click();
  await until(async () => (await product.officer.get(`/api/incidents/${id}`)).state === "acknowledged", "the officer holds it");
  await shot(phone, "incident-taken-phone");

  // The ladder rests while somebody holds it.
  assert.equal((await product.officer.get(`/api/incidents/${id}`)).next.what, "ack_expires");

  const done = await until(async () => {
    const value = await product.inspector.get(`/api/checkins/${checkin.id}`);
    return value.state === "done" && value;
  }, "the outcome", 60000);
  assert.equal(done.outcome, "no_answer");
  assert.ok(done.answerable_s >= done.answerable_needed_s, `${done.answerable_s} s of ${done.answerable_needed_s} s`);
  assert.equal(done.attempts_made.length, 2);

  await product.officer.post(`/api/incidents/${id}/conclude`, { conclusion: "breach", reason: "был дома и не ответил" });
  const closed = await product.officer.get(`/api/incidents/${id}`);
  assert.equal(closed.state, "closed");
  assert.equal(closed.conclusion.conclusion, "breach");
  assert.ok(closed.line.some((line) => line.channel === "email" && line.state === "accepted"));
  product.control("log", "verify", "--store", path.join(product.state, "checkind.db")); // fails where there is a finding
});

test("a gateway that refuses everything is our fault", { timeout: 300000 }, async () => {
  const person = await product.person("Асан Оспанов");
  await product.inspector.post(`/api/persons/${person.id}`, { email: null });
  product.smsFault = 503;
  const checkin = await product.inspector.post(`/api/persons/${person.id}/checkins`, { reason: "test", kind: "live" });
  const done = await until(async () => {
    const value = await product.inspector.get(`/api/checkins/${checkin.id}`);
    return value.outcome && value;
  }, "the outcome", 60000);
  assert.equal(done.outcome, "system_fault");
  assert.ok(done.incident_id > 0, "and it is an incident all the same");
  product.smsFault = null;
});

// Killed without warning: checkind while it rings, in a call, and between an outcome and its first notice; checkin-media in a call.
// checkin-render hangs at its work. Afterwards nothing is lost and nothing doubled, and a call is back without anyone pressing a key.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { DESK, PHONE, open } from "../lib/browser.mjs";
import { answer, login, screen, verifyMedia } from "../lib/pages.mjs";
import { Scene, conclude } from "../lib/scene.mjs";
import { until } from "../lib/product.mjs";

let scene, product;

before(async () => {
  scene = await Scene.set("kill", { policy: {
    attempts: 2, attempt_spacing: "8 s", response_window: "30 s", grace: "2 s", late_limit: "34 s", answerable_percent: 10, challenge_count: 1,
    live_wait: "60 s", ladder_inspector: "10 min", makeup_delay: "30 min", notice_retry_first: "2 s" } });
  product = scene.product;
});
after(() => scene?.strike());

const recording = (page) => page.getByText("Идёт запись").first();

// The sum of what was rung: one SMS an attempt, one row each, in their order.
function rings(checkin) {
  return product.sql(`SELECT channel, fire, count(*) AS n FROM notice WHERE checkin_id = ${checkin.id} AND incident_id IS NULL GROUP BY channel, fire ORDER BY channel, fire`);
}

test("checkind while it rings", { timeout: 300000 }, async () => {
  const person = await product.person();
  const { checkin, link } = await product.ring(person);
  assert.equal((await scene.read(checkin)).state, "ringing");
  await product.kill9();
  await product.up();

  // The second ring comes at its time, the first is not repeated, and its link still opens.
  await product.sms.next((item) => item.body.to === person.phone, 60000, "second ring");
  assert.equal(product.sms.items.filter((item) => item.body.to === person.phone).length, 2);
  assert.ok(rings(checkin).every((row) => row.n === 1), JSON.stringify(rings(checkin)));
  const phone = await open(scene.persons, PHONE);
  await answer(phone, link);
  await screen(phone, "waiting");
  const desk = await open(scene.staff, DESK);
  await login(desk, product, "inspector");
  await desk.locator(".urgent-card.ring").getByRole("button", { name: "Ответить" }).click();
  await screen(phone, "call");
  await verifyMedia(desk, "staff");
  await conclude(desk);
  const row = await scene.decided(checkin);
  assert.equal(row.outcome, "completed");
  assert.equal(row.incident_id, null);
  scene.verify();
  await phone.context().close();
  await desk.context().close();
});

test("checkind in a call, then checkin-media in the same one", { timeout: 300000 }, async () => {
  const { checkin, phone, desk } = await scene.call({ name: "Сергей Волков" });
  await verifyMedia(phone, "person");
  await recording(phone).waitFor();
  const sessions = product.sql("SELECT count(*) AS n FROM session")[0].n;

  await product.kill9();
  await product.up();
  await verifyMedia(phone, "person");
  await verifyMedia(desk, "staff");
  await recording(phone).waitFor();
  assert.equal(product.sql("SELECT count(*) AS n FROM session")[0].n, sessions, "nobody had to log in again");

  const [worker] = product.children("checkin-media");
  process.kill(worker, "SIGKILL");
  await until(() => { const [now] = product.children("checkin-media"); return now && now !== worker; }, "another checkin-media");
  await until(() => product.inspector.get(`/api/checkins/${checkin.id}`).then((row) => row.recordings.length >= 6), "both legs are recorded again");
  await verifyMedia(phone, "person");
  await verifyMedia(desk, "staff");

  const live = await scene.read(checkin);
  assert.equal(live.state, "connected");
  assert.equal(live.attempts_made.length, 1, "nobody was rung again");
  await conclude(desk);
  const row = await scene.decided(checkin);
  assert.equal(row.outcome, "completed");
  assert.equal(row.incident_id, null);
  const recordings = await scene.recordings(checkin, "closed", "recovered");
  assert.equal(recordings.filter((one) => one.state === "recovered").length, 4, "two legs of each crash");
  scene.verify();
  assert.deepEqual([phone.faults, desk.faults], [[], []]);
  await phone.context().close();
  await desk.context().close();
});

test("checkind between an outcome and its first notice", { timeout: 300000 }, async () => {
  const person = await product.person("Асан Оспанов", "high");
  const { checkin } = await product.ring(person);
  await product.sms.next((item) => item.body.to === person.phone, 60000, "second ring");

  // From now on nothing that is sent is taken: the incident is decided and its first notices are under way when the power goes.
  product.hold();
  const opened = () => product.sql(`SELECT id FROM incident WHERE checkin_id = ${checkin.id}`);
  const [{ id }] = await until(() => opened().length > 0 && opened(), "the incident", 60000);
  await until(() => product.sql(`SELECT id FROM notice WHERE incident_id = ${id} AND state = 'sending'`).length > 0, "a notice is being sent");
  await product.kill9();
  assert.equal(product.mail.items.filter((item) => item.text.includes(`#/incidents/${id}`)).length, 0, "nothing got out before");
  await product.release();
  await product.up();

  const mine = (item) => item.to.includes("inspector@example.kz") && item.text.includes(`#/incidents/${id}`);
  await product.mail.next(mine, 60000, "mail to the inspector");
  await product.hook.next((item) => JSON.stringify(item.body).includes(`/incidents/${id}`), 60000, "webhook");
  const notices = () => product.sql(`SELECT channel, state FROM notice WHERE incident_id = ${id} ORDER BY channel`);
  await until(() => notices().every((row) => !["queued", "sending", "failed_temp", "unknown"].includes(row.state)), "every notice has its end", 60000);
  assert.equal(opened().length, 1);
  assert.equal(product.mail.items.filter(mine).length, 1, "one mail");
  assert.equal(product.hook.items.filter((item) => JSON.stringify(item.body).includes(`/incidents/${id}`)).length, 1, "one webhook: " + JSON.stringify(product.hook.items.map((item) => item.body)));
  const row = await scene.decided(checkin);
  assert.ok(["no_answer", "system_fault"].includes(row.outcome), row.outcome);
  assert.equal(row.incident_id, id);
  scene.verify();
});

test("checkin-render hangs at its work", { timeout: 300000 }, async () => {
  const person = await product.person("Олжас Нұрланов");
  const { checkin, link } = await product.ring(person, "unattended");
  const [render] = product.children("checkin-render");
  process.kill(render, "SIGSTOP"); // it has the job and gets no further: nobody but checkind can end it
  const phone = await open(scene.persons, PHONE);
  await answer(phone, link);
  await screen(phone, "result");
  await scene.recordings(checkin, "closed");
  assert.equal((await scene.read(checkin)).has_thumbnail, false);
  await until(() => !product.children("checkin-render").includes(render), "checkind has lost patience with it", 25000);
  await until(async () => (await scene.read(checkin)).has_thumbnail, "the picture came from its successor");
  assert.notEqual(product.children("checkin-render")[0], render);
  const row = await scene.read(checkin);
  assert.equal(row.state, "awaiting_review");
  scene.verify();
  await phone.context().close();
});

// A live check-in: the person answers on a phone, the inspector at a desk or on a phone too; both see and hear each other through the
// daemon, write to each other before, during and after, and the outcome is written.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { DESK, PHONE, open } from "../lib/browser.mjs";
import { answer, login, screen, shot, verifyMedia } from "../lib/pages.mjs";
import { Scene, conclude } from "../lib/scene.mjs";

let scene;

before(async () => (scene = await Scene.set("live")));
after(() => scene?.strike());

const bubble = (page, text) => page.locator(".bubble", { hasText: text });
const reached = (page, text, how) => bubble(page, text).locator(".bubble-meta", { hasText: how }).waitFor();

async function write(page, text) {
  await page.locator(".thread-form textarea").fill(text);
  await page.locator(".thread-form [type=submit]").click();
  await bubble(page, text).waitFor();
}

// A document goes the same way; what the other side saves is what was sent, byte for byte.
async function attach(page, name, bytes) {
  await page.locator(".thread-form input[type=file]").setInputFiles({ name, mimeType: "application/pdf", buffer: bytes });
  await page.locator(".thread-note", { hasText: name }).waitFor();
  await page.locator(".thread-form [type=submit]").click();
}

async function saved(page, name) {
  const link = page.locator("a.bubble-file", { hasText: name });
  await link.waitFor();
  return Buffer.from(await link.evaluate(async (element) => {
    const answer = await fetch(element.href);
    return [answer.headers.get("content-disposition").split(";")[0], ...new Uint8Array(await answer.arrayBuffer())];
  }).then(([disposition, ...bytes]) => (assert.equal(disposition, "attachment"), bytes)));
}

// The person's thread is a sheet over the screen they are on.
async function openThread(phone) {
  await phone.getByRole("button", { name: /Сообщения|Написать инспектору/ }).click();
  await phone.locator(".thread-form").waitFor();
}
const closeThread = (phone) => phone.getByRole("button", { name: "Закрыть" }).click();

async function finished(checkin, phone, desk) {
  const row = await scene.decided(checkin);
  assert.equal(row.outcome, "completed");
  assert.equal(row.incident_id, null);
  assert.deepEqual((await scene.recordings(checkin, "closed")).map((one) => one.leg).sort(), ["person", "staff"]);
  scene.verify();
  assert.deepEqual([phone.faults, desk.faults], [[], []]);
  await phone.context().close();
  await desk.context().close();
  return scene.read(checkin);
}

test("inspector at a desk", { timeout: 300000 }, async () => {
  const { checkin, phone, desk } = await scene.call();
  await verifyMedia(phone, "person");
  await verifyMedia(desk, "staff");
  await shot(phone, "live-person");
  await shot(desk, "live-console-desk");
  await conclude(desk);
  await screen(phone, "result");
  await shot(phone, "live-result");
  await finished(checkin, phone, desk);
});

test("inspector on a phone: messages before, during and after, a pause, and a concern that nobody notices", { timeout: 300000 }, async () => {
  const person = await scene.product.person("Сергей Волков");
  const { checkin, link } = await scene.product.ring(person);
  const phone = await open(scene.persons, PHONE);
  const frames = []; // everything the person's page is told by the server
  phone.on("websocket", (socket) => socket.on("framereceived", ({ payload }) => frames.push(String(payload))));
  await answer(phone, link);
  await screen(phone, "waiting");

  // Before: sent while no inspector is there, delivered when one is.
  await openThread(phone);
  await write(phone, "Я на месте, жду");
  await reached(phone, "Я на месте, жду", "отправлено");
  const desk = await open(scene.staff, PHONE);
  await login(desk, scene.product, "inspector");
  await reached(phone, "Я на месте, жду", "доставлено");
  await closeThread(phone);

  await desk.locator(".urgent-card.ring").getByRole("button", { name: "Ответить" }).click();
  await screen(phone, "call");
  await verifyMedia(phone, "person");
  await verifyMedia(desk, "staff");
  await shot(desk, "live-console-phone");

  // During: read on both sides, and the picture goes on.
  await desk.getByRole("button", { name: "Сообщения" }).click();
  await bubble(desk, "Я на месте, жду").waitFor();
  await write(desk, "Слышно плохо, пишите");
  await reached(desk, "Слышно плохо, пишите", "доставлено");
  await openThread(phone);
  await reached(phone, "Я на месте, жду", "прочитано");
  await reached(desk, "Слышно плохо, пишите", "прочитано");
  await write(phone, "Хорошо");
  await reached(phone, "Хорошо", "прочитано");
  await shot(desk, "live-thread-phone");
  await closeThread(phone);
  await desk.getByRole("button", { name: "Закрыть" }).click();

  // A pause: nothing is sent, nothing is written, and both see it.
  await phone.getByRole("button", { name: "Пауза" }).click();
  await phone.getByRole("button", { name: "В комнате ребёнок" }).click();
  await desk.getByText("Пауза, без записи").waitFor();
  await phone.getByText("Камера и микрофон выключены. Ничего не записывается.").waitFor();
  await shot(phone, "live-pause-person");
  await phone.getByRole("button", { name: "Продолжить" }).click();
  await desk.locator(".stage-chip.recording.on").waitFor();
  await phone.getByText("Идёт запись").first().waitFor();
  await verifyMedia(desk, "staff");

  // A private concern: written, logged, and nothing of it reaches the other side.
  const seen = () => phone.evaluate(() => document.body.innerText.replace(/\d+:\d\d/g, ""));
  const told = frames.length, before_ = await seen();
  await desk.getByRole("button", { name: "Наблюдения" }).click();
  await desk.getByText("Личное опасение").click();
  await desk.getByLabel("Что вас беспокоит").fill("Синяк на запястье, отвечает не глядя");
  await desk.getByRole("button", { name: "Зафиксировать" }).click();
  await desk.getByText("Опасение зафиксировано.").waitFor({ state: "attached" });
  await verifyMedia(phone, "person");
  assert.deepEqual(frames.slice(told), [], "the person's page is told nothing");
  assert.equal(await seen(), before_, "and shows nothing");
  await desk.getByRole("button", { name: "Закрыть" }).click();

  await conclude(desk);
  await screen(phone, "result");
  await phone.locator(".receipt-number").waitFor();

  // After: the thread goes on.
  await openThread(phone);
  await write(phone, "Спасибо, до свидания");
  await desk.goto(`${scene.product.base}/#/persons/${person.id}?tab=messages`);
  await bubble(desk, "Спасибо, до свидания").waitFor();
  await reached(phone, "Спасибо, до свидания", "прочитано");
  await write(desk, "До четверга");
  await reached(desk, "До четверга", "прочитано");
  await bubble(phone, "До четверга").waitFor();
  const certificate = Buffer.from("%PDF-1.4\n% an invented certificate\n%%EOF\n"), form = Buffer.from("%PDF-1.4\n% an invented form\n%%EOF\n");
  await attach(phone, "справка.pdf", certificate);
  assert.deepEqual(await saved(desk, "справка.pdf"), certificate);
  await attach(desk, "бланк.pdf", form);
  assert.deepEqual(await saved(phone, "бланк.pdf"), form);
  await shot(phone, "live-thread-files");

  const row = await finished(checkin, phone, desk);
  assert.deepEqual(row.concerns.map((one) => one.text), ["Синяк на запястье, отвечает не глядя"]);
  const of = (fact) => row.evidence.filter((one) => one.fact === fact).map((one) => one.detail);
  assert.deepEqual(of("privacy_pause"), ["child", "child"]); // of both recordings
  assert.equal(of("privacy_resume").length, 2);
  assert.deepEqual(row.recordings.map((one) => one.gaps.map((gap) => gap.reason)), [["child"], ["child"]]); // the player shows it
  assert.ok(!frames.join("").includes("Синяк"));
  assert.ok(!scene.product.log().includes("Синяк"));
});

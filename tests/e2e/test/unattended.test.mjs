// Unattended check-ins: the person does challenges alone before a recorded camera, and an inspector's eyes decide afterwards; who may
// not look is refused, and the log says so.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { PHONE, DESK, launch, open } from "../lib/browser.mjs";
import { SIDES, makeMedia } from "../lib/media.mjs";
import { answer, login, screen, shot } from "../lib/pages.mjs";
import { Product, until } from "../lib/product.mjs";

const media = path.join(os.tmpdir(), "checkind-e2e-media");
const CHALLENGES = 2;
let product, personBrowser, staffBrowser, reviewed;

before(async () => {
  makeMedia(media);
  product = await (await Product.start({ name: "unattended", signer: true, policy: { challenge_count: CHALLENGES, live_wait: "3 s" } })).people();
  personBrowser = await launch(media, "person");
  staffBrowser = await launch(media, null);
});

after(async () => {
  await personBrowser?.close();
  await staffBrowser?.close();
  await product?.stop();
});

const read = (checkin, who = product.inspector) => who.get(`/api/checkins/${checkin.id}`);

// The person's side, from the link to the result: every challenge is seen, in its order; then it waits for review.
async function perform(link, checkin, name) {
  const phone = await open(personBrowser, PHONE);
  await answer(phone, link);
  await screen(phone, "tasks");
  const asked = [];
  for (let number = 1; number <= CHALLENGES; number++) {
    await phone.getByText(`Задание ${number} из ${CHALLENGES}`).waitFor();
    asked.push(await phone.evaluate(() => ({
      text: document.querySelector("h1.task-text").textContent,
      digits: document.querySelector(".task-digits")?.textContent ?? null,
    })));
    await phone.getByText("Идёт запись").first().waitFor();
    await shot(phone, `${name}-task-${number}`);
  }
  await screen(phone, "result");
  await phone.getByText("Спасибо. Готово.").waitFor();
  const receipt = (await phone.locator(".receipt-number").innerText()).trim(); // before anybody has looked at it
  await shot(phone, `${name}-result`);
  const row = await until(async () => {
    const now = await read(checkin);
    return now.state === "awaiting_review" && now.recordings.length > 0 && now.recordings.every((r) => r.state === "closed") && now;
  }, "recorded and waiting for review");
  assert.equal(row.outcome, null);
  assert.ok(Date.parse(row.review_deadline) > Date.now(), "it has a deadline");
  assert.equal(row.recordings.length, 1);
  assert.equal(row.recordings[0].leg, "person");
  assert.ok(row.recordings[0].seconds >= CHALLENGES, `${row.recordings[0].seconds} s recorded`);
  assert.deepEqual(row.challenges.map((c) => c.number), asked.map((_, index) => index + 1));
  assert.deepEqual(row.challenges.filter((c) => c.kind === "read_digits").map((c) => c.text), asked.filter((a) => a.digits).map((a) => a.digits));
  assert.ok(row.challenges.every((c, index, all) => c.at_s >= 0 && c.at_s <= row.recordings[0].seconds && (index === 0 || c.at_s > all[index - 1].at_s)),
    `each has its moment in the recording: ${JSON.stringify(row.challenges)}`);
  assert.match(receipt, /^R-/);
  assert.deepEqual(phone.faults, []);
  return { row, receipt, phone };
}

// The inspector's side, from the queue to the player.
async function review(page, row, name) {
  await page.goto(`${product.base}/#/reviews`);
  const entry = page.locator(`a.row-main[href="#/reviews/${row.id}"]`);
  await entry.waitFor();
  assert.match(await entry.innerText(), /Записано. Проверить до (завтра, )?\d\d:\d\d/);
  await shot(page, `${name}-queue`);
  await entry.click();
  await page.locator(".moment").first().waitFor();
  const video = page.locator(".player video");
  await until(() => video.evaluate((v) => v.currentTime > 0.3 && v.videoWidth > 0), "the clip plays");
  await until(async () => (await read(row)).has_thumbnail, "the picture for comparing is there");
  await until(() => page.locator("img.face").evaluateAll((all) => all.length === 2 && all.every((one) => one.naturalWidth > 0)), "both faces are shown side by side");
}

// What is on the clip is what the person's camera showed.
async function seeks(page, row) {
  const last = row.challenges[row.challenges.length - 1];
  const moment = page.locator(".moment").nth(row.challenges.length - 1);
  await moment.click();
  const video = page.locator(".player video");
  await until(() => video.evaluate((v, at) => !v.seeking && v.currentTime >= at - 0.2 && v.currentTime < at + 4, last.at_s), "the clip is at the chosen moment");
  assert.equal(await moment.getAttribute("aria-current"), "true");
  const duration = await video.evaluate((v) => v.duration);
  assert.ok(Math.abs(duration - row.recordings[0].seconds) < 2, `${duration} s of ${row.recordings[0].seconds} s`);
  const [red, , blue] = await video.evaluate((v) => {
    const canvas = Object.assign(document.createElement("canvas"), { width: 64, height: 48 });
    const draw = canvas.getContext("2d");
    draw.drawImage(v, 0, 0, 64, 48);
    return [...draw.getImageData(32, 30, 1, 1).data];
  });
  assert.equal(red > blue ? "red" : "blue", SIDES.person.hue);
}

// Decrypted on the way, and yet there at once: from the wish to play to the first picture that moves. Under another address each time, as
// the browser plays what it has fetched before without asking anybody.
async function starts(page) {
  const took = await page.locator(".player video").evaluate(async (v) => {
    const took = [], url = v.src;
    for (let i = 0; i < 5; i++) {
      const began = performance.now();
      v.src = `${url}&fresh=${i}`;
      const plays = new Promise((resolve) => v.addEventListener("playing", resolve, { once: true }));
      await v.play();
      await plays;
      took.push(Math.round(performance.now() - began));
    }
    return took;
  });
  console.log(`playback starts after ${took.join(", ")} ms`);
  const median = took.sort((one, other) => one - other)[2];
  assert.ok(median < 300, `${took} ms`);
  const name = page.locator(".player-viewer");
  assert.match(await name.innerText(), /^Айгерім Сейтқали/, "whoever looks is named over the picture");
}

// checkin-render has looked at the clip: a facing camera and a sound, or spans in which there was none.
async function measures(page, row) {
  const [recording] = await until(async () => {
    const { recordings } = await read(row);
    return recordings[0].measures !== null && recordings;
  }, "the recording is measured");
  for (const span of recording.measures) {
    assert.ok(["black", "covered", "frozen", "silent"].includes(span.measure) && span.from_ms < span.until_ms && span.until_ms <= (recording.seconds + 2) * 1000, JSON.stringify(span));
  }
  assert.deepEqual(recording.measures.filter((span) => span.measure === "black" || span.measure === "covered"), [], "the camera saw something all the time");
  if (recording.measures.length) assert.equal(await page.locator(".measures .moment").count(), recording.measures.length);
  else await page.getByText("Измерено: изображение и звук были всё время.").waitFor();
}

test("challenges, recorded, played from the queue of reviews, accepted by a key", { timeout: 300000 }, async () => {
  const person = await product.person();
  const { checkin, link } = await product.ring(person, "unattended");
  const { row, receipt, phone } = await perform(link, checkin, "recorded");
  reviewed = row;

  const desk = await open(staffBrowser, DESK);
  await login(desk, product, "inspector");
  await review(desk, reviewed, "recorded");
  await seeks(desk, reviewed);
  await starts(desk);
  await measures(desk, reviewed);
  await shot(desk, "recorded-review");

  // Accepted with one key; the person finds it under the number that they have.
  await desk.keyboard.press("a");
  await desk.getByText("Принято: связь состоялась").first().waitFor();
  const done = await read(checkin);
  assert.deepEqual([done.state, done.outcome, done.incident_id], ["done", "completed", null]);
  assert.equal(done.review.decision, "accept");
  await phone.reload();
  await phone.locator(".history-text", { hasText: receipt }).getByText("Принято", { exact: true }).waitFor();
  assert.deepEqual([desk.faults, phone.faults], [[], []]);
  await desk.context().close();
  await phone.context().close();
});

test("nobody answers a live check-in: it goes on alone; a doubt opens an incident", { timeout: 300000 }, async () => {
  const person = await product.person("Сергей Волков", "high");
  const { checkin, link } = await product.ring(person, "live");
  const { row, phone: own } = await perform(link, checkin, "alone");
  await own.context().close();

  // Killed before it was measured: the next start measures it, so that whoever reviews is told.
  const measured = async () => (await read(row)).recordings[0].measures !== null;
  await until(measured, "the recording is measured");
  await product.kill9();
  execFileSync("sqlite3", [path.join(product.state, "checkind.db"), `UPDATE recording SET measures = NULL WHERE checkin_id = ${row.id}`]);
  await product.up();
  await until(measured, "and measured again after the start");

  const phone = await open(staffBrowser, PHONE);
  await login(phone, product, "inspector");
  await review(phone, row, "doubt");
  await shot(phone, "doubt-review");
  await phone.getByRole("button", { name: "Сомнение" }).click();
  await phone.getByLabel("Что вызывает сомнение?").fill("Лицо закрыто рукой.");
  await shot(phone, "doubt-words");
  await phone.getByRole("button", { name: "Зафиксировать сомнение" }).click();
  await phone.getByText("Сомнение зафиксировано").first().waitFor();
  const done = await read(checkin);
  assert.deepEqual([done.state, done.outcome], ["done", "identity_doubt"]);
  assert.equal(done.review.note, "Лицо закрыто рукой.");
  assert.ok(done.incident_id > 0, "an incident is open");
  assert.equal((await product.inspector.get(`/api/incidents/${done.incident_id}`)).checkin_id, checkin.id);
  assert.deepEqual(phone.faults, []);
  await phone.context().close();
});

test("who may not look is refused, and the log says so", { timeout: 300000 }, async () => {
  const recording = reviewed.recordings[0].id;
  const { own: other } = await product.staff({ login: "other", name: "Нурлан Ахметов", roles: ["inspector"] });
  const { url } = await product.inspector.post(`/api/recordings/${recording}/view`, { reason: "test" });
  const denials = async () => (await product.chief.get("/api/log?action=DENIED")).entries.length;
  const earlier = await denials();

  assert.equal((await product.officer.request("POST", `/api/recordings/${recording}/view`, { reason: "test" })).status, 403);
  assert.equal((await other.request("POST", `/api/recordings/${recording}/view`, { reason: "test" })).status, 403);
  assert.equal((await product.officer.request("GET", url)).status, 403);
  assert.equal((await other.request("GET", url)).status, 403);
  assert.equal((await product.inspector.request("GET", `/api/recordings/${recording}/media?view=${"0".repeat(32)}`)).status, 403);
  await until(async () => (await denials()) === earlier + 5, "each denial is in the log");
  assert.equal((await product.inspector.request("GET", url)).status, 200);

  const desk = await open(staffBrowser, DESK);
  await login(desk, product, "chief");
  await desk.goto(`${product.base}/#/log?action=DENIED`);
  await desk.locator(".log-row", { hasText: "Нурлан Ахметов: отказано в доступе" }).first().waitFor();
  await desk.locator(".log-row", { hasText: "Марат Дүйсенов: отказано в доступе" }).first().waitFor();
  await shot(desk, "denied-log");
  await desk.goto(`${product.base}/#/log?action=RECORDING_VIEWED`);
  await desk.locator(".log-row", { hasText: "Айгерім Сейтқали: просмотрена запись" }).first().waitFor();
  await shot(desk, "viewed-log");
  assert.deepEqual(desk.faults, []);
  await desk.context().close();
});

test("a look at a recording is under a signed checkpoint within five seconds", { timeout: 30000 }, async () => {
  const looks = () => product.sql(`SELECT e.at AS seen, (SELECT min(c.at) FROM log_checkpoint c WHERE c.size > e.idx) AS signed
    FROM log_entry e JOIN log_plain p USING (idx) WHERE p.action = 'RECORDING_VIEWED'`);
  await until(() => looks().every((look) => look.signed !== null), "a checkpoint covers the last one");
  assert.ok(looks().length > 0);
  for (const { seen, signed } of looks()) assert.ok(signed - seen <= 5000, `${signed - seen} ms`);
});

// Every file under the daemon's folders, whole.
function* filesUnder(folder) {
  for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
    const file = path.join(folder, entry.name);
    if (entry.isDirectory()) yield* filesUnder(file);
    else if (entry.isFile()) yield [file, fs.readFileSync(file)];
  }
}

test("nothing of a recording or a message lies readable on the disk", { timeout: 120000 }, async () => {
  const text = "ЗАВТРА В ДЕСЯТЬ У ВХОДА, ОКНО ТРИ";
  await product.inspector.post(`/api/persons/${reviewed.person_id}/messages`, { client_id: "plain-1", text });
  const clear = [text, "webmB", "OpusHead", "V_VP8", "A_OPUS"]; // a message; what a WebM file begins with
  const seen = [...filesUnder(product.state)];
  assert.ok(seen.some(([file, bytes]) => file.endsWith(".ckr") && bytes.length > 50000), "there are recordings");
  for (const [file, bytes] of seen) for (const word of clear) assert.equal(bytes.includes(word), false, `${file} holds ${word}`);
  // The looking finds what is there: the text of a reason, which is kept beside the log.
  assert.ok(seen.some(([, bytes]) => bytes.includes("Лицо закрыто рукой.")));
});

test("when its time is over a recording is destroyed: key, file, player; and the log stays whole", { timeout: 120000 }, async () => {
  const recording = reviewed.recordings[0].id;
  const [{ file }] = product.sql(`SELECT file FROM recording WHERE id = ${recording}`);
  const place = path.join(product.state, "recordings", file);
  assert.ok(fs.existsSync(place));
  await product.kill9();
  execFileSync("sqlite3", [path.join(product.state, "checkind.db"),
    `UPDATE expiry SET since_at = since_at - 100 * 86400000, next_at = 1 WHERE recording_id = ${recording}`]);
  await product.up();
  await until(() => !fs.existsSync(place), "the file is gone");
  await until(() => product.sql(`SELECT state FROM expiry WHERE recording_id = ${recording}`)[0].state === "erased", "and that is written down");
  assert.deepEqual(product.sql(`SELECT key, state FROM recording WHERE id = ${recording}`), [{ key: null, state: "erased" }]);
  assert.equal((await product.inspector.request("POST", `/api/recordings/${recording}/view`, { reason: "test" })).status < 500, true);
  const actions = (await product.chief.get("/api/log?action=*E*")).entries.map((entry) => entry.action);
  assert.ok(actions.includes("EXPIRY_ERASED") && actions.includes("RECORDING_FILE_GONE"), actions.slice(0, 20).join(" "));
  assert.match(product.control(`--store=${product.state}/checkind.db`, "log", "verify"), /^whole: /m);
  const desk = await open(staffBrowser, DESK);
  await login(desk, product, "chief");
  await desk.goto(`${product.base}/#/retention?state=erased`);
  await desk.getByText(/^Уничтожено /).first().waitFor();
  await shot(desk, "erased-retention");
  assert.deepEqual(desk.faults, []);
  await desk.context().close();
});

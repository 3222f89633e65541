// A copy for a court: proposed by an officer, approved by a supervisor, fetched in the console and by checkinctl; it verifies, it plays,
// and it says nothing of what is others' alone.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { after, before, test } from "node:test";
import { DESK, open } from "../lib/browser.mjs";
import { login, screen, shot } from "../lib/pages.mjs";
import { BUILD, until } from "../lib/product.mjs";
import { Scene } from "../lib/scene.mjs";

let scene, product, folder;
const CONCERN = "Синяк на запястье", OFFICERS = "Её сестра видела его";

before(async () => {
  scene = await Scene.set("bundle", { signer: true });
  product = scene.product;
  folder = path.join(product.dir, "taken");
  fs.mkdirSync(folder);
});
after(() => scene?.strike());

const unpack = (archive, name) => {
  const into = path.join(folder, name);
  execFileSync("python3", ["-m", "zipfile", "-e", archive, into]);
  return into;
};

// The archive holds what it should, verifies under the log's key, and plays.
function look(archive, name) {
  const into = unpack(archive, name);
  const key = fs.readFileSync(path.join(into, "log.vkey"), "utf8").trim();
  const verified = spawnSync(path.join(BUILD, "bin/checkin-verify"), [`--key=${key}`, "bundle", archive], { encoding: "utf8" });
  assert.equal(verified.status, 0, verified.stdout + verified.stderr);
  const facts = JSON.parse(fs.readFileSync(path.join(into, "facts.json"), "utf8"));
  assert.equal(facts.bundle.recipient, "Бостандыкский районный суд");
  assert.equal(facts.bundle.reason, "дело 12/2026");
  assert.deepEqual(facts.recordings.map((one) => [one.leg, one.in_bundle]).sort(), [["person", true], ["staff", true]]);
  assert.equal(facts.side_by_side, "made");
  assert.equal(facts.report_pdf, "made");
  for (const language of ["en", "kk", "ru"]) {
    const report = execFileSync("pdftotext", ["-raw", path.join(into, `report.${language}.pdf`), "-"], { encoding: "utf8" });
    for (const fact of ["Сергей Волков", "дело 12/2026", "справка.pdf", "recordings/"]) assert.ok(report.includes(fact), `report.${language}.pdf: ${fact}`);
    for (const never of [CONCERN, OFFICERS]) assert.ok(!report.includes(never), `report.${language}.pdf holds "${never}"`);
  }
  const [message] = facts.messages.filter((one) => one.file);
  assert.equal(message.file.name, "справка.pdf");
  assert.match(fs.readFileSync(path.join(into, message.file.path), "utf8"), /^%PDF/);
  const probe = JSON.parse(execFileSync("ffprobe", ["-v", "error", "-show_streams", "-show_format", "-of", "json", path.join(into, "side-by-side.webm")], { encoding: "utf8" }));
  const video = probe.streams.find((one) => one.codec_type === "video");
  assert.ok(video.width >= 900, `both pictures beside each other: ${video.width} x ${video.height}`);
  assert.ok(probe.streams.some((one) => one.codec_type === "audio"));
  const all = fs.readdirSync(into, { recursive: true }).filter((one) => fs.statSync(path.join(into, one)).isFile());
  for (const one of all) {
    const text = fs.readFileSync(path.join(into, one), "utf8");
    for (const never of [CONCERN, OFFICERS]) assert.ok(!text.includes(never), `${one} holds "${never}"`);
  }
  return into;
}

test("an incident leaves the house in one file that a court can read and verify", { timeout: 400000 }, async () => {
  const { person, checkin, phone, desk } = await scene.call({ name: "Сергей Волков" });
  await phone.waitForTimeout(4000); // that there is something to see
  await product.inspector.post(`/api/checkins/${checkin.id}/concern`, { text: CONCERN });
  await desk.getByRole("button", { name: "Завершить" }).click();
  await screen(phone, "result");
  await phone.getByRole("button", { name: /Сообщения|Написать инспектору/ }).click();
  await phone.locator(".thread-form input[type=file]").setInputFiles({ name: "справка.pdf", mimeType: "application/pdf", buffer: Buffer.from("%PDF-1.4\n%%EOF\n") });
  await phone.locator(".thread-note").waitFor();
  await phone.locator(".thread-form [type=submit]").click();
  await phone.locator(".bubble.mine .bubble-meta").waitFor();
  // Somebody came, and it was not the person.
  await product.inspector.post(`/api/checkins/${checkin.id}/outcome`, { result: "identity_doubt", identity_confirmed: false, behaviours: [], note: "Другой человек" });
  const row = await scene.decided(checkin);
  assert.equal(row.outcome, "identity_doubt");
  await scene.recordings(checkin, "closed");
  const incident = row.incident_id;
  await product.officer.post(`/api/incidents/${incident}/messages`, { client_id: "o1", text: OFFICERS });
  await phone.context().close();
  await desk.context().close();

  // Proposed on the incident's page, approved among the approvals by somebody else.
  const officer = await open(scene.staff, DESK);
  await login(officer, product, "officer");
  await officer.goto(`${product.base}/#/incidents/${incident}`);
  await officer.getByRole("button", { name: "Предложить копию" }).click();
  await officer.getByLabel("Получатель: имя или учреждение").fill("Бостандыкский районный суд");
  await officer.getByLabel("Основание, например номер запроса").fill("дело 12/2026");
  await shot(officer, "bundle-proposed");
  await officer.getByRole("button", { name: "Отправить второму сотруднику" }).click();
  await officer.getByText("ждёт второго сотрудника").waitFor();
  const [asked] = (await product.chief.get("/api/approvals?state=open")).approvals;
  assert.equal((await product.officer.request("POST", `/api/approvals/${asked.id}/decide`, { approve: true, reason: "сам" })).status, 403);
  await product.chief.post(`/api/approvals/${asked.id}/decide`, { approve: true, reason: "запрос суда" });

  await officer.reload();
  await officer.getByRole("button", { name: "Составить и скачать" }).waitFor();
  const download = officer.waitForEvent("download", { timeout: 90000 });
  await officer.getByRole("button", { name: "Составить и скачать" }).click();
  const archive = path.join(folder, "court.zip");
  await (await download).saveAs(archive);
  await officer.getByText("видеозаписей: 2").waitFor();
  await officer.locator(".bundle-row").scrollIntoViewIfNeeded();
  await shot(officer, "bundle-fetched");
  const into = look(archive, "court");

  // What people read, in three languages, with the time line.
  const reader = await open(scene.persons, DESK);
  for (const [language, words] of [["ru", "Сообщения"], ["kk", "Хабарлар"], ["en", "Messages"]]) {
    await reader.goto(pathToFileURL(path.join(into, `report.${language}.html`)).href);
    await reader.getByRole("heading", { name: words }).waitFor();
    assert.ok(await reader.locator("svg[role=img]").isVisible());
    assert.ok((await reader.locator("a[href='side-by-side.webm']").count()) === 1);
    await shot(reader, `bundle-report-${language}`);
  }
  await reader.context().close();

  // The same by the command line, and both are in the log with whom it was for.
  const second = path.join(folder, "ctl.zip");
  const said = JSON.parse(product.control("--json", "export", String(asked.id), second));
  assert.equal(said.recordings, 2);
  assert.equal(fs.statSync(second).mode & 0o777, 0o600);
  look(second, "ctl");
  assert.throws(() => product.control("export", String(asked.id), second), /exists/i, "nothing is written over");
  assert.throws(() => product.control("export", "999", path.join(folder, "no.zip")), /approved/);
  assert.ok(!fs.existsSync(path.join(folder, "no.zip")));
  const exported = (await product.chief.get("/api/log?action=BUNDLE_EXPORTED")).entries;
  assert.equal(exported.length, 2);
  assert.ok(exported.every((entry) => entry.text.recipient === "Бостандыкский районный суд" && entry.text.reason === "дело 12/2026"));
  assert.deepEqual(officer.faults, []);
  await officer.context().close();

  // What was decided, climbed or taken out is under a signed checkpoint within five seconds.
  const urgent = `SELECT l.action, (SELECT c.at FROM log_checkpoint c WHERE c.size > e.idx ORDER BY c.size LIMIT 1) - e.at AS after
    FROM log_entry e JOIN log_plain l ON l.idx = e.idx
    WHERE l.action IN ('PLAN_CREATED', 'CHECKIN_OUTCOME', 'RECORDING_CLOSED', 'BUNDLE_EXPORTED') OR l.action LIKE 'INCIDENT_%'`;
  const signed = await until(() => {
    const rows = product.sql(urgent);
    return rows.every((row) => row.after !== null) && rows;
  }, "all of it is signed");
  for (const wanted of ["CHECKIN_OUTCOME", "INCIDENT_OPENED", "RECORDING_CLOSED", "BUNDLE_EXPORTED"]) assert.ok(signed.some((row) => row.action === wanted), wanted);
  assert.deepEqual(signed.filter((row) => row.after > 5000), [], "signed later than five seconds");
});

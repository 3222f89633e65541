// The person's own phone: made theirs by a code in the inspector's presence, it then answers without opening any link.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import os from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { DESK, PHONE, launch, open } from "../lib/browser.mjs";
import { makeMedia } from "../lib/media.mjs";
import { login, screen, shot } from "../lib/pages.mjs";
import { BUILD, Product, until } from "../lib/product.mjs";

const media = path.join(os.tmpdir(), "checkind-e2e-media");
let product, personBrowser, staffBrowser;

before(async () => {
  makeMedia(media);
  product = await (await Product.start({ name: "own_phone", signer: true })).people();
  personBrowser = await launch(media, "person");
  staffBrowser = await launch(media, "staff");
});

after(async () => {
  await personBrowser?.close();
  await staffBrowser?.close();
  await product?.stop();
});

test("a phone is enrolled, answers by itself, and another one is seen to be another", { timeout: 180000 }, async () => {
  const person = await product.person();
  const console_ = await open(staffBrowser, DESK);
  await login(console_, product, "inspector");
  await console_.goto(`${product.base}/#/persons/${person.id}`);
  await console_.getByRole("button", { name: "Телефон человека" }).first().click();
  const link = await console_.locator(".mono.break", { hasText: "/c/" }).innerText();
  await shot(console_, "console-enrol");
  const phone = await open(personBrowser, PHONE);
  await phone.goto(link.replace(/^https:\/\/[^/]+/, product.base));
  await phone.getByRole("button", { name: "Продолжить" }).click();
  await phone.getByText("Этот телефон известен здесь как ваш").waitFor();
  await shot(phone, "person-own-phone");

  // It rings. The page that is open takes a session that may answer; nobody touches the link.
  const first = (await product.ring(person)).checkin;
  await phone.getByRole("button", { name: "Прочитано. Включить камеру" }).click();
  await phone.getByRole("button", { name: "Ответить", exact: true }).click();
  await screen(phone, "waiting");
  const seen = await until(async () => {
    const row = await product.inspector.get(`/api/checkins/${first.id}`);
    return row.device && row;
  }, "the phone is noted");
  assert.equal(seen.device, "own");
  await console_.goto(`${product.base}/#/checkins/${first.id}`);
  await console_.getByText("Свой телефон").waitFor();
  await phone.getByRole("button", { name: "Сейчас не могу говорить" }).click();
  await phone.locator(".choice").first().click();
  await phone.locator("form .primary").click();
  await screen(phone, "result");

  // The next one is answered by its link, on somebody else's phone.
  const { checkin, link: sms } = await product.ring(person);
  const other = await open(personBrowser, PHONE);
  await other.goto(sms);
  await other.getByRole("button", { name: "Продолжить" }).click();
  await other.getByRole("button", { name: "Ответить", exact: true }).click(); // the notice was read before
  await screen(other, "waiting");
  const noted = await until(async () => {
    const row = await product.inspector.get(`/api/checkins/${checkin.id}`);
    return row.device && row;
  }, "the phone is noted");
  assert.equal(noted.device, "other");
  await other.getByRole("button", { name: "Сейчас не могу говорить" }).click();
  await other.locator(".choice").first().click();
  await other.locator("form .primary").click();
  await screen(other, "result");
  assert.deepEqual(other.faults, []);

  // The result has a number that the person keeps, and a signed proof that stands without the product; they say that it is wrong, and a supervisor answers on the same page.
  const receipt = (await phone.locator(".receipt-number").innerText()).trim();
  await phone.reload();
  const row = phone.locator(".history-text", { hasText: receipt });
  await until(async () => product.sql("SELECT count(*) AS n FROM log_checkpoint WHERE size > (SELECT max(idx) FROM log_plain WHERE action = 'CHECKIN_OUTCOME')")[0].n, "the outcome is signed");
  const [proof] = await Promise.all([phone.waitForEvent("download"), row.getByRole("button", { name: "Скачать доказательство" }).click()]);
  assert.equal(proof.suggestedFilename(), `${receipt}.tlog-proof`);
  const [{ value: key }] = product.sql("SELECT value FROM setting WHERE name = 'signer.key'");
  const verified = spawnSync(path.join(BUILD, "bin/checkin-verify"), [`--key=${key}`, "proof", await proof.path()], { encoding: "utf8" });
  assert.equal(verified.status, 0, verified.stdout + verified.stderr);
  assert.match(verified.stdout, new RegExp(`receipt ${receipt} has the outcome declined`));
  await row.getByRole("button", { name: "Это не так" }).click();
  await phone.getByLabel("Что произошло?").fill("Я был у врача, справку пришлю.");
  await shot(phone, "person-dispute");
  await phone.getByRole("button", { name: "Отправить" }).click();
  await phone.getByText("Ждёт ответа.").waitFor();
  const chief = await open(staffBrowser, PHONE);
  await login(chief, product, "chief");
  await chief.goto(`${product.base}/#/requests`);
  await chief.getByText("Я был у врача, справку пришлю.").waitFor();
  await chief.getByRole("button", { name: "Ответить" }).click();
  await chief.getByRole("dialog").getByRole("textbox").fill("Справка получена.");
  await chief.getByRole("button", { name: "Принять", exact: true }).click();
  await chief.getByText("Справка получена.").waitFor();
  await phone.reload();
  await phone.getByText("Принято: Справка получена.").waitFor();
  await shot(phone, "person-answered");

  // Later, with no session left: the phone comes in by its key, and the person calls by themselves.
  await phone.context().clearCookies();
  await phone.goto(`${product.base}/p`);
  await screen(phone, "home");
  await phone.getByRole("button", { name: "Позвонить инспектору" }).click();
  await screen(phone, "check");
  await phone.getByRole("button", { name: "Позвонить инспектору" }).click();
  await screen(phone, "waiting");
  const [{ id: called }] = product.sql("SELECT id FROM checkin WHERE kind = 'inbound'");
  await console_.goto(`${product.base}/#/checkins/${called}`);
  await console_.getByText("По инициативе человека").first().waitFor();
  await shot(console_, "console-inbound");
  const inbound = product.sql("SELECT state, mandatory, (SELECT device_id IS NOT NULL FROM checkin_device WHERE checkin_id = id) AS own FROM checkin WHERE kind = 'inbound'");
  assert.deepEqual(inbound.map((row) => ({ ...row })), [{ state: "connected", mandatory: 0, own: 1 }]);
  await phone.getByRole("button", { name: "Сейчас не могу говорить" }).click();
  await phone.locator(".choice").first().click();
  await phone.locator("form .primary").click();
  await screen(phone, "result");

  // A lost phone is taken back: its key opens nothing any more.
  await console_.goto(`${product.base}/#/persons/${person.id}`);
  await console_.getByRole("button", { name: "Отозвать" }).click();
  await console_.getByLabel("Почему он больше не его?").fill("Телефон потерян");
  await console_.getByRole("dialog").getByRole("button", { name: "Отозвать" }).click();
  await console_.getByText(/^отозван/).waitFor();
  await phone.context().clearCookies();
  const entered = phone.waitForResponse((response) => response.url().endsWith("/api/p/enter"));
  await phone.goto(product.base + "/p");
  assert.ok((await entered).status() >= 400, "the key is not taken");
  await phone.waitForSelector("[data-screen=expired]");
  assert.equal(await phone.getByRole("button", { name: "Ответить", exact: true }).count(), 0);
  await shot(phone, "person-revoked");
  assert.deepEqual(console_.faults, []);
  assert.deepEqual(chief.faults, []);
  await Promise.all([phone, other, chief, console_].map((page) => page.context().close()));
});

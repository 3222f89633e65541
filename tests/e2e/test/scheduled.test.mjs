// From an empty store to a kept check-in, by pages alone: the first administrator, staff, a person, an order, a plan; the plan's
// check-in falls due by itself and rings; its link proves nothing until it is tapped; the inspector answers and writes the outcome.
import assert from "node:assert/strict";
import https from "node:https";
import os from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { PHONE, DESK, launch, open } from "../lib/browser.mjs";
import { makeMedia } from "../lib/media.mjs";
import { answer, screen, shot, verifyMedia } from "../lib/pages.mjs";
import { Api, PASSWORD, PHOTO, Product, until } from "../lib/product.mjs";

const media = path.join(os.tmpdir(), "checkind-e2e-media");
const PERSON = { name: "Ержан Абдрахманов", phone: "+77010000123", email: "person@example.kz" };
const OWN = "another horse battery";
let product, personBrowser, staffBrowser;

before(async () => {
  makeMedia(media);
  product = await Product.start({ name: "scheduled" });
  [personBrowser, staffBrowser] = await Promise.all([launch(media, "person"), launch(media, "staff")]);
});

after(async () => {
  await Promise.all([personBrowser?.close(), staffBrowser?.close()]);
  await product?.stop();
});

const dialog = (page) => page.getByRole("dialog");
const field = (scope, label) => scope.getByLabel(label, { exact: true });

async function fill(scope, values) {
  for (const [label, value] of Object.entries(values)) await field(scope, label).fill(value);
}

async function firstAdministrator(page) {
  await page.goto(product.base + "/");
  await fill(page, {
    "Код первого запуска": JSON.parse(product.control("--json", "setup-token")).token, "Название подразделения": "УМПС Алматы",
    "Полное имя": "Анна Ли", "Логин": "admin", "Пароль": PASSWORD });
  await shot(page, "setup");
  await page.getByRole("button", { name: "Создать и начать" }).click();
  await page.getByRole("button", { name: "Добавить сотрудника" }).waitFor();
}

async function addStaff(page, { name, login, role, duty }) {
  await page.getByRole("button", { name: "Добавить сотрудника" }).click();
  const box = dialog(page);
  await fill(box, { "Полное имя": name, "Логин": login, "Первый пароль": PASSWORD, "Эл. почта": `${login}@example.kz` });
  if (role !== "Инспектор") await field(box, "Инспектор").uncheck();
  await field(box, role).check();
  if (duty) await box.getByLabel(/Сейчас на дежурстве/).check();
  await shot(page, `staff-${login}`);
  await box.getByRole("button", { name: "Сохранить" }).click();
  await box.waitFor({ state: "detached" });
  await page.getByText(name).first().waitFor();
}

// The first log-in with a password that somebody else chose asks for one's own.
async function firstLogin(page, name) {
  await page.goto(product.base + "/");
  await fill(page, { "Логин": name, "Пароль": PASSWORD });
  await page.getByRole("button", { name: "Войти" }).click();
  await page.getByRole("heading", { name: "Сменить пароль" }).waitFor();
  await fill(page, { "Нынешний пароль": PASSWORD, "Новый пароль": OWN });
  await page.getByRole("button", { name: "Сменить" }).click();
  await page.getByRole("link", { name: "Люди" }).first().waitFor();
}

async function addPerson(page) {
  await page.getByRole("link", { name: "Люди" }).first().click();
  await page.getByRole("link", { name: "Добавить человека" }).first().click();
  await fill(page, { "Полное имя": PERSON.name, "Дата рождения": "1987-04-12", "Телефон": PERSON.phone, "Эл. почта": PERSON.email });
  await page.getByRole("button", { name: "Сохранить" }).click();
  await page.getByRole("button", { name: "Эталонное фото" }).click();
  await dialog(page).locator("input[type=file]").setInputFiles(PHOTO);
  await dialog(page).waitFor({ state: "detached" });
}

async function addOrder(page) {
  await page.getByRole("button", { name: "Добавить меру" }).click();
  const box = dialog(page);
  await field(box, "Вид меры").selectOption({ label: "Особые требования к поведению" });
  await fill(box, { "Номер": "2026-17", "Статья": "61", "Кем вынесено": "Районный суд", "Контактов": "7", "за дней": "7", "Связь с": "00:00", "до": "00:00" });
  await shot(page, "order");
  await box.getByRole("button", { name: "Сохранить" }).click();
  await box.waitFor({ state: "detached" });
}

// A daily plan whose first moment is the next whole minute that can still be reached.
async function addPlan(page) {
  await page.getByRole("button", { name: "Добавить план" }).click();
  const box = dialog(page);
  await field(box, "Повтор").selectOption({ label: "по дням" });
  await field(box, "Момент").selectOption({ label: "в начале" });
  const due = new Date(Math.ceil((Date.now() + 15000) / 60000) * 60000);
  const wall = (at) => at.toLocaleTimeString("ru-RU", { timeZone: "Asia/Almaty", hour: "2-digit", minute: "2-digit" });
  const day = (at) => at.toLocaleDateString("sv-SE", { timeZone: "Asia/Almaty" });
  await fill(box, { "С": wall(due), "До": wall(new Date(due.getTime() + 30 * 60000)), "Начиная с": day(due) });
  await box.locator(".preview-list li").first().waitFor();
  await shot(page, "plan");
  await box.getByRole("button", { name: "Сохранить план" }).click();
  await box.waitFor({ state: "detached" });
  return due;
}

// What a messenger does for its preview, and what a browser does before anybody touched anything.
async function look(link) {
  const status = await new Promise((resolve, reject) => https.get(link, { rejectUnauthorized: false, headers: { "User-Agent": "TelegramBot" } },
    (response) => { response.resume(); response.on("end", () => resolve(response.statusCode)); }).on("error", reject));
  assert.equal(status, 200);
}

test("from an empty store to a kept check-in, by pages alone", { timeout: 300000 }, async () => {
  const desk = await open(staffBrowser, DESK);
  await firstAdministrator(desk);
  await addStaff(desk, { name: "Айгерім Сейтқали", login: "inspector", role: "Инспектор" });
  await addStaff(desk, { name: "Марат Дүйсенов", login: "officer", role: "Дежурный", duty: true });
  await addStaff(desk, { name: "Ольга Ким", login: "chief", role: "Руководитель" });
  await desk.context().close();

  const page = await open(staffBrowser, DESK);
  await firstLogin(page, "inspector");
  await addPerson(page);
  await addOrder(page);
  const due = await addPlan(page);
  await shot(page, "person-ready");
  await page.getByRole("link", { name: "Сегодня" }).first().click();

  // It rings by itself, by SMS and by mail, not before its moment, and names nobody.
  const sms = await product.sms.next((item) => item.body.to === PERSON.phone && /\/c\//.test(item.body.text), 90000, "SMS with a link");
  const mail = await product.mail.next((item) => item.to.includes(PERSON.email) && /\/c\//.test(item.text), 60000, "mail with a link");
  assert.ok(sms.at >= due.getTime(), "not before its moment");
  assert.ok(sms.at < due.getTime() + 10000, `${sms.at - due.getTime()} ms after its moment`);
  assert.ok(!/Абдрахманов|Сейтқали/.test(sms.body.text + mail.text + mail.subject), "no name leaves the agency");
  const link = sms.body.text.match(/https:\/\/\S+/)[0];
  const inspector = await new Api(product.base).login("inspector", OWN);
  const row = (await inspector.get("/api/today")).ringing[0];
  const read = () => inspector.get(`/api/checkins/${row.id}`);
  assert.equal(row.person_name, PERSON.name);
  assert.equal(row.kind, "live");
  assert.equal(row.mandatory, true);

  // Opening the link changes and proves nothing, however often.
  const before = await read();
  await look(link);
  await look(mail.text.match(/https:\/\/\S+/)[0]);
  const phone = await open(personBrowser, PHONE);
  await phone.goto(link);
  await phone.getByRole("button", { name: "Продолжить" }).waitFor();
  await shot(phone, "landing");
  const after_ = await read();
  assert.deepEqual(after_.evidence.filter((fact) => fact.fact !== "notice_accepted"), before.evidence.filter((fact) => fact.fact !== "notice_accepted"));
  assert.equal(after_.state, "ringing");
  assert.ok(after_.attempts_made.every((attempt) => attempt.opened === null));

  await answer(phone, link);
  await screen(phone, "waiting");
  assert.ok((await read()).evidence.some((fact) => fact.fact === "page_opened"), "a tap is a fact");
  assert.equal(new URL(phone.url()).pathname, "/p", "the token is out of the address");

  // The link was for one phone.
  const thief = await open(personBrowser, PHONE);
  await thief.goto(link);
  await thief.getByRole("button", { name: "Продолжить" }).click();
  await thief.getByText("Эта ссылка больше не действует").waitFor();
  await thief.context().close();

  await page.locator(".urgent-card.ring").getByText(PERSON.name).waitFor();
  await page.locator(".urgent-card.ring").getByRole("button", { name: "Ответить" }).click();
  await screen(phone, "call");
  await verifyMedia(phone, "person");
  await verifyMedia(page, "staff");
  await page.getByRole("button", { name: "Завершить" }).click();
  await page.getByLabel("Сравнил(а) с эталонным фото: это этот человек").check();
  await page.getByRole("button", { name: "Сохранить итог" }).click();

  const done = await until(async () => {
    const now = await read();
    return now.state === "done" && now;
  }, "the outcome");
  assert.equal(done.outcome, "completed");
  assert.equal(done.incident_id, null);
  assert.equal(done.attempts_made.length, 1, "it rang once");

  // The person keeps a receipt, and finds it again later.
  await phone.getByText("Спасибо. Готово.").waitFor();
  const receipt = (await phone.locator(".receipt-number").innerText()).trim();
  assert.match(receipt, /^[0-9A-Z][0-9A-Z-]{5,}$/);
  await shot(phone, "receipt");
  await phone.reload();
  await phone.getByText(receipt).first().waitFor();
  product.control("log", "verify", "--store", path.join(product.state, "checkind.db"));
  assert.deepEqual([page.faults, phone.faults], [[], []]);
});

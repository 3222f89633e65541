// The person cannot or will not: a reason instead of a call, a camera that is refused, no camera at all. Each is written down as what
// the person's own page saw, none is decided before its time, and each of them reaches an officer.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { DESK, PHONE, launch, open } from "../lib/browser.mjs";
import { login, screen, shot } from "../lib/pages.mjs";
import { MEDIA, Scene } from "../lib/scene.mjs";
import { until } from "../lib/product.mjs";

let scene;
const browsers = [];

before(async () => {
  scene = await Scene.set("refused", { policy: {
    attempts: 1, response_window: "24 s", grace: "2 s", late_limit: "28 s", answerable_percent: 25, makeup_delay: "30 min", ladder_inspector: "10 min" } });
});

after(async () => {
  await Promise.all(browsers.map((browser) => browser.close()));
  await scene?.strike();
});

async function without(...flags) {
  const browser = await launch(MEDIA, null, flags);
  browsers.push(browser);
  return browser;
}

// The link, the notice, and the tap that asks for the camera.
async function asked(browser, link) {
  const phone = await open(browser, PHONE);
  await phone.goto(link);
  await phone.getByRole("button", { name: "Продолжить" }).click();
  await phone.getByRole("button", { name: "Прочитано. Включить камеру" }).click();
  return phone;
}

const facts = (row) => row.evidence.map((one) => one.fact);

describe("no call comes about", { concurrency: true }, () => {
  test("declined with a reason", { timeout: 300000 }, async () => {
    const person = await scene.product.person("Ержан Абдрахманов");
    const { checkin, link } = await scene.product.ring(person);
    const phone = await asked(scene.persons, link);
    await phone.getByRole("button", { name: "Сейчас не могу говорить" }).click();
    await phone.getByRole("button", { name: "Я у врача или в больнице" }).click();
    await phone.getByLabel("Причина своими словами").fill("Перелом руки, жду снимок");
    await shot(phone, "declined-reason");
    await phone.getByRole("button", { name: "Отправить причину" }).click();
    await phone.getByText("Ваш ответ отправлен").waitFor();
    assert.match((await phone.locator(".receipt-number").innerText()).trim(), /^R-/);
    const row = await scene.decided(checkin);
    assert.equal(row.outcome, "declined");
    assert.equal(row.declined_reason, "Я у врача или в больнице. Перелом руки, жду снимок");
    assert.ok(row.incident_id > 0, "an officer concludes");

    // The inspector reads the reason, and nothing is charged until somebody concludes it.
    const desk = await open(scene.staff, DESK);
    await login(desk, scene.product, "inspector");
    await desk.goto(`${scene.product.base}/#/checkins/${checkin.id}`);
    await desk.getByText("Перелом руки, жду снимок").waitFor();
    await desk.getByText("Отказ с указанием причины").first().waitFor();
    await shot(desk, "declined-checkin");
    assert.equal(row.conclusion, null);
    assert.deepEqual([phone.faults, desk.faults], [[], []]);
  });

  test("camera refused", { timeout: 300000 }, async () => {
    const person = await scene.product.person("Сергей Волков");
    const { checkin, link } = await scene.product.ring(person);
    const phone = await asked(await without("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream=deny"), link);
    await phone.getByText("Камера заблокирована").waitFor();
    await phone.locator(".where-picture").waitFor();
    await phone.getByText("Это показывает, что вы пытались.").waitFor();
    await shot(phone, "camera-denied");
    await until(async () => facts(await scene.read(checkin)).includes("permission_denied"), "the refusal is evidence");
    assert.equal((await scene.read(checkin)).outcome, null, "not decided while it can still be allowed");
    const row = await scene.decided(checkin);
    assert.equal(row.outcome, "person_fault");
    assert.ok(row.answerable_s >= row.answerable_needed_s);
    assert.ok(facts(row).includes("page_opened") && facts(row).includes("permission_asked"));
    assert.ok(row.incident_id > 0);
    assert.deepEqual(phone.faults, []);
  });

  test("no camera there", { timeout: 300000 }, async () => {
    const person = await scene.product.person("Асан Оспанов");
    const { checkin, link } = await scene.product.ring(person);
    const phone = await asked(await without("--use-fake-device-for-media-stream=device-count=0", "--use-fake-ui-for-media-stream"), link);
    await phone.getByText("Камера не найдена").waitFor();
    await shot(phone, "camera-none");
    const row = await scene.decided(checkin);
    assert.ok(facts(row).includes("no_camera"));
    assert.equal(row.outcome, "person_fault");
    assert.ok(row.incident_id > 0);
    assert.deepEqual(phone.faults, []);
  });

  test("camera refused, and still in time to be seen without one", { timeout: 300000 }, async () => {
    const person = await scene.product.person("Олжас Нұрланов");
    const { link } = await scene.product.ring(person);
    const phone = await asked(await without("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream=deny"), link);
    await phone.getByRole("button", { name: "Ответить без видео" }).click();
    await screen(phone, "waiting");
    const desk = await open(scene.staff, PHONE);
    await login(desk, scene.product, "inspector");
    const card = desk.locator(".urgent-card.ring", { hasText: person.name });
    await card.getByRole("button", { name: "Ответить" }).click();
    await screen(phone, "call");
    await desk.getByText("Камера человека не передаёт изображение.").waitFor();
    await shot(desk, "call-without-camera");
    assert.deepEqual([phone.faults, desk.faults], [[], []]);
    await desk.context().close();
  });
});

test("the store holds each of them once", () => scene.verify());

// When and how often: scores and what the policy table makes of them, load ahead, zones of units, a fixed next call.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import * as f from "../fixtures.mjs";
import { PHONE } from "../browser.mjs";
import { faults, Stage } from "../stage.mjs";

let stage;
before(async () => (stage = await Stage.set()));
after(() => stage.strike());
const scene = (work) => () => stage.scene(work)();
const sent = (server, path) => server.posts.filter((post) => post.path === path).map((post) => post.body);
const dialog = (page) => page.locator(".dialog");
const SUPERVISOR = { roles: ["supervisor"] };

test("scores are opened on purpose, and a score is made of all thirteen answers", scene(async (server) => {
  server.state.risk = { scores: [], judgements: [] };
  const page = await stage.console(server, "persons/101?tab=risk");
  const open = page.locator(".empty .button.primary");
  await open.waitFor();
  assert.equal(server.gets ? server.gets.filter((path) => path.includes("/risk")).length : 0, 0);
  await open.click();
  await page.getByRole("button", { name: "New score" }).click();
  await dialog(page).locator("input[type=date]").fill("2026-11-01");
  await dialog(page).getByRole("checkbox").first().check();
  const save = dialog(page).locator("button[type=submit]");
  for (let item = 0; item < 13; item++) {
    assert.ok(await save.isDisabled());
    await dialog(page).locator(".risk-items > li").nth(item).locator("button").nth(item < 5 ? 0 : item < 11 ? 1 : 2).click();
  }
  await save.click();
  await page.waitForSelector(".dialog", { state: "detached" });
  const [score] = sent(server, "/api/persons/101/risk/score");
  assert.deepEqual(score.items, [1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, null, null]);
  assert.deepEqual(score.eligibility, { known_to_police: true, partner: false, contact_or_threat: false, adult_man_to_woman: false });
  assert.equal(score.index_date, "2026-11-01");
  assert.deepEqual(faults(page), []);
}));

test("a score shows its bounds and no percentage; the proposal from it goes to another person", scene(async (server) => {
  const page = await stage.console(server, "persons/101?tab=risk");
  await page.locator(".empty .button.primary").click();
  await page.getByText("Хаттамалар").first().waitFor({ state: "attached" });
  const text = await page.locator("main").innerText();
  assert.ok(!text.includes("%"), "a percentage is shown");
  assert.match(text, /7–13/);
  await page.locator(".cards > .button").click();
  await dialog(page).locator(".button").filter({ hasText: /Show/ }).click();
  await dialog(page).locator(".note.warn").waitFor();
  await dialog(page).locator("textarea, input[type=text]").last().fill("the new score");
  await dialog(page).locator("button[type=submit]").click();
  await page.waitForSelector(".dialog", { state: "detached" });
  assert.deepEqual(sent(server, "/api/persons/101/risk/preview"), [{ order_id: 501, basis: "score" }]);
  assert.deepEqual(sent(server, "/api/persons/101/risk/proposal"), [{ order_id: 501, basis: "score", reason: "the new score" }]);
  assert.deepEqual(faults(page), []);
}));

test("a judgement stands beside the score, with its reasons and a level of its own", scene(async (server) => {
  const page = await stage.console(server, "persons/101?tab=risk");
  await page.locator(".empty .button.primary").click();
  await page.getByRole("button", { name: "Add a judgement" }).click();
  const save = dialog(page).locator("button[type=submit]");
  await dialog(page).locator("select").selectOption("high");
  assert.ok(await save.isDisabled());
  await dialog(page).getByRole("textbox").fill("He bought a weapon");
  await save.click();
  await page.waitForSelector(".dialog", { state: "detached" });
  assert.deepEqual(sent(server, "/api/persons/101/risk/judgement"), [{ band: "high", reasons: "He bought a weapon" }]);
  assert.equal(sent(server, "/api/persons/101/risk/score").length, 0);
  assert.deepEqual(faults(page), []);
}));

test("the policy table is changed by a proposal that names every band", scene(async (server) => {
  const page = await stage.console(server, "cadence", SUPERVISOR);
  await page.waitForSelector("fieldset");
  assert.equal(await page.locator("fieldset").count(), 8);
  const send = page.locator(".dock .button.primary");
  assert.ok(await send.isDisabled());
  await page.locator("fieldset").nth(7).locator("input[type=number]").first().fill("7");
  await send.click();
  await dialog(page).locator("textarea, input[type=text]").last().fill("as ordered");
  await dialog(page).locator("button[type=submit]").click();
  await page.waitForSelector(".dialog", { state: "detached" });
  const [asked] = sent(server, "/api/approvals");
  assert.equal(asked.kind, "cadence.change");
  assert.equal(asked.request.bands.length, 8);
  assert.equal(asked.request.bands[7].contacts, 7);
  assert.equal(asked.reason, "as ordered");
  assert.deepEqual(faults(page), []);
}));

test("what is too much ahead is said, what was made recorded, and what has nobody", scene(async (server) => {
  const page = await stage.console(server, "overload", SUPERVISOR);
  await page.getByText("4 at once, 2 there").waitFor();
  await page.getByText("2 at once, 0 there").waitFor();
  await page.getByText("1 live check-in has nobody's time").waitFor();
  await page.getByText("4 check-ins were made recorded").waitFor();
  assert.equal(await page.getByText("Nothing is too much").count(), 0);
  server.state.overload = { ...f.overload(), unattended: 0, nobody: 0, overloads: [] };
  await page.reload();
  await page.getByText("Nothing is too much").waitFor();
  assert.equal(await page.locator(".note").count(), 0);
  assert.deepEqual(faults(page), []);
}));

test("a unit's zone is changed after what it moves was shown", scene(async (server) => {
  const page = await stage.console(server, "units", { roles: ["administrator"] });
  await page.getByRole("button", { name: "Another time zone" }).click();
  const go = dialog(page).locator("button[type=submit]");
  assert.ok(await go.isDisabled());
  await dialog(page).getByLabel("Time zone").selectOption({ index: 1 });
  await go.click();
  await page.getByText("42 check-ins of 3 persons").waitFor();
  assert.equal(sent(server, "/api/units/1/zone").length, 0);
  await dialog(page).getByRole("button", { name: "Change the zone" }).click();
  await page.waitForSelector(".dialog", { state: "detached" });
  assert.deepEqual(sent(server, "/api/units/1/zone"), sent(server, "/api/units/1/zone/preview"));
  assert.deepEqual(faults(page), []);
}));

test("a request that only another unit can decide says so", scene(async (server) => {
  server.state.approvals = [{ ...f.approvals[0], alone: true }];
  const page = await stage.console(server, "approvals", SUPERVISOR);
  await page.getByText("a supervisor of another unit may decide").waitFor();
  assert.deepEqual(faults(page), []);
}));

test("on a phone nothing of a request touches anything else", scene(async (server) => {
  const page = await stage.console(server, "approvals", { ...SUPERVISOR, viewport: PHONE });
  await page.waitForSelector(".approval .row-buttons .button");
  const boxes = await page.evaluate(() => [...document.querySelectorAll(".approval")].flatMap((card) =>
    [".order-head", ".row-buttons"].flatMap((group) => {
      const all = [...card.querySelectorAll(group + " > *")].map((node) => node.getBoundingClientRect());
      return all.slice(1).map((box, at) => ({ aside: box.left - all[at].right, below: box.top - all[at].bottom }));
    })));
  assert.ok(boxes.length >= 3);
  for (const gap of boxes) assert.ok(gap.aside >= 4 || gap.below >= 4, JSON.stringify(gap));
}));

test("the next call is named by its time where that is fixed, by its window where it is drawn", scene(async (server) => {
  const next = { start: f.at(24 * 60), end: f.at(26 * 60) };
  for (const at of [f.at(25 * 60), null]) {
    server.state.person = f.personState({ checkin: null, next_window: { ...next, at } });
    const page = await stage.page({ viewport: PHONE });
    await page.goto(server.origin + "/p");
    const card = page.locator(".card").filter({ hasText: "Next" }).first();
    await card.waitFor();
    const text = await card.innerText();
    assert.equal(/some time between/.test(text), at === null, text);
    await page.context().close();
  }
}));

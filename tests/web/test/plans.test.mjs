// What is demanded of a person: orders, plans, on-demand checks, times without contact; and what needs two persons.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import * as f from "../fixtures.mjs";
import { faults, Stage } from "../stage.mjs";

let stage;
before(async () => (stage = await Stage.set()));
after(() => stage.strike());
const scene = (work) => () => stage.scene(work)();
const sent = (server, path) => server.posts.filter((post) => post.path === path).map((post) => post.body);
const dialog = (page) => page.locator(".dialog");

test("a plan is previewed before it is saved, and what the order does not allow cannot be", scene(async (server) => {
  const page = await stage.console(server, "persons/101");
  await page.getByRole("button", { name: "Add a plan" }).click();
  await page.waitForSelector(".preview-list li");
  await page.getByRole("button", { name: "Friday" }).click();
  await page.getByRole("button", { name: "Another window" }).click();
  await page.locator(".preview").getByText("More mandatory contacts than the order says.").waitFor();
  await page.locator(".dock").getByText("More mandatory contacts than the order says.").waitFor(); // beside the button that waits for it
  assert.ok(await page.getByRole("button", { name: "Save the plan" }).isDisabled());
  assert.equal(sent(server, "/api/persons/101/plans").length, 0);
  await page.getByRole("button", { name: "Remove this window" }).nth(1).click();
  await page.locator(".dock").getByText("More mandatory contacts").waitFor({ state: "detached" });
  await page.getByRole("button", { name: "Save the plan" }).click();
  await page.waitForSelector(".dialog", { state: "detached" });
  const [saved] = sent(server, "/api/persons/101/plans");
  assert.equal(saved.recurrence, "FREQ=WEEKLY;BYDAY=MO,TH,FR");
  assert.equal(saved.windows.length, 1);
  assert.equal(saved.response_window_s, 900);
  assert.equal(saved.replaces, undefined);
  assert.deepEqual(faults(page), []);
}));

test("what serves, until when and what comes next is said, and what becomes of it where a plan is ended", scene(async (server) => {
  server.state.plans = f.succession;
  const page = await stage.console(server, "persons/101");
  const cards = page.locator(".orders li").filter({ has: page.getByRole("button", { name: "End the plan" }) });
  assert.match(await cards.nth(0).innerText(), /serves now[^]*until .*then: Every day: 08:00–12:00/);
  assert.match(await cards.nth(1).innerText(), /from /);
  assert.equal(await cards.nth(0).getByRole("button", { name: "Change" }).count(), 0); // the one that waits can be changed
  await cards.nth(1).getByRole("button", { name: "End the plan" }).click();
  await dialog(page).getByText("This plan goes on instead: Every Mon, Thu").waitFor();
  await dialog(page).getByRole("button", { name: "Close" }).click();
  await cards.nth(0).getByRole("button", { name: "End the plan" }).click();
  await dialog(page).getByText("Nothing is asked of the person until").waitFor();
  assert.deepEqual(faults(page), []);
}));

test("the whole of a plan can be said: months, an end, dates, gap, silence, second checks", scene(async (server) => {
  const page = await stage.console(server, "persons/101");
  await page.getByRole("button", { name: "Add a plan" }).click();
  await page.getByLabel("Rhythm").selectOption("monthly");
  await page.getByLabel("Which day").selectOption("-1");
  await page.getByLabel("Weekdays").selectOption("FR");
  await page.getByLabel("Ends").selectOption("count");
  await page.getByLabel("Days in all").fill("6");
  await page.getByText("Gap, longest silence, second checks, dates").click();
  await page.getByLabel("Least gap between check-ins (min)").fill("90");
  await page.getByLabel("Longest time without contact (h)").fill("96");
  await page.getByLabel("Second check after a completed one").check();
  await page.getByLabel("Chance (%)").fill("25");
  await page.getByLabel("Dates beside the rule").fill("2026-12-24, 2026-12-31");
  await page.getByLabel("Dates left out").fill("2027-01-01");
  await page.waitForSelector(".preview-list li");
  await page.getByRole("button", { name: "Save the plan" }).click();
  await page.waitForSelector(".dialog", { state: "detached" });
  const [saved] = sent(server, "/api/persons/101/plans");
  assert.equal(saved.recurrence, "FREQ=MONTHLY;BYDAY=-1FR;COUNT=6");
  assert.deepEqual(saved.extra_dates, ["2026-12-24", "2026-12-31"]);
  assert.deepEqual(saved.except_dates, ["2027-01-01"]);
  assert.equal(saved.min_gap_s, 5400);
  assert.equal(saved.max_silence_s, 345600);
  assert.deepEqual(saved.second, { percent: 25, after_min_s: 900, after_max_s: 7200 });
}));

test("a plan is changed by one that takes its place, with the difference shown", scene(async (server) => {
  const page = await stage.console(server, "persons/101");
  await page.getByRole("button", { name: "Change" }).click();
  await dialog(page).getByText("What becomes different").waitFor();
  await dialog(page).getByText("no longer", { exact: true }).waitFor();
  await page.getByRole("button", { name: "Save the plan" }).click();
  await page.waitForSelector(".dialog", { state: "detached" });
  assert.equal(sent(server, "/api/persons/101/plans")[0].replaces, 601);
}));

test("a changed plan keeps the dates beside its rule that are still ahead", scene(async (server) => {
  const [plan] = f.person(101).plans;
  server.state.plans = [{ ...plan, extra_dates: [f.day(-3), f.day(4), f.day(9)], except_dates: [f.day(5)] }];
  const page = await stage.console(server, "persons/101");
  await page.getByRole("button", { name: "Change" }).click();
  assert.equal(await page.getByLabel("Dates beside the rule").inputValue(), `${f.day(4)}, ${f.day(9)}`);
  await dialog(page).getByText("What becomes different").waitFor();
  await page.getByRole("button", { name: "Save the plan" }).click();
  await page.waitForSelector(".dialog", { state: "detached" });
  const [saved] = sent(server, "/api/persons/101/plans");
  assert.deepEqual(saved.extra_dates, [f.day(4), f.day(9)]);
  assert.deepEqual(saved.except_dates, [f.day(5)]);
}));

test("a changed plan goes on in the step of its rule, and not before it would have begun", scene(async (server) => {
  const [plan] = f.person(101).plans;
  const week = (date) => Math.floor((Date.parse(date) / 86400000 + 3) / 7);
  const month = (date) => Number(date.slice(0, 4)) * 12 + Number(date.slice(5, 7));
  const next = (fits) => Array.from({ length: 90 }, (_, n) => f.day(n)).find(fits);
  const cases = [
    ["FREQ=DAILY;INTERVAL=3", f.day(-4), f.day(2)],
    ["FREQ=DAILY;INTERVAL=3", f.day(-6), f.day(0)],
    ["FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TH", f.day(-7), next((date) => (week(date) - week(f.day(-7))) % 2 === 0)],
    ["FREQ=WEEKLY;INTERVAL=3;BYDAY=MO,TH", f.day(-21), f.day(0)],
    ["FREQ=MONTHLY;INTERVAL=2;BYMONTHDAY=5", f.day(-31), next((date) => (month(date) - month(f.day(-31))) % 2 === 0)],
    ["FREQ=DAILY", f.day(3), f.day(3)],
  ];
  for (const [recurrence, first_date, expected] of cases) {
    server.state.plans = [{ ...plan, recurrence, first_date }];
    const page = await stage.console(server, "persons/101");
    await page.getByRole("button", { name: "Change" }).click();
    assert.equal(await page.locator("input[type=date]").first().inputValue(), expected, recurrence);
    await page.context().close();
  }
}));

test("drawn moments are shown to a supervisor who asks, and to nobody else", scene(async (server) => {
  let page = await stage.console(server, "persons/101");
  await page.getByRole("button", { name: "Ahead" }).click();
  await dialog(page).locator(".preview-list li").first().waitFor();
  assert.equal(await dialog(page).getByRole("button", { name: "Show the drawn moments" }).count(), 0);
  page = await stage.console(server, "persons/101", { roles: ["supervisor"] });
  await page.getByRole("button", { name: "Ahead" }).click();
  await dialog(page).getByRole("button", { name: "Show the drawn moments" }).click();
  await dialog(page).getByText("Drawn moments", { exact: true }).waitFor();
}));

test("an order says what it demands, and by which ways", scene(async (server) => {
  const page = await stage.console(server, "persons/101");
  await page.getByRole("button", { name: "Add an order" }).click();
  await page.getByLabel("Number").fill("7-14");
  await page.getByLabel("Article").fill("73");
  await page.getByLabel("Issued by").fill("Court");
  await page.getByRole("button", { name: "recorded tasks" }).click();
  await page.getByRole("button", { name: "Another demand" }).click();
  await page.getByLabel("Period").nth(1).selectOption("month");
  await page.getByLabel("Demanded by").nth(1).selectOption("agency");
  await page.getByLabel("Contacts a day at most").fill("2");
  await page.getByRole("button", { name: "Save" }).click();
  await page.waitForSelector(".dialog", { state: "detached" });
  const [saved] = sent(server, "/api/persons/101/orders");
  assert.equal(saved.per_day_max, 2);
  assert.deepEqual(saved.requirements, [
    { source: "court", count: 1, days: 7, modes: ["live"], mandatory: true },
    { source: "agency", count: 1, days: 0, modes: ["live", "unattended"], mandatory: true },
  ]);
}));

test("video in the place of visits is proposed with its citation", scene(async (server) => {
  const page = await stage.console(server, "persons/101");
  await page.getByRole("button", { name: "Propose that it replaces visits" }).click();
  await dialog(page).getByLabel("The text that allows it").fill("Art. 61, part 3");
  await dialog(page).getByLabel("Reason").fill("lives far away");
  await dialog(page).getByRole("button", { name: "Send for approval" }).click();
  await page.waitForSelector(".dialog", { state: "detached" });
  assert.deepEqual(sent(server, "/api/approvals")[0], { kind: "order.replaces", person: 101, reason: "lives far away", request: { order: 501, requirement: 521, citation: "Art. 61, part 3" } });
}));

test("what somebody else proposed is approved with a reason; one's own only withdrawn", scene(async (server) => {
  const page = await stage.console(server, "approvals", { roles: ["supervisor"] });
  await page.getByText("Art. 61, part 3").waitFor();
  assert.equal(await page.getByRole("button", { name: "Approve" }).count(), 1);
  assert.equal(await page.getByRole("button", { name: "Withdraw" }).count(), 1);
  await page.getByRole("button", { name: "Approve" }).click();
  await dialog(page).getByLabel("Reason").fill("the article allows it");
  await dialog(page).getByRole("button", { name: "Approve" }).click();
  await page.waitForSelector(".dialog", { state: "detached" });
  await page.getByText("Art. 61, part 3").waitFor({ state: "detached" });
  assert.deepEqual(sent(server, "/api/approvals/31/decide"), [{ approve: true, reason: "the article allows it" }]);
}));

test("a time without contact: entered by one, or sent for approval", scene(async (server) => {
  const page = await stage.console(server, "persons/101");
  await page.getByRole("button", { name: "Add a time without contact" }).click();
  await dialog(page).getByLabel("From").fill("2026-12-01");
  await dialog(page).getByLabel("Until").fill("2026-12-03");
  await dialog(page).getByLabel("Reason and document").fill("summons 4");
  await dialog(page).getByRole("button", { name: "Save" }).click();
  await page.waitForSelector(".dialog", { state: "detached" });
  const [saved] = sent(server, "/api/persons/101/blackouts");
  assert.equal(saved.source, "hospital");
  assert.equal(Date.parse(saved.until) - Date.parse(saved.from), 2 * 86400000);
  await page.getByRole("button", { name: "Add a time without contact" }).click();
  await dialog(page).getByLabel("Why").selectOption("absence");
  await dialog(page).getByLabel("Reason and document").fill("wedding");
  await dialog(page).getByRole("button", { name: "Send for approval" }).click();
  await page.waitForSelector(".dialog", { state: "detached" });
  assert.equal(sent(server, "/api/approvals")[0].kind, "blackout.absence");
}));

test("a plan, an order and a time without contact are ended with a reason, the order from a date on", scene(async (server) => {
  const page = await stage.console(server, "persons/101");
  const end = async (name, reason, fill) => {
    await page.getByRole("button", { name, exact: true }).first().click();
    const submit = dialog(page).getByRole("button", { name, exact: true });
    assert.ok(await submit.isDisabled()); // not without a reason
    if (fill) await fill();
    await dialog(page).getByLabel("Reason").fill(reason);
    await submit.click();
    await page.waitForSelector(".dialog", { state: "detached" });
  };
  await end("End the plan", "another rhythm was ordered");
  await end("End it", "the court lifted it", () => dialog(page).locator("input[type=date]").fill(f.day(3)));
  await end("End it now", "left the hospital");
  assert.deepEqual(sent(server, "/api/plans/601/end"), [{ reason: "another rhythm was ordered" }]);
  assert.deepEqual(sent(server, "/api/orders/501/end"), [{ date: f.day(3), reason: "the court lifted it" }]);
  assert.deepEqual(sent(server, "/api/blackouts/701/end"), [{ reason: "left the hospital" }]);
  assert.deepEqual(faults(page), []);
}));

test("an on-demand check says whether it is a duty", scene(async (server) => {
  const page = await stage.console(server, "persons/101");
  await page.getByRole("button", { name: "Call now" }).click();
  await dialog(page).getByLabel("Under the order").selectOption("voluntary");
  await dialog(page).getByLabel("Reason").fill("asked for it");
  await dialog(page).locator("button[type=submit]").click();
  await page.waitForSelector(".dialog", { state: "detached" });
  assert.deepEqual(sent(server, "/api/persons/101/checkins"), [{ reason: "asked for it", kind: "live", mandatory: false }]);
}));

// Taking an incident over when the network or a colleague is in the way, sessions that end, and what was being written.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { PHONE } from "../browser.mjs";
import * as f from "../fixtures.mjs";
import { faults, Stage } from "../stage.mjs";

let stage;
before(async () => (stage = await Stage.set()));
after(() => stage.strike());
const scene = (work) => () => stage.scene(work)();

const TAKE = "/api/incidents/71/acknowledge";
const taken = (server) => server.posts.filter((post) => post.path === TAKE);
const officer = (server, route = "incidents/71") => stage.console(server, route, { roles: ["officer"], viewport: PHONE });
const take = (page) => page.locator(".dock").getByRole("button", { name: "I take it" }).click();

test("a take-over whose answer was lost is found out, and asked for once", scene(async (server) => {
  const page = await officer(server);
  await page.locator(".dock").getByRole("button", { name: "I take it" }).waitFor();
  await page.route("**" + TAKE, async (route) => {
    await route.fetch(); // it was done …
    await route.abort("connectionreset"); // … and the answer never came
  });
  server.faults.set("/api/incidents/71", { drop: true, method: "GET" });
  await take(page);
  await page.getByText("Not confirmed yet").waitFor();
  await page.getByText("the next ones are still told").waitFor();
  assert.equal(await page.locator(".dock").getByRole("button", { name: "I take it" }).count(), 0);
  server.faults.clear();
  await page.getByText(/You hold it\. Until/).waitFor();
  assert.equal(taken(server).length, 1);
  assert.equal(await page.getByText("Not confirmed yet").count(), 0);
}));

test("a take-over that never arrived is asked for again, also from the alarm", scene(async (server) => {
  const page = await officer(server, "incidents");
  server.faults.set(TAKE, { drop: true });
  server.tell("console", { t: "alert", incident: f.incidentRow({}), notice: "N-1" });
  await page.locator(".urgent-card").getByRole("button", { name: "I take it" }).click();
  await page.getByText("Not confirmed yet").waitFor();
  assert.equal(server.state.incident.state, "open");
  server.faults.clear();
  await page.evaluate(() => window.dispatchEvent(new Event("online"))); // back in the network: at once
  await page.getByText(/You hold it\. Until/).waitFor();
  assert.equal(server.state.incident.state, "acknowledged");
  assert.equal(await page.locator(".urgent-card").count(), 0);
}));

test("somebody else was faster: who, and nothing is left to do but by a reason", scene(async (server) => {
  const page = await officer(server);
  await page.locator(".dock").getByRole("button", { name: "I take it" }).waitFor();
  server.faults.set(TAKE, { status: 409, code: "conflict", field: "holder", once: true });
  Object.assign(server.state.incident, { state: "acknowledged", holder: "Жанболат Бозінген", holder_id: 12 });
  await take(page);
  await page.getByText("Жанболат Бозінген took it before you. You need do nothing.").waitFor();
  await page.getByRole("button", { name: "Take it from Жанболат Бозінген" }).click();
  await page.getByRole("dialog").getByRole("textbox").fill("He does not answer");
  await page.getByRole("dialog").getByRole("button", { name: "I take it" }).click();
  await page.getByText(/You hold it\. Until/).waitFor();
  assert.deepEqual(taken(server).map((post) => post.body), [{ over: true, note: "He does not answer" }]);
}));

test("an alarm ends when a colleague has taken it over, and not before", scene(async (server) => {
  const page = await officer(server, "incidents");
  const row = f.incidentRow({});
  server.state.today = { ...server.state.today, incidents: [row, f.incidentRow({ id: 72, person_name: "Екінші Адам" })] };
  server.tell("console", { t: "alert", incident: row, notice: "N-1" });
  await page.locator(".urgent-card").getByText(row.person_name).waitFor();
  server.tell("console", { t: "alert", incident: f.incidentRow({ id: 72, person_name: "Екінші Адам" }), notice: "N-2" });
  server.state.today = { ...server.state.today, incidents: [{ ...row, state: "acknowledged", holder: "Ж. Бозінген", holder_id: 12 }, f.incidentRow({ id: 72, person_name: "Екінші Адам" })] };
  server.tell("console", { t: "incident", incident: row.id });
  await page.locator(".urgent-card").getByText("Екінші Адам").waitFor();
  server.state.today = { ...server.state.today, incidents: [server.state.today.incidents[0]] }; // concluded: no longer in the list
  server.tell("console", { t: "incident", incident: 72 });
  await page.locator(".urgent-card").waitFor({ state: "detached" });
}));

test("what the server says after a change is shown, also while an older answer is on its way", scene(async (server) => {
  const page = await officer(server, "today");
  await page.locator(".counts").waitFor();
  let release;
  server.faults.set("/api/today", { held: new Promise((go) => (release = go)), once: true });
  server.tell("console", { t: "today" });
  while (server.faults.size) await new Promise((go) => setTimeout(go, 20));
  server.state.today = { ...server.state.today, counts: { ...server.state.today.counts, incidents: 41 } };
  server.tell("console", { t: "today" });
  await page.locator(".counts").getByText("41").waitFor();
  const old = page.waitForResponse(/api\/today/);
  release();
  await old;
  await page.locator(".counts").getByText("41").waitFor();
}));

test("a session that ends says so, opens the same page again and loses no word", scene(async (server) => {
  const page = await officer(server);
  await page.getByRole("button", { name: "Note", exact: true }).click();
  await page.getByRole("dialog").getByRole("textbox").fill("Neighbour says he went out at nine");
  server.faults.set("/api/incidents/71/note", { status: 401, code: "unauthenticated" });
  await page.getByRole("dialog").getByRole("button", { name: "Save" }).click();
  await page.getByText("Your session has ended. Log in again").waitFor();
  server.faults.clear();
  await page.getByLabel("Login").fill("z.bozingen");
  await page.getByLabel("Password").fill("right");
  await page.getByRole("button", { name: "Log in" }).click();
  await page.getByRole("button", { name: "Note", exact: true }).click();
  assert.equal(await page.getByRole("dialog").getByRole("textbox").inputValue(), "Neighbour says he went out at nine");
  await page.getByRole("dialog").getByText("What you wrote before is here again.").waitFor();
  await page.getByRole("dialog").getByRole("button", { name: "Save" }).click();
  await page.getByRole("dialog").waitFor({ state: "detached" });
  assert.equal(server.posts.filter((post) => post.path === "/api/incidents/71/note").pop().body.text, "Neighbour says he went out at nine");
  await page.getByRole("button", { name: "Note", exact: true }).click();
  assert.equal(await page.getByRole("dialog").getByRole("textbox").inputValue(), "", "what was sent is not offered again");
}));

test("a session that ended elsewhere is noticed by reading, too", scene(async (server) => {
  const page = await officer(server, "incidents");
  await page.locator("[data-row]").first().waitFor();
  server.state.loggedIn = false;
  await page.evaluate(() => (location.hash = "#/persons"));
  await page.getByText("Your session has ended. Log in again").waitFor();
  server.state.loggedIn = true;
  assert.equal(await page.evaluate(() => location.hash), "#/persons");
}));

test("a link of a mail is kept over the log-in, and the code needs no button", scene(async (server) => {
  server.state.code = "424242";
  server.state.me = f.me(["officer"], "en");
  const page = await stage.page({ viewport: PHONE });
  await page.goto(server.origin + "/#/incidents/71");
  await page.getByText("The link opens as soon as you are in.").waitFor();
  await page.getByLabel("Login").fill("z.bozingen");
  await page.getByLabel("Password").fill("right");
  await page.getByRole("button", { name: "Log in" }).click();
  await page.getByLabel("Code").waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.autocomplete), "one-time-code", "the code is the next thing to type");
  await page.keyboard.type("111111");
  await page.getByText("This is not the code").waitFor();
  await page.waitForFunction(() => document.activeElement.getAttribute("aria-invalid") === "true");
  await page.keyboard.type("424242"); // in the place of the wrong one
  await page.locator(".dock").getByRole("button", { name: "I take it" }).waitFor();
  assert.deepEqual(faults(page), []);
}));

test("an outcome half written outlives a reload; after the log-out nothing is left", scene(async (server) => {
  server.state.checkin = { ...f.checkin(9), kind: "live", state: "connected", outcome: null, form: null, review: null, taken_by: server.state.me.id, next: { what: "form_due", at: f.at(9) } };
  const page = await stage.console(server, "checkins/9");
  await page.locator("form.outcome textarea").fill("Pale, spoke slowly");
  await page.getByLabel("speaks calmly").check();
  await page.reload();
  await page.getByText("What you wrote before is here again.").waitFor();
  assert.equal(await page.locator("form.outcome textarea").inputValue(), "Pale, spoke slowly");
  assert.ok(await page.getByLabel("speaks calmly").isChecked());
  await page.goto(server.origin + "/#/account");
  await page.getByRole("button", { name: "Log out" }).last().click();
  await page.getByLabel("Login").waitFor();
  assert.equal(await page.evaluate(() => Object.keys(sessionStorage).length), 0);
}));

test("somebody half entered is there after a reload, for the one who wrote it alone", scene(async (server) => {
  const page = await stage.console(server, "persons/new");
  await page.getByLabel("Full name").fill("Ғалымжан Өтегенов");
  await page.reload();
  await page.getByText("What you wrote before is here again.").waitFor();
  assert.equal(await page.getByLabel("Full name").inputValue(), "Ғалымжан Өтегенов");
  await page.getByRole("button", { name: "Begin anew" }).click();
  assert.equal(await page.getByLabel("Full name").inputValue(), "");
  await page.getByLabel("Full name").fill("Ғалымжан Өтегенов");
  server.state.me = { ...server.state.me, id: 4711 };
  await page.reload();
  await page.getByLabel("Full name").waitFor();
  assert.equal(await page.getByLabel("Full name").inputValue(), "");
}));

test("another alarm does not lie where the button of the incident on the screen is", scene(async (server) => {
  const page = await officer(server);
  const button = page.locator(".dock").getByRole("button", { name: "I take it" });
  await button.waitFor();
  server.tell("console", { t: "alert", incident: f.incidentRow({}), notice: "N-1" }); // its own: the page has the button
  server.tell("console", { t: "alert", incident: f.incidentRow({ id: 72, person_name: "Екінші Адам" }), notice: "N-2" });
  await page.locator(".urgent").getByText("Екінші Адам").waitFor();
  assert.equal(await page.locator(".urgent button").count(), 0, "nothing of the other one can be taken by mistake");
  await button.click(); // and nothing lies over it
  await page.getByText(/You hold it\. Until/).waitFor();
  assert.equal(taken(server).length, 1);
  await page.locator(".urgent a").click();
  await page.waitForFunction(() => location.hash === "#/incidents/72");
}));

test("the areas of a phone, the counts of the day and the open tab are whole in every language", scene(async (server) => {
  for (const language of ["kk", "ru", "en"]) {
    for (const roles of [["officer"], ["inspector"], ["supervisor"]]) {
      const page = await stage.console(server, "today", { roles, language, viewport: { width: 360, height: 740 } });
      await page.locator(".counts").waitFor();
      for (const area of await page.locator(".tabs a.nav-link").all()) {
        await area.click();
        const text = area.locator(".nav-text");
        assert.ok(await text.evaluate((element) => element.scrollWidth <= element.clientWidth && element.clientHeight < 20), `${language} ${roles}: ${await text.textContent()}`);
      }
      assert.ok(await page.locator(".body").evaluate((body) => body.scrollWidth <= body.clientWidth));
      await page.context().close();
    }
  }
  const page = await stage.console(server, "today", { viewport: { width: 360, height: 740 }, language: "ru" });
  for (const count of await page.locator(".counts > li:visible").all()) {
    const box = await count.boundingBox();
    assert.ok(box.x >= 0 && box.x + box.width <= 360, await count.textContent());
  }
  await page.goto(server.origin + "/#/persons/101?tab=risk");
  const open = page.locator(".tabs-inline [aria-current=page]");
  await open.waitFor();
  await page.waitForFunction(() => { const box = document.querySelector(".tabs-inline [aria-current=page]").getBoundingClientRect(); return box.left >= 0 && box.right <= innerWidth; });
}));

test("a form whose answer names a field leads to it; what no field shows is named", scene(async (server) => {
  const page = await stage.console(server, "staff", { roles: ["administrator"] });
  await page.getByRole("button", { name: "Add somebody" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Full name").fill("Екінші Адам");
  await dialog.getByLabel("Login").fill("taken");
  await dialog.getByLabel("First password").fill("before the first log-in");
  server.faults.set("/api/staff", { method: "POST", status: 409, code: "conflict", field: "login" });
  await dialog.getByRole("button", { name: "Save" }).click();
  await dialog.getByText("This login cannot be used").waitFor();
  await dialog.getByText("Please check the marked fields.").waitFor();
  await page.waitForFunction(() => document.activeElement.labels && document.activeElement.labels[0].textContent === "Login");
  server.faults.set("/api/staff", { method: "POST", status: 400, code: "invalid", field: "roles" });
  await dialog.getByRole("button", { name: "Save" }).click();
  await dialog.getByText("The server did not accept this field: roles.").waitFor();
}));

test("whoever comes in by keyboard begins at the head of what is new", scene(async (server) => {
  const page = await stage.page();
  await page.goto(server.origin + "/");
  await page.waitForFunction(() => document.activeElement.tagName === "H1" && document.querySelector("form"));
  await page.keyboard.press("Tab");
  await page.keyboard.type("s.tamyrova");
  await page.keyboard.press("Tab");
  await page.keyboard.type("right");
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => document.activeElement.id === "content");
}));

test("whoever waits is on top with the one button, as the server says it", scene(async (server) => {
  const page = await stage.console(server, "today", { viewport: PHONE });
  const row = page.locator(".row", { hasText: f.rows.waiting.person_name }).first();
  await row.getByText(/Waiting since/).waitFor();
  await row.getByRole("button", { name: "Answer" }).click();
  await server.heard("console", "take", (message) => message.checkin === f.rows.waiting.id);
}));

test("a call that is over waits for its outcome, wherever the page was reloaded", scene(async (server) => {
  const over = { ...f.rows.waiting, waiting_since: null, taken_by: server.state.me.id, next: { what: "form_due", at: f.at(10) } };
  server.state.checkin = { ...f.checkin(over.id), ...over, form: null };
  server.state.today = { ...server.state.today, waiting: [], connected: [over] };
  server.onSocket = (kind, message, ws) => message.t === "take" && server.send(ws, { t: "error", id: message.id, code: "conflict", message: "it is over" });
  const page = await stage.console(server, "call/" + over.id, { viewport: PHONE });
  await page.locator("form.outcome textarea").fill("Spoke calmly");
  await page.reload();
  await page.waitForFunction(() => document.querySelector("form.outcome textarea") && document.querySelector("form.outcome textarea").value === "Spoke calmly");
  await page.goto(server.origin + "/#/today");
  await page.getByText("The call is over; its outcome is not written").waitFor();
  await page.getByRole("link", { name: "Write the outcome" }).click();
  await page.waitForFunction(() => document.querySelector("form.outcome textarea") && document.querySelector("form.outcome textarea").value === "Spoke calmly");
  server.state.checkin = { ...server.state.checkin, taken_by: 12 }; // a colleague's
  await page.goto(server.origin + "/#/call/" + over.id);
  await page.reload();
  await page.getByRole("heading", { name: "This call is not yours any more" }).first().waitFor();
  assert.equal(await page.locator("form.outcome").count(), 0);
}));

test("whether it is recorded is whole in a call, beside the longest name on the narrowest phone", scene(async (server) => {
  const name = "Нұрсұлтан Әбдіқадырұлы-Қожахметов-Мұхаметжановский";
  server.state.checkin = { ...f.checkin(f.rows.waiting.id), ...f.rows.waiting, person_name: name };
  server.onSocket = (kind, message, ws) => message.t === "take" && server.send(ws, { t: "taken", checkin: message.checkin });
  for (const language of ["kk", "ru", "en"]) {
    const page = await stage.console(server, "call/" + f.rows.waiting.id, { viewport: { width: 360, height: 740 }, language });
    await page.locator(".stage-who strong").getByText(name).waitFor();
    server.tell("console", { t: "recording", checkin: f.rows.waiting.id, on: true });
    server.tell("console", { t: "link", checkin: f.rows.waiting.id, quality: "poor", rtt_ms: 900, loss: 0.2, kbps: 80 });
    await page.locator(".stage-chips .stage-chip").nth(1).waitFor();
    for (const chip of await page.locator(".stage-top .stage-chip").all()) {
      const box = await chip.boundingBox();
      assert.ok(box.x >= 0 && box.x + box.width <= 360, `${language}: ${await chip.textContent()} at ${JSON.stringify(box)}`);
      assert.ok(await chip.evaluate((element) => element.scrollWidth <= element.clientWidth + 1));
    }
    await page.context().close();
  }
}));

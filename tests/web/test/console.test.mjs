// The staff console: log-in, ringing, the call, outcomes, reviews, incidents, the log.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { PHONE } from "../browser.mjs";
import * as f from "../fixtures.mjs";
import { faults, playing, Stage } from "../stage.mjs";

let stage;
before(async () => (stage = await Stage.set({ clip: true })));
after(() => stage.strike());
const scene = (work) => () => stage.scene(work)();

test("log in: wrong, right, out", scene(async (server) => {
  const page = await stage.page();
  await page.goto(server.origin + "/");
  await page.getByLabel("Login").fill("s.tamyrova");
  await page.getByLabel("Password").fill("wrong");
  await page.getByRole("button", { name: "Log in" }).click();
  await page.getByText("Login or password is not right.").waitFor();
  await page.getByLabel("Password").fill("right");
  await page.getByRole("button", { name: "Log in" }).click();
  await page.getByRole("heading", { name: "Today", exact: true }).waitFor();
  await page.goto(server.origin + "/#/account");
  await page.getByRole("button", { name: "Log out" }).last().click();
  await page.getByLabel("Login").waitFor();
  assert.deepEqual(faults(page), []);
}));

test("the first administrator is made on the page of an empty store", scene(async (server) => {
  server.state.setup = true;
  const page = await stage.page();
  await page.goto(server.origin + "/");
  await page.getByLabel("Set-up code").fill("CODE");
  await page.getByLabel("Name of the unit").fill("U");
  await page.getByLabel("Number of the duty room").fill("8 (7172) 00-00-00");
  await page.getByLabel("Full name").fill("N");
  await page.getByLabel("Login").fill("root");
  await page.getByLabel("Password").fill("short");
  assert.ok(await page.getByRole("button", { name: "Create and begin" }).isDisabled());
  await page.getByLabel("Password").fill("long enough words");
  await page.getByRole("button", { name: "Create and begin" }).click();
  await page.getByRole("heading", { name: "Staff" }).waitFor();
  assert.deepEqual(server.posts.find((post) => post.path === "/api/setup").body, { token: "CODE", login: "root", name: "N", password: "long enough words", language: "en", unit: { name: "U", zone: "Asia/Almaty", phone: "87172000000" } });
}));

test("a password set by somebody else must be changed before anything is shown", scene(async (server) => {
  server.state.loggedIn = true;
  server.state.me = { ...f.me(), must_change_password: true };
  const page = await stage.page();
  await page.goto(server.origin + "/#/today");
  await page.getByText("Somebody else set your password.").waitFor();
  assert.equal(server.said.length, 0);
  await page.getByLabel("Present password").fill("given");
  await page.getByLabel("New password").fill("my own long words");
  await page.getByRole("button", { name: "Change" }).click();
  await page.getByRole("heading", { name: "Today", exact: true }).waitFor();
}));

test("the second factor is a second question, and only where there is one", scene(async (server) => {
  server.state.code = "424242";
  const page = await stage.page();
  await page.goto(server.origin + "/");
  await page.getByLabel("Login").fill("s.tamyrova");
  await page.getByLabel("Password").fill("my own long words");
  assert.equal(await page.getByLabel("Code").count(), 0);
  await page.getByRole("button", { name: "Log in" }).click();
  await page.getByLabel("Code").fill("111111"); // a whole code is sent as it is
  await page.getByText("This is not the code").waitFor();
  await page.getByLabel("Code").fill("424242");
  await page.getByRole("heading", { name: "Today", exact: true }).waitFor();
}));

test("where a second factor is required it is set up before anything is shown", scene(async (server) => {
  server.state.loggedIn = true;
  server.state.me = { ...f.me(), second_factor: false };
  const page = await stage.page();
  await page.goto(server.origin + "/#/today");
  await page.getByText("Your agency asks for a second factor").waitFor();
  assert.equal(server.said.length, 0);
  await page.getByRole("button", { name: "Show the picture" }).click();
  const picture = page.getByRole("img", { name: "QR code" });
  await picture.waitFor();
  assert.ok(await picture.evaluate((image) => image.decode().then(() => image.naturalWidth > 0)), "the content policy lets it be seen");
  await page.getByText("GEZD GNBV").waitFor();
  await page.getByLabel("Code").fill("000000");
  await page.getByRole("button", { name: "It works" }).click();
  await page.getByText("This is not the code").waitFor();
  await page.getByLabel("Code").fill("424242");
  await page.getByRole("button", { name: "It works" }).click();
  await page.getByRole("heading", { name: "Today", exact: true }).waitFor();
}));

test("one's own sessions are seen by device and ended", scene(async (server) => {
  const page = await stage.console(server, "account");
  await page.getByText("Firefox, Windows").waitFor();
  await page.getByText("Chrome, Android").waitFor();
  await page.getByRole("button", { name: "End", exact: true }).click();
  await page.getByText("Firefox, Windows").waitFor({ state: "detached" });
  assert.ok(server.posts.some((post) => post.path === "/api/sessions/70/end" && post.token === "csrf-token"));
}));

test("somebody waits: it rings over any page, `a` answers, the call connects, its outcome is one step", scene(async (server) => {
  const peer = await stage.peer(server);
  peer.other = (kind, message, ws) => message.t === "take" && server.send(ws, { t: "taken", checkin: message.checkin });
  const page = await stage.console(server, "persons");
  await page.getByText("Дәуренбек Жалғызтау").first().waitFor();
  server.tell("console", { t: "ring", checkin: f.rows.waiting });
  await page.locator(".urgent").getByText("is waiting for you").waitFor();
  await page.waitForFunction(() => document.title.startsWith("●"));
  await page.keyboard.press("a");
  assert.equal((await server.heard("console", "take")).checkin, 901);
  await server.heard("console", "offer");
  server.tell("console", { t: "peer", checkin: 901, state: "here", camera: true });
  server.tell("console", { t: "link", checkin: 901, quality: "fair", rtt_ms: 90, loss: 1, kbps: 700 });
  server.tell("console", { t: "recording", checkin: 901, on: true });
  await playing(page);
  await page.getByText("fair link").waitFor();
  assert.equal(await page.locator(".band").count(), 0, "no level on a screen that may face the person");
  assert.equal(await page.getByText("highest").count(), 0);

  await page.getByRole("button", { name: "Compare" }).click();
  await page.getByAltText("Reference photo").waitFor();
  await page.getByRole("button", { name: "Observations" }).click();
  assert.equal(await page.locator(".concern").getAttribute("open"), null, "the concern is closed by default");
  await page.getByLabel("speaks calmly").check();
  await page.getByText("Private concern").click();
  await page.getByLabel("What worries you").fill("bruise");
  await page.getByRole("button", { name: "Put on record" }).click();
  await page.waitForFunction(() => !document.querySelector(".concern").open);
  assert.deepEqual(server.posts.find((post) => post.path === "/api/checkins/901/concern").body, { text: "bruise" });
  assert.ok(!server.said.some((entry) => JSON.stringify(entry).includes("bruise")), "nothing of it on the socket");

  await page.getByRole("button", { name: "End" }).click();
  await server.heard("console", "end");
  await page.getByText("You ended the call.").waitFor();
  assert.ok(await page.getByLabel("speaks calmly").isChecked(), "what was ticked in the call is kept");
  assert.ok(await page.getByRole("button", { name: "Save the outcome" }).isDisabled(), "contact needs the identity");
  await page.keyboard.press("5");
  await page.getByRole("button", { name: "Save the outcome" }).click();
  await page.getByRole("heading", { name: "Today", exact: true }).waitFor();
  assert.deepEqual(server.posts.find((post) => post.path === "/api/checkins/901/outcome").body, { result: "completed", identity_confirmed: true, behaviours: ["calm"], note: "" });
  assert.deepEqual(faults(page), []);
}));

test("a colleague was faster", scene(async (server) => {
  server.onSocket = (kind, message, ws) => message.t === "take" && server.send(ws, { t: "error", id: message.id, code: "conflict", message: "" });
  const page = await stage.console(server, "call/901");
  await page.getByText("A colleague has answered").waitFor();
  await page.getByRole("button", { name: "Back to today" }).click();
  await page.getByRole("heading", { name: "Today", exact: true }).waitFor();
}));

test("reload in a call takes it again, once, and connects", scene(async (server) => {
  const peer = await stage.peer(server);
  peer.other = (kind, message, ws) => message.t === "take" && server.send(ws, { t: "taken", checkin: message.checkin });
  const page = await stage.console(server, "call/901");
  await playing(page);
  server.said.length = 0;
  await page.reload();
  await playing(page);
  assert.equal(server.said.filter((entry) => entry.message.t === "take").length, 1);
}));

test("the call goes on when the socket falls", scene(async (server) => {
  const peer = await stage.peer(server);
  peer.other = (kind, message, ws) => message.t === "take" && server.send(ws, { t: "taken", checkin: message.checkin });
  const page = await stage.console(server, "call/901");
  await playing(page);
  server.said.length = 0;
  server.refuseSockets = true;
  for (const socket of server.sockets.console) socket.terminate();
  await page.getByText("Connection lost. The call goes on; we try again.").first().waitFor();
  server.refuseSockets = false;
  const take = await server.heard("console", "take");
  assert.equal(take.generation, 1);
  await playing(page);
  assert.equal(server.said.filter((entry) => entry.message.t === "offer").length, 0);
}));

test("whoever calls by themselves is said to, in the card and in the list", scene(async (server) => {
  const inbound = { ...f.rows.waiting, kind: "inbound" };
  server.state.today = { ...f.today(), waiting: [inbound] };
  const page = await stage.console(server, "today");
  server.tell("console", { t: "ring", checkin: inbound });
  await page.locator(".urgent").getByText(/is calling you by themselves; waiting/).waitFor();
  assert.equal(await page.locator(".urgent").getByText("is waiting for you").count(), 0);
  await page.locator(".urgent-row").getByText("The person called").waitFor();
}));

test("an officer reads a case, and is offered nothing that only inspectors and supervisors may do", scene(async (server) => {
  const page = await stage.console(server, "persons/101", { roles: ["officer"] });
  const offered = ["Call now", "Add an order", "Change", "Revoke", "Reference photo"];
  await page.getByRole("button", { name: "Ahead" }).first().waitFor();
  for (const name of offered) assert.equal(await page.getByRole("button", { name, exact: true }).count(), 0, name);
  assert.equal(await page.locator("main a.tab-inline").count(), 2);
  await page.evaluate(() => (location.hash = "#/today"));
  await page.getByText("Waiting since").first().waitFor();
  assert.equal(await page.getByRole("button", { name: "Answer" }).count(), 0);
  assert.equal(await page.getByRole("link", { name: "Review", exact: true }).count(), 0);
  const inspector = await stage.console(server, "persons/101");
  for (const name of offered) await inspector.getByRole("button", { name, exact: true }).first().waitFor();
  assert.equal(await inspector.locator("main a.tab-inline").count(), 4);
}));

test("what is held back says until when", scene(async (server) => {
  const line = { at: f.at(-3), who: null, channel: null, state: null, reference: null };
  server.state.incident = { ...server.state.incident, line: server.state.incident.line.concat(
    { ...line, what: "held", text: f.at(600) },
    { ...line, what: "notice_delayed", who: "Жанболат Бозінген", channel: "sms", state: "queued", text: f.at(12), reference: "N-77128" },
  ) };
  const page = await stage.console(server, "incidents/71", { roles: ["officer"] });
  const [held, delayed] = [page.locator(".line-item.held"), page.locator(".line-item.notice_delayed")];
  assert.match(await held.textContent(), /Held back.*Goes on: .*\d\d:\d\d/);
  assert.match(await delayed.textContent(), /Notice to Жанболат Бозінген by SMS waits.*Goes on: .*\d\d:\d\d/);
  assert.deepEqual(faults(page), []);
}));

test("what an officer just wrote is seen, not behind the bar of actions", scene(async (server) => {
  server.state.incident = { ...server.state.incident, line: Array.from({ length: 12 }, () => server.state.incident.line[0]) };
  const page = await stage.console(server, "incidents/71", { roles: ["officer"], viewport: PHONE });
  await page.getByRole("button", { name: "Note", exact: true }).click();
  await page.getByRole("dialog").getByRole("textbox").fill("The neighbour says he left at six");
  await page.getByRole("dialog").getByRole("button", { name: "Save" }).click();
  const line = page.locator(".line-item", { hasText: "The neighbour says he left at six" });
  await line.waitFor();
  await page.waitForFunction(() => {
    const all = document.querySelectorAll(".line-item:not(.next)");
    const box = all[all.length - 1].getBoundingClientRect();
    return box.top > 0 && box.bottom < document.querySelector(".dock").getBoundingClientRect().top;
  });
}));

test("nothing jumps: rows keep their place under the pointer, new ones announce themselves", scene(async (server) => {
  const page = await stage.console(server, "incidents");
  const row = page.locator("[data-row]");
  await row.first().hover();
  const place = await row.first().boundingBox();
  server.state.incidents = [f.incidentRow({ id: 99, person_name: "Жаңа Жол" }), f.incidentRow({ state: "acknowledged", holder: "Ж. Бозінген" })];
  server.tell("console", { t: "incident", incident: 99 });
  await page.getByRole("button", { name: "1 new: show" }).waitFor();
  await page.getByText("with Ж. Бозінген").waitFor(); // what is there is renewed in its place
  assert.deepEqual(await row.first().boundingBox(), place);
  await page.getByRole("button", { name: "1 new: show" }).click();
  await page.getByText("Жаңа Жол").waitFor();
  assert.equal(await row.count(), 2);
}));

test("a row that went away stays, marked, until it is let go", scene(async (server) => {
  const page = await stage.console(server, "reviews");
  await page.locator("[data-row]").first().hover();
  server.state.reviews = [f.rows.review];
  server.tell("console", { t: "today" });
  await page.waitForSelector(".row.gone");
  assert.equal(await page.locator("[data-row]").count(), 2);
}));

test("an officer on a phone takes an incident over with one tap on the alarm", scene(async (server) => {
  const page = await stage.console(server, "incidents", { roles: ["officer"], viewport: PHONE });
  server.tell("console", { t: "alert", incident: f.incidentRow({}), notice: "N-1" });
  const take = page.locator(".urgent").getByRole("button", { name: "I take it" });
  await take.waitFor();
  const box = await take.boundingBox();
  assert.ok(box.height >= 44 && box.y > 800 / 2, "big, and under the thumb");
  await take.click();
  await page.getByText("with Сәнияш Тамыртасова").waitFor();
  assert.deepEqual(server.posts.filter((post) => post.path === "/api/incidents/71/acknowledge").length, 1);
  assert.equal(await page.locator(".urgent").count(), 0);
}));

test("what was being read before a tap is not shown after its answer", scene(async (server) => {
  const page = await stage.console(server, "incidents", { roles: ["officer"], viewport: PHONE });
  let answered = false, letIn;
  const released = new Promise((resolve) => (letIn = resolve));
  const late = [];
  await page.route("**/api/incidents/71", async (route) => {
    if (answered) return route.continue();
    const response = await route.fetch(); // as it was before the tap, on a slow network
    late.push(released.then(() => route.fulfill({ response })));
  });
  page.on("response", (response) => (answered = answered || response.url().endsWith("/acknowledge")));
  const readAnew = page.waitForRequest((request) => answered && request.url().endsWith("/api/incidents/71"));
  server.tell("console", { t: "alert", incident: f.incidentRow({}), notice: "N-1" });
  await page.locator(".urgent").getByRole("button", { name: "I take it" }).click();
  await page.getByText("with Сәнияш Тамыртасова").waitFor();
  await readAnew;
  letIn();
  assert.ok(late.length > 0);
  await Promise.all(late);
  await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
  assert.equal(await page.getByText("with Сәнияш Тамыртасова").count(), 1);
}));

test("an incident says what was done, what comes next and when, and ends with a reason", scene(async (server) => {
  const page = await stage.console(server, "incidents/71", { roles: ["officer"] });
  await page.getByText("If nobody takes this over, Кезекші офицер Ж. Бозінген is told at 19:08.").waitFor();
  await page.getByText(/^in \d:\d\d$/).waitFor();
  await page.keyboard.press("a");
  await page.getByText("Сәнияш Тамыртасова took it over").waitFor();
  await page.getByRole("button", { name: "Reached the person" }).click();
  await page.getByLabel("How?").selectOption("visit");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText("Сәнияш Тамыртасова reached the person").waitFor();
  await page.getByRole("button", { name: "Safety checked" }).click();
  await page.getByLabel("Who checked, and how?").fill("Another officer, in person");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText("Сәнияш Тамыртасова: safety checked").waitFor();
  await page.getByRole("button", { name: "Conclude" }).click();
  assert.ok(await page.getByRole("button", { name: "Conclude and close" }).isDisabled(), "not without a reason");
  await page.getByLabel("Excused").check();
  await page.getByLabel("Reason", { exact: true }).fill("In hospital");
  await page.getByRole("button", { name: "Conclude and close" }).click();
  await page.locator(".note.good").getByText("In hospital").waitFor();
  assert.deepEqual(server.posts.find((post) => post.path === "/api/incidents/71/conclude").body, { conclusion: "excused", reason: "In hospital" });
  assert.equal(await page.locator(".dock").count(), 0);
}));

test("a copy of an incident is proposed to a second person, and fetched once it is approved", scene(async (server) => {
  server.state.bundles = [];
  const page = await stage.console(server, "incidents/71", { roles: ["officer"] });
  await page.getByRole("button", { name: "Propose a copy" }).click();
  assert.ok(await page.getByRole("button", { name: "Send to a second person" }).isDisabled(), "not without a reason");
  await page.getByLabel("For whom").selectOption("agency");
  await page.getByLabel("Recipient: name or office").fill("Prosecutor's office");
  await page.getByLabel("Reason, such as the number of the request").fill("request 7/26");
  await page.getByRole("button", { name: "Send to a second person" }).click();
  await page.getByText("waits for a second person").waitFor();
  assert.deepEqual(server.posts.find((post) => post.path === "/api/approvals").body,
    { kind: "bundle.export", person: f.incidentRow({}).person_id, reason: "request 7/26", request: { incident: 71, audience: "agency", recipient: "Prosecutor's office" } });
  assert.equal(await page.getByRole("button", { name: "Make and download" }).count(), 0);

  Object.assign(server.state.bundles[0], { state: "approved", decided_by: "Ж. Бозінген", decided: f.at(0) });
  await page.reload();
  const download = page.waitForEvent("download");
  await page.getByRole("button", { name: "Make and download" }).click();
  await page.getByText("The film of both sides is made. Begun ").waitFor();
  server.state.bundlesReady = true; // the next time it asks
  assert.equal((await download).suggestedFilename(), "bundle-40.zip");
  await page.getByText("23 entries of the log, 1 recordings. 1 entries are not signed yet.").waitFor();
  assert.deepEqual(faults(page), []);
}));

test("a review plays at once, seeks to the tasks, and is decided by keys", scene(async (server) => {
  const page = await stage.console(server, "reviews/904");
  const video = page.locator(".player video");
  await page.waitForFunction(() => document.querySelector(".player video")?.currentTime > 0.3);
  assert.deepEqual(server.posts.find((post) => post.path === "/api/recordings/3001/view").body, { reason: "review" });
  await page.getByRole("button", { name: "Looks up" }).click();
  await page.waitForFunction(() => document.querySelector(".player video").currentTime >= 17);
  await page.waitForFunction(() => document.querySelector(".moment[aria-current]")?.textContent.includes("Looks up"));
  // The name of whoever looks stands over the picture, in the whole screen, too.
  const name = page.locator(".player-frame .player-viewer");
  assert.match(await name.innerText(), /^Сәнияш Тамыртасова, /);
  const over = await name.boundingBox(), under = await video.boundingBox();
  assert.ok(over.x >= under.x && over.y >= under.y && over.x + over.width <= under.x + under.width && over.y + over.height <= under.y + under.height);
  await page.getByRole("button", { name: "Whole screen" }).click();
  await page.waitForFunction(() => document.fullscreenElement?.querySelector(".player-viewer") && document.fullscreenElement.querySelector("video"));
  await page.getByRole("button", { name: "Whole screen" }).click();
  await page.waitForFunction(() => !document.fullscreenElement);
  // What was measured stands beside it with its times, and a tap goes there.
  await page.getByRole("button", { name: "0:09–0:12 The picture is of one colour" }).click();
  await page.waitForFunction(() => Math.abs(document.querySelector(".player video").currentTime - 9.8) < 1.5);
  await page.waitForFunction(() => document.querySelector(".measures .moment[aria-current]")?.textContent.includes("0:09"));
  assert.equal(await page.locator(".measures .moment").count(), 2);
  assert.ok((await video.getAttribute("src")).startsWith("/api/recordings/"));
  await page.getByAltText("Reference photo").waitFor();
  await page.getByAltText("From the recording").waitFor();
  await page.keyboard.press("a");
  await page.getByText("Accepted: contact made").first().waitFor();
  assert.deepEqual(server.posts.find((post) => post.path === "/api/checkins/904/review").body, { decision: "accept", note: "" });
  server.state.checkin = null;
  await page.keyboard.press("n");
  await page.waitForURL(/reviews\/905/);
  await page.getByText("Һәкім Ақсуатов").first().waitFor();
  await page.keyboard.press("d");
  assert.ok(await page.getByRole("button", { name: "Put the doubt on record" }).isDisabled());
  await page.getByLabel("What speaks against it?").fill("Another face");
  await page.getByRole("button", { name: "Put the doubt on record" }).click();
  await page.getByText("Doubt put on record").first().waitFor();
}));

test("what cannot be made out is neither a contact nor a doubt, and needs words", scene(async (server) => {
  const page = await stage.console(server, "reviews/904");
  await page.getByRole("button", { name: "Cannot tell" }).click();
  const submit = page.getByRole("button", { name: "Put it on record" });
  assert.ok(await submit.isDisabled());
  await page.getByLabel("What cannot be seen or heard?").fill("The picture is black");
  await submit.click();
  await page.getByText("On record: nothing can be made out").first().waitFor();
  assert.deepEqual(server.posts.find((post) => post.path === "/api/checkins/904/review").body, { decision: "unusable", note: "The picture is black" });
}));

test("the proof of an entry is checked in the browser, and a changed entry is seen", scene(async (server) => {
  const page = await stage.console(server, "log/3", { roles: ["supervisor"] });
  await page.getByText("Checked in this browser: this entry is in the log of 10 entries").waitFor();
  await page.getByText(/^Under the checkpoint of \d+ entries, signed .* 2 witnesses signed as well\.$/).waitFor();
  const honest = server.logEntry.bind(server);
  server.logEntry = (index) => ({ ...honest(index), leaf: honest(index).leaf.replace("CHECKIN_OUTCOME", "CHECKIN_OUTC0ME") });
  await page.reload();
  await page.getByText("The proof does not fit").waitFor();
  server.logEntry = (index) => ({ ...honest(index), proof: { ...honest(index).proof, path: honest(index).proof.path.slice(1) } });
  await page.reload();
  await page.getByText("The proof does not fit").waitFor();
}));

test("the log speaks in sentences and its filters are sentences", scene(async (server) => {
  const page = await stage.console(server, "log", { roles: ["supervisor"] });
  await page.getByText("Инесса Речная-Полынная opened the record of Ысқақ Көкжидеев").waitFor();
  await page.getByText("novel action").waitFor(); // an action the page does not know yet is shown all the same
  await page.getByLabel("Show").selectOption({ label: "who looked at recordings" });
  await page.waitForURL(/action=RECORDING_VIEWED/);
}));

test("a reference photo leaves as a small JPEG", scene(async (server) => {
  const page = await stage.console(server, "persons/101");
  await page.getByRole("button", { name: "Reference photo" }).click();
  await page.getByRole("button", { name: "Use the camera" }).click();
  await page.waitForFunction(() => document.querySelector(".photo-frame video")?.videoWidth > 0);
  await page.getByRole("button", { name: "Take the photo" }).click();
  await page.waitForSelector(".dialog", { state: "detached" });
  const photo = server.posts.find((post) => post.path === "/api/persons/101/photo").body;
  assert.deepEqual([...photo.subarray(0, 3)], [0xff, 0xd8, 0xff]);
  assert.ok(photo.length < 300_000);
}));

test("keys: rows by j and k, search by /, all of them by ?", scene(async (server) => {
  const page = await stage.console(server, "persons");
  await page.waitForSelector("[data-row]");
  await page.keyboard.press("j");
  await page.keyboard.press("j");
  assert.match(await page.evaluate(() => document.activeElement.textContent), /Ысқақ/);
  await page.keyboard.press("k");
  assert.match(await page.evaluate(() => document.activeElement.textContent), /Дәуренбек/);
  await page.keyboard.press("/");
  await page.keyboard.type("үмітж");
  await page.waitForFunction(() => document.querySelectorAll("[data-row]").length === 1);
  await page.locator("h1").click();
  await page.keyboard.press("Escape");
  await page.evaluate(() => document.activeElement.blur());
  await page.keyboard.press("?");
  await page.getByRole("dialog", { name: "Keyboard" }).waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });
}));

test("failures say what to do: busy, denied, gone; old content stays", scene(async (server) => {
  server.faults.set("/api/persons", { status: 503, code: "unavailable", retry: 5 });
  const page = await stage.console(server, "persons");
  await page.getByText("The service is not ready just now. Please try again in 5 s.").waitFor();
  server.faults.clear();
  await page.getByRole("button", { name: "Try again" }).click();
  await page.getByText("Дәуренбек Жалғызтау").waitFor();
  server.faults.set("/api/persons", { status: 403, code: "denied" });
  server.tell("console", { t: "today" });
  await page.getByText("Your role does not allow this.").waitFor();
  assert.ok(await page.getByText("Дәуренбек Жалғызтау").isVisible());
}));

test("the session ended elsewhere", scene(async (server) => {
  const page = await stage.console(server, "today");
  await page.getByRole("heading", { name: "Today", exact: true }).waitFor();
  server.state.loggedIn = false;
  for (const socket of server.sockets.console) socket.close(4401);
  await page.getByLabel("Password").waitFor();
}));

test("each role sees its areas and starts at its question", scene(async (server) => {
  for (const [roles, heading, areas] of [
    [["inspector"], "Today", ["Today", "Incidents", "Reviews", "Persons", "Requests", "Approvals", "Duty"]], [["officer"], "Incidents", ["Today", "Incidents", "Persons", "Duty"]],
    [["supervisor"], "Overview", ["Overview", "Today", "Incidents", "Persons", "Requests", "Approvals", "Load ahead", "Policy table", "Retention", "Duty", "Log", "Staff", "System"]], [["administrator"], "Staff", ["Staff", "Units", "System"]],
  ]) {
    const page = await stage.console(server, "", { roles });
    await page.getByRole("heading", { name: heading, exact: true }).waitFor();
    assert.deepEqual(await page.locator(".side > .nav-link .nav-text").allInnerTexts(), areas);
    await page.context().close();
  }
}));

test("requests: a dispute waits for the supervisor, another time is answered in place", scene(async (server) => {
  const page = await stage.console(server, "requests");
  await page.getByText("A supervisor answers").waitFor();
  await page.getByRole("button", { name: "Answer" }).click();
  await page.getByRole("textbox", { name: "Answer" }).fill("From Monday on");
  await page.getByRole("button", { name: "Accept", exact: true }).click();
  await page.getByText("From Monday on").waitFor();
  assert.deepEqual(server.posts.find((post) => post.path === "/api/requests/80/answer").body, { accept: true, answer: "From Monday on" });
}));

test("a supervisor enters a night shift in the duty room for every Monday", scene(async (server) => {
  const page = await stage.console(server, "duty/week", { roles: ["supervisor"] });
  await page.getByText("In the duty room now: Жанболат Бозінген").waitFor();
  await page.getByRole("button", { name: "Add a shift" }).first().click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Who").selectOption({ label: "Жанболат Бозінген" });
  await dialog.getByLabel("Kind of shift").selectOption({ label: "In the duty room" });
  await dialog.getByLabel("Start").fill("20:00");
  await dialog.getByLabel("End").fill("08:00");
  await dialog.getByText("Ends on the next day").waitFor();
  await dialog.getByLabel("Repeats").selectOption({ label: "Every week" });
  for (const box of await dialog.getByRole("checkbox").all()) await box.uncheck();
  await dialog.getByRole("checkbox", { name: "Mon" }).check();
  await dialog.getByRole("button", { name: "Save" }).click();
  await dialog.waitFor({ state: "detached" });
  const sent = server.posts.find((post) => post.path === "/api/shifts").body;
  assert.deepEqual({ ...sent, from_date: "" }, { staff: 12, kind: "duty", from_date: "", until_date: null, weekdays: [0], start: "20:00", end: "08:00" });
  assert.deepEqual(faults(page), []);
}));

test("an inspector enters the own absence and nobody else's", scene(async (server) => {
  const page = await stage.console(server, "duty/absences", { roles: ["inspector"] });
  await page.getByRole("button", { name: "Enter my absence" }).click();
  const dialog = page.getByRole("dialog");
  assert.equal(await dialog.getByLabel("Who").count(), 0);
  await dialog.getByLabel("From").fill("2026-12-01T09:00");
  await dialog.getByLabel("Until").fill("2026-12-05T09:00");
  await dialog.getByRole("button", { name: "Save" }).click();
  await dialog.waitFor({ state: "detached" });
  const sent = server.posts.find((post) => post.path === "/api/absences").body;
  assert.deepEqual(sent, { staff: server.state.me.id, from: "2026-12-01T09:00", until: "2026-12-05T09:00", reason: "leave", stand_in: null });
  assert.deepEqual(faults(page), []);
}));

test("a ladder is checked before it is proposed, and another supervisor approves it", scene(async (server) => {
  const page = await stage.console(server, "duty/ladders", { roles: ["supervisor"] });
  await page.getByRole("button", { name: "Change" }).first().click();
  assert.equal(await page.getByRole("button", { name: "Propose" }).count(), 0);
  await page.getByRole("button", { name: "Add a step" }).click();
  const step = page.locator("fieldset.step").nth(1);
  await step.getByLabel("Who is told").selectOption("named");
  const who = step.getByLabel("a named person");
  const second = await who.locator("option").nth(1).getAttribute("value");
  assert.deepEqual(await who.locator("option").allTextContents(), f.staff.filter((one) => !one.disabled && /officer|supervisor/.test(one.roles.join())).map((one) => one.name));
  await who.selectOption(second);
  await page.getByRole("button", { name: "Check" }).click();
  await page.getByText("Step 2 reaches nobody in 18 % of the time").waitFor();
  await page.getByLabel("Why do you change it?").fill("nobody answered at night");
  await page.getByRole("button", { name: "Propose" }).click();
  const sent = server.posts.find((post) => post.path === "/api/approvals").body;
  assert.equal(sent.kind, "ladder");
  assert.equal(sent.request.band, "low");
  assert.equal(sent.request.ladder.steps.length, 4);
  assert.deepEqual(sent.request.ladder.steps[1].targets, [{ kind: "named", staff: Number(second) }]);
  assert.equal(sent.request.apply_open, false);

  // What can never reach anybody cannot be proposed at all.
  server.state.findings = { fatal: true, findings: [{ reason: "reaches_nobody", step: 1, share: 100, channel: null }] };
  await page.getByRole("button", { name: "Change" }).first().click();
  await page.getByRole("button", { name: "Check" }).click();
  await page.getByText("This reaches nobody and cannot be saved:").waitFor();
  assert.equal(await page.getByRole("button", { name: "Propose" }).count(), 0);
  await page.getByRole("button", { name: "Leave without saving" }).click();

  server.state.proposals = f.proposals();
  await page.reload();
  await page.getByRole("button", { name: "Approve" }).click();
  await page.getByLabel("Why do you approve?").fill("agreed");
  await page.getByRole("button", { name: "Approve" }).click();
  await page.getByText("Waits for approval. Band: High").waitFor({ state: "detached" });
  assert.deepEqual(server.posts.find((post) => post.path === "/api/approvals/9/decide").body, { approve: true, reason: "agreed" });
  assert.deepEqual(faults(page), []);
}));

test("who agrees to keep for a shorter time sees from what to what, and what it does", scene(async (server) => {
  server.state.approvals = [{ ...f.approvals[0], id: 33, kind: "retention.shorten", person_id: null, person_name: null, body: { days: { messages: 30 } }, reason: "the order of the ministry" }];
  const page = await stage.console(server, "approvals", { roles: ["supervisor"], viewport: PHONE });
  const inForce = f.retention().policy.find((row) => row.class === "messages").days;
  await page.getByText(`${inForce} days → 30 days`).waitFor();
  await page.getByText("is destroyed as soon as you agree").waitFor();
  assert.deepEqual(faults(page), []);
}));

test("who cannot be reached stands on top, and a way is tested by a tap", scene(async (server) => {
  const page = await stage.console(server, "duty/paths", { roles: ["supervisor"], viewport: PHONE });
  await page.getByText(/ cannot be reached in any way$/).waitFor();
  await page.getByText("Нұрбек Таусоғар").waitFor();
  await page.getByRole("button", { name: "Test now" }).first().click();
  await page.waitForFunction(() => !document.querySelector(".plain-row .button[disabled]"));
  assert.deepEqual(server.posts.find((post) => post.path === "/api/contact-paths/test").body, { staff: 12, person: 0, channel: "voice" });
  assert.deepEqual(faults(page), []);
}));

test("what expires is shown page after page", scene(async (server) => {
  server.state.retentionPage = 2;
  const page = await stage.console(server, "retention", { roles: ["supervisor"] });
  const all = f.retention().items.length;
  const shown = () => page.locator(".rows > *").count();
  await page.getByRole("button", { name: "Show more" }).waitFor();
  assert.equal(await shown(), 2);
  for (let now = 2; now < all; now = Math.min(now + 2, all)) {
    await page.getByRole("button", { name: "Show more" }).click();
    await page.waitForFunction((least) => document.querySelectorAll(".rows > *").length > least, now);
  }
  assert.equal(await shown(), all);
  assert.equal(await page.getByRole("button", { name: "Show more" }).count(), 0);
  assert.deepEqual(faults(page), []);
}));

test("a supervisor sees what expires when, holds a recording, reviews a hold and asks to release one", scene(async (server) => {
  const page = await stage.console(server, "retention", { roles: ["supervisor"], viewport: PHONE });
  await page.getByText("90 days · 3 waiting, 1 held").waitFor();
  await page.getByText("Its time is over; a hold keeps it").waitFor();
  assert.equal(await page.getByRole("button", { name: /delete|erase/i }).count(), 0);
  await page.getByRole("button", { name: "Place a hold" }).first().click();
  let dialog = page.getByRole("dialog");
  await dialog.getByLabel("Reason").fill("appeal");
  await dialog.getByLabel("Review on").fill("2027-03-01");
  await dialog.getByRole("button", { name: "Place a hold" }).click();
  await page.getByText("The hold is on.").waitFor();
  assert.deepEqual(server.posts.find((post) => post.path === "/api/holds").body, { kind: "recording", id: 502, reason: "appeal", review: "2027-03-01" });
  await page.getByRole("button", { name: "Still needed" }).first().click();
  dialog = page.getByRole("dialog");
  await dialog.getByLabel("Why it is still needed").fill("still before the court");
  await dialog.getByLabel("Review on").fill("2027-04-01");
  await dialog.getByRole("button", { name: "Still needed" }).click();
  await page.getByText("The hold stays.").waitFor();
  assert.deepEqual(server.posts.find((post) => post.path === "/api/holds/4/review").body, { reason: "still before the court", review: "2027-04-01" });
  await page.getByRole("button", { name: "Release", exact: true }).click();
  await page.getByRole("dialog").getByLabel("Reason").fill("the appeal is over");
  await page.getByRole("dialog").getByRole("button").last().click();
  await page.waitForFunction(() => !document.querySelector("[role=dialog]"));
  assert.deepEqual(server.posts.find((post) => post.path === "/api/approvals").body, { kind: "hold.release", person: 12, reason: "the appeal is over", request: { hold: 4 } });
  await page.getByText("Release waits for a second person").waitFor();
  assert.deepEqual(faults(page), []);
}));

test("an overdue review is done before its matter is concluded", scene(async (server) => {
  Object.assign(server.state.incident, { kind: "review_overdue", outcome: null, checkin_id: 904 });
  let page = await stage.console(server, "incidents/71");
  const review = page.getByRole("link", { name: "Review", exact: true }).last();
  await page.getByRole("button", { name: "Note" }).waitFor();
  assert.equal(await page.getByRole("button", { name: "Conclude" }).count(), 0);
  assert.equal(await review.getAttribute("href"), "#/reviews/904");
  page = await stage.console(server, "incidents/71", { roles: ["officer"] });
  await page.getByText("It closes with the review, which an inspector of the unit does.").waitFor();
  assert.equal(await page.getByRole("link", { name: "Review", exact: true }).count(), 0);
  assert.equal(await page.getByRole("button", { name: "Conclude" }).count(), 0);
  server.state.incident.outcome = "completed";
  page = await stage.console(server, "incidents/71", { roles: ["officer"] });
  await page.getByRole("button", { name: "Conclude" }).waitFor();
}));

test("a safety check has words of its own and says who may see it", scene(async (server) => {
  Object.assign(server.state.incident, { kind: "safety_check" });
  const page = await stage.console(server, "incidents/71", { roles: ["officer"] });
  await page.getByText("Only officers and supervisors see this.").waitFor();
  assert.equal(await page.getByRole("button", { name: "Reached the person" }).count(), 0);
  await page.getByRole("button", { name: "Conclude" }).click();
  const dialog = page.getByRole("dialog");
  assert.deepEqual(await dialog.getByRole("radio").count(), 3);
  await dialog.getByText("Help was sent").click();
  await dialog.getByRole("textbox").fill("a patrol is on the way");
  await dialog.locator("[type=submit]").click();
  await dialog.waitFor({ state: "detached" });
  assert.deepEqual(server.posts.find((post) => post.path === "/api/incidents/71/conclude").body, { conclusion: "help_sent", reason: "a patrol is on the way" });
}));

test("a case outside the own caseload is opened with a reason, says so, and is closed again", scene(async (server) => {
  const page = await stage.console(server, "persons", { viewport: PHONE });
  await page.getByRole("button", { name: "Open a case" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByText("The supervisors are told at once").waitFor();
  await dialog.getByLabel("Reference of the person").fill("P-1");
  assert.ok(await dialog.getByRole("button", { name: "Open for one hour" }).isDisabled(), "not without a reason");
  await dialog.getByLabel("Why you need it now").fill("A call from the neighbours");
  await dialog.getByRole("button", { name: "Open for one hour" }).click();
  await dialog.getByText("Nobody has this reference.").waitFor();
  await dialog.getByLabel("Reference of the person").fill("P-4821");
  await dialog.getByRole("button", { name: "Open for one hour" }).click();
  await page.waitForURL(/persons\/101/);
  const banner = page.locator(".note.warn", { hasText: "You opened this case. It closes at" });
  await banner.waitFor();
  assert.equal(await page.getByRole("button", { name: "Call now" }).count(), 0, "to read, not to act");
  await banner.getByRole("button", { name: "Close" }).click();
  await page.waitForURL(/#\/persons$/);
  assert.deepEqual(server.posts.filter((post) => post.path === "/api/opened-cases").map((post) => post.body.reason), ["A call from the neighbours", "A call from the neighbours"]);
  assert.ok(server.posts.some((post) => post.path === "/api/opened-cases/5/close"));
  assert.deepEqual(faults(page), []);
}));

test("what lies under an alarm can be scrolled out from under it", scene(async (server) => {
  for (const viewport of [{ width: 1280, height: 800 }, PHONE]) {
    const page = await stage.console(server, "persons/101", { viewport });
    const last = page.locator(".body button, .body a").last();
    await last.waitFor();
    server.tell("console", { t: "alert", incident: f.incidentRow({}), notice: "N-1" });
    await page.locator(".urgent-card.alert").waitFor();
    await page.waitForFunction(() => {
      const body = document.querySelector(".body");
      body.scrollTop = body.scrollHeight;
      const all = body.querySelectorAll("button, a");
      const low = Math.max(...Array.from(all, (one) => one.getBoundingClientRect().bottom));
      return low <= document.querySelector(".urgent").getBoundingClientRect().top;
    });
  }
}));

test("a store that cannot be written is told above every page, and that it can again", scene(async (server) => {
  server.state.loggedIn = true;
  const page = await stage.page();
  await page.goto(server.origin + "/#/today");
  await page.getByRole("heading", { name: "Today", exact: true }).waitFor();
  server.tell("console", { t: "store", from: f.at(-3) });
  const strip = page.getByRole("alert").filter({ hasText: "nothing can be saved" });
  await strip.waitFor();
  assert.match(await strip.innerText(), /Since \d\d:\d\d nothing can be saved.*Calls go on/);
  server.tell("console", { t: "store", from: f.at(-3), lasted_ms: 185000 });
  await page.getByText("Nothing could be saved for 3 min").waitFor();
  assert.equal(await strip.count(), 0);
  await page.getByRole("button", { name: "Close" }).click();
  assert.equal(await page.getByText("Everything is saved again").count(), 0);
  assert.deepEqual(faults(page), []);
}));

test("a desk at which nobody is says when it logs out; a touch keeps it", scene(async (server) => {
  server.state.loggedIn = true;
  server.state.me = { ...f.me(), session_idle_ms: 12_000 };
  const page = await stage.page();
  await page.goto(server.origin + "/#/today");
  await page.getByRole("heading", { name: "Today", exact: true }).waitFor();
  server.tell("console", { t: "today" }); // the page reads by itself: nobody is there
  await page.getByText(/it logs out at \d\d:\d\d/).waitFor();
  assert.deepEqual(server.said.filter((entry) => entry.message.t === "active"), []);
  await page.keyboard.press("Shift");
  await server.heard("console", "active");
  await page.getByText("Nobody has used this page").waitFor({ state: "detached" });
}));

test("the end of the longest log-in is told before it comes", scene(async (server) => {
  server.state.loggedIn = true;
  server.state.me = { ...f.me(), session_until: f.at(10) };
  const page = await stage.page();
  await page.goto(server.origin + "/#/today");
  await page.getByText(/Your log-in ends at \d\d:\d\d/).waitFor();
}));

test("the administrator sees what is wrong first, with what to do, and what is only to be done", scene(async (server) => {
  server.state.loggedIn = true;
  server.state.me = f.me(["administrator"]);
  server.state.system = { ...f.system(), channels: [], certificate: { until: f.at(60 * 24 * 6), good: false }, disk: { free_bytes: 21e9, reserve_bytes: 10e9, low: false, recordings: true }, signer: { configured: false, trouble: null } };
  server.state.system.log.verified = null;
  const page = await stage.page();
  await page.goto(server.origin + "/#/system");
  await page.getByText("The certificate ends on 27 November").waitFor();
  await page.getByText(/21.GB are free. Below 10.GB recordings stop/).waitFor();
  await page.getByText("no signer is set up").waitFor();
  await page.getByText("has not been verified yet").waitFor();
  assert.equal(await page.getByText("Everything works.").count(), 0);
  assert.equal(await page.locator(".note.warn").count(), 2);
  server.state.system = { ...f.system(), channels: [] };
  await page.getByRole("button", { name: "Refresh" }).click();
  await page.getByText("Everything works.").waitFor();
  await page.getByText(/^until 21 January 2027/).waitFor();
  server.state.system.relay.full = true;
  await page.getByRole("button", { name: "Refresh" }).click();
  await page.locator(".note.warn", { hasText: "The TURN server has no address left" }).waitFor();
  assert.deepEqual(faults(page), []);
}));

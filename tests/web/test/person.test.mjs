// The person's page, from the link to the receipt, and everything that can go wrong on the way.
import assert from "node:assert/strict";
import { createPublicKey, verify } from "node:crypto";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import * as f from "../fixtures.mjs";
import { faults, playing, screen, Stage } from "../stage.mjs";

let stage;
before(async () => (stage = await Stage.set()));
after(() => stage.strike());

const facts = (server) => server.said.filter((entry) => entry.message.t === "fact").map((entry) => entry.message.fact)
  .concat(server.posts.filter((post) => post.path === "/api/p/facts").flatMap((post) => post.body.facts.map((fact) => fact.fact)));

test("from the link to the own picture it is two taps, and a GET proves nothing", stage_(async (server) => {
  const page = await stage.page();
  await page.goto(server.origin + "/c/TOKENTOKENTOKENTOKEN");
  await screen(page, "landing");
  assert.deepEqual(server.posts, [], "opening the link changes nothing");
  await page.locator(".actions .primary").click(); // one
  await screen(page, "notice");
  assert.equal(new URL(page.url()).pathname, "/p", "the token is gone from the address");
  const { key, ...body } = server.posts[0].body;
  assert.deepEqual({ ...server.posts[0], body }, { path: "/api/link", body: { token: "TOKENTOKENTOKENTOKEN" }, token: "" });
  assert.match(key, /^[0-9a-f]{24}$/);
  await page.locator(".actions .primary").click(); // two
  await page.waitForSelector(".own");
  await page.waitForFunction(() => document.querySelector(".own").videoWidth === 640);
  const notice = server.posts.find((post) => post.path === "/api/p/notice");
  assert.deepEqual(notice.body, { version: 1 });
  assert.equal(notice.token, "person-csrf");
  await server.heard("person", "fact", (message) => message.fact === "camera_test_passed");
  assert.ok(facts(server).includes("permission_asked") && facts(server).includes("permission_granted"));
  assert.deepEqual(faults(page), []);
}));

test("the language of the first tap is the language of everything after it, and is remembered", stage_(async (server) => {
  const page = await stage.page({ language: null });
  await page.goto(server.origin + "/c/TOKENTOKENTOKENTOKEN");
  await page.getByRole("button", { name: "Русский" }).click();
  await screen(page, "notice");
  assert.match(await page.locator("h1").innerText(), /Прежде чем начать/);
  assert.equal(await page.evaluate(() => document.documentElement.lang), "ru");
  assert.deepEqual(server.posts.find((post) => post.path === "/api/p/language").body, { language: "ru" });
  await page.reload();
  await screen(page, "notice");
  assert.match(await page.locator("h1").innerText(), /Прежде чем начать/);
}));

test("a call: picture and sound both ways, messages, a privacy pause, the receipt", stage_(async (server) => {
  const { page, peer } = await stage.inCall(server);
  await page.waitForTimeout(500);
  const seen = await peer.seen("person-1");
  assert.equal(seen.width, 640);
  assert.equal(seen.height, 480);
  assert.ok(seen.frames > 3 && seen.sound > 10, JSON.stringify(seen));
  assert.ok(await page.getByText("Recorded").isVisible());

  server.tell("person", { t: "message", ...f.messages[2], id: 50, client_id: "m50", from: "staff", author: "С. Тамыртасова", text: "Сәлем" });
  await page.waitForSelector(".round .count");
  await page.getByRole("button", { name: "Messages" }).click();
  await page.locator(".bubble", { hasText: "Сәлем" }).last().waitFor();
  await server.heard("person", "read", (message) => message.up_to === 50);
  await page.getByRole("textbox").fill("Үйдемін");
  await page.getByRole("button", { name: "Send" }).click();
  await page.locator(".bubble.mine", { hasText: "Үйдемін" }).getByText("sent").waitFor();
  await page.locator(".sheet-head .button").click();

  await page.getByRole("button", { name: "Pause" }).click();
  await page.getByRole("button", { name: "A child is in the room" }).click();
  assert.equal((await server.heard("person", "pause")).reason, "child");
  const tracks = () => page.evaluate(() => document.querySelectorAll("video").length);
  assert.equal(await tracks(), 1, "the own picture is gone during the pause");
  await page.getByRole("button", { name: "Go on" }).click();
  await server.heard("person", "resume");

  const state = f.acknowledged({ history: [{ id: 901, at: f.at(0), result: "received", receipt: "K7-9B32" }] }, { state: "done", result: "received", receipt: "K7-9B32" });
  server.tell("person", { t: "ended", result: "received", receipt: "K7-9B32", state });
  await screen(page, "result");
  await page.getByText("K7-9B32", { exact: true }).waitFor();
  await page.getByText("Your check-in of 21 November, 19:04, was received.").waitFor();
  assert.deepEqual(faults(page), []);
}));

test("a peer connection offers one sound and one picture section once, with the rate that keeps 640x480", stage_(async (server) => {
  const { page } = await stage.inCall(server);
  const offers = server.said.filter((entry) => entry.message.t === "offer");
  assert.equal(offers.length, 1);
  const { sdp, generation } = offers[0].message;
  assert.equal(generation, 1);
  assert.deepEqual(Array.from(sdp.matchAll(/^m=(\w+)/gm), (match) => match[1]), ["audio", "video"]);
  assert.equal(Array.from(sdp.matchAll(/^a=sendrecv/gm)).length, 2);
  assert.match(sdp, /a=rtcp-mux/);
  assert.deepEqual(faults(page), []);
}));

test("the socket falls in a call: the page joins again with its generation and keeps the media", stage_(async (server) => {
  const { page } = await stage.inCall(server);
  await server.heard("person", "join");
  for (const socket of server.sockets.person) socket.terminate();
  const join = await server.heard("person", "join");
  assert.equal(join.generation, 1);
  await page.waitForTimeout(3500); // longer than the page waits for a dead leg
  assert.equal(server.said.filter((entry) => entry.message.t === "offer").length, 1, "no new connection was needed");
  await playing(page);
}));

test("the server lost the leg: a new connection with the next generation, nobody presses anything", stage_(async (server) => {
  const { page, peer } = await stage.inCall(server);
  await peer.drop("person-1");
  server.tell("person", { t: "reconnect", reason: "worker" });
  const offer = await server.heard("person", "offer", (message) => message.generation === 2);
  assert.ok(offer.sdp);
  await page.waitForFunction(() => document.querySelector("video.stage-remote").videoWidth > 0);
  await peer.page.waitForFunction(async () => ((await window.peer.seen("person-2")) || { frames: 0 }).frames > 3);
}));

test("no media worker has room: the page says whose fault it is and comes again when it was told to", stage_(async (server) => {
  const page = await stage.atCheck(server);
  const peer = await stage.peer(server);
  const came = [];
  const answer = server.onSocket;
  peer.other = (kind, message, ws) => {
    if (message.t === "join") {
      server.send(ws, { t: "ok", id: message.id });
      server.send(ws, { t: "waiting", since: f.at(0) });
    }
  };
  server.onSocket = (kind, message, ws) => {
    if (message.t !== "offer") return answer(kind, message, ws);
    came.push(Date.now());
    if (came.length > 1) return answer(kind, message, ws);
    return server.send(ws, { t: "error", code: "busy", message: "no room for another call", retry_after_ms: 3000 });
  };
  await page.locator(".actions .primary").click();
  await screen(page, "waiting");
  await page.getByText("Too many people at once").waitFor();
  await server.heard("person", "offer", (message) => message.generation === 2);
  assert.ok(came[1] - came[0] >= 3000, "not before the time it was told");
  await page.getByText("Too many people at once").waitFor({ state: "detached" });
  assert.deepEqual(faults(page), []);
}));

test("the network goes away under the media: ICE restart, then a new connection", stage_(async (server) => {
  const { peer } = await stage.inCall(server);
  await peer.drop("person-1"); // as if the path were cut: nothing answers any more
  peer.silent = true; // and restarts are not answered either
  const restart = await server.heard("person", "restart");
  assert.equal(restart.generation, 1);
  peer.silent = false;
  await server.heard("person", "offer", (message) => message.generation === 2);
  await peer.page.waitForFunction(async () => ((await window.peer.seen("person-2")) || { frames: 0 }).frames > 3, null, { timeout: 30_000 });
  assert.ok(facts(server).includes("ice_connected"));
}));

test("a reload in a call comes back by itself", stage_(async (server) => {
  const { page } = await stage.inCall(server);
  server.state.person = f.acknowledged({}, { state: "connected" });
  const before = server.said.filter((entry) => entry.message.t === "join").length;
  await page.reload();
  await page.waitForFunction(() => true);
  while (server.said.filter((entry) => entry.message.t === "join").length === before) await page.waitForTimeout(100);
  server.tell("person", { t: "connected", with: "Сәнияш Тамыртасова", recording: true });
  await screen(page, "call");
  await playing(page);
}));

test("another tab took over, and the call comes back on a tap", stage_(async (server) => {
  const { page } = await stage.inCall(server);
  server.tell("person", { t: "replaced" });
  await screen(page, "replaced");
  const joins = server.said.filter((entry) => entry.message.t === "join").length;
  await page.getByRole("button", { name: "Go on here" }).click();
  while (server.said.filter((entry) => entry.message.t === "join").length === joins) await page.waitForTimeout(100);
}));

test("tasks: one instruction at a time, counted down, reported when it was shown to its end", stage_(async (server) => {
  const page = await stage.atCheck(server, f.personState({}, { kind: "unattended" }));
  server.onSocket = (kind, message, ws) => message.t === "join" && server.send(ws, { t: "ok", id: message.id });
  await page.locator(".actions .primary").click();
  await server.heard("person", "offer");
  server.tell("person", { t: "recording", on: true });
  await screen(page, "tasks");
  await page.getByText("Get ready").waitFor();
  server.tell("person", { t: "challenge", number: 1, of: 3, kind: "read_digits", digits: "4917", seconds: 2 });
  await page.getByRole("alert").getByText("Read these digits aloud").waitFor();
  assert.equal((await page.locator(".task-digits").innerText()).replace(/\s/g, ""), "4917");
  assert.equal(await page.locator(".task-digits").getAttribute("aria-label"), "4 9 1 7");
  assert.equal((await server.heard("person", "challenge_done")).number, 1);
  server.tell("person", { t: "challenge", number: 2, of: 3, kind: "turn_left", seconds: 1 });
  await page.getByText("Turn your head to the left").waitFor();
  assert.equal((await server.heard("person", "challenge_done")).number, 2);
  await page.getByRole("button", { name: "Pause" }).click();
  await page.getByRole("button", { name: "I am not dressed" }).click();
  assert.equal((await server.heard("person", "pause")).reason, "undress");
  await page.getByText("Nothing is recorded. The task waits").waitFor();
  // The socket was away for a moment: the page says again that nothing may be recorded.
  await server.heard("person", "join");
  for (const ws of server.sockets.person) ws.terminate();
  await server.heard("person", "join");
  assert.equal((await server.heard("person", "pause")).reason, "undress");
  await page.getByRole("button", { name: "Go on" }).click();
  await server.heard("person", "resume");
  server.tell("person", { t: "challenge", number: 3, of: 3, kind: "turn_right", seconds: 1 });
  await page.getByText("Turn your head to the right").waitFor();
  assert.deepEqual(faults(page), []);
}));

test("the person calls in: the camera first, a session of its own, and back where they do not want to", stage_(async (server) => {
  server.state.person = f.acknowledged({ checkin: null });
  server.onSocket = (kind, message, ws) => message.t === "join" && server.send(ws, { t: "ok", id: message.id });
  const page = await stage.page();
  await page.goto(server.origin + "/p");
  await screen(page, "home");
  await page.getByRole("button", { name: "Call the inspector" }).click();
  await screen(page, "check");
  await page.waitForSelector(".own");
  await page.getByRole("button", { name: "Back" }).click();
  await screen(page, "home");
  assert.ok(!server.said.some((entry) => entry.message.t === "join"), "nothing has rung yet");
  await page.getByRole("button", { name: "Call the inspector" }).click();
  await page.waitForSelector(".own");
  await page.getByRole("button", { name: "Call the inspector" }).click();
  await server.heard("person", "join");
  await server.heard("person", "offer");
  server.tell("person", { t: "waiting", since: f.at(0) });
  await screen(page, "waiting");
  assert.deepEqual(faults(page), []);
}));

test("a reason instead of an answer", stage_(async (server) => {
  const page = await stage.atCheck(server);
  await page.getByRole("button", { name: "I cannot talk now" }).click();
  assert.ok(await page.getByRole("button", { name: "Send the reason" }).isDisabled());
  await page.getByRole("button", { name: "I am at the doctor" }).click();
  await page.getByLabel("Your reason in your own words").fill("back at 8");
  await page.getByRole("button", { name: "Send the reason" }).click();
  await screen(page, "result");
  assert.deepEqual(server.posts.find((post) => post.path === "/api/p/decline").body, { reason: "I am at the doctor or in hospital. back at 8" });
  await page.getByText("K7-5D10").waitFor();
}));

test("an expired link is said plainly; a used one whose session lives goes on", stage_(async (server) => {
  server.state.link = "used";
  const page = await stage.page();
  await page.goto(server.origin + "/c/TOKENTOKENTOKENTOKEN");
  await page.locator(".actions .primary").click();
  await screen(page, "expired");
  await page.getByText("Open the newest message you got.").waitFor();
  assert.equal(await page.getByRole("link", { name: /^Call/ }).count(), 0); // no number was given
  server.state.helpPhone = "+77172000000";
  await page.reload();
  await page.locator(".actions .primary").click();
  await screen(page, "expired");
  assert.equal(await page.getByRole("link", { name: "Call +7 717 200 00 00" }).getAttribute("href"), "tel:+77172000000");
  await page.getByText("say your name and that the link does not open").waitFor();
  server.state.person = f.acknowledged();
  await page.reload();
  await page.locator(".actions .primary").click();
  await screen(page, "check");
}));

test("whom to call is known to the page also when nothing can be asked", stage_(async (server) => {
  server.state.person = f.acknowledged();
  const page = await stage.page();
  await page.goto(server.origin + "/p");
  await screen(page, "check");
  server.faults.set("/api/p/state", { drop: true });
  await page.reload();
  await screen(page, "offline");
  await page.getByRole("link", { name: "Call +7 717 200 00 00" }).waitFor();
  await page.getByText("If your call is now and this goes on").waitFor();
}));

test("a link whose answer was lost on the way opens all the same, also after a reload", stage_(async (server) => {
  const page = await stage.page();
  await page.route("**/api/link", async (route) => {
    await route.fetch(); // the server took it …
    await route.abort("connectionreset"); // … and the phone never heard of it
  }, { times: 1 });
  await page.goto(server.origin + "/c/TOKENTOKENTOKENTOKEN");
  server.faults.set("/api/p/state", { status: 401, code: "unauthenticated" }); // and has no cookie
  await page.locator(".actions .primary").click();
  await screen(page, "offline");
  await page.reload();
  await page.locator(".actions .primary").click();
  await screen(page, "notice");
  const other = await stage.page();
  await other.goto(server.origin + "/c/TOKENTOKENTOKENTOKEN"); // another phone
  await other.locator(".actions .primary").click();
  await screen(other, "expired");
}));

test("a messenger's browser that cannot call says so before anything else, and its link opens in another one", stage_(async (server) => {
  const inside = await stage.page({ viewport: { width: 360, height: 740 } });
  await inside.addInitScript(() => Object.defineProperty(navigator, "mediaDevices", { value: undefined }));
  await inside.goto(server.origin + "/c/TOKENTOKENTOKENTOKEN");
  await inside.getByRole("heading", { name: "This browser cannot make video calls" }).waitFor();
  await inside.getByRole("button", { name: "Русский" }).click();
  await inside.getByRole("heading", { name: "Этот браузер не умеет видеозвонки" }).waitFor();
  await inside.getByRole("button", { name: "English" }).click();
  assert.deepEqual(server.posts, [], "nothing is used up by reading this, in any language");
  const link = await inside.getByLabel("Copy the link").first().inputValue();
  await inside.getByRole("button", { name: "Go on here without a call" }).click();
  await screen(inside, "notice");
  assert.equal(inside.url(), link, "what the messenger hands to the phone's browser is the link, with the key");
  await inside.locator(".actions .primary").click();
  while (!facts(server).includes("no_webrtc")) await inside.waitForTimeout(50);
  await inside.getByRole("button", { name: "Copy the link" }).waitFor();
  const outside = await stage.page();
  await outside.goto(link);
  await outside.locator(".actions .primary").click();
  await screen(outside, "check");
  assert.equal(new URL(outside.url()).pathname + new URL(outside.url()).hash, "/p");
}));

test("a request half written is there after a reload, and gone once it is sent", stage_(async (server) => {
  server.state.person = f.acknowledged({ checkin: null });
  const page = await stage.page();
  await page.goto(server.origin + "/p");
  await page.getByRole("button", { name: "Ask for another time" }).click();
  await page.getByLabel("When can you not talk, and why?").fill("Night shift on Friday");
  await page.reload();
  await page.getByRole("button", { name: "Ask for another time" }).click();
  assert.equal(await page.getByLabel("When can you not talk, and why?").inputValue(), "Night shift on Friday");
  await page.getByRole("button", { name: "Send" }).click();
  await page.getByText("Night shift on Friday").waitFor();
  await page.getByRole("button", { name: "Ask for another time" }).click();
  assert.equal(await page.getByLabel("When can you not talk, and why?").inputValue(), "");
}));

test("busy and offline heal by themselves and say whose fault it is", stage_(async (server) => {
  server.state.person = f.acknowledged();
  server.faults.set("/api/p/state", { status: 503, code: "busy", retry: 1 });
  const page = await stage.page();
  await page.goto(server.origin + "/p");
  await screen(page, "busy");
  await page.getByText("This is our fault, not yours").waitFor();
  server.faults.clear();
  await screen(page, "check");
  server.faults.set("/api/p/state", { drop: true });
  await page.reload();
  await screen(page, "offline");
  server.faults.clear();
  await page.getByRole("button", { name: "Try again" }).click();
  await screen(page, "check");
}));

test("too early, too late, and the result of before", stage_(async (server) => {
  const page = await stage.page();
  server.state.person = f.acknowledged({}, { state: "armed", due: f.at(26), answer_until: f.at(41), late_until: f.at(101) });
  await page.goto(server.origin + "/p");
  await screen(page, "early");
  await page.getByText("The call is today at 19:30.").waitFor();
  server.state.person = f.acknowledged({}, { late_until: f.at(-5) });
  await page.reload();
  await screen(page, "over");
  server.state.person = f.acknowledged({}, { state: "done", result: "received_late", receipt: "K6-1" });
  await page.reload();
  await screen(page, "result");
}));

test("works without storage", stage_(async (server) => {
  const page = await stage.page({ language: null });
  await page.addInitScript(() => Object.defineProperty(window, "localStorage", { get: () => { throw new Error("full"); } }));
  await page.goto(server.origin + "/c/TOKENTOKENTOKENTOKEN");
  await page.locator(".actions .primary").click();
  await screen(page, "notice");
  assert.deepEqual(faults(page), []);
}));

test("a browser without calls is told so, and it is evidence", stage_(async (server) => {
  server.state.person = f.acknowledged();
  const page = await stage.page();
  await page.addInitScript(() => delete window.RTCPeerConnection);
  await page.goto(server.origin + "/p");
  await screen(page, "check");
  await page.getByText("This browser cannot make video calls").waitFor();
  while (!facts(server).includes("no_webrtc")) await page.waitForTimeout(50);
}));

test("a camera that stops in a call is taken back without a tap", stage_(async (server) => {
  const { page, peer } = await stage.inCall(server);
  await page.evaluate(() => {
    const video = document.querySelector(".stage-own video");
    const track = video.srcObject.getVideoTracks()[0];
    track.stop();
    track.dispatchEvent(new Event("ended")); // stop() by the page itself is silent; a phone call is not
  });
  await page.waitForFunction(() => {
    const video = document.querySelector(".stage-own video");
    return video && video.srcObject && video.srcObject.getVideoTracks()[0].readyState === "live";
  });
  const before = (await peer.seen("person-1")).frames;
  await peer.page.waitForFunction(async (n) => (await window.peer.seen("person-1")).frames > n + 5, before);
  assert.equal(server.said.filter((entry) => entry.message.t === "offer").length, 1, "without a new offer");
}));

function stage_(work) {
  return () => stage.scene(work)();
}

// What the page signed, against the key that it gave away.
function signedBy(publicKey, text, signature) {
  const point = Buffer.from(publicKey, "base64url");
  assert.equal(point.length, 65);
  const key = createPublicKey({ format: "jwk", key: { kty: "EC", crv: "P-256", x: point.subarray(1, 33).toString("base64url"), y: point.subarray(33).toString("base64url") } });
  return verify("sha256", Buffer.from(text), { key, dsaEncoding: "ieee-p1363" }, Buffer.from(signature, "base64url"));
}

test("an enrolment link makes the phone the person's own; it then comes in, and joins, by its key", stage_(async (server) => {
  server.state.person = f.acknowledged({ checkin: null, bound: false });
  const page = await stage.page();
  await page.goto(server.origin + "/c/TOKENTOKENTOKENTOKEN");
  await page.locator(".actions .primary").first().click();
  await page.getByText("known here as yours").waitFor();
  const enrolled = server.posts.find((post) => post.path === "/api/p/device").body;
  assert.ok(enrolled.name.includes("Mozilla"));

  // Something rings: the page takes a session that may answer, by itself.
  const ringing = f.acknowledged({ bound: false });
  server.state.person = ringing;
  server.tell("person", { t: "hello", state: ringing, ice_servers: [] });
  await page.waitForSelector("[data-screen=check]");
  const entered = server.posts.find((post) => post.path === "/api/p/enter").body;
  assert.equal(entered.device, 41);
  assert.ok(signedBy(enrolled.public_key, "checkind enter v1\na-challenge", entered.signature));

  await page.waitForSelector(".own"); // the camera was allowed before
  await page.locator(".actions .primary").click();
  const join = await server.heard("person", "join");
  assert.equal(join.key, 41);
  assert.ok(signedBy(enrolled.public_key, "checkind join v1\n901\nchallenge-of-this-session", join.signature));
  assert.ok(!signedBy(enrolled.public_key, "checkind join v1\n902\nchallenge-of-this-session", join.signature));

  // The page opened again, days later, with no session left.
  server.state.person = null;
  await page.goto(server.origin + "/p");
  await page.waitForSelector("[data-screen=check]");
  assert.equal(server.posts.filter((post) => post.path === "/api/p/enter").length, 2);
}));

test("a phone without a key hears that the link in the message is the way", stage_(async (server) => {
  server.state.person = f.acknowledged({ bound: false });
  const page = await stage.page();
  await page.goto(server.origin + "/p");
  await page.waitForSelector("[data-screen=elsewhere]");
  await page.getByText("Open the link in the message").waitFor();
  assert.ok(!server.posts.some((post) => post.path === "/api/p/enter"));
}));

test("the proof of a result is saved as a file, and the page says so while it is not signed yet", stage_(async (server) => {
  server.state.person = f.acknowledged({ checkin: null });
  server.state.unsigned = true;
  const page = await stage.page();
  await page.goto(server.origin + "/p");
  await screen(page, "home");
  const row = page.locator(".history li", { hasText: "K7-2F41" });
  await row.getByRole("button", { name: "Download the proof" }).click();
  await row.getByText("It will be here within a minute").waitFor();
  server.state.unsigned = false;
  const [saved] = await Promise.all([page.waitForEvent("download"), row.getByRole("button", { name: "Download the proof" }).click()]);
  assert.equal(saved.suggestedFilename(), "K7-2F41.tlog-proof");
  assert.match(await readFile(await saved.path(), "utf8"), /^c2sp\.org\/tlog-proof@v1\n/);
  assert.equal(await row.getByText("within a minute").count(), 0, "what was said before is gone");
}));

test("a result is disputed by its receipt, another time is asked for, and both wait on the page", stage_(async (server) => {
  server.state.person = f.acknowledged({ checkin: null });
  const page = await stage.page();
  await page.goto(server.origin + "/p");
  await screen(page, "home");
  const wrong = page.locator(".history li", { hasText: "K5-E6A9" });
  await wrong.getByRole("button", { name: "This is not right" }).click();
  await page.getByLabel("What happened?").fill("My phone never rang");
  await page.getByRole("button", { name: "Send" }).click();
  await page.getByText("Waits for an answer.").waitFor();
  assert.deepEqual(server.posts.find((post) => post.path === "/api/p/requests").body, { kind: "dispute", text: "My phone never rang", receipt: "K5-E6A9" });
  assert.equal(await wrong.getByRole("button", { name: "This is not right" }).count(), 0, "once is enough");
  assert.equal(await page.locator(".history li", { hasText: "K7-2F41" }).getByRole("button", { name: "This is not right" }).count(), 0, "nothing to dispute in what was received");
  await page.getByRole("button", { name: "Ask for another time" }).click();
  await page.getByLabel("When can you not talk, and why?").fill("Mondays");
  await page.getByRole("button", { name: "Send" }).click();
  await page.locator(".request", { hasText: "Mondays" }).waitFor();
}));

// What the server answers late: it never takes the place of what was done or chosen meanwhile, and nothing is missed while the line is down.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import * as f from "../fixtures.mjs";
import { faults, Stage } from "../stage.mjs";

let stage;
before(async () => (stage = await Stage.set()));
after(() => stage.strike());
const scene = (work) => () => stage.scene(work)();

// Answers of `path` that are asked for from now on are those of now, and wait until they are let go.
function hold(server, path, method) {
  let letGo;
  server.faults.set(path, { held: new Promise((resolve) => (letGo = resolve)), method });
  return () => {
    server.faults.clear();
    letGo();
  };
}
const drawn = (page) => page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
const arrived = (page, path, method) => page.waitForResponse((response) => response.url().includes(path) && response.request().method() === method);

test("what was being read before a session was ended does not bring it back", scene(async (server) => {
  const page = await stage.console(server, "account");
  await page.getByText("Firefox, Windows").waitFor();
  await page.evaluate(() => (location.hash = "#/persons"));
  await page.getByRole("heading", { name: "Persons" }).waitFor();
  const letGo = hold(server, "/api/me/sessions", "GET");
  const asked = page.waitForRequest((request) => request.url().endsWith("/api/me/sessions"));
  await page.evaluate(() => (location.hash = "#/account"));
  await asked;
  const ended = arrived(page, "/end", "POST");
  await page.getByRole("button", { name: "End", exact: true }).click(); // the row is there from memory
  await ended;
  const late = arrived(page, "/api/me/sessions", "GET");
  letGo();
  await late;
  await page.getByText("Firefox, Windows").waitFor({ state: "detached" });
  await drawn(page);
  assert.equal(await page.getByText("Firefox, Windows").count(), 0);
  assert.deepEqual(faults(page), []);
}));

test("what a zone would move is not shown under another zone", scene(async (server) => {
  const page = await stage.console(server, "units", { roles: ["administrator"] });
  await page.getByRole("button", { name: "Another time zone" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Time zone").selectOption({ index: 1 });
  const letGo = hold(server, "/api/units/1/zone/preview", "POST");
  const late = arrived(page, "/zone/preview", "POST");
  await dialog.getByRole("button", { name: "Show what moves" }).click();
  await dialog.getByLabel("Time zone").selectOption({ index: 2 });
  letGo();
  await late;
  const look = dialog.getByRole("button", { name: "Show what moves" });
  await look.and(page.locator(":enabled")).waitFor();
  await drawn(page);
  assert.equal(await page.locator("[data-zone-preview]").count(), 0);
  await look.click();
  await page.waitForSelector("[data-zone-preview]");
  await dialog.getByRole("button", { name: "Change the zone" }).waitFor();
}));

test("a ladder that was changed while it was checked is checked again before it can be proposed", scene(async (server) => {
  const page = await stage.console(server, "duty/ladders", { roles: ["supervisor"] });
  await page.locator(".card .button").first().click();
  const check = page.getByRole("button", { name: "Check", exact: true });
  const letGo = hold(server, "/api/ladders/check", "POST");
  const late = arrived(page, "/api/ladders/check", "POST");
  await check.click();
  await page.getByLabel("Minutes to conclude after it was taken over").fill("77");
  letGo();
  await late;
  await check.and(page.locator(":enabled")).waitFor();
  await drawn(page);
  assert.equal(await page.getByRole("button", { name: "Propose" }).count(), 0);
  await check.click();
  await page.getByRole("button", { name: "Propose" }).waitFor();
  assert.equal(server.posts.filter((post) => post.path === "/api/ladders/check").pop().body.ladder.ack_hold_s, 77 * 60);
}));

test("a message that came while the connection was down is in the thread when it is back", scene(async (server) => {
  const page = await stage.console(server, "persons/101?tab=messages");
  await page.locator(".bubble").first().waitFor();
  server.refuseSockets = true;
  for (const socket of server.sockets.console) socket.terminate();
  await page.getByText("Connection lost. What you see may be old; we try again.").first().waitFor();
  server.state.messages = [...f.messages, { ...f.messages[0], id: 4711, client_id: "late-one", from: "person", text: "I am in hospital" }];
  server.refuseSockets = false;
  await page.locator(".bubble", { hasText: "I am in hospital" }).waitFor();
  assert.deepEqual(faults(page), []);
}));

// Web Push: switched on and off by a tap on both pages, and what the worker behind them does with what comes. The browser's own
// push service is not asked: it is a server of its maker's.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { PHONE } from "../browser.mjs";
import * as f from "../fixtures.mjs";
import { faults, Stage, WAIT } from "../stage.mjs";

let stage;
before(async () => (stage = await Stage.set()));
after(() => stage.strike());
const scene = (work) => () => stage.scene(work)();

const KEY = Buffer.from(Array.from({ length: 65 }, (_, i) => (i === 0 ? 4 : 255 - i))).toString("base64url");
const SUBSCRIPTION = { endpoint: "https://push.example/send/1", expirationTime: null, keys: { p256dh: "BP", auth: "AA" } };
const LETTER = { version: 1, kind: "ring", title: "Scheduled call, 19:00", link: "", reference: "N-7K3F-92QD", severity: "normal", repeated: false };

// Takes subscriptions as a browser does, and remembers what it was asked.
function takeSubscriptions(subscription) {
  let held = null;
  PushManager.prototype.subscribe = async function (options) {
    window.askedOf = { visible: options.userVisibleOnly, key: Array.from(new Uint8Array(options.applicationServerKey)) };
    return (held = { toJSON: () => subscription, unsubscribe: async () => ((held = null), true) });
  };
  PushManager.prototype.getSubscription = async () => held;
}

async function prepared(server, options) {
  server.state.pushKey = KEY;
  const page = await stage.page(options);
  if (!options.refused) await page.context().grantPermissions(["notifications"], { origin: server.origin });
  await page.addInitScript(takeSubscriptions, SUBSCRIPTION);
  return page;
}

async function account(server, options = {}) {
  server.state.loggedIn = true;
  server.state.me = f.me(["officer"]);
  const page = await prepared(server, { viewport: { width: 1280, height: 800 }, ...options });
  await page.goto(server.origin + "/#/account");
  return page;
}

const sent = (server, path) => server.posts.filter((post) => post.path === path);

async function onAndOff(server, page, path, token) {
  await page.getByRole("button", { name: "Switch on" }).click();
  await page.getByRole("button", { name: "Switch off" }).waitFor();
  assert.deepEqual(sent(server, path), [{ path, body: { subscription: JSON.stringify(SUBSCRIPTION) }, token }]);
  assert.deepEqual(await page.evaluate(() => window.askedOf), { visible: true, key: [...Buffer.from(KEY, "base64url")] });
  await page.getByRole("button", { name: "Switch off" }).click();
  await page.getByRole("button", { name: "Switch on" }).waitFor();
  assert.deepEqual(sent(server, path + "/stop"), [{ path: path + "/stop", body: { subscription: JSON.stringify(SUBSCRIPTION) }, token }]);
  assert.deepEqual(faults(page), []);
}

test("staff switch notices of this browser on and off", scene(async (server) => {
  await onAndOff(server, await account(server), "/api/push", "csrf-token");
}));

test("a person does on their telephone", scene(async (server) => {
  server.state.person = f.acknowledged({ checkin: null });
  const page = await prepared(server, { viewport: PHONE });
  await page.goto(server.origin + "/p");
  await onAndOff(server, page, "/api/p/push", "person-csrf");
}));

test("where the browser does not allow it nothing is subscribed, and it is said", scene(async (server) => {
  const page = await account(server, { refused: true });
  await page.getByRole("button", { name: "Switch on" }).click();
  await page.locator(".fault").waitFor();
  assert.deepEqual(sent(server, "/api/push"), []);
}));

test("where the house has no key it is not offered", scene(async (server) => {
  const page = await account(server);
  server.state.pushKey = null;
  await page.reload();
  await page.getByRole("heading", { level: 1 }).waitFor();
  assert.equal(await page.getByRole("button", { name: "Switch on" }).count(), 0);
}));

// The worker as the browser runs it: what is shown of a letter.
async function worker(page, server) {
  const browser = await page.context().newCDPSession(page);
  const known = new Promise((resolve) => browser.on("ServiceWorker.workerVersionUpdated", ({ versions }) => {
    const ready = versions.find((version) => version.status === "activated");
    if (ready) resolve(ready.registrationId);
  }));
  await browser.send("ServiceWorker.enable");
  await page.getByRole("button", { name: "Switch on" }).click();
  const registrationId = await known;
  return {
    push: (letter) => browser.send("ServiceWorker.deliverPushMessage", { origin: server.origin, registrationId, data: JSON.stringify(letter) }),
    shown: (count) => page.evaluate(async ([wanted, until]) => {
      for (const end = performance.now() + until; performance.now() < end; await new Promise((resolve) => setTimeout(resolve, 20))) {
        const list = await (await navigator.serviceWorker.getRegistration("/")).getNotifications();
        if (list.length === wanted) return list.map(({ title, body, tag, requireInteraction, data }) => ({ title, body, tag, stays: requireInteraction, data }));
      }
      throw new Error(`not ${wanted} notifications`);
    }, [count, WAIT]),
    click: (link) => page.context().serviceWorkers()[0].evaluate(async (to) => {
      const opened = [], works = [];
      self.clients.openWindow = async (url) => void opened.push(url);
      const event = Object.assign(new Event("notificationclick"), { notification: { close: () => opened.push("closed"), data: to }, waitUntil: (work) => works.push(work) });
      self.dispatchEvent(event);
      await Promise.all(works);
      return opened;
    }, link),
  };
}

test("what a letter shows is its title and nothing else; the same reference takes its place", scene(async (server) => {
  const { push, shown } = await worker(await account(server), server);
  const link = server.origin + "/#/incidents/71";
  await push({ ...LETTER, link });
  assert.deepEqual(await shown(1), [{ title: LETTER.title, body: "", tag: LETTER.reference, stays: false, data: link }]);
  await push({ ...LETTER, link, title: "Incident", reference: "N-2", severity: "top" });
  const two = await shown(2);
  assert.deepEqual(two.find((one) => one.tag === "N-2"), { title: "Incident", body: "", tag: "N-2", stays: true, data: link });
  await push({ ...LETTER, version: 2, reference: "N-3" }); // of another time: not understood, not shown
  await push({ ...LETTER, link, title: "Incident, again", reference: "N-2", severity: "high", repeated: true });
  await push({ ...LETTER, link, reference: "N-4" });
  const three = await shown(3);
  assert.deepEqual(three.map((one) => one.tag).sort(), ["N-2", "N-4", LETTER.reference]);
  assert.deepEqual(three.find((one) => one.tag === "N-2").title, "Incident, again");
}));

test("a tap opens our own page, and never another's", scene(async (server) => {
  const { push, shown, click } = await worker(await account(server), server);
  await push({ ...LETTER, link: server.origin + "/p" });
  await shown(1);
  assert.deepEqual(await click(server.origin + "/#/incidents/71"), ["closed", server.origin + "/#/incidents/71"]);
  assert.deepEqual(await click("https://elsewhere.example/"), ["closed"]);
}));

// People come back: a page that is reloaded in a call, and a daemon that is told to end while people talk.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { screen, verifyMedia } from "../lib/pages.mjs";
import { Scene, conclude } from "../lib/scene.mjs";
import { until } from "../lib/product.mjs";

const END_MS = 15000;
let scene;

before(async () => (scene = await Scene.set("comeback")));
after(() => scene?.strike());

const recording = (page) => page.getByText("Идёт запись").first();

async function sigterm() {
  const { product } = scene;
  const began = Date.now();
  product.child.kill("SIGTERM");
  const [code, signal] = await Promise.race([product.exited, new Promise((go) => setTimeout(go, END_MS, ["still there after 15 s"]))]);
  assert.deepEqual([code, signal], [0, null], `it ends in order: ${product.log()}`);
  return Date.now() - began;
}

test("both sides reload in a call and are in it again, without a key", { timeout: 300000 }, async () => {
  const { checkin, phone, desk } = await scene.call();
  await verifyMedia(phone, "person");
  await recording(phone).waitFor();
  for (const [page, side] of [[phone, "person"], [desk, "staff"]]) {
    await page.reload();
    if (side === "person") await screen(phone, "call");
    else await desk.locator("video.stage-remote").waitFor();
    await verifyMedia(phone, "person");
    await verifyMedia(desk, "staff");
  }
  await recording(phone).waitFor();
  assert.equal((await scene.read(checkin)).state, "connected");
  await conclude(desk);
  const row = await scene.decided(checkin);
  assert.equal(row.outcome, "completed");
  assert.equal(row.attempts_made.length, 1, "nobody was rung again");
  const rows = await scene.recordings(checkin, "closed");
  assert.ok(rows.filter((one) => one.leg === "person").length >= 2, "one before and one after");
  assert.deepEqual([phone.faults, desk.faults], [[], []]);
  await phone.context().close();
  await desk.context().close();
});

test("told to end after a call, it ends in time", { timeout: 300000 }, async () => {
  const took = await sigterm();
  assert.ok(took < END_MS, `${took} ms`);
  await scene.product.up();
});

test("told to end during a call, it ends in time; the call is back when it is", { timeout: 300000 }, async () => {
  const { checkin, phone, desk } = await scene.call({ name: "Сергей Волков" });
  await verifyMedia(phone, "person");
  await recording(phone).waitFor();
  const took = await sigterm();
  assert.ok(took < END_MS, `${took} ms`);
  await scene.product.up();
  await until(() => scene.product.inspector.get("/api/me").then(() => true, () => false), "the pages are back");
  await verifyMedia(phone, "person");
  await verifyMedia(desk, "staff");
  await recording(phone).waitFor();
  await conclude(desk);
  assert.equal((await scene.decided(checkin)).outcome, "completed");
  await scene.recordings(checkin, "closed"); // in order: none had to be mended
  scene.verify();
  assert.deepEqual([phone.faults, desk.faults], [[], []]);
});

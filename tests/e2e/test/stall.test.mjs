// The disk under store and recordings stands still for ten seconds: people in a call notice nothing, pages are served, what has to be
// written waits (and with it a read that is not yet in the log), and afterwards everything is there.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { DESK, open } from "../lib/browser.mjs";
import { login, verifyMedia } from "../lib/pages.mjs";
import { Scene, conclude } from "../lib/scene.mjs";
import { until } from "../lib/product.mjs";

const STALL_MS = 10000;
const PAGE_MS = 5000; // a page that is asked for meanwhile
let scene, folder, disk, cannot;

const run = (program, ...words) => execFileSync(program, words, { stdio: ["ignore", "pipe", "pipe"], encoding: "utf8" });

// A file system of its own, so that nothing else stands still.
function mount() {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "checkind-disk-"));
  disk = path.join(folder, "mnt");
  fs.mkdirSync(disk);
  const image = path.join(folder, "image");
  fs.closeSync(fs.openSync(image, "w"));
  fs.truncateSync(image, 16 * 2 ** 30); // with holes; more than the reserve that the daemon keeps free
  run("/usr/sbin/mkfs.ext4", "-q", image);
  run("/usr/bin/mount", "-o", "loop", image, disk);
  run("/usr/sbin/fsfreeze", "--freeze", disk);
  run("/usr/sbin/fsfreeze", "--unfreeze", disk);
  fs.mkdirSync(path.join(disk, "state"), { mode: 0o700 });
}

before(async () => {
  try {
    mount();
  } catch (error) {
    cannot = `no file system can be mounted and frozen here: ${String(error.stderr ?? error).trim().split("\n")[0]}`;
    return;
  }
  scene = await Scene.set("stall", { state: path.join(disk, "state") });
});

after(async () => {
  await scene?.strike();
  try { run("/usr/bin/umount", disk); } catch { /* it was never mounted */ }
  fs.rmSync(folder, { recursive: true, force: true });
});

// However the test ends, the disk goes on: a frozen one could not even be taken away.
function freeze() {
  const rescue = spawn("/bin/sh", ["-c", 'sleep 60; /usr/sbin/fsfreeze --unfreeze "$1"', "sh", disk], { detached: true, stdio: "ignore" });
  run("/usr/sbin/fsfreeze", "--freeze", disk);
  return () => {
    run("/usr/sbin/fsfreeze", "--unfreeze", disk);
    process.kill(-rescue.pid);
  };
}

async function within(milliseconds, what, work) {
  const began = performance.now();
  await work();
  const took = performance.now() - began;
  assert.ok(took < milliseconds, `${what} took ${took.toFixed(0)} ms`);
}

test("a disk that stands still for ten seconds", { timeout: 300000 }, async (t) => {
  if (cannot) return t.skip(cannot);
  const { product } = scene;
  const { checkin, phone, desk } = await scene.call();
  await verifyMedia(phone, "person");
  await phone.getByText("Идёт запись").first().waitFor();
  const officer = await open(scene.staff, DESK);
  await login(officer, product, "officer");
  await product.inspector.get("/api/today");

  const thaw = freeze();
  const end = performance.now() + STALL_MS;
  const pages = async () => {
    for (let round = 0; round === 0 || performance.now() < end; round++) {
      await within(PAGE_MS, "the console", () => officer.goto(`${product.base}/?${round}#/incidents`));
      await within(PAGE_MS, "who is signed in", () => product.chief.get("/api/me"));
      await within(PAGE_MS, "the day", () => product.inspector.get("/api/today"));
    }
  };
  const call = async () => {
    do {
      await verifyMedia(phone, "person");
      await verifyMedia(desk, "staff");
    } while (performance.now() < end);
  };
  try {
    await Promise.all([pages(), call()]);
  } finally {
    thaw();
  }

  await verifyMedia(phone, "person");
  await verifyMedia(desk, "staff");
  await until(async () => (await product.inspector.get("/api/today")).connected.some((row) => row.id === checkin.id), "the call is there");
  await conclude(desk);
  const row = await scene.decided(checkin);
  assert.equal(row.outcome, "completed");
  assert.equal(row.incident_id, null);
  const recordings = await scene.recordings(checkin, "closed");
  assert.ok(recordings.every((one) => one.seconds >= STALL_MS / 1000), `recorded all the time: ${JSON.stringify(recordings)}`);
  assert.ok(recordings.every((one) => one.gaps.length === 0), "the ring was enough: nothing is missing");
  scene.verify();
  assert.deepEqual([phone.faults, desk.faults, officer.faults], [[], [], []]);
});

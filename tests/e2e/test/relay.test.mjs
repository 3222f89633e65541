// "Relay only" is policy: with [media] relay_only both pages get the daemon's credentials for the TURN server and send nothing any other
// way. A real coturn that knows no users, only the shared secret, takes them; here by TCP.
import assert from "node:assert/strict";
import os from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { DESK, PHONE, launch, open } from "../lib/browser.mjs";
import { makeMedia } from "../lib/media.mjs";
import { answer, login, screen, verifyMedia } from "../lib/pages.mjs";
import { Product, until } from "../lib/product.mjs";
import { Turn } from "../lib/turn.mjs";

const media = path.join(os.tmpdir(), "checkind-e2e-media");
let product, personBrowser, staffBrowser, turn;

// Keeps the peer connections of a page within reach.
const watchConnections = (page) => page.context().addInitScript(() => {
  const Real = window.RTCPeerConnection;
  window.connections = [];
  window.RTCPeerConnection = class extends Real {
    constructor(configuration) {
      super(configuration);
      window.connections.push({ peer: this, configuration });
    }
  };
});

// Of the connection that lives: what the page asked for, and the way that media takes.
const wayOf = (page) => page.evaluate(async () => {
  const { peer, configuration } = window.connections.at(-1);
  const reports = [...(await peer.getStats()).values()];
  const transport = reports.find((report) => report.type === "transport");
  const pair = reports.find((report) => report.id === transport?.selectedCandidatePairId);
  const local = reports.find((report) => report.id === pair?.localCandidateId);
  return { policy: configuration.iceTransportPolicy, user: configuration.iceServers[0]?.username, type: local?.candidateType, relay: local?.relayProtocol };
});

before(async () => {
  makeMedia(media);
  turn = await Turn.start();
  product = await (await Product.start({
    name: "relay",
    media: { ...turn.media, relay_only: "yes" },
  })).people();
  personBrowser = await launch(media, "person");
  staffBrowser = await launch(media, "staff");
});

after(async () => {
  await personBrowser?.close();
  await staffBrowser?.close();
  await product?.stop();
  await turn?.stop();
});

test("a live check-in by relay alone", { timeout: 120000 }, async () => {
  const person = await product.person();
  const console_ = await open(staffBrowser, DESK);
  await watchConnections(console_);
  await login(console_, product, "inspector");
  const { link } = await product.ring(person);
  const phone = await open(personBrowser, PHONE);
  await watchConnections(phone);
  await answer(phone, link);
  await screen(phone, "waiting");
  await console_.getByRole("button", { name: "Ответить" }).first().click();
  await screen(phone, "call");
  await until(() => console_.evaluate(() => { const v = document.querySelector("video.stage-remote"); return v && v.videoWidth > 0; }), "the inspector sees the person");
  await verifyMedia(phone, "person");
  await verifyMedia(console_, "staff");
  for (const page of [phone, console_]) {
    const way = await wayOf(page);
    assert.equal(way.policy, "relay");
    assert.equal(way.type, "relay");
    assert.equal(way.relay, "tcp");
    const [expires] = way.user.split(":");
    assert.ok(Number(expires) > Date.now() / 1000 && Number(expires) < Date.now() / 1000 + 2 * 3600 + 60, way.user);
    assert.deepEqual(page.faults, []);
  }
});

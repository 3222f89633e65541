// A person on a bad mobile network, in a real Chromium: everything of leg 1 goes through the impairment proxy. The call stays, the
// sound is heard, and the picture comes back. node network.mjs MEDIA-BRIDGE CHECKIN-MEDIA IMPAIR-PROXY [SEED]
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { Worker } from './bridge.mjs';
import { begin, bothSeeAndHear, look, open, sleep } from './call.mjs';
import { withChromium } from './launch.mjs';

const [bridge, program, impair, seed = '20261129'] = process.argv.slice(2);

class Proxy {
  constructor(port) {
    this.process = spawn(impair, [String(port), seed], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.lines = createInterface({ input: this.process.stdout })[Symbol.asyncIterator]();
  }
  async next() { return JSON.parse((await this.lines.next()).value); }
  rules(rules, direction = 'both') { this.process.stdin.write(JSON.stringify({ rules, direction }) + '\n'); }
  async stats() {
    this.process.stdin.write('{"stats":true}\n');
    return this.next();
  }
  async end() {
    this.process.stdin.end();
    if (this.process.exitCode === null) await once(this.process, 'exit');
  }
}

const FIRST_MS = 10000; // the key frame is asked for, and takes its time
const REMEMBERED_MS = 40000;
const HEALED_MS = 60000; // a link that was starved is trusted again step by step
const decodedBy = async (page) => [0, (await look(page, 1)).decoded, (await look(page, 2)).decoded];
const near = (value, wanted) => Math.abs(value - wanted) <= 60;

// Looks ten times a second, and says in what share of the looks the tone of the other side was heard, and how the picture went on.
async function watch(page, worker, name, seconds) {
  const before = [0, await look(page, 1), await look(page, 2)];
  const heard = [0, 0, 0];
  let looks = 0;
  for (const end = Date.now() + seconds * 1000; Date.now() < end; looks++) {
    const pitch = await page.evaluate(() => [0, window.ck.pitchOf(1), window.ck.pitchOf(2)]);
    heard[1] += near(pitch[1], 1500);
    heard[2] += near(pitch[2], 600);
    await sleep(100);
  }
  const seen = [1, 2].map((leg) => ({ leg, sound: Math.round((100 * heard[leg]) / looks) }));
  for (const one of seen) {
    const now = await look(page, one.leg);
    const then = before[one.leg];
    // The rest of it waits for the picture: Chromium keeps lips in sync with pictures that a narrow downlink holds up.
    one.soundLate = Math.round((1000 * (now.soundDelay - then.soundDelay)) / (now.soundsOut - then.soundsOut));
    one.lateForNetwork = Math.round((1000 * (now.soundForNetwork - then.soundForNetwork)) / (now.soundsOut - then.soundsOut));
    one.madeUp = Math.round((100 * (now.concealed - then.concealed)) / (now.sounds - then.sounds)); // percent of the sound
    Object.assign(one, { pictures: now.decoded - before[one.leg].decoded, width: now.width, sent: now.sentWidth, fps: now.fps, target: now.target, limit: now.limit, connection: now.connection });
  }
  const stats = worker.said.filter((m) => m.kind === 'LEG_STATS' && m.leg === 1).at(-1);
  console.log(name, JSON.stringify(seen), 'allowed', stats?.allowed, 'sound in', JSON.stringify(stats?.audio_in));
  return { 1: seen[0], 2: seen[1], stats };
}

// A first picture within seconds, then all of them.
async function healed(page) {
  const began = Date.now();
  const before = await decodedBy(page);
  const first = [0, 0, 0];
  while ((first[1] === 0 || first[2] === 0) && Date.now() < began + HEALED_MS) {
    const now = await decodedBy(page);
    for (const leg of [1, 2]) if (first[leg] === 0 && now[leg] > before[leg]) first[leg] = Date.now() - began;
    await sleep(50);
  }
  console.log(`a picture after ${first[1]} and ${first[2]} ms`);
  assert.ok(first[1] > 0 && first[2] > 0 && Math.max(...first) < FIRST_MS, 'the first picture comes late');
  await bothSeeAndHear(page, before, HEALED_MS);
  console.log(`healed after ${Date.now() - began} ms`);
}

async function call(page, worker) {
  await begin(page, worker);
  const ready = await worker.await((m) => m.kind === 'READY', 'READY');
  const proxy = new Proxy(ready.port_v4);
  const { port } = await proxy.next();
  const through = (sdp) => sdp.replaceAll(` ${ready.port_v4} typ host`, ` ${port} typ host`);
  await open(page, worker, 1, { answer: through });
  await open(page, worker, 2);
  await worker.event(1, 2);
  await worker.event(2, 2);
  worker.order({ do: 'relay', call: 1, on: true });
  for (const leg of [1, 2]) await worker.event(leg, 4);
  await watch(page, worker, 'a good network', 4);

  proxy.rules({ rate_bps: 150000, delay_ms: 150 });
  await watch(page, worker, '150 kbit/s, the first seconds', 6);
  const narrow = await watch(page, worker, '150 kbit/s, 300 ms round trip', 10);
  assert.ok(narrow[1].sound >= 95 && narrow[2].sound >= 95, 'sound on a narrow link');

  assert.ok(narrow[1].pictures >= 1 && narrow[2].pictures >= 5, 'no picture on a narrow link');
  assert.ok(narrow[1].soundLate < 1000 && narrow[2].soundLate < 1000, 'the sound waits for the picture');

  // Chromium remembers for half a minute how late everything came while the way became narrow (two fifths of a second); then it
  // waits for no more than the way needs. What is left beyond that, on the narrow downlink, is for lips in sync with a picture that
  // takes its time.
  await sleep(REMEMBERED_MS);
  const settled = await watch(page, worker, '150 kbit/s, half a minute later', 10);
  assert.ok(settled[1].lateForNetwork < 300 && settled[2].lateForNetwork < 300, 'a queue stands on a narrow link');
  assert.ok(settled[2].soundLate < 350, 'the sound of a narrow uplink is late');

  proxy.rules({ blackout: true });
  await sleep(5000);
  proxy.rules({});
  await healed(page);

  // Chromium takes its own picture down to next to nothing at such loss, whatever the server says; the sound is all there.
  proxy.rules({ loss: 0.3, delay_ms: 150, jitter_ms: 20, reorder: 0.02, reorder_ms: 30 });
  const lossy = await watch(page, worker, '30 % loss, 300 ms round trip, reordering', 15);
  assert.ok(lossy[1].sound >= 95 && lossy[2].sound >= 95, 'sound under loss');
  assert.ok(lossy.stats.audio_in.recovered > 50, 'the sound of the uplink was not asked for again');
  proxy.rules({});
  await bothSeeAndHear(page, await decodedBy(page), HEALED_MS);

  // Room for sound, and for the least picture that Chromium sends whatever it is told.
  proxy.rules({ rate_bps: 70000, delay_ms: 50 });
  await watch(page, worker, '70 kbit/s, the first seconds', 15);
  const poor = await watch(page, worker, '70 kbit/s, 100 ms round trip', 10);
  assert.ok(poor[1].madeUp < 15 && poor[2].madeUp < 15, 'sound is missing on a poor link');

  const ends = worker.said.filter((m) => m.kind === 'LEG_EVENT' && m.event >= 32);
  assert.deepEqual(ends, [], 'a leg ended');
  assert.equal(worker.said.filter((m) => m.kind === 'LEG_EVENT' && m.event === 2).length, 2, 'DTLS ran again');
  console.log(JSON.stringify(await proxy.stats()));
  await proxy.end();
}

const worker = new Worker(bridge, program);
try {
  await withChromium((page) => call(page, worker));
  assert.equal(await worker.end(), 0);
  console.log('ok');
} finally {
  worker.process.kill();
}

// What is checked of a call between two peer connections of one page, in whatever browser the page is.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function until(what, test, ms = 20000) {
  const end = Date.now() + ms;
  let seen;
  for (;;) {
    seen = await test();
    if (seen.good) return seen;
    if (Date.now() > end) throw new Error(`never: ${what}; at last ${JSON.stringify(seen)}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

function near(value, wanted, by) {
  return Math.abs(value - wanted) <= by;
}

// Leg 1 is red and sounds at 600 Hz, leg 2 blue at 1500 Hz.
function isOther(leg, seen) {
  const [r, , b] = seen.pixel ?? [0, 0, 0];
  return leg === 1 ? b > 150 && r < 80 && near(seen.pitch, 1500, 40) : r > 150 && b < 80 && near(seen.pitch, 600, 40);
}

export const look = (page, leg) => page.evaluate((n) => window.ck.look(n), leg);

// The page has what it needs, and the worker is there.
export async function begin(page, worker) {
  await page.evaluate(readFileSync(new URL('./page.js', import.meta.url), 'utf8'));
  await worker.await((m) => m.kind === 'READY', 'READY');
}

// `how`: { configuration: of the peer connection, answer: what becomes of the answer on its way, keep: file for the offer }.
export async function open(page, worker, leg, how = {}) {
  const offer = await page.evaluate(([n, configuration]) => window.ck.open(n, configuration), [leg, how.configuration ?? {}]);
  if (how.keep) writeFileSync(how.keep, offer);
  const answer = await worker.answer({ do: 'open', leg, call: 1, role: leg, bitrate: 1000000, offer });
  await page.evaluate(([n, sdp]) => window.ck.answer(n, sdp), [leg, how.answer ? how.answer(answer) : answer]);
}

export async function bothSeeAndHear(page, decoded, ms = 20000) {
  const seen = [];
  for (const leg of [1, 2]) {
    seen[leg] = await until(`leg ${leg} sees and hears the other`, async () => {
      const now = await look(page, leg);
      return { ...now, good: isOther(leg, now) && now.decoded > (decoded[leg] ?? 0) + 30 };
    }, ms);
    console.log(`leg ${leg}`, JSON.stringify(seen[leg]));
  }
  return seen;
}

export async function restart(page, worker, before, how = {}) {
  const from = worker.said.length;
  const offer = await page.evaluate(() => window.ck.restart(1));
  const answer = await worker.answer({ do: 'restart', leg: 1, offer });
  await page.evaluate((sdp) => window.ck.answer(1, sdp), how.answer ? how.answer(answer) : answer);
  await bothSeeAndHear(page, before.map((seen) => seen.decoded));
  const events = worker.said.slice(from).filter((m) => m.kind === 'LEG_EVENT' && m.event !== 9).map((m) => m.text);
  assert.deepEqual(events, [], 'the restart was more than a change of the way');
}

function tell(worker) {
  for (const said of worker.said.filter((m) => m.kind === 'LEG_EVENT')) console.log(`leg ${said.leg} ${said.elapsed_ms} ms: ${said.text} ${said.detail || ''}`);
  console.log(JSON.stringify(worker.said.filter((m) => m.kind === 'LEG_STATS' && m.leg === 1).at(-1)));
}

// `browser` says what differs: { width: the least sent, roundTrip: whether it reports one, keep: file for its offer }.
export async function check(page, worker, browser) {
  await begin(page, worker);
  await open(page, worker, 1, { keep: browser.keep });
  await worker.event(1, 2); // DTLS
  worker.order({ do: 'relay', call: 1, on: true });
  await open(page, worker, 2);
  for (const leg of [1, 2]) await page.evaluate((number) => window.ck.keepSize(number), leg);
  await bothSeeAndHear(page, []);
  for (const leg of [1, 2]) {
    await worker.event(leg, 3);
    await worker.event(leg, 4);
  }
  await new Promise((resolve) => setTimeout(resolve, 4000));
  const seen = await bothSeeAndHear(page, []);
  for (const leg of [1, 2]) {
    assert.equal(seen[leg].lost, 0);
    assert.equal(seen[leg].soundLost, 0);
    assert.ok(seen[leg].sentWidth >= browser.width, `the picture was scaled down to ${seen[leg].sentWidth}`);
    assert.ok(!browser.roundTrip || seen[leg].rtt < 0.1, 'no round trip: our receiver reports do not arrive');
    assert.match(seen[leg].srtp ?? 'AEAD_AES_128_GCM', /AEAD_AES_128_GCM/);
  }
  await restart(page, worker, seen);
  await page.evaluate(() => window.ck.close(1));
  await worker.event(1, 35);
  await worker.event(1, 64);
  worker.order({ do: 'close', leg: 2 });
  await worker.event(2, 64);
  tell(worker);
  assert.equal(await worker.end(), 0);
  console.log('ok');
}

// A call through the real worker in one Chromium: two peer connections, each of which must see the other's colour and hear
// the other's tone; then an ICE restart, and the end. node chromium.mjs MEDIA-BRIDGE CHECKIN-MEDIA [--keep-offer FILE]
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Worker } from './bridge.mjs';

const SKIP = 77;
const require = createRequire(new URL('../e2e/package.json', import.meta.url));
let chromium;
try {
  ({ chromium } = require('playwright-core'));
} catch {
  console.log('skipped: playwright-core is not installed in tests/e2e');
  process.exit(SKIP);
}
if (!existsSync('/usr/bin/chromium')) {
  console.log('skipped: no /usr/bin/chromium');
  process.exit(SKIP);
}

const [bridge, program] = process.argv.slice(2);
const keep = process.argv.indexOf('--keep-offer');
const worker = new Worker(bridge, program);
const browser = await chromium.launch({
  executablePath: '/usr/bin/chromium',
  chromiumSandbox: false,
  args: ['--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream', '--allow-loopback-in-peer-connection', '--autoplay-policy=no-user-gesture-required', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});

async function until(what, test, ms = 15000) {
  const end = Date.now() + ms;
  for (;;) {
    const seen = await test();
    if (seen) return seen;
    if (Date.now() > end) throw new Error(`never: ${what}`);
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

try {
  const page = await browser.newPage();
  page.on('pageerror', (error) => console.log('page:', error.message));
  await page.setContent('<!doctype html><title>call</title>');
  await page.evaluate(readFileSync(new URL('./page.js', import.meta.url), 'utf8'));
  await worker.await((m) => m.kind === 'READY', 'READY');
  worker.order({ do: 'relay', call: 1, on: true });
  for (const leg of [1, 2]) {
    const offer = await page.evaluate((n) => window.ck.open(n), leg);
    if (keep > 0) writeFileSync(process.argv[keep + 1], offer);
    const answer = await worker.answer({ do: 'open', leg, call: 1, role: leg, bitrate: 1000000, offer });
    await page.evaluate(([n, sdp]) => window.ck.answer(n, sdp), [leg, answer]);
    if (leg === 1) {
      await worker.event(1, 2); // DTLS
      worker.order({ do: 'relay', call: 1, on: true });
    }
  }
  for (const leg of [1, 2]) {
    const seen = await until(`leg ${leg} sees and hears the other`, async () => {
      const now = await page.evaluate((n) => window.ck.look(n), leg);
      return isOther(leg, now) && now.decoded > 20 ? now : null;
    });
    console.log(`leg ${leg}`, JSON.stringify(seen));
    assert.equal(seen.srtp, 'SRTP_AEAD_AES_128_GCM');
    await worker.event(leg, 3);
    await worker.event(leg, 4);
  }
  await new Promise((resolve) => setTimeout(resolve, 4000));
  const before = [];
  for (const leg of [1, 2]) {
    const seen = await page.evaluate((n) => window.ck.look(n), leg);
    console.log(`leg ${leg} after 4 s`, JSON.stringify(seen));
    assert.ok(isOther(leg, seen));
    assert.equal(seen.lost, 0);
    assert.equal(seen.soundLost, 0);
    assert.equal(seen.sentWidth, 640, 'the picture was scaled down');
    assert.ok(seen.rtt !== undefined && seen.rtt < 0.1, 'no round trip: our receiver reports do not arrive');
    before.push(seen);
  }
  const from = worker.said.length;
  const offer = await page.evaluate(() => window.ck.restart(1));
  const answer = await worker.answer({ do: 'restart', leg: 1, offer });
  await page.evaluate((sdp) => window.ck.answer(1, sdp), answer);
  await until('leg 1 goes on after the restart', async () => {
    const now = await page.evaluate(() => window.ck.look(1));
    return now.ice === 'connected' && now.decoded > before[0].decoded + 30 && isOther(1, now);
  });
  const events = worker.said.slice(from).filter((m) => m.kind === 'LEG_EVENT' && m.event < 9).map((m) => m.text);
  assert.deepEqual(events, [], 'the restart was more than a change of the way');
  await page.evaluate(() => window.ck.close(1));
  await worker.event(1, 35);
  await worker.event(1, 64);
  worker.order({ do: 'close', leg: 2 });
  await worker.event(2, 64);
  for (const said of worker.said.filter((m) => m.kind === 'LEG_EVENT')) console.log(`leg ${said.leg} ${said.elapsed_ms} ms: ${said.text} ${said.detail || ''}`);
  const stats = worker.said.filter((m) => m.kind === 'LEG_STATS' && m.leg === 1).at(-1);
  console.log(JSON.stringify(stats));
  assert.equal(await worker.end(), 0);
  console.log('ok');
} finally {
  await browser.close();
  worker.process.kill();
}

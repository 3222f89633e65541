// A Chromium whose network passes no UDP: of the answer's candidates it gets the passive TCP one alone (RFC 6544).
// node tcp.mjs MEDIA-BRIDGE CHECKIN-MEDIA
import assert from 'node:assert/strict';
import { Worker } from './bridge.mjs';
import { begin, bothSeeAndHear, look, open, restart } from './call.mjs';
import { withChromium } from './launch.mjs';

const [bridge, program] = process.argv.slice(2);
const streamed = (sdp) => sdp.split('\r\n').filter((line) => !/^a=candidate:\S+ 1 udp /.test(line)).join('\r\n');

async function call(page, worker) {
  await begin(page, worker);
  await open(page, worker, 1, { answer: streamed });
  await open(page, worker, 2);
  await worker.event(1, 2);
  worker.order({ do: 'relay', call: 1, on: true });
  const seen = await bothSeeAndHear(page, []);
  assert.equal(seen[1].protocol, 'tcp');
  assert.equal(seen[2].protocol, 'udp');
  await restart(page, worker, seen, { answer: streamed });
  assert.equal((await look(page, 1)).protocol, 'tcp');
  await page.evaluate(() => window.ck.close(1));
  await worker.event(1, 64);
}

const worker = new Worker(bridge, program);
try {
  await withChromium((page) => call(page, worker));
  assert.equal(await worker.end(), 0);
  console.log('ok');
} finally {
  worker.process.kill();
}

// A camera whose pictures are to be turned, in a real Chromium. The server does not agree to be told of rotations (3gpp
// video-orientation), so the browser must not send a picture that lies: it turns what its cameras give, and leaves out what a page gives
// it with a rotation. All in the file is upright. As a control the same once more with an answer that pretends to agree: then pictures
// lie in the file. node upright.mjs MEDIA-BRIDGE CHECKIN-MEDIA
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from './bridge.mjs';
import { begin, sleep } from './call.mjs';
import { withChromium } from './launch.mjs';

const [bridge, program] = process.argv.slice(2);
const READER = fileURLToPath(new URL('../unit/evidence/independent_recording.py', import.meta.url));
const KEY = '5a'.repeat(32);
const EXTENSION = 'urn:3gpp:video-orientation';
const folder = mkdtempSync(join(tmpdir(), 'ck-upright-'));

// The pictures in the file: how many stand and how many lie, and the middle of two edges of the first one, from 0 to 255.
function pictures(sealed) {
  const plain = join(folder, 'film.webm');
  const key = join(folder, 'key');
  writeFileSync(key, KEY);
  execFileSync('python3', [READER, sealed, key, plain]);
  const sizes = execFileSync('ffprobe', ['-v', 'error', '-select_streams', 'v', '-show_entries', 'frame=width,height', '-of', 'csv=p=0', plain]).toString();
  const all = sizes.trim().split('\n').map((line) => line.split(',').map(Number));
  const [width, height] = all[0];
  const grey = execFileSync('ffmpeg', ['-v', 'error', '-i', plain, '-frames:v', '1', '-f', 'rawvideo', '-pix_fmt', 'gray', '-']);
  const at = (x, y) => grey[y * width + x];
  return { stand: all.filter(([w, h]) => h > w).length, lie: all.filter(([w, h]) => w > h).length, top: at(width >> 1, 6), left: at(6, height >> 1) };
}

async function record(page, worker, leg, munge) {
  const sealed = join(folder, `sealed${leg}`);
  const offer = await page.evaluate((n) => window.ck.openTurned(n), leg);
  assert.ok(offer.includes(EXTENSION), 'the browser does not offer to tell of rotations: nothing is tried here');
  const answer = await worker.answer({ do: 'open', leg, call: leg, role: 1, bitrate: 1000000, offer });
  assert.ok(!answer.includes(EXTENSION));
  await page.evaluate(([n, sdp]) => window.ck.answer(n, sdp), [leg, munge(answer, offer)]);
  await worker.event(leg, 4);
  worker.order({ do: 'record', leg, recording: leg, file: sealed, key: KEY });
  await sleep(4000);
  worker.order({ do: 'stop', leg });
  const closed = await worker.await((m) => m.kind === 'RECORD_CLOSED' && m.leg === leg, 'the end of the file');
  assert.equal(closed.error, 0);
  const agreed = (await page.evaluate((n) => window.ck.extensionsOf(n), leg)).includes(EXTENSION);
  const seen = { agreed, ...pictures(sealed) };
  console.log(JSON.stringify(seen));
  return seen;
}

// As if the server had agreed.
function agree(answer, offer) {
  const extension = offer.match(new RegExp(`a=extmap:\\d+ ${EXTENSION}`))[0];
  const [before, video] = answer.split(/(?=m=video)/);
  return before + video.replace(/(a=mid:[^\r]*\r\n)/, `$1${extension}\r\n`);
}

async function check(page, worker) {
  await begin(page, worker);
  const upright = await record(page, worker, 1, (answer) => answer);
  assert.ok(!upright.agreed, 'the browser will tell of rotations');
  assert.ok(upright.stand > 20 && upright.lie === 0, 'a picture lies on its side');
  assert.ok(upright.top > 180 && upright.left < 80, 'what was up is not up');
  const lying = await record(page, worker, 2, agree);
  assert.ok(lying.agreed && lying.lie > 20, 'no picture lies whatever is agreed: nothing was tried here');
}

const worker = new Worker(bridge, program);
try {
  await withChromium((page) => check(page, worker));
  assert.equal(await worker.end(), 0);
  console.log('ok');
} finally {
  worker.process.kill();
  rmSync(folder, { recursive: true });
}

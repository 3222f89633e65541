// A phone held on its side, in a real Chromium: the camera gives pictures with a rotation, the server does not agree to be told of it
// (3gpp video-orientation), so the browser turns them, and they are upright for the other side and in the file. As a control the same
// once more with an answer that pretends to agree: then they lie in the file. node upright.mjs MEDIA-BRIDGE CHECKIN-MEDIA
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
const folder = mkdtempSync(join(tmpdir(), 'ck-upright-'));

// The middle of each edge of the first whole picture in the file, from 0 to 255, and the picture's size.
function edges(sealed) {
  const plain = join(folder, 'film.webm');
  const key = join(folder, 'key');
  writeFileSync(key, KEY);
  execFileSync('python3', [READER, sealed, key, plain]);
  const size = execFileSync('ffprobe', ['-v', 'error', '-select_streams', 'v', '-show_entries', 'stream=width,height', '-of', 'csv=p=0', plain]).toString().trim();
  const [width, height] = size.split(',').map(Number);
  const grey = execFileSync('ffmpeg', ['-v', 'error', '-ss', '1', '-i', plain, '-frames:v', '1', '-f', 'rawvideo', '-pix_fmt', 'gray', '-'], { maxBuffer: 1 << 24 });
  assert.equal(grey.length, width * height);
  const at = (x, y) => grey[y * width + x];
  return { width, height, top: at(width >> 1, 6), bottom: at(width >> 1, height - 7), left: at(6, height >> 1), right: at(width - 7, height >> 1) };
}

async function record(page, worker, leg, munge) {
  const sealed = join(folder, `sealed${leg}`);
  const offer = await page.evaluate((n) => window.ck.openTurned(n), leg);
  assert.match(offer, /urn:3gpp:video-orientation/, 'the browser does not offer to tell of rotations: nothing is tried here');
  const answer = await worker.answer({ do: 'open', leg, call: leg, role: 1, bitrate: 1000000, offer });
  assert.doesNotMatch(answer, /video-orientation/);
  await page.evaluate(([n, sdp]) => window.ck.answer(n, sdp), [leg, munge(answer, offer)]);
  await worker.event(leg, 4);
  worker.order({ do: 'record', leg, recording: leg, file: sealed, key: KEY });
  await sleep(4000);
  worker.order({ do: 'stop', leg });
  const closed = await worker.await((m) => m.kind === 'RECORD_CLOSED' && m.leg === leg, 'the end of the file');
  assert.equal(closed.error, 0);
  return edges(sealed);
}

// As if the server had agreed.
function agree(answer, offer) {
  const extension = offer.match(/a=extmap:\d+ urn:3gpp:video-orientation/)[0];
  const [before, video] = answer.split(/(?=m=video)/);
  return before + video.replace(/(a=mid:[^\r]*\r\n)/, `$1${extension}\r\n`);
}

async function check(page, worker) {
  await begin(page, worker);
  const upright = await record(page, worker, 1, (answer) => answer);
  console.log('in the file', JSON.stringify(upright));
  assert.ok(upright.height > upright.width, 'the picture lies on its side');
  assert.ok(upright.top > 180 && upright.bottom < 80 && upright.left < 80 && upright.right < 80, 'what was up is not up');
  const lying = await record(page, worker, 2, agree);
  console.log('had it been agreed', JSON.stringify(lying));
  assert.ok(lying.width > lying.height && lying.left > 180, 'the browser turns pictures whatever is agreed: nothing was tried here');
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

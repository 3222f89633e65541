// A call through the real worker in one Chromium. node chromium.mjs MEDIA-BRIDGE CHECKIN-MEDIA [FILE for its offer]
import { Worker } from './bridge.mjs';
import { check } from './call.mjs';
import { withChromium } from './launch.mjs';

const [bridge, program, keep] = process.argv.slice(2);
const worker = new Worker(bridge, program);
try {
  await withChromium((page) => check(page, worker, { width: 640, roundTrip: true, keep }));
} finally {
  worker.process.kill();
}

// A call through the real worker in one Chromium. node chromium.mjs MEDIA-BRIDGE CHECKIN-MEDIA [FILE for its offer]
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Worker } from './bridge.mjs';
import { SKIP, check } from './call.mjs';

let chromium;
try {
  ({ chromium } = createRequire(new URL('../e2e/package.json', import.meta.url))('playwright-core'));
} catch {
  console.log('skipped: playwright-core is not installed in tests/e2e');
  process.exit(SKIP);
}
if (!existsSync('/usr/bin/chromium')) {
  console.log('skipped: no /usr/bin/chromium');
  process.exit(SKIP);
}

const [bridge, program, keep] = process.argv.slice(2);
const worker = new Worker(bridge, program);
const browser = await chromium.launch({
  executablePath: '/usr/bin/chromium',
  chromiumSandbox: false,
  args: ['--allow-loopback-in-peer-connection', '--autoplay-policy=no-user-gesture-required', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});
try {
  const page = await browser.newPage();
  page.on('pageerror', (error) => console.log('page:', error.message));
  await page.setContent('<!doctype html><title>call</title>');
  await check(page, worker, { width: 640, roundTrip: true, keep });
} finally {
  await browser.close();
  worker.process.kill();
}

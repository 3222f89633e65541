// A call through the real worker in one Firefox. It takes no loopback candidate, so everything happens in a network
// namespace with an address and a default route of its own. node firefox.mjs MEDIA-BRIDGE CHECKIN-MEDIA [FILE for its offer]
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from './bridge.mjs';
import { check } from './call.mjs';
import { driver } from './launch.mjs';

const ADDRESS = '10.99.0.1';
// There is no sound card: Firefox's own pretended one keeps its sound running (media.cubeb.force_mock_context).
const NET = `ip link set lo up && ip link add call0 type veth peer name call1 && ip addr add ${ADDRESS}/24 dev call0 && ip link set call0 up && ip link set call1 up && ip route add default via 10.99.0.2`;

const puppeteer = driver('puppeteer-core');
if (process.env.CK_IN_NAMESPACE !== '1') {
  const inside = spawnSync('unshare', ['-n', 'sh', '-c', `${NET} && exec "$@"`, 'sh', process.execPath, ...process.argv.slice(1)], { stdio: 'inherit', env: { ...process.env, CK_IN_NAMESPACE: '1' } });
  process.exit(inside.status ?? 1);
}

const [bridge, program, keep] = process.argv.slice(2);
const worker = new Worker(bridge, program, ADDRESS);
const home = mkdtempSync(join(tmpdir(), 'ck-firefox-'));
const browser = await puppeteer.launch({
  browser: 'firefox',
  executablePath: '/usr/bin/firefox-esr',
  env: { ...process.env, HOME: home },
  extraPrefsFirefox: { 'media.autoplay.default': 0, 'media.cubeb.force_mock_context': true, 'media.autoplay.blocking_policy': 0, 'media.autoplay.block-webaudio': false, 'media.peerconnection.ice.obfuscate_host_addresses': false },
});
try {
  const page = await browser.newPage();
  await page.setContent('<!doctype html><title>call</title>');
  await check(page, worker, { width: 320, roundTrip: true, keep });
} finally {
  await browser.close();
  worker.process.kill();
  rmSync(home, { recursive: true, force: true });
}

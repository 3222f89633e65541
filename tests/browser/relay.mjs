// Both sides of a call may use nothing but a TURN server (iceTransportPolicy relay): through a real coturn by UDP, by TCP and by
// TLS, with credentials of limited life; such that have expired, or that another secret made, get nobody through.
// node relay.mjs MEDIA-BRIDGE CHECKIN-MEDIA
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { createHmac, randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from './bridge.mjs';
import { begin, bothSeeAndHear, open, sleep } from './call.mjs';
import { driver } from './launch.mjs';

const [bridge, program] = process.argv.slice(2);
const secret = randomBytes(24).toString('hex');
const folder = mkdtempSync(join(tmpdir(), 'ck-turn-'));

const freePort = () => new Promise((resolve) => {
  const server = createServer().listen(0, '127.0.0.1', () => {
    const { port } = server.address();
    server.close(() => resolve(port));
  });
});

// The REST scheme: the user is the time of expiry and a name, the password its HMAC-SHA1 under the shared secret.
function credentials(lifetimeS, key = secret) {
  const username = `${Math.floor(Date.now() / 1000) + lifetimeS}:checkind`;
  return { username, credential: createHmac('sha1', key).update(username).digest('base64') };
}

async function listening(port) {
  for (const end = Date.now() + 10000; Date.now() < end; await sleep(50)) {
    const open = await new Promise((resolve) => {
      const socket = connect(port, '127.0.0.1', () => resolve(true)).on('error', () => resolve(false));
      socket.on('connect', () => socket.destroy());
    });
    if (open) return;
  }
  throw new Error('turnserver does not listen');
}

async function startTurn() {
  const [port, tlsPort] = [await freePort(), await freePort()];
  const certificate = spawnSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2', '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1', '-keyout', join(folder, 'key.pem'), '-out', join(folder, 'certificate.pem')], { stdio: 'pipe' });
  assert.equal(certificate.status, 0, String(certificate.stderr));
  const turn = spawn('/usr/bin/turnserver', ['-n', '--listening-ip=127.0.0.1', '--relay-ip=127.0.0.1', `--listening-port=${port}`, `--tls-listening-port=${tlsPort}`, '--use-auth-secret', `--static-auth-secret=${secret}`, '--realm=checkind.test', `--cert=${join(folder, 'certificate.pem')}`, `--pkey=${join(folder, 'key.pem')}`, '--no-dtls', '--no-cli', '--allow-loopback-peers', `--pidfile=${join(folder, 'pid')}`, `--userdb=${join(folder, 'db')}`, `--log-file=${join(folder, 'log')}`, '--simple-log', '--verbose'], { stdio: 'ignore' });
  await listening(port);
  await listening(tlsPort);
  return { turn, ways: { udp: `turn:127.0.0.1:${port}?transport=udp`, tcp: `turn:127.0.0.1:${port}?transport=tcp`, tls: `turns:localhost:${tlsPort}?transport=tcp` } };
}

// Chromium takes a TURN server's certificate by the rules of web pages; this one is trusted in a profile of its own.
async function launch() {
  const home = join(folder, 'home');
  const store = join(home, '.pki/nssdb');
  assert.equal(spawnSync('mkdir', ['-p', store]).status, 0);
  for (const words of [['-N', '--empty-password'], ['-A', '-n', 'turn', '-t', 'C,,', '-i', join(folder, 'certificate.pem')]]) {
    const done = spawnSync('certutil', ['-d', `sql:${store}`, ...words], { stdio: 'pipe' });
    assert.equal(done.status, 0, `certutil: ${done.stderr}`);
  }
  return driver('playwright-core').chromium.launch({ executablePath: '/usr/bin/chromium', chromiumSandbox: false, env: { ...process.env, HOME: home }, args: ['--allow-loopback-in-peer-connection', '--autoplay-policy=no-user-gesture-required', '--disable-gpu', '--no-first-run', '--disable-background-networking'] });
}

const relayed = (urls, access) => ({ iceTransportPolicy: 'relay', iceServers: [{ urls, ...access }] });

async function throughRelay(browser, name, urls) {
  const worker = new Worker(bridge, program);
  const page = await browser.newPage();
  try {
    await page.setContent('<!doctype html><title>call</title>');
    await begin(page, worker);
    for (const leg of [1, 2]) await open(page, worker, leg, { configuration: relayed([urls], credentials(3600)) });
    await worker.event(1, 2);
    await worker.event(2, 2);
    worker.order({ do: 'relay', call: 1, on: true });
    const seen = await bothSeeAndHear(page, []);
    for (const leg of [1, 2]) {
      assert.equal(seen[leg].localType, 'relay');
      assert.equal(seen[leg].relayProtocol, name);
    }
    assert.equal(await worker.end(), 0);
  } finally {
    worker.process.kill();
    await page.close();
  }
}

async function refused(browser, name, urls, access) {
  const worker = new Worker(bridge, program);
  const page = await browser.newPage();
  try {
    await page.setContent('<!doctype html><title>call</title>');
    await begin(page, worker);
    await open(page, worker, 1, { configuration: relayed([urls], access) });
    const failure = await page.evaluate(() => window.ck.candidateError(1));
    assert.equal(failure, 401, name);
    assert.equal(worker.said.filter((m) => m.kind === 'LEG_EVENT' && m.event === 1).length, 0, name);
    assert.equal(await worker.end(), 0);
  } finally {
    worker.process.kill();
    await page.close();
  }
}

const { turn, ways } = await startTurn();
const browser = await launch();
try {
  for (const [name, urls] of Object.entries(ways)) {
    await throughRelay(browser, name, urls);
    console.log(`${name}: both legs by relay`);
  }
  await refused(browser, 'expired', ways.udp, credentials(-60));
  await refused(browser, 'of another secret', ways.udp, credentials(3600, 'another secret'));
  console.log('ok');
} catch (error) {
  if (existsSync(join(folder, 'log'))) console.error(readFileSync(join(folder, 'log'), 'utf8').slice(-3000));
  throw error;
} finally {
  await browser.close();
  turn.kill();
  rmSync(folder, { recursive: true, force: true });
}

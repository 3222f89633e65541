// One Chromium with one empty page.
import { createRequire } from 'node:module';

const ARGUMENTS = ['--allow-loopback-in-peer-connection', '--autoplay-policy=no-user-gesture-required', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];

// The driver of that name out of tests/e2e, where `./dev test` installs it.
export function driver(name) {
  try {
    return createRequire(new URL('../e2e/package.json', import.meta.url))(name);
  } catch {
    console.error(`${name} is not installed: run \`npm ci\` in tests/e2e, or \`./dev test\``);
    process.exit(1);
  }
}

export async function withChromium(run) {
  const browser = await driver('playwright-core').chromium.launch({ executablePath: '/usr/bin/chromium', chromiumSandbox: false, args: ARGUMENTS });
  try {
    const page = await browser.newPage();
    page.on('pageerror', (error) => console.log('page:', error.message));
    await page.setContent('<!doctype html><title>call</title>');
    await run(page);
  } finally {
    await browser.close();
  }
}

// What every test file needs: the built pages, a server, a browser, pages that are closed again.
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { launch, open, PHONE } from "./browser.mjs";
import { FakeServer } from "./fake_server.mjs";
import * as f from "./fixtures.mjs";
import { Peer } from "./peer.mjs";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
export const PAGES = resolve(process.env.CK_PAGES || join(ROOT, "build/release/pages"));
if (!existsSync(join(PAGES, "person.html"))) throw new Error(`no built pages in ${PAGES}: build the target ck_pages, or name another folder in CK_PAGES`);

export const WAIT = 20_000; // for anything in a page; the machine may be busy

export class Stage {
  static async set(options = {}) {
    const stage = new Stage();
    stage.folder = mkdtempSync(join(tmpdir(), "checkind-web-"));
    if (options.clip) {
      stage.clip = join(stage.folder, "clip.webm");
      execFileSync("ffmpeg", ["-loglevel", "error", "-f", "lavfi", "-i", "smptebars=size=320x240:rate=10", "-f", "lavfi", "-i", "sine=440", "-t", "24", "-c:v", "libvpx", "-b:v", "150k", "-g", "20", "-c:a", "libopus", stage.clip]);
    }
    stage.browser = await launch({ camera: options.camera });
    return stage;
  }

  async strike() {
    await this.browser.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  // Runs one test with a fresh server and closes whatever pages it opened.
  scene(work) {
    return async () => {
      const server = await new FakeServer(PAGES, { clip: this.clip }).start();
      try {
        await work(server);
      } finally {
        for (const context of this.browser.contexts()) await context.close();
        await server.stop();
      }
    };
  }

  async page(options = {}) {
    const page = await open(this.browser, { language: "en", ...options });
    page.setDefaultTimeout(WAIT);
    return page;
  }

  async peer(server, looks) {
    const peer = await Peer.create(this.browser, server);
    peer.attach(server, looks);
    return peer;
  }

  // The person's page as far as the own picture.
  async atCheck(server, state = f.personState()) {
    server.state.person = state;
    const page = await this.page({ viewport: PHONE });
    await page.goto(server.origin + "/p");
    await page.locator(".actions .primary").click();
    await screen(page, "check");
    await page.waitForSelector(".own");
    return page;
  }

  // … and into a running call with the far side attached.
  async inCall(server, state) {
    const page = await this.atCheck(server, state);
    const peer = await this.peer(server);
    peer.other = (kind, message, ws) => {
      if (message.t === "join") {
        server.send(ws, { t: "ok", id: message.id });
        if (!peer.joined) server.send(ws, { t: "waiting", since: f.at(0) });
        peer.joined = true;
      }
    };
    await page.locator(".actions .primary").click();
    await screen(page, "waiting");
    await server.heard("person", "offer");
    server.tell("person", { t: "connected", with: "Сәнияш Тамыртасова", recording: true });
    await screen(page, "call");
    await playing(page);
    return { page, peer };
  }

  // The console, logged in.
  async console(server, route, { roles = ["inspector"], ...options } = {}) {
    server.state.loggedIn = true;
    server.state.me = f.me(roles, options.language || "en");
    const page = await this.page({ viewport: { width: 1280, height: 800 }, ...options });
    await page.goto(server.origin + "/#/" + route);
    await page.waitForSelector(".shell");
    return page;
  }
}

export const screen = (page, name) => page.waitForSelector(`[data-screen=${name}]`);

// Waits until the far side's picture moves.
export async function playing(page) {
  await page.waitForFunction(() => {
    const video = document.querySelector("video.stage-remote");
    return video && video.videoWidth > 0 && video.currentTime > 0.2;
  });
}

// Errors of scripts and of the security policy; refused requests are what many tests are about.
export const faults = (page) => page.faults.filter((fault) => !/Failed to load resource|WebSocket connection|net::ERR/.test(fault));

// A page of the console is there with what it shows.
export const settled = (page) => page.waitForFunction(() => document.querySelector("main h1, main.call") && !document.querySelector(".skeletons"));

// The pages of the console by the role that is shown them.
export const ROUTES = {
  inspector: ["today", "incidents", "reviews", "reviews/904", "persons", "persons/new", "persons/101", "persons/101?tab=messages", "persons/101?tab=history", "persons/101?tab=risk", "requests", "checkins/902", "account"],
  officer: ["incidents/71", "duty", "duty/absences"],
  supervisor: ["overview", "approvals", "overload", "cadence", "retention", "duty/ladders", "duty/paths", "duty/texts", "log", "log/3"],
  administrator: ["staff", "units", "system"],
};

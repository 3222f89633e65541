// Pictures of every page, to be looked at: node shots.mjs PAGES OUT [PART OF A NAME]. Not a test.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { DESK, launch, open, PHONE } from "./browser.mjs";
import { FakeServer } from "./fake_server.mjs";
import * as f from "./fixtures.mjs";
import { Peer } from "./peer.mjs";

const [pages, out, wanted = ""] = process.argv.slice(2);
mkdirSync(out, { recursive: true });
const clip = join(out, "clip.webm");
if (!existsSync(clip)) execFileSync("ffmpeg", ["-loglevel", "error", "-f", "lavfi", "-i", "smptebars=size=640x480:rate=15", "-f", "lavfi", "-i", "sine=440", "-t", "24", "-c:v", "libvpx", "-b:v", "300k", "-g", "60", "-c:a", "libopus", clip]);

const browsers = {};
const browserFor = async (camera) => (browsers[camera] = browsers[camera] || (await launch({ camera })));

async function shot(name, settings, work) {
  if (!name.includes(wanted)) return;
  const { language = "kk", scheme = "light", viewport = PHONE, camera = "granted", full = false } = settings;
  const browser = await browserFor(camera);
  const server = await new FakeServer(pages, { clip }).start();
  const page = await open(browser, { viewport, scheme, language });
  try {
    await work(page, server, browser);
    await page.screenshot({ path: join(out, name + ".png"), fullPage: full });
    if (page.faults.length) console.log(name, page.faults.join(" | "));
  } catch (error) {
    console.log(name, "FAILED", String(error).split("\n")[0], page.faults.join(" | "));
    await page.screenshot({ path: join(out, name + ".FAILED.png") });
  }
  for (const context of browser.contexts()) await context.close();
  await server.stop();
}

const staff = (route, { roles = ["inspector"], language = "kk", change = () => undefined, then = async () => undefined } = {}) => async (page, server, browser) => {
  server.state.loggedIn = true;
  server.state.me = f.me(roles, language);
  change(server);
  await page.goto(server.origin + "/#/" + route);
  await page.waitForSelector("h1, .stage");
  await page.waitForTimeout(350);
  await then(page, server, browser);
};
const p = (state, then = async () => undefined, path = "/p") => async (page, server, browser) => {
  server.state.person = typeof state === "function" ? state() : state;
  await page.goto(server.origin + path);
  await page.waitForTimeout(300);
  await then(page, server, browser);
};

const screen = (page, name) => page.waitForSelector(`[data-screen=${name}]`);

async function answered(page) {
  await page.locator(".actions .primary").click();
  await screen(page, "check");
  await page.waitForSelector(".own");
  await page.waitForTimeout(400);
}

async function inCall(page, server, browser) {
  const peer = await Peer.create(browser, server);
  peer.attach(server, { person: "officer", console: "person" });
  peer.other = (kind, message, ws) => {
    if (message.t === "join") {
      server.send(ws, { t: "ok", id: message.id });
      server.send(ws, { t: "waiting", since: f.at(0) });
    }
    if (message.t === "take") server.send(ws, { t: "taken", checkin: message.checkin });
  };
  return peer;
}

const both = [["light"], ["dark"]];
for (const [scheme] of both) {
  for (const language of scheme === "light" ? ["kk", "ru", "en"] : ["ru"]) {
    const id = `${scheme}-${language}`;
    const set = { scheme, language };
    await shot(`p-landing-${id}`, set, p(null, async (page) => screen(page, "landing"), "/c/TOKENTOKENTOKENTOKEN"));
    await shot(`p-notice-${id}`, set, p(f.personState({ language })));
    await shot(`p-check-${id}`, set, p(f.personState({ language }), answered));
    await shot(`p-denied-${id}`, { ...set, camera: "denied" }, p(f.personState({ language }), async (page) => {
      await page.locator(".actions .primary").click();
      await page.waitForSelector(".where-picture");
    }));
    await shot(`p-waiting-${id}`, set, p(f.personState({ language }), async (page, server, browser) => {
      await inCall(page, server, browser);
      await answered(page);
      await page.locator(".actions .primary").click();
      await screen(page, "waiting");
      await page.waitForTimeout(500);
    }));
    await shot(`p-call-${id}`, set, p(f.personState({ language }), async (page, server, browser) => {
      await inCall(page, server, browser);
      await answered(page);
      await page.locator(".actions .primary").click();
      await screen(page, "waiting");
      server.tell("person", { t: "connected", with: "Сәнияш Тамыртасова", recording: true });
      await page.waitForTimeout(1500);
    }));
    for (const [kind, extra] of [["read_digits", { digits: "4917" }], ["turn_left", {}], ["look_up", {}], ["show_hand", {}]]) {
      await shot(`p-task-${kind}-${id}`, set, p(f.personState({ language }, { kind: "unattended" }), async (page, server, browser) => {
        await inCall(page, server, browser);
        await answered(page);
        await page.locator(".actions .primary").click();
        await screen(page, "waiting");
        server.tell("person", { t: "recording", on: true });
        server.tell("person", { t: "challenge", number: 2, of: 4, kind, seconds: 8, ...extra });
        await page.waitForTimeout(1500);
      }));
    }
    await shot(`p-result-${id}`, set, p(f.acknowledged({ language, history: [{ id: 901, at: f.at(-1), result: "received", receipt: "R-5J4K-7X7B-5VF2" }, ...f.personState().history] }, { state: "done", result: "received", receipt: "R-5J4K-7X7B-5VF2" })));
    await shot(`p-home-${id}`, set, p(f.acknowledged({ language, checkin: null })));
    await shot(`p-dispute-${id}`, set, p(f.acknowledged({ language, checkin: null }), async (page) => page.locator(".history li:nth-child(2) .button").first().click()));
    await shot(`p-unsigned-${id}`, set, p(f.acknowledged({ language, checkin: null }), async (page, server) => {
      server.state.unsigned = true;
      await page.locator(".history li:first-child .button").click();
      await page.locator(".history [role=status]:not(:empty)").waitFor();
    }));
    await shot(`p-decline-${id}`, set, p(f.acknowledged({ language }), async (page) => {
      await page.locator(".actions .button.plain").click();
      await page.locator(".choice").nth(2).click();
      await page.waitForTimeout(200);
    }));
    await shot(`p-messages-${id}`, set, p(f.acknowledged({ language, checkin: null }), async (page, server) => {
      server.state.messages = f.withFiles;
      await page.locator(".actions .primary").click();
      await page.waitForSelector(".bubble");
    }));
  }
  const set = { scheme, language: "kk" };
  await shot(`p-pause-${scheme}`, set, p(f.personState({ language: "kk" }), async (page, server, browser) => {
    await inCall(page, server, browser);
    await answered(page);
    await page.locator(".actions .primary").click();
    await screen(page, "waiting");
    server.tell("person", { t: "connected", with: "Сәнияш Тамыртасова", recording: true });
    await page.locator(".round").nth(2).click();
    await page.waitForTimeout(400);
  }));
  await shot(`p-early-${scheme}`, set, p(f.acknowledged({ language: "kk" }, { state: "armed", due: f.at(26), answer_until: f.at(41), late_until: f.at(101) })));
  await shot(`p-over-${scheme}`, set, p(f.acknowledged({ language: "kk" }, { late_until: f.at(-5) })));
  await shot(`p-expired-${scheme}`, set, p(null, async (page) => screen(page, "expired"), "/p"));
  for (const language of ["kk", "ru", "en"]) {
    await shot(`p-used-${scheme}-${language}`, { scheme, language }, p(null, async (page, server) => {
      Object.assign(server.state, { link: "used", helpPhone: "+77172000000" });
      await page.locator(".actions .primary").click();
      await screen(page, "expired");
    }, "/c/TOKENTOKENTOKENTOKEN"));
  }
  await shot(`p-busy-${scheme}`, set, async (page, server) => {
    server.faults.set("/api/p/state", { status: 503, code: "busy", retry: 12 });
    await page.goto(server.origin + "/p");
    await screen(page, "busy");
  });
  await shot(`p-offline-${scheme}`, set, async (page, server) => {
    server.faults.set("/api/p/state", { drop: true });
    await page.goto(server.origin + "/p");
    await screen(page, "offline");
  });
  await shot(`p-nocamera-${scheme}`, { ...set, camera: "none" }, p(f.personState({ language: "kk" }), async (page) => {
    await page.locator(".actions .primary").click();
    await page.waitForTimeout(500);
  }));
}

for (const viewport of [PHONE, DESK]) {
  const size = viewport === PHONE ? "phone" : "desk";
  for (const [scheme, language] of [["light", "ru"], ["dark", "kk"], ["light", "en"]]) {
    const id = `${size}-${scheme}-${language}`;
    const set = { scheme, language, viewport };
    const s = (route, more = {}) => staff(route, { language, ...more });
    await shot(`c-login-${id}`, set, async (page, server) => {
      await page.goto(server.origin + "/");
      await page.waitForSelector("form");
    });
    await shot(`c-setup-${id}`, { ...set, full: true }, async (page, server) => {
      server.state.setup = true;
      await page.goto(server.origin + "/");
      await page.waitForSelector("form");
    });
    await shot(`c-today-${id}`, set, s("today"));
    await shot(`c-today-ring-${id}`, set, s("today", { change: (server) => (server.rings = [f.rows.waiting]) }));
    await shot(`c-today-quiet-${id}`, set, s("today", { change: (server) => (server.state.today = f.quietDay()) }));
    await shot(`c-today-empty-${id}`, set, s("today", { change: (server) => (server.state.today = f.emptyDay()) }));
    await shot(`c-persons-${id}`, set, s("persons"));
    await shot(`c-person-${id}`, set, s("persons/101"));
    await shot(`c-plans-${id}`, set, s("persons/101", { change: (server) => (server.state.plans = f.succession), then: (page) => page.getByText(/602|08:00/).last().scrollIntoViewIfNeeded() }));
    await shot(`c-plans-end-${id}`, set, s("persons/101", { change: (server) => (server.state.plans = f.succession), then: async (page) => {
      await page.locator(".orders li").filter({ hasText: "08:00–12:00" }).last().locator("button").last().click();
      await page.waitForSelector(".dialog");
    } }));
    await shot(`c-person-messages-${id}`, set, s("persons/101?tab=messages", { change: (server) => (server.state.messages = f.withFiles) }));
    await shot(`c-person-messages-ring-${id}`, set, s("persons/101?tab=messages", { then: async (page, server) => {
      server.tell("console", { t: "ring", checkin: f.rows.waiting });
      await page.waitForSelector(".urgent-card.ring");
    } }));
    await shot(`c-opened-${id}`, set, s("persons/101", { change: (server) => server.state.opened.push({ id: 5, person_id: 101, person_name: "Дәуренбек Жалғызтау", reference: "P-4821", opened: f.at(0), until: f.at(60) }) }));
    await shot(`c-texts-${id}`, set, s("duty/texts", { roles: ["supervisor"] }));
    await shot(`c-incident-thread-${id}`, { ...set, full: true }, s("incidents/71", { roles: ["officer"], then: (page) => page.locator(".thread-box").scrollIntoViewIfNeeded() }));
    await shot(`c-person-history-${id}`, set, s("persons/101?tab=history"));
    await shot(`c-plan-${id}`, set, s("persons/101", { then: async (page) => {
      await page.locator(".card-head .button").nth(1).click();
      await page.waitForSelector(".preview-list");
    } }));
    await shot(`c-order-${id}`, set, s("persons/101", { then: async (page) => page.locator(".card-head .button").nth(0).click() }));
    await shot(`c-blackout-${id}`, set, s("persons/101", { then: async (page) => page.locator(".card-head .button").nth(2).click() }));
    await shot(`c-approvals-${id}`, set, s("approvals", { roles: ["supervisor"] }));
    await shot(`c-approvals-alone-${id}`, set, s("approvals", { roles: ["supervisor"], change: (server) => (server.state.approvals = [{ ...f.approvals[0], alone: true }, f.approvals[1]]) }));
    await shot(`c-overload-${id}`, set, s("overload", { roles: ["supervisor"] }));
    await shot(`c-cadence-${id}`, set, s("cadence", { roles: ["supervisor"] }));
    await shot(`c-risk-${id}`, { ...set, full: true }, s("persons/101?tab=risk", { then: async (page) => {
      await page.locator(".empty .button.primary").click();
      await page.waitForSelector(".cards .orders li");
    } }));
    await shot(`c-zone-${id}`, set, s("units", { roles: ["administrator"], then: async (page) => {
      await page.locator(".row-buttons .button").first().click();
      await page.locator(".dialog select").selectOption({ index: 1 });
      await page.locator(".dialog button[type=submit]").click();
      await page.waitForSelector("[data-zone-preview]");
    } }));
    await shot(`c-retention-${id}`, set, s("retention", { roles: ["supervisor"] }));
    await shot(`c-plan-change-${id}`, set, s("persons/101", { then: async (page) => {
      await page.locator(".orders .row-buttons .button").nth(1).click();
      await page.waitForSelector(".preview-list");
      await page.locator(".preview").scrollIntoViewIfNeeded();
    } }));
    await shot(`c-call-${id}`, set, s("today", { then: async (page, server, browser) => {
      await inCall(page, server, browser);
      await page.goto(server.origin + "/#/call/901");
      await server.heard("console", "offer");
      server.tell("console", { t: "peer", checkin: 901, state: "here", camera: true });
      server.tell("console", { t: "link", checkin: 901, quality: "good", rtt_ms: 40, loss: 0, kbps: 900 });
      server.tell("console", { t: "recording", checkin: 901, on: true });
      await page.waitForTimeout(1500);
    } }));
    await shot(`c-call-compare-${id}`, set, s("today", { then: async (page, server, browser) => {
      await inCall(page, server, browser);
      await page.goto(server.origin + "/#/call/901");
      await server.heard("console", "offer");
      server.tell("console", { t: "peer", checkin: 901, state: "here", camera: true });
      await page.locator(".round").nth(2).click();
      await page.locator(".round").nth(4).click();
      await page.waitForTimeout(1200);
    } }));
    await shot(`c-outcome-${id}`, set, s("today", { then: async (page, server, browser) => {
      await inCall(page, server, browser);
      await page.goto(server.origin + "/#/call/901");
      await server.heard("console", "offer");
      server.tell("console", { t: "ended", checkin: 901, reason: "person" });
      await page.waitForSelector(".outcome");
    } }));
    await shot(`c-reviews-${id}`, set, s("reviews"));
    await shot(`c-review-${id}`, set, s("reviews/904", { then: async (page) => {
      await page.waitForSelector("video");
      await page.waitForTimeout(800);
    } }));
    await shot(`c-incidents-${id}`, set, s("incidents"));
    await shot(`c-incident-${id}`, set, s("incidents/71", { roles: ["officer"] }));
    await shot(`c-incident-held-${id}`, set, s("incidents/71", { roles: ["officer"], then: async (page) => {
      await page.locator(".dock .act").click();
      await page.waitForSelector(".line-item.acknowledged");
    } }));
    await shot(`c-alert-${id}`, set, s("incidents", { roles: ["officer"], then: async (page, server) => {
      server.tell("console", { t: "alert", incident: f.incidentRow({}), notice: "N-1" });
      await page.waitForSelector(".urgent");
    } }));
    await shot(`c-checkin-${id}`, { ...set, full: false }, s("checkins/902"));
    await shot(`c-requests-${id}`, set, s("requests", { roles: ["supervisor"] }));
    await shot(`c-duty-week-${id}`, { ...set, full: true }, s("duty/week", { roles: ["supervisor"] }));
    await shot(`c-duty-absences-${id}`, { ...set, full: true }, s("duty/absences", { roles: ["supervisor"] }));
    await shot(`c-duty-ladders-${id}`, { ...set, full: true }, s("duty/ladders", { roles: ["supervisor"], change: (server) => (server.state.proposals = f.proposals()) }));
    await shot(`c-duty-ladder-edit-${id}`, { ...set, full: true }, s("duty/ladders", { roles: ["supervisor"], then: async (page) => {
      await page.locator(".card .button").first().click();
      await page.locator(".form > .button.primary").click();
      await page.waitForSelector(".note.warn");
    } }));
    await shot(`c-duty-paths-${id}`, { ...set, full: true }, s("duty/paths", { roles: ["supervisor"] }));
    await shot(`c-duty-shift-${id}`, set, s("duty/week", { roles: ["supervisor"], then: async (page) => {
      await page.locator(".week-head .primary").click();
      await page.waitForSelector(".dialog");
    } }));
    await shot(`c-incident-safety-${id}`, set, s("incidents/71", { roles: ["officer"], change: (server) => Object.assign(server.state.incident, { kind: "safety_check" }), then: async (page) => {
      await page.locator(".dock-more .button").nth(1).click();
      await page.waitForSelector(".dialog");
    } }));
    await shot(`c-overview-${id}`, set, s("overview", { roles: ["supervisor"] }));
    await shot(`c-log-${id}`, set, s("log", { roles: ["supervisor"] }));
    await shot(`c-log-entry-${id}`, set, s("log/3", { roles: ["supervisor"] }));
    await shot(`c-staff-${id}`, set, s("staff", { roles: ["administrator"] }));
    await shot(`c-system-${id}`, set, s("system", { roles: ["administrator"] }));
    await shot(`c-account-${id}`, set, s("account"));
    await shot(`c-factor-${id}`, { ...set, full: true }, s("today", { change: (server) => (server.state.me = { ...server.state.me, second_factor: false }), then: async (page) => {
      await page.locator(".gate-card .primary").click();
      await page.waitForSelector(".qr");
    } }));
    await shot(`c-failure-${id}`, set, s("persons", { change: (server) => server.faults.set("/api/persons", { status: 503, code: "unavailable", retry: 5 }) }));
    await shot(`c-loading-${id}`, set, s("persons", { change: (server) => server.faults.set("/api/persons", { hang: true }) }));
  }
}
for (const browser of Object.values(browsers)) await browser.close();

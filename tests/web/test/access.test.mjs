// Every page as a screen reader and a keyboard find it: axe-core's rules of WCAG 2.2 A and AA, light on a phone, dark on a desk.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import { DESK, PHONE } from "../browser.mjs";
import * as f from "../fixtures.mjs";
import { ROUTES, screen, settled, Stage } from "../stage.mjs";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

let stage;
before(async () => (stage = await Stage.set({ clip: true })));
after(() => stage.strike());
const scene = (work) => () => stage.scene(work)();

async function faultsOf(page) {
  await page.evaluate(axe);
  // target-size is left out: it takes what has just been scrolled half under the bar of actions for a small target.
  const { violations } = await page.evaluate((tags) => window.axe.run(document, { resultTypes: ["violations"], runOnly: tags, rules: { "target-size": { enabled: false } } }), RULES);
  return violations.map((one) => `${one.id}: ${one.nodes.slice(0, 3).map((node) => node.html.slice(0, 160)).join(" | ")}`);
}

for (const [shape, viewport, scheme, language] of [["a desk", DESK, "dark", "ru"], ["a phone", PHONE, "light", "kk"]]) {
  for (const role of Object.keys(ROUTES)) {
    test(`the pages of ${role} on ${shape}`, scene(async (server) => {
      const page = await stage.console(server, ROUTES[role][0], { roles: [role], viewport, scheme, language });
      for (const route of ROUTES[role]) {
        await page.evaluate((hash) => (location.hash = "#/" + hash), route);
        await settled(page);
        assert.deepEqual(await faultsOf(page), [], route);
      }
    }));
  }
}

test("a dialog keeps the keyboard inside, says its name, and gives the focus back", scene(async (server) => {
  const page = await stage.console(server, "incidents/71", { roles: ["officer"] });
  const opener = page.getByRole("button", { name: "Note", exact: true });
  await opener.click();
  await page.getByRole("dialog", { name: "Note" }).waitFor();
  assert.deepEqual(await faultsOf(page), []);
  for (let i = 0; i < 8; i++) {
    await page.keyboard.press("Tab");
    assert.ok(await page.evaluate(() => !!document.activeElement.closest("[role=dialog]")));
  }
  await page.keyboard.press("Escape");
  await page.waitForFunction(() => document.activeElement.textContent === "Note");
}));

const PERSON = [
  ["expired", () => null, "/c/TOKENTOKENTOKENTOKEN", "expired"], ["notice", () => f.personState(), "/p", "notice"], ["check", () => f.acknowledged(), "/p", "check"],
  ["early", () => f.acknowledged({}, { state: "armed", due: f.at(26), answer_until: f.at(41), late_until: f.at(101) }), "/p", "early"],
  ["over", () => f.acknowledged({}, { late_until: f.at(-5) }), "/p", "over"],
  ["result", () => f.acknowledged({}, { state: "done", result: "received", receipt: "K6-1" }), "/p", "result"],
  ["home", () => f.acknowledged({ checkin: null }), "/p", "home"],
];

for (const scheme of ["light", "dark"]) {
  test(`the person's screens, ${scheme}`, scene(async (server) => {
    for (const [name, state, path, shown] of PERSON) {
      server.state.person = state();
      server.state.link = state() ? "good" : "used";
      const page = await stage.page({ viewport: PHONE, scheme, language: "kk" });
      await page.goto(server.origin + path);
      if (path !== "/p") {
        await screen(page, "landing");
        assert.deepEqual(await faultsOf(page), [], "landing");
        await page.locator(".actions .primary").click();
      }
      await screen(page, shown);
      assert.deepEqual(await faultsOf(page), [], name);
      if (name === "home") {
        await page.locator(".requests button, .card button").first().click();
        await page.getByRole("dialog").waitFor();
        assert.deepEqual(await faultsOf(page), [], "a sheet");
      }
      await page.context().close();
    }
  }));
}

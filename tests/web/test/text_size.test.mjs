// Whoever set the browser's text to twice its size reads every page whole: nothing is cut, nothing lies outside the window.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { DESK, PHONE } from "../browser.mjs";
import * as f from "../fixtures.mjs";
import { ROUTES, screen, settled, Stage } from "../stage.mjs";

let stage;
before(async () => (stage = await Stage.set({ clip: true })));
after(() => stage.strike());
const scene = (work) => () => stage.scene(work)();

const TWICE = 32;

// Text that its own box cuts, or that is beside the window where nothing scrolls.
function unread() {
  const found = [];
  if (document.documentElement.scrollWidth > innerWidth + 1) found.push(`the page is ${document.documentElement.scrollWidth} px wide`);
  for (const element of document.querySelectorAll("body *")) {
    if (!element.checkVisibility() || element.closest(".unseen, .skip, .shrinks-text, svg") || ![...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.textContent.trim())) continue;
    const box = element.getBoundingClientRect();
    const style = getComputedStyle(element);
    if (!box.width) continue;
    const scrolls = element.parentElement && element.parentElement.closest(".table-wrap, .tabs-inline, .week");
    if (!scrolls && (box.right > innerWidth + 1 || box.left < -1)) found.push(`outside: ${element.className || element.tagName} «${element.textContent.trim().slice(0, 40)}» ${Math.round(box.left)}–${Math.round(box.right)}`);
    let frame = element.parentElement;
    while (frame && getComputedStyle(frame).overflowX !== "hidden") frame = frame.parentElement;
    if (!scrolls && frame && frame !== document.body && box.right > frame.getBoundingClientRect().right + 1) found.push(`cut by ${frame.className}: «${element.textContent.trim().slice(0, 40)}»`);
    const cutX = element.scrollWidth > element.clientWidth + 1 && /hidden|clip/.test(style.overflowX) && style.textOverflow !== "ellipsis";
    const cutY = element.scrollHeight > element.clientHeight + 2 && /hidden|clip/.test(style.overflowY) && style.textOverflow !== "ellipsis";
    if (element.clientWidth && (cutX || cutY)) found.push(`cut: ${element.className || element.tagName} «${element.textContent.trim().slice(0, 40)}»`);
  }
  return [...new Set(found)];
}

for (const [shape, viewport] of [["a desk", DESK], ["a phone", PHONE]]) {
  for (const role of Object.keys(ROUTES)) {
    test(`text twice as large, the pages of ${role} on ${shape}`, scene(async (server) => {
      const page = await stage.console(server, ROUTES[role][0], { roles: [role], viewport, language: "ru", text: TWICE });
      assert.equal(await page.evaluate(() => getComputedStyle(document.body).fontSize), "32px");
      const faults = [];
      for (const route of ROUTES[role]) {
        await page.evaluate((hash) => (location.hash = "#/" + hash), route);
        await settled(page);
        for (const fault of await page.evaluate(unread)) faults.push(`${route}: ${fault}`);
      }
      assert.deepEqual(faults, []);
    }));
  }
}

const PERSON = [
  ["notice", () => f.personState({ language: "ru" })], ["check", () => f.acknowledged({ language: "ru" })],
  ["early", () => f.acknowledged({ language: "ru" }, { state: "armed", due: f.at(26), answer_until: f.at(41), late_until: f.at(101) })],
  ["over", () => f.acknowledged({ language: "ru" }, { late_until: f.at(-5) })],
  ["result", () => f.acknowledged({ language: "ru" }, { state: "done", result: "received", receipt: "R-5J4K-7X7B-5VF2" })],
  ["home", () => f.acknowledged({ language: "ru", checkin: null })],
];

test("text twice as large, the person's screens", scene(async (server) => {
  const faults = [];
  for (const [shown, state] of PERSON) {
    server.state.person = state();
    const page = await stage.page({ viewport: PHONE, language: "ru", text: TWICE });
    await page.goto(server.origin + "/p");
    await screen(page, shown);
    for (const fault of await page.evaluate(unread)) faults.push(`${shown}: ${fault}`);
    await page.context().close();
  }
  assert.deepEqual(faults, []);
}));

// Every page that a role is offered is one it may read: nobody is led to a refusal, which the log would write down.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { DESK, launch, open } from "../lib/browser.mjs";
import { login } from "../lib/pages.mjs";
import { Product } from "../lib/product.mjs";

let product, browser, person;

before(async () => {
  product = await (await Product.start({ name: "roles" })).people();
  person = await product.person("Ержан Абдрахманов", "medium");
  browser = await launch(null, null);
});
after(async () => {
  await browser?.close();
  await product?.stop();
});

const settled = (page) => page.waitForFunction(() => document.querySelector("main h1") && !document.querySelector(".skeletons"));

for (const role of ["inspector", "officer", "supervisor", "administrator"]) {
  test(`no page of the ${role} is refused`, { timeout: 180000 }, async () => {
    const name = `the.${role}`;
    await product.staff({ login: name, name: `Сотрудник ${role}`, roles: [role] });
    const page = await open(browser, DESK);
    const refused = [];
    page.on("response", (response) => response.status() === 403 && refused.push(`${response.request().method()} ${new URL(response.url()).pathname}`));
    await login(page, product, name);
    await settled(page);
    const areas = await page.locator(".side a.nav-link").evaluateAll((links) => links.map((link) => link.getAttribute("href")));
    assert.ok(areas.length >= 4, areas.join(" "));
    const visit = async (hash) => {
      await page.evaluate((to) => (location.hash = to), hash);
      await settled(page);
      await page.waitForLoadState("networkidle");
    };
    for (const area of areas) await visit(area);
    if (areas.includes("#/persons") && role !== "inspector") {
      await visit(`#/persons/${person.id}`);
      for (const tab of await page.locator("main a.tab-inline").evaluateAll((links) => links.map((link) => link.getAttribute("href")))) await visit(tab);
    }
    assert.deepEqual(refused, []);
    assert.deepEqual(page.faults, []);
    await page.context().close();
  });
}

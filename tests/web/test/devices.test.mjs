// Browsers that give no camera: refused, or none there.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import * as f from "../fixtures.mjs";
import { screen, Stage } from "../stage.mjs";

async function blocked(stage, server) {
  server.state.person = f.personState();
  const page = await stage.page();
  await page.goto(server.origin + "/p");
  await page.locator(".actions .primary").click();
  await screen(page, "check");
  return page;
}

describe("the camera is refused", () => {
  let stage;
  before(async () => (stage = await Stage.set({ camera: "denied" })));
  after(() => stage.strike());
  test("pictures show how to allow it, and the person can still answer", async () => {
    await stage.scene(async (server) => {
      const page = await blocked(stage, server);
      await page.getByText("The camera is blocked").waitFor();
      assert.ok(await page.locator(".where-picture").isVisible());
      assert.equal((await server.heard("person", "fact", (message) => message.fact === "permission_denied")).detail, "denied");
      await page.getByRole("button", { name: "Answer without picture" }).click();
      const offer = server.heard("person", "offer");
      const join = await server.heard("person", "join");
      server.tell("person", { t: "ok", id: join.id });
      assert.deepEqual(Array.from((await offer).sdp.matchAll(/^m=(\w+)/gm), (match) => match[1]), ["audio", "video"]);
      server.tell("person", { t: "waiting", since: f.at(0) });
      await screen(page, "waiting");
    })();
  });
  for (const [family, agent, words] of [
    ["samsung", "Mozilla/5.0 (Linux; Android 11) AppleWebKit/537.36 SamsungBrowser/14.0 Chrome/87.0 Mobile Safari/537.36", "Tap the lock to the left of the address."],
    ["firefox", "Mozilla/5.0 (Android 9; Mobile; rv:68.0) Gecko/68.0 Firefox/68.0", "Tap the blocked camera and microphone"],
    ["safari", "Mozilla/5.0 (iPhone; CPU iPhone OS 14_0 like Mac OS X) AppleWebKit/605.1.15 Version/14.0 Mobile Safari/604.1", "Choose “Website Settings”"],
  ]) {
    test(`in the words of ${family}`, async () => {
      await stage.scene(async (server) => {
        server.state.person = f.personState();
        const page = await stage.page();
        await page.addInitScript((value) => Object.defineProperty(navigator, "userAgent", { value }), agent);
        await page.goto(server.origin + "/p");
        await page.locator(".actions .primary").click();
        await page.getByText(words).waitFor();
      })();
    });
  }
});

describe("there is no camera", () => {
  let stage;
  before(async () => (stage = await Stage.set({ camera: "none" })));
  after(() => stage.strike());
  test("is said, noted and no blame", async () => {
    await stage.scene(async (server) => {
      const page = await blocked(stage, server);
      await page.getByText("No camera was found").waitFor();
      await page.getByText("It shows that you tried.").waitFor();
      await server.heard("person", "fact", (message) => message.fact === "no_camera");
    })();
  });
});

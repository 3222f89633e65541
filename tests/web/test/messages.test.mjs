// Messages: photos and documents on both pages, threads about incidents, texts kept ready.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { PHONE } from "../browser.mjs";
import * as f from "../fixtures.mjs";
import { faults, screen, Stage } from "../stage.mjs";

let stage;
before(async () => (stage = await Stage.set()));
after(() => stage.strike());
const scene = (work) => () => stage.scene(work)();

const PDF = Buffer.from("%PDF-1.4\n%%EOF\n");
const PNG = Buffer.from("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==", "base64");
const choose = (page, name, mimeType, buffer) => page.locator("input[type=file]").setInputFiles({ name, mimeType, buffer });
const sent = (server, path) => server.posts.filter((post) => post.path === path).map((post) => post.body);

async function thread(server) {
  server.state.person = f.acknowledged({ checkin: null });
  const page = await stage.page({ viewport: PHONE });
  await page.goto(server.origin + "/p");
  await page.locator(".actions .primary").click();
  await page.waitForSelector(".thread-form");
  return page;
}

test("a person sends a document and a photo, which leaves as a small JPEG", scene(async (server) => {
  const page = await thread(server);
  await choose(page, "справка.pdf", "application/pdf", PDF);
  await page.locator(".thread-note").getByText("справка.pdf").waitFor();
  await page.getByRole("textbox").fill("My certificate");
  await page.getByRole("button", { name: "Send" }).click();
  await page.locator(".bubble.mine", { hasText: "справка.pdf" }).getByText("sent").waitFor();
  assert.equal(await page.locator(".thread-note").count(), 0, "the next message has none");
  await choose(page, "scan.png", "image/png", PNG);
  await page.locator(".thread-note").getByText("scan.jpg").waitFor();
  await page.getByRole("button", { name: "Send" }).click();
  await page.locator(".bubble.mine", { hasText: "scan.jpg" }).getByText("sent").waitFor();
  const [document_, photo] = sent(server, "/api/p/messages");
  assert.deepEqual({ ...document_, client_id: "" }, { client_id: "", text: "My certificate", file: { name: "справка.pdf", data: PDF.toString("base64") } });
  assert.equal(photo.text, "");
  assert.equal(Buffer.from(photo.file.data, "base64").subarray(0, 3).toString("hex"), "ffd8ff");
  assert.deepEqual(faults(page), []);
}));

test("what cannot be sent is said before it is sent, and taken out again", scene(async (server) => {
  const page = await thread(server);
  await choose(page, "page.html", "text/html", Buffer.from("<script>"));
  await page.getByText("This file cannot be sent").waitFor();
  await choose(page, "no.jpg", "image/jpeg", Buffer.from("no picture"));
  await page.getByText("This file cannot be sent").waitFor();
  await choose(page, "large.pdf", "application/pdf", Buffer.alloc(4 * 1024 * 1024 + 1, 32));
  await page.getByText("The file is too large: at most 4 MB.").waitFor();
  assert.ok(await page.getByRole("button", { name: "Send" }).isDisabled());
  await choose(page, "good.pdf", "application/pdf", PDF);
  await page.locator(".thread-note").getByText("good.pdf").waitFor();
  assert.equal(await page.getByText("The file is too large").count(), 0);
  await page.getByRole("button", { name: "Take it out" }).click();
  assert.ok(await page.getByRole("button", { name: "Send" }).isDisabled());
  assert.deepEqual(sent(server, "/api/p/messages"), []);
}));

test("a file that did not get through is sent again whole; one that may not go says why", scene(async (server) => {
  const page = await thread(server);
  server.faults.set("/api/p/messages", { status: 503, code: "unavailable", method: "POST" });
  await choose(page, "good.pdf", "application/pdf", PDF);
  await page.getByRole("button", { name: "Send" }).click();
  const again = page.getByRole("button", { name: "Not sent. Tap to try again." });
  await again.waitFor();
  server.faults.clear();
  await again.click();
  await page.locator(".bubble.mine", { hasText: "good.pdf" }).getByText("sent").waitFor();
  assert.equal(sent(server, "/api/p/messages")[0].file.data, PDF.toString("base64"));
  server.faults.set("/api/p/messages", { status: 429, code: "busy", field: "file", method: "POST" });
  await choose(page, "more.pdf", "application/pdf", PDF);
  await page.getByRole("button", { name: "Send" }).click();
  await page.getByText("Not sent: 20 files within 24 hours are the most.").waitFor();
  server.faults.set("/api/p/messages", { status: 400, code: "invalid", field: "file.data", method: "POST" });
  await choose(page, "odd.pdf", "application/pdf", PDF);
  await page.getByRole("button", { name: "Send" }).click();
  await page.getByText("Not sent: the server does not take this file.").waitFor();
}));

test("an inspector sees the picture, saves the document, and picks a text in the person's language", scene(async (server) => {
  server.state.messages = f.withFiles;
  const page = await stage.console(server, "persons/101?tab=messages");
  const picture = page.locator(".bubble-picture");
  await picture.waitFor();
  await page.waitForFunction(() => document.querySelector(".bubble-picture").naturalWidth > 0);
  const link = page.getByRole("link", { name: /анықтама\.pdf/ });
  assert.equal(await link.getAttribute("href"), "/api/messages/4/file");
  assert.equal(await link.getAttribute("download"), "анықтама.pdf");
  await page.getByRole("button", { name: "Ready-made texts" }).click();
  await page.getByRole("button", { name: "Құжатыңыз қабылданды." }).click();
  assert.equal(await page.getByRole("textbox", { name: "Message" }).inputValue(), "Құжатыңыз қабылданды.");
  await page.getByRole("button", { name: "Send" }).click();
  await page.locator(".bubble.mine", { hasText: "Құжатыңыз қабылданды." }).getByText(/· sent/).waitFor();
  assert.equal(sent(server, "/api/persons/101/messages")[0].text, "Құжатыңыз қабылданды.");
  assert.deepEqual(faults(page), []);
}));

test("whoever rings does not stand over the field that is written in, on a phone", scene(async (server) => {
  const page = await stage.console(server, "persons/101?tab=messages", { viewport: PHONE });
  await page.waitForSelector(".thread-form");
  server.tell("console", { t: "ring", checkin: f.rows.waiting });
  await page.locator(".urgent-card.ring").waitFor();
  const card = await page.locator(".urgent").boundingBox();
  const form = await page.locator(".thread-form").boundingBox();
  assert.ok(card.y + card.height <= form.y, `the card ends at ${card.y + card.height}, the field begins at ${form.y}`);
  await page.getByRole("textbox", { name: "Message" }).click(); // nothing lies over it
}));

test("officers write about an incident and see who has read it", scene(async (server) => {
  const page = await stage.console(server, "incidents/71", { roles: ["officer"] });
  await page.locator(".bubble", { hasText: "Телефон өшірулі" }).waitFor();
  const own = page.locator(".bubble.mine", { hasText: "туыстарына" });
  await own.getByText("read by Жанболат Бозінген").waitFor();
  await page.waitForFunction(() => document.querySelectorAll(".bubble").length === 2);
  assert.deepEqual(sent(server, "/api/incidents/71/messages/read"), [{ up_to: 71 }]);
  await page.getByRole("textbox", { name: "Message" }).fill("I am at the door");
  await page.getByRole("button", { name: "Send" }).click();
  await page.locator(".bubble.mine", { hasText: "I am at the door" }).getByText("sent").waitFor();
  assert.equal(sent(server, "/api/incidents/71/messages")[0].text, "I am at the door");
  // A colleague answers: the page hears that the incident changed and shows it.
  server.state.incidentMessages.push({ ...f.incidentMessages[0], id: 90, client_id: "i9", text: "Жақсы" });
  server.tell("console", { t: "incident", id: 71 });
  await page.locator(".bubble", { hasText: "Жақсы" }).last().waitFor();
  assert.deepEqual(faults(page), []);
}));

test("a supervisor keeps texts ready in three languages, from none", scene(async (server) => {
  server.state.templates = [];
  const page = await stage.console(server, "duty/texts", { roles: ["supervisor"] });
  await page.getByText("No texts yet.").waitFor();
  await page.getByRole("button", { name: "Add a text" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Kazakh").fill("Сәлем");
  await dialog.getByLabel("Russian").fill("Здравствуйте");
  assert.ok(await dialog.getByRole("button", { name: "Save" }).isDisabled(), "not without the third");
  await dialog.getByLabel("English").fill("Hello");
  await dialog.getByRole("button", { name: "Save" }).click();
  await page.locator(".plain-row", { hasText: "Hello" }).waitFor();
  await page.getByRole("button", { name: "Edit" }).click();
  await dialog.getByLabel("English").fill("Good day");
  await dialog.getByRole("button", { name: "Save" }).click();
  await page.locator(".plain-row", { hasText: "Good day" }).waitFor();
  await page.getByRole("button", { name: "Remove" }).click();
  await page.getByText("No texts yet.").waitFor();
  assert.deepEqual(sent(server, "/api/templates"), [{ kk: "Сәлем", ru: "Здравствуйте", en: "Hello" }]);
  assert.deepEqual(faults(page), []);
}));

test("a message that was under way when the page was reloaded is there to be sent again, once", scene(async (server) => {
  const page = await stage.console(server, "persons/101?tab=messages");
  const path = "/api/persons/101/messages";
  server.faults.set(path, { method: "POST", drop: true });
  await page.getByRole("textbox", { name: "Message" }).fill("Келесі аптада уақыт өзгереді");
  await page.getByRole("button", { name: "Send" }).click();
  await page.locator(".bubble-again").waitFor();
  const [first] = server.posts.filter((post) => post.path === path);
  assert.equal(first, undefined, "it never arrived");
  server.faults.clear();
  await page.reload();
  await page.getByText("Келесі аптада уақыт өзгереді").waitFor();
  await page.locator(".bubble-again").click();
  await page.locator(".bubble-again").waitFor({ state: "detached" });
  assert.equal(server.posts.filter((post) => post.path === path).length, 1);
  const [body] = sent(server, path);
  server.state.messages = f.messages.concat({ ...server.message("staff", body), id: 900 }); // and the server tells it now
  await page.reload();
  await page.getByText("Келесі аптада уақыт өзгереді").waitFor();
  assert.equal(await page.getByText("Келесі аптада уақыт өзгереді").count(), 1);
  assert.equal(await page.locator(".bubble-again").count(), 0);
}));

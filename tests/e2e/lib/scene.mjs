// What most files begin with: a product with its people, a browser for the person's side and one for the staff's, and the way into a call.
import assert from "node:assert/strict";
import os from "node:os";
import path from "node:path";
import { DESK, PHONE, launch, open } from "./browser.mjs";
import { makeMedia } from "./media.mjs";
import { answer, login, screen } from "./pages.mjs";
import { Product, until } from "./product.mjs";

export const MEDIA = path.join(os.tmpdir(), "checkind-e2e-media");

export class Scene {
  static async set(name, options = {}) {
    makeMedia(MEDIA);
    const scene = new Scene();
    const parts = { product: Product.start({ name, ...options }).then((product) => (scene.product = product).people()), persons: launch(MEDIA, "person"), staff: launch(MEDIA, "staff") };
    const ends = await Promise.allSettled(Object.entries(parts).map(async ([part, made]) => (scene[part] = await made)));
    const failed = ends.find((end) => end.status === "rejected");
    if (!failed) return scene;
    await scene.strike();
    throw failed.reason;
  }

  async strike() {
    await Promise.all([this.persons?.close(), this.staff?.close()]);
    await this.product?.stop();
  }

  // One live call, connected: {person, checkin, phone, desk}.
  async call({ shape = DESK, name, before } = {}) {
    const person = await this.product.person(name);
    const desk = await open(this.staff, shape);
    await login(desk, this.product, "inspector");
    const { checkin, link } = await this.product.ring(person);
    const phone = await open(this.persons, PHONE);
    if (before) await before(phone, desk);
    await answer(phone, link);
    await screen(phone, "waiting");
    await desk.locator(".urgent-card.ring").getByRole("button", { name: "Ответить" }).click();
    await screen(phone, "call");
    return { person, checkin, phone, desk };
  }

  read(checkin, who = this.product.inspector) {
    return who.get(`/api/checkins/${checkin.id}`);
  }

  decided(checkin, milliseconds = 90000) {
    return until(async () => {
      const row = await this.read(checkin);
      return row.outcome && row.state === "done" && row;
    }, "the outcome", milliseconds);
  }

  // Waits until no recording of the check-in is open any more; gives their rows.
  async recordings(checkin, ...states) {
    let rows = [];
    const good = async () => {
      rows = (await this.read(checkin)).recordings;
      return rows.length > 0 && rows.every((one) => states.includes(one.state));
    };
    await until(good, "the recordings' end").catch((error) => { throw new Error(`${error.message}: ${JSON.stringify(rows)}`); });
    return rows;
  }

  // Nothing lost, nothing doubled: the log proves itself, and each check-in has what it must have, once.
  verify() {
    const { product } = this;
    product.control("log", "verify", "--store", path.join(product.state, "checkind.db"));
    const doubled = {
      outcomes: "SELECT object_id FROM log_plain WHERE action = 'CHECKIN_OUTCOME' GROUP BY object_id HAVING count(*) > 1",
      incidents: "SELECT checkin_id FROM incident WHERE kind = 'no_contact' GROUP BY checkin_id HAVING count(*) > 1",
      notices: "SELECT checkin_id, incident_id FROM notice GROUP BY checkin_id, incident_id, step, fire, staff_id, person_id, channel, address HAVING count(*) > 1",
    };
    for (const [what, sql] of Object.entries(doubled)) assert.deepEqual(product.sql(sql), [], `doubled ${what}`);
    assert.deepEqual(product.sql("SELECT id FROM checkin WHERE state = 'done' AND outcome IS NULL"), [], "ended without an outcome");
  }
}

// The inspector ends the call and writes that contact was made.
export async function conclude(desk) {
  await desk.getByRole("button", { name: "Завершить" }).click();
  await desk.getByLabel("Сравнил(а) с эталонным фото: это этот человек").check();
  await desk.getByRole("button", { name: "Сохранить итог" }).click();
}

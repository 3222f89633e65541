// The configured TURN server dies: the daemon's own question finds it out, the log says from when to when, page and figures show it, and
// who does not answer meanwhile is charged with nothing. A real coturn; without browsers.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Product, until } from "../lib/product.mjs";
import { Turn } from "../lib/turn.mjs";

let product, turn;

before(async () => {
  turn = await Turn.start();
  product = await (await Product.start({
    name: "relay-fault", media: turn.media,
    policy: { attempts: 1, response_window: "20 s", grace: "2 s", late_limit: "24 s", answerable_percent: 60 },
  })).people();
});

after(async () => {
  await product?.stop();
  await turn?.stop();
});

const system = () => product.admin.get("/api/system");
const faults = () => product.sql("SELECT action, leaf FROM log_entry JOIN log_plain USING (idx) WHERE action LIKE 'FAULT_%' ORDER BY idx")
  .map((row) => [row.action, JSON.parse(row.leaf).open.fault]).filter(([, fault]) => fault === "relay");
const causes = () => product.sql("SELECT leaf FROM log_entry JOIN log_plain USING (idx) WHERE action = 'CHECKIN_OUTCOME' ORDER BY idx").map((row) => JSON.parse(row.leaf).open.cause);
const figure = () => Number(/^checkind_relay_good (\d)$/m.exec(product.control("metrics"))[1]);

// Rings somebody who never answers.
async function missed(name) {
  const { checkin } = await product.ring(await product.person(name));
  const read = () => product.inspector.get(`/api/checkins/${checkin.id}`);
  return until(() => read().then((row) => row.outcome && row), "an outcome", 60000);
}

test("whoever does not answer while the TURN server is dead is charged with nothing", { timeout: 240000 }, async () => {
  assert.deepEqual((await system()).relay, { configured: true, good: true, full: false });
  await turn.kill();
  await until(async () => !(await system()).relay.good, "the daemon finds it out", 20000);
  await until(() => faults().length === 1, "the log says so", 20000);
  assert.deepEqual(faults(), [["FAULT_BEGUN", "relay"]]);
  assert.equal(figure(), 0);
  const during = await missed("Серик Ахметов");
  assert.equal(during.outcome, "system_fault");
  assert.deepEqual(causes(), ["not_answerable"]);

  await turn.start();
  await until(async () => (await system()).relay.good, "it answers again", 20000);
  await until(() => faults().length === 2, "the log says so, too", 20000);
  assert.deepEqual(faults()[1], ["FAULT_OVER", "relay"]);
  assert.equal(figure(), 1);
  const afterwards = await missed("Данияр Есенов");
  assert.equal(afterwards.outcome, "no_answer");
  assert.deepEqual(causes(), ["not_answerable", "nobody_came"]);
});

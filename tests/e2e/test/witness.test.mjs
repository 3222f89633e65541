// Somebody outside signs as well: the newest checkpoint goes to a witness at a fixed beat, its signature is kept under it and shown;
// a witness that knows another size than we think gets its proof from there; one that is shown another log signs nothing.
import assert from "node:assert/strict";
import crypto from "node:crypto";
import { after, before, test } from "node:test";
import { Product, until } from "../lib/product.mjs";
import { Witness } from "../lib/witness.mjs";

let product, witness;

before(async () => {
  witness = await Witness.start();
  product = await Product.start({ name: "witness", signer: { witnesses: witness.vkey, witness_urls: witness.url, witness_every: "10 s" } });
  await product.people();
  const [{ value }] = await until(() => {
    const rows = product.sql("SELECT value FROM setting WHERE name = 'signer.key'");
    return rows.length > 0 && rows;
  }, "the signer's key is known");
  witness.logKey = Buffer.from(value.split("+").slice(2).join("+"), "base64").subarray(1);
});

after(async () => {
  await product?.stop();
  witness?.stop();
});

const signatures = () => product.sql("SELECT size, note FROM log_checkpoint ORDER BY size").filter((row) => row.note.includes(`— ${witness.name} `));

test("a checkpoint is cosigned, kept, and named under an entry", { timeout: 60000 }, async () => {
  await until(() => signatures().length > 0, "a checkpoint carries the witness's signature");
  assert.equal(witness.asked.find((one) => one.status === 200).old, 0);
  const [{ size }] = signatures();
  const entry = await product.chief.get("/api/log/0");
  assert.deepEqual([entry.checkpoint.size <= size, entry.proof.size], [true, entry.checkpoint.size]);
  const covered = await product.chief.get(`/api/log/${size - 1}`);
  assert.deepEqual([covered.checkpoint.size, covered.checkpoint.witnesses], [size, 1]);
  const { entries } = await product.chief.get("/api/log?action=CHECKPOINT_COSIGNED");
  assert.equal(entries[0].text.witness, witness.name);
});

test("after a restart the witness says what it knows and gets the proof from there", { timeout: 60000 }, async () => {
  await product.kill9();
  const { size } = witness, before = witness.asked.length;
  await product.up();
  await product.person(); // an order: a checkpoint follows within seconds
  const news = () => witness.asked.slice(before);
  await until(() => news().some((one) => one.status === 200), "it has signed again");
  assert.deepEqual([news()[0].old, news()[0].status], [0, 409]);
  const good = news().find((one) => one.status === 200);
  assert.equal(good.old, size);
  assert.ok(good.size > size, `${good.size} > ${size}`);
  await until(() => signatures().some((row) => row.size === good.size), "and that is kept");
});

test("a witness that has seen another log signs nothing more", { timeout: 60000 }, async () => {
  const before = witness.asked.length, kept = signatures().length;
  witness.root = crypto.randomBytes(32);
  await product.person("Второй Человек"); // so that a checkpoint follows
  await until(() => witness.asked.slice(before).some((one) => one.status === 422), "the proof does not lead from there");
  assert.equal(witness.asked.slice(before).some((one) => one.status === 200), false);
  assert.equal(signatures().length, kept);
});

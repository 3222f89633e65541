// One call of the whole product with Firefox on the person's side. Firefox takes no loopback candidate, so everything happens in a network
// namespace with an address of its own (firefox_call.mjs), which this test makes.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const HERE = path.dirname(fileURLToPath(import.meta.url));
const NET = "ip link set lo up && ip link add call0 type veth peer name call1 && ip addr add 10.99.0.1/24 dev call0 && " +
  "ip link set call0 up && ip link set call1 up && ip route add default via 10.99.0.2";

test("a person answers with Firefox", { timeout: 300000 }, (t) => {
  if (!fs.existsSync("/usr/bin/firefox-esr")) return t.skip("no /usr/bin/firefox-esr");
  if (spawnSync("unshare", ["-n", "sh", "-c", NET]).status !== 0) return t.skip("no network namespace can be made here");
  const inside = spawnSync("unshare", ["-n", "sh", "-c", `${NET} && exec "$@"`, "sh", process.execPath, path.join(HERE, "../lib/firefox_call.mjs")], {
    encoding: "utf8", env: { ...process.env, CK_MEDIA_ADDRESS: "10.99.0.1" } });
  assert.equal(inside.status, 0, inside.stdout + inside.stderr);
});

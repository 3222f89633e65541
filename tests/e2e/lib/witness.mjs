// A witness of its own making (C2SP tlog-witness over HTTP): it knows the log's key, keeps the newest head that it saw, follows
// consistency proofs from there (RFC 9162 section 2.1.4.2) and cosigns. It shares no code with what it watches.
import crypto from "node:crypto";
import { once } from "node:events";
import http from "node:http";

const sha256 = (...parts) => crypto.createHash("sha256").update(Buffer.concat(parts)).digest();
const node = (left, right) => sha256(Buffer.from([1]), left, right);
const publicKey = (raw) => crypto.createPublicKey({ key: Buffer.concat([Buffer.from("302a300506032b6570032100", "hex"), raw]), format: "der", type: "spki" });

// Whether the log of `size` and `root` begins with that of `oldSize` and `oldRoot`.
export function isConsistent(oldSize, oldRoot, size, root, proof) {
  if (oldSize === 0) return proof.length === 0;
  if (oldSize === size) return proof.length === 0 && oldRoot.equals(root);
  const path = [...proof];
  if ((oldSize & (oldSize - 1)) === 0) path.unshift(oldRoot);
  if (!path.length) return false;
  let fn = oldSize - 1, sn = size - 1;
  while (fn & 1) [fn, sn] = [fn >> 1, sn >> 1];
  let fr = path[0], sr = path[0];
  for (const step of path.slice(1)) {
    if (sn === 0) return false;
    if ((fn & 1) || fn === sn) {
      [fr, sr] = [node(step, fr), node(step, sr)];
      while (!(fn & 1) && fn !== 0) [fn, sn] = [fn >> 1, sn >> 1];
    } else {
      sr = node(sr, step);
    }
    [fn, sn] = [fn >> 1, sn >> 1];
  }
  return sn === 0 && fr.equals(oldRoot) && sr.equals(root);
}

export class Witness {
  size = 0;
  root = null;
  logKey = null; // raw Ed25519 key of the log, once it is known
  asked = []; // {old, size, status}

  static async start(name = "witness.example.org") {
    const witness = new Witness();
    const pair = crypto.generateKeyPairSync("ed25519");
    const raw = pair.publicKey.export({ format: "der", type: "spki" }).subarray(-32);
    witness.name = name;
    witness.key = pair.privateKey;
    witness.id = sha256(Buffer.from(`${name}\n`), Buffer.from([4]), raw).subarray(0, 4);
    witness.vkey = `${name}+${witness.id.toString("hex")}+${Buffer.concat([Buffer.from([4]), raw]).toString("base64")}`;
    witness.server = http.createServer((request, response) => {
      const parts = [];
      request.on("data", (part) => parts.push(part));
      request.on("end", () => {
        const { status, type = "text/plain", body = "", seen } = witness.#answer(request.url, Buffer.concat(parts).toString());
        witness.asked.push({ ...seen, status });
        response.writeHead(status, { "Content-Type": type });
        response.end(body);
      });
    });
    witness.server.listen(0, "127.0.0.1");
    await once(witness.server, "listening");
    witness.url = `http://127.0.0.1:${witness.server.address().port}/log`;
    return witness;
  }

  stop() { this.server.close(); }

  #answer(url, body) {
    const cut = body.indexOf("\n\n");
    const lines = body.slice(0, cut).split("\n");
    const note = body.slice(cut + 2);
    const old = Number(/^old (\d+)$/.exec(lines[0])?.[1]);
    const [origin, sizeText, rootText] = note.split("\n");
    const size = Number(sizeText), root = Buffer.from(rootText, "base64"), seen = { old, size };
    if (url !== "/log/add-checkpoint" || !this.#signed(origin, note)) return { status: 403, seen };
    if (old !== this.size) return { status: 409, type: "text/x.tlog.size", body: `${this.size}\n`, seen };
    const proof = lines.slice(1).map((line) => Buffer.from(line, "base64"));
    if (!isConsistent(this.size, this.root, size, root, proof)) return { status: 422, seen };
    [this.size, this.root] = [size, root];
    const seconds = Math.floor(Date.now() / 1000), time = Buffer.alloc(8);
    time.writeBigUInt64BE(BigInt(seconds));
    const text = note.slice(0, note.indexOf("\n\n") + 1);
    const signature = crypto.sign(null, Buffer.from(`cosignature/v1\ntime ${seconds}\n${text}`), this.key);
    return { status: 200, body: `— ${this.name} ${Buffer.concat([this.id, time, signature]).toString("base64")}\n`, seen };
  }

  // The first note shows the key to look for; afterwards no other one counts.
  #signed(origin, note) {
    const end = note.indexOf("\n\n") + 1;
    const line = note.slice(end + 1).split("\n").find((one) => one.startsWith(`— ${origin} `));
    if (!line || !this.logKey) return false;
    const bytes = Buffer.from(line.split(" ")[2], "base64");
    return crypto.verify(null, Buffer.from(note.slice(0, end)), publicKey(this.logKey), bytes.subarray(4));
  }
}

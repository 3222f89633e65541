// The whole product on loopback, with real receivers for e-mail, SMS and webhook, from an empty store.
import { spawn, execFileSync } from "node:child_process";
import crypto from "node:crypto";
import { EventEmitter, once } from "node:events";
import fs from "node:fs";
import http from "node:http";
import https from "node:https";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../../..");
export const BUILD = process.env.CK_BUILD ?? path.join(ROOT, "build/release");
export const PASSWORD = "correct horse battery";
export const PHOTO = path.join(ROOT, "tests/demo/photo1.jpg");

export async function freePort() {
  for (;;) {
    const port = 20000 + crypto.randomInt(12000);
    const server = net.createServer();
    const free = await new Promise((go) => {
      server.once("error", () => go(false));
      server.listen(port, "127.0.0.1", () => server.close(() => go(true)));
    });
    if (free) return port;
  }
}

// Things that arrived, and a way to wait for the next that fits.
export class Inbox extends EventEmitter {
  items = [];
  add(item) {
    this.items.push(item);
    this.emit("item");
  }
  async next(fits, milliseconds = 60000, what = "message") {
    const end = Date.now() + milliseconds;
    for (;;) {
      const found = this.items.find((item) => !item.taken && fits(item));
      if (found) {
        found.taken = true;
        return found;
      }
      const left = end - Date.now();
      if (left <= 0) throw new Error(`no ${what} within ${milliseconds} ms; have ${JSON.stringify(this.items.map((i) => i.text ?? i))}`);
      await Promise.race([once(this, "item"), new Promise((go) => setTimeout(go, left))]);
    }
  }
}

// One signed-in client of the HTTP API (for setting the scene; what a test is about is done in pages).
export class Api {
  constructor(base) {
    this.base = base;
    this.cookies = new Map();
    this.csrf = "";
  }
  request(method, route, body, type = "application/json") {
    const data = body === undefined ? undefined : Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body));
    return new Promise((resolve, reject) => {
      const request = https.request(this.base + route, {
        method, rejectUnauthorized: false,
        headers: {
          Origin: this.base, ...(this.cookies.size && { Cookie: [...this.cookies].map((pair) => pair.join("=")).join("; ") }), ...(this.csrf && { "X-CSRF-Token": this.csrf }),
          ...(data && { "Content-Type": type, "Content-Length": data.length }),
        },
      }, (response) => {
        const parts = [];
        response.on("data", (part) => parts.push(part));
        response.on("end", () => {
          for (const cookie of response.headers["set-cookie"] ?? []) {
            const [, name, text] = cookie.match(/^([^=]+)=([^;]*)/);
            this.cookies.set(name, text);
          }
          const raw = Buffer.concat(parts);
          let value = raw;
          if (/json/.test(response.headers["content-type"] ?? "")) value = JSON.parse(raw.toString() || "{}");
          if (value && value.csrf) this.csrf = value.csrf;
          resolve({ status: response.statusCode, value, headers: response.headers });
        });
      });
      request.on("error", reject);
      if (data) request.write(data);
      request.end();
    });
  }
  async ok(method, route, body, type) {
    const { status, value } = await this.request(method, route, body, type);
    if (status !== 200) throw new Error(`${method} ${route}: ${status} ${JSON.stringify(value)}`);
    return value;
  }
  get(route) { return this.ok("GET", route); }
  post(route, body = {}) { return this.ok("POST", route, body); }
  async login(login, password = PASSWORD) {
    await this.post("/api/login", { login, password });
    return this;
  }
}

export class Product {
  sms = new Inbox();
  mail = new Inbox();
  hook = new Inbox();
  held = null; // requests at the gateways that get no answer
  smsFault = null; // status to answer SMS requests with

  // policy: lines for [policy] in the configuration, so that a test need not wait for minutes.
  // media: further lines for [media].
  // state: the folder of store and recordings, where it is not to be a new one.
  // signer: with checkin-signer beside it; further lines for [signer], if any.
  static async start({ policy = {}, media = {}, name = "test", state = null, signer = false } = {}) {
    const product = new Product();
    product.dir = fs.mkdtempSync(path.join(os.tmpdir(), `checkind-${name}-`));
    product.state = state ?? product.dir;
    fs.mkdirSync(path.join(product.state, "recordings"), { mode: 0o700 });
    product.port = await freePort();
    product.base = `https://localhost:${product.port}`;
    product.secret = crypto.randomBytes(32).toString("hex");
    await product.#gateway();
    await product.#mailSink();
    if (signer) await product.#signer();
    await product.#configure(policy, media, signer === true ? {} : signer || {});
    await product.up().catch((error) => {
      product.#closeOutside();
      throw error;
    });
    return product;
  }

  async #gateway() {
    this.gateway = http.createServer((request, response) => {
      const parts = [];
      request.on("data", (part) => parts.push(part));
      request.on("end", () => {
        const raw = Buffer.concat(parts);
        const item = { at: Date.now(), headers: request.headers, raw, body: JSON.parse(raw.toString()) };
        item.text = item.body.text ?? item.body;
        const answer = () => {
          const fault = request.url === "/sms" ? this.smsFault : null;
          if (!fault) (request.url === "/sms" ? this.sms : this.hook).add(item);
          response.writeHead(fault ?? 200, { "Content-Type": "application/json" });
          response.end(JSON.stringify({ status: "accepted", id: crypto.randomUUID() }));
        };
        if (this.held) {
          this.held.push({ closed: new Promise((go) => response.on("close", go)) });
          this.gateway.emit("held", request.url);
        } else answer();
      });
    });
    this.gateway.listen(0, "127.0.0.1");
    await once(this.gateway, "listening");
  }

  async #mailSink() {
    this.smtpPort = await freePort();
    this.smtp = spawn("/usr/bin/python3", [path.join(ROOT, "tests/e2e/lib/mail_sink.py"), String(this.smtpPort)], { stdio: ["pipe", "pipe", "inherit"] });
    let text = "";
    const ready = new Promise((go) => {
      this.smtp.stdout.on("data", (part) => {
        text += part;
        for (let at; (at = text.indexOf("\n")) >= 0; text = text.slice(at + 1)) {
          const value = JSON.parse(text.slice(0, at));
          value.ready ? go() : this.mail.add(value);
        }
      });
    });
    await ready;
  }

  async #signer() {
    this.signerSocket = path.join(this.dir, "signer.sock");
    const state = path.join(this.dir, "signer");
    fs.mkdirSync(state, { mode: 0o700 });
    this.signer = spawn(path.join(BUILD, "bin/checkin-signer"), [`--state=${state}`, "--name=checkind.example.kz/log", `--socket=${this.signerSocket}`], { stdio: ["ignore", "inherit", "inherit"] });
    await until(async () => fs.existsSync(this.signerSocket), "the signer listens");
  }

  async #configure(policy, media, signer) {
    const file = (name, text) => {
      fs.writeFileSync(path.join(this.dir, name), text, { mode: 0o600 });
      return path.join(this.dir, name);
    };
    const gateway = `http://127.0.0.1:${this.gateway.address().port}`;
    this.config = file("checkind.conf", `
[daemon]
state_dir = ${this.state}
public_url = ${this.base}
unit_zone = Asia/Almaty
master_key_file = ${file("master.key", crypto.randomBytes(32).toString("hex"))}
control_socket = ${this.dir}/control.sock
clock_sync = assumed
log_level = ${process.env.CK_LOG ?? "warning"}
[http]
listen = 127.0.0.1:${this.port}
hostnames = localhost, 127.0.0.1
self_signed = yes
pages_dir = ${BUILD}/pages
[media]
workers = 1
program = ${BUILD}/bin/checkin-media
render_program = ${BUILD}/bin/checkin-render
udp_port_base = ${await freePort()}
advertise = ${process.env.CK_MEDIA_ADDRESS ?? "127.0.0.1"}
recording_dir = ${this.state}/recordings
${Object.entries(media).map(([key, value]) => `${key} = ${value}`).join("\n")}
${this.signerSocket ? `[signer]\nsocket = ${this.signerSocket}\n${Object.entries(signer).map(([key, value]) => `${key} = ${value}\n`).join("")}` : ""}[access]
second_factor = optional
[smtp]
url = smtp://127.0.0.1:${this.smtpPort}
from = checkind@example.kz
starttls_required = no
[sms]
url = ${gateway}/sms
accept = 200
[webhook duty]
url = ${gateway}/webhook
secret_file = ${file("webhook.secret", this.secret)}
[policy]
${Object.entries(policy).map(([key, value]) => `${key} = ${value}`).join("\n")}
`);
  }

  #closeOutside() {
    this.signer?.kill();
    this.gateway.close();
    this.gateway.closeAllConnections();
    this.smtp.stdin.end();
  }

  // Starts checkind and waits until it says that it is ready.
  async up() {
    const notifyPath = path.join(this.dir, "notify.sock");
    fs.rmSync(notifyPath, { force: true });
    const notify = spawn("/usr/bin/python3", ["-c", `
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
print("bound", flush=True)
while b"READY=1" not in s.recv(4096): pass
print("ready", flush=True)`, notifyPath], { stdio: ["ignore", "pipe", "inherit"] });
    let said = "";
    const heard = new EventEmitter();
    notify.stdout.on("data", (part) => heard.emit("more", (said += part)));
    const says = async (word) => { while (!said.includes(word)) await once(heard, "more"); };
    await says("bound");
    const log = fs.openSync(path.join(this.dir, "checkind.log"), "a");
    this.child = spawn(path.join(BUILD, "bin/checkind"), [`--config=${this.config}`], {
      env: { ...process.env, NOTIFY_SOCKET: notifyPath }, stdio: ["ignore", log, log] });
    fs.closeSync(log);
    this.exited = once(this.child, "exit");
    const first = await Promise.race([says("ready").then(() => "ready"), this.exited.then(([code, signal]) => `exit ${code} ${signal}`)]);
    notify.kill();
    if (first !== "ready") throw new Error(`checkind did not start: ${first}\n${this.log()}`);
  }

  log() { return fs.readFileSync(path.join(this.dir, "checkind.log"), "utf8").slice(-4000); }

  control(...words) {
    return execFileSync(path.join(BUILD, "bin/checkinctl"), [`--socket=${this.dir}/control.sock`, ...words], { encoding: "utf8" }).trim();
  }

  // Rows of the store, looked at beside the daemon.
  sql(query) {
    const text = execFileSync("sqlite3", ["-json", "-readonly", path.join(this.state, "checkind.db"), ".timeout 5000", query], { encoding: "utf8" });
    return JSON.parse(text || "[]");
  }

  // What is sent from now on stays without an answer, as if the other end were stuck, until release() after kill9().
  hold() {
    this.held = [];
    this.smtp.stdin.write("hold\n");
  }
  // Whoever asked is gone, and nothing of it was taken: not even what had only just been sent, which has come
  // in when a question of our own, asked after it, has.
  async release() {
    const last = http.request({ port: this.gateway.address().port, method: "POST", path: "/last" }).on("error", () => {});
    const came = new Promise((go) => this.gateway.on("held", (url) => url === "/last" && go()));
    last.end("{}");
    await came;
    last.destroy();
    const held = this.held;
    this.held = null;
    await Promise.all(held.map((one) => one.closed));
    this.smtp.stdin.write("go\n");
  }

  // Process ids of the daemon's children with this program name.
  children(program) {
    const list = execFileSync("ps", ["-o", "pid=,comm=", "--ppid", String(this.child.pid)], { encoding: "utf8" });
    return list.split("\n").map((line) => line.trim().split(/\s+/)).filter(([, name]) => name === program).map(([pid]) => Number(pid));
  }

  async kill9() {
    this.child.kill("SIGKILL");
    await this.exited;
  }

  async stop() {
    if (this.child && this.child.exitCode === null && this.child.signalCode === null) {
      this.child.kill("SIGTERM");
      const gone = await Promise.race([this.exited.then(() => true), new Promise((go) => setTimeout(go, 15000, false))]);
      if (!gone) this.child.kill("SIGKILL");
      const [code, signal] = await this.exited;
      if (!gone || code !== 0) throw new Error(`checkind ended with ${code} ${signal}${gone ? "" : " after 15 s"}\n${this.log()}`);
    }
    this.#closeOutside();
    if (!process.env.CK_KEEP) fs.rmSync(this.dir, { recursive: true, force: true });
  }

  // ---- a caseload, made over the API ----

  async people() {
    this.admin = new Api(this.base);
    const me = await this.admin.post("/api/setup", {
      token: JSON.parse(this.control("--json", "setup-token")).token, login: "admin", name: "Administrator", password: PASSWORD, language: "ru",
      unit: { name: "УМПС Алматы", zone: "Asia/Almaty" } });
    this.unit = me.unit.id;
    const [inspector, officer, chief] = await Promise.all([
      this.staff({ login: "inspector", name: "Айгерім Сейтқали", roles: ["inspector"] }),
      this.staff({ login: "officer", name: "Марат Дүйсенов", roles: ["officer"], on_duty: true }),
      this.staff({ login: "chief", name: "Ольга Ким", roles: ["supervisor"] }),
    ]);
    this.inspectorId = inspector.id;
    this.inspector = inspector.own;
    this.officer = officer.own;
    this.chief = chief.own;
    return this;
  }

  // Whoever is added changes the given password at the first log-in; `own` is signed in.
  async staff({ login, name, roles, on_duty = false }) {
    const given = "before the first log-in";
    const made = await this.admin.post("/api/staff", {
      login, name, password: given, roles, unit_id: this.unit, language: "ru", email: `${login}@example.kz`, phone: null, on_duty });
    const own = await new Api(this.base).login(login, given);
    await own.post("/api/me/password", { old: given, new: PASSWORD });
    return { ...made, own };
  }

  async person(name = "Ержан Абдрахманов", band = "medium", { who = this.inspector, inspector = this.inspectorId } = {}) {
    const made = await who.post("/api/persons", {
      name, birth_date: "1987-04-12", phone: `+7701${String(crypto.randomInt(1e7)).padStart(7, "0")}`, email: "person@example.kz", language: "ru",
      address: null, note: null, inspector_id: inspector, unit_id: this.unit, band });
    await who.ok("POST", `/api/persons/${made.id}/photo`, fs.readFileSync(PHOTO), "image/jpeg");
    const today = localDate();
    const order = await who.post(`/api/persons/${made.id}/orders`, {
      kind: "special_requirements", article: "61", number: "2026-1", issuer: "Суд", from: today, until: localDate(90),
      conditions: "…", per_day_max: 24, hours_start: "00:00", hours_end: "00:00",
      requirements: [{ source: "agency", count: 24, days: 1, modes: ["live", "unattended"], mandatory: true }] });
    return { ...made, order_id: order.id };
  }

  // An on-demand check-in now; gives its row and the link from the SMS.
  async ring(person, kind = "live") {
    const checkin = await this.inspector.post(`/api/persons/${person.id}/checkins`, { reason: "test", kind });
    return { checkin, link: await this.link(person) };
  }

  async link(person) {
    const sms = await this.sms.next((item) => item.body.to === person.phone && /\/c\//.test(item.body.text), 60000, "SMS with a link");
    return sms.body.text.match(/https:\/\/\S+/)[0];
  }

  checkWebhook(item) {
    const [, t, v1] = item.headers["checkind-signature"].match(/t=(\d+),v1=([0-9a-f]+)/);
    const mac = crypto.createHmac("sha256", this.secret).update(`${t}.`).update(item.raw).digest("hex");
    return mac === v1;
  }
}

// Today in the unit's zone, or some days later.
export function localDate(days = 0) {
  return new Date(Date.now() + days * 86400e3).toLocaleDateString("sv-SE", { timeZone: "Asia/Almaty" });
}

// Waits until `look` gives something true.
export async function until(look, what, milliseconds = 60000) {
  const end = Date.now() + milliseconds;
  for (;;) {
    const value = await look();
    if (value) return value;
    if (Date.now() > end) throw new Error(`not within ${milliseconds} ms: ${what}`);
    await new Promise((go) => setTimeout(go, 100));
  }
}

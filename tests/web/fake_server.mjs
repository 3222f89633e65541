// A stand-in for the daemon, for tests of the pages alone: serves the built pages under the real security headers,
// answers the API from fixtures and lets a test speak on the sockets.
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { WebSocketServer } from "ws";
import * as fixtures from "./fixtures.mjs";

const TYPES = { ".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml", ".webm": "video/webm" };

const portrait = (hue) => `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 400 400"><rect width="400" height="400" fill="hsl(${hue} 22% 74%)"/><path d="M60 400c10-90 70-120 140-120s130 30 140 120z" fill="hsl(${hue} 28% 34%)"/><ellipse cx="200" cy="175" rx="78" ry="98" fill="hsl(24 42% 68%)"/><path d="M118 150c0-70 40-98 82-98s82 28 82 98c-20-34-50-46-82-46s-62 12-82 46z" fill="hsl(${hue} 20% 18%)"/></svg>`;

export class FakeServer {
  constructor(pages, options = {}) {
    this.pages = pages;
    this.clip = options.clip || null; // a WebM for playback
    this.state = { setup: false, loggedIn: false, me: fixtures.me(), person: null, link: "good", today: fixtures.today(), incident: fixtures.incident(), incidents: [fixtures.incidentRow({})], reviews: [fixtures.rows.review2, fixtures.rows.review], persons: fixtures.persons, approvals: fixtures.approvals, sessions: fixtures.sessions, code: null, requests: fixtures.requests, templates: fixtures.templates.slice(), incidentMessages: fixtures.incidentMessages.slice(), messages: null, opened: [] };
    this.posts = []; // what the pages changed
    this.said = []; // what the pages sent on sockets
    this.faults = new Map(); // path prefix -> {status, code, field, retry} | {hang} | {drop} | {held: promise}, with {once}
    this.delay = 0;
    this.sockets = { person: new Set(), console: new Set() };
    this.onSocket = null; // (kind, message, socket) => void
    this.iceServers = [];
    this.helloConsole = true;
    this.waiters = [];
  }

  async start() {
    this.http = createServer((request, response) => void this.handle(request, response));
    this.wss = new WebSocketServer({ noServer: true });
    this.http.on("upgrade", (request, socket, head) => {
      const kind = request.url === "/ws/person" ? "person" : request.url === "/ws/console" ? "console" : null;
      if (!kind || this.refuseSockets) return socket.destroy();
      this.wss.handleUpgrade(request, socket, head, (ws) => this.connected(kind, ws));
    });
    await new Promise((resolve) => this.http.listen(0, "127.0.0.1", resolve));
    this.port = this.http.address().port;
    this.origin = `http://127.0.0.1:${this.port}`;
    return this;
  }

  async stop() {
    for (const kind of ["person", "console"]) for (const ws of this.sockets[kind]) ws.terminate();
    this.http.closeAllConnections();
    await new Promise((resolve) => this.http.close(resolve));
  }

  connected(kind, ws) {
    this.sockets[kind].add(ws);
    ws.on("close", () => this.sockets[kind].delete(ws));
    ws.on("message", (data) => {
      const message = JSON.parse(String(data));
      const entry = { kind, message };
      this.said.push(entry);
      if (this.onSocket) this.onSocket(kind, message, ws);
      const waiter = this.waiters.find((other) => other.test(entry));
      if (!waiter) return;
      entry.claimed = true;
      this.waiters.splice(this.waiters.indexOf(waiter), 1);
      waiter.resolve(message);
    });
    if (kind === "person" && this.state.person) this.send(ws, { t: "hello", state: this.state.person, ice_servers: this.iceServers });
    if (kind === "console") {
      this.send(ws, { t: "hello", me: this.state.me, ice_servers: this.iceServers });
      for (const row of this.rings || []) this.send(ws, { t: "ring", checkin: row });
    }
  }

  send(ws, message) {
    ws.send(JSON.stringify(message));
  }

  tell(kind, message) {
    for (const ws of this.sockets[kind]) this.send(ws, message);
  }

  // Resolves with the next (or an earlier, unclaimed) message that fits.
  heard(kind, t, fits = () => true) {
    const test = (entry) => entry.kind === kind && entry.message.t === t && fits(entry.message);
    const known = this.said.find((entry) => !entry.claimed && test(entry));
    if (known) {
      known.claimed = true;
      return Promise.resolve(known.message);
    }
    return new Promise((resolve) => this.waiters.push({ test, resolve }));
  }

  headers(type) {
    return {
      "Content-Type": type, "Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff",
      "Content-Security-Policy": `default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; media-src 'self' blob:; connect-src 'self' ws://127.0.0.1:${this.port}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
      "Permissions-Policy": "camera=(self), microphone=(self), screen-wake-lock=(self), display-capture=()",
    };
  }

  async handle(request, response) {
    const [path, search = ""] = request.url.split("?");
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    if (this.delay) await new Promise((resolve) => setTimeout(resolve, this.delay));
    for (const [prefix, fault] of this.faults) {
      if (!path.startsWith(prefix) || (fault.method && fault.method !== request.method)) continue;
      if (fault.once) this.faults.delete(prefix);
      if (fault.hang) return;
      if (fault.drop) return request.socket.destroy();
      if (fault.held) return void this.answerLate(fault.held, request, response, path, search, body);
      response.writeHead(fault.status, { ...this.headers("application/json"), ...(fault.retry ? { "Retry-After": String(fault.retry) } : {}) });
      response.end(JSON.stringify({ error: { code: fault.code, field: fault.field || null, message: "as the test wants" } }));
      return;
    }
    if (path.startsWith("/api/")) return this.api(request, response, path, new URLSearchParams(search), body);
    this.page(response, path);
  }

  // What is so now, told only when `held` is done.
  async answerLate(held, request, response, path, search, body) {
    const calls = [];
    this.api(request, { writeHead: (...args) => calls.push(["writeHead", args]), end: (...args) => calls.push(["end", args]) }, path, new URLSearchParams(search), body);
    await held;
    for (const [name, args] of calls) response[name](...args);
  }

  page(response, path) {
    const name = path.startsWith("/c/") || path === "/p" ? "person.html" : path === "/" ? "console.html" : normalize(path).replace(/^\/+/, "");
    const file = join(this.pages, name);
    if (!file.startsWith(this.pages) || !existsSync(file)) {
      response.writeHead(404, this.headers("text/plain"));
      return response.end();
    }
    response.writeHead(200, this.headers(TYPES[extname(file)] || "application/octet-stream"));
    response.end(readFileSync(file));
  }

  // Copies for others: proposed, approved by somebody else, made and fetched.
  bundles(path, search, sent, post, json, response) {
    const bundles = this.state.bundles;
    if (path === "/api/approvals" && post) {
      bundles.push({ id: 40 + bundles.length, kind: sent.kind, body: sent.request, proposer: this.state.me.name, created: fixtures.at(0), decided_by: null, decided: null, state: "open" });
      return json(bundles[bundles.length - 1]);
    }
    if (path === "/api/approvals") return json({ approvals: bundles.filter((row) => (row.state === "open") === (search.get("state") === "open")), next: null });
    const begun = { part: "film", begun: fixtures.at(0) };
    if (post && !this.state.bundlesReady) return json(begun, 202);
    if (post) return json({ url: path + "?view=T", bytes: 7, sha256: "ab".repeat(32), proven: true, entries: 23, unsigned: 1, recordings: 1, left_out: 0 });
    response.writeHead(200, { ...this.headers("application/zip"), "Content-Disposition": 'attachment; filename="bundle-40.zip"' });
    return response.end("archive");
  }

  api(request, response, path, search, body) {
    const json = (value, status = 200) => {
      response.writeHead(status, this.headers("application/json"));
      response.end(JSON.stringify(value));
    };
    const fail = (status, code) => json({ error: { code, field: null, message: "" } }, status);
    const post = request.method === "POST";
    let sent = null;
    if (post) {
      sent = request.headers["content-type"] === "application/json" ? JSON.parse(String(body) || "null") : body;
      this.posts.push({ path, body: sent, token: request.headers["x-csrf-token"] });
    }
    const state = this.state;
    const match = (pattern) => new RegExp("^" + pattern + "$").exec(path);
    let m;
    if (state.bundles && path.startsWith("/api/approvals")) return this.bundles(path, search, sent, post, json, response);
    if (path === "/api/setup") return post ? ((state.setup = false), (state.loggedIn = true), json({ ...state.me, roles: ["administrator"] })) : json({ needed: state.setup });
    if (path === "/api/login") {
      if (sent.password === "wrong") return fail(401, "unauthenticated");
      if (state.code && sent.code !== state.code) return json({ error: { code: "unauthenticated", field: "code", message: "" } }, 401);
      return (state.loggedIn = true), json(state.me);
    }
    // Once, and again for the page that used it.
    if (path === "/api/link" && state.linkKey && state.linkKey !== sent.key) return fail(409, "conflict");
    if (path === "/api/link" && state.link === "good") state.linkKey = sent.key;
    if (path === "/api/link") return state.link === "good" ? ((state.person = state.person || fixtures.personState()), json(state.person)) : json({ error: { code: "not_found", field: "token", message: "", ...(state.helpPhone ? { help_phone: state.helpPhone } : {}) } }, 404);
    if (path === "/api/push/key") return json({ key: state.pushKey || null });
    if (path.startsWith("/api/p/")) return this.personApi(path, post, sent, json, fail, response);
    if (!state.loggedIn) return fail(401, "unauthenticated");
    if (path === "/api/me") return json(state.me);
    if (path === "/api/me/language") return (state.me = { ...state.me, language: sent.language }), json({});
    if (path === "/api/me/password") return (state.me = { ...state.me, must_change_password: false }), json({});
    if (path === "/api/me/second-factor") return json(fixtures.secondFactor);
    if (path === "/api/me/second-factor/confirm") return sent.code === "424242" ? json((state.me = { ...state.me, second_factor: true })) : json({ error: { code: "invalid", field: "code", message: "" } }, 400);
    if (path === "/api/me/sessions" || match("/api/staff/\\d+/sessions")) return json({ sessions: state.sessions });
    if ((m = match("/api/sessions/(\\d+)/end"))) return (state.sessions = state.sessions.filter((row) => row.id !== Number(m[1]))), json({});
    if (path === "/api/logout") return (state.loggedIn = false), json({});
    if ((m = match("/api/units/(\\d+)/zone/preview"))) return json(fixtures.zonePreview(sent.zone));
    if ((m = match("/api/units/(\\d+)/zone"))) return json({ ...fixtures.unit, zone: sent.zone });
    if (path === "/api/overload") return json(state.overload || fixtures.overload());
    if (path === "/api/cadence") return json(fixtures.cadence());
    if (match("/api/persons/\\d+/risk/(score|judgement)")) return json({ id: 101 });
    if (match("/api/persons/\\d+/risk/preview")) return json(fixtures.proposal());
    if (match("/api/persons/\\d+/risk/proposal")) return json(fixtures.approvals[0]);
    if (match("/api/persons/\\d+/risk")) return json(state.risk || fixtures.risk());
    if (path === "/api/units") return post ? json({ id: 2, ...sent }) : json({ units: [fixtures.unit] });
    if (path === "/api/roster") return json(fixtures.roster());
    if (path === "/api/ladders") return json(fixtures.ladders());
    if (path === "/api/ladders/check") return json(state.findings || fixtures.findings());
    if (state.proposals && path === "/api/approvals" && !post) return json(state.proposals);
    if (state.proposals && match("/api/approvals/\\d+/(decide|withdraw)")) return (state.proposals = { approvals: [], next: null }), json({});
    if (path === "/api/contact-paths") return json(fixtures.paths());
    if (path === "/api/retention") {
      const all = state.retention || fixtures.retention(), behind = all.items.findIndex((item) => item.id === Number(search.get("after"))) + 1;
      const items = all.items.slice(behind, behind + (state.retentionPage || 200));
      return json({ ...all, items, cut: behind + items.length < all.items.length });
    }
    if (path === "/api/holds" || match("/api/holds/\\d+/review")) return json({ holds: [] });
    if (/^\/api\/(shifts|absences|contact-paths\/test)/.test(path) || match("/api/staff/\\d+/stand-ins")) return json({});
    if (path === "/api/push" || path === "/api/push/stop") return json({});
    if (path === "/api/staff") return post ? json({ id: 20, ...sent, disabled: false }) : json({ staff: fixtures.staff });
    if ((m = match("/api/staff/\\d+(/password)?"))) return json(fixtures.staff[0]);
    if (path === "/api/today") return json(state.today);
    if (path === "/api/reviews") return json({ reviews: state.reviews });
    if (path === "/api/requests") return json({ requests: state.requests });
    if ((m = match("/api/requests/(\\d+)/answer"))) {
      state.requests = state.requests.map((row) => row.id === Number(m[1]) ? { ...row, accepted: sent.accept, answer: sent.answer, answered: fixtures.at(0), answered_by: state.me.name } : row);
      return json({ requests: state.requests });
    }
    if (path === "/api/persons") {
      const q = (search.get("q") || "").toLowerCase();
      return post ? json({ ...fixtures.person(101), ...sent, id: 101 }) : json({ persons: state.persons.filter((person) => person.name.toLowerCase().includes(q) || person.reference.toLowerCase().includes(q)) });
    }
    if ((m = match("/api/persons/(\\d+)"))) return json({ ...fixtures.person(Number(m[1])), ...(state.plans ? { plans: state.plans } : {}) });
    if ((m = match("/api/persons/(\\d+)/photo"))) {
      if (post) return json({});
      if (m[1] === "107") return fail(404, "not_found");
      response.writeHead(200, this.headers("image/svg+xml"));
      return response.end(portrait(Number(m[1]) * 37));
    }
    if (match("/api/persons/\\d+/orders")) return json({ ...fixtures.orders[0], ...sent, id: 599 });
    if (match("/api/persons/\\d+/plans/preview")) {
      return json({ windows: Array.from({ length: 10 }, (_, i) => ({ date: fixtures.day(2 + i * 3), start: fixtures.at(1440 * (2 + i * 3) - 64), end: fixtures.at(1440 * (2 + i * 3) + 176), draws: sent.windows[0].draws, extended: false })), warnings: sent.windows[0].draws > 3 ? ["gap_predictable"] : [],
        refused: sent.windows.length > 1 ? { reason: "too_many", text: "more", on: fixtures.day(2) } : null, differences: sent.replaces ? [{ date: fixtures.day(2), what: "removed", before: 1, after: 0 }, { date: fixtures.day(3), what: "added", before: 0, after: 1 }] : null });
    }
    if (match("/api/persons/\\d+/plans")) return json({ ...fixtures.plans[0], ...sent, id: 699 });
    if (match("/api/plans/\\d+/end")) return json({ ...fixtures.plans[0], ended: fixtures.at(0), state: "ended" });
    if (match("/api/orders/\\d+/end")) return json({ ...fixtures.orders[0], ended: sent.date });
    if (match("/api/plans/\\d+/ahead")) return json(fixtures.ahead);
    if (match("/api/plans/\\d+/instants")) return json({ instants: [{ checkin: 9001, date: fixtures.day(2), due: fixtures.at(2880) }] });
    if (match("/api/persons/\\d+/blackouts") || match("/api/blackouts/\\d+/end")) return json({ blackouts: fixtures.blackouts });
    if (path === "/api/approvals") return post ? json({ ...fixtures.approvals[0], ...sent, id: 39 }) : json({ approvals: state.approvals, next: null });
    if ((m = match("/api/approvals/(\\d+)/(decide|withdraw)"))) {
      state.approvals = state.approvals.filter((one) => one.id !== Number(m[1]));
      return json({ ...fixtures.approvals[0], id: Number(m[1]), state: "approved" });
    }
    if (match("/api/(orders|plans)/\\d+/end")) return json(fixtures.orders[0]);
    if ((m = match("/api/persons/(\\d+)/checkins"))) return post ? json(fixtures.rows.ahead) : json({ checkins: [fixtures.rows.waiting, fixtures.rows.done, fixtures.rows.done2, fixtures.rows.missed, fixtures.rows.done3], next: null });
    if (match("/api/persons/\\d+/enrol")) return json({ url: `${this.origin}/c/EXAMPLETOKENEXAMPLETOKEN`, qr_svg: '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 21 21"><path d="M0 0h7v7H0zM14 0h7v7h-7zM0 14h7v7H0zM9 2h2v2H9zM12 9h3v3h-3zM9 9h2v5H9zM16 13h4v2h-4zM10 16h6v3h-6z"/></svg>', expires: fixtures.at(30) });
    if (match("/api/persons/\\d+/messages")) return post ? json(this.message("staff", sent)) : json({ messages: state.messages || fixtures.messages, next: null, language: "kk" });
    if (match("/api/(incident-)?messages/\\d+/file")) return this.file(response);
    if (match("/api/incidents/\\d+/messages/read")) return json({ changed: 1 });
    if (match("/api/incidents/\\d+/messages")) {
      if (post) state.incidentMessages.push({ ...this.message("staff", sent), author: state.me.name, author_id: state.me.id });
      return json(post ? state.incidentMessages[state.incidentMessages.length - 1] : { messages: state.incidentMessages, next: null, readers: [{ id: 12, name: "Жанболат Бозінген", up_to: 72, at: fixtures.at(-6) }] });
    }
    if (path === "/api/opened-cases" && !post) return json({ opened: state.opened });
    if (path === "/api/opened-cases") {
      if (sent.reference !== "P-4821") return json({ error: { code: "not_found", field: "reference", message: "" } }, 404);
      state.opened.push({ id: 5, person_id: 101, person_name: "Дәуренбек Жалғызтау", reference: "P-4821", opened: fixtures.at(0), until: fixtures.at(60) });
      return json({ id: 5, person: 101, until: fixtures.at(60) });
    }
    if (match("/api/opened-cases/\\d+/close")) return (state.opened = []), json({});
    if (path === "/api/templates" && !post) return json({ templates: state.templates });
    if (path === "/api/templates") return state.templates.push({ id: 9, ...sent, changed: fixtures.at(0), by: state.me.name }), json({ id: 9 });
    if ((m = match("/api/templates/(\\d+)(/remove)?"))) {
      const change = (row) => (row.id !== Number(m[1]) ? row : { ...row, ...sent });
      state.templates = m[2] ? state.templates.filter((row) => row.id !== Number(m[1])) : state.templates.map(change);
      return json({});
    }
    if (match("/api/persons/\\d+/messages/read")) return json({});
    if ((m = match("/api/checkins/(\\d+)"))) return json(state.checkin || fixtures.checkin(Number(m[1])));
    if ((m = match("/api/checkins/(\\d+)/thumbnail"))) {
      response.writeHead(200, this.headers("image/svg+xml"));
      return response.end(portrait(104 * 37));
    }
    if ((m = match("/api/checkins/(\\d+)/review"))) {
      state.reviews = state.reviews.filter((row) => row.id !== Number(m[1]));
      state.checkin = { ...fixtures.checkin(Number(m[1])), state: "done", outcome: { accept: "completed", doubt: "identity_doubt", unusable: "could_not_connect" }[sent.decision], review: { ...sent, by: state.me.name, at: fixtures.at(0) } };
      return json(state.checkin);
    }
    if ((m = match("/api/checkins/(\\d+)/(outcome|conclusion|concern)"))) return json(fixtures.checkin(Number(m[1])));
    if (match("/api/recordings/\\d+/view")) return json({ url: "/api/recordings/3001/media?view=T", expires: fixtures.at(60) });
    if (match("/api/recordings/\\d+/media")) return this.media(request, response);
    if (path === "/api/incidents") return json({ incidents: search.get("state") === "closed" ? [fixtures.incidentRow({ id: 70, state: "closed", next: null, holder: "Жанболат Бозінген" })] : state.incidents, next: null });
    if ((m = match("/api/incidents/\\d+"))) return json(state.incident);
    if ((m = match("/api/incidents/\\d+/(\\w+)"))) return json(this.actOnIncident(m[1], sent));
    if (path === "/api/log") return json({ ...this.log(), next: null, verified: fixtures.at(-1) });
    if ((m = match("/api/log/(\\d+)"))) return json(this.logEntry(Number(m[1])));
    if (path === "/api/figures") return json(fixtures.figures());
    if (path === "/api/system") return json(state.system || fixtures.system());
    return fail(404, "not_found");
  }

  // A picture, for every file of a message.
  file(response) {
    response.writeHead(200, { ...this.headers("image/svg+xml"), "Content-Disposition": "attachment" });
    return response.end(portrait(37));
  }

  message(from, sent) {
    const bytes = sent.file ? Buffer.from(sent.file.data, "base64") : null;
    return { id: 100 + this.posts.length, client_id: sent.client_id, from, author: from === "staff" ? "С. Тамыртасова" : "Д. Жалғызтау", author_id: null, text: sent.text, file: bytes && { name: sent.file.name, type: sent.file.name.endsWith(".pdf") ? "application/pdf" : "image/jpeg", size: bytes.length }, sent: fixtures.at(0), delivered: null, read: null };
  }

  actOnIncident(verb, sent) {
    const by = this.state.me.name;
    const line = { at: fixtures.at(0), what: { acknowledge: "acknowledged", conclude: "concluded" }[verb] || verb, who: by, channel: null, state: null, text: sent.text || sent.note || sent.reason || null, reference: null };
    const change = { line: this.state.incident.line.concat(line) };
    if (verb === "acknowledge") Object.assign(change, { state: "acknowledged", holder: by, holder_id: this.state.me.id });
    if (verb === "conclude") Object.assign(change, { state: "closed", next: null, conclusion: { ...sent, by, at: fixtures.at(0) } });
    this.state.incident = { ...this.state.incident, ...change };
    return this.state.incident;
  }

  personApi(path, post, sent, json, fail, response) {
    const state = this.state.person;
    if (path === "/api/p/challenge") return json({ challenge: "a-challenge" });
    if (path === "/api/p/enter") return (this.state.person = { ...(state || fixtures.acknowledged()), bound: true }), json(this.state.person);
    if (!state) return fail(401, "unauthenticated");
    if (path === "/api/p/device") return json({ device: 41 });
    if (path === "/api/p/state") return json(state);
    if (path === "/api/p/push" || path === "/api/p/push/stop") return json({});
    if (path === "/api/p/language") return (this.state.person = { ...state, language: sent.language }), json({});
    if (path === "/api/p/notice") return (this.state.person = { ...state, notice: { version: sent.version, acknowledged: fixtures.at(0) } }), json(this.state.person);
    if (path === "/api/p/requests") return (this.state.person = { ...state, requests: [{ id: 9, kind: sent.kind, receipt: sent.receipt || null, text: sent.text, at: fixtures.at(0), accepted: null, answer: null, answered: null }, ...state.requests] }), json(this.state.person);
    if (path === "/api/p/call") return (this.state.person = { ...state, checkin: { ...fixtures.personState().checkin, id: 777, kind: "on_demand", state: "connected" }, bound: true }), json(this.state.person);
    if (path === "/api/p/decline") return (this.state.person = { ...state, checkin: { ...state.checkin, state: "done", result: "declined", receipt: "K7-5D10" } }), json(this.state.person);
    if (/^\/api\/p\/checkins\/\d+\/proof$/.test(path)) {
      if (this.state.unsigned) return fail(409, "conflict");
      response.writeHead(200, { ...this.headers("text/plain"), "Content-Disposition": "attachment" });
      return response.end("c2sp.org/tlog-proof@v1\nindex 7\n\nexample.org/log\n8\n");
    }
    if (path === "/api/p/messages") return post ? json(this.message("person", sent)) : json({ messages: this.state.messages || fixtures.messages, next: null });
    if (/^\/api\/p\/messages\/\d+\/file$/.test(path)) return this.file(response);
    if (path === "/api/p/messages/read" || path === "/api/p/facts") return json({});
    return fail(404, "not_found");
  }

  media(request, response) {
    const data = readFileSync(this.clip);
    const range = /bytes=(\d+)-(\d*)/.exec(request.headers.range || "");
    const from = range ? Number(range[1]) : 0;
    const until = range && range[2] ? Number(range[2]) : data.length - 1;
    response.writeHead(range ? 206 : 200, { ...this.headers("video/webm"), "Accept-Ranges": "bytes", "Content-Length": String(until - from + 1), ...(range ? { "Content-Range": `bytes ${from}-${until}/${data.length}` } : {}) });
    response.end(data.subarray(from, until + 1));
  }

  // A small log whose proofs are real.
  log() {
    if (!this.entries) {
      const actions = ["LOGGED_IN", "READ", "RECORDING_VIEWED", "CHECKIN_OUTCOME", "INCIDENT_OPENED", "INCIDENT_TAKEN", "ORDER_CREATED", "PLAN_CREATED", "STAFF_CHANGED", "NOVEL_ACTION"];
      this.entries = actions.map((action, index) => ({
        index, at: fixtures.at(-300 + index * 30), action, actor: index === 9 || index === 4 ? "checkind" : "Инесса Речная-Полынная", actor_kind: index === 9 || index === 4 ? "system" : "staff",
        person_id: index % 2 ? 102 : null, person_name: index % 2 ? "Ысқақ Көкжидеев" : null, object: index === 1 ? "person 102" : `object ${index}`, result: index === 8 ? "denied" : "ok", text: index === 6 ? null : { reason: "Тексеру" },
      }));
      this.leaves = this.entries.map((entry) => Buffer.from(JSON.stringify(entry)));
    }
    return { entries: this.entries.slice().reverse(), size: this.entries.length, root: root(this.leaves).toString("hex") };
  }

  logEntry(index) {
    this.log();
    const size = this.leaves.length;
    return { ...this.entries[index], leaf: this.leaves[index].toString(), leaf_hash: leafHash(this.leaves[index]).toString("hex"), proof: { size, root: root(this.leaves).toString("hex"), path: path(index, this.leaves).map((hash) => hash.toString("hex")) }, checkpoint: { size, at: fixtures.at(-2), witnesses: 2 } };
  }
}

// RFC 6962 section 2.1, written a second time as an oracle for the page's own check.
const sha = (...parts) => createHash("sha256").update(Buffer.concat(parts)).digest();
export const leafHash = (leaf) => sha(Buffer.from([0]), leaf);
const split = (n) => 2 ** Math.floor(Math.log2(n - 1));
export const root = (leaves) => (leaves.length === 1 ? leafHash(leaves[0]) : sha(Buffer.from([1]), root(leaves.slice(0, split(leaves.length))), root(leaves.slice(split(leaves.length)))));
export function path(index, leaves) {
  if (leaves.length === 1) return [];
  const k = split(leaves.length);
  return index < k ? [...path(index, leaves.slice(0, k)), root(leaves.slice(k))] : [...path(index - k, leaves.slice(k)), root(leaves.slice(0, k))];
}

// Everything the person's page does: requests, socket, camera, media. Screens only read `store` and call methods.
import { FILE_TIMEOUT_MS, Failure, failureOf, get, post, setCsrf, type FailureCode } from "../api/http";
import { Socket, type SocketState } from "../api/socket";
import type { Language, Message, PersonState } from "../api/types";
import type { Challenge, FromPersonSide, PageFact, PauseReason, ToPersonSide, Ways } from "../api/wire";
import { cameraAllowed, canCall, closeStream, type Devices, openDevices } from "../rtc/devices";
import { Leg, type LegState } from "../rtc/leg";
import { Clock } from "../text/time";
import { recall, remember } from "../ui/memory";
import { Store } from "../ui/store";
import type { Attachment } from "../ui/attachment";
import { bodyOf, EMPTY_THREAD, keepUnsent, newestFrom, type ThreadState, withDraft, withMessages, withPage, withReceipt, withUnsent, withWay } from "../ui/thread_model";
import { makeOwnPhone, type OwnPhone, ownPhone, sign } from "./own_phone";
import { heals, mustRead, NOTICE_VERSION, retryDelayMs, type World } from "./flow";
import { hush } from "./speech";
import { linkPath, tapKey } from "./tap";

export type Sheet = "messages" | "decline" | "pause" | "hangup" | "language" | "reschedule" | "dispute" | null;

export interface View extends World {
  language: Language;
  clock: Clock;
  retryAt: number | null; // browser's clock
  helpPhone: string | null; // of the duty room
  socket: SocketState | "none";
  socketLost: boolean; // was open and is not
  devices: Devices | null;
  asking: boolean;
  leg: LegState | null;
  remote: MediaStream | null;
  since: string | null; // waiting since
  callSince: number | null; // server's clock
  callee: string;
  recording: boolean;
  paused: PauseReason | null;
  muted: boolean;
  peerAway: boolean;
  cameraStopped: boolean;
  challenge: Challenge | null;
  challengeDone: number;
  thread: ThreadState;
  unread: number;
  sheet: Sheet;
  crowded: number | null; // no media worker has room: when the next try is
  busy: boolean; // a request of a button is under way
  actionFailed: boolean;
  disputed: string; // the receipt that the sheet "dispute" is about
  phone: "unknown" | "own" | "failed"; // whether this phone is the person's own here
}

const FACTS_KEPT = 50;
const REJOIN_MS = 3_000;
const THREAD = "person"; // there is one: with the inspector

export class PersonSession {
  readonly store: Store<View>;
  private socket: Socket<FromPersonSide, ToPersonSide> | null = null;
  private socketFresh = false;
  private leg: Leg | null = null;
  private ways: Ways = { ice_servers: [] };
  private facts: { fact: PageFact; detail?: string }[] = [];
  private joinId = 0;
  private tries = 0;
  private retryTimer: ReturnType<typeof setTimeout> | null = null;
  private joinTimer: ReturnType<typeof setTimeout> | null = null;
  private own: OwnPhone | null = null;
  private entering = false;
  private readonly link: string; // its token, also after it was exchanged
  private readonly key = tapKey(location.hash);
  private wakeLock: { release(): Promise<void> } | null = null;

  constructor(token: string | null, language: Language) {
    this.link = token || "";
    this.store = new Store<View>({
      token, opening: false, failure: null, state: null, stage: "idle", replaced: false, testing: false, calling: false, ended: null,
      language, clock: new Clock(language, "UTC", null, null), retryAt: null, socket: "none", socketLost: false, devices: null, asking: false, leg: null,
      remote: null, since: null, callSince: null, callee: "", recording: false, paused: null, muted: false, peerAway: false,
      cameraStopped: false, challenge: null, challengeDone: 0, thread: EMPTY_THREAD, unread: 0, sheet: null, crowded: null, busy: false, actionFailed: false, phone: "unknown", disputed: "", helpPhone: recall("help_phone"),
    });
    document.addEventListener("visibilitychange", this.visibility);
    window.addEventListener("pagehide", this.leaving);
    window.addEventListener("online", this.online);
    void ownPhone().then((own) => {
      this.own = own;
      if (own) this.store.set({ phone: "own" });
      if (!token) void this.load();
    });
  }

  private get view(): View {
    return this.store.value;
  }

  // ------------------------------------------------------------------ opening

  // The first tap: the language, and with it the link is exchanged for a session.
  async open(language: Language): Promise<void> {
    this.choose(language);
    this.store.set({ opening: true, failure: null });
    try {
      const state = await post<PersonState>("/api/link", { token: this.view.token, key: this.key });
      // Where no call is possible the address stays what the phone's browser can be given.
      history.replaceState(null, "", canCall() ? "/p" : linkPath(this.link, this.key));
      this.opened(state);
      if (state.language !== language) void this.setLanguage(language);
      if (!state.bound) void this.enrol(); // a link without a check-in: the inspector is present
    } catch (cause) {
      const failure = failureOf(cause);
      if (heals(failure.code)) this.failed(failure, () => void this.open(language));
      else await this.openUsedLink(failure);
    }
  }

  // A link that was used already may still have its session in this browser.
  private async openUsedLink(failure: Failure): Promise<void> {
    try {
      const state = await get<PersonState>("/api/p/state");
      history.replaceState(null, "", "/p");
      this.opened(state);
    } catch {
      this.failed(failure, null);
    }
  }

  async load(): Promise<void> {
    this.store.set({ opening: true, retryAt: null });
    try {
      const state = await get<PersonState>("/api/p/state");
      this.opened(state.checkin && !state.bound && this.own ? await this.enter() : state);
    } catch (cause) {
      const failure = failureOf(cause);
      if (failure.code === "unauthenticated" && this.own) await this.comeIn();
      else this.failed(failure, () => void this.load());
    }
  }

  // The same link for another browser of this phone; null where this page did not come by one.
  get elsewhere(): string | null {
    return this.link ? location.origin + linkPath(this.link, this.key) : null;
  }

  // ------------------------------------------------------------------ the person's own phone

  private async enrol(): Promise<void> {
    if (this.own) return;
    try {
      this.own = await makeOwnPhone(async (public_key) =>
        (await post<{ device: number }>("/api/p/device", { public_key, name: navigator.userAgent.slice(0, 200) })).device);
      this.store.set({ phone: "own" });
    } catch {
      this.store.set({ phone: "failed" });
    }
  }

  // A session without a link, for the phone whose key the server knows.
  private async enter(): Promise<PersonState> {
    const own = this.own!;
    const { challenge } = await get<{ challenge: string }>("/api/p/challenge");
    const signature = await sign(own, `checkind enter v1\n${challenge}`);
    const state = await post<PersonState>("/api/p/enter", { device: own.device, challenge, signature });
    if (this.socket) this.socket.close(); // it was opened for the session before
    this.socket = null;
    return state;
  }

  private async comeIn(): Promise<void> {
    try {
      this.opened(await this.enter());
    } catch (cause) {
      this.failed(failureOf(cause), () => void this.load());
    }
  }

  // Something rings, and this page's session is for none: one that may answer takes its place.
  private async bind(): Promise<void> {
    if (this.entering || !this.own) return;
    this.entering = true;
    try {
      this.opened(await this.enter());
    } catch {
      // The link in the message still works; the screen says so.
    }
    this.entering = false;
  }

  retryNow(): void {
    if (this.retryTimer) clearTimeout(this.retryTimer);
    this.retryTimer = null;
    if (this.view.token) void this.open(this.view.language);
    else void this.load();
  }

  // Kept for when nothing can be asked.
  private helpIs(phone: string | null | undefined): void {
    if (!phone || phone === this.view.helpPhone) return;
    remember("help_phone", phone);
    this.store.set({ helpPhone: phone });
  }

  private failed(failure: Failure, again: (() => void) | null): void {
    this.helpIs(failure.helpPhone);
    this.store.set({ opening: false, failure: failure.code as FailureCode, retryAt: null });
    if (!again || !heals(failure.code)) return;
    const wait = retryDelayMs(this.tries++, failure.retryAfterMs);
    this.store.set({ retryAt: Date.now() + wait });
    this.retryTimer = setTimeout(again, wait);
  }

  private opened(state: PersonState): void {
    this.tries = 0;
    this.store.set({ opening: false, failure: null, token: null, retryAt: null });
    this.take(state);
    if (!this.socket) {
      this.socketFresh = true;
      this.socket = new Socket("/ws/person", (message) => this.heard(message), (socket) => this.socketChanged(socket));
    }
    void this.flushFacts();
    void this.resumeAfterReload();
  }

  private take(state: PersonState): void {
    setCsrf(state.csrf);
    this.helpIs(state.help_phone);
    const before = this.view.state;
    const language = recall("language") ? this.view.language : state.language;
    this.store.set({
      state, language, unread: state.unread, callee: this.view.callee || state.inspector,
      clock: new Clock(language, state.zone, state.server_time, state.utc_offset_min),
    });
    const checkin = state.checkin;
    const another = !!before && !!before.checkin && !!checkin && before.checkin.id !== checkin.id;
    if (another) this.store.set({ ended: null, stage: "idle", challenge: null, challengeDone: 0, recording: false, paused: null });
    if (checkin && checkin.result && this.view.stage !== "idle") this.finish();
    if (checkin && !checkin.result && !state.bound) void this.bind();
  }

  // After a reload in the middle of a call nobody has to find the button again.
  private async resumeAfterReload(): Promise<void> {
    const checkin = this.view.state && this.view.state.checkin;
    if (!checkin || checkin.result || mustRead(this.view.state!) || this.view.stage !== "idle") return;
    const allowed = await cameraAllowed();
    if (allowed || !canCall()) {
      await this.turnOnCamera();
      if (checkin.state === "connected" && this.view.stage === "idle") this.answer();
    }
  }

  // ------------------------------------------------------------------ language, notice

  choose(language: Language): void {
    remember("language", language);
    hush();
    const state = this.view.state;
    this.store.set({
      language,
      clock: state ? new Clock(language, state.zone, new Date(this.view.clock.now()).toISOString(), state.utc_offset_min) : new Clock(language, "UTC", null, null),
    });
  }

  async setLanguage(language: Language): Promise<void> {
    this.choose(language);
    this.store.set({ sheet: null });
    try {
      await post("/api/p/language", { language });
    } catch {
      // The page speaks the chosen language all the same; the notices by SMS follow at the next choice.
    }
  }

  async acknowledge(withCamera: boolean): Promise<void> {
    const state = this.view.state;
    if (!state) return;
    hush();
    // Both in the same tap: browsers ask for the camera only where somebody tapped.
    if (withCamera) void this.turnOnCamera();
    await this.act(async () => this.take(await post<PersonState>("/api/p/notice", { version: NOTICE_VERSION })));
  }

  private async act(action: () => Promise<void>): Promise<boolean> {
    this.store.set({ busy: true, actionFailed: false });
    try {
      await action();
      this.store.set({ busy: false });
      return true;
    } catch (cause) {
      const failure = failureOf(cause);
      this.store.set({ busy: false, actionFailed: true });
      this.helpIs(failure.helpPhone);
      if (failure.code === "unauthenticated") this.store.set({ state: null, failure: failure.code });
      return false;
    }
  }

  // ------------------------------------------------------------------ camera

  async turnOnCamera(): Promise<void> {
    if (this.view.asking) return;
    closeStream(this.view.devices && this.view.devices.stream);
    this.store.set({ asking: true, devices: null, cameraStopped: false });
    this.fact(canCall() ? "permission_asked" : "no_webrtc");
    const devices = await openDevices();
    this.store.set({ asking: false, devices });
    this.tellOfDevices(devices);
    if (!devices.stream) return;
    for (const track of devices.stream.getTracks()) track.onended = () => this.trackEnded();
    this.applyMute();
    if (this.leg) void this.leg.replaceLocal(devices.stream);
  }

  private tellOfDevices(devices: Devices): void {
    if (devices.problem === "denied" || devices.problem === "denied_system") this.fact("permission_denied", devices.problem);
    else if (devices.problem === "no_camera") this.fact("no_camera");
    else if (devices.problem === "in_use") this.fact("camera_in_use");
    else if (devices.problem === null) this.fact("permission_granted");
    if (devices.stream && !devices.microphone) this.fact("no_microphone");
  }

  // A phone call or a locked screen takes the camera away; it comes back as soon as the page is seen again.
  private trackEnded(): void {
    this.store.set({ cameraStopped: true });
    if (document.visibilityState === "visible") void this.turnOnCamera();
  }

  pictureSeen(): void {
    this.fact("camera_test_passed");
  }

  toggleMute(): void {
    this.store.set({ muted: !this.view.muted });
    this.applyMute();
  }

  private applyMute(): void {
    const { devices, muted, paused } = this.view;
    if (!devices || !devices.stream) return;
    devices.stream.getAudioTracks().forEach((track) => (track.enabled = !muted && !paused));
    devices.stream.getVideoTracks().forEach((track) => (track.enabled = !paused));
  }

  closeCamera(): void {
    if (this.view.devices && this.view.devices.stream) {
      this.view.devices.stream.getTracks().forEach((track) => (track.onended = null));
      closeStream(this.view.devices.stream);
    }
    this.store.set({ devices: null, testing: false, cameraStopped: false });
  }

  test(on: boolean): void {
    if (on) {
      this.store.set({ testing: true });
      void this.turnOnCamera();
    } else {
      this.closeCamera();
    }
  }

  // ------------------------------------------------------------------ the check-in

  // The person calls in by themselves: first the camera, as for every call; the console rings with the last tap.
  call(on: boolean): void {
    this.store.set({ calling: on, actionFailed: false });
    if (on) void this.turnOnCamera();
    else this.closeCamera();
  }

  private async callIn(): Promise<void> {
    this.store.set({ stage: "joining" });
    try {
      const state = await post<PersonState>("/api/p/call", {});
      if (this.socket) this.socket.close(); // the session is another one: bound to this call
      this.socket = null;
      this.store.set({ calling: false, ended: null });
      this.opened(state); // and joins with the first word of the new socket
      void this.keepAwake();
    } catch {
      this.closeCamera();
      this.store.set({ calling: false, stage: "idle", actionFailed: true });
      void this.load();
    }
  }

  answer(): void {
    if (this.view.calling) return void this.callIn();
    this.store.set({ stage: "joining", sheet: null, replaced: false, testing: false });
    void this.join();
    void this.keepAwake();
  }

  private async join(): Promise<void> {
    const id = ++this.joinId;
    const proof = await this.proof();
    if (!this.socket || id !== this.joinId) return; // another join overtook this one while it was being signed
    this.socket.send({ t: "join", device: navigator.userAgent.slice(0, 200), generation: this.leg ? this.leg.heldGeneration : 0, id, ...proof });
  }

  private async proof(): Promise<{ key: number; signature: string } | null> {
    const state = this.view.state;
    if (!this.own || !state || !state.checkin) return null;
    try {
      return { key: this.own.device, signature: await sign(this.own, `checkind join v1\n${state.checkin.id}\n${state.challenge}`) };
    } catch {
      return null; // a phone that cannot sign is another phone, and may answer all the same
    }
  }

  takeBack(): void {
    this.store.set({ replaced: false });
    if (this.view.devices && this.view.devices.stream) this.answer();
    else void this.turnOnCamera().then(() => this.answer());
  }

  async decline(reason: string): Promise<void> {
    const sent = await this.act(async () => {
      const state = await post<PersonState>("/api/p/decline", { reason });
      this.take(state);
      if (!this.view.ended) this.finish();
    });
    if (sent) this.store.set({ sheet: null });
  }

  // Another time, or a result that is wrong; the answer comes onto this page.
  async ask(kind: "reschedule" | "dispute", text: string): Promise<boolean> {
    const receipt = kind === "dispute" ? this.view.disputed : undefined;
    const sent = await this.act(async () => this.take(await post<PersonState>("/api/p/requests", { kind, text, receipt })));
    if (sent) this.store.set({ sheet: null });
    return sent;
  }

  dispute(receipt: string): void {
    this.store.set({ disputed: receipt, sheet: "dispute", actionFailed: false });
  }

  pause(reason: PauseReason): void {
    this.store.set({ paused: reason, sheet: null });
    this.applyMute();
    this.sayPause();
  }

  resume(): void {
    this.store.set({ paused: null });
    this.applyMute();
    this.sayPause();
  }

  private sayPause(): void {
    const reason = this.view.paused;
    if (this.socket) this.socket.send(reason ? { t: "pause", reason } : { t: "resume" });
  }

  hangUp(): void {
    this.store.set({ sheet: null });
    if (this.socket) this.socket.send({ t: "leave" });
    this.finish();
  }

  challengeShown(number: number): void {
    if (this.view.challengeDone >= number) return;
    this.store.set({ challengeDone: number });
    if (this.socket) this.socket.send({ t: "challenge_done", number });
  }

  private finish(): void {
    const checkin = this.view.state && this.view.state.checkin;
    if (this.leg) this.leg.close();
    this.leg = null;
    this.closeCamera();
    hush();
    void this.letSleep();
    this.store.set({
      stage: "ended", leg: null, remote: null, recording: false, paused: null, challenge: null,
      sheet: this.view.sheet === "messages" ? "messages" : null,
      ended: this.view.ended || { result: (checkin && checkin.result) || "ended", receipt: checkin ? checkin.receipt : null },
    });
  }

  private connectLeg(): void {
    if (this.leg) {
      // Joined again after the socket fell: the media mostly lived on. If not, they start anew.
      if (this.joinTimer) clearTimeout(this.joinTimer);
      this.leg.socketBack();
      this.joinTimer = setTimeout(() => {
        if (this.leg && this.leg.state !== "connected") this.leg.again();
      }, REJOIN_MS);
      return;
    }
    const leg = new Leg(
      this.ways,
      this.view.devices ? this.view.devices.stream : null,
      {
        offer: (sdp, generation) => !!this.socket && this.socket.send({ t: "offer", sdp, generation }),
        restart: (sdp, generation) => !!this.socket && this.socket.send({ t: "restart", sdp, generation }),
      },
      {
        remote: (remote) => this.store.set({ remote }),
        state: (state) => {
          this.store.set({ leg: state });
          if (state === "connected") {
            this.fact("ice_connected");
            this.store.set({ crowded: null });
          }
        },
        failed: () => this.fact("ice_failed"),
        picture: (step) => this.fact((["picture_whole", "picture_reduced", "picture_off"] as const)[step]),
      },
    );
    this.leg = leg;
    void leg.start();
  }

  // ------------------------------------------------------------------ socket

  private socketChanged(socket: SocketState): void {
    this.store.set({ socket, socketLost: socket === "down" || (socket === "connecting" && this.view.socketLost) });
    if (socket === "open") {
      this.socketFresh = true;
      void this.flushFacts();
    } else if (socket === "refused") {
      this.socket = null;
      if (this.leg) this.leg.close();
      this.leg = null;
      this.store.set({ state: null });
      void this.load();
    }
  }

  private heard(message: FromPersonSide): void {
    switch (message.t) {
      case "hello":
        this.waysAre(message);
        return this.hello(message.state);
      case "ice":
        return this.waysAre(message);
      case "ok":
        if (message.id !== this.joinId || !this.joined()) return;
        if (this.leg) this.sayPause(); // what was said while the socket was down was not heard
        this.connectLeg();
        return;
      case "waiting":
        this.store.set({ stage: "waiting", since: message.since });
        return;
      case "connected":
        this.store.set({
          stage: "call", callee: message.with, recording: message.recording, peerAway: false,
          callSince: this.view.callSince || this.view.clock.now(), sheet: this.view.sheet === "messages" ? "messages" : null,
        });
        return;
      case "recording":
        this.store.set({ recording: message.on });
        if (message.on && this.view.stage !== "call") this.store.set({ stage: "tasks", sheet: null });
        return;
      case "challenge":
        this.store.set({ stage: "tasks", challenge: message, sheet: null });
        return;
      case "answer":
        if (this.leg) void this.leg.answer(message.sdp, message.generation);
        return;
      case "reconnect":
        if (this.leg) this.leg.again();
        return;
      case "peer":
        this.store.set({ peerAway: message.state === "away" });
        return;
      case "ended":
        this.store.set({ ended: { result: message.result, receipt: message.receipt } });
        if (message.state) this.take(message.state);
        return this.finish();
      case "message":
        return this.heardMessage(message);
      case "delivered":
      case "read":
        this.store.set({ thread: withReceipt(this.view.thread, "person", message.t, message.up_to, new Date(this.view.clock.now()).toISOString()) });
        return;
      case "replaced":
        if (this.leg) this.leg.close();
        this.leg = null;
        this.closeCamera();
        this.store.set({ replaced: true, stage: "idle" });
        return;
      case "error":
        return this.refused(message);
    }
  }

  private joined(): boolean {
    const stage = this.view.stage;
    return stage === "joining" || stage === "waiting" || stage === "call" || stage === "tasks";
  }

  private waysAre(ways: Ways): void {
    this.ways = ways;
    if (this.leg) this.leg.ways = ways;
  }

  private hello(state: PersonState): void {
    this.take(state);
    if (this.socketFresh && this.joined()) void this.join();
    this.socketFresh = false;
    if (this.view.sheet === "messages") void this.loadMessages(null);
  }

  private refused(error: { id?: number; code: string; retry_after_ms?: number }): void {
    if (error.id !== undefined && error.id === this.joinId && this.view.stage === "joining") {
      if (error.code === "busy" || error.code === "unavailable") {
        setTimeout(() => this.joined() && void this.join(), error.retry_after_ms || REJOIN_MS);
      } else {
        this.store.set({ stage: "idle", actionFailed: true });
        void this.load();
      }
    } else if (error.id === undefined && this.leg && this.leg.state !== "connected") {
      const crowded = error.code === "busy" ? Date.now() + (error.retry_after_ms || REJOIN_MS) : null;
      this.store.set({ crowded });
      this.leg.again(error.retry_after_ms); // the answer to `offer` or `restart`
    }
  }

  // ------------------------------------------------------------------ messages

  show(sheet: Sheet): void {
    this.store.set({ sheet, actionFailed: false });
    if (sheet === "messages") void this.loadMessages(null);
  }

  async loadMessages(before: number | null): Promise<void> {
    try {
      const page = await get<{ messages: Message[]; next: number | null }>("/api/p/messages" + (before ? `?before=${before}` : ""));
      this.threadIs(before ? withPage(this.view.thread, page) : withUnsent(THREAD, withPage(this.view.thread, page)));
      this.readAll();
    } catch {
      this.store.set({ thread: { ...this.view.thread, loaded: true } });
    }
  }

  private heardMessage(message: Message): void {
    this.store.set({ thread: withMessages(this.view.thread, [message]) });
    if (message.from !== "staff") return;
    if (this.view.sheet === "messages") this.readAll();
    else this.store.set({ unread: this.view.unread + 1 });
  }

  private readAll(): void {
    const up_to = newestFrom(this.view.thread, "staff");
    if (!up_to || document.visibilityState === "hidden") return;
    this.store.set({ unread: 0 });
    if (!this.socket || !this.socket.send({ t: "read", up_to })) post("/api/p/messages/read", { up_to }).catch(() => undefined);
  }

  private threadIs(thread: ThreadState): void {
    keepUnsent(THREAD, thread);
    this.store.set({ thread });
  }

  async sendMessage(text: string, file: Attachment | null, again?: string): Promise<void> {
    let client_id = again || "";
    if (again) {
      this.threadIs(withWay(this.view.thread, again, "sending"));
    } else {
      const [thread, id] = withDraft(this.view.thread, "person", "", text, file, new Date(this.view.clock.now()).toISOString());
      client_id = id;
      this.threadIs(thread);
    }
    try {
      const message = await post<Message>("/api/p/messages", bodyOf(this.view.thread, client_id), FILE_TIMEOUT_MS);
      this.threadIs(withMessages(this.view.thread, [message])); // what came while it was under way stays
    } catch (cause) {
      this.threadIs(withWay(this.view.thread, client_id, "failed", cause));
    }
  }

  // ------------------------------------------------------------------ evidence of the page

  // By the socket where it is up, else kept and posted: a fact is proof for the person and is not lost lightly.
  fact(fact: PageFact, detail?: string): void {
    const entry = detail ? { fact, detail } : { fact };
    if (this.socket && this.socket.send({ t: "fact", ...entry })) return;
    this.facts.push(entry);
    if (this.facts.length > FACTS_KEPT) this.facts.shift();
    void this.flushFacts();
  }

  private async flushFacts(): Promise<void> {
    if (!this.facts.length || !this.view.state) return;
    const facts = this.facts;
    this.facts = [];
    try {
      await post("/api/p/facts", { facts });
    } catch {
      this.facts = facts.concat(this.facts).slice(-FACTS_KEPT);
    }
  }

  private readonly visibility = (): void => {
    const hidden = document.visibilityState === "hidden";
    if (this.view.state && this.view.state.checkin && !this.view.ended) this.fact(hidden ? "page_hidden" : "page_shown");
    if (hidden) return;
    const { devices, sheet } = this.view;
    const lost = devices && devices.stream && devices.stream.getTracks().some((track) => track.readyState === "ended");
    if (lost && (this.joined() || this.view.testing)) void this.turnOnCamera();
    if (this.joined()) void this.keepAwake();
    if (sheet === "messages") this.readAll();
  };

  private readonly leaving = (): void => {
    if (this.joined()) this.fact("closing");
  };

  private readonly online = (): void => {
    if (this.joined()) this.fact("network_changed");
    if (!this.view.state && this.view.failure === "offline") this.retryNow();
  };

  // A screen that goes dark stops the camera.
  private async keepAwake(): Promise<void> {
    const wake = (navigator as { wakeLock?: { request(kind: string): Promise<{ release(): Promise<void> }> } }).wakeLock;
    if (!wake || document.visibilityState === "hidden") return;
    try {
      this.wakeLock = await wake.request("screen");
    } catch {
      this.wakeLock = null; // low battery: the phone decides
    }
  }

  private async letSleep(): Promise<void> {
    const lock = this.wakeLock;
    this.wakeLock = null;
    if (lock) await lock.release().catch(() => undefined);
  }
}

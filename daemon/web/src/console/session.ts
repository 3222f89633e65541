// Who is logged in, what rings, what alarms, which call is on. Pages read `store` and call methods.
import { failureOf, get, onSessionEnd, post, setCsrf, type Failure } from "../api/http";
import { Socket, type SocketState } from "../api/socket";
import type { CheckinRow, IncidentRow, Language, Me, Message, Role, Setup, Today } from "../api/types";
import type { FromConsoleSide, ToConsoleSide, Ways } from "../api/wire";
import { Clock } from "../text/time";
import { forgetDrafts, keepDraftsOf } from "../ui/draft";
import { recall, remember } from "../ui/memory";
import { Store } from "../ui/store";
import { Attendance } from "./attended";
import { CallSession } from "./call_session";
import { changed, forget } from "./load";
import { play, unlock, unlocked } from "./ring";

// An incident that rings here. nobodyReached: its ladder has found nobody, and every console of the unit rings.
export type Alert = IncidentRow & { nobodyReached: boolean };

export interface ConsoleView {
  phase: "starting" | "setup" | "login" | "in" | "unreachable";
  me: Me | null;
  language: Language;
  clock: Clock;
  failure: Failure | null;
  socket: SocketState | "none";
  socketLost: boolean;
  greeted: boolean; // the server said hello on this socket: it can be spoken to
  rings: readonly CheckinRow[];
  alerts: readonly Alert[];
  counts: Today["counts"] | null;
  call: CallSession | null;
  soundLocked: boolean;
  said: string; // for the live region
  storeState: { from: string; lastedMs: number | null } | null; // nothing can be written since then, or it can again
  expired: boolean; // the session ended by itself: the log-in says so, and what was on goes on after it
}

export type ThreadEvent =
  | { t: "message"; person: number; message: Message }
  | { t: "delivered" | "read"; person: number; up_to: number };

const RETRY_MS = 4_000;
const INCIDENTS_MOST = 500; // in GET /api/today

// What the server wants before anything else.
export function firstOf(me: Me): "password" | "second_factor" | null {
  return me.must_change_password ? "password" : me.second_factor_required && !me.second_factor ? "second_factor" : null;
}

export class ConsoleSession {
  readonly store: Store<ConsoleView>;
  readonly attended = new Attendance(() => !!this.socket && this.socket.send({ t: "active" }));
  private socket: Socket<FromConsoleSide, ToConsoleSide> | null = null;
  private ways: Ways = { ice_servers: [] };
  private threadWatchers = new Set<(event: ThreadEvent) => void>();
  private openIncidents = new Set<number>();
  private wanted = 0; // the incident that a tap on the alarm takes over

  constructor(language: Language) {
    this.store = new Store<ConsoleView>({
      phase: "starting", me: null, language, clock: new Clock(language, "UTC", null, null), failure: null, socket: "none", socketLost: false, greeted: false,
      rings: [], alerts: [], counts: null, call: null, soundLocked: false, said: "", storeState: null, expired: false,
    });
    for (const name of ["pointerdown", "keydown"]) {
      window.addEventListener(name, () => {
        unlock();
        if (this.view.soundLocked) this.store.set({ soundLocked: false });
      });
    }
    onSessionEnd(() => this.view.phase === "in" && this.out(true));
    void this.begin();
  }

  get view(): ConsoleView {
    return this.store.value;
  }

  // ------------------------------------------------------------------ log-in

  async begin(): Promise<void> {
    try {
      this.enter(await get<Me>("/api/me"));
      return;
    } catch (cause) {
      const failure = failureOf(cause);
      if (failure.code !== "unauthenticated") return this.unreachable(failure);
    }
    try {
      const setup = await get<Setup>("/api/setup");
      this.store.set({ phase: setup.needed ? "setup" : "login", failure: null });
    } catch (cause) {
      this.unreachable(failureOf(cause));
    }
  }

  private unreachable(failure: Failure): void {
    this.store.set({ phase: "unreachable", failure });
    setTimeout(() => void this.begin(), failure.retryAfterMs || RETRY_MS);
  }

  enter(me: Me): void {
    setCsrf(me.csrf);
    remember("language", me.language);
    keepDraftsOf(me.id);
    this.store.set({
      phase: "in", expired: false, me, language: me.language, failure: null,
      clock: new Clock(me.language, me.unit ? me.unit.zone : "UTC", me.server_time, me.utc_offset_min),
    });
    if (!this.socket && !firstOf(me)) {
      this.attended.begin(me.session_idle_ms);
      this.socket = new Socket("/ws/console", (message) => this.heard(message), (socket) => this.socketChanged(socket));
    }
  }

  async refreshMe(): Promise<void> {
    this.enter(await get<Me>("/api/me"));
  }

  async logout(): Promise<void> {
    forgetDrafts();
    try {
      await post("/api/logout");
    } finally {
      history.replaceState(null, "", "/"); // whoever logs in next begins at their own start
      this.out(false);
    }
  }

  // The session is over, here or (`expired`) on the server. What was being written stays for the same person's next one.
  out(expired: boolean): void {
    if (this.view.call) this.view.call.release();
    if (this.socket) this.socket.close();
    this.socket = null;
    this.attended.end();
    play(null);
    forget();
    this.store.set({ phase: "login", storeState: null, me: null, rings: [], alerts: [], counts: null, call: null, socket: "none", expired });
  }

  choose(language: Language): void {
    remember("language", language);
    const me = this.view.me;
    const zone = me && me.unit ? me.unit.zone : "UTC";
    this.store.set({ language, clock: new Clock(language, zone, new Date(this.view.clock.now()).toISOString(), me ? me.utc_offset_min : null) });
    if (me) {
      this.store.set({ me: { ...me, language } });
      post("/api/me/language", { language }).catch(() => undefined); // remembered here in any case
    }
  }

  has(role: Role): boolean {
    return !!this.view.me && this.view.me.roles.indexOf(role) >= 0;
  }

  // What the roles may do (daemon/access/policy.c), so that no page offers what the server refuses and writes down.
  // Calls, reviews, and messages with the person:
  get conducts(): boolean {
    return this.has("inspector");
  }

  // A case: orders, plans, phones, the photo; what was recorded.
  get manages(): boolean {
    return this.has("inspector") || this.has("supervisor");
  }

  // ------------------------------------------------------------------ socket

  private socketChanged(socket: SocketState): void {
    this.store.set({ socket, socketLost: socket === "down" || (socket === "connecting" && this.view.socketLost), greeted: false });
    if (socket === "refused") this.out(true);
  }

  private heard(message: FromConsoleSide): void {
    const call = this.view.call;
    switch (message.t) {
      case "hello":
        this.ways = message;
        setCsrf(message.me.csrf || (this.view.me ? this.view.me.csrf : ""));
        // Where nothing can be written it is said again after this; where it can, what was said is over.
        this.store.set({ greeted: true, storeState: null });
        this.setRings([]); // the server rings again for whoever still waits
        if (call) call.hello(this.ways);
        changed("all");
        return;
      case "ice":
        this.ways = message;
        if (call) call.waysAre(message);
        return;
      case "today":
        return changed("today");
      case "ring":
        this.setRings(this.view.rings.filter((row) => row.id !== message.checkin.id).concat(message.checkin));
        return changed("today");
      case "ring_stop":
        this.setRings(this.view.rings.filter((row) => row.id !== message.checkin));
        return changed("today");
      case "alert":
        this.setAlerts(this.view.alerts.filter((row) => row.id !== message.incident.id).concat({ ...message.incident, nobodyReached: message.nobody_reached === true }));
        return changed("incident");
      case "incident":
        return changed("incident");
      case "store":
        this.store.set({ storeState: { from: message.from, lastedMs: message.lasted_ms === undefined ? null : message.lasted_ms } });
        if (message.lasted_ms !== undefined) changed("all");
        return;
      case "message": {
        const { t: _t, person, ...rest } = message;
        this.threadWatchers.forEach((watcher) => watcher({ t: "message", person, message: rest }));
        return changed("message");
      }
      case "delivered":
      case "read":
        this.threadWatchers.forEach((watcher) => watcher({ t: message.t, person: message.person, up_to: message.up_to }));
        return;
      case "error":
        if (call && (call.ownsError(message.id) || (message.id === undefined && call.waitsForAnswer))) {
          if (call.ownsError(message.id)) call.heard(message);
          else call.refused(message.code, message.retry_after_ms);
        }
        return;
      case "ok":
        return;
      default:
        if (call && message.checkin === call.checkin) call.heard(message);
    }
  }

  watchThread(watcher: (event: ThreadEvent) => void): () => void {
    this.threadWatchers.add(watcher);
    return () => this.threadWatchers.delete(watcher);
  }

  // By the socket, so that a thread on the screen is read at once; by HTTP where there is none.
  readThread(person: number, up_to: number): void {
    if (this.socket && this.socket.send({ t: "read", person, up_to })) return;
    post(`/api/persons/${person}/messages/read`, { up_to }).catch(() => undefined);
  }

  // ------------------------------------------------------------------ ringing

  private setRings(rings: readonly CheckinRow[]): void {
    this.store.set({ rings });
    this.sound();
  }

  private setAlerts(alerts: readonly Alert[]): void {
    this.store.set({ alerts });
    this.sound();
  }

  private sound(): void {
    const busy = !!this.view.call && this.view.call.store.value.phase === "live";
    const kind = busy ? null : this.view.rings.length ? "ring" : this.view.alerts.length ? "alert" : null;
    play(kind);
    if (kind) setTimeout(() => this.store.set({ soundLocked: !unlocked() }), 300);
  }

  // The day as the server tells it: its counts, and no alarm goes on for what somebody has taken over meanwhile.
  todayIs(today: Today): void {
    this.store.set({ counts: today.counts });
    const states = new Map(today.incidents.map((row) => [row.id, row.state]));
    const whole = today.incidents.length < INCIDENTS_MOST;
    const over = (id: number): boolean => (states.has(id) ? states.get(id) !== "open" : whole && this.openIncidents.has(id));
    if (this.view.alerts.some((row) => over(row.id))) this.setAlerts(this.view.alerts.filter((row) => !over(row.id)));
    this.openIncidents = new Set(today.incidents.filter((row) => row.state === "open").map((row) => row.id));
  }

  // A tap on the alarm: the incident's page takes it over as soon as it is there.
  want(incident: number): void {
    this.wanted = incident;
  }

  wants(incident: number): boolean {
    const wanted = this.wanted === incident;
    if (wanted) this.wanted = 0;
    return wanted;
  }

  storeSeen(): void {
    this.store.set({ storeState: null });
  }

  say(text: string): void {
    this.store.set({ said: text });
  }

  dismissAlert(id: number): void {
    this.setAlerts(this.view.alerts.filter((row) => row.id !== id));
  }

  // ------------------------------------------------------------------ calls

  answer(checkin: number, row: CheckinRow | null): void {
    const running = this.view.call;
    if (running && running.checkin === checkin && running.store.value.phase !== "lost") return;
    if (running) running.release();
    this.store.set({ call: new CallSession(checkin, row, () => this.socket, this.ways) });
    this.setRings(this.view.rings.filter((other) => other.id !== checkin));
  }

  leaveCall(): void {
    if (this.view.call) this.view.call.release();
    this.store.set({ call: null });
    this.sound();
    changed("today");
  }
}

export function rememberedLanguage(): string | null {
  return recall("language");
}

// The inspector's side of one call: take it, connect, talk, end, and stay until the outcome is written.
import type { Socket } from "../api/socket";
import type { CheckinRow } from "../api/types";
import type { FromConsoleSide, LinkQuality, PeerState, ToConsoleSide, Ways } from "../api/wire";
import { closeStream, type Devices, openDevices } from "../rtc/devices";
import { Leg, type LegState } from "../rtc/leg";
import { keep, kept } from "../ui/draft";
import { Store } from "../ui/store";

export type CallPhase = "taking" | "live" | "ended" | "lost"; // lost: somebody else has it, or it is over

export interface CallView {
  checkin: number;
  row: CheckinRow | null;
  phase: CallPhase;
  devices: Devices | null;
  leg: LegState | null;
  crowded: boolean; // no media worker has room; tried again by itself
  remote: MediaStream | null;
  peer: PeerState;
  camera: boolean;
  quality: LinkQuality | null;
  recording: boolean;
  pauseReason: string | null;
  muted: boolean;
  cameraOff: boolean;
  since: number | null; // browser's clock: the other side is there
  endedBecause: string | null;
  behaviours: readonly string[]; // ticked during the call, carried into the outcome
}

type ConsoleSocket = Socket<FromConsoleSide, ToConsoleSide>;

export class CallSession {
  readonly store: Store<CallView>;
  private leg: Leg | null = null;
  private static ids = 1000;
  private takeId = 0;

  constructor(
    readonly checkin: number,
    row: CheckinRow | null,
    private readonly socket: () => ConsoleSocket | null,
    private ways: Ways,
  ) {
    this.store = new Store<CallView>({
      checkin, row, phase: "taking", devices: null, leg: null, crowded: false, remote: null, peer: "connecting", camera: true, quality: null, recording: false,
      pauseReason: null, muted: false, cameraOff: false, since: null, endedBecause: null, behaviours: kept<string[]>(this.seenKey) || [],
    });
    void this.start();
  }

  private async start(): Promise<void> {
    this.take();
    const devices = await openDevices();
    if (this.store.value.phase === "ended" || this.store.value.phase === "lost") {
      closeStream(devices.stream);
      return;
    }
    this.store.set({ devices });
    if (this.store.value.phase === "live") this.connect();
  }

  private get seenKey(): string {
    return `checkin.${this.checkin}.seen`;
  }

  private take(): void {
    this.takeId = ++CallSession.ids;
    const socket = this.socket();
    if (socket) socket.send({ t: "take", checkin: this.checkin, generation: this.leg ? this.leg.heldGeneration : 0, id: this.takeId });
  }

  private send(message: ToConsoleSide): boolean {
    const socket = this.socket();
    return !!socket && socket.send(message);
  }

  private connect(): void {
    if (this.leg || !this.store.value.devices) return;
    this.leg = new Leg(
      this.ways,
      this.store.value.devices.stream,
      {
        offer: (sdp, generation) => this.send({ t: "offer", checkin: this.checkin, sdp, generation }),
        restart: (sdp, generation) => this.send({ t: "restart", checkin: this.checkin, sdp, generation }),
      },
      {
        remote: (remote) => this.store.set({ remote }),
        state: (leg) => this.store.set({ leg }),
        failed: () => undefined,
        picture: () => undefined,
      },
    );
    void this.leg.start();
  }

  // The socket is up again (with a fresh `hello`): the server is told that we are still in this call.
  hello(ways: Ways): void {
    this.waysAre(ways);
    const phase = this.store.value.phase;
    if (phase === "taking" || phase === "live") this.take();
  }

  waysAre(ways: Ways): void {
    this.ways = ways;
    if (this.leg) this.leg.ways = ways;
  }

  heard(message: FromConsoleSide): void {
    switch (message.t) {
      case "taken":
        if (this.store.value.phase !== "taking" && this.store.value.phase !== "live") return;
        this.store.set({ phase: "live" });
        if (this.leg) this.leg.socketBack();
        else this.connect();
        return;
      case "answer":
        if (this.leg) void this.leg.answer(message.sdp, message.generation);
        return;
      case "reconnect":
        if (this.leg) this.leg.again();
        return;
      case "peer":
        this.store.set({
          peer: message.state,
          camera: message.camera !== false,
          since: message.state === "here" ? this.store.value.since || Date.now() : this.store.value.since,
        });
        return;
      case "link":
        this.store.set({ quality: message.quality });
        return;
      case "recording":
        this.store.set({ recording: message.on, pauseReason: message.on ? null : message.reason || null });
        return;
      case "ended":
        return this.over(message.reason);
      case "error":
        if (message.id === this.takeId) {
          if (message.code === "busy" || message.code === "unavailable") setTimeout(() => this.take(), message.retry_after_ms || 2000);
          else if (this.store.value.phase === "taking" || message.code === "conflict" || message.code === "not_found") this.lose(message.code);
        }
        return;
      default:
        return;
    }
  }

  refused(code: string, retryAfterMs?: number): void {
    if (!this.leg || this.leg.state === "connected") return;
    this.store.set({ crowded: code === "busy" });
    this.leg.again(retryAfterMs);
  }

  get waitsForAnswer(): boolean {
    return !!this.leg && this.leg.state !== "connected";
  }

  ownsError(id: number | undefined): boolean {
    return id !== undefined && id === this.takeId;
  }

  private lose(code: string): void {
    this.release();
    this.store.set({ phase: "lost", endedBecause: code });
  }

  private over(reason: string): void {
    this.release();
    const { phase } = this.store.value;
    if (phase !== "lost" && phase !== "ended") this.store.set({ phase: "ended", endedBecause: reason }); // the server repeats what this side began
  }

  end(): void {
    this.send({ t: "end", checkin: this.checkin });
    this.over("staff");
  }

  toggleMute(): void {
    const muted = !this.store.value.muted;
    this.store.set({ muted });
    this.tracks("audio", !muted);
  }

  toggleCamera(): void {
    const cameraOff = !this.store.value.cameraOff;
    this.store.set({ cameraOff });
    this.tracks("video", !cameraOff);
  }

  toggleBehaviour(code: string): void {
    const now = this.store.value.behaviours;
    const behaviours = now.indexOf(code) >= 0 ? now.filter((other) => other !== code) : now.concat(code);
    keep(this.seenKey, behaviours);
    this.store.set({ behaviours });
  }

  private tracks(kind: string, enabled: boolean): void {
    const devices = this.store.value.devices;
    if (devices && devices.stream) devices.stream.getTracks().forEach((track) => track.kind === kind && (track.enabled = enabled));
  }

  release(): void {
    if (this.leg) this.leg.close();
    this.leg = null;
    closeStream(this.store.value.devices && this.store.value.devices.stream);
    this.store.set({ devices: null, remote: null, leg: null, recording: false });
  }
}

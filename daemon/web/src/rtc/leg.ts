// One party's media connection: one audio and one video section, offered once and never renegotiated. When the network
// changes it restarts ICE on the same peer connection; when that does not help, or the server asks for it, it
// makes a new peer connection with the next generation. Nobody has to press anything.

import type { Ways } from "../api/wire";
import { Starve, type Step } from "./starve";

export type LegState = "connecting" | "connected" | "interrupted" | "closed";

export interface LegSignals {
  // Both return false while the socket is down; `socketBack` is called when it is up again.
  offer(sdp: string, generation: number): boolean;
  restart(sdp: string, generation: number): boolean;
}

export interface LegEvents {
  remote(stream: MediaStream): void;
  state(state: LegState): void;
  failed(): void; // ICE failed, for the evidence
  picture(step: Step): void; // the own picture was made smaller, left away, or is whole again
}

const MAX_BITRATE = 1_000_000; // at 600 kbit/s browsers shrink 640x480; from 800 they keep it
const SETTLE_MS = 1_500; // "disconnected" often heals by itself
const RESTART_MS = 4_000; // an ICE restart has this long
const CONNECT_MS = 12_000; // a new connection has this long
const LOOK_MS = 2_000; // between two looks at what the network carries
const BACKOFF_MS = [500, 1_000, 2_000, 4_000, 8_000];

function networkType(): string {
  const connection = (navigator as { connection?: { type?: string } }).connection;
  return (connection && connection.type) || "";
}

type EncodingParameters = RTCRtpSendParameters & { degradationPreference?: string };

export class Leg {
  private pc: RTCPeerConnection | null = null;
  private remote: MediaStream | null = null;
  private watch: ReturnType<typeof setTimeout> | null = null;
  private offerWaits = false; // for the socket
  private failures = 0;
  private seen = "";
  private looks: ReturnType<typeof setInterval> | null = null;
  private starve = new Starve();
  private network: string;
  state: LegState = "connecting";

  constructor(
    public ways: Ways,
    private local: MediaStream | null,
    private readonly signals: LegSignals,
    private readonly events: LegEvents,
    private generation = 0,
  ) {
    this.network = networkType();
    window.addEventListener("online", this.networkChanged);
    const connection = (navigator as { connection?: EventTarget }).connection;
    if (connection && connection.addEventListener) connection.addEventListener("change", this.networkChanged);
  }

  // Of the peer connection that lives now, 0 for none: the server asks for a new one if it does not know it.
  get heldGeneration(): number {
    return this.pc && this.pc.remoteDescription ? this.generation : 0;
  }

  // Makes a new peer connection and offers it.
  async start(): Promise<void> {
    if (this.state === "closed") return;
    this.drop();
    this.become(this.failures || this.generation ? "interrupted" : "connecting");
    this.generation++;
    const pc = new RTCPeerConnection({
      iceServers: this.ways.ice_servers, iceTransportPolicy: this.ways.relay_only ? "relay" : "all",
      bundlePolicy: "max-bundle", rtcpMuxPolicy: "require", sdpSemantics: "unified-plan",
    } as RTCConfiguration);
    this.pc = pc;
    this.remote = new MediaStream();
    const remote = this.remote;
    pc.ontrack = (event) => {
      remote.addTrack(event.track);
      this.events.remote(remote);
    };
    pc.onconnectionstatechange = pc.oniceconnectionstatechange = () => this.changed(pc);
    this.addSections(pc);
    try {
      await pc.setLocalDescription(await pc.createOffer());
    } catch {
      if (this.pc === pc) this.later();
      return;
    }
    if (this.pc !== pc) return;
    await this.limitRate(pc);
    this.sendOffer();
  }

  // The server's answer to `offer` or `restart`; answers to what is no longer asked are ignored.
  async answer(sdp: string, generation: number): Promise<void> {
    const pc = this.pc;
    if (!pc || generation !== this.generation || pc.signalingState !== "have-local-offer") return;
    try {
      await pc.setRemoteDescription({ type: "answer", sdp });
    } catch {
      if (this.pc === pc) this.later();
    }
  }

  // The server lost the leg (`reconnect`) or refused the offer: make a new one, not before `afterMs`.
  again(afterMs = 0): void {
    if (this.state !== "closed") this.later(afterMs);
  }

  socketBack(): void {
    if (this.offerWaits) this.sendOffer();
  }

  // The camera or the microphone came back after a phone call or a locked screen.
  async replaceLocal(local: MediaStream | null): Promise<void> {
    this.local = local;
    if (!this.pc) return;
    for (const transceiver of this.pc.getTransceivers()) {
      const kind = transceiver.receiver.track.kind;
      const track = local ? local.getTracks().find((t) => t.kind === kind) || null : null;
      try {
        await transceiver.sender.replaceTrack(track);
      } catch {
        this.later(); // a track this connection cannot carry: a new connection can
        return;
      }
    }
  }

  close(): void {
    window.removeEventListener("online", this.networkChanged);
    const connection = (navigator as { connection?: EventTarget }).connection;
    if (connection && connection.removeEventListener) connection.removeEventListener("change", this.networkChanged);
    this.drop();
    this.become("closed");
  }

  private addSections(pc: RTCPeerConnection): void {
    for (const kind of ["audio", "video"] as const) {
      const track = this.local ? this.local.getTracks().find((t) => t.kind === kind) : undefined;
      const init: RTCRtpTransceiverInit = { direction: "sendrecv" };
      if (this.local) init.streams = [this.local];
      if (kind === "video") init.sendEncodings = [{ maxBitrate: MAX_BITRATE }];
      pc.addTransceiver(track || kind, init);
    }
  }

  // Browsers that ignore `sendEncodings` take it here; a browser that refuses keeps its own limit.
  private async limitRate(pc: RTCPeerConnection): Promise<void> {
    for (const sender of pc.getSenders()) {
      if (!sender.track || sender.track.kind !== "video" || !sender.getParameters) continue;
      const parameters = sender.getParameters() as EncodingParameters;
      if (!parameters.encodings || !parameters.encodings.length) parameters.encodings = [{}];
      parameters.encodings[0]!.maxBitrate = MAX_BITRATE;
      parameters.degradationPreference = "maintain-resolution";
      await sender.setParameters(parameters).catch(() => undefined);
    }
  }

  // What the browser believes it may send, where it says so; others are kept within the network by what the server tells them.
  private async look(pc: RTCPeerConnection): Promise<void> {
    let available = 0;
    (await pc.getStats()).forEach((report: { type: string; nominated?: boolean; availableOutgoingBitrate?: number }) => {
      if (report.type === "candidate-pair" && report.nominated) available = Math.max(available, report.availableOutgoingBitrate || 0);
    });
    if (this.pc !== pc || !available) return;
    const before = this.starve.step;
    const step = this.starve.look({ at: Date.now(), available });
    if (step === before) return;
    await this.showPicture(pc, step);
    this.events.picture(step);
  }

  private async showPicture(pc: RTCPeerConnection, step: Step): Promise<void> {
    for (const sender of pc.getSenders()) {
      if (!sender.track || sender.track.kind !== "video" || !sender.getParameters) continue;
      const parameters = sender.getParameters();
      if (!parameters.encodings || !parameters.encodings.length) continue;
      parameters.encodings[0]!.active = step < 2;
      parameters.encodings[0]!.scaleResolutionDownBy = step === 1 ? 2 : 1;
      await sender.setParameters(parameters).catch(() => undefined);
    }
  }

  private sendOffer(): void {
    const pc = this.pc;
    if (!pc || !pc.localDescription) return;
    this.offerWaits = !this.signals.offer(pc.localDescription.sdp, this.generation);
    if (!this.offerWaits) this.after(CONNECT_MS, () => this.later());
  }

  private async restart(): Promise<void> {
    const pc = this.pc;
    if (!pc || this.state === "closed") return;
    if (pc.signalingState !== "stable") {
      this.later();
      return;
    }
    try {
      if (pc.restartIce) pc.restartIce();
      await pc.setLocalDescription(await pc.createOffer({ iceRestart: true }));
    } catch {
      if (this.pc === pc) this.later();
      return;
    }
    if (this.pc !== pc || !pc.localDescription) return;
    // If the socket is down the restart is lost, never sent late: a new connection follows, which waits for the socket.
    this.signals.restart(pc.localDescription.sdp, this.generation);
    this.after(RESTART_MS, () => this.later());
  }

  // ICE and DTLS together where the browser tells (Firefox before 113 tells of ICE alone).
  private changed(pc: RTCPeerConnection): void {
    if (this.pc !== pc) return;
    const now = pc.connectionState || pc.iceConnectionState;
    if (now === this.seen) return;
    this.seen = now;
    if (now === "connected" || (now as string) === "completed") {
      this.failures = 0;
      this.after(0, null);
      if (!this.looks) this.looks = setInterval(() => void this.look(pc).catch(() => undefined), LOOK_MS);
      this.become("connected");
    } else if (now === "disconnected") {
      this.become("interrupted");
      this.after(SETTLE_MS, () => void this.restart());
    } else if (now === "failed") {
      this.events.failed();
      this.become("interrupted");
      if (this.failures) this.later();
      else void this.restart();
      this.failures++;
    }
  }

  // `change` also tells of estimates of the rate; only another kind of network is worth a restart.
  private readonly networkChanged = (event: Event): void => {
    const network = networkType();
    const other = event.type === "online" || network !== this.network;
    this.network = network;
    if (other && this.pc && this.pc.signalingState === "stable" && this.state !== "closed") void this.restart();
  };

  // A new connection after a pause that grows with each failure.
  private later(afterMs = 0): void {
    const pause = Math.max(afterMs, BACKOFF_MS[Math.min(this.failures, BACKOFF_MS.length - 1)]!);
    this.failures++;
    this.drop();
    this.become("interrupted");
    this.after(pause, () => void this.start());
  }

  private after(ms: number, action: (() => void) | null): void {
    if (this.watch) clearTimeout(this.watch);
    this.watch = action ? setTimeout(action, ms) : null;
  }

  private drop(): void {
    this.after(0, null);
    if (this.looks) clearInterval(this.looks);
    this.looks = null;
    if (this.starve.step) this.events.picture(0); // a new connection begins with the whole picture
    this.starve = new Starve();
    this.offerWaits = false;
    this.seen = "";
    if (!this.pc) return;
    this.pc.ontrack = this.pc.onconnectionstatechange = this.pc.oniceconnectionstatechange = null;
    this.pc.close();
    this.pc = null;
  }

  private become(state: LegState): void {
    if (this.state === state) return;
    this.state = state;
    this.events.state(state);
  }
}

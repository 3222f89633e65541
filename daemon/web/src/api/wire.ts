// The messages of protocol/websocket.md in TypeScript.
import type { CheckinRow, IncidentRow, Me, Message, PersonState } from "./types";

export type PageFact =
  | "permission_asked" | "permission_granted" | "permission_denied" | "no_camera" | "no_microphone" | "camera_in_use"
  | "no_webrtc" | "page_hidden" | "page_shown" | "closing" | "ice_failed" | "ice_connected" | "network_changed"
  | "camera_test_passed" | "picture_reduced" | "picture_off" | "picture_whole";

export type ChallengeKind = "read_digits" | "turn_left" | "turn_right" | "look_up" | "show_hand";
export type PauseReason = "undress" | "child" | "other";
export interface IceServer { urls: string | string[]; username?: string; credential?: string }
export interface Ways { ice_servers: IceServer[]; relay_only?: boolean } // that media may take

interface WireError { t: "error"; id?: number; code: string; field?: string | null; message: string; retry_after_ms?: number }
interface WireOk { t: "ok"; id?: number }

export type ToPersonSide =
  | { t: "join"; device: string; generation?: number; key?: number; signature?: string; id?: number }
  | { t: "offer" | "restart"; sdp: string; generation: number; id?: number }
  | { t: "fact"; fact: PageFact; detail?: string }
  | { t: "challenge_done"; number: number }
  | { t: "pause"; reason: PauseReason }
  | { t: "resume" }
  | { t: "decline"; reason: string }
  | { t: "leave" }
  | { t: "message"; client_id: string; text: string }
  | { t: "read"; up_to: number };

export interface Challenge { number: number; of: number; kind: ChallengeKind; digits?: string; seconds: number }

export type FromPersonSide =
  | ({ t: "hello"; state: PersonState } & Ways)
  | ({ t: "ice" } & Ways)
  | { t: "answer"; sdp: string; generation: number }
  | { t: "reconnect"; reason: string }
  | { t: "waiting"; since: string }
  | { t: "connected"; with: string; recording: boolean }
  | { t: "recording"; on: boolean; reason?: string }
  | ({ t: "challenge" } & Challenge)
  | { t: "peer"; state: "here" | "away" }
  | { t: "ended"; result: string; receipt: string | null; state: PersonState }
  | ({ t: "message" } & Message)
  | { t: "delivered" | "read"; up_to: number }
  | { t: "replaced" }
  | WireError
  | WireOk;

export type ToConsoleSide =
  | { t: "take"; checkin: number; generation?: number; id?: number }
  | { t: "end"; checkin: number; id?: number }
  | { t: "active" }
  | { t: "offer" | "restart"; checkin: number; sdp: string; generation: number; id?: number }
  | { t: "message"; person: number; client_id: string; text: string }
  | { t: "read"; person: number; up_to: number };

export type LinkQuality = "good" | "fair" | "poor" | "lost";
export type PeerState = "waiting" | "connecting" | "here" | "away" | "left";

export type FromConsoleSide =
  | ({ t: "hello"; me: Me } & Ways)
  | ({ t: "ice" } & Ways)
  | { t: "today" }
  | { t: "ring"; checkin: CheckinRow }
  | { t: "ring_stop"; checkin: number; reason: "taken" | "gone" | "unattended" }
  | { t: "alert"; incident: IncidentRow; notice: string; nobody_reached?: true }
  | { t: "incident"; incident: number }
  | { t: "store"; from: string; lasted_ms?: number }
  | { t: "taken"; checkin: number; by?: string }
  | { t: "answer"; checkin: number; sdp: string; generation: number }
  | { t: "reconnect"; checkin: number; reason: string }
  | { t: "peer"; checkin: number; state: PeerState; camera?: boolean }
  | { t: "link"; checkin: number; quality: LinkQuality; rtt_ms: number; loss: number; kbps: number }
  | { t: "recording"; checkin: number; on: boolean; reason?: string }
  | { t: "ended"; checkin: number; reason: string }
  | ({ t: "message"; person: number } & Message)
  | { t: "delivered" | "read"; person: number; up_to: number }
  | WireError
  | WireOk;

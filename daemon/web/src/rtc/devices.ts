// Camera and microphone: what the browser gives, and why it gives nothing.
//
// A refusal is evidence (protocol/websocket.md "facts"), so the reasons are kept apart as far as browsers let us.

export type DeviceProblem =
  | "denied" // the person, or an earlier choice, refused this page
  | "denied_system" // the phone refuses the browser itself
  | "no_camera"
  | "in_use" // another program holds it
  | "no_webrtc"; // the browser cannot do it at all, or the page is not secure

export interface Devices {
  stream: MediaStream | null;
  camera: boolean;
  microphone: boolean;
  problem: DeviceProblem | null; // of the camera; a missing microphone alone is no problem
}

const CAMERA: MediaTrackConstraints = {
  width: { ideal: 640 }, height: { ideal: 480 }, frameRate: { ideal: 30, max: 30 }, facingMode: "user",
};
const MICROPHONE: MediaTrackConstraints = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };

export function canCall(): boolean {
  return typeof RTCPeerConnection === "function" && !!navigator.mediaDevices && typeof navigator.mediaDevices.getUserMedia === "function" &&
    "addTransceiver" in RTCPeerConnection.prototype;
}

export function problemOf(error: { name?: string; message?: string }): DeviceProblem {
  const name = error.name || "";
  if (/NotFound|DevicesNotFound|Overconstrained|ConstraintNotSatisfied/.test(name)) return "no_camera";
  if (/NotReadable|TrackStart|Abort|SourceUnavailable/.test(name)) return "in_use";
  if (/NotAllowed|PermissionDenied|PermissionDismissed|Security/.test(name)) {
    return /system/i.test(error.message || "") ? "denied_system" : "denied";
  }
  return "no_webrtc";
}

async function ask(constraints: MediaStreamConstraints): Promise<MediaStream | { problem: DeviceProblem }> {
  try {
    return await navigator.mediaDevices.getUserMedia(constraints);
  } catch (cause) {
    return { problem: problemOf(cause as { name?: string; message?: string }) };
  }
}

// Asks for both; where one is missing or taken, for the other alone.
export async function openDevices(): Promise<Devices> {
  if (!canCall()) return { stream: null, camera: false, microphone: false, problem: "no_webrtc" };
  const both = await ask({ video: CAMERA, audio: MICROPHONE });
  if (!("problem" in both)) return { stream: both, camera: true, microphone: true, problem: null };
  if (both.problem === "denied" || both.problem === "denied_system" || both.problem === "no_webrtc") {
    return { stream: null, camera: false, microphone: false, problem: both.problem };
  }
  const picture = await ask({ video: CAMERA });
  if (!("problem" in picture)) return { stream: picture, camera: true, microphone: false, problem: null };
  const sound = await ask({ audio: MICROPHONE });
  if (!("problem" in sound)) return { stream: sound, camera: false, microphone: true, problem: picture.problem };
  return { stream: null, camera: false, microphone: false, problem: picture.problem };
}

export function closeStream(stream: MediaStream | null): void {
  if (stream) stream.getTracks().forEach((track) => track.stop());
}

// Whether the browser would give the camera without asking; null where it does not say.
export async function cameraAllowed(): Promise<boolean | null> {
  try {
    const status = await navigator.permissions.query({ name: "camera" as PermissionName });
    return status.state === "granted" ? true : status.state === "denied" ? false : null;
  } catch {
    return null;
  }
}

export type BrowserFamily = "chrome" | "firefox" | "safari" | "samsung";

// For the pictures that show where the permission is.
export function browserFamily(agent: string): BrowserFamily {
  if (/SamsungBrowser/.test(agent)) return "samsung";
  if (/iPhone|iPad|iPod/.test(agent)) return "safari";
  if (/Firefox/.test(agent)) return "firefox";
  if (/Safari/.test(agent) && !/Chrom/.test(agent)) return "safari";
  return "chrome";
}

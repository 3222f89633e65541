// Asks the browser for notices, by a tap only: a page that asks by itself is refused for ever.
export type PushState = "unsupported" | "not_set_up" | "off" | "on" | "refused";

const WORKER = "/push-worker.js";

export interface PushServer {
  key(): Promise<string | null>; // of the server, base64url; null: not set up
  subscribe(subscription: string): Promise<unknown>;
  stop(subscription: string): Promise<unknown>;
}

function supported(): boolean {
  return "serviceWorker" in navigator && "PushManager" in window && "Notification" in window;
}

function bytesOf(text: string): ArrayBuffer {
  const plain = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
  const buffer = new ArrayBuffer(plain.length);
  const bytes = new Uint8Array(buffer);
  for (let i = 0; i < plain.length; i++) bytes[i] = plain.charCodeAt(i);
  return buffer;
}

async function present(): Promise<PushSubscription | null> {
  const registration = await navigator.serviceWorker.getRegistration("/");
  return registration ? registration.pushManager.getSubscription() : null;
}

export async function pushState(server: PushServer): Promise<PushState> {
  if (!supported()) return "unsupported";
  if (!(await server.key())) return "not_set_up";
  if (Notification.permission === "denied") return "refused";
  return (await present()) ? "on" : "off";
}

export async function pushOn(server: PushServer): Promise<PushState> {
  const key = await server.key();
  if (!key) return "not_set_up";
  if ((await Notification.requestPermission()) !== "granted") return "refused";
  const registration = await navigator.serviceWorker.register(WORKER, { scope: "/" });
  await navigator.serviceWorker.ready;
  const subscription = await registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: bytesOf(key) });
  await server.subscribe(JSON.stringify(subscription.toJSON()));
  return "on";
}

export async function pushOff(server: PushServer): Promise<PushState> {
  const subscription = await present();
  if (subscription) {
    await server.stop(JSON.stringify(subscription.toJSON()));
    await subscription.unsubscribe();
  }
  return "off";
}

// The service worker behind both pages: shows what a push brings, opens its link on a tap, and does nothing else. It keeps
// no copy of anything: what is on a page is asked for when the page is open.
interface Letter { version: number; title: string; link: string; reference: string; severity: string; repeated: boolean }
interface PushLike extends Event { data: { json(): unknown } | null; waitUntil(work: Promise<unknown>): void }
interface ClickLike extends Event { notification: { close(): void; data: unknown }; waitUntil(work: Promise<unknown>): void }
interface Scope {
  registration: { showNotification(title: string, options: Record<string, unknown>): Promise<void> };
  clients: { openWindow(url: string): Promise<unknown> };
  location: { origin: string };
  addEventListener(type: string, listener: (event: never) => void): void;
}

const scope = self as unknown as Scope;

scope.addEventListener("push", (event: PushLike) => {
  const letter = (event.data ? event.data.json() : null) as Letter | null;
  if (!letter || letter.version !== 1) return;
  const urgent = letter.severity === "high" || letter.severity === "top";
  // On a lock screen the title is all there is.
  event.waitUntil(scope.registration.showNotification(letter.title, { tag: letter.reference, renotify: true, requireInteraction: urgent, icon: "/favicon.svg", data: letter.link }));
});

scope.addEventListener("notificationclick", (event: ClickLike) => {
  event.notification.close();
  const link = String(event.notification.data || "/");
  // Never to another place than our own.
  if (new URL(link, scope.location.origin).origin === scope.location.origin) event.waitUntil(scope.clients.openWindow(link));
});

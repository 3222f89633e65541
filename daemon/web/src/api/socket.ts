// A WebSocket that comes back by itself. protocol/websocket.md says what travels on it.
//
// Messages sent while it is down are refused (`send` returns false): whoever sends decides whether to keep them,
// because an old `join` or `offer` must not arrive after the world has moved on.

export interface Envelope {
  t: string;
}

export type SocketState = "connecting" | "open" | "down" | "refused"; // refused: no session (any more)

const FIRST_RETRY_MS = 400;
const LAST_RETRY_MS = 8_000;
const NO_SESSION = 4401;
const OVERLOADED = 1013;
const SILENCE_MS = 50_000; // the server pings every 15 s, but a page cannot see pings

export class Socket<Incoming extends Envelope, Outgoing extends Envelope> {
  private socket: WebSocket | null = null;
  private retryMs = FIRST_RETRY_MS;
  private timer: ReturnType<typeof setTimeout> | null = null;
  private closed = false;
  private lastHeard = 0;
  state: SocketState = "connecting";

  constructor(
    private readonly path: string,
    private readonly onMessage: (message: Incoming) => void,
    private readonly onState: (state: SocketState) => void,
  ) {
    window.addEventListener("online", this.hurry);
    window.addEventListener("pageshow", this.hurry);
    document.addEventListener("visibilitychange", this.hurry);
    this.open();
  }

  send(message: Outgoing): boolean {
    if (!this.socket || this.socket.readyState !== WebSocket.OPEN) return false;
    this.socket.send(JSON.stringify(message));
    return true;
  }

  close(): void {
    this.closed = true;
    window.removeEventListener("online", this.hurry);
    window.removeEventListener("pageshow", this.hurry);
    document.removeEventListener("visibilitychange", this.hurry);
    if (this.timer) clearTimeout(this.timer);
    if (this.socket) this.socket.close(1000);
    this.socket = null;
  }

  private open(): void {
    if (this.closed) return;
    this.timer = null;
    this.become("connecting");
    const scheme = location.protocol === "http:" ? "ws:" : "wss:";
    const socket = new WebSocket(`${scheme}//${location.host}${this.path}`);
    this.socket = socket;
    socket.onopen = () => {
      this.retryMs = FIRST_RETRY_MS;
      this.lastHeard = Date.now();
      this.become("open");
    };
    socket.onmessage = (event) => {
      this.lastHeard = Date.now();
      let message: Incoming | null = null;
      try {
        message = JSON.parse(String(event.data)) as Incoming;
      } catch {
        return; // the server never sends anything else; a newer one might
      }
      if (message && typeof message.t === "string") this.onMessage(message);
    };
    socket.onclose = (event) => {
      if (this.socket !== socket) return;
      this.socket = null;
      if (event.code === NO_SESSION) {
        this.close();
        this.become("refused");
      } else {
        if (event.code === OVERLOADED) this.retryMs = LAST_RETRY_MS;
        this.again();
      }
    };
  }

  private again(): void {
    if (this.closed) return;
    this.become("down");
    this.timer = setTimeout(() => this.open(), this.retryMs * (0.75 + Math.random() / 2));
    this.retryMs = Math.min(this.retryMs * 2, LAST_RETRY_MS);
  }

  // A phone that wakes up or changes network: try at once instead of waiting out the timer. A socket that was silent
  // while the page slept is most likely dead without knowing it.
  private readonly hurry = (): void => {
    if (this.closed || document.visibilityState === "hidden") return;
    if (!this.socket && this.timer) {
      clearTimeout(this.timer);
      this.retryMs = FIRST_RETRY_MS;
      this.open();
    } else if (this.socket && this.socket.readyState === WebSocket.OPEN && Date.now() - this.lastHeard > SILENCE_MS) {
      const stale = this.socket;
      this.socket = null;
      stale.close();
      this.open();
    }
  };

  private become(state: SocketState): void {
    if (this.state === state) return;
    this.state = state;
    this.onState(state);
  }
}

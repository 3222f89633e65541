// Requests to the daemon. GET changes nothing; every change is a POST with the CSRF token of the session.
import type { ApiError } from "./types";

export type FailureCode = ApiError["code"] | "offline" | "server";

// One way to fail for the whole page. `offline`: nothing came back; `server`: what came back is not ours.
export class Failure extends Error {
  constructor(
    readonly code: FailureCode,
    readonly field: string | null,
    message: string,
    readonly status: number,
    readonly retryAfterMs: number | null,
    readonly helpPhone: string | null = null, // whom a person can call
  ) {
    super(message);
  }
}

export function failureOf(cause: unknown): Failure {
  return cause instanceof Failure ? cause : new Failure("server", null, String(cause), 0, null);
}

let sessionEnded: (() => void) | null = null;

// Told when the server says that there is no session (any more): on any request but those that ask for one.
export function onSessionEnd(told: () => void): void {
  sessionEnded = told;
}

let csrf = "";

export function setCsrf(token: string): void {
  csrf = token;
}

const REQUEST_TIMEOUT_MS = 20_000;
export const FILE_TIMEOUT_MS = 180_000; // a photo over a bad mobile network

async function failureFrom(response: Response): Promise<Failure> {
  const after = Number(response.headers.get("Retry-After"));
  const retryAfterMs = after > 0 ? after * 1000 : null;
  try {
    const body = (await response.json()) as { error?: Partial<ApiError> };
    if (body.error && body.error.code) {
      return new Failure(body.error.code, body.error.field || null, body.error.message || "", response.status, retryAfterMs, body.error.help_phone || null);
    }
  } catch {
    // Not JSON: a proxy or a half answer. The status says what is known.
  }
  const byStatus: Record<number, FailureCode> = {
    401: "unauthenticated", 403: "denied", 404: "not_found", 409: "conflict", 413: "limit", 429: "busy", 503: "unavailable",
  };
  return new Failure(byStatus[response.status] || "server", null, response.statusText, response.status, retryAfterMs);
}

async function ask(path: string, init: RequestInit, timeoutMs = REQUEST_TIMEOUT_MS): Promise<Response> {
  const abort = typeof AbortController === "function" ? new AbortController() : null;
  const timer = setTimeout(() => abort && abort.abort(), timeoutMs);
  let response: Response;
  try {
    response = await fetch(path, { credentials: "same-origin", cache: "no-store", ...init, ...(abort ? { signal: abort.signal } : {}) });
  } catch (cause) {
    throw new Failure("offline", null, String(cause), 0, null);
  } finally {
    clearTimeout(timer);
  }
  if (response.ok) return response;
  const failure = await failureFrom(response);
  // With a field it is about what was typed: a code, a password.
  if (failure.code === "unauthenticated" && !failure.field && sessionEnded) sessionEnded();
  throw failure;
}

async function request<T>(path: string, init: RequestInit, timeoutMs?: number): Promise<T> {
  const response = await ask(path, init, timeoutMs);
  try {
    return (await response.json()) as T;
  } catch (cause) {
    throw new Failure("server", null, String(cause), response.status, null);
  }
}

export function get<T>(path: string): Promise<T> {
  return request<T>(path, { method: "GET" });
}

export async function getFile(path: string): Promise<Blob> {
  const response = await ask(path, { method: "GET" });
  try {
    return await response.blob();
  } catch (cause) {
    throw new Failure("offline", null, String(cause), 0, null); // it broke off on the way
  }
}

export function post<T>(path: string, body: unknown = {}, timeoutMs?: number): Promise<T> {
  return request<T>(path, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-CSRF-Token": csrf },
    body: JSON.stringify(body),
  }, timeoutMs);
}

export function postImage(path: string, image: Blob): Promise<unknown> {
  return request<unknown>(path, {
    method: "POST",
    headers: { "Content-Type": "image/jpeg", "X-CSRF-Token": csrf },
    body: image,
  });
}

export function query(members: Record<string, string | number | null | undefined>): string {
  const parts: string[] = [];
  for (const name of Object.keys(members)) {
    const value = members[name];
    if (value !== null && value !== undefined && value !== "") parts.push(`${name}=${encodeURIComponent(String(value))}`);
  }
  return parts.length ? "?" + parts.join("&") : "";
}

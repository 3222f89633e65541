// One message thread as a page holds it: what the server knows, and what is still on its way there.
import { failureOf } from "../api/http";
import type { Message, MessagePage } from "../api/types";
import type { Attachment } from "./attachment";
import { keep, kept } from "./draft";
import { newId } from "./memory";

export interface ThreadItem extends Message {
  way: "sending" | "failed" | null; // null: the server has it
  why?: "many" | "refused"; // it failed for good
  attachment?: Attachment | null; // of one that the server does not have yet
}

export interface ThreadState {
  items: readonly ThreadItem[]; // oldest first
  loaded: boolean;
  more: number | null; // `before` for the page before the oldest
}

export const EMPTY_THREAD: ThreadState = { items: [], loaded: false, more: null };
export const MAX_MESSAGE = 2000;

const byTime = (a: ThreadItem, b: ThreadItem): number =>
  a.way && !b.way ? 1 : b.way && !a.way ? -1 : a.way ? 0 : a.id - b.id;

// Messages come twice (answer and push, reload and push): the id decides, and client_id joins an own one with its echo.
export function withMessages(state: ThreadState, messages: readonly Message[]): ThreadState {
  const items = state.items.slice();
  for (const message of messages) {
    const index = items.findIndex((item) => (!item.way && item.id === message.id) || (!!item.way && item.client_id === message.client_id));
    const known = index >= 0 ? items[index] : undefined;
    const item: ThreadItem = {
      ...message,
      delivered: message.delivered || (known ? known.delivered : null),
      read: message.read || (known ? known.read : null),
      way: null,
    };
    if (index >= 0) items[index] = item;
    else items.push(item);
  }
  items.sort(byTime);
  return { ...state, items };
}

export function withPage(state: ThreadState, page: MessagePage): ThreadState {
  return { ...withMessages(state, page.messages), loaded: true, more: page.next };
}

export function withDraft(state: ThreadState, from: "person" | "staff", author: string, text: string, attachment: Attachment | null, now: string): [ThreadState, string] {
  const client_id = newId();
  const file = attachment ? { name: attachment.name, type: "", size: attachment.size } : null;
  const item: ThreadItem = { id: 0, client_id, from, author, author_id: null, text, file, attachment, sent: now, delivered: null, read: null, way: "sending" };
  return [{ ...state, items: state.items.concat(item) }, client_id];
}

interface Unsent { client_id: string; from: "person" | "staff"; author: string; author_id: number | null; text: string; sent: string }

// What the server does not have yet outlives a reload, except files. `key` names the thread.
export function keepUnsent(key: string, state: ThreadState): void {
  if (!state.loaded && !state.items.length) return; // nothing is known yet
  const unsent = state.items.filter((item) => item.way && !item.attachment && item.text)
    .map(({ client_id, from, author, author_id, text, sent }) => ({ client_id, from, author, author_id, text, sent }));
  keep("unsent." + key, unsent.length ? unsent : null);
}

// Whether it arrived before the reload the server knows: what it has not is offered to be sent again, under the same name.
export function withUnsent(key: string, state: ThreadState): ThreadState {
  const left = (kept<Unsent[]>("unsent." + key) || []).filter((one) => !state.items.some((item) => item.client_id === one.client_id));
  return { ...state, items: state.items.concat(left.map((one) => ({ ...one, id: 0, file: null, delivered: null, read: null, way: "failed" }))) };
}

export function withWay(state: ThreadState, client_id: string, way: "sending" | "failed", cause?: unknown): ThreadState {
  const code = cause === undefined ? "" : failureOf(cause).code;
  const why = code === "busy" ? "many" : code === "invalid" || code === "limit" ? "refused" : undefined;
  return { ...state, items: state.items.map((item) => (item.way && item.client_id === client_id ? { ...item, way, why } : item)) };
}

// What is sent, or sent again, of a message: the body of the request.
export function bodyOf(state: ThreadState, client_id: string): { client_id: string; text: string; file?: { name: string; data: string } } {
  const item = state.items.find((one) => one.client_id === client_id);
  const attachment = item && item.attachment;
  return { client_id, text: (item && item.text) || "", ...(attachment ? { file: { name: attachment.name, data: attachment.data } } : {}) };
}

// The other side got or saw everything of ours up to `upTo`.
export function withReceipt(state: ThreadState, mine: "person" | "staff", kind: "delivered" | "read", upTo: number, at: string): ThreadState {
  return {
    ...state,
    items: state.items.map((item) =>
      item.from === mine && !item.way && item.id <= upTo
        ? { ...item, delivered: item.delivered || at, read: kind === "read" ? item.read || at : item.read }
        : item,
    ),
  };
}

export function newestFrom(state: ThreadState, from: "person" | "staff"): number {
  return state.items.reduce((newest, item) => (item.from === from && !item.way ? Math.max(newest, item.id) : newest), 0);
}

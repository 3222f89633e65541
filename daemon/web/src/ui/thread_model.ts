// One message thread as a page holds it: what the server knows, and what is still on its way there.
import type { Message } from "../api/types";
import { newId } from "./memory";

export interface ThreadItem extends Message {
  way: "sending" | "failed" | null; // null: the server has it
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

export function withPage(state: ThreadState, page: { messages: readonly Message[]; next: number | null }): ThreadState {
  return { ...withMessages(state, page.messages), loaded: true, more: page.next };
}

export function withDraft(state: ThreadState, from: "person" | "staff", author: string, text: string, now: string): [ThreadState, string] {
  const client_id = newId();
  const item: ThreadItem = { id: 0, client_id, from, author, text, sent: now, delivered: null, read: null, way: "sending" };
  return [{ ...state, items: state.items.concat(item) }, client_id];
}

export function withWay(state: ThreadState, client_id: string, way: "sending" | "failed"): ThreadState {
  return { ...state, items: state.items.map((item) => (item.way && item.client_id === client_id ? { ...item, way } : item)) };
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

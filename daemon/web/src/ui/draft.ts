// What somebody was writing, kept in this tab until it is sent: a reload, a session that ends or a tap beside the
// dialog loses no word. Of one person alone, and of nobody after the log-out.
import { useState } from "preact/hooks";

const PREFIX = "checkind.draft.";
let owner = "";

function shelf(): Storage | null {
  try {
    return sessionStorage;
  } catch {
    return null; // a browser that keeps nothing: the form works all the same
  }
}

function remove(which: (key: string) => boolean): void {
  const store = shelf();
  if (!store) return;
  const keys = Array.from({ length: store.length }, (_, index) => store.key(index) || "");
  keys.filter((key) => key.indexOf(PREFIX) === 0 && which(key)).forEach((key) => store.removeItem(key));
}

// Whose drafts these are from here on; anybody else's are gone.
export function keepDraftsOf(who: number): void {
  owner = `${PREFIX}${who}.`;
  remove((key) => key.indexOf(owner) !== 0);
}

export function forgetDrafts(): void {
  remove(() => true);
}

// What is kept beside a form: read once, kept at once, null to forget.
export function kept<T>(key: string): T | null {
  const store = shelf();
  try {
    const text = store && store.getItem((owner || PREFIX) + key);
    return text ? (JSON.parse(text) as T) : null;
  } catch {
    return null;
  }
}

export function keep(key: string, value: unknown): void {
  const store = shelf();
  try {
    if (!store) return;
    if (value === null) store.removeItem((owner || PREFIX) + key);
    else store.setItem((owner || PREFIX) + key, JSON.stringify(value));
  } catch {
    // Full: the form works all the same.
  }
}

export interface Draft<T> {
  value: T;
  restored: boolean; // it is not what the form begins with, but what was left here
  set(value: T): void;
  clear(): void; // sent, or not wanted: the form begins anew
}

function begin<T>(key: string | null, initial: T): { value: T; restored: boolean } {
  const left = key === null ? null : kept<T>(key);
  if (left === null || typeof left !== typeof initial) return { value: initial, restored: false };
  const members = typeof left === "object" && !Array.isArray(left);
  return { value: members ? { ...initial, ...left } : left, restored: true };
}

// `key` names the form and what it is about, the same as long as the form is there; null keeps nothing.
export function useDraft<T>(key: string | null, initial: T): Draft<T> {
  const [first] = useState(initial);
  const [state, setState] = useState(() => begin(key, initial));
  return {
    ...state,
    set: (value) => {
      if (key !== null) keep(key, JSON.stringify(value) === JSON.stringify(first) ? null : value);
      setState({ value, restored: state.restored });
    },
    clear: () => {
      if (key !== null) keep(key, null);
      setState({ value: first, restored: false });
    },
  };
}

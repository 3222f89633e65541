// Reading from the server: what is shown at once (from memory), what is new, and what must wait.
import { useEffect, useRef, useState } from "preact/hooks";
import { Failure, failureOf, get } from "../api/http";

export type Topic = "today" | "incident" | "message" | "person" | "all";

const watchers = new Set<(topic: Topic) => void>();

let changes = 0;

// Something changed on the server: whoever shows it reads again.
export function changed(topic: Topic): void {
  changes++;
  watchers.forEach((watcher) => watcher(topic));
}

const memory = new Map<string, unknown>();
const MEMORY_MOST = 60;

export function forget(): void {
  memory.clear();
}

export interface Load<T> {
  data: T | null;
  failure: Failure | null;
  loading: boolean; // the first time, with nothing to show yet
  again(): void; // also after a POST: what is being read since before it is not taken
  put(data: T): void; // a POST answered with the new state
}

// Several readers of one path in the same moment share one request; one that began before the last change may tell
// what was before it, and is not shared.
const under = new Map<string, { request: Promise<unknown>; changes: number }>();

function fetchOnce<T>(path: string): Promise<T> {
  const running = under.get(path);
  if (running && running.changes === changes) return running.request as Promise<T>;
  const request = get<T>(path);
  under.set(path, { request, changes });
  const over = (): void => {
    const now = under.get(path);
    if (now && now.request === request) under.delete(path);
  };
  request.then(over, over);
  return request;
}

export function useLoad<T>(path: string | null, topics: readonly Topic[]): Load<T> {
  const [, draw] = useState(0);
  const state = useRef<{ path: string | null; data: T | null; failure: Failure | null; turn: number; reading: boolean }>({ path: null, data: null, failure: null, turn: 0, reading: false });
  const current = state.current;
  if (current.path !== path) {
    current.path = path;
    current.data = path ? ((memory.get(path) as T | undefined) ?? null) : null;
    current.failure = null;
  }

  const put = (data: T): void => {
    if (!path || current.path !== path) return;
    if (memory.size > MEMORY_MOST) memory.clear();
    memory.set(path, data);
    current.data = data;
    current.failure = null;
    draw((n) => n + 1);
  };

  const read = (): void => {
    if (!path) return;
    const turn = ++current.turn;
    current.reading = true;
    fetchOnce<T>(path).then(
      (data) => {
        if (turn !== current.turn) return;
        current.reading = false;
        put(data);
      },
      (cause: unknown) => {
        if (turn !== current.turn) return;
        current.reading = false;
        current.failure = failureOf(cause);
        draw((n) => n + 1);
      },
    );
  };

  // What is being read began before the POST was answered, and may tell what was before it: it is read anew.
  const putAnswer = (data: T): void => {
    changes++;
    put(data);
    if (current.reading) read();
  };

  const again = (): void => {
    changes++;
    read();
  };

  useEffect(() => {
    read();
    const watcher = (topic: Topic): void => {
      if (topic === "all" || topics.indexOf(topic) >= 0) read();
    };
    watchers.add(watcher);
    return () => {
      current.turn++;
      watchers.delete(watcher);
    };
  }, [path]);

  return { data: current.data, failure: current.failure, loading: !!path && !current.data && !current.failure, again, put: putAnswer };
}

// Runs whenever one of the topics changes, for what keeps more than one reading.
export function useChanged(topics: readonly Topic[], work: () => void): void {
  const latest = useRef(work);
  latest.current = work;
  useEffect(() => {
    const watcher = (topic: Topic): void => {
      if (topics.indexOf(topic) >= 0) latest.current();
    };
    watchers.add(watcher);
    return () => void watchers.delete(watcher);
  }, []);
}

// The answer to what a form asks before it is sent: none where the form says something else by now, and the one that
// comes late for what it said before is none either.
export function useAnswer<T>(question: unknown): [T | null, (answer: T) => void] {
  const [held, hold] = useState<{ wire: string; answer: T } | null>(null);
  const wire = JSON.stringify(question);
  return [held && held.wire === wire ? held.answer : null, (answer) => hold({ wire, answer })];
}

export interface SteadyRow<T> {
  row: T;
  gone: boolean; // no longer in the list, kept in its place until the reader lets it go
}

// What a list shows next. Rows that are on the screen keep their place; new ones wait to be let in.
export function steady<T>(shown: readonly SteadyRow<T>[], rows: readonly T[], key: (row: T) => number | string, letIn: boolean): { shown: SteadyRow<T>[]; waiting: number } {
  if (letIn || !shown.length) return { shown: rows.map((row) => ({ row, gone: false })), waiting: 0 };
  const byKey = new Map(rows.map((row) => [key(row), row]));
  const next = shown.map((entry) => {
    const now = byKey.get(key(entry.row));
    byKey.delete(key(entry.row));
    return now === undefined ? { row: entry.row, gone: true } : { row: now, gone: false };
  });
  return { shown: next, waiting: byKey.size };
}

const REST_MS = 8_000;
let lastTouched = 0;
for (const name of ["pointerdown", "keydown", "wheel", "touchmove"]) {
  if (typeof window !== "undefined") window.addEventListener(name, () => (lastTouched = Date.now()), { passive: true, capture: true });
}

// Nobody's finger or pointer is on the page: nothing can jump away from under it.
function atRest(list: HTMLElement | null): boolean {
  if (document.visibilityState === "hidden" || !list) return true;
  return Date.now() - lastTouched > REST_MS && !list.matches(":hover") && !list.contains(document.activeElement);
}

export function useSteady<T>(rows: readonly T[] | null, key: (row: T) => number | string): { shown: SteadyRow<T>[]; waiting: number; letIn(): void; list: { current: HTMLDivElement | null } } {
  const list = useRef<HTMLDivElement>(null);
  const kept = useRef<SteadyRow<T>[]>([]);
  const [, draw] = useState(0);
  const seen = useRef<readonly T[] | null>(null);
  let waiting = 0;
  if (rows) {
    const fresh = rows !== seen.current;
    seen.current = rows;
    const next = steady(kept.current, rows, key, fresh && atRest(list.current));
    kept.current = next.shown;
    waiting = next.waiting;
  }
  return {
    shown: kept.current,
    waiting,
    letIn: () => {
      kept.current = [];
      draw((n) => n + 1);
    },
    list,
  };
}

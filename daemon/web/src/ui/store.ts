// A value that many components watch. Changes of one turn are shown together.
import { useEffect, useState } from "preact/hooks";

export class Store<T extends object> {
  private watchers = new Set<() => void>();
  private told = false;

  constructor(public value: T) {}

  set(change: Partial<T>): void {
    this.value = { ...this.value, ...change };
    if (this.told) return;
    this.told = true;
    void Promise.resolve().then(() => {
      this.told = false;
      this.watchers.forEach((watcher) => watcher());
    });
  }

  watch(watcher: () => void): () => void {
    this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  }
}

export function useStore<T extends object>(store: Store<T>): T {
  const [value, setValue] = useState(store.value);
  useEffect(() => {
    setValue(store.value);
    return store.watch(() => setValue(store.value));
  }, [store]);
  return value;
}

// Draws again every `ms` while mounted, for ages and countdowns.
export function useTick(ms: number): number {
  const [tick, setTick] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => setTick((n) => n + 1), ms);
    return () => clearInterval(timer);
  }, [ms]);
  return tick;
}

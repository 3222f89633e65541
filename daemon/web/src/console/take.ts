// "I take it" on a bad network. An answer that does not come says nothing: the incident is looked at again and, while it
// is open, asked for again, until it is known who holds it.
import { useEffect, useRef, useState } from "preact/hooks";
import { type Failure, failureOf, get, post } from "../api/http";
import type { Incident } from "../api/types";

export type TakePhase = "idle" | "sending" | "unsure" | "mine" | "not_mine";

export interface Take {
  phase: TakePhase;
  failure: Failure | null; // what no second try would change
  begin(): void;
}

const ANSWER_MS = 8_000;
const AGAIN_MS = 3_000;

function mayHeal(failure: Failure): boolean {
  return failure.code === "offline" || failure.code === "busy" || failure.code === "unavailable" || failure.code === "server";
}

export function useTake(id: number, put: (incident: Incident) => void, mine: () => void): Take {
  const [state, setState] = useState<{ phase: TakePhase; failure: Failure | null }>({ phase: "idle", failure: null });
  const turn = useRef(0); // a later one makes all before it void
  const timer = useRef<ReturnType<typeof setTimeout> | null>(null);
  const again = useRef<(() => void) | null>(null);

  const stop = (): void => {
    turn.current++;
    if (timer.current) clearTimeout(timer.current);
    again.current = null;
  };
  useEffect(() => {
    const hurry = (): void => {
      if (again.current) again.current();
    };
    window.addEventListener("online", hurry);
    return () => {
      window.removeEventListener("online", hurry);
      stop();
    };
  }, [id]);

  // What the server says now. True where somebody holds it, or nobody need.
  const look = async (): Promise<boolean> => {
    const now = await get<Incident>(`/api/incidents/${id}`);
    put(now);
    return now.state !== "open";
  };
  const attempt = async (first: boolean): Promise<void> => {
    const own = ++turn.current;
    again.current = null;
    setState({ phase: first ? "sending" : "unsure", failure: null });
    let phase: TakePhase = "mine";
    try {
      // The one that got no answer may have arrived; taking it a second time would be a second entry in the log.
      if (first || !(await look())) put(await post<Incident>(`/api/incidents/${id}/acknowledge`, {}, ANSWER_MS));
    } catch (cause) {
      const failure = failureOf(cause);
      if (own !== turn.current) return;
      if (mayHeal(failure)) {
        setState({ phase: "unsure", failure: null });
        again.current = () => {
          if (timer.current) clearTimeout(timer.current);
          void attempt(false);
        };
        timer.current = setTimeout(again.current, failure.retryAfterMs || AGAIN_MS);
        return;
      }
      if (failure.code !== "conflict") return setState({ phase: "idle", failure });
      phase = "not_mine";
      await look().catch(() => undefined); // the list of the day says it too
    }
    if (own !== turn.current) return;
    setState({ phase, failure: null });
    if (phase === "mine") mine();
  };
  return { ...state, begin: () => void (state.phase === "sending" || state.phase === "unsure" || attempt(true)) };
}

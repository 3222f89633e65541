// Calls announced on this telephone while the page is closed: offered where there is time to think about it.
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { get, post } from "../api/http";
import { pushOff, pushOn, type PushServer, type PushState, pushState } from "../push/subscribe";
import { Icon } from "../ui/icons";
import { useSession } from "./parts";

const server: PushServer = {
  key: async () => (await get<{ key: string | null }>("/api/push/key")).key,
  subscribe: (subscription) => post("/api/p/push", { subscription }),
  stop: (subscription) => post("/api/p/push/stop", { subscription }),
};

export function PushCard(): JSX.Element | null {
  const { texts } = useSession();
  const [state, setState] = useState<PushState | null>(null);
  const [failed, setFailed] = useState(false);
  useEffect(() => {
    pushState(server).then(setState, () => setState("not_set_up"));
  }, []);
  const change = (work: (server: PushServer) => Promise<PushState>): void => {
    setFailed(false);
    work(server).then(setState, () => setFailed(true));
  };
  if (!state || state === "not_set_up" || state === "unsupported") return null;
  return (
    <section class="card">
      <h2><Icon name="bell" />{texts.t("push_title")}</h2>
      <p>{texts.t(state === "refused" ? "push_refused" : state === "on" ? "push_is_on" : "push_text")}</p>
      {failed && <p role="alert">{texts.t("push_failed")}</p>}
      {state === "off" && <button type="button" class="button primary" onClick={() => change(pushOn)}>{texts.t("push_on")}</button>}
      {state === "on" && <button type="button" class="button" onClick={() => change(pushOff)}>{texts.t("push_off")}</button>}
    </section>
  );
}

// Notices of incidents in this browser, while the page is closed.
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { get, post } from "../api/http";
import { pushOff, pushOn, type PushServer, type PushState, pushState } from "../push/subscribe";
import { Icon } from "../ui/icons";
import { ActionFailure, Card, Chip, useAction, useSession } from "./parts";

const server: PushServer = {
  key: async () => (await get<{ key: string | null }>("/api/push/key")).key,
  subscribe: (subscription) => post("/api/push", { subscription }),
  stop: (subscription) => post("/api/push/stop", { subscription }),
};

export function PushCard(): JSX.Element | null {
  const { t } = useSession();
  const [state, setState] = useState<PushState | null>(null);
  const action = useAction();
  useEffect(() => {
    pushState(server).then(setState, () => setState("not_set_up"));
  }, []);
  if (!state || state === "not_set_up") return null;
  return (
    <Card title={t.t("push_title")} icon="bell">
      <p class="soft">{t.t("push_text")}</p>
      {state === "refused" && <p class="fault">{t.t("push_refused")}</p>}
      {state === "unsupported" && <p class="soft">{t.t("push_not_here")}</p>}
      <ActionFailure action={action} />
      {state === "on" && (
        <div class="side-by-side">
          <Chip tone="good" icon="check">{t.t("push_is_on")}</Chip>
          <button type="button" class="button" disabled={action.busy} onClick={() => void action.run(async () => setState(await pushOff(server)))}>{t.t("push_off")}</button>
        </div>
      )}
      {state === "off" && <button type="button" class="button primary" disabled={action.busy} onClick={() => void action.run(async () => setState(await pushOn(server)))}><Icon name="bell" size={20} />{t.t("push_on")}</button>}
    </Card>
  );
}

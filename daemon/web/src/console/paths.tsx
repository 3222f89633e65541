// Who cannot be reached: the weekly test of every way to every member of staff and person.
import type { JSX } from "preact";
import { post } from "../api/http";
import type { ContactPath } from "../api/duty_types";
import { Icon } from "../ui/icons";
import { useLoad } from "./load";
import { ActionFailure, Card, Chip, Empty, Loaded, useAction, useSession } from "./parts";

export function PathsTab(): JSX.Element {
  const { view, t } = useSession();
  const load = useLoad<{ paths: ContactPath[]; unreachable: { name: string; staff_id: number | null; person_id: number | null }[] }>("/api/contact-paths", ["today"]);
  const action = useAction();
  return (
    <Loaded load={load}>
      {(data) => (
        <div class="stack">
          {data.unreachable.length > 0
            ? <div class="note act" role="status"><Icon name="alert" /><div><strong>{t.t("paths_unreachable")}</strong><p>{data.unreachable.map((one) => one.name).join(", ")}</p></div></div>
            : <div class="note good"><Icon name="check" /><div><strong>{t.t("paths_all_well")}</strong></div></div>}
          <Card title={t.t("paths_title")} icon="send">
            <p class="soft">{t.t("paths_text")}</p>
            <ActionFailure action={action} />
            {!data.paths.length && <Empty icon="clock" title={t.t("paths_none")} />}
            <ul class="plain-list">
              {data.paths.map((path) => (
                <li class="plain-row" key={`${path.staff_id}-${path.person_id}-${path.channel}`}>
                  <span>
                    <strong>{path.name}</strong> · {t.maybe("channel_" + path.channel) || path.channel}{" "}
                    <Chip tone={path.state === "ok" ? "good" : path.state === "failed" ? "warn" : "quiet"}>{t.t(`path_${path.state}`)}</Chip><br />
                    <span class="soft">{path.last_ok ? t.t("path_last_ok", { at: view.clock.moment(path.last_ok) }) : t.t("path_never_ok")}{path.failure && path.state === "failed" ? ` · ${path.failure}` : ""}</span>
                  </span>
                  {path.state !== "testing" && (
                    <button type="button" class="button" disabled={action.busy} onClick={() => void action.run(async () => {
                      await post("/api/contact-paths/test", { staff: path.staff_id || 0, person: path.person_id || 0, channel: path.channel });
                      load.again();
                    })}>{t.t("path_test")}</button>
                  )}
                </li>
              ))}
            </ul>
          </Card>
        </div>
      )}
    </Loaded>
  );
}

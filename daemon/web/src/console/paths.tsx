// Who cannot be reached: the weekly test of every way to every member of staff and person.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { post } from "../api/http";
import type { ContactPath } from "../api/duty_types";
import { Icon } from "../ui/icons";
import { useLoad } from "./load";
import { ActionFailure, Card, Chip, Empty, Loaded, useAction, useSession } from "./parts";

interface Unreached { name: string; staff_id: number | null; person_id: number | null }

const SHOWN_AT_FIRST = 8;

// Colleagues first: without them nobody is told of anything.
function Unreachable({ list }: { list: readonly Unreached[] }): JSX.Element {
  const { t } = useSession();
  const [all, setAll] = useState(false);
  const sorted = list.slice().sort((a, b) => Number(a.staff_id === null) - Number(b.staff_id === null));
  return (
    <div class="note act" role="status">
      <Icon name="alert" />
      <div>
        <strong>{t.t("paths_unreachable_n", { n: list.length })}</strong>
        <ul>
          {(all ? sorted : sorted.slice(0, SHOWN_AT_FIRST)).map((one) => (
            <li key={`${one.staff_id}-${one.person_id}`}>{one.person_id !== null ? <a href={"#/persons/" + one.person_id}>{one.name}</a> : <strong>{one.name}</strong>}{one.person_id === null && ` · ${t.t("paths_colleague")}`}</li>
          ))}
        </ul>
        {!all && list.length > SHOWN_AT_FIRST && <button type="button" class="button" onClick={() => setAll(true)}>{t.t("paths_show_all", { n: list.length })}</button>}
        <p>{t.t("paths_unreachable_do")}</p>
      </div>
    </div>
  );
}

export function PathsTab(): JSX.Element {
  const { view, t } = useSession();
  const load = useLoad<{ paths: ContactPath[]; unreachable: Unreached[] }>("/api/contact-paths", ["today"]);
  const action = useAction();
  return (
    <Loaded load={load}>
      {(data) => (
        <div class="stack">
          {data.unreachable.length > 0
            ? <Unreachable list={data.unreachable} />
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

// What a plan will do: its windows before it is saved, what the order says against it, what becomes different; and the
// windows of a plan that is in force, with the moments drawn in them for whoever may know.
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { failureOf, get, post, type Failure } from "../api/http";
import type { PlanAhead, PlanInstants, PlanPreview, PlanRequest, PlanWindow } from "../api/types";
import type { ConsoleTexts } from "../text/console";
import type { Clock } from "../text/time";
import { Icon } from "../ui/icons";
import { useLoad } from "./load";
import { failureWords } from "./words";
import { ActionFailure, Chip, Dialog, FailureBox, Loaded, useAction, useSession } from "./parts";

const PAUSE_MS = 400;
const WINDOWS_MOST = 8;
const DIFFERENCES_MOST = 12;

export interface Preview { answer: PlanPreview | null; failure: Failure | null }

// Asks anew a moment after the request stopped changing. null: it is not complete yet.
export function usePreview(person: number, request: PlanRequest | null): Preview {
  const [preview, setPreview] = useState<Preview>({ answer: null, failure: null });
  const wire = request ? JSON.stringify(request) : "";
  useEffect(() => {
    if (!wire) return undefined;
    let stale = false;
    const timer = setTimeout(() => {
      post<PlanPreview>(`/api/persons/${person}/plans/preview`, JSON.parse(wire)).then(
        (answer) => !stale && setPreview({ answer, failure: null }),
        (cause: unknown) => !stale && setPreview({ answer: null, failure: failureOf(cause) }),
      );
    }, PAUSE_MS);
    return () => {
      stale = true;
      clearTimeout(timer);
    };
  }, [wire]);
  return preview;
}

function Windows({ windows }: { windows: readonly PlanWindow[] }): JSX.Element {
  const { view, t } = useSession();
  return (
    <>
      <ul class="preview-list">
        {windows.slice(0, WINDOWS_MOST).map((window) => (
          <li key={window.start}><strong>{view.clock.weekdayShort(window.date)}, {view.clock.date(window.date)}</strong><span class="tabular">{view.clock.time(window.start)}–{view.clock.time(window.end)}</span><span class="soft">{window.draws ? t.t("draws_random", { n: window.draws }) : t.t("draws_fixed")}</span></li>
        ))}
      </ul>
      {windows.length > WINDOWS_MOST && <p class="soft small">{t.t("preview_more", { n: windows.length - WINDOWS_MOST })}</p>}
      {!windows.length && <p class="soft">{t.t("preview_none")}</p>}
    </>
  );
}

function Differences({ preview }: { preview: PlanPreview }): JSX.Element | null {
  const { view, t } = useSession();
  if (!preview.differences) return null;
  return (
    <>
      <h3>{t.t("preview_differences")}</h3>
      {!preview.differences.length && <p class="soft">{t.t("preview_same")}</p>}
      <ul class="preview-list">
        {preview.differences.slice(0, DIFFERENCES_MOST).map((difference) => (
          <li key={difference.date}>
            <strong>{view.clock.weekdayShort(difference.date)}, {view.clock.date(difference.date)}</strong>
            <Chip tone={difference.what === "removed" ? "quiet" : "info"}>{t.t(`difference_${difference.what}`)}</Chip>
            <span class="soft tabular">{difference.before} → {difference.after}</span>
          </li>
        ))}
      </ul>
    </>
  );
}

// Why a plan cannot be saved as it is. Also beside the button that waits for it: the preview may lie far above.
export function refusalWords(t: ConsoleTexts, clock: Clock, { answer, failure }: Preview): string {
  if (failure) return failure.code !== "invalid" ? failureWords(t, failure) : [t.t("preview_invalid"), failure.field && t.maybe("fault_" + failure.field)].filter(Boolean).join(" ");
  if (!answer || !answer.refused) return "";
  const why = t.maybe("refused_" + answer.refused.reason) || answer.refused.text;
  return answer.refused.on ? `${why} ${t.t("refused_on", { date: clock.date(answer.refused.on) })}` : why;
}

export function PreviewPanel({ preview }: { preview: Preview }): JSX.Element {
  const { view, t } = useSession();
  const { answer, failure } = preview;
  return (
    <section class="preview" aria-live="polite">
      <h3><Icon name="calendar" size={20} />{t.t("preview_title")}</h3>
      {failure && (failure.code === "invalid" ? <p class="soft">{refusalWords(t, view.clock, preview)}</p> : <FailureBox failure={failure} />)}
      {answer && (
        <>
          {answer.refused && (
            <p class="note warn"><Icon name="shield" size={20} /><span>{refusalWords(t, view.clock, preview)}</span></p>
          )}
          {answer.warnings.map((warning) => <p key={warning} class="note warn"><Icon name="alert" size={20} /><span>{t.maybe("warning_" + warning) || warning}</span></p>)}
          <Windows windows={answer.windows} />
          <Differences preview={answer} />
        </>
      )}
    </section>
  );
}

export function AheadDialog({ plan, onClose }: { plan: number; onClose(): void }): JSX.Element {
  const { session, view, t } = useSession();
  const load = useLoad<PlanAhead>(`/api/plans/${plan}/ahead`, ["person"]);
  const [instants, setInstants] = useState<PlanInstants["instants"] | null>(null);
  const action = useAction();
  return (
    <Dialog title={t.t("ahead_title")} onClose={onClose}>
      <div class="form preview">
        <Loaded load={load}>{(data) => <Windows windows={data.windows} />}</Loaded>
        {session.has("supervisor") && !instants && (
          <>
            <p class="soft small">{t.t("instants_hint")}</p>
            <button type="button" class="button" disabled={action.busy} onClick={() => void action.run(async () => setInstants((await get<PlanInstants>(`/api/plans/${plan}/instants`)).instants))}><Icon name="eye" size={20} />{t.t("instants_show")}</button>
          </>
        )}
        <ActionFailure action={action} />
        {instants && (
          <>
            <h3>{t.t("instants_title")}</h3>
            <ul class="preview-list">{instants.map((one) => <li key={one.checkin}><strong>{view.clock.weekdayShort(one.date)}, {view.clock.date(one.date)}</strong><span class="tabular">{view.clock.time(one.due)}</span></li>)}</ul>
            {!instants.length && <p class="soft">{t.t("preview_none")}</p>}
          </>
        )}
      </div>
    </Dialog>
  );
}

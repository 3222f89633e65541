// Incidents: what must be taken over and by when; who was told, how and when; what comes next.
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { post } from "../api/http";
import type { Conclusion, Incident, IncidentLine, IncidentRow } from "../api/types";
import { stopwatch } from "../text/time";
import { useDraft } from "../ui/draft";
import { Icon, type IconName } from "../ui/icons";
import { useTick } from "../ui/store";
import { BundlePart } from "./bundle";
import { changed, useLoad, useSteady } from "./load";
import { ActionFailure, BandMark, Card, Chip, Dialog, DraftNote, Empty, Loaded, NewRows, Page, ReasonForm, SelectField, TextField, Tabs, useAction, useKeys, useRowKeys, useSession } from "./parts";
import { IncidentThread } from "./staff_thread";
import { type Take, useTake } from "./take";
import { PersonAside } from "./person_aside";
import { failureWords, incidentFact, incidentNext, outcomeWords } from "./words";
import { HoldPart } from "./retention";

export function StateChip({ row }: { row: IncidentRow }): JSX.Element {
  const { t } = useSession();
  if (row.state === "open") return <Chip tone="act" icon="alert">{t.t("incident_open")}</Chip>;
  if (row.state === "acknowledged") return <Chip tone="info" icon="person">{t.t("incident_held", { name: row.holder || "" })}</Chip>;
  return <Chip tone="quiet" icon="check">{t.t("incident_closed")}</Chip>;
}

export function IncidentListRow({ row, gone }: { row: IncidentRow; gone?: boolean }): JSX.Element {
  const { view, t } = useSession();
  const next = incidentNext(t, view.clock, row);
  return (
    <div class={"row" + (row.state === "open" ? " act-row" : "") + (gone ? " gone" : "")}>
      <a class="row-main" data-row href={"#/incidents/" + row.id}>
        <span class="row-time">{view.clock.time(row.opened)}</span>
        <span class="row-text">
          <span class="row-title"><strong>{row.person_name}</strong><BandMark band={row.band} /><StateChip row={row} /></span>
          <span class="row-fact">{incidentFact(t, view.clock, row)}</span>
          {next && <span class="row-next">{next}</span>}
        </span>
        <Icon name="forward" size={20} />
      </a>
    </div>
  );
}

export function IncidentsPage({ state }: { state: "open" | "closed" }): JSX.Element {
  const { t } = useSession();
  const load = useLoad<{ incidents: IncidentRow[]; next: number | null }>(`/api/incidents?state=${state}`, ["incident", "today"]);
  const list = useSteady(load.data ? load.data.incidents : null, (row) => row.id);
  useTick(5000);
  useRowKeys();
  return (
    <Page title={t.t("nav_incidents")}>
      <Tabs>
        <a class="tab-inline" href="#/incidents" aria-current={state === "open" ? "page" : undefined}>{t.t("incidents_open")}</a>
        <a class="tab-inline" href="#/incidents?state=closed" aria-current={state === "closed" ? "page" : undefined}>{t.t("incidents_closed")}</a>
      </Tabs>
      <Loaded load={load}>
        {() => (
          <div ref={list.list} class="rows">
            <NewRows waiting={list.waiting} onShow={list.letIn} />
            {list.shown.map((entry) => <IncidentListRow key={entry.row.id} row={entry.row} gone={entry.gone} />)}
            {!list.shown.length && <Empty icon="check" title={t.t(state === "open" ? "incidents_none" : "incidents_none_closed")} text={state === "open" ? t.t("incidents_none_text") : undefined} />}
          </div>
        )}
      </Loaded>
    </Page>
  );
}

const LINE_ICONS: Record<string, IconName> = {
  opened: "alert", notice: "send", step_fired: "send", step_skipped: "info", nobody_reached: "alert", closed: "seal", delivered: "check", read: "eye", failed: "offline", called: "phone", refused: "close", acknowledged: "hand", note: "edit",
  reached: "person", safety: "shield", digest: "send", acknowledged_phone: "phone", ladder_changed: "ladder", released: "back", storm_facts: "info", concluded: "seal", answered_late: "clock", escalated: "ladder", blackout_entered: "info", banded: "info", silent_again: "alert", held: "clock", notice_delayed: "clock",
};

function Line({ line }: { line: IncidentLine }): JSX.Element {
  const { view, t } = useSession();
  const waits = line.what === "held" || line.what === "notice_delayed"; // their text is the moment until which
  const what = t.maybe("line_" + line.what, { who: line.who || "", channel: line.channel ? t.maybe("channel_" + line.channel) || line.channel : "" })
    || [line.what.replace(/_/g, " "), line.who].filter(Boolean).join(": ");
  return (
    <li class={"line-item " + line.what}>
      <span class="line-mark"><Icon name={LINE_ICONS[line.what] || "info"} size={20} /></span>
      <div class="line-text">
        <p>{what}{line.state && !waits && <Chip tone={line.state === "failed" || line.state === "expired" ? "warn" : "quiet"}>{t.maybe("notice_" + line.state) || line.state}</Chip>}</p>
        {line.text && (waits ? <p>{t.t("line_until", { at: view.clock.moment(line.text) })}</p> : line.what === "storm_facts" ? <StormFacts text={line.text} /> : line.what === "blackout_entered" ? <EnteredBlackout text={line.text} /> : <p class="prewrap quote">{line.text}</p>)}
        <p class="soft small">{view.clock.momentAge(line.at)}{line.reference && ` · ${line.reference}`}</p>
      </div>
    </li>
  );
}

// "hospital 2026-11-21T00:00:00.000Z 2026-11-22T00:00:00.000Z": a blackout that was entered afterwards.
function EnteredBlackout({ text }: { text: string }): JSX.Element {
  const { view, t } = useSession();
  const [source = "", from = "", until = ""] = text.split(" ");
  return <p class="quote">{t.maybe("blackout_" + source) || source}: {view.clock.moment(from)} – {view.clock.moment(until)}</p>;
}

// "probe=1 worker=0 clock=1 sms=3/40": how we were when many incidents came at once.
function StormFacts({ text }: { text: string }): JSX.Element {
  const { t } = useSession();
  return (
    <ul>
      {text.split(" ").map((pair) => {
        const [name = "", value = ""] = pair.split("=");
        const [failed = "", all] = value.split("/");
        const words = all
          ? t.t("storm_channel", { channel: t.maybe("channel_" + name) || name, failed, all })
          : t.maybe("storm_" + name, { state: t.t(value === "1" ? "storm_good" : "storm_bad") });
        return words ? <li key={pair}>{words}</li> : null;
      })}
    </ul>
  );
}

function NextStep({ incident }: { incident: Incident }): JSX.Element | null {
  const { view, t } = useSession();
  useTick(1000);
  if (!incident.next || incident.state === "closed") return null;
  const left = Date.parse(incident.next.at) - view.clock.now();
  return (
    <li class="line-item next">
      <span class="line-mark"><Icon name="clock" size={20} /></span>
      <div class="line-text">
        <p><strong>{incidentNext(t, view.clock, incident)}</strong></p>
        <p class="countdown" role="timer">{left > 0 ? t.t("incident_in", { length: stopwatch(left) }) : t.t("incident_now")}</p>
      </div>
    </li>
  );
}

// Who holds it, in a sentence that nobody can misread half asleep.
function HolderNote({ incident, take }: { incident: Incident; take: Take }): JSX.Element | null {
  const { view, t } = useSession();
  const mine = !!view.me && incident.state === "acknowledged" && incident.holder_id === view.me.id;
  if (take.phase === "unsure") {
    return <div class="note warn" role="alert"><Icon name="offline" /><div><strong>{t.t("take_unsure")}</strong><p>{t.t("take_unsure_until")}</p></div></div>;
  }
  if (mine) {
    return <div class="note good" role="status"><Icon name="check" /><strong>{incident.next ? t.t("take_yours_until", { time: view.clock.moment(incident.next.at) }) : t.t("take_yours")}</strong></div>;
  }
  if (take.phase === "not_mine" || take.phase === "mine") {
    if (incident.state === "acknowledged") return <div class="note" role="alert"><Icon name="person" /><strong>{t.t("take_was_first", { name: incident.holder || "" })}</strong></div>;
    if (incident.state === "closed") return <div class="note" role="alert"><Icon name="check" /><strong>{t.t("take_closed")}</strong></div>;
  }
  return null;
}

export function IncidentPage({ id }: { id: number }): JSX.Element {
  const { session, view, t } = useSession();
  const load = useLoad<Incident>(`/api/incidents/${id}`, ["incident"]);
  const [dialog, setDialog] = useState<"note" | "reached" | "safety" | "conclude" | "release" | "escalate" | "over" | null>(null);
  const [written, setWritten] = useState(0);
  const lines = useRef<HTMLOListElement>(null);
  // What was just done is seen where it now stands, not behind the bar of actions.
  useEffect(() => {
    const done = written && lines.current ? lines.current.querySelectorAll(".line-item:not(.next)") : [];
    if (done.length) done[done.length - 1]!.scrollIntoView({ block: "center" });
  }, [written]);
  const incident = load.data;
  const take = useTake(id, load.put, () => {
    session.dismissAlert(id);
    session.say(t.t("incident_taken"));
    changed("today");
  });
  useEffect(() => {
    if (session.wants(id)) take.begin();
  }, [id]);
  useKeys({ a: () => incident && incident.state === "open" && take.begin() });
  const others = !!incident && incident.state === "acknowledged" && !!view.me && incident.holder_id !== view.me.id;
  const draft = (form: string): string => `incident.${id}.${form}`;
  const send = async (verb: string, body: unknown): Promise<void> => {
    load.put(await post<Incident>(`/api/incidents/${id}/${verb}`, body));
    setDialog(null);
    setWritten(written + 1);
    changed("today");
  };
  return (
    <Page title={incident ? incident.person_name : t.t("nav_incidents")} back="#/incidents"
      under={incident ? t.t("incident_since", { what: t.maybe("incident_" + incident.kind) || incident.kind, moment: view.clock.momentAge(incident.opened) }) : null}
      aside={incident ? <PersonAside id={incident.person_id} /> : undefined}>
      <Loaded load={load}>
        {(data) => (
          <>
            <div class="incident-head">
              <StateChip row={data} /><BandMark band={data.band} />
              {data.answered_late && <Chip tone="good" icon="check">{t.t("incident_answered_late")}</Chip>}
            </div>
            {isSafety(data) && <div class="note warn"><Icon name="shield" /><div><strong>{t.t("safety_restricted")}</strong></div></div>}
            <p class="lead">{incidentFact(t, view.clock, data)}</p>
            {data.outcome && data.checkin_id && <p><a href={"#/checkins/" + data.checkin_id}>{t.t("incident_checkin", { outcome: outcomeWords(t, data.outcome) })}</a></p>}
            <ol class="line" ref={lines}>
              {data.line.map((line, index) => <Line key={index} line={line} />)}
              <NextStep incident={data} />
            </ol>
            {data.conclusion && (
              <div class="note good"><Icon name="seal" /><div><strong>{t.maybe("conclusion_" + data.conclusion.conclusion)}</strong><p>{data.conclusion.reason}</p><p class="soft small">{data.conclusion.by}, {view.clock.momentAge(data.conclusion.at)}</p></div></div>
            )}
            <Card title={t.t("incident_thread")} icon="message">
              <p class="soft small">{t.t("incident_thread_text")}</p>
              <div class="thread-box low"><IncidentThread incident={id} /></div>
            </Card>
            {session.has("supervisor") && data.person_id > 0 && (
              <p><a class="button" href={`#/log?person=${data.person_id}&from=${view.clock.isoDay(Date.parse(data.opened))}`}><Icon name="log" size={20} />{t.t("incident_in_log")}</a></p>
            )}
            {data.person_id > 0 && <BundlePart incident={data.id} person={data.person_id} />}
            {data.person_id > 0 && <HoldPart object={{ kind: "incident", id: data.id, name: data.person_name }} />}
            {data.state === "closed" && <HolderNote incident={data} take={take} />}
            {data.state !== "closed" && (
              <div class="dock">
                <HolderNote incident={data} take={take} />
                {take.failure && <p class="fault" role="alert">{failureWords(t, take.failure)}</p>}
                {data.state === "open" && take.phase !== "unsure" && <button type="button" class="button act big" disabled={take.phase === "sending"} onClick={take.begin}><Icon name="hand" />{t.t(take.phase === "sending" ? "take_sending" : "incident_take")}</button>}
                {reviewMissing(data) && !session.conducts && <p class="soft small">{t.t("incident_review_first")}</p>}
                <div class="dock-more">
                  {!isSafety(data) && <button type="button" class="button" onClick={() => setDialog("reached")}><Icon name="person" size={20} />{t.t("incident_reached")}</button>}
                  {!isSafety(data) && <button type="button" class="button" onClick={() => setDialog("safety")}><Icon name="shield" size={20} />{t.t("incident_safety")}</button>}
                  <button type="button" class="button" onClick={() => setDialog("note")}><Icon name="edit" size={20} />{t.t("incident_note")}</button>
                  {reviewMissing(data)
                    ? session.conducts && <a class="button" href={"#/reviews/" + data.checkin_id}><Icon name="eye" size={20} />{t.t("review")}</a>
                    : <button type="button" class="button" onClick={() => setDialog("conclude")}><Icon name="seal" size={20} />{t.t("incident_conclude")}</button>}
                  <button type="button" class="button plain" onClick={() => setDialog("escalate")}><Icon name="ladder" size={20} />{t.t("incident_escalate")}</button>
                  {others && <button type="button" class="button plain" onClick={() => setDialog("over")}><Icon name="hand" size={20} />{t.t("take_from", { name: data.holder || "" })}</button>}
                  {data.state === "acknowledged" && !others && <button type="button" class="button plain" onClick={() => setDialog("release")}><Icon name="back" size={20} />{t.t("incident_release")}</button>}
                </div>
              </div>
            )}
          </>
        )}
      </Loaded>
      {dialog === "note" && (
        <Dialog title={t.t("incident_note")} onClose={() => setDialog(null)}>
          <ReasonForm draft={draft("note")} label={t.t("incident_note_label")} submit={t.t("save")} lines={4} onSubmit={(text) => send("note", { text })} />
        </Dialog>
      )}
      {dialog === "safety" && (
        <Dialog title={t.t("incident_safety")} onClose={() => setDialog(null)}>
          <ReasonForm draft={draft("safety")} label={t.t("incident_safety_label")} hint={t.t("incident_safety_hint")} submit={t.t("save")} onSubmit={(note) => send("safety", { note })} />
        </Dialog>
      )}
      {dialog === "over" && incident && (
        <Dialog title={t.t("take_from", { name: incident.holder || "" })} onClose={() => setDialog(null)}>
          <ReasonForm draft={draft("over")} label={t.t("take_from_reason", { name: incident.holder || "" })} submit={t.t("incident_take")} onSubmit={(note) => send("acknowledge", { over: true, note })} />
        </Dialog>
      )}
      {dialog === "reached" && <ReachedDialog draft={draft("reached")} onClose={() => setDialog(null)} onSend={(how, note) => send("reached", { how, note })} />}
      {(dialog === "release" || dialog === "escalate") && (
        <Dialog title={t.t(`incident_${dialog}`)} onClose={() => setDialog(null)}>
          <ReasonForm draft={draft(dialog)} label={t.t(`incident_${dialog}_reason`)} submit={t.t(`incident_${dialog}`)} onSubmit={(reason) => send(dialog, { reason })} />
        </Dialog>
      )}
      {dialog === "conclude" && incident && <ConcludeDialog draft={draft("conclude")} words={isSafety(incident) ? SAFETY_WORDS : undefined} onClose={() => setDialog(null)} onSend={(conclusion, reason) => send("conclude", { conclusion, reason })} />}
    </Page>
  );
}

function ReachedDialog({ draft, onClose, onSend }: { draft: string; onClose(): void; onSend(how: string, note: string): Promise<void> }): JSX.Element {
  const { t } = useSession();
  const form = useDraft(draft, { how: "phone", note: "" });
  const { how, note } = form.value;
  const action = useAction();
  const options = (["phone", "visit", "video", "other"] as const).map((value) => ({ value, label: t.t(`reached_${value}`) }));
  return (
    <Dialog title={t.t("incident_reached")} onClose={onClose}>
      <form class="form" onSubmit={(event) => {
        event.preventDefault();
        void action.run(() => onSend(how, note.trim()).then(form.clear));
      }}>
        <SelectField label={t.t("reached_how")} value={how} options={options} onChange={(value) => form.set({ how: value, note })} />
        <TextField label={t.t("reached_note")} value={note} onChange={(value) => form.set({ how, note: value })} lines={3} maxLength={2000} />
        <DraftNote draft={form} />
        <ActionFailure action={action} />
        <button type="submit" class="button primary" disabled={action.busy}>{t.t("save")}</button>
      </form>
    </Dialog>
  );
}

const PLAIN_WORDS = ["no_action", "excused", "breach"] as const;
const SAFETY_WORDS = ["safe", "help_sent", "not_found"] as const;

// A second officer asks after those at risk: restricted, with words of its own.
// A matter of an overdue review ends with the review, not before.
const reviewMissing = (row: IncidentRow): boolean => row.kind === "review_overdue" && row.checkin_id !== null && row.outcome === null;
function isSafety(row: IncidentRow): boolean {
  return row.kind === "safety_check" || row.kind === "concern";
}

export function ConcludeDialog({ draft, words = PLAIN_WORDS, onClose, onSend }: { draft: string; words?: readonly Conclusion[]; onClose(): void; onSend(conclusion: Conclusion, reason: string): Promise<void> }): JSX.Element {
  const { t } = useSession();
  const chosen = useDraft<Conclusion>(draft + ".word", words[0] || "no_action");
  const conclusion = words.indexOf(chosen.value) < 0 ? words[0]! : chosen.value;
  return (
    <Dialog title={t.t("incident_conclude")} onClose={onClose}>
      <ReasonForm draft={draft} label={t.t("conclude_reason")} hint={t.t("conclude_hint")} submit={t.t("conclude_submit")} lines={3} onSubmit={(reason) => onSend(conclusion, reason).then(chosen.clear)}>
        <fieldset class="options">
          <legend>{t.t("conclude_legend")}</legend>
          {words.map((value) => (
            <label class="option" key={value}>
              <input type="radio" name="conclusion" checked={conclusion === value} onChange={() => chosen.set(value)} />
              <span><strong>{t.t(`conclusion_${value}`)}</strong><span class="soft small">{t.t(`conclusion_${value}_text`)}</span></span>
            </label>
          ))}
        </fieldset>
      </ReasonForm>
    </Dialog>
  );
}

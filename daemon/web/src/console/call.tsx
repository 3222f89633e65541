// The call as the inspector sees it. While it is on, nothing here shows the band, a concern or another person: the
// screen may face the person.
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { post } from "../api/http";
import type { Checkin, OutcomeRequest } from "../api/types";
import { stopwatch } from "../text/time";
import { keep, useDraft } from "../ui/draft";
import { Icon, type IconName } from "../ui/icons";
import { useStore, useTick } from "../ui/store";
import { Video } from "../ui/video";
import type { CallSession, CallView } from "./call_session";
import { changed, useLoad } from "./load";
import { ActionFailure, CheckField, DraftNote, Empty, Page, roomBeside, Skeleton, TextField, useAction, useKeys, useSession } from "./parts";
import { PersonAside } from "./person_aside";
import { go } from "./router";
import { outcomeMissing } from "./words";
import { StaffThread } from "./staff_thread";

export const BEHAVIOURS = ["calm", "agitated", "slurred_speech", "injury_visible", "other_person_present", "refused_question"] as const;
export const RESULTS = ["completed", "identity_doubt", "could_not_connect", "declined"] as const;

type Panel = "messages" | "checklist" | "person" | null;

function StatusLine({ call }: { call: CallView }): JSX.Element {
  const { view, t } = useSession();
  const text = view.socketLost ? t.t("offline_in_call")
    : call.crowded && call.leg !== "connected" ? t.t("call_crowded")
    : call.leg === "interrupted" ? t.t("call_reconnecting")
    : call.peer === "waiting" || call.peer === "connecting" ? t.t("call_peer_connecting")
    : call.peer === "away" ? t.t("call_peer_away")
    : call.peer === "left" ? t.t("call_peer_left")
    : !call.camera ? t.t("call_peer_no_camera") : null;
  return <p class="stage-note" role="status" hidden={!text}>{text && <Icon name="info" size={20} />}{text}</p>;
}

function Quality({ call }: { call: CallView }): JSX.Element | null {
  const { t } = useSession();
  if (!call.quality) return null;
  const bars = { good: 3, fair: 2, poor: 1, lost: 0 }[call.quality];
  return (
    <span class="stage-chip" role="status">
      <svg width="16" height="12" viewBox="0 0 16 12" aria-hidden="true" focusable="false">
        {[0, 1, 2].map((i) => <rect key={i} class={i < bars ? "bar-on" : "bar-off"} x={i * 6} y={8 - i * 4} width="4" height={4 + i * 4} rx="1" />)}
      </svg>
      {t.t(`quality_${call.quality}`)}
    </span>
  );
}

function Checklist({ session, call }: { session: CallSession; call: CallView }): JSX.Element {
  const { t } = useSession();
  return (
    <fieldset class="ticks">
      <legend>{t.t("behaviour_title")}</legend>
      <p class="soft small">{t.t("behaviour_hint")}</p>
      {BEHAVIOURS.map((code) => <CheckField key={code} label={t.t(`behaviour_${code}`)} checked={call.behaviours.indexOf(code) >= 0} onChange={() => session.toggleBehaviour(code)} />)}
    </fieldset>
  );
}

// Closed until opened, and closed again after it was sent. The other side notices nothing.
function Concern({ checkin }: { checkin: number }): JSX.Element {
  const { session, t } = useSession();
  const [open, setOpen] = useState(false);
  const draft = useDraft(`checkin.${checkin}.concern`, "");
  const text = draft.value;
  const action = useAction();
  return (
    <details class="concern" open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary><Icon name="edit" size={20} />{t.t("concern_title")}</summary>
      <form class="form" onSubmit={(event) => {
        event.preventDefault();
        void action.run(async () => {
          await post(`/api/checkins/${checkin}/concern`, { text: text.trim() });
          draft.clear();
          setOpen(false);
          session.say(t.t("concern_sent"));
        });
      }}>
        <TextField label={t.t("concern_label")} hint={t.t("concern_hint")} value={text} onChange={draft.set} lines={3} maxLength={2000} />
        <ActionFailure action={action} />
        <button type="submit" class="button" disabled={!text.trim() || action.busy}>{t.t("concern_submit")}</button>
      </form>
    </details>
  );
}

function Control(props: { icon: IconName; label: string; onClick(): void; pressed?: boolean; end?: boolean; place?: string }): JSX.Element {
  return (
    <button type="button" class={"round" + (props.end ? " end" : "") + (props.place ? " at-" + props.place : "")} aria-pressed={props.pressed} onClick={props.onClick}>
      <span class="round-mark"><Icon name={props.icon} /></span><span class="round-text">{props.label}</span>
    </button>
  );
}

function Stage({ session, call, panel, setPanel }: { session: CallSession; call: CallView; panel: Panel; setPanel(panel: Panel): void }): JSX.Element {
  const { t } = useSession();
  const [reference, setReference] = useState(false);
  const [noPhoto, setNoPhoto] = useState(false);
  const [blocked, setBlocked] = useState(false);
  const [nudge, setNudge] = useState(0);
  useTick(1000);
  const row = call.row;
  const name = row ? row.person_name : "";
  const toggle = (which: Panel): void => setPanel(panel === which ? null : which);
  return (
    <div class="stage">
      <div class={"stage-pictures" + (reference ? " two" : "")}>
        <Video class="stage-remote" stream={call.remote} label={t.t("call_remote", { name })} onBlocked={setBlocked} nudge={nudge} />
        {reference && row && (
          <figure class="stage-reference">
            {noPhoto ? <Icon name="person" size={48} /> : <img src={`/api/persons/${row.person_id}/photo`} alt={t.t("reference_photo")} onError={() => setNoPhoto(true)} />}
            <figcaption>{t.t(noPhoto ? "reference_missing" : "reference_photo")}</figcaption>
          </figure>
        )}
      </div>
      <div class="stage-top">
        <a class="stage-back" href="#/today" aria-label={t.t("call_minimise")}><Icon name="back" /></a>
        <div class="stage-chip stage-who"><strong>{name}</strong>{call.since && <span class="tabular" role="timer">{stopwatch(Date.now() - call.since)}</span>}</div>
        <div class="stage-chips">
          <Quality call={call} />
          <span class={"stage-chip recording" + (call.recording ? " on" : "")} role="status"><span class="recording-dot" aria-hidden="true" />{t.t(call.recording ? "call_recording" : call.pauseReason ? "call_paused" : "call_not_recorded")}</span>
        </div>
      </div>
      <StatusLine call={call} />
      {blocked && <button type="button" class="button primary big stage-hear" onClick={() => setNudge(nudge + 1)}><Icon name="speaker" />{t.t("call_tap_to_hear")}</button>}
      <div class="stage-own">
        {call.devices && call.devices.camera && !call.cameraOff ? <Video stream={call.devices.stream} label={t.t("own_picture")} muted mirrored /> : <Icon name="camera_off" />}
      </div>
      {call.devices && call.devices.problem && <p class="stage-own-note">{t.t(`device_${call.devices.problem}`)}</p>}
      <div class="stage-controls" role="toolbar" aria-label={t.t("call_controls")}>
        <Control place="mute" icon={call.muted ? "microphone_off" : "microphone"} label={t.t(call.muted ? "unmute" : "mute")} pressed={call.muted} onClick={() => session.toggleMute()} />
        <Control place="camera" icon={call.cameraOff ? "camera_off" : "camera"} label={t.t(call.cameraOff ? "camera_on" : "camera_off")} pressed={call.cameraOff} onClick={() => session.toggleCamera()} />
        <Control icon="photo" label={t.t("compare")} pressed={reference} onClick={() => setReference(!reference)} />
        <Control icon="message" label={t.t("messages")} pressed={panel === "messages"} onClick={() => toggle("messages")} />
        <Control icon="check" label={t.t("checklist")} pressed={panel === "checklist"} onClick={() => toggle("checklist")} />
        <Control icon="person" label={t.t("call_person")} pressed={panel === "person"} onClick={() => toggle("person")} />
        <Control icon="hang_up" label={t.t("call_end")} end onClick={() => session.end()} />
      </div>
    </div>
  );
}

interface OutcomeDraft { result: OutcomeRequest["result"]; identity: boolean; seen: readonly string[]; note: string }

// One step: what it was, whether it was them, what was seen, a note.
export function OutcomeForm({ checkin, behaviours, onDone }: { checkin: number; behaviours: readonly string[]; onDone(): void }): JSX.Element {
  const { session, t } = useSession();
  const draft = useDraft<OutcomeDraft>(`checkin.${checkin}.outcome`, { result: "completed", identity: false, seen: behaviours, note: "" });
  const { result, identity, seen, note } = draft.value;
  const action = useAction();
  const set = (change: Partial<OutcomeDraft>): void => draft.set({ ...draft.value, ...change });
  const setIdentity = (on: boolean): void => set({ identity: on });
  const pick = (value: OutcomeRequest["result"]): void => set({ result: value, identity: value === "completed" && identity });
  useKeys({ "1": () => pick("completed"), "2": () => pick("identity_doubt"), "3": () => pick("could_not_connect"), "4": () => pick("declined"), "5": () => setIdentity(!identity) });
  const complete = result === "completed" ? identity : result === "could_not_connect" || note.trim().length > 0;
  return (
    <form class="form outcome" onSubmit={(event) => {
      event.preventDefault();
      void action.run(async () => {
        await post<Checkin>(`/api/checkins/${checkin}/outcome`, { result, identity_confirmed: identity, behaviours: seen, note: note.trim() });
        draft.clear();
        keep(`checkin.${checkin}.seen`, null);
        session.say(t.t("outcome_saved"));
        changed("today");
        onDone();
      });
    }}>
      <fieldset class="options">
        <legend>{t.t("outcome_legend")}</legend>
        {RESULTS.map((value, index) => (
          <label class="option" key={value}>
            <input type="radio" name="result" checked={result === value} onChange={() => pick(value)} />
            <span><strong>{t.t(`result_${value}`)}</strong><span class="soft small">{t.t(`result_${value}_text`)}</span></span>
            <kbd aria-hidden="true">{index + 1}</kbd>
          </label>
        ))}
      </fieldset>
      {result === "completed" && <CheckField label={t.t("outcome_identity")} checked={identity} onChange={setIdentity} />}
      <fieldset class="ticks">
        <legend>{t.t("behaviour_title")}</legend>
        {BEHAVIOURS.map((code) => (
          <CheckField key={code} label={t.t(`behaviour_${code}`)} checked={seen.indexOf(code) >= 0}
            onChange={(on) => set({ seen: on ? seen.concat(code) : seen.filter((other) => other !== code) })} />
        ))}
      </fieldset>
      <TextField label={t.t("outcome_note")} hint={result === "completed" ? t.t("outcome_note_hint") : t.t("outcome_note_needed")} value={note} onChange={(value) => set({ note: value })} lines={3} maxLength={4000} fault={action.fault("note")} />
      <DraftNote draft={draft} />
      <ActionFailure action={action} />
      <div class="dock"><button type="submit" class="button primary big" disabled={action.busy || !complete}>{t.t("outcome_submit")}</button></div>
      {result === "completed" && !identity && <p class="soft small">{t.t("outcome_identity_needed")}</p>}
    </form>
  );
}

function CallBody({ call: session }: { call: CallSession }): JSX.Element {
  const { session: page, t } = useSession();
  const call = useStore(session.store);
  const [panel, setPanel] = useState<Panel>(roomBeside() ? "messages" : null);
  const load = useLoad<Checkin>(call.row ? null : `/api/checkins/${session.checkin}`, []);
  useEffect(() => {
    if (load.data && !session.store.value.row) session.store.set({ row: load.data });
  }, [load.data]);
  const row = call.row;
  const leave = (path: string): void => {
    page.leaveCall();
    go(path, true);
  };
  // Reloaded after the call, before its outcome was written: it is still this inspector's, and so is the form.
  const over = useLoad<Checkin>(call.phase === "lost" ? `/api/checkins/${session.checkin}` : null, []);
  if (over.data && page.view.me && outcomeMissing(over.data, page.view.me.id)) {
    return (
      <Page title={t.t("outcome_title", { name: over.data.person_name })} under={t.t("ended_other")}>
        <div class="narrow"><OutcomeForm checkin={session.checkin} behaviours={call.behaviours} onDone={() => leave("today")} /></div>
      </Page>
    );
  }
  if (call.phase === "lost") {
    if (over.loading) return <Page title={t.t("loading")}><Skeleton /></Page>;
    return (
      <Page title={t.t("call_lost_title")} back="#/today">
        <Empty icon="phone" title={t.t("call_lost_title")} text={t.t("call_lost_text")}><button type="button" class="button primary" onClick={() => leave("today")}>{t.t("to_today")}</button></Empty>
      </Page>
    );
  }
  if (call.phase === "ended") {
    return (
      <Page title={t.t("outcome_title", { name: row ? row.person_name : "" })} under={t.maybe("ended_" + (call.endedBecause || "")) || t.t("ended_other")}>
        <div class="narrow"><OutcomeForm checkin={session.checkin} behaviours={call.behaviours} onDone={() => leave("today")} /></div>
      </Page>
    );
  }
  return (
    <main id="content" class={"call" + (panel ? " with-panel" : "")} tabIndex={-1}>
      <h1 class="unseen">{t.t("call_with", { name: row ? row.person_name : "" })}</h1>
      <Stage session={session} call={call} panel={panel} setPanel={setPanel} />
      {panel && row && (
        <section class="call-panel" aria-label={t.t(panel === "messages" ? "messages" : panel === "checklist" ? "checklist" : "call_person")}>
          <header class="panel-head">
            <h2>{t.t(panel === "messages" ? "messages" : panel === "checklist" ? "checklist" : "call_person")}</h2>
            <button type="button" class="button plain icon-only" aria-label={t.t("close")} onClick={() => setPanel(null)}><Icon name="close" /></button>
          </header>
          {panel === "messages" && <StaffThread person={row.person_id} />}
          {panel === "checklist" && <div class="panel-body"><Checklist session={session} call={call} /><Concern checkin={session.checkin} /></div>}
          {panel === "person" && <div class="panel-body"><PersonAside id={row.person_id} discreet /></div>}
        </section>
      )}
    </main>
  );
}

// Reloaded in the middle of a call, or opened by its address: take it again; the server knows whose it is.
export function CallPage({ id }: { id: number }): JSX.Element {
  const { session, view, t } = useSession();
  const call = view.call && view.call.checkin === id ? view.call : null;
  useEffect(() => {
    if (!call && view.greeted) session.answer(id, null);
  }, [id, view.greeted]);
  if (!call) return <main id="content" class="call" tabIndex={-1}><p class="stage-note" role="status">{t.t("loading")}</p></main>;
  return <CallBody key={id} call={call} />;
}


// The screens before and after the call itself.
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { failureOf, getFile } from "../api/http";
import type { PersonState } from "../api/types";
import { browserFamily, canCall, type DeviceProblem } from "../rtc/devices";
import { watchLevel } from "../rtc/level";
import { LANGUAGE_NAMES, LANGUAGES } from "../text/format";
import { personTexts } from "../text/person";
import { Icon } from "../ui/icons";
import { useTick } from "../ui/store";
import { Video } from "../ui/video";
import { cameTooLate } from "./flow";
import { CallHelp, ReadAloud, ScreenFrame, useSession } from "./parts";
import { WherePicture } from "./pictures";
import { PushCard } from "./push_card";

export function Loading(): JSX.Element {
  const { texts } = useSession();
  return (
    <main id="content" class="screen" aria-busy="true">
      <div class="screen-body">
        <span class="skeleton title" /><span class="skeleton" /><span class="skeleton" /><span class="skeleton short" />
        <p class="unseen" role="status">{texts.t("loading")}</p>
      </div>
    </main>
  );
}

// The first tap: the language of the button is the language of everything after it.
export function Landing(): JSX.Element {
  const { session, view, texts } = useSession();
  const others = LANGUAGES.filter((language) => language !== view.language);
  const able = canCall(); // a messenger's own browser often is not: said before anything else is asked
  return (
    <ScreenFrame title={texts.t(able ? "landing_title" : "no_webrtc_title")} mark={able ? "camera" : "alert"} tone={able ? "info" : "warn"}
      actions={
        <>
          {!able && <CopyLink />}
          <button type="button" class={"button big" + (able ? " primary" : "")} lang={view.language} onClick={() => void session.open(view.language)}>
            {texts.t(able ? "landing_continue" : "landing_here")}
          </button>
          <div class="pair">
            {others.map((language) => (
              <button type="button" class="button" lang={language} key={language} onClick={() => (able ? void session.open(language) : session.choose(language))}>
                {LANGUAGE_NAMES[language]}
              </button>
            ))}
          </div>
        </>
      }>
      <p class="lead">{texts.t(able ? "landing_text" : "no_webrtc_text")}</p>
      {others.map((language) => (
        <p lang={language} key={language} class="soft">{personTexts(language).t(able ? "landing_title" : "no_webrtc_text")}</p>
      ))}
    </ScreenFrame>
  );
}

// The link, to be pasted into the phone's own browser.
function CopyLink(): JSX.Element | null {
  const { session, texts } = useSession();
  const [copied, setCopied] = useState(false);
  const field = useRef<HTMLInputElement>(null);
  const link = session.elsewhere;
  if (!link) return null;
  const copy = (): void => {
    if (field.current) field.current.select();
    copyText(link).then(() => setCopied(true), () => undefined); // it is marked: the phone offers to copy it
  };
  return (
    <>
      <input ref={field} class="input" readOnly value={link} aria-label={texts.t("link_copy")} onFocus={(event) => event.currentTarget.select()} />
      <button type="button" class="button primary big" onClick={copy}><Icon name={copied ? "check" : "copy"} />{texts.t(copied ? "link_copied" : "link_copy")}</button>
    </>
  );
}

export function Notice({ state }: { state: PersonState }): JSX.Element {
  const { session, view, texts } = useSession();
  const values = { inspector: state.inspector, unit: state.unit };
  const sentences = [
    { icon: "person", text: texts.t("notice_who", values) },
    { icon: "log", text: texts.t("notice_why") },
    { icon: "camera", text: texts.t("notice_recorded") },
    { icon: "shield", text: texts.t("notice_rights") },
  ] as const;
  return (
    <ScreenFrame title={texts.t("notice_title")}
      actions={
        <>
          {view.actionFailed && <p class="fault" role="alert">{texts.t("request_failed")}</p>}
          <button type="button" class="button primary big" disabled={view.busy} onClick={() => void session.acknowledge(true)}>{texts.t("notice_accept")}</button>
        </>
      }>
      <ul class="notice">
        {sentences.map((sentence) => (
          <li key={sentence.icon}><span class="notice-mark"><Icon name={sentence.icon} /></span><p>{sentence.text}</p></li>
        ))}
      </ul>
      <ReadAloud sentences={sentences.map((sentence) => sentence.text)} />
    </ScreenFrame>
  );
}

function Level({ stream }: { stream: MediaStream }): JSX.Element {
  const { texts } = useSession();
  const [level, setLevel] = useState(0);
  const [heard, setHeard] = useState(false);
  useEffect(() => watchLevel(stream, (now) => {
    setLevel(now);
    if (now > 0.25) setHeard(true);
  }), [stream]);
  const percent = Math.round(level * 100);
  return (
    <div class="level">
      <Icon name="microphone" />
      <div class="level-track" role="meter" aria-label={texts.t("check_level")} aria-valuemin={0} aria-valuemax={100} aria-valuenow={percent}>
        <div class="level-bar" style={{ transform: `scaleX(${Math.max(0.02, level)})` }} />
      </div>
      <p class="level-text" role="status">{heard ? texts.t("check_heard") : texts.t("check_speak")}</p>
    </div>
  );
}

export function OwnPicture({ stream, onSeen }: { stream: MediaStream; onSeen?(): void }): JSX.Element {
  const { texts } = useSession();
  return <Video class="own" stream={stream} label={texts.t("own_picture")} muted mirrored onPlaying={onSeen} />;
}

// Whoever calls by themselves owes nothing and declines nothing.
function DeclineButton(): JSX.Element {
  const { session, view, texts } = useSession();
  if (view.calling) return <button type="button" class="button" onClick={() => session.call(false)}>{texts.t("back")}</button>;
  return <button type="button" class="button plain" onClick={() => session.show("decline")}>{texts.t("cannot_talk")}</button>;
}

function Trouble({ problem, test }: { problem: DeviceProblem; test: boolean }): JSX.Element {
  const { session, texts } = useSession();
  const family = browserFamily(navigator.userAgent);
  const denied = problem === "denied";
  const title = denied || problem === "denied_system" ? texts.t("denied_title")
    : problem === "in_use" ? texts.t("in_use_title") : problem === "no_camera" ? texts.t("no_camera_title") : texts.t("no_webrtc_title");
  const canAnswer = !test && problem !== "no_webrtc";
  return (
    <ScreenFrame title={title} mark={problem === "no_webrtc" ? "alert" : "camera_off"} tone="warn"
      actions={
        <>
          {problem !== "no_webrtc" && (
            <button type="button" class="button primary big" onClick={() => void session.turnOnCamera()}>{texts.t("again")}</button>
          )}
          {problem === "no_webrtc" && !test && <CopyLink />}
          {canAnswer && <button type="button" class="button" onClick={() => session.answer()}>{texts.t("answer_without_picture")}</button>}
          {test ? <button type="button" class="button" onClick={() => session.test(false)}>{texts.t("back")}</button> : <DeclineButton />}
        </>
      }>
      {denied && (
        <>
          <p>{texts.t("denied_text")}</p>
          <WherePicture family={family} camera={texts.t("picture_camera")} microphone={texts.t("picture_microphone")} />
          <ol class="steps">
            <li>{texts.maybe(`denied_${family}_1`)}</li>
            <li>{texts.maybe(`denied_${family}_2`)}</li>
            <li>{texts.t("denied_3")}</li>
          </ol>
        </>
      )}
      {problem === "denied_system" && <p>{texts.t("denied_system")}</p>}
      {problem === "in_use" && <p>{texts.t("in_use_text")}</p>}
      {problem === "no_camera" && <p>{texts.t("no_camera_text")}</p>}
      {problem === "no_webrtc" && <p>{texts.t("no_webrtc_text")}</p>}
      <p class="note"><Icon name="info" /><span>{texts.t("noted_not_blame")}</span></p>
    </ScreenFrame>
  );
}

// Own picture and level, then the one button. Also the test outside a call.
export function Check({ state, test }: { state: PersonState; test: boolean }): JSX.Element {
  const { session, view, texts } = useSession();
  const devices = view.devices;
  if (devices && devices.problem) return <Trouble problem={devices.problem} test={test} />;
  const ready = devices && devices.stream;
  const late = !test && cameTooLate(state, view.clock.now());
  return (
    <ScreenFrame title={texts.t("check_title")}
      actions={
        ready ? (
          test ? (
            <button type="button" class="button primary big" onClick={() => session.test(false)}><Icon name="check" />{texts.t("home_test_done")}</button>
          ) : (
            <>
              <button type="button" class="button primary big" onClick={() => session.answer()}>{texts.t(view.calling ? "call_in" : "answer")}</button>
              <DeclineButton />
            </>
          )
        ) : (
          <>
            <button type="button" class="button primary big" disabled={view.asking} onClick={() => void session.turnOnCamera()}>{texts.t("check_start")}</button>
            {!test && <DeclineButton />}
          </>
        )
      }>
      <div class="own-frame">
        {ready ? <OwnPicture stream={devices.stream!} onSeen={() => session.pictureSeen()} /> : <Icon name="camera" size={48} />}
      </div>
      {view.asking && <p role="status">{texts.t("check_asking")}</p>}
      {ready && (devices.microphone ? <Level stream={devices.stream!} /> : <p class="note"><Icon name="microphone_off" /><span>{texts.t("check_no_microphone")}</span></p>)}
      {!test && state.checkin && (
        <p class="soft">{late
          ? texts.t("check_late", { at: view.clock.momentIn(state.checkin.answer_until) })
          : texts.t("check_answer_until", { time: view.clock.moment(state.checkin.answer_until) })}</p>
      )}
    </ScreenFrame>
  );
}

export function Joining(): JSX.Element {
  const { texts } = useSession();
  return (
    <ScreenFrame title={texts.t("joining")}>
      <div class="pulse" aria-hidden="true"><Icon name="phone" size={40} /></div>
    </ScreenFrame>
  );
}

// Every media worker is full: said, and tried again without the person.
export function Crowded(): JSX.Element | null {
  const { view, texts } = useSession();
  if (view.crowded === null) return null;
  const length = view.clock.length(Math.max(1000, view.crowded - Date.now()));
  return (
    <div class="card warn" role="status">
      <h2><Icon name="alert" />{texts.t("busy_title")}</h2>
      <p>{texts.t("busy_text", { length })}</p>
    </div>
  );
}

export function Waiting({ state }: { state: PersonState }): JSX.Element {
  const { session, view, texts } = useSession();
  useTick(1000);
  const since = view.since || new Date(view.clock.now()).toISOString();
  const stream = view.devices ? view.devices.stream : null;
  const late = !!state.checkin && Date.parse(since) > Date.parse(state.checkin.answer_until);
  return (
    <ScreenFrame title={texts.t("waiting_title")}
      actions={
        <>
          <button type="button" class="button" onClick={() => session.show("messages")}>
            <Icon name="message" />{texts.t("messages")}{view.unread > 0 && <span class="count">{view.unread}</span>}
          </button>
          <DeclineButton />
        </>
      }>
      <Crowded />
      <p class="lead">{texts.t(late ? "waiting_late" : "waiting_on_time", { time: view.clock.time(since) })}</p>
      <div class="own-frame waiting">
        {stream && view.devices!.camera ? <OwnPicture stream={stream} /> : <Icon name="camera_off" size={48} />}
      </div>
      <p>{texts.t("waiting_text")}</p>
      <p class="soft" aria-live="off">{texts.t("waiting_since", { length: view.clock.length(view.clock.now() - Date.parse(since)) })}</p>
    </ScreenFrame>
  );
}

function NextWindow({ state }: { state: PersonState }): JSX.Element {
  const { view, texts } = useSession();
  const next = state.next_window;
  return (
    <section class="card">
      <h2><Icon name="calendar" />{texts.t("home_next")}</h2>
      <p>{next
        ? next.at ? texts.t("home_next_at", { day: view.clock.dayNear(next.at), time: view.clock.time(next.at) })
        : texts.t("home_next_text", { day: view.clock.dayNear(next.start), start: view.clock.time(next.start), end: view.clock.time(next.end) })
        : texts.t("home_next_none")}</p>
    </section>
  );
}

// What the person asked for, and what was answered.
function Requests({ state }: { state: PersonState }): JSX.Element | null {
  const { session, view, texts } = useSession();
  return (
    <section class="card">
      <h2><Icon name="message" />{texts.t("requests_title")}</h2>
      {state.requests.map((request) => (
        <div key={request.id} class="request">
          <p><strong>{texts.t(`${request.kind}_title`)}</strong> <span class="soft">{view.clock.moment(request.at)}{request.receipt && ` · ${texts.t("home_receipt", { receipt: request.receipt })}`}</span></p>
          <p class="prewrap">{request.text}</p>
          <p class={request.answered ? "" : "soft"}>{request.answered ? `${texts.t(request.accepted ? "request_accepted" : "request_refused")}: ${request.answer}` : texts.t("request_waits")}</p>
        </div>
      ))}
      <button type="button" class="button" onClick={() => session.show("reschedule")}><Icon name="calendar" />{texts.t("reschedule_title")}</button>
    </section>
  );
}

// The signed proof of a result, as a file. Right after the result it is not signed yet.
function Proof({ id, receipt }: { id: number; receipt: string }): JSX.Element {
  const { texts } = useSession();
  const [trouble, setTrouble] = useState<"proof_soon" | "request_failed" | null>(null);
  const fetchProof = (): void => {
    getFile(`/api/p/checkins/${id}/proof`).then((file) => {
      setTrouble(null);
      saveFile(file, `${receipt}.tlog-proof`);
    }).catch((cause) => setTrouble(failureOf(cause).code === "conflict" ? "proof_soon" : "request_failed"));
  };
  return (
    <>
      <button type="button" class="button plain" onClick={fetchProof}>{texts.t("proof_download")}</button>
      <span class="soft" role="status">{trouble && texts.t(trouble)}</span>
    </>
  );
}

function saveFile(file: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000); // some browsers read it after the click
}

function History({ state }: { state: PersonState }): JSX.Element {
  const { session, view, texts } = useSession();
  const disputed = (receipt: string): boolean => state.requests.some((request) => request.receipt === receipt);
  return (
    <section class="card">
      <h2><Icon name="log" />{texts.t("home_history")}</h2>
      {state.history.length === 0 && <p class="soft">{texts.t("home_history_none")}</p>}
      <ul class="history">
        {state.history.map((entry) => (
          <li key={entry.receipt || entry.at}>
            <span class={"history-mark " + entry.result} aria-hidden="true"><Icon name={entry.result === "received" || entry.result === "received_late" ? "check" : "info"} size={20} /></span>
            <span class="history-text">
              <strong>{texts.maybe("result_" + entry.result) || entry.result}</strong>
              <span class="soft">{view.clock.moment(entry.at)}{entry.receipt && ` · ${texts.t("home_receipt", { receipt: entry.receipt })}`}</span>
              {entry.receipt && entry.result !== "received" && !disputed(entry.receipt) && (
                <button type="button" class="button plain" onClick={() => session.dispute(entry.receipt)}>{texts.t("dispute_title")}</button>
              )}
              {entry.receipt && <Proof id={entry.id} receipt={entry.receipt} />}
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}

function WriteButton({ primary }: { primary?: boolean }): JSX.Element {
  const { session, view, texts } = useSession();
  return (
    <button type="button" class={"button big" + (primary ? " primary" : "")} onClick={() => session.show("messages")}>
      <Icon name="message" />{texts.t("home_write")}{view.unread > 0 && <span class="count">{view.unread}</span>}
    </button>
  );
}

function copyText(text: string): Promise<void> {
  return navigator.clipboard ? navigator.clipboard.writeText(text) : Promise.reject(new Error("no clipboard"));
}

function Receipt({ receipt }: { receipt: string }): JSX.Element {
  const { texts } = useSession();
  const [copied, setCopied] = useState(false);
  const copy = (): void => void copyText(receipt).then(() => setCopied(true), () => undefined);
  return (
    <section class="receipt">
      <p class="soft">{texts.t("receipt_number")}</p>
      <p class="receipt-number">{receipt}</p>
      {navigator.clipboard && <button type="button" class="button plain" onClick={copy}><Icon name={copied ? "check" : "copy"} />{copied ? texts.t("receipt_copied") : texts.t("receipt_copy")}</button>}
      <p class="soft receipt-keep">{texts.t("receipt_keep")}</p>
    </section>
  );
}

export function Result({ state }: { state: PersonState }): JSX.Element {
  const { view, texts } = useSession();
  const checkin = state.checkin;
  const result = (checkin && checkin.result) || (view.ended && view.ended.result) || "ended";
  const receipt = (view.ended && view.ended.receipt) || (checkin && checkin.receipt);
  const noted = state.history.find((entry) => entry.receipt === receipt);
  const at = noted ? noted.at : view.since || state.server_time;
  const when = { day: view.clock.day(at), time: view.clock.time(at) };
  const received = result === "received" || result === "received_late";
  return (
    <ScreenFrame mark={received ? "check" : result === "declined" ? "message" : "info"} tone={received ? "good" : "info"}
      title={texts.t(result === "received" ? "received_title" : result === "received_late" ? "received_late_title" : result === "declined" ? "declined_title" : "ended_title")}
      actions={<WriteButton />}>
      <p class="lead" role="status">
        {texts.t(result === "received" ? "received_text" : result === "received_late" ? "received_late_text" : result === "declined" ? "declined_text" : "ended_text", when)}
      </p>
      {receipt && <Receipt receipt={receipt} />}
      <NextWindow state={state} />
      <Requests state={state} />
      <PushCard />
      <History state={state} />
    </ScreenFrame>
  );
}

function CallInButton(): JSX.Element {
  const { session, view, texts } = useSession();
  return (
    <>
      {view.actionFailed && <p class="fault" role="alert">{texts.t("request_failed")}</p>}
      <button type="button" class="button" onClick={() => session.call(true)}><Icon name="phone" />{texts.t("call_in")}</button>
    </>
  );
}

export function Home({ state }: { state: PersonState }): JSX.Element {
  const { session, view, texts } = useSession();
  return (
    <ScreenFrame title={texts.t("home_title")}
      actions={
        <>
          <WriteButton primary />
          <CallInButton />
          <button type="button" class="button" onClick={() => session.test(true)}><Icon name="camera" />{texts.t("home_test")}</button>
        </>
      }>
      <p class="lead">{texts.t("home_none")}</p>
      {view.phone === "own" && <p class="note"><Icon name="check" /><span>{texts.t("phone_own")}</span></p>}
      {view.phone === "failed" && <p class="note"><Icon name="info" /><span>{texts.t("phone_failed")}</span></p>}
      <NextWindow state={state} />
      <Requests state={state} />
      <PushCard />
      <History state={state} />
    </ScreenFrame>
  );
}

// A check-in is due and this page is not for it: the link of the message is.
export function Elsewhere({ state }: { state: PersonState }): JSX.Element {
  const { session, view, texts } = useSession();
  return (
    <ScreenFrame title={texts.t("elsewhere_title")} mark="phone"
      actions={
        <>
          <WriteButton primary />
          <button type="button" class="button" onClick={() => session.test(true)}><Icon name="camera" />{texts.t("home_test")}</button>
        </>
      }>
      <p class="lead">{texts.t("elsewhere_text", { time: view.clock.moment(state.checkin!.answer_until) })}</p>
    </ScreenFrame>
  );
}

export function Early({ state }: { state: PersonState }): JSX.Element {
  const { session, view, texts } = useSession();
  useTick(5000);
  const due = state.checkin!.due;
  return (
    <ScreenFrame title={texts.t("early_title")} mark="clock"
      actions={
        <>
          <button type="button" class="button primary big" onClick={() => session.test(true)}>{texts.t("early_test")}</button>
          <WriteButton />
        </>
      }>
      <p class="lead">{texts.t("early_text", { day: view.clock.dayNear(due), time: view.clock.time(due) })}</p>
      <History state={state} />
    </ScreenFrame>
  );
}

export function Over({ state }: { state: PersonState }): JSX.Element {
  const { view, texts } = useSession();
  return (
    <ScreenFrame title={texts.t("over_title")} mark="clock" tone="warn" actions={<><WriteButton primary /><CallInButton /><CallHelp /></>}>
      <p class="lead">{texts.t("over_text", { time: view.clock.moment(state.checkin!.late_until) })}</p>
      <NextWindow state={state} />
      <History state={state} />
    </ScreenFrame>
  );
}

export function Problem({ kind }: { kind: "expired" | "busy" | "server" | "offline" }): JSX.Element {
  const { session, view, texts } = useSession();
  useTick(1000);
  const length = view.clock.length(Math.max(1000, (view.retryAt || 0) - Date.now()));
  const words = {
    expired: [texts.t("expired_title"), texts.t(view.helpPhone ? "expired_call" : "expired_text")],
    busy: [texts.t("busy_title"), texts.t("busy_text", { length })],
    server: [texts.t("server_title"), texts.t("server_text", { length })],
    offline: [texts.t("offline_title"), texts.t("offline_text", { length })],
  }[kind] as [string, string];
  return (
    <ScreenFrame title={words[0]} mark={kind === "offline" ? "offline" : kind === "expired" ? "clock" : "alert"} tone="warn"
      actions={
        <>
          {kind !== "expired" && <button type="button" class="button primary big" onClick={() => session.retryNow()}>{texts.t("again")}</button>}
          <CallHelp primary={kind === "expired"} />
        </>
      }>
      <p class="lead">{words[1]}</p>
      {kind !== "expired" && view.helpPhone && <p>{texts.t("help_text")}</p>}
    </ScreenFrame>
  );
}

export function Replaced(): JSX.Element {
  const { session, texts } = useSession();
  return (
    <ScreenFrame title={texts.t("replaced_title")} mark="external"
      actions={<button type="button" class="button primary big" onClick={() => session.takeBack()}>{texts.t("replaced_here")}</button>}>
      <p class="lead">{texts.t("replaced_text")}</p>
    </ScreenFrame>
  );
}

// The call with the inspector, and the tasks of a check-in without one.
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { Challenge } from "../api/wire";
import { stopwatch } from "../text/time";
import { Icon } from "../ui/icons";
import { useTick } from "../ui/store";
import { Video } from "../ui/video";
import { ScreenFrame, useSession } from "./parts";
import { TaskPicture } from "./pictures";
import { OwnPicture } from "./screens";
import { hush, speak } from "./speech";

function RecordingMark(): JSX.Element {
  const { view, texts } = useSession();
  return (
    <span class={"recording" + (view.recording ? " on" : "")} role="status">
      <span class="recording-dot" aria-hidden="true" />
      {view.paused ? texts.t("call_paused") : view.recording ? texts.t("call_recording") : texts.t("call_not_recorded")}
    </span>
  );
}

// What is wrong with the connection, in one line over the picture; nothing when all is well.
function Trouble(): JSX.Element | null {
  const { session, view, texts } = useSession();
  if (view.cameraStopped && !view.asking) {
    return <button type="button" class="stage-note as-button" onClick={() => void session.turnOnCamera()}><Icon name="camera_off" />{texts.t("call_camera_stopped")}</button>;
  }
  const text = view.leg === "interrupted" ? texts.t("call_reconnecting")
    : view.peerAway ? texts.t("call_peer_away")
    : view.socket !== "open" ? texts.t("call_socket_down") : null;
  return <p class="stage-note" role="status" hidden={!text}>{text && <Icon name="offline" />}{text}</p>;
}

export function Call(): JSX.Element {
  const { session, view, texts } = useSession();
  const [blocked, setBlocked] = useState(false);
  const [nudge, setNudge] = useState(0);
  useTick(1000);
  const stream = view.devices ? view.devices.stream : null;
  return (
    <main id="content" class="stage">
      <h1 class="unseen" tabIndex={-1}>{texts.t("call_with", { name: view.callee })}</h1>
      <Video class="stage-remote" stream={view.remote} label={texts.t("call_remote")} onBlocked={setBlocked} nudge={nudge} />
      <div class="stage-top">
        <div class="stage-name"><strong>{view.callee}</strong><span>{stopwatch(view.clock.now() - (view.callSince || view.clock.now()))}</span></div>
        <RecordingMark />
      </div>
      <Trouble />
      {blocked && (
        <button type="button" class="button primary big stage-hear" onClick={() => setNudge(nudge + 1)}><Icon name="speaker" />{texts.t("call_tap_to_hear")}</button>
      )}
      <div class="stage-own">{stream && view.devices!.camera && !view.paused ? <OwnPicture stream={stream} /> : <Icon name="camera_off" size={32} />}</div>
      {view.paused && (
        <div class="stage-paused">
          <h2>{texts.t("paused_title")}</h2>
          <p>{texts.t("paused_text")}</p>
          <button type="button" class="button primary big" onClick={() => session.resume()}>{texts.t("resume")}</button>
        </div>
      )}
      <div class="stage-controls" role="toolbar">
        <button type="button" class="round" aria-pressed={view.muted} onClick={() => session.toggleMute()}>
          <span class="round-mark"><Icon name={view.muted ? "microphone_off" : "microphone"} /></span>{texts.t(view.muted ? "unmute" : "mute")}
        </button>
        <button type="button" class="round" onClick={() => session.show("messages")}>
          <span class="round-mark"><Icon name="message" />{view.unread > 0 && <span class="count">{view.unread}</span>}</span>{texts.t("messages")}
        </button>
        <button type="button" class="round" disabled={!!view.paused} onClick={() => session.show("pause")}>
          <span class="round-mark"><Icon name="pause" /></span>{texts.t("pause")}
        </button>
        <button type="button" class="round end" onClick={() => session.show("hangup")}>
          <span class="round-mark"><Icon name="hang_up" /></span>{texts.t("hang_up")}
        </button>
      </div>
    </main>
  );
}

// Counts a task down and tells when it was shown to its end.
function useCountdown(challenge: Challenge, stopped: boolean, onEnd: () => void): number {
  const [left, setLeft] = useState(challenge.seconds);
  useEffect(() => setLeft(challenge.seconds), [challenge.number]);
  useEffect(() => {
    if (stopped) return undefined;
    if (left <= 0) {
      onEnd();
      return undefined;
    }
    const timer = setTimeout(() => setLeft(left - 1), 1000);
    return () => clearTimeout(timer);
  }, [left, stopped, challenge.number]);
  return left;
}

function Task({ challenge }: { challenge: Challenge }): JSX.Element {
  const { session, view, texts } = useSession();
  const instruction = texts.maybe("task_" + challenge.kind) || "";
  const left = useCountdown(challenge, !!view.paused, () => session.challengeShown(challenge.number));
  const done = view.challengeDone >= challenge.number;
  useEffect(() => {
    speak(view.language, [instruction]);
    if (navigator.vibrate) navigator.vibrate(60);
    return hush;
  }, [challenge.number, view.language]);
  if (done) return <p class="task-text" role="status">{texts.t("task_sending")}</p>;
  return (
    <>
      <p class="soft task-of">{texts.t("task_of", { number: challenge.number, of: challenge.of })}</p>
      <h1 class="task-text" role="alert">{instruction}</h1>
      {challenge.kind === "read_digits" && challenge.digits
        ? <p class="task-digits" aria-label={challenge.digits.split("").join(" ")}>{challenge.digits.split("").map((digit, index) => <span key={index}>{digit}</span>)}</p>
        : <TaskPicture kind={challenge.kind} />}
      <div class="task-time" role="timer" aria-label={texts.t("task_seconds", { n: left })}>
        <div class="task-time-bar" style={{ transform: `scaleX(${challenge.seconds ? left / challenge.seconds : 0})` }} />
      </div>
    </>
  );
}

export function Tasks(): JSX.Element {
  const { session, view, texts } = useSession();
  const stream = view.devices ? view.devices.stream : null;
  if (view.paused) {
    return (
      <ScreenFrame title={texts.t("paused_title")} mark="pause"
        actions={<button type="button" class="button primary big" onClick={() => session.resume()}>{texts.t("resume")}</button>}>
        <p class="lead">{texts.t("paused_task")}</p>
      </ScreenFrame>
    );
  }
  return (
    <main id="content" class="screen tasks">
      <div class="tasks-top">
        <div class="tasks-own">{stream && view.devices!.camera ? <OwnPicture stream={stream} /> : <Icon name="camera_off" size={32} />}</div>
        <div class="tasks-side">
          <RecordingMark />
          {view.leg === "interrupted" && <p class="note" role="status"><Icon name="offline" /><span>{texts.t("call_reconnecting")}</span></p>}
        </div>
      </div>
      <div class="tasks-body">
        {view.challenge ? <Task key={view.challenge.number} challenge={view.challenge} /> : (
          <>
            <h1 class="task-text">{texts.t("task_ready_title")}</h1>
            {view.since && <p>{texts.t("task_why")}</p>}
            <p>{texts.t("task_ready_text")}</p>
          </>
        )}
      </div>
      <div class="actions">
        <div class="pair">
          <button type="button" class="button" onClick={() => session.show("pause")}><Icon name="pause" />{texts.t("pause")}</button>
          <button type="button" class="button" onClick={() => session.show("hangup")}><Icon name="hang_up" />{texts.t("hang_up")}</button>
        </div>
      </div>
    </main>
  );
}

// A recording with the tasks beside their moments. Each viewing has a reason and is logged by the server.
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { failureOf, post, type Failure } from "../api/http";
import type { Checkin, RecordingRow } from "../api/types";
import { stopwatch } from "../text/time";
import { Icon } from "../ui/icons";
import { Chip, FailureBox, ReasonForm, useKeys, Tabs, useSession } from "./parts";

const REVIEW_REASON = "review";

function Player({ checkin, recording, url, atOnce }: { checkin: Checkin; recording: RecordingRow; url: string; atOnce: boolean }): JSX.Element {
  const { view, t } = useSession();
  const frame = useRef<HTMLDivElement>(null);
  const video = useRef<HTMLVideoElement>(null);
  const [opened] = useState(() => new Date(view.clock.now()).toISOString());
  const [at, setAt] = useState(0);
  const [broken, setBroken] = useState(false);
  const marks = recording.leg === "person" ? checkin.challenges : [];
  const current = marks.reduce((found, mark) => (mark.at_s <= at + 0.2 ? mark.number : found), 0);
  const seek = (seconds: number): void => {
    if (!video.current) return;
    video.current.currentTime = Math.max(0, seconds);
    void video.current.play().catch(() => undefined);
  };
  useEffect(() => {
    // Browsers that let nothing sound before a tap still play it silently.
    const element = video.current;
    if (!atOnce || !element) return;
    element.play().catch(() => {
      element.muted = true;
      element.play().catch(() => undefined);
    });
  }, [url]);
  useKeys({
    " ": () => video.current && (video.current.paused ? void video.current.play() : video.current.pause()),
    ArrowLeft: () => video.current && seek(video.current.currentTime - 5),
    ArrowRight: () => video.current && seek(video.current.currentTime + 5),
  });
  return (
    <div class="player">
      {/* Whoever films this screen films who looked: in the whole screen, too, which is why the frame goes there and not the video. */}
      <div class="player-frame" ref={frame}>
        <video ref={video} src={url} controls controlsList="nodownload nofullscreen noremoteplayback" disablePictureInPicture playsInline preload="auto" aria-label={t.t("recording_title")}
          onTimeUpdate={(event) => setAt(event.currentTarget.currentTime)} onError={() => setBroken(true)} />
        <span class="player-viewer" aria-hidden="true">{t.t("recording_viewer", { name: view.me ? view.me.name : "", moment: view.clock.moment(opened) })}</span>
        <button type="button" class="button icon-only player-whole" aria-label={t.t("recording_whole")} title={t.t("recording_whole")} onClick={() => {
          if (document.fullscreenElement) void document.exitFullscreen();
          else if (frame.current && frame.current.requestFullscreen) void frame.current.requestFullscreen().catch(() => undefined);
        }}><Icon name="external" size={20} /></button>
      </div>
      {broken && <p class="fault" role="alert">{t.t("recording_broken")}</p>}
      {recording.gaps.length > 0 && <p class="note"><Icon name="info" size={20} /><span>{recording.gaps.map((gap) => t.t("recording_gap", { at: stopwatch(gap.at_s * 1000), seconds: Math.round(gap.seconds), reason: t.maybe("gap_" + gap.reason) || gap.reason })).join(" ")}</span></p>}
      <Measures recording={recording} at={at} seek={seek} />
      {marks.length > 0 && (
        <ol class="moments">
          {marks.map((mark) => (
            <li key={mark.number}>
              <button type="button" class="moment" aria-current={mark.number === current ? "true" : undefined} onClick={() => seek(mark.at_s)}>
                <span class="tabular">{stopwatch(mark.at_s * 1000)}</span>
                <span>{t.maybe("challenge_" + mark.kind, { digits: mark.text }) || mark.text}</span>
              </button>
            </li>
          ))}
        </ol>
      )}
    </div>
  );
}

// What a machine saw and heard: facts with their times, for the reviewer to judge. A tap goes there.
function Measures({ recording, at, seek }: { recording: RecordingRow; at: number; seek(seconds: number): void }): JSX.Element | null {
  const { t } = useSession();
  if (!recording.measures) return null;
  if (!recording.measures.length) return <p class="note good"><Icon name="check" size={20} /><span>{t.t("measures_none")}</span></p>;
  return (
    <div class="measures">
      <h2>{t.t("measures_title")}</h2>
      <ol class="moments">
        {recording.measures.map((span) => (
          <li key={`${span.measure}-${span.from_ms}`}>
            <button type="button" class="moment" aria-current={at * 1000 >= span.from_ms && at * 1000 < span.until_ms ? "true" : undefined} onClick={() => seek(span.from_ms / 1000)}>
              <span class="tabular">{stopwatch(span.from_ms)}–{stopwatch(span.until_ms)}</span>
              <span>{t.t(`measure_${span.measure}`)}</span>
            </button>
          </li>
        ))}
      </ol>
      <p class="soft small">{t.t("measures_text")}</p>
    </div>
  );
}

export function Playback({ checkin, atOnce }: { checkin: Checkin; atOnce: boolean }): JSX.Element {
  const { view: { clock }, t } = useSession();
  const playable = checkin.recordings.filter((recording) => recording.state === "closed" || recording.state === "recovered");
  const [chosen, setChosen] = useState<number | null>(null);
  const recording = playable.find((other) => other.id === chosen) || playable.find((other) => other.leg === "person") || playable[0];
  const [view, setView] = useState<{ recording: number; url: string } | null>(null);
  const [failure, setFailure] = useState<Failure | null>(null);
  const open = async (reason: string): Promise<void> => {
    if (!recording) return;
    const answer = await post<{ url: string; expires: string }>(`/api/recordings/${recording.id}/view`, { reason });
    setView({ recording: recording.id, url: answer.url });
  };
  useEffect(() => {
    if (!atOnce || !recording || (view && view.recording === recording.id)) return;
    setFailure(null);
    open(REVIEW_REASON).catch((cause: unknown) => setFailure(failureOf(cause)));
  }, [recording ? recording.id : 0, atOnce]);
  if (!recording) {
    const state = checkin.recordings[0] ? checkin.recordings[0].state : null;
    return <p class="note"><Icon name="info" size={20} /><span>{t.t(state === "recording" ? "recording_running" : state === "failed" ? "recording_failed" : state === "erased" ? "recording_erased" : "recording_none")}</span></p>;
  }
  return (
    <div class="stack">
      {playable.length > 1 && (
        <Tabs>
          {playable.map((other) => <button type="button" key={other.id} class="tab-inline" aria-pressed={other.id === recording.id} onClick={() => setChosen(other.id)}>{t.t(`leg_${other.leg}`)} <span class="soft small">{clock.time(other.from)}</span></button>)}
        </Tabs>
      )}
      {recording.state === "recovered" && <Chip tone="info" icon="info">{t.t("recording_recovered")}</Chip>}
      {failure && <FailureBox failure={failure} again={() => { setFailure(null); open(REVIEW_REASON).catch((cause: unknown) => setFailure(failureOf(cause))); }} />}
      {view && view.recording === recording.id ? <Player checkin={checkin} recording={recording} url={view.url} atOnce={atOnce} />
        : !atOnce && <ReasonForm label={t.t("view_reason")} hint={t.t("view_reason_hint")} submit={t.t("view_submit")} onSubmit={open} />}
    </div>
  );
}

// A <video> fed by a stream. Browsers may refuse to play sound before a tap: then `onBlocked` is told.
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";

interface Props {
  stream: MediaStream | null;
  label: string;
  muted?: boolean;
  mirrored?: boolean;
  class?: string;
  nudge?: number; // another value: try to play again (after a tap)
  onBlocked?(blocked: boolean): void;
  onPlaying?(): void;
}

export function Video(props: Props): JSX.Element {
  const element = useRef<HTMLVideoElement>(null);
  const { stream, nudge, onBlocked } = props;
  useEffect(() => {
    const video = element.current;
    if (!video) return;
    if (video.srcObject !== stream) video.srcObject = stream;
    if (!stream) return;
    const playing = video.play();
    if (playing) {
      playing.then(
        () => onBlocked && onBlocked(false),
        (cause: { name?: string }) => onBlocked && onBlocked(cause.name === "NotAllowedError"),
      );
    }
  }, [stream, nudge]);
  return (
    <video ref={element} class={(props.class || "") + (props.mirrored ? " mirrored" : "")} aria-label={props.label} autoPlay playsInline
      muted={props.muted} onPlaying={props.onPlaying} />
  );
}

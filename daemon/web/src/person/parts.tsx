// Pieces that the person's screens share.
import type { ComponentChildren, JSX } from "preact";
import { createContext } from "preact";
import { useContext, useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { type PersonTexts, personTexts } from "../text/person";
import { Icon, type IconName } from "../ui/icons";
import { useStore } from "../ui/store";
import type { PersonSession, View } from "./session";
import { canSpeak, hush, onVoices, speak } from "./speech";

export const Session = createContext<PersonSession>(null as unknown as PersonSession);

export function useSession(): { session: PersonSession; view: View; texts: PersonTexts } {
  const session = useContext(Session);
  const view = useStore(session.store);
  return { session, view, texts: personTexts(view.language) };
}

// Every screen: a heading that takes the focus when the screen changes, the content, and its actions under the thumb.
export function ScreenFrame(props: { title: string; mark?: IconName; tone?: "good" | "warn" | "info"; children?: ComponentChildren; actions?: ComponentChildren }): JSX.Element {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    if (heading.current) heading.current.focus();
    window.scrollTo(0, 0);
  }, [props.title]);
  return (
    <main id="content" class="screen">
      <div class="screen-body">
        <div class="screen-head">
          {props.mark && <span class={"screen-mark " + (props.tone || "info")}><Icon name={props.mark} size={28} /></span>}
          <h1 ref={heading} tabIndex={-1}>{props.title}</h1>
        </div>
        {props.children}
      </div>
      {props.actions && <div class="actions">{props.actions}</div>}
    </main>
  );
}

// The duty room, where its number is known.
export function CallHelp({ primary = false }: { primary?: boolean }): JSX.Element | null {
  const { view, texts } = useSession();
  if (!view.helpPhone) return null;
  return (
    <a class={"button big" + (primary ? " primary" : "")} href={"tel:" + view.helpPhone}>
      <Icon name="phone" />{texts.t("help_call", { phone: phoneWords(view.helpPhone) })}
    </a>
  );
}

// "+7 717 200 00 00"; other countries group in other ways.
function phoneWords(phone: string): string {
  return phone.replace(/^(\+7)(\d{3})(\d{3})(\d{2})(\d{2})$/, "$1\u00a0$2\u00a0$3\u00a0$4\u00a0$5");
}

export function ReadAloud({ sentences }: { sentences: readonly string[] }): JSX.Element | null {
  const { view, texts } = useSession();
  const [reading, setReading] = useState(false);
  const [, setVoices] = useState(0);
  useEffect(() => onVoices(() => setVoices((n) => n + 1)), []);
  useEffect(() => () => hush(), [view.language]);
  if (!canSpeak(view.language)) return null;
  return (
    <button type="button" class="button" aria-pressed={reading}
      onClick={() => {
        if (reading) hush();
        else speak(view.language, sentences, () => setReading(false));
        setReading(!reading);
      }}>
      <Icon name={reading ? "stop" : "speaker"} />
      {reading ? texts.t("stop_reading") : texts.t("read_aloud")}
    </button>
  );
}

// A sheet from below: over the screen, closed by its button, by Escape or by a tap beside it.
export function BottomSheet(props: { title: string; close: string; onClose(): void; tall?: boolean; children: ComponentChildren }): JSX.Element {
  const box = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => { // with the dialog itself: a key that follows at once is heard
    const before = document.activeElement as HTMLElement | null;
    if (box.current) box.current.focus();
    const onKey = (event: KeyboardEvent): void => {
      if (event.key === "Escape") props.onClose();
    };
    document.addEventListener("keydown", onKey);
    return () => {
      document.removeEventListener("keydown", onKey);
      if (before && before.focus) before.focus();
    };
  }, []);
  return (
    <div class="sheet-veil" onClick={(event) => event.target === event.currentTarget && props.onClose()}>
      <div class={"sheet" + (props.tall ? " tall" : "")} role="dialog" aria-modal="true" aria-label={props.title} tabIndex={-1} ref={box}>
        <div class="sheet-head">
          <h2>{props.title}</h2>
          <button type="button" class="button plain icon-only" aria-label={props.close} onClick={props.onClose}><Icon name="close" /></button>
        </div>
        {props.children}
      </div>
    </div>
  );
}

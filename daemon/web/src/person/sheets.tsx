// What opens over a screen: messages, a reason, a language.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { PauseReason } from "../api/wire";
import { LANGUAGE_NAMES, LANGUAGES } from "../text/format";
import { useDraft } from "../ui/draft";
import { Icon } from "../ui/icons";
import { ThreadView } from "../ui/thread";
import { threadWords } from "../ui/thread_words";
import { BottomSheet, useSession } from "./parts";

const DECLINE_REASONS = ["decline_work", "decline_driving", "decline_doctor", "decline_people"] as const;
const PAUSE_REASONS: readonly PauseReason[] = ["undress", "child", "other"];
const MAX_REASON = 500;
const MAX_REQUEST = 1000;

function DeclineSheet(): JSX.Element {
  const { session, view, texts } = useSession();
  const [chosen, setChosen] = useState("");
  const [words, setWords] = useState("");
  const reason = [chosen, words.trim()].filter(Boolean).join(". ");
  return (
    <BottomSheet title={texts.t("decline_title")} close={texts.t("close")} onClose={() => session.show(null)}>
      <form class="sheet-body" onSubmit={(event) => {
        event.preventDefault();
        if (reason) void session.decline(reason.slice(0, MAX_REASON));
      }}>
        <p>{texts.t("decline_text")}</p>
        <div class="choices" role="group">
          {DECLINE_REASONS.map((key) => (
            <button type="button" key={key} class="choice" aria-pressed={chosen === texts.t(key)} onClick={() => setChosen(chosen === texts.t(key) ? "" : texts.t(key))}>
              <span class="choice-mark">{chosen === texts.t(key) && <Icon name="check" size={20} />}</span>{texts.t(key)}
            </button>
          ))}
        </div>
        <div class="field">
          <label for="decline-words">{texts.t("decline_other")}</label>
          <textarea id="decline-words" class="input" rows={2} maxLength={MAX_REASON} value={words} onInput={(event) => setWords(event.currentTarget.value)} />
        </div>
        <p class="soft">{texts.t("decline_note")}</p>
        {view.actionFailed && <p class="fault" role="alert">{texts.t("request_failed")}</p>}
        <button type="submit" class="button primary big" disabled={!reason || view.busy}>{texts.t("decline_send")}</button>
      </form>
    </BottomSheet>
  );
}

function PauseSheet(): JSX.Element {
  const { session, texts } = useSession();
  return (
    <BottomSheet title={texts.t("pause_title")} close={texts.t("close")} onClose={() => session.show(null)}>
      <div class="sheet-body">
        <p>{texts.t("pause_text")}</p>
        {PAUSE_REASONS.map((reason) => (
          <button type="button" key={reason} class="button big" onClick={() => session.pause(reason)}>{texts.maybe("pause_" + reason)}</button>
        ))}
      </div>
    </BottomSheet>
  );
}

function HangUpSheet(): JSX.Element {
  const { session, texts } = useSession();
  return (
    <BottomSheet title={texts.t("hang_up_title")} close={texts.t("close")} onClose={() => session.show(null)}>
      <div class="sheet-body">
        <p>{texts.t("hang_up_text")}</p>
        <button type="button" class="button primary big" onClick={() => session.hangUp()}>{texts.t("hang_up_confirm")}</button>
        <button type="button" class="button big" onClick={() => session.show(null)}>{texts.t("cancel")}</button>
      </div>
    </BottomSheet>
  );
}

function LanguageSheet(): JSX.Element {
  const { session, view, texts } = useSession();
  return (
    <BottomSheet title={texts.t("language")} close={texts.t("close")} onClose={() => session.show(null)}>
      <div class="sheet-body choices">
        {LANGUAGES.map((language) => (
          <button type="button" key={language} class="choice" lang={language} aria-pressed={language === view.language} onClick={() => void session.setLanguage(language)}>
            <span class="choice-mark">{language === view.language && <Icon name="check" size={20} />}</span>{LANGUAGE_NAMES[language]}
          </button>
        ))}
      </div>
    </BottomSheet>
  );
}

function MessagesSheet(): JSX.Element {
  const { session, view, texts } = useSession();
  const name = view.state ? view.state.inspector : "";
  return (
    <BottomSheet tall title={texts.t("thread_title", { name })} close={texts.t("close")} onClose={() => session.show(null)}>
      <ThreadView draftKey="thread" thread={view.thread} mine={(item) => item.from === "person"} clock={view.clock}
        words={threadWords(texts)} fileUrl={(id) => `/api/p/messages/${id}/file`}
        onSend={(text, file, again) => void session.sendMessage(text, file, again)} onOlder={(before) => void session.loadMessages(before)} />
    </BottomSheet>
  );
}

function AskSheet({ kind }: { kind: "reschedule" | "dispute" }): JSX.Element {
  const { session, view, texts } = useSession();
  const draft = useDraft(kind === "dispute" ? "dispute." + view.disputed : kind, "");
  const words = draft.value;
  return (
    <BottomSheet title={texts.t(`${kind}_title`)} close={texts.t("close")} onClose={() => session.show(null)}>
      <form class="sheet-body" onSubmit={(event) => {
        event.preventDefault();
        if (words.trim()) void session.ask(kind, words.trim()).then((sent) => sent && draft.clear());
      }}>
        <p>{texts.t(`${kind}_text`)}</p>
        <div class="field">
          <label for="ask-words">{texts.t(`${kind}_label`)}</label>
          <textarea id="ask-words" class="input" rows={4} maxLength={MAX_REQUEST} value={words} onInput={(event) => draft.set(event.currentTarget.value)} />
        </div>
        {view.actionFailed && <p class="fault" role="alert">{texts.t("request_failed")}</p>}
        <button type="submit" class="button primary big" disabled={!words.trim() || view.busy}>{texts.t("send")}</button>
      </form>
    </BottomSheet>
  );
}

export function Sheets(): JSX.Element | null {
  const { view } = useSession();
  switch (view.sheet) {
    case "decline":
      return <DeclineSheet />;
    case "pause":
      return <PauseSheet />;
    case "hangup":
      return <HangUpSheet />;
    case "reschedule":
    case "dispute":
      return <AskSheet kind={view.sheet} />;
    case "language":
      return <LanguageSheet />;
    case "messages":
      return view.state ? <MessagesSheet /> : null;
    case null:
      return null;
  }
}

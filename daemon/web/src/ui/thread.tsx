// A message thread: what was written, how far it got, and a field to write in.
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Clock } from "../text/time";
import { type Attachment, attachmentOf, FILE_TYPES } from "./attachment";
import { useDraft } from "./draft";
import { Icon } from "./icons";
import { MAX_MESSAGE, type ThreadItem, type ThreadState } from "./thread_model";

export interface ThreadWords {
  empty: string;
  placeholder: string;
  send: string;
  sending: string;
  sent: string;
  delivered: string;
  read: string;
  failed: string;
  older: string;
  erased: string;
  attach: string;
  detach: string;
  preparing: string;
  badType: string;
  tooLarge: string;
  tooMany: string;
  refused: string;
  ready: string;
  log: string; // name of the list for screen readers
  size(bytes: number): string;
}

interface Props {
  thread: ThreadState;
  mine(item: ThreadItem): boolean;
  clock: Clock;
  words: ThreadWords;
  fileUrl(id: number): string;
  draftKey: string; // where what is being written is kept
  wayOf?(item: ThreadItem): string; // in place of sent, delivered, read
  ready?: readonly string[]; // texts to pick from
  onSend(text: string, file: Attachment | null, again?: string): void;
  onOlder(before: number): void;
}

export const sizeText = (bytes: number): { unit: "kb" | "mb"; n: string } =>
  bytes < 1_000_000 ? { unit: "kb", n: String(Math.max(1, Math.round(bytes / 1000))) } : { unit: "mb", n: (bytes / 1_000_000).toFixed(1) };

function way(item: ThreadItem, mine: boolean, words: ThreadWords, wayOf: Props["wayOf"]): string {
  if (!mine) return item.author;
  if (item.way === "sending") return words.sending;
  if (wayOf) return wayOf(item);
  return item.read ? words.read : item.delivered ? words.delivered : words.sent;
}

// A picture shows itself, a document its name; a tap saves either.
function FileView({ item, words, url, onLoad }: { item: ThreadItem; words: ThreadWords; url: string; onLoad(): void }): JSX.Element | null {
  const file = item.file;
  if (!file) return null;
  const about = <span class="bubble-file-text"><span class="bubble-file-name">{file.name}</span><span class="bubble-file-size">{words.size(file.size)}</span></span>;
  if (item.way) return <span class="bubble-file"><Icon name="clip" size={20} />{about}</span>;
  const picture = file.type.indexOf("image/") === 0;
  return (
    <a class="bubble-file" href={url} download={file.name}>
      {picture ? <img class="bubble-picture" src={url} alt={file.name} onLoad={onLoad} /> : <Icon name="log" size={24} />}
      {about}
    </a>
  );
}

function Failed({ item, words, again }: { item: ThreadItem; words: ThreadWords; again(): void }): JSX.Element {
  if (item.why) return <span class="bubble-fault">{item.why === "many" ? words.tooMany : words.refused}</span>;
  return <button type="button" class="bubble-again" onClick={again}>{words.failed}</button>;
}

interface ComposerProps {
  draftKey: string;
  words: ThreadWords;
  ready: readonly string[];
  onSend(text: string, file: Attachment | null): void;
}

function Composer({ draftKey, words, ready, onSend }: ComposerProps): JSX.Element {
  const { value: draft, set: setDraft } = useDraft(draftKey, "");
  const [file, setFile] = useState<Attachment | null>(null);
  const [preparing, setPreparing] = useState(false);
  const [fault, setFault] = useState("");
  const [picking, setPicking] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  const writing = useRef<HTMLTextAreaElement>(null);
  const can = !!(draft.trim() || file) && draft.length <= MAX_MESSAGE && !preparing;

  const submit = (event: Event): void => {
    event.preventDefault();
    if (!can) return;
    setDraft("");
    setFile(null);
    setFault("");
    onSend(draft.trim(), file);
  };
  const attach = async (chosen: File | undefined): Promise<void> => {
    if (!chosen) return;
    setFault("");
    setPreparing(true);
    const made = await attachmentOf(chosen);
    setPreparing(false);
    if (made === "type") setFault(words.badType);
    else if (made === "large") setFault(words.tooLarge);
    else setFile(made);
  };
  return (
    <form class="thread-form" onSubmit={submit}>
      {fault && <p class="thread-fault" role="alert">{fault}</p>}
      {preparing && <p class="thread-note" role="status">{words.preparing}</p>}
      {file && (
        <p class="thread-note">
          <Icon name="clip" size={20} /><span class="thread-note-name">{file.name}, {words.size(file.size)}</span>
          <button type="button" class="button plain icon-only" aria-label={words.detach} onClick={() => setFile(null)}><Icon name="close" size={20} /></button>
        </p>
      )}
      {picking && (
        <ul class="thread-ready">
          {ready.map((text) => (
            <li key={text}>
              <button type="button" onClick={() => {
                setDraft((draft.trim() ? draft.trim() + "\n" : "") + text);
                setPicking(false);
                if (writing.current) writing.current.focus();
              }}>{text}</button>
            </li>
          ))}
        </ul>
      )}
      <div class="thread-line">
        <input ref={input} type="file" class="unseen" accept={FILE_TYPES} tabIndex={-1} aria-hidden="true"
          onChange={(event) => {
            const element = event.currentTarget;
            void attach((element.files || [])[0]);
            element.value = ""; // the same one may be chosen again
          }} />
        <button type="button" class="button plain icon-only" aria-label={words.attach} title={words.attach} disabled={preparing}
          onClick={() => input.current && input.current.click()}><Icon name="clip" /></button>
        {ready.length > 0 && (
          <button type="button" class="button plain icon-only" aria-label={words.ready} title={words.ready} aria-expanded={picking} onClick={() => setPicking(!picking)}><Icon name="copy" /></button>
        )}
        <textarea ref={writing} class="input" rows={1} value={draft} placeholder={words.placeholder} aria-label={words.placeholder}
          aria-invalid={draft.length > MAX_MESSAGE} maxLength={MAX_MESSAGE}
          onInput={(event) => setDraft(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key === "Enter" && !event.shiftKey && !event.isComposing) submit(event);
          }} />
        <button type="submit" class="button primary icon-only" aria-label={words.send} disabled={!can}><Icon name="send" /></button>
      </div>
    </form>
  );
}

export function ThreadView({ thread, mine, clock, words, fileUrl, draftKey, wayOf, ready, onSend, onOlder }: Props): JSX.Element {
  const list = useRef<HTMLDivElement>(null);
  const atEnd = useRef(true);
  const newest = thread.items.length ? thread.items[thread.items.length - 1]!.client_id : "";

  // Follows new messages only where the reader is at the end already.
  const follow = (): void => {
    const element = list.current;
    if (element && atEnd.current) element.scrollTop = element.scrollHeight;
  };
  useEffect(follow, [newest, thread.loaded]);

  let lastDay = "";
  return (
    <div class="thread">
      <div class="thread-list" ref={list} role="log" aria-label={words.log} tabIndex={0}
        onScroll={() => {
          const element = list.current;
          if (element) atEnd.current = element.scrollHeight - element.scrollTop - element.clientHeight < 40;
        }}>
        {thread.more !== null && (
          <button type="button" class="button plain" onClick={() => onOlder(thread.more!)}>{words.older}</button>
        )}
        {thread.loaded && !thread.items.length && <p class="thread-empty">{words.empty}</p>}
        {thread.items.map((item) => {
          const day = clock.dayNear(item.sent);
          const header = day !== lastDay ? <p class="thread-day">{day}</p> : null;
          const own = mine(item);
          lastDay = day;
          return (
            <div key={item.client_id || item.id}>
              {header}
              <div class={"bubble" + (own ? " mine" : "")}>
                <FileView item={item} words={words} url={fileUrl(item.id)} onLoad={follow} />
                {item.text === null ? <em>{words.erased}</em> : item.text}
                {item.way === "failed" ? (
                  <Failed item={item} words={words} again={() => onSend("", null, item.client_id)} />
                ) : (
                  <span class="bubble-meta">{clock.time(item.sent)} · {way(item, own, words, wayOf)}</span>
                )}
              </div>
            </div>
          );
        })}
      </div>
      <Composer draftKey={draftKey} words={words} ready={ready || []} onSend={(text, file) => {
        atEnd.current = true;
        onSend(text, file);
      }} />
    </div>
  );
}

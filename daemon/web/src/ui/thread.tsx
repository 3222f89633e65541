// A message thread: what was written, how far it got, and a field to write in.
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Clock } from "../text/time";
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
  you: string;
  tooLong: string;
  log: string; // name of the list for screen readers
}

interface Props {
  thread: ThreadState;
  mine: "person" | "staff";
  clock: Clock;
  words: ThreadWords;
  onSend(text: string, again?: string): void;
  onOlder(before: number): void;
}

function way(item: ThreadItem, mine: Props["mine"], words: ThreadWords): string {
  if (item.from !== mine) return item.author;
  if (item.way === "sending") return words.sending;
  return item.read ? words.read : item.delivered ? words.delivered : words.sent;
}

export function ThreadView({ thread, mine, clock, words, onSend, onOlder }: Props): JSX.Element {
  const list = useRef<HTMLDivElement>(null);
  const atEnd = useRef(true);
  const [draft, setDraft] = useState("");
  const newest = thread.items.length ? thread.items[thread.items.length - 1]!.client_id : "";

  // Follows new messages only where the reader is at the end already.
  useEffect(() => {
    const element = list.current;
    if (element && atEnd.current) element.scrollTop = element.scrollHeight;
  }, [newest, thread.loaded]);

  const submit = (event: Event): void => {
    event.preventDefault();
    const text = draft.trim();
    if (!text || text.length > MAX_MESSAGE) return;
    atEnd.current = true;
    setDraft("");
    onSend(text);
  };

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
          lastDay = day;
          return (
            <div key={item.client_id || item.id}>
              {header}
              <div class={"bubble" + (item.from === mine ? " mine" : "")}>
                {item.text}
                {item.way === "failed" ? (
                  <button type="button" class="bubble-again" onClick={() => onSend(item.text, item.client_id)}>{words.failed}</button>
                ) : (
                  <span class="bubble-meta">{clock.time(item.sent)} · {way(item, mine, words)}</span>
                )}
              </div>
            </div>
          );
        })}
      </div>
      <form class="thread-form" onSubmit={submit}>
        <textarea class="input" rows={1} value={draft} placeholder={words.placeholder} aria-label={words.placeholder}
          aria-invalid={draft.length > MAX_MESSAGE} maxLength={MAX_MESSAGE}
          onInput={(event) => setDraft((event.currentTarget as HTMLTextAreaElement).value)}
          onKeyDown={(event) => {
            if (event.key === "Enter" && !event.shiftKey && !event.isComposing) submit(event);
          }} />
        <button type="submit" class="button primary icon-only" aria-label={words.send} disabled={!draft.trim()}><Icon name="send" /></button>
      </form>
    </div>
  );
}

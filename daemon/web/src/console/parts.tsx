// The console's building blocks.
import { type ComponentChildren, createContext, type JSX } from "preact";
import { useContext, useEffect, useId, useLayoutEffect, useRef, useState } from "preact/hooks";
import { failureOf, type Failure } from "../api/http";
import type { Band, StripMark } from "../api/types";
import { type ConsoleTexts, consoleTexts } from "../text/console";
import { useDraft } from "../ui/draft";
import { Icon, type IconName } from "../ui/icons";
import { useStore } from "../ui/store";
import type { Load } from "./load";
import type { ConsoleSession, ConsoleView } from "./session";
import { failureWords, type Tone } from "./words";

export const Session = createContext<ConsoleSession>(null as unknown as ConsoleSession);

export function useSession(): { session: ConsoleSession; view: ConsoleView; t: ConsoleTexts } {
  const session = useContext(Session);
  const view = useStore(session.store);
  return { session, view, t: consoleTexts(view.language) };
}

// ---------------------------------------------------------------- pages and states

// There is room beside the list, as the style sheet sees it: wider than a small desk, and less wide where text is large.
export const roomBeside = (): boolean => matchMedia("(min-width: 80em)").matches;

export function Page(props: { title: string; under?: string | null; back?: string; actions?: ComponentChildren; aside?: ComponentChildren; children: ComponentChildren; wide?: boolean; wideActions?: boolean }): JSX.Element {
  const { t } = useSession();
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${props.title} · checkind`;
  }, [props.title]);
  return (
    <div class={"columns" + (props.aside ? " with-aside" : "")}>
      <main id="content" class={"main" + (props.wide ? " wide" : "")} tabIndex={-1}>
        <header class="page-head">
          {props.back && <a class="button plain icon-only" href={props.back} aria-label={t.t("back")}><Icon name="back" /></a>}
          <div class="page-title">
            <h1 ref={heading}>{props.title}</h1>
            {props.under && <p class="soft">{props.under}</p>}
          </div>
          {props.actions && <div class={"page-actions" + (props.wideActions ? " wide-actions" : "")}>{props.actions}</div>}
        </header>
        {props.children}
      </main>
      {props.aside && <aside class="aside">{props.aside}</aside>}
    </div>
  );
}

export function Skeleton({ rows = 4 }: { rows?: number }): JSX.Element {
  const { t } = useSession();
  return (
    <div class="skeletons" role="status" aria-label={t.t("loading")}>
      {Array.from({ length: rows }, (_, index) => (
        <div class="skeleton-row" key={index}><span class="skeleton dot" /><span class="skeleton-lines"><span class="skeleton" /><span class="skeleton short" /></span></div>
      ))}
    </div>
  );
}

export function Empty({ icon, title, text, children }: { icon: IconName; title: string; text?: string; children?: ComponentChildren }): JSX.Element {
  return (
    <div class="empty">
      <span class="empty-mark"><Icon name={icon} size={32} /></span>
      <h2>{title}</h2>
      {text && <p class="soft">{text}</p>}
      {children}
    </div>
  );
}

export function FailureBox({ failure, again }: { failure: Failure; again?(): void }): JSX.Element {
  const { t } = useSession();
  return (
    <div class="failure" role="alert">
      <Icon name={failure.code === "offline" ? "offline" : failure.code === "denied" ? "shield" : "alert"} />
      <p>{failureWords(t, failure)}</p>
      {again && <button type="button" class="button" onClick={again}>{t.t("again")}</button>}
    </div>
  );
}

// Skeleton, failure, or the content; old content stays when a later reading fails.
export function Loaded<T>({ load, rows, children }: { load: Load<T>; rows?: number; children(data: T): ComponentChildren }): JSX.Element {
  if (load.data) {
    return <>{load.failure && <FailureBox failure={load.failure} again={load.again} />}{children(load.data)}</>;
  }
  if (load.failure) return <FailureBox failure={load.failure} again={load.again} />;
  return <Skeleton rows={rows} />;
}

// Views beside each other. On a phone they scroll, and the one that is open is never out of sight.
export function Tabs({ children }: { children: ComponentChildren }): JSX.Element {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const open = box.current && box.current.querySelector<HTMLElement>("[aria-current=page], [aria-pressed=true]");
    if (open && box.current) box.current.scrollLeft = open.offsetLeft - (box.current.clientWidth - open.offsetWidth) / 2;
  });
  return <div class="tabs-inline" role="group" ref={box}>{children}</div>;
}

// A table that may be wider than the phone: it scrolls by itself, by finger and by keyboard.
export function TableBox({ label, children }: { label: string; children: ComponentChildren }): JSX.Element {
  return <div class="table-wrap" role="region" aria-label={label} tabIndex={0}><table class="table">{children}</table></div>;
}

export function Card({ title, icon, children, actions, class: more }: { title?: string; icon?: IconName; children: ComponentChildren; actions?: ComponentChildren; class?: string }): JSX.Element {
  return (
    <section class={"card " + (more || "")}>
      {(title || actions) && (
        <header class="card-head">{title && <h2>{icon && <Icon name={icon} size={20} />}{title}</h2>}{actions}</header>
      )}
      {children}
    </section>
  );
}

export function Chip({ tone, icon, children }: { tone: Tone; icon?: IconName; children: ComponentChildren }): JSX.Element {
  return <span class={"chip " + tone}>{icon && <Icon name={icon} size={16} />}{children}</span>;
}

// Severity has a shape and a word: one to four bars.
export function BandMark({ band }: { band: Band }): JSX.Element {
  const { t } = useSession();
  const bars = { low: 1, medium: 2, high: 3, top: 4 }[band];
  return (
    <span class="band">
      <svg width="16" height="12" viewBox="0 0 16 12" aria-hidden="true" focusable="false">
        {[0, 1, 2, 3].map((i) => <rect key={i} class={i < bars ? "band-on" : "band-off"} x={i * 4} y={9 - i * 3} width="3" height={3 + i * 3} rx="1" />)}
      </svg>
      {t.maybe("band_" + band)}
    </span>
  );
}

// The last thirty days: each mark has its own shape, and the whole strip a sentence.
export function ComplianceStrip({ marks }: { marks: readonly StripMark[] }): JSX.Element {
  const { t, view } = useSession();
  const shown = marks.slice(-30);
  const good = shown.filter((mark) => mark.mark === "completed").length;
  const late = shown.filter((mark) => mark.mark === "late").length;
  const ours = shown.filter((mark) => mark.mark === "system_fault" || mark.mark === "unstaffed" || mark.mark === "could_not_connect").length;
  const open = shown.filter((mark) => mark.mark === "open" || mark.mark === "due" || mark.mark === "waived").length;
  const label = t.t("strip_label", { total: shown.length, good, late, without: shown.length - good - late - ours - open, ours });
  if (!shown.length) return <span class="soft small">{t.t("strip_none")}</span>;
  return (
    <svg class="compliance" width={shown.length * 8} height="20" viewBox={`0 0 ${shown.length * 8} 20`} role="img" aria-label={label}>
      <title>{label}</title>
      {shown.map((mark, index) => (
        <g key={mark.checkin_id} transform={`translate(${index * 8} 0)`}>
          <title>{`${view.clock.date(mark.day)}: ${t.maybe("outcome_" + mark.mark) || t.maybe("mark_" + mark.mark) || mark.mark}`}</title>
          <StripShape mark={mark.mark} />
        </g>
      ))}
    </svg>
  );
}

function StripShape({ mark }: { mark: StripMark["mark"] }): JSX.Element {
  switch (mark) {
    case "completed":
      return <rect class="mark-good" x="1" y="2" width="5" height="16" rx="2" />;
    case "late":
      return <rect class="mark-late" x="1" y="10" width="5" height="8" rx="2" />;
    case "declined":
    case "no_answer":
    case "person_fault":
    case "identity_doubt":
      return <path class="mark-none" d="M1 13.500l5 5m0-5-5 5" />;
    case "system_fault":
    case "unstaffed":
    case "could_not_connect":
      return <circle class="mark-ours" cx="3.500" cy="16" r="2" />;
    case "waived":
      return <path class="mark-quiet" d="M1 16h5" />;
    default:
      return <circle class="mark-open" cx="3.500" cy="15.500" r="2" />;
  }
}

export function Portrait({ id, name, has, size = 44 }: { id: number; name: string; has: boolean; size?: number }): JSX.Element {
  const initials = name.split(/\s+/).filter(Boolean).slice(0, 2).map((word) => word[0]).join("");
  const box = { width: `${size}px`, height: `${size}px`, fontSize: `${Math.round(size * 0.36)}px` };
  return has
    ? <img class="portrait" style={box} src={`/api/persons/${id}/photo`} alt="" loading="lazy" />
    : <span class="portrait" style={box} aria-hidden="true">{initials}</span>;
}

// ---------------------------------------------------------------- fields

interface FieldProps {
  label: string;
  hint?: string;
  fault?: string | null;
  children(ids: { id: string; "aria-describedby"?: string; "aria-invalid"?: boolean }): JSX.Element;
}

export function Field({ label, hint, fault, children }: FieldProps): JSX.Element {
  const id = useId();
  const describedby = [hint ? id + "-hint" : "", fault ? id + "-fault" : ""].filter(Boolean).join(" ");
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {hint && <p class="hint" id={id + "-hint"}>{hint}</p>}
      {children({ id, ...(describedby ? { "aria-describedby": describedby } : {}), ...(fault ? { "aria-invalid": true } : {}) })}
      {fault && <p class="fault" id={id + "-fault"}>{fault}</p>}
    </div>
  );
}

interface TextProps {
  label: string;
  value: string;
  onChange(value: string): void;
  hint?: string;
  fault?: string | null;
  type?: string;
  required?: boolean;
  autoComplete?: string;
  inputMode?: "numeric" | "tel" | "email" | "text";
  maxLength?: number;
  min?: string | number;
  max?: string | number;
  lines?: number;
  focus?: boolean; // it is the next thing to fill in as soon as it is there
}

export function TextField(props: TextProps): JSX.Element {
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (props.focus && input.current) input.current.focus();
  }, []);
  const onInput = (event: Event): void => props.onChange((event.currentTarget as HTMLInputElement).value);
  return (
    <Field label={props.label} hint={props.hint} fault={props.fault}>
      {(ids) => props.lines && props.lines > 1
        ? <textarea class="input" {...ids} rows={props.lines} value={props.value} required={props.required} maxLength={props.maxLength} onInput={onInput} />
        : <input ref={input} class="input" {...ids} type={props.type || "text"} value={props.value} required={props.required} autocomplete={props.autoComplete}
            inputMode={props.inputMode} maxLength={props.maxLength} min={props.min} max={props.max} onInput={onInput} />}
    </Field>
  );
}

export function SelectField(props: { label: string; value: string; options: readonly { value: string; label: string }[]; onChange(value: string): void; hint?: string; fault?: string | null }): JSX.Element {
  return (
    <Field label={props.label} hint={props.hint} fault={props.fault}>
      {(ids) => (
        <select class="input" {...ids} value={props.value} onChange={(event) => props.onChange(event.currentTarget.value)}>
          {props.options.map((option) => <option key={option.value} value={option.value}>{option.label}</option>)}
        </select>
      )}
    </Field>
  );
}

export function CheckField({ label, checked, onChange }: { label: string; checked: boolean; onChange(checked: boolean): void }): JSX.Element {
  return (
    <label class="tick">
      <input type="checkbox" checked={checked} onChange={(event) => onChange(event.currentTarget.checked)} />
      <span>{label}</span>
    </label>
  );
}

// ---------------------------------------------------------------- acting

export interface Action {
  busy: boolean;
  failure: Failure | null;
  run(work: () => Promise<void>): Promise<boolean>;
  fault(field: string): string | null; // words for one field of a form
  marked(): boolean; // one of those fields is the one that is wrong
  clear(): void;
}

// What is wrong with one field, where the failure is about it.
export function faultWords(t: ConsoleTexts, failure: Failure | null, field: string): string | null {
  if (!failure || failure.field !== field) return null;
  return t.maybe("fault_" + field.replace(/\[\d+\]/g, "").replace(/\./g, "_")) || t.t("fault_field");
}

export function useAction(): Action {
  const { t } = useSession();
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<Failure | null>(null);
  const marked = useRef(false); // a field says what is wrong with it
  marked.current = false;
  // Whoever wrote goes on at the first field that is wrong; its words are read with it.
  useEffect(() => {
    const wrong = failure && failure.field ? document.querySelector<HTMLInputElement>("[aria-invalid=true]") : null;
    if (!wrong) return;
    wrong.focus();
    if (wrong.select && wrong.tagName === "INPUT") wrong.select();
  }, [failure]);
  return {
    busy,
    failure,
    marked: () => marked.current,
    clear: () => setFailure(null),
    fault: (field) => {
      const words = faultWords(t, failure, field);
      if (words) marked.current = true;
      return words;
    },
    run: async (work) => {
      setBusy(true);
      setFailure(null);
      try {
        await work();
        setBusy(false);
        return true;
      } catch (cause) {
        const now = failureOf(cause);
        setBusy(false);
        setFailure(now);
        return false;
      }
    },
  };
}

export function ActionFailure({ action }: { action: Action }): JSX.Element | null {
  const { t } = useSession();
  const failure = action.failure;
  if (!failure) return null;
  // What no field of the form shows is at least named.
  const what = failure.code === "invalid" && failure.field && !action.marked() ? t.maybe("fault_" + failure.field.replace(/\[\d+\]/g, "").replace(/\./g, "_")) || t.t("fault_unmarked", { field: failure.field }) : null;
  const marked = failure.code === "conflict" && action.marked() ? t.t("failure_invalid") : null; // a login that is taken
  return <p class="fault" role="alert">{what || marked || failureWords(t, failure)}</p>;
}

export function Dialog({ title, onClose, children }: { title: string; onClose(): void; children: ComponentChildren }): JSX.Element {
  const { t } = useSession();
  const box = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => { // with the dialog itself: a key that follows at once is heard
    const before = document.activeElement as HTMLElement | null;
    const first = box.current && box.current.querySelector<HTMLElement>("input, textarea, select, .dialog-body button");
    if (first) first.focus();
    const onKey = (event: KeyboardEvent): void => {
      if (event.key === "Escape") onClose();
      if (event.key === "Tab" && box.current) keepInside(event, box.current);
    };
    document.addEventListener("keydown", onKey);
    return () => {
      document.removeEventListener("keydown", onKey);
      if (before && before.focus) before.focus();
    };
  }, []);
  return (
    <div class="veil" onClick={(event) => event.target === event.currentTarget && onClose()}>
      <div class="dialog" role="dialog" aria-modal="true" aria-label={title} ref={box}>
        <header class="dialog-head">
          <h2>{title}</h2>
          <button type="button" class="button plain icon-only" aria-label={t.t("close")} onClick={onClose}><Icon name="close" /></button>
        </header>
        <div class="dialog-body">{children}</div>
      </div>
    </div>
  );
}

function keepInside(event: KeyboardEvent, box: HTMLElement): void {
  const all = Array.from(box.querySelectorAll<HTMLElement>("a[href], button:not([disabled]), input, select, textarea, [tabindex='0']"));
  const first = all[0];
  const last = all[all.length - 1];
  if (!first || !last) return;
  if (event.shiftKey && document.activeElement === first) {
    event.preventDefault();
    last.focus();
  } else if (!event.shiftKey && document.activeElement === last) {
    event.preventDefault();
    first.focus();
  }
}

// Says that a form holds what was left in it, and lets it begin anew.
export function DraftNote({ draft }: { draft: { restored: boolean; clear(): void } }): JSX.Element | null {
  const { t } = useSession();
  if (!draft.restored) return null;
  return <p class="draft-note soft small" role="status"><Icon name="refresh" size={16} />{t.t("draft_restored")} <button type="button" class="link" onClick={draft.clear}>{t.t("draft_discard")}</button></p>;
}

// One line of reason instead of "are you sure?". `draft`: what it is about, where the words are kept until they are sent.
export function ReasonForm(props: { draft?: string; label: string; hint?: string; submit: string; act?: boolean; optional?: boolean; lines?: number; onSubmit(reason: string): Promise<void>; children?: ComponentChildren }): JSX.Element {
  const draft = useDraft(props.draft || null, "");
  const reason = draft.value;
  const action = useAction();
  return (
    <form class="form" onSubmit={(event) => {
      event.preventDefault();
      if (reason.trim() || props.optional) void action.run(() => props.onSubmit(reason.trim()).then(draft.clear));
    }}>
      {props.children}
      <TextField label={props.label} hint={props.hint} value={reason} onChange={draft.set} lines={props.lines} maxLength={2000} fault={action.fault("reason")} />
      <DraftNote draft={draft} />
      <ActionFailure action={action} />
      <button type="submit" class={"button " + (props.act ? "act" : "primary")} disabled={action.busy || (!reason.trim() && !props.optional)}>{props.submit}</button>
    </form>
  );
}

// A pill that says that something new waits; nothing moves until it is tapped.
export function NewRows({ waiting, onShow }: { waiting: number; onShow(): void }): JSX.Element | null {
  const { t } = useSession();
  if (!waiting) return null;
  return <div class="new-rows"><button type="button" class="button" onClick={onShow}><Icon name="refresh" size={20} />{t.t("new_rows", { n: waiting })}</button></div>;
}

// ---------------------------------------------------------------- keys

export type Keys = Record<string, () => void>;

// Single keys, never while somebody writes or a dialog is open.
export function useKeys(keys: Keys, on = true): void {
  const latest = useRef(keys);
  latest.current = keys;
  useEffect(() => {
    if (!on) return undefined;
    const onKey = (event: KeyboardEvent): void => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
      const target = event.target as HTMLElement | null;
      if (target && /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName)) return;
      if (document.querySelector(".veil")) return;
      const handler = latest.current[event.key];
      if (!handler) return;
      event.preventDefault();
      handler();
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, [on]);
}

// j and k walk over [data-row], Enter opens what has the focus.
export function useRowKeys(): void {
  const step = (by: number): void => {
    const rows = Array.from(document.querySelectorAll<HTMLElement>("[data-row]"));
    const at = rows.findIndex((row) => row === document.activeElement || row.contains(document.activeElement));
    const next = rows[at < 0 ? (by > 0 ? 0 : rows.length - 1) : Math.max(0, Math.min(rows.length - 1, at + by))];
    if (next) {
      next.focus();
      next.scrollIntoView({ block: "nearest" });
    }
  };
  useKeys({ j: () => step(1), k: () => step(-1) });
}

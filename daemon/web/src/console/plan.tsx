// Plans: the rule that makes check-ins.
import type { JSX } from "preact";
import { post } from "../api/http";
import type { Person, Plan, PlanRequest } from "../api/types";
import type { ConsoleTexts } from "../text/console";
import { useDraft } from "../ui/draft";
import { Icon } from "../ui/icons";
import { ActionFailure, CheckField, DraftNote, faultWords, SelectField, TextField, useAction, useSession, type Action } from "./parts";
import { PreviewPanel, refusalWords, usePreview } from "./plan_preview";
import { demandOf, inStep, INTERVAL_MOST, ORDINALS, parseRecurrence, recurrenceRule, rhythmFor, WEEKDAYS, type Recurrence } from "./recurrence";

const HOUR_S = 3600;

function rhythmWords(t: ConsoleTexts, plan: PlanRequest): string {
  const recurrence = parseRecurrence(plan.recurrence);
  if (!recurrence) return plan.recurrence;
  const n = recurrence.interval;
  if (recurrence.kind === "daily") return t.t(n === 1 ? "every_day" : "every_n_days", { n });
  const days = recurrence.days.map((day) => t.maybe("day_" + day)).join(", ");
  if (recurrence.kind === "weekly") return t.t(n === 1 ? "weekly_on" : "every_n_weeks_on", { n, days });
  const on = recurrence.ordinal ? t.t("monthly_weekday", { ordinal: t.maybe("ordinal_" + recurrence.ordinal) || "", day: t.maybe("day_long_" + recurrence.days[0]) || "" })
    : recurrence.monthday === -1 ? t.t("monthly_last") : t.t("monthly_day", { day: recurrence.monthday });
  return t.t(n === 1 ? "monthly_on" : "every_n_months_on", { n, on });
}

export function planWords(t: ConsoleTexts, plan: PlanRequest): string {
  const windows = plan.windows.map((window) => (window.draws ? t.t("window_random", { start: window.start, end: window.end, n: window.draws }) : t.t("window_fixed", { start: window.start }))).join("; ");
  const more = [
    plan.max_silence_s ? t.t("plan_words_silence", { n: Math.round(plan.max_silence_s / HOUR_S) }) : "",
    plan.second ? t.t("plan_words_second", { n: plan.second.percent }) : "",
  ].filter(Boolean);
  return [`${rhythmWords(t, plan)}: ${windows}`].concat(more).join(" · ");
}

const DRAWS_MOST = 6; // in one window

interface WindowForm { start: string; end: string; draws: string }

interface PlanFormState {
  order_id: string; kind: PlanRequest["kind"]; mandatory: boolean; first_date: string; attempts: string; spacing: string; response: string; grace: string; late: string;
  extra: string; except: string; gap: string; silence: string; second: boolean; percent: string; after_min: string; after_max: string; replaces: string;
}

const minutes = (text: string): number => Math.round(Number(text) * 60);
// "2026-12-24, 2026-12-31" as a list; what is no date is left for the server to name.
const dates = (text: string): string[] => text.split(/[\s,;]+/).filter(Boolean);

function requestOf(form: PlanFormState, recurrence: Recurrence, windows: readonly WindowForm[]): PlanRequest {
  const extra = dates(form.extra);
  const except = dates(form.except);
  return {
    order_id: Number(form.order_id), kind: form.kind, mandatory: form.mandatory, recurrence: recurrenceRule(recurrence),
    first_date: form.first_date, windows: windows.map((window) => ({ start: window.start, end: window.end, draws: Number(window.draws) })),
    attempts: Number(form.attempts), attempt_spacing_s: minutes(form.spacing), response_window_s: minutes(form.response), grace_s: minutes(form.grace), late_limit_s: minutes(form.late),
    ...(extra.length ? { extra_dates: extra } : {}), ...(except.length ? { except_dates: except } : {}),
    ...(Number(form.gap) > 0 ? { min_gap_s: minutes(form.gap) } : {}),
    ...(form.mandatory && Number(form.silence) > 0 ? { max_silence_s: Math.round(Number(form.silence) * HOUR_S) } : {}),
    ...(form.second ? { second: { percent: Number(form.percent), after_min_s: minutes(form.after_min), after_max_s: minutes(form.after_max) } } : {}),
    ...(form.replaces ? { replaces: Number(form.replaces) } : {}),
  };
}

function formOf(plan: Plan | null, order: { id: number; mandatory: boolean; kind: PlanRequest["kind"] }, today: string): PlanFormState {
  const m = (seconds: number): string => String(seconds / 60);
  const rule = plan && parseRecurrence(plan.recurrence);
  return {
    order_id: String(plan ? plan.order_id : order.id), kind: plan ? plan.kind : order.kind, mandatory: plan ? plan.mandatory : order.mandatory, first_date: plan && rule ? inStep(rule, plan.first_date, today) : today,
    attempts: String(plan ? plan.attempts : 3), spacing: m(plan ? plan.attempt_spacing_s : 300), response: m(plan ? plan.response_window_s : 900), grace: m(plan ? plan.grace_s : 900), late: m(plan ? plan.late_limit_s : 3600),
    extra: (plan && plan.extra_dates ? plan.extra_dates.filter((date) => date >= today) : []).join(", "), // those behind were served
    except: plan && plan.except_dates ? plan.except_dates.join(", ") : "", gap: plan && plan.min_gap_s ? m(plan.min_gap_s) : "", silence: plan && plan.max_silence_s ? String(plan.max_silence_s / HOUR_S) : "",
    second: !!(plan && plan.second), percent: String(plan && plan.second ? plan.second.percent : 20), after_min: m(plan && plan.second ? plan.second.after_min_s : 900), after_max: m(plan && plan.second ? plan.second.after_max_s : 7200),
    replaces: plan ? String(plan.id) : "",
  };
}

function RhythmFields({ value, onChange, first, onFirst, action }: { value: Recurrence; onChange(value: Recurrence): void; first: string; onFirst(first: string): void; action: Action }): JSX.Element {
  const { t } = useSession();
  const set = (change: Partial<Recurrence>): void => onChange({ ...value, ...change });
  const toggle = (day: string): void => set({ days: value.days.indexOf(day) >= 0 ? value.days.filter((other) => other !== day) : value.days.concat(day) });
  const ends = value.until ? "until" : value.count ? "count" : "never";
  return (
    <fieldset class="group-field">
      <legend>{t.t("plan_rhythm")}</legend>
      <div class="form-row">
        <SelectField label={t.t("plan_every")} value={value.kind} options={(["daily", "weekly", "monthly"] as const).map((kind) => ({ value: kind, label: t.t(`rhythm_${kind}`) }))}
          onChange={(kind) => set({ kind: kind as Recurrence["kind"], days: kind === "weekly" ? ["MO", "TH"] : kind === "monthly" ? ["MO"] : [] })} />
        <TextField label={t.t(`plan_interval_${value.kind}`)} type="number" min={1} max={INTERVAL_MOST} value={String(value.interval)} onChange={(interval) => set({ interval: Math.max(1, Math.min(INTERVAL_MOST, Number(interval) || 1)) })} fault={action.fault("recurrence")} />
        <TextField label={t.t("plan_first")} type="date" value={first} onChange={onFirst} fault={action.fault("first_date")} required />
      </div>
      {value.kind === "weekly" && (
        <div class="days" role="group" aria-label={t.t("plan_days")}>
          {WEEKDAYS.map((day) => <button type="button" key={day} class="day" aria-pressed={value.days.indexOf(day) >= 0} aria-label={t.t(`day_long_${day}`)} onClick={() => toggle(day)}>{t.t(`day_${day}`)}</button>)}
        </div>
      )}
      {value.kind === "monthly" && (
        <div class="form-row">
          <SelectField label={t.t("monthly_which")} value={String(value.ordinal)} options={[{ value: "0", label: t.t("monthly_by_day") }].concat(ORDINALS.map((n) => ({ value: String(n), label: t.maybe("ordinal_" + n) || "" })))} onChange={(ordinal) => set({ ordinal: Number(ordinal) })} />
          {value.ordinal !== 0
            ? <SelectField label={t.t("plan_days")} value={value.days[0] || "MO"} options={WEEKDAYS.map((day) => ({ value: day, label: t.t(`day_long_${day}`) }))} onChange={(day) => set({ days: [day] })} />
            : <SelectField label={t.t("monthly_day_label")} value={String(value.monthday)} options={Array.from({ length: 31 }, (_, i) => ({ value: String(i + 1), label: String(i + 1) })).concat({ value: "-1", label: t.t("monthly_last") })} onChange={(day) => set({ monthday: Number(day) })} />}
        </div>
      )}
      <div class="form-row">
        <SelectField label={t.t("plan_ends")} value={ends} options={(["never", "until", "count"] as const).map((end) => ({ value: end, label: t.t(`plan_ends_${end}`) }))} onChange={(end) => set({ until: end === "until" ? first : "", count: end === "count" ? 10 : 0 })} />
        {ends === "until" && <TextField label={t.t("order_until_label")} type="date" value={value.until} onChange={(until) => set({ until })} required />}
        {ends === "count" && <TextField label={t.t("plan_count")} type="number" min={1} max={4000} value={String(value.count)} onChange={(count) => set({ count: Math.max(1, Number(count) || 1) })} />}
      </div>
    </fieldset>
  );
}

function WindowFields({ windows, onChange, action }: { windows: readonly WindowForm[]; onChange(windows: readonly WindowForm[]): void; action: Action }): JSX.Element {
  const { t } = useSession();
  const set = (index: number, change: Partial<WindowForm>): void => onChange(windows.map((window, at) => (at === index ? { ...window, ...change } : change.draws !== undefined ? { ...window, draws: change.draws } : window)));
  return (
    <fieldset class="group-field">
      <legend>{t.t("plan_windows")}</legend>
      {windows.map((window, index) => (
        <div class="form-row window-row" key={index}>
          <TextField label={t.t("window_from")} type="time" value={window.start} onChange={(start) => set(index, { start })} fault={action.fault(`windows[${index}].start`)} />
          <TextField label={t.t("window_until")} type="time" value={window.end} onChange={(end) => set(index, { end })} fault={action.fault(`windows[${index}].end`) || action.fault("windows")} />
          <SelectField label={t.t("window_when")} value={window.draws} options={Array.from({ length: DRAWS_MOST + 1 }, (_, n) => String(n)).map((value) => ({ value, label: value === "0" ? t.t("draws_fixed") : t.t("draws_random", { n: Number(value) }) }))} onChange={(draws) => set(index, { draws })} fault={action.fault(`windows[${index}].draws`)} />
          {windows.length > 1 && <button type="button" class="button plain icon-only" aria-label={t.t("window_remove")} onClick={() => onChange(windows.filter((_, at) => at !== index))}><Icon name="close" /></button>}
        </div>
      ))}
      {windows.length < 4 && <button type="button" class="button plain" onClick={() => onChange(windows.concat({ start: "08:00", end: "12:00", draws: windows[0]!.draws }))}><Icon name="plus" size={20} />{t.t("window_add")}</button>}
    </fieldset>
  );
}

function RingFields({ form, set, action }: { form: PlanFormState; set(change: Partial<PlanFormState>): void; action: Action }): JSX.Element {
  const { t } = useSession();
  return (
    <details class="group-field">
      <summary>{t.t("plan_rings")}</summary>
      <p class="soft small">{t.t("plan_rings_text", { attempts: form.attempts, spacing: form.spacing, response: form.response, grace: form.grace, late: form.late })}</p>
      <div class="form-row">
        <TextField label={t.t("plan_attempts")} type="number" min={1} max={5} value={form.attempts} onChange={(attempts) => set({ attempts })} fault={action.fault("attempts")} />
        <TextField label={t.t("plan_spacing")} type="number" min={1} max={120} value={form.spacing} onChange={(spacing) => set({ spacing })} fault={action.fault("attempt_spacing_s")} />
        <TextField label={t.t("plan_response")} type="number" min={1} max={240} value={form.response} onChange={(response) => set({ response })} fault={action.fault("response_window_s")} />
      </div>
      <div class="form-row">
        <TextField label={t.t("plan_grace")} type="number" min={0} max={240} value={form.grace} onChange={(grace) => set({ grace })} fault={action.fault("grace_s")} />
        <TextField label={t.t("plan_late")} type="number" min={0} max={1440} value={form.late} onChange={(late) => set({ late })} fault={action.fault("late_limit_s")} />
      </div>
    </details>
  );
}

function MoreFields({ form, set, action }: { form: PlanFormState; set(change: Partial<PlanFormState>): void; action: Action }): JSX.Element {
  const { t } = useSession();
  return (
    <details class="group-field" open={form.second || !!form.silence || !!form.gap || !!form.extra || !!form.except}>
      <summary>{t.t("plan_more")}</summary>
      <div class="form-row">
        <TextField label={t.t("plan_gap")} type="number" min={0} value={form.gap} onChange={(gap) => set({ gap })} fault={action.fault("min_gap_s")} />
        {form.mandatory && <TextField label={t.t("plan_silence")} type="number" min={0} value={form.silence} onChange={(silence) => set({ silence })} fault={action.fault("max_silence_s")} />}
      </div>
      {form.mandatory && <p class="soft small">{t.t("plan_silence_hint")}</p>}
      <CheckField label={t.t("plan_second")} checked={form.second} onChange={(second) => set({ second })} />
      {form.second && (
        <div class="form-row">
          <TextField label={t.t("second_percent")} type="number" min={1} max={100} value={form.percent} onChange={(percent) => set({ percent })} fault={action.fault("second")} />
          <TextField label={t.t("second_from")} type="number" min={5} value={form.after_min} onChange={(after_min) => set({ after_min })} />
          <TextField label={t.t("second_until")} type="number" min={6} value={form.after_max} onChange={(after_max) => set({ after_max })} />
        </div>
      )}
      <div class="form-row">
        <TextField label={t.t("plan_extra")} hint={t.t("plan_dates_hint")} value={form.extra} onChange={(extra) => set({ extra })} fault={action.fault("extra_dates")} />
        <TextField label={t.t("plan_except")} hint={t.t("plan_dates_hint")} value={form.except} onChange={(except) => set({ except })} fault={action.fault("except_dates")} />
      </div>
    </details>
  );
}

// `plan`: the one that the new plan takes the place of, or null.
export function PlanForm({ person, plan, onDone }: { person: Person; plan: Plan | null; onDone(): void }): JSX.Element {
  const { view, t } = useSession();
  const orders = person.orders.filter((order) => order.in_force);
  const order = orders[0]!;
  const demand = demandOf(order.requirements);
  const rhythmNew = rhythmFor(demand);
  const kept = `person.${person.id}.plan.${plan ? plan.id : "new"}`;
  const draft = useDraft(kept, formOf(plan, { id: order.id, mandatory: !!demand && demand.mandatory, kind: demand && demand.modes.indexOf("live") < 0 ? "unattended" : "live" }, view.clock.isoDay(view.clock.now())));
  const rhythm = useDraft<Recurrence>(kept + ".rhythm", (plan && parseRecurrence(plan.recurrence)) || rhythmNew.recurrence);
  const hours = useDraft<readonly WindowForm[]>(kept + ".windows", plan ? plan.windows.map((window) => ({ ...window, draws: String(window.draws) })) : [{ start: "18:00", end: "21:30", draws: String(Math.min(DRAWS_MOST, rhythmNew.perDay)) }]);
  const [form, recurrence, windows] = [draft.value, rhythm.value, hours.value];
  const own = useAction();
  const set = (change: Partial<PlanFormState>): void => draft.set({ ...form, ...change });
  const clear = (): void => [draft, rhythm, hours].forEach((one) => one.clear());
  const body = requestOf(form, recurrence, windows);
  const whole = (recurrence.kind !== "weekly" || recurrence.days.length > 0) && windows.every((window) => window.start && window.end) && !!form.first_date;
  const preview = usePreview(person.id, whole ? body : null);
  // The preview asks as saving does: what it refuses is marked before anybody saves.
  const action: Action = { ...own, fault: (field) => own.fault(field) || faultWords(t, preview.failure, field) };
  const refused = !!preview.failure || !!(preview.answer && preview.answer.refused);
  return (
    <form class="form" onSubmit={(event) => {
      event.preventDefault();
      void action.run(async () => {
        await post<Plan>(`/api/persons/${person.id}/plans`, body);
        clear();
        onDone();
      });
    }}>
      {plan && <p class="note"><Icon name="refresh" size={20} /><span>{t.t("plan_replaces", { words: planWords(t, plan) })}</span></p>}
      {orders.length > 1 && <SelectField label={t.t("plan_order")} value={form.order_id} options={orders.map((one) => ({ value: String(one.id), label: `${t.t(`order_${one.kind}`)} ${one.number}` }))} onChange={(order_id) => set({ order_id })} fault={action.fault("order_id")} />}
      <SelectField label={t.t("plan_kind")} hint={t.t(form.kind === "live" ? "plan_live_hint" : "plan_unattended_hint")} value={form.kind} options={[{ value: "live", label: t.t("kind_live") }, { value: "unattended", label: t.t("kind_unattended") }]} onChange={(kind) => set({ kind: kind as PlanRequest["kind"] })} />
      <CheckField label={t.t("plan_mandatory")} checked={form.mandatory} onChange={(mandatory) => set({ mandatory })} />
      <RhythmFields value={recurrence} onChange={rhythm.set} first={form.first_date} onFirst={(first_date) => set({ first_date })} action={action} />
      <WindowFields windows={windows} onChange={hours.set} action={action} />
      <RingFields form={form} set={set} action={action} />
      <MoreFields form={form} set={set} action={action} />
      <PreviewPanel preview={preview} />
      <DraftNote draft={{ restored: draft.restored || rhythm.restored || hours.restored, clear }} />
      <ActionFailure action={action} />
      <div class="dock">
        {refused && <p class="fault" role="status">{refusalWords(t, view.clock, preview)}</p>}
        <button type="submit" class="button primary big" disabled={action.busy || !whole || refused}>{t.t("plan_save")}</button>
      </div>
    </form>
  );
}

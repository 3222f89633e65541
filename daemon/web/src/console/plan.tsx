// Orders and plans: the law's demand, and the rule that makes check-ins from it. The preview shows the coming windows
// before anything is saved.
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { failureOf, post, type Failure } from "../api/http";
import type { Order, OrderKind, OrderRequest, Person, Plan, PlanPreview, PlanRequest } from "../api/types";
import type { ConsoleTexts } from "../text/console";
import { Icon } from "../ui/icons";
import { ActionFailure, CheckField, FailureBox, faultWords, SelectField, TextField, useAction, useSession } from "./parts";
import { INTERVAL_MOST, parseRecurrence, recurrenceRule, WEEKDAYS } from "./recurrence";

const ORDER_KINDS: readonly OrderKind[] = ["protective_order", "special_requirements", "official_warning", "other"];
const DAY_MS = 86_400_000;
const PREVIEW_PAUSE_MS = 400;
const PREVIEW_MOST = 8;

export function OrderForm({ person, onDone }: { person: Person; onDone(): void }): JSX.Element {
  const { view, t } = useSession();
  const today = view.clock.isoDay(view.clock.now());
  const [form, setForm] = useState({
    kind: "protective_order" as OrderKind, article: "", number: "", issuer: "", from: today, until: view.clock.isoDay(view.clock.now() + 30 * DAY_MS), conditions: "",
    contacts_per_period: "1", period_days: "7", hours_start: "08:00", hours_end: "22:00",
  });
  const action = useAction();
  const set = (change: Partial<typeof form>): void => setForm({ ...form, ...change });
  return (
    <form class="form" onSubmit={(event) => {
      event.preventDefault();
      void action.run(async () => {
        const body: OrderRequest = { ...form, article: form.article.trim(), number: form.number.trim(), issuer: form.issuer.trim(), conditions: form.conditions.trim(), contacts_per_period: Number(form.contacts_per_period), period_days: Number(form.period_days) };
        await post<Order>(`/api/persons/${person.id}/orders`, body);
        onDone();
      });
    }}>
      <SelectField label={t.t("order_kind")} value={form.kind} options={ORDER_KINDS.map((value) => ({ value, label: t.t(`order_${value}`) }))} onChange={(value) => set({ kind: value as OrderKind })} />
      <div class="form-row">
        <TextField label={t.t("order_number")} value={form.number} onChange={(number) => set({ number })} fault={action.fault("number")} required />
        <TextField label={t.t("order_article")} value={form.article} onChange={(article) => set({ article })} fault={action.fault("article")} required />
      </div>
      <TextField label={t.t("order_issuer")} value={form.issuer} onChange={(issuer) => set({ issuer })} fault={action.fault("issuer")} required />
      <div class="form-row">
        <TextField label={t.t("order_from")} type="date" value={form.from} onChange={(from) => set({ from })} fault={action.fault("from")} required />
        <TextField label={t.t("order_until_label")} type="date" value={form.until} onChange={(until) => set({ until })} fault={action.fault("until")} required />
      </div>
      <TextField label={t.t("order_conditions")} hint={t.t("order_conditions_hint")} value={form.conditions} onChange={(conditions) => set({ conditions })} lines={3} maxLength={4000} />
      <fieldset class="group-field">
        <legend>{t.t("order_demands")}</legend>
        <p class="soft small">{t.t("order_demands_hint")}</p>
        <div class="form-row">
          <TextField label={t.t("order_contacts_label")} type="number" min={0} max={50} value={form.contacts_per_period} onChange={(contacts_per_period) => set({ contacts_per_period })} fault={action.fault("contacts_per_period")} />
          <TextField label={t.t("order_period_label")} type="number" min={1} max={366} value={form.period_days} onChange={(period_days) => set({ period_days })} fault={action.fault("period_days")} />
        </div>
        <div class="form-row">
          <TextField label={t.t("order_hours_from")} type="time" value={form.hours_start} onChange={(hours_start) => set({ hours_start })} fault={action.fault("hours_start")} />
          <TextField label={t.t("order_hours_until")} type="time" value={form.hours_end} onChange={(hours_end) => set({ hours_end })} fault={action.fault("hours_end")} />
        </div>
      </fieldset>
      <ActionFailure action={action} />
      <div class="dock"><button type="submit" class="button primary big" disabled={action.busy || !form.number.trim() || !form.article.trim() || !form.issuer.trim()}>{t.t("save")}</button></div>
    </form>
  );
}

export function planWords(t: ConsoleTexts, plan: PlanRequest): string {
  const recurrence = parseRecurrence(plan.recurrence);
  const rhythm = !recurrence ? plan.recurrence
    : recurrence.kind === "daily" ? t.t(recurrence.interval === 1 ? "every_day" : "every_n_days", { n: recurrence.interval })
    : t.t(recurrence.interval === 1 ? "weekly_on" : "every_n_weeks_on", { n: recurrence.interval, days: recurrence.days.map((day) => t.maybe("day_" + day)).join(", ") });
  const windows = plan.windows.map((window) => (window.draws ? t.t("window_random", { start: window.start, end: window.end, n: window.draws }) : t.t("window_fixed", { start: window.start }))).join("; ");
  return `${rhythm}: ${windows}`;
}

interface WindowForm { start: string; end: string; draws: string }

export function PlanForm({ person, onDone }: { person: Person; onDone(): void }): JSX.Element {
  const { view, t } = useSession();
  const orders = person.orders.filter((order) => !order.ended);
  const first = orders[0]!;
  const [form, setForm] = useState({
    order_id: String(first.id), kind: "live" as PlanRequest["kind"], mandatory: first.contacts_per_period > 0, rhythm: "weekly" as "daily" | "weekly", interval: "1", days: ["MO", "TH"] as readonly string[],
    first_date: view.clock.isoDay(view.clock.now()), attempts: "3", spacing: "5", response: "15", grace: "15", late: "60",
  });
  const [windows, setWindows] = useState<readonly WindowForm[]>([{ start: "18:00", end: "22:00", draws: "1" }]);
  const [preview, setPreview] = useState<PlanPreview | null>(null);
  const [previewFailure, setPreviewFailure] = useState<Failure | null>(null);
  const action = useAction();
  const set = (change: Partial<typeof form>): void => setForm({ ...form, ...change });
  const setWindow = (index: number, change: Partial<WindowForm>): void => setWindows(windows.map((window, at) => (at === index ? { ...window, ...change } : window)));
  const minutes = (text: string): number => Math.round(Number(text) * 60);
  const body: PlanRequest = {
    order_id: Number(form.order_id), kind: form.kind, mandatory: form.mandatory,
    recurrence: recurrenceRule({ kind: form.rhythm, interval: Math.max(1, Math.min(INTERVAL_MOST, Number(form.interval) || 1)), days: form.days }),
    first_date: form.first_date, windows: windows.map((window) => ({ start: window.start, end: window.end, draws: Number(window.draws) })),
    attempts: Number(form.attempts), attempt_spacing_s: minutes(form.spacing), response_window_s: minutes(form.response), grace_s: minutes(form.grace), late_limit_s: minutes(form.late),
  };
  // The preview asks as saving does: what it refuses is marked before anybody saves.
  const fault = (field: string): string | null => action.fault(field) || faultWords(t, previewFailure, field);
  const wire = JSON.stringify(body);
  const whole = (form.rhythm === "daily" || form.days.length > 0) && windows.every((window) => window.start && window.end) && !!form.first_date;
  useEffect(() => {
    if (!whole) return undefined;
    let stale = false;
    const timer = setTimeout(() => {
      post<PlanPreview>(`/api/persons/${person.id}/plans/preview`, JSON.parse(wire)).then(
        (answer) => {
          if (stale) return;
          setPreview(answer);
          setPreviewFailure(null);
        },
        (cause: unknown) => {
          if (!stale) setPreviewFailure(failureOf(cause));
        },
      );
    }, PREVIEW_PAUSE_MS);
    return () => {
      stale = true;
      clearTimeout(timer);
    };
  }, [wire, whole]);
  return (
    <form class="form" onSubmit={(event) => {
      event.preventDefault();
      void action.run(async () => {
        await post<Plan>(`/api/persons/${person.id}/plans`, body);
        onDone();
      });
    }}>
      {orders.length > 1 && <SelectField label={t.t("plan_order")} value={form.order_id} options={orders.map((order) => ({ value: String(order.id), label: `${t.t(`order_${order.kind}`)} ${order.number}` }))} onChange={(order_id) => set({ order_id })} fault={fault("order_id")} />}
      <SelectField label={t.t("plan_kind")} hint={t.t(form.kind === "live" ? "plan_live_hint" : "plan_unattended_hint")} value={form.kind} options={[{ value: "live", label: t.t("kind_live") }, { value: "unattended", label: t.t("kind_unattended") }]} onChange={(kind) => set({ kind: kind as PlanRequest["kind"] })} />
      <CheckField label={t.t("plan_mandatory")} checked={form.mandatory} onChange={(mandatory) => set({ mandatory })} />
      <fieldset class="group-field">
        <legend>{t.t("plan_rhythm")}</legend>
        <div class="form-row">
          <SelectField label={t.t("plan_every")} value={form.rhythm} options={[{ value: "daily", label: t.t("rhythm_daily") }, { value: "weekly", label: t.t("rhythm_weekly") }]} onChange={(rhythm) => set({ rhythm: rhythm as "daily" | "weekly" })} />
          <TextField label={t.t(form.rhythm === "daily" ? "plan_interval_days" : "plan_interval_weeks")} type="number" min={1} max={INTERVAL_MOST} value={form.interval} onChange={(interval) => set({ interval })} fault={fault("recurrence")} />
          <TextField label={t.t("plan_first")} type="date" value={form.first_date} onChange={(first_date) => set({ first_date })} fault={fault("first_date")} required />
        </div>
        {form.rhythm === "weekly" && (
          <div class="days" role="group" aria-label={t.t("plan_days")}>
            {WEEKDAYS.map((day) => (
              <button type="button" key={day} class="day" aria-pressed={form.days.indexOf(day) >= 0} aria-label={t.t(`day_long_${day}`)}
                onClick={() => set({ days: form.days.indexOf(day) >= 0 ? form.days.filter((other) => other !== day) : form.days.concat(day) })}>{t.t(`day_${day}`)}</button>
            ))}
          </div>
        )}
      </fieldset>
      <fieldset class="group-field">
        <legend>{t.t("plan_windows")}</legend>
        {windows.map((window, index) => (
          <div class="form-row window-row" key={index}>
            <TextField label={t.t("window_from")} type="time" value={window.start} onChange={(start) => setWindow(index, { start })} fault={fault(`windows[${index}].start`)} />
            <TextField label={t.t("window_until")} type="time" value={window.end} onChange={(end) => setWindow(index, { end })} fault={fault(`windows[${index}].end`)} />
            <SelectField label={t.t("window_when")} value={window.draws} options={["0", "1", "2", "3", "4"].map((value) => ({ value, label: value === "0" ? t.t("draws_fixed") : t.t("draws_random", { n: Number(value) }) }))} onChange={(draws) => setWindow(index, { draws })} fault={fault(`windows[${index}].draws`)} />
            {windows.length > 1 && <button type="button" class="button plain icon-only" aria-label={t.t("window_remove")} onClick={() => setWindows(windows.filter((_, at) => at !== index))}><Icon name="close" /></button>}
          </div>
        ))}
        {fault("windows") && <p class="fault" role="alert">{fault("windows")}</p>}
        <button type="button" class="button plain" onClick={() => setWindows(windows.concat({ start: "08:00", end: "12:00", draws: "1" }))}><Icon name="plus" size={20} />{t.t("window_add")}</button>
      </fieldset>
      <details class="group-field">
        <summary>{t.t("plan_rings")}</summary>
        <p class="soft small">{t.t("plan_rings_text", { attempts: form.attempts, spacing: form.spacing, response: form.response, grace: form.grace, late: form.late })}</p>
        <div class="form-row">
          <TextField label={t.t("plan_attempts")} type="number" min={1} max={5} value={form.attempts} onChange={(attempts) => set({ attempts })} fault={fault("attempts")} />
          <TextField label={t.t("plan_spacing")} type="number" min={1} max={120} value={form.spacing} onChange={(spacing) => set({ spacing })} fault={fault("attempt_spacing_s")} />
          <TextField label={t.t("plan_response")} type="number" min={1} max={240} value={form.response} onChange={(response) => set({ response })} fault={fault("response_window_s")} />
        </div>
        <div class="form-row">
          <TextField label={t.t("plan_grace")} type="number" min={0} max={240} value={form.grace} onChange={(grace) => set({ grace })} fault={fault("grace_s")} />
          <TextField label={t.t("plan_late")} type="number" min={0} max={1440} value={form.late} onChange={(late) => set({ late })} fault={fault("late_limit_s")} />
        </div>
      </details>
      <section class="preview" aria-live="polite">
        <h3><Icon name="calendar" size={20} />{t.t("preview_title")}</h3>
        {previewFailure && (previewFailure.code === "invalid" ? <p class="soft">{t.t("preview_invalid")}</p> : <FailureBox failure={previewFailure} />)}
        {!previewFailure && preview && (
          <>
            {preview.warnings.map((warning) => <p key={warning} class="note warn"><Icon name="alert" size={20} /><span>{t.maybe("warning_" + warning) || warning}</span></p>)}
            <ul class="preview-list">
              {preview.windows.slice(0, PREVIEW_MOST).map((window) => (
                <li key={window.start}><strong>{view.clock.weekdayShort(window.date)}, {view.clock.date(window.date)}</strong><span class="tabular">{view.clock.time(window.start)}–{view.clock.time(window.end)}</span><span class="soft">{window.draws ? t.t("draws_random", { n: window.draws }) : t.t("draws_fixed")}</span></li>
              ))}
            </ul>
            {preview.windows.length > PREVIEW_MOST && <p class="soft small">{t.t("preview_more", { n: preview.windows.length - PREVIEW_MOST })}</p>}
            {!preview.windows.length && <p class="soft">{t.t("preview_none")}</p>}
          </>
        )}
      </section>
      <ActionFailure action={action} />
      <div class="dock"><button type="submit" class="button primary big" disabled={action.busy || !whole}>{t.t("plan_save")}</button></div>
    </form>
  );
}

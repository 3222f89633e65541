// Orders: what the law demands, how often, in which ways, and where video takes the place of visits.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { post } from "../api/http";
import type { Approval, ContactMode, Order, OrderKind, OrderRequest, Person, Requirement, RequirementRequest } from "../api/types";
import type { ConsoleTexts } from "../text/console";
import { DAY_MS } from "../text/time";
import { useDraft } from "../ui/draft";
import { Icon } from "../ui/icons";
import { ActionFailure, CheckField, Chip, Dialog, DraftNote, ReasonForm, SelectField, TextField, useAction, useSession } from "./parts";

const ORDER_KINDS: readonly OrderKind[] = ["protective_order", "special_requirements", "official_warning", "other"];
const SOURCES = ["court", "statute", "agency"] as const;
const MODES: readonly ContactMode[] = ["live", "unattended", "in_person"];
const REQUIREMENTS_MOST = 6;

interface RequirementForm { source: RequirementRequest["source"]; count: string; days: string; modes: readonly ContactMode[]; mandatory: boolean }

const first: RequirementForm = { source: "court", count: "1", days: "7", modes: ["live", "unattended"], mandatory: true };

function RequirementFields({ form, index, onChange, onRemove, fault }: { form: RequirementForm; index: number; onChange(form: RequirementForm): void; onRemove(): void; fault(field: string): string | null }): JSX.Element {
  const { t } = useSession();
  const set = (change: Partial<RequirementForm>): void => onChange({ ...form, ...change });
  const month = form.days === "0";
  return (
    <div class="sub-form">
      <div class="form-row">
        <SelectField label={t.t("requirement_source")} value={form.source} options={SOURCES.map((value) => ({ value, label: t.t(`source_${value}`) }))} onChange={(source) => set({ source: source as RequirementRequest["source"] })} />
        <TextField label={t.t("order_contacts_label")} type="number" min={1} max={100} value={form.count} onChange={(count) => set({ count })} fault={fault(`requirements[${index}].count`)} />
        <SelectField label={t.t("requirement_period")} value={month ? "month" : "days"} options={[{ value: "days", label: t.t("period_days") }, { value: "month", label: t.t("period_month") }]} onChange={(value) => set({ days: value === "month" ? "0" : "7" })} />
        {!month && <TextField label={t.t("order_period_label")} type="number" min={1} max={31} value={form.days} onChange={(days) => set({ days })} fault={fault(`requirements[${index}].days`)} />}
      </div>
      <div class="days" role="group" aria-label={t.t("requirement_modes")}>
        {MODES.map((mode) => (
          <button type="button" key={mode} class="day wide-day" aria-pressed={form.modes.indexOf(mode) >= 0}
            onClick={() => set({ modes: form.modes.indexOf(mode) >= 0 ? form.modes.filter((other) => other !== mode) : form.modes.concat(mode) })}>{t.t(`mode_${mode}`)}</button>
        ))}
      </div>
      <div class="form-row spread">
        <CheckField label={t.t("requirement_mandatory")} checked={form.mandatory} onChange={(mandatory) => set({ mandatory })} />
        <button type="button" class="button plain" onClick={onRemove}><Icon name="close" size={20} />{t.t("requirement_remove")}</button>
      </div>
    </div>
  );
}

export function OrderForm({ person, onDone }: { person: Person; onDone(): void }): JSX.Element {
  const { view, t } = useSession();
  const today = view.clock.isoDay(view.clock.now());
  const draft = useDraft(`person.${person.id}.order`, {
    kind: "protective_order" as OrderKind, article: "", number: "", issuer: "", from: today, until: view.clock.isoDay(view.clock.now() + 30 * DAY_MS), conditions: "",
    per_day_max: "3", hours_start: "08:00", hours_end: "22:00", requirements: [first] as readonly RequirementForm[],
  });
  const { requirements, ...form } = draft.value;
  const action = useAction();
  const set = (change: Partial<typeof draft.value>): void => draft.set({ ...draft.value, ...change });
  const setRequirements = (next: readonly RequirementForm[]): void => set({ requirements: next });
  const whole = !!form.number.trim() && !!form.article.trim() && !!form.issuer.trim() && requirements.every((one) => one.modes.length > 0);
  return (
    <form class="form" onSubmit={(event) => {
      event.preventDefault();
      void action.run(async () => {
        const body: OrderRequest = {
          ...form, article: form.article.trim(), number: form.number.trim(), issuer: form.issuer.trim(), conditions: form.conditions.trim(), per_day_max: Number(form.per_day_max),
          requirements: requirements.map((one) => ({ ...one, modes: one.modes.slice(), count: Number(one.count), days: Number(one.days) })),
        };
        await post<Order>(`/api/persons/${person.id}/orders`, body);
        draft.clear();
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
        {requirements.map((one, index) => (
          <RequirementFields key={index} form={one} index={index} fault={action.fault} onChange={(next) => setRequirements(requirements.map((other, at) => (at === index ? next : other)))} onRemove={() => setRequirements(requirements.filter((_, at) => at !== index))} />
        ))}
        {!requirements.length && <p class="soft">{t.t("order_voluntary")}</p>}
        {requirements.length < REQUIREMENTS_MOST && <button type="button" class="button plain" onClick={() => setRequirements(requirements.concat(first))}><Icon name="plus" size={20} />{t.t("requirement_add")}</button>}
      </fieldset>
      <fieldset class="group-field">
        <legend>{t.t("order_limits")}</legend>
        <p class="soft small">{t.t("order_hours_hint")}</p>
        <div class="form-row">
          <TextField label={t.t("order_hours_from")} type="time" value={form.hours_start} onChange={(hours_start) => set({ hours_start })} fault={action.fault("hours_start")} />
          <TextField label={t.t("order_hours_until")} type="time" value={form.hours_end} onChange={(hours_end) => set({ hours_end })} fault={action.fault("hours_end")} />
          <TextField label={t.t("order_per_day")} type="number" min={1} max={24} value={form.per_day_max} onChange={(per_day_max) => set({ per_day_max })} fault={action.fault("per_day_max")} />
        </div>
      </fieldset>
      <DraftNote draft={draft} />
      <ActionFailure action={action} />
      <div class="dock"><button type="submit" class="button primary big" disabled={action.busy || !whole}>{t.t("save")}</button></div>
    </form>
  );
}

export function requirementWords(t: ConsoleTexts, requirement: RequirementRequest): string {
  const often = requirement.days === 0 ? t.t("requirement_month", { n: requirement.count }) : t.t("order_contacts", { n: requirement.count, days: requirement.days });
  return `${often} (${requirement.modes.map((mode) => t.t(`mode_${mode}`)).join(", ")}), ${t.t(`source_${requirement.source}`)}, ${t.t(requirement.mandatory ? "plan_is_mandatory" : "plan_is_voluntary")}`;
}

// The demands of an order, and for each whether video takes the place of visits.
export function Requirements({ order, onReplace }: { order: Order; onReplace: ((requirement: Requirement) => void) | null }): JSX.Element {
  const { t } = useSession();
  return (
    <ul class="requirements">
      {!order.requirements.length && <li class="small">{t.t("order_voluntary")}</li>}
      {order.requirements.map((requirement) => (
        <li key={requirement.id} class="small">
          <span>{requirementWords(t, requirement)}</span>
          {requirement.video === "replaces"
            ? <Chip tone="info" icon="seal">{t.t("video_replaces", { proposer: requirement.proposer || "", approver: requirement.approver || "", citation: requirement.citation || "" })}</Chip>
            : order.in_force && requirement.modes.some((mode) => mode !== "in_person") && (
              <><span class="soft">{t.t("video_supplements")}</span>{onReplace && <button type="button" class="button plain" onClick={() => onReplace(requirement)}>{t.t("replace_propose")}</button>}</>
            )}
        </li>
      ))}
    </ul>
  );
}

export function ReplaceDialog({ person, order, requirement, onClose }: { person: Person; order: Order; requirement: Requirement; onClose(): void }): JSX.Element {
  const { session, t } = useSession();
  const [citation, setCitation] = useState("");
  return (
    <Dialog title={t.t("replace_title")} onClose={onClose}>
      <ReasonForm draft={`order.${order.id}.replace.${requirement.id}`} label={t.t("end_reason")} submit={t.t("approval_send")} onSubmit={async (reason) => {
        await post<Approval>("/api/approvals", { kind: "order.replaces", person: person.id, reason, request: { order: order.id, requirement: requirement.id, citation: citation.trim() } });
        session.say(t.t("approval_sent"));
        onClose();
      }}>
        <p class="soft">{t.t("replace_text")}</p>
        <p>{requirementWords(t, requirement)}</p>
        <TextField label={t.t("replace_citation")} hint={t.t("replace_citation_hint")} value={citation} onChange={setCitation} lines={2} maxLength={1000} required />
      </ReasonForm>
    </Dialog>
  );
}

// Ladders: who is told in which order when nobody answers. One supervisor writes, another one approves.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { post } from "../api/http";
import type { Ladder, LadderBand, LadderChannel, LadderFindings, LadderInForce, LadderList, LadderRequest, LadderStep, LadderTarget, Proposal, TargetKind } from "../api/duty_types";
import type { Staff } from "../api/types";
import { useDraft } from "../ui/draft";
import { Icon } from "../ui/icons";
import { type Load, useAnswer, useLoad } from "./load";
import { ActionFailure, Card, CheckField, Chip, DraftNote, Loaded, ReasonForm, SelectField, TextField, useAction, useSession } from "./parts";

const CHANNELS: readonly LadderChannel[] = ["console", "web_push", "email", "sms", "voice", "webhook"];
const TARGETS: readonly TargetKind[] = ["inspector", "stand_in", "duty", "supervisor", "named"];
const STEPS_MOST = 8;
const TARGETS_MOST = 4;

const fresh = (): LadderStep => ({ targets: [{ kind: "duty" }], channels: ["console", "email"], parallel: true, ack_timeout_s: 900, rounds: 1, min_interval_s: 60 });
const minutes = (seconds: number): string => String(Math.round(seconds / 60));
const seconds = (text: string): number => Math.max(1, Math.round(Number(text) || 0)) * 60;

export function LaddersTab(): JSX.Element {
  const load = useLoad<LadderList>("/api/ladders", ["today"]);
  const proposals = useLoad<{ approvals: Proposal[] }>("/api/approvals", ["today"]);
  const staff = useLoad<{ staff: Staff[] }>("/api/staff", []);
  const [editing, setEditing] = useState<LadderInForce | null>(null);
  const people = staff.data ? staff.data.staff.filter((one) => one.roles.indexOf("officer") >= 0 || one.roles.indexOf("supervisor") >= 0) : [];
  return (
    <Loaded load={load}>
      {(list) => editing
        ? <LadderEditor from={editing} channels={list.channels} people={people} onDone={() => {
          setEditing(null);
          proposals.again();
        }} />
        : (
          <div class="stack">
            {proposals.data && proposals.data.approvals.filter((one) => one.kind === "ladder" && one.state === "open").map((one) => <ProposalCard key={one.id} proposal={one} people={people} load={proposals} onDecided={load.again} />)}
            {list.ladders.map((one) => <LadderCard key={one.band} one={one} people={people} onEdit={() => setEditing(one)} />)}
          </div>
        )}
    </Loaded>
  );
}

function bandTitle(t: ReturnType<typeof useSession>["t"], band: LadderBand): string {
  return band === "safety" ? t.t("ladder_safety") : t.t("ladder_of_band", { band: t.maybe("band_" + band) || band });
}

function LadderCard({ one, people, onEdit }: { one: LadderInForce; people: readonly Staff[]; onEdit(): void }): JSX.Element {
  const { view, t } = useSession();
  return (
    <Card title={bandTitle(t, one.band)} icon="ladder" actions={<button type="button" class="button" onClick={onEdit}><Icon name="edit" size={20} />{t.t("ladder_change")}</button>}>
      <p class="soft">{one.version ? t.t("ladder_version", { n: one.version, by: one.by || "", approved: one.approved_by || "", at: one.at ? view.clock.moment(one.at) : "" }) : t.t("ladder_house")}</p>
      <LadderLine ladder={one.ladder} people={people} />
    </Card>
  );
}

function targetName(t: ReturnType<typeof useSession>["t"], target: LadderTarget, people: readonly Staff[]): string {
  if (target.kind !== "named") return t.t(`target_${target.kind}`);
  const person = people.find((one) => one.id === target.staff);
  return person ? person.name : t.t("target_named");
}

function LadderLine({ ladder, people }: { ladder: Ladder; people: readonly Staff[] }): JSX.Element {
  const { t } = useSession();
  let at = 0;
  return (
    <ol class="line">
      {ladder.steps.map((step, index) => {
        const since = at;
        at += step.ack_timeout_s * step.rounds;
        const last = index === ladder.steps.length - 1;
        return (
          <li class="line-item" key={index}>
            <span class="line-mark">{index + 1}</span>
            <div class="line-text">
              <p><strong>{step.targets.map((target) => targetName(t, target, people)).join(", ")}</strong> <span class="soft">{since ? t.t("ladder_after", { n: minutes(since) }) : t.t("ladder_at_once")}</span></p>
              <p class="soft">{step.channels.map((channel) => t.maybe("channel_" + channel) || channel).join(step.parallel ? " + " : " → ")} · {last ? t.t("ladder_repeats", { n: minutes(Math.max(step.ack_timeout_s, step.min_interval_s)) }) : t.t("ladder_waits", { n: minutes(step.ack_timeout_s), rounds: step.rounds })}</p>
            </div>
          </li>
        );
      })}
    </ol>
  );
}

// ---------------------------------------------------------------- proposals

function ProposalCard({ proposal, people, load, onDecided }: { proposal: Proposal; people: readonly Staff[]; load: Load<{ approvals: Proposal[] }>; onDecided(): void }): JSX.Element {
  const { view, t } = useSession();
  const [decision, setDecision] = useState<boolean | null>(null);
  const action = useAction();
  const request = proposal.body as LadderRequest;
  const done = (): void => {
    load.again();
    onDecided();
  };
  return (
    <Card title={t.t("ladder_proposed", { ladder: bandTitle(t, request.band) })} icon="hand" class="proposal">
      <p>{t.t("ladder_proposed_by", { name: proposal.proposer, at: view.clock.momentAge(proposal.created) })}</p>
      <p class="quote prewrap">{proposal.reason}</p>
      <LadderLine ladder={request.ladder} people={people} />
      {request.apply_open && <p><Chip tone="info" icon="info">{t.t("ladder_applies_open")}</Chip></p>}
      <ActionFailure action={action} />
      {proposal.may_decide && decision === null && (
        <div class="side-by-side">
          <button type="button" class="button primary" onClick={() => setDecision(true)}><Icon name="check" size={20} />{t.t("proposal_approve")}</button>
          <button type="button" class="button" onClick={() => setDecision(false)}>{t.t("proposal_refuse")}</button>
        </div>
      )}
      {decision !== null && (
        <ReasonForm label={t.t(decision ? "proposal_approve_reason" : "proposal_refuse_reason")} submit={t.t(decision ? "proposal_approve" : "proposal_refuse")} onSubmit={async (reason) => {
          await post(`/api/approvals/${proposal.id}/decide`, { approve: decision, reason });
          done();
        }} />
      )}
      {view.me && proposal.proposer_id === view.me.id && (
        <>
          <p class="soft">{t.t("proposal_waits")}</p>
          <button type="button" class="button" disabled={action.busy} onClick={() => void action.run(async () => {
            await post(`/api/approvals/${proposal.id}/withdraw`, { reason: t.t("proposal_withdraw") });
            done();
          })}>{t.t("proposal_withdraw")}</button>
        </>
      )}
    </Card>
  );
}

// ---------------------------------------------------------------- writing one

function LadderEditor({ from, channels, people, onDone }: { from: LadderInForce; channels: readonly LadderChannel[]; people: readonly Staff[]; onDone(): void }): JSX.Element {
  const { t } = useSession();
  const draft = useDraft<Ladder>(`ladder.${from.band}`, from.ladder);
  const ladder = draft.value;
  const [applyOpen, setApplyOpen] = useState(false);
  const [checked, setChecked] = useAnswer<LadderFindings>(ladder);
  const action = useAction();
  const change = draft.set;
  const setStep = (index: number, step: LadderStep): void => change({ ...ladder, steps: ladder.steps.map((other, at) => (at === index ? step : other)) });
  const move = (index: number, by: number): void => {
    const steps = ladder.steps.slice();
    const moved = steps.splice(index, 1);
    steps.splice(index + by, 0, ...moved);
    change({ ...ladder, steps });
  };
  const propose = async (reason: string): Promise<void> => {
    await post("/api/approvals", { kind: "ladder", reason, request: { band: from.band, ladder, apply_open: applyOpen } });
    draft.clear();
    onDone();
  };
  return (
    <Card title={bandTitle(t, from.band)} icon="ladder" actions={<button type="button" class="button" onClick={onDone}>{t.t("ladder_leave")}</button>}>
      {ladder.steps.map((step, index) => (
        <StepEditor key={index} step={step} index={index} last={index === ladder.steps.length - 1} channels={channels} people={people} safety={from.band === "safety"}
          onChange={(next) => setStep(index, next)} onRemove={ladder.steps.length > 1 ? () => change({ ...ladder, steps: ladder.steps.filter((_, at) => at !== index) }) : null}
          onUp={index > 0 ? () => move(index, -1) : null} />
      ))}
      {ladder.steps.length < STEPS_MOST && <button type="button" class="button" onClick={() => change({ ...ladder, steps: ladder.steps.concat(fresh()) })}><Icon name="plus" size={20} />{t.t("ladder_add_step")}</button>}
      <div class="form">
        <div class="form-row">
          <TextField label={t.t("ladder_ack_hold")} hint={t.t("ladder_ack_hold_hint")} type="number" min={1} max={1440} value={minutes(ladder.ack_hold_s)} onChange={(value) => change({ ...ladder, ack_hold_s: seconds(value) })} />
        </div>
        {from.band !== "safety" && <CheckField label={t.t("ladder_late_calms")} checked={ladder.late_answer_calms} onChange={(late_answer_calms) => change({ ...ladder, late_answer_calms })} />}
        {from.band !== "safety" && <CheckField label={t.t("ladder_quiet")} checked={ladder.quiet_hours} onChange={(quiet_hours) => change({ ...ladder, quiet_hours })} />}
        <CheckField label={t.t("ladder_apply_open")} checked={applyOpen} onChange={setApplyOpen} />
        <DraftNote draft={{ restored: draft.restored, clear: draft.clear }} />
        <ActionFailure action={action} />
        {!checked && <button type="button" class="button primary" disabled={action.busy} onClick={() => void action.run(async () => setChecked(await post<LadderFindings>("/api/ladders/check", { band: from.band, ladder })))}>{t.t("ladder_check")}</button>}
      </div>
      {checked && <Findings findings={checked} />}
      {checked && !checked.fatal && <ReasonForm draft={`ladder.${from.band}.why`} label={t.t("ladder_why")} hint={t.t("ladder_why_hint")} submit={t.t("ladder_propose")} onSubmit={propose} />}
    </Card>
  );
}

function Findings({ findings }: { findings: LadderFindings }): JSX.Element {
  const { t } = useSession();
  if (!findings.findings.length) return <div class="note good"><Icon name="check" /><div><strong>{t.t("lint_good")}</strong></div></div>;
  return (
    <div class={"note " + (findings.fatal ? "act" : "warn")} role="status">
      <Icon name="alert" />
      <div>
        <strong>{t.t(findings.fatal ? "lint_fatal" : "lint_some")}</strong>
        <ul>
          {findings.findings.map((one, index) => (
            <li key={index}>{t.maybe("lint_" + one.reason, { step: one.step, share: one.share, channel: one.channel ? t.maybe("channel_" + one.channel) || one.channel : "" })}</li>
          ))}
        </ul>
      </div>
    </div>
  );
}

function StepEditor({ step, index, last, channels, people, safety, onChange, onRemove, onUp }: {
  step: LadderStep; index: number; last: boolean; channels: readonly LadderChannel[]; people: readonly Staff[]; safety: boolean;
  onChange(step: LadderStep): void; onRemove: (() => void) | null; onUp: (() => void) | null;
}): JSX.Element {
  const { t } = useSession();
  const setTarget = (at: number, target: LadderTarget): void => onChange({ ...step, targets: step.targets.map((other, place) => (place === at ? target : other)) });
  // Whose account was closed is told nothing, and stays readable where a ladder already names them.
  const named = people.filter((one) => !one.disabled || step.targets.some((target) => target.staff === one.id));
  const open = people.find((one) => !one.disabled);
  const kinds = TARGETS.filter((kind) => !safety || (kind !== "inspector" && kind !== "stand_in"));
  const toggle = (channel: LadderChannel, on: boolean): void => {
    const next = on ? step.channels.concat(channel) : step.channels.filter((other) => other !== channel);
    if (next.length) onChange({ ...step, channels: next });
  };
  return (
    <fieldset class="step">
      <legend>{t.t("ladder_step", { n: index + 1 })}</legend>
      {step.targets.map((target, at) => (
        <div class="form-row" key={at}>
          <SelectField label={t.t("ladder_target")} value={target.kind} options={kinds.map((kind) => ({ value: kind, label: t.t(`target_${kind}`) }))} onChange={(kind) => setTarget(at, kind === "named" ? { kind, staff: open ? open.id : 0 } : { kind: kind as TargetKind })} />
          {target.kind === "named" && <SelectField label={t.t("target_named")} value={String(target.staff)} options={named.map((one) => ({ value: String(one.id), label: one.name }))} onChange={(value) => setTarget(at, { kind: "named", staff: Number(value) })} />}
          {step.targets.length > 1 && <button type="button" class="button plain icon-only" aria-label={t.t("ladder_target_remove")} onClick={() => onChange({ ...step, targets: step.targets.filter((_, place) => place !== at) })}><Icon name="close" /></button>}
        </div>
      ))}
      {step.targets.length < TARGETS_MOST && <button type="button" class="button plain" onClick={() => onChange({ ...step, targets: step.targets.concat({ kind: "supervisor" }) })}><Icon name="plus" size={20} />{t.t("ladder_target_add")}</button>}
      <div class="ticks">
        {CHANNELS.map((channel) => (
          <label class="tick" key={channel}>
            <input type="checkbox" checked={step.channels.indexOf(channel) >= 0} onChange={(event) => toggle(channel, event.currentTarget.checked)} />
            <span>{t.maybe("channel_" + channel) || channel}{channels.indexOf(channel) < 0 && <span class="soft small"> ({t.t("channel_not_set_up")})</span>}</span>
          </label>
        ))}
      </div>
      <SelectField label={t.t("ladder_order")} value={step.parallel ? "parallel" : "order"} options={[{ value: "parallel", label: t.t("ladder_parallel") }, { value: "order", label: t.t("ladder_in_order") }]} onChange={(value) => onChange({ ...step, parallel: value === "parallel" })} />
      <div class="form-row">
        <TextField label={t.t(last ? "ladder_repeat_min" : "ladder_wait_min")} type="number" min={1} max={1440} value={minutes(step.ack_timeout_s)} onChange={(value) => onChange({ ...step, ack_timeout_s: seconds(value) })} />
        {!last && <TextField label={t.t("ladder_rounds")} type="number" min={1} max={20} value={String(step.rounds)} onChange={(value) => onChange({ ...step, rounds: Math.min(20, Math.max(1, Number(value) || 1)) })} />}
      </div>
      <div class="side-by-side">
        {onUp && <button type="button" class="button plain" onClick={onUp}><Icon name="back" size={20} />{t.t("ladder_up")}</button>}
        {onRemove && <button type="button" class="button plain" onClick={onRemove}><Icon name="close" size={20} />{t.t("ladder_step_remove")}</button>}
      </div>
    </fieldset>
  );
}


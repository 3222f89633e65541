// The risk compartment of one person: the score from records, the judgement beside it, and what the policy table
// proposes. Opened on purpose, never beside a call; each opening is logged.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { post } from "../api/http";
import type { Approval, Band, Person, Risk, RiskProposal, RiskScore, RiskScoreRequest } from "../api/types";
import { Icon } from "../ui/icons";
import { useAnswer, useLoad } from "./load";
import { ActionFailure, BandMark, Card, CheckField, Chip, Dialog, Loaded, ReasonForm, SelectField, TextField, useAction, useSession } from "./parts";
import { planWords } from "./plan";

const ITEMS = Array.from({ length: 13 }, (_, index) => index);
const BANDS: readonly Band[] = ["low", "medium", "high", "top"];
const ELIGIBILITY = ["known_to_police", "partner", "contact_or_threat", "adult_man_to_woman"] as const;
type Answer = "1" | "0" | "?" | "";

function ScoreForm({ person, onDone }: { person: Person; onDone(): void }): JSX.Element {
  const { t } = useSession();
  const [answers, setAnswers] = useState<readonly Answer[]>(ITEMS.map(() => ""));
  const [eligibility, setEligibility] = useState({ known_to_police: false, partner: false, contact_or_threat: false, adult_man_to_woman: false });
  const [date, setDate] = useState("");
  const [note, setNote] = useState("");
  const action = useAction();
  const open = answers.filter((answer) => answer === "").length;
  return (
    <form class="form" onSubmit={(event) => {
      event.preventDefault();
      void action.run(async () => {
        const body: RiskScoreRequest = { index_date: date, eligibility, items: answers.map((answer) => (answer === "1" ? 1 : answer === "0" ? 0 : null)), note: note.trim() };
        await post<unknown>(`/api/persons/${person.id}/risk/score`, body);
        onDone();
      });
    }}>
      <p class="soft small">{t.t("risk_form_text")}</p>
      <TextField label={t.t("risk_index_date")} hint={t.t("risk_index_hint")} type="date" value={date} onChange={setDate} fault={action.fault("index_date")} required />
      <fieldset class="group-field">
        <legend>{t.t("risk_eligible_title")}</legend>
        {ELIGIBILITY.map((name) => <CheckField key={name} label={t.t(`eligible_${name}`)} checked={eligibility[name]} onChange={(checked) => setEligibility({ ...eligibility, [name]: checked })} />)}
      </fieldset>
      <ol class="risk-items">
        {ITEMS.map((index) => (
          <li key={index}>
            <fieldset>
              <legend>{t.maybe("risk_item_" + (index + 1))}</legend>
              <div class="days">
                {(["1", "0", "?"] as const).map((answer) => (
                  <button type="button" key={answer} class="day wide-day" aria-pressed={answers[index] === answer} onClick={() => setAnswers(answers.map((old, at) => (at === index ? answer : old)))}>{t.maybe("answer_" + (answer === "?" ? "unknown" : answer))}</button>
                ))}
              </div>
            </fieldset>
          </li>
        ))}
      </ol>
      <TextField label={t.t("risk_note")} value={note} onChange={setNote} lines={2} maxLength={4000} />
      <ActionFailure action={action} />
      <div class="dock">
        {open > 0 && <p class="soft small">{t.t("risk_open", { n: open })}</p>}
        <button type="submit" class="button primary big" disabled={action.busy || open > 0 || !date}>{t.t("save")}</button>
      </div>
    </form>
  );
}

function JudgementDialog({ person, onClose, onDone }: { person: Person; onClose(): void; onDone(): void }): JSX.Element {
  const { t } = useSession();
  const [band, setBand] = useState<string>(person.band);
  return (
    <Dialog title={t.t("judgement_add")} onClose={onClose}>
      <ReasonForm label={t.t("judgement_reasons")} submit={t.t("save")} lines={4} onSubmit={async (reasons) => {
        await post<unknown>(`/api/persons/${person.id}/risk/judgement`, { band, reasons });
        onDone();
      }}>
        <p class="soft small">{t.t("judgement_text")}</p>
        <SelectField label={t.t("judgement_band")} value={band} options={BANDS.map((value) => ({ value, label: t.maybe("band_" + value) || value }))} onChange={setBand} />
      </ReasonForm>
    </Dialog>
  );
}

function ProposalDialog({ person, risk, onClose }: { person: Person; risk: Risk; onClose(): void }): JSX.Element {
  const { session, t } = useSession();
  const orders = person.orders.filter((order) => order.in_force);
  const [order, setOrder] = useState(String(orders[0] ? orders[0].id : 0));
  const [basis, setBasis] = useState<RiskProposal["basis"]>(risk.scores.length ? "score" : "judgement");
  const ask = { order_id: Number(order), basis };
  const [proposal, setProposal] = useAnswer<RiskProposal>(ask);
  const action = useAction();
  const bases = [{ value: "score", label: t.t("basis_score") }, { value: "judgement", label: t.t("basis_judgement") }].filter((one) => (one.value === "score" ? risk.scores.length : risk.judgements.length));
  return (
    <Dialog title={t.t("proposal_title")} onClose={onClose}>
      <div class="form">
        <p class="soft small">{t.t("proposal_text")}</p>
        <SelectField label={t.t("proposal_basis")} value={basis} options={bases} onChange={(value) => setBasis(value as RiskProposal["basis"])} />
        {orders.length > 1 && <SelectField label={t.t("plan_order")} value={order} options={orders.map((one) => ({ value: String(one.id), label: `${t.t(`order_${one.kind}`)} ${one.number}` }))} onChange={setOrder} />}
        {!proposal && <button type="button" class="button" disabled={action.busy} onClick={() => void action.run(async () => setProposal(await post<RiskProposal>(`/api/persons/${person.id}/risk/preview`, ask)))}><Icon name="eye" size={20} />{t.t("proposal_show")}</button>}
        <ActionFailure action={action} />
        {proposal && (
          <>
            <div class="note"><Icon name="calendar" size={20} /><div>
              <p><BandMark band={proposal.band} /></p>
              <p>{planWords(t, proposal.request)}</p>
              <p class="soft small">{t.t(proposal.request.mandatory ? "plan_is_mandatory" : "plan_is_voluntary")}</p>
              {proposal.request.replaces && <p class="small">{t.t("proposal_replaces")}</p>}
            </div></div>
            {proposal.gave_way.map((word) => <p key={word} class="note warn"><Icon name="shield" size={20} /><span>{t.maybe("gave_way_" + word)}</span></p>)}
            {proposal.advice.map((word) => <p key={word} class="small">{t.maybe("advice_" + word)}</p>)}
            <ReasonForm label={t.t("end_reason")} submit={t.t("approval_send")} onSubmit={async (reason) => {
              await post<Approval>(`/api/persons/${person.id}/risk/proposal`, { ...ask, reason });
              session.say(t.t("approval_sent"));
              onClose();
            }} />
          </>
        )}
      </div>
    </Dialog>
  );
}

function ScoreCard({ score }: { score: RiskScore }): JSX.Element {
  const { view, t } = useSession();
  const { result } = score;
  return (
    <li>
      <div class="order-head">
        <strong>{result.band === "unscored" ? t.t("risk_no_band") : t.t("risk_band", { band: result.band.replace("_", "–") })}</strong>
        {result.uncertain && <Chip tone="warn" icon="alert">{t.t("risk_uncertain")}</Chip>}
        {!result.eligible && <Chip tone="quiet">{t.t("risk_not_eligible")}</Chip>}
        {!result.enough && <Chip tone="quiet">{t.t("risk_not_enough")}</Chip>}
      </div>
      <p class="small">{t.t("risk_line", { raw: result.raw, missing: result.missing, prorated: result.prorated === null ? "–" : result.prorated, low: result.low, high: result.high })}</p>
      <details>
        <summary>{t.t("risk_items")}</summary>
        <ol class="risk-answers small">{ITEMS.map((index) => <li key={index}><span>{t.maybe("risk_item_" + (index + 1))}</span><strong>{t.maybe("answer_" + (score.items[index] === null ? "unknown" : String(score.items[index])))}</strong></li>)}</ol>
        {score.note && <p class="quote prewrap">{score.note}</p>}
      </details>
      <p class="soft small">{t.t("risk_by", { name: score.by, moment: view.clock.momentAge(score.at), date: view.clock.date(score.index_date), norms: score.norms.version })}</p>
    </li>
  );
}

export function RiskTab({ person }: { person: Person }): JSX.Element {
  const { view, t } = useSession();
  const [open, setOpen] = useState(false);
  const [dialog, setDialog] = useState<"score" | "judgement" | "proposal" | null>(null);
  const load = useLoad<Risk>(open ? `/api/persons/${person.id}/risk` : null, []);
  const done = (): void => {
    setDialog(null);
    load.again();
  };
  if (!open) {
    return (
      <div class="empty">
        <span class="empty-mark"><Icon name="shield" size={32} /></span>
        <h2>{t.t("risk_closed")}</h2>
        <p class="soft">{t.t("risk_closed_text")}</p>
        <button type="button" class="button primary" onClick={() => setOpen(true)}>{t.t("risk_open_it")}</button>
      </div>
    );
  }
  return (
    <Loaded load={load}>
      {(risk) => (
        <div class="cards">
          <Card title={t.t("risk_scores")} icon="shield" actions={<button type="button" class="button plain" onClick={() => setDialog("score")}><Icon name="plus" size={20} />{t.t("risk_score_add")}</button>}>
            {!risk.scores.length && <p class="soft">{t.t("risk_none")}</p>}
            <ul class="orders">{risk.scores.map((score) => <ScoreCard key={score.id} score={score} />)}</ul>
          </Card>
          <Card title={t.t("judgements")} icon="person" actions={<button type="button" class="button plain" onClick={() => setDialog("judgement")}><Icon name="plus" size={20} />{t.t("judgement_add")}</button>}>
            {!risk.judgements.length && <p class="soft">{t.t("judgement_none")}</p>}
            <ul class="orders">{risk.judgements.map((one) => (
              <li key={one.id}>
                <div class="order-head"><BandMark band={one.band} /></div>
                <p class="quote prewrap">{one.reasons}</p>
                <p class="soft small">{one.by}, {view.clock.momentAge(one.at)}</p>
              </li>
            ))}</ul>
          </Card>
          {(risk.scores.length > 0 || risk.judgements.length > 0) && person.orders.some((order) => order.in_force) && <button type="button" class="button" onClick={() => setDialog("proposal")}><Icon name="calendar" size={20} />{t.t("proposal_title")}</button>}
          {dialog === "score" && <Dialog title={t.t("risk_score_add")} onClose={() => setDialog(null)}><ScoreForm person={person} onDone={done} /></Dialog>}
          {dialog === "judgement" && <JudgementDialog person={person} onClose={() => setDialog(null)} onDone={done} />}
          {dialog === "proposal" && <ProposalDialog person={person} risk={risk} onClose={() => setDialog(null)} />}
        </div>
      )}
    </Loaded>
  );
}

// What needs two persons: what waits for this one, and what became of the rest.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { post } from "../api/http";
import type { Approval, CadenceRow, KeepClass, PlanRequest, Retention } from "../api/types";
import type { ConsoleTexts } from "../text/console";
import type { Clock } from "../text/time";
import { Icon } from "../ui/icons";
import { changed, useLoad } from "./load";
import { planWords } from "./plan";
import { Chip, Dialog, Empty, Loaded, Page, ReasonForm, Tabs, useRowKeys, useSession } from "./parts";
import { keepWords } from "./words";

const TONES = { open: "warn", approved: "good", refused: "quiet", withdrawn: "quiet", expired: "quiet" } as const;

// The request in words, for kinds that this page knows; otherwise its members as they are.
function requestLines(t: ConsoleTexts, clock: Clock, approval: Approval): readonly (readonly [string, string])[] {
  const body = approval.body as Record<string, string | number>;
  switch (approval.kind) {
    case "order.replaces":
      return [[t.t("replace_citation"), String(body.citation)]];
    case "blackout.absence":
      return [[t.t("blackout_source"), t.maybe("blackout_" + body.source) || String(body.source)], [t.t("blackout_from"), clock.moment(String(body.from))], [t.t("blackout_until"), clock.moment(String(body.until))], [t.t("blackout_reason"), String(body.reason)]];
    case "staff.second_factor":
      return [[t.t("staff_name"), String(body.name)]];
    case "plan.proposal":
      return [[t.t("judgement_band"), t.maybe("band_" + body.band) || String(body.band)], [t.t("plans_title"), planWords(t, approval.body.request as PlanRequest)]];
    case "cadence.change":
      return (approval.body.bands as CadenceRow[]).map((row) => [row.band === "unscored" ? t.t("risk_no_band") : t.t("risk_band", { band: row.band.replace("_", "–") }), `${t.t("order_contacts", { n: row.contacts, days: row.weeks * 7 })}, ${row.start}–${row.end}`] as const);
    case "retention.shorten":
      return Object.entries(approval.body.days as Record<KeepClass, number>).map(([name, n]) => [t.t(`keep_${name as KeepClass}`), keepWords(t, n)] as const);
    default:
      return Object.keys(body).map((name) => [name.replace(/_/g, " "), typeof body[name] === "object" ? JSON.stringify(body[name]) : String(body[name])] as const);
  }
}

// What is kept for a shorter time from then on, beside what is in force: who agrees destroys the difference.
function Shorter({ approval }: { approval: Approval }): JSX.Element {
  const { t } = useSession();
  const load = useLoad<Retention>("/api/retention?state=waiting", ["today"]);
  const days = approval.body.days as Record<string, number>;
  return (
    <Loaded load={load}>
      {(data) => (
        <>
          <dl class="data">
            {data.policy.filter((row) => days[row.class] !== undefined).map((row) => <div key={row.class}><dt>{t.t(`keep_${row.class}`)}</dt><dd>{keepWords(t, row.days)} → {keepWords(t, days[row.class]!)}</dd></div>)}
          </dl>
          <p class="note small">{t.t("approval_shorten")}</p>
        </>
      )}
    </Loaded>
  );
}

export function approvalTitle(t: ConsoleTexts, approval: Approval): string {
  return t.maybe("approval_" + approval.kind.replace(".", "_")) || approval.kind;
}

function Row({ approval, open }: { approval: Approval; open(dialog: Deciding): void }): JSX.Element {
  const { view, t } = useSession();
  const mine = view.me && view.me.id === approval.proposer_id;
  return (
    <li class="card approval">
      <div class="order-head">
        <strong>{approvalTitle(t, approval)}</strong>
        <Chip tone={TONES[approval.state]} icon={approval.state === "approved" ? "check" : "clock"}>{t.t(`approval_state_${approval.state}`)}</Chip>
      </div>
      {approval.person_id && <p><a href={"#/persons/" + approval.person_id}>{approval.person_name}</a></p>}
      {approval.kind === "retention.shorten" && approval.state === "open" ? <Shorter approval={approval} /> : (
        <dl class="data">
          {requestLines(t, view.clock, approval).map(([label, value]) => <div key={label}><dt>{label}</dt><dd class="prewrap break">{value}</dd></div>)}
        </dl>
      )}
      <p class="quote prewrap">{approval.reason}</p>
      <p class="soft small">{t.t("approval_by", { name: approval.proposer, moment: view.clock.momentAge(approval.created) })}{approval.state === "open" && ` · ${t.t("approval_until", { moment: view.clock.moment(approval.expires) })}`}</p>
      {approval.state === "open" && approval.alone && <p class="note small">{t.t(mine ? "approval_alone_mine" : "approval_alone")}</p>}
      {approval.decided && <p class="small">{t.t("approval_decided", { name: approval.decided_by || "", moment: view.clock.momentAge(approval.decided) })}: {approval.decided_reason}</p>}
      {approval.state === "open" && (
        <div class="row-buttons">
          {approval.may_decide && <button type="button" class="button primary" onClick={() => open({ approval, verb: "approve" })}><Icon name="check" size={20} />{t.t("approval_approve")}</button>}
          {approval.may_decide && <button type="button" class="button" onClick={() => open({ approval, verb: "refuse" })}><Icon name="close" size={20} />{t.t("approval_refuse")}</button>}
          {mine && <button type="button" class="button plain" onClick={() => open({ approval, verb: "withdraw" })}>{t.t("approval_withdraw")}</button>}
          {mine && <span class="soft small">{t.t("approval_another")}</span>}
        </div>
      )}
    </li>
  );
}

interface Deciding { approval: Approval; verb: "approve" | "refuse" | "withdraw" }

function DecideDialog({ deciding, onClose }: { deciding: Deciding; onClose(): void }): JSX.Element {
  const { session, t } = useSession();
  const { approval, verb } = deciding;
  return (
    <Dialog title={t.t(`approval_${verb}`)} onClose={onClose}>
      <ReasonForm label={t.t("end_reason")} submit={t.t(`approval_${verb}`)} lines={2} onSubmit={async (reason) => {
        await (verb === "withdraw"
          ? post<Approval>(`/api/approvals/${approval.id}/withdraw`, { reason })
          : post<Approval>(`/api/approvals/${approval.id}/decide`, { approve: verb === "approve", reason }));
        session.say(t.t(`approval_said_${verb}`));
        changed("all");
        onClose();
      }}>
        <p><strong>{approvalTitle(t, approval)}</strong>{approval.person_name && ` · ${approval.person_name}`}</p>
        {verb === "approve" && <p class="soft">{t.t("approval_at_once")}</p>}
      </ReasonForm>
    </Dialog>
  );
}

export function ApprovalsPage({ state }: { state: "open" | "closed" }): JSX.Element {
  const { t } = useSession();
  const load = useLoad<{ approvals: Approval[]; next: number | null }>(`/api/approvals?state=${state}`, ["today"]);
  const [deciding, setDeciding] = useState<Deciding | null>(null);
  useRowKeys();
  return (
    <Page title={t.t("nav_approvals")} under={t.t("approvals_under")}>
      <Tabs>
        <a class="tab-inline" href="#/approvals" aria-current={state === "open" ? "page" : undefined}>{t.t("approvals_open")}</a>
        <a class="tab-inline" href="#/approvals?state=closed" aria-current={state === "closed" ? "page" : undefined}>{t.t("approvals_closed")}</a>
      </Tabs>
      <Loaded load={load}>
        {(data) => (
          <>
            <ul class="cards plain-list">{data.approvals.map((approval) => <Row key={approval.id} approval={approval} open={setDeciding} />)}</ul>
            {!data.approvals.length && <Empty icon="check" title={t.t(state === "open" ? "approvals_none" : "approvals_none_closed")} />}
          </>
        )}
      </Loaded>
      {deciding && <DecideDialog deciding={deciding} onClose={() => setDeciding(null)} />}
    </Page>
  );
}

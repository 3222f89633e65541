// One check-in with all its evidence: what was tried, what the person's device and our own side did, who decided what.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { post } from "../api/http";
import type { Checkin, Conclusion, EvidenceFact } from "../api/types";
import type { ConsoleTexts } from "../text/console";
import { Icon } from "../ui/icons";
import { deviceWords } from "./account";
import { changed, useLoad } from "./load";
import { Card, Chip, Loaded, Page, TableBox, useSession } from "./parts";
import { PersonAside } from "./person_aside";
import { ConcludeDialog } from "./incidents";
import { Playback } from "./playback";
import { OutcomeForm } from "./call";
import { checkinFact, checkinNext, DECIDED, OUTCOME_MARK, outcomeMissing, outcomeWords } from "./words";

export function OutcomeBadge({ checkin }: { checkin: Checkin }): JSX.Element {
  const { view, t } = useSession();
  if (!checkin.outcome) return <Chip tone="info">{checkinFact(t, view.clock, checkin)}</Chip>;
  const mark = OUTCOME_MARK[checkin.outcome];
  return <Chip tone={mark.tone} icon={mark.icon}>{outcomeWords(t, checkin.outcome)}</Chip>;
}

// Nothing where the person has no phone of their own here.
export function DeviceChip({ device }: { device: Checkin["device"] }): JSX.Element | null {
  const { t } = useSession();
  return device ? <Chip tone={device === "own" ? "good" : "warn"} icon={device === "own" ? "check" : "phone"}>{t.t(device === "own" ? "device_own" : "device_other")}</Chip> : null;
}

function Attempts({ checkin }: { checkin: Checkin }): JSX.Element {
  const { view, t } = useSession();
  return (
    <TableBox label={t.t("attempts_title")}>
      <thead><tr><th scope="col">{t.t("attempt")}</th><th scope="col">{t.t("attempt_at")}</th><th scope="col">{t.t("attempt_accepted")}</th><th scope="col">{t.t("attempt_delivered")}</th><th scope="col">{t.t("attempt_opened")}</th></tr></thead>
      <tbody>
        {checkin.attempts_made.map((attempt) => (
          <tr key={attempt.number}>
            <th scope="row">{attempt.number}</th>
            {[attempt.at, attempt.accepted, attempt.delivered, attempt.opened].map((at, index) => <td key={index}>{at ? view.clock.seconds(at) : t.t("no_time")}</td>)}
          </tr>
        ))}
      </tbody>
    </TableBox>
  );
}

// What came with a fact: a channel, a browser, why; nothing where it says the same once more.
function detailWords(t: ConsoleTexts, { fact, detail }: EvidenceFact): string {
  if (!detail || (fact === "permission_denied" && detail === "denied")) return "";
  if (fact === "joined") return deviceWords(detail);
  return t.maybe("channel_" + detail) || t.maybe("detail_" + detail) || detail;
}

function Evidence({ checkin }: { checkin: Checkin }): JSX.Element {
  const { view, t } = useSession();
  if (!checkin.evidence.length) return <p class="soft">{t.t("evidence_none")}</p>;
  return (
    <ol class="facts">
      {checkin.evidence.map((fact, index) => (
        <li key={index}><span class="tabular">{view.clock.seconds(fact.at)}</span><span>{t.maybe("fact_" + fact.fact) || fact.fact.replace(/_/g, " ")}{detailWords(t, fact) && <span class="soft"> · {detailWords(t, fact)}</span>}</span></li>
      ))}
    </ol>
  );
}

function Answerable({ checkin }: { checkin: Checkin }): JSX.Element {
  const { view, t } = useSession();
  const enough = checkin.answerable_s >= checkin.answerable_needed_s;
  return (
    <>
      <p>{t.t(enough ? "answerable_enough" : "answerable_little", { have: view.clock.length(checkin.answerable_s * 1000), need: view.clock.length(checkin.answerable_needed_s * 1000) })}</p>
      {checkin.health.filter((interval) => !interval.ok).map((interval, index) => (
        <p key={index} class="soft small"><Icon name="info" size={16} /> {view.clock.seconds(interval.from)}–{view.clock.seconds(interval.until)}: {interval.what.split(/[ ,]+/).filter(Boolean).map((what) => t.maybe("health_" + what) || what).join(", ")}</p>
      ))}
    </>
  );
}

export function CheckinPage({ id }: { id: number }): JSX.Element {
  const { session, view, t } = useSession();
  const load = useLoad<Checkin>(`/api/checkins/${id}`, ["today", "incident"]);
  const [concluding, setConcluding] = useState(false);
  const checkin = load.data;
  return (
    <Page title={checkin ? checkin.person_name : t.t("checkin")} back="#/today" under={checkin ? t.t("checkin_under", { kind: t.maybe("kind_" + checkin.kind) || checkin.kind, span: view.clock.span(checkin.window.start, checkin.window.end) }) : null}
      aside={checkin ? <PersonAside id={checkin.person_id} /> : undefined}>
      <Loaded load={load}>
        {(data) => {
          const next = checkinNext(t, view.clock, data);
          const needsForm = !!view.me && outcomeMissing(data, view.me.id);
          return (
            <div class="stack">
              <div class="incident-head"><OutcomeBadge checkin={data} /><DeviceChip device={data.device} />{data.decided && <span class="soft small">{view.clock.momentAge(data.decided)}</span>}</div>
              {next && <p class="lead">{next}</p>}
              {data.declined_reason && <p class="quote prewrap">{data.declined_reason}</p>}
              {data.incident_id && <p><a class="button" href={"#/incidents/" + data.incident_id}><Icon name="bell" size={20} />{t.t("to_incident")}</a></p>}
              {data.state === "awaiting_review" && session.conducts && <p><a class="button primary" href={"#/reviews/" + data.id}><Icon name="eye" size={20} />{t.t("review")}</a></p>}
              {needsForm && <Card title={t.t("outcome_legend")}><OutcomeForm checkin={data.id} behaviours={[]} onDone={() => { load.again(); changed("today"); }} /></Card>}
              {data.recordings.length > 0 && session.manages && <Card title={t.t("recording_title")} icon="play"><Playback checkin={data} atOnce={false} /></Card>}
              {data.form && (
                <Card title={t.t("form_title")} icon="edit">
                  <p><strong>{t.t(`result_${data.form.result}`)}</strong>{data.form.identity_confirmed && ` · ${t.t("outcome_identity")}`}</p>
                  {data.form.behaviours.length > 0 && <p>{data.form.behaviours.map((code) => t.maybe("behaviour_" + code) || code).join(", ")}</p>}
                  {data.form.note && <p class="prewrap quote">{data.form.note}</p>}
                </Card>
              )}
              {data.review && (
                <Card title={t.t("review_title")} icon="eye">
                  <p><strong>{t.t(DECIDED[data.review.decision])}</strong> <span class="soft small">{data.review.by}, {view.clock.momentAge(data.review.at)}</span></p>
                  {data.review.note && <p class="prewrap quote">{data.review.note}</p>}
                </Card>
              )}
              {data.attempts_made.length > 0 && <Card title={t.t("attempts_title")} icon="phone"><Attempts checkin={data} /></Card>}
              <Card title={t.t("evidence_title")} icon="log"><Evidence checkin={data} /></Card>
              <Card title={t.t("answerable_title")} icon="shield"><Answerable checkin={data} /></Card>
              {data.notices.length > 0 && (
                <Card title={t.t("notices_title")} icon="send">
                  <TableBox label={t.t("notices_title")}>
                    <thead><tr><th scope="col">{t.t("notice_at")}</th><th scope="col">{t.t("notice_channel")}</th><th scope="col">{t.t("notice_to")}</th><th scope="col">{t.t("notice_state")}</th></tr></thead>
                    <tbody>{data.notices.map((notice) => <tr key={notice.id}><td>{view.clock.seconds(notice.at)}</td><td>{t.maybe("channel_" + notice.channel)}</td><td>{notice.to}</td><td>{t.maybe("notice_" + notice.state)}{notice.failed && <span class="soft"> · {notice.failed}</span>}</td></tr>)}</tbody>
                  </TableBox>
                </Card>
              )}
              {data.concerns.length > 0 && (
                <details class="card"><summary>{t.t("concerns_title", { n: data.concerns.length })}</summary>
                  {data.concerns.map((concern, index) => <div key={index}><p class="prewrap quote">{concern.text}</p><p class="soft small">{concern.by}, {view.clock.momentAge(concern.at)}</p></div>)}
                </details>
              )}
              {data.conclusion ? (
                <div class="note good"><Icon name="seal" /><div><strong>{t.maybe("conclusion_" + data.conclusion.conclusion)}</strong><p>{data.conclusion.reason}</p><p class="soft small">{data.conclusion.by}, {view.clock.momentAge(data.conclusion.at)}</p></div></div>
              ) : data.state === "done" && data.outcome !== "completed" && (
                <p><button type="button" class="button" onClick={() => setConcluding(true)}><Icon name="seal" size={20} />{t.t("incident_conclude")}</button></p>
              )}
            </div>
          );
        }}
      </Loaded>
      {concluding && <ConcludeDialog draft={`checkin.${id}.conclude`} onClose={() => setConcluding(false)} onSend={async (conclusion: Conclusion, reason) => {
        load.put(await post<Checkin>(`/api/checkins/${id}/conclusion`, { conclusion, reason }));
        setConcluding(false);
      }} />}
    </Page>
  );
}

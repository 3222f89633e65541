// Is it working, is it fair, is it true: four figures with their trend, then the exceptions.
import type { JSX } from "preact";
import type { Figures, IncidentRow, Today } from "../api/types";
import { Icon } from "../ui/icons";
import { useLoad } from "./load";
import { Card, Empty, Loaded, Page, useSession } from "./parts";
import { IncidentListRow } from "./incidents";
import { CheckinListRow } from "./today";

const WEEKS = 12;

function Trend({ values, label }: { values: readonly (number | null)[]; label: string }): JSX.Element | null {
  const known = values.filter((value): value is number => value !== null);
  if (known.length < 2) return null;
  const most = Math.max(...known);
  const least = Math.min(...known, 0);
  const y = (value: number): number => 36 - ((value - least) / (most - least || 1)) * 32;
  const x = (index: number): number => 4 + (index / Math.max(1, values.length - 1)) * 152;
  const points = values.map((value, index) => (value === null ? null : `${x(index).toFixed(1)},${y(value).toFixed(1)}`)).filter(Boolean);
  const last = values[values.length - 1];
  return (
    <svg class="trend" viewBox="0 0 160 40" role="img" aria-label={label}>
      <path class="trend-base" d="M4 36.500h152" />
      <polyline class="trend-line" points={points.join(" ")} />
      {last !== null && last !== undefined && <circle class="trend-dot" cx={x(values.length - 1)} cy={y(last)} r="3.500" />}
    </svg>
  );
}

function Figure(props: { title: string; value: string; under: string; trend: readonly (number | null)[]; weeks: Figures["weeks"]; show(value: number | null): string; href: string }): JSX.Element {
  const { view, t } = useSession();
  return (
    <section class="figure">
      <h2>{props.title}</h2>
      <p class="figure-value"><a href={props.href}>{props.value}</a></p>
      <p class="soft small">{props.under}</p>
      <Trend values={props.trend} label={t.t("trend_label", { title: props.title, n: props.trend.length })} />
      <details>
        <summary>{t.t("figure_table")}</summary>
        <table class="table"><thead><tr><th scope="col">{t.t("week")}</th><th scope="col">{props.title}</th></tr></thead>
          <tbody>{props.weeks.map((week, index) => <tr key={week.week}><th scope="row">{view.clock.dateNumeric(week.week)}</th><td>{props.show(props.trend[index] ?? null)}</td></tr>)}</tbody></table>
      </details>
    </section>
  );
}

function FigureCards({ figures }: { figures: Figures }): JSX.Element {
  const { view, t } = useSession();
  const weeks = figures.weeks.slice().sort((a, b) => a.week.localeCompare(b.week));
  const percent = (value: number | null): string => (value === null ? t.t("no_figure") : `${Math.round(value * 100)} %`);
  const length = (value: number | null): string => (value === null ? t.t("no_figure") : view.clock.length(value * 1000));
  const count = (value: number | null): string => (value === null ? t.t("no_figure") : String(value));
  const { now } = figures;
  return (
    <div class="figures">
      <Figure title={t.t("figure_on_time")} value={percent(now.on_time_ratio)} under={t.t("figure_on_time_under")} trend={weeks.map((week) => (week.total ? week.on_time / week.total : null))} weeks={weeks} show={percent} href="#/today" />
      <Figure title={t.t("figure_ack")} value={length(now.ack_median_s)} under={t.t("figure_ack_under")} trend={weeks.map((week) => week.ack_median_s)} weeks={weeks} show={length} href="#/incidents?state=closed" />
      <Figure title={t.t("figure_faults")} value={count(now.system_faults)} under={t.t("figure_faults_under")} trend={weeks.map((week) => week.system_faults)} weeks={weeks} show={count} href="#/system" />
      <Figure title={t.t("figure_reviews")} value={count(now.reviews_overdue)} under={t.t("figure_reviews_under")} trend={weeks.map((week) => week.reviews_overdue)} weeks={weeks} show={count} href="#/reviews" />
    </div>
  );
}

export function OverviewPage(): JSX.Element {
  const { view, t } = useSession();
  const figures = useLoad<Figures>(`/api/figures?weeks=${WEEKS}`, []);
  const today = useLoad<Today>("/api/today", ["today"]);
  const incidents = useLoad<{ incidents: IncidentRow[] }>("/api/incidents?state=open", ["incident"]);
  const overdue = (today.data ? today.data.reviews : []).filter((row) => row.review_deadline && Date.parse(row.review_deadline) < view.clock.now());
  const ours = (today.data ? today.data.done : []).filter((row) => row.outcome === "system_fault" || row.outcome === "unstaffed");
  const untaken = (incidents.data ? incidents.data.incidents : []).filter((row) => row.state === "open");
  return (
    <Page title={t.t("nav_overview")} wide under={view.me && view.me.unit ? view.me.unit.name : null}>
      <Loaded load={figures} rows={2}>{(data) => <FigureCards figures={data} />}</Loaded>
      <section class="group">
        <h2 class="group-title">{t.t("exceptions_title")}</h2>
        <Loaded load={today} rows={3}>
          {() => (
            <div class="cards">
              {untaken.length > 0 && <Card title={t.t("exceptions_untaken")} icon="bell"><div class="rows">{untaken.map((row) => <IncidentListRow key={row.id} row={row} />)}</div></Card>}
              {overdue.length > 0 && <Card title={t.t("exceptions_overdue")} icon="eye"><div class="rows">{overdue.map((row) => <CheckinListRow key={row.id} row={row} />)}</div></Card>}
              {ours.length > 0 && <Card title={t.t("exceptions_ours")} icon="settings"><div class="rows">{ours.map((row) => <CheckinListRow key={row.id} row={row} />)}</div></Card>}
              {!untaken.length && !overdue.length && !ours.length && <Empty icon="check" title={t.t("exceptions_none")} text={t.t("exceptions_none_text")} />}
            </div>
          )}
        </Loaded>
      </section>
      <p><a class="button" href="#/log"><Icon name="log" size={20} />{t.t("to_log")}</a></p>
    </Page>
  );
}

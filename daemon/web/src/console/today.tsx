// Who needs me now: the waiting person on top, then the day as a time line.
import type { JSX } from "preact";
import { useMemo, useState } from "preact/hooks";
import type { CheckinRow, Today } from "../api/types";
import { Icon, type IconName } from "../ui/icons";
import { useTick } from "../ui/store";
import { type SteadyRow, useLoad, useSteady } from "./load";
import { BandMark, Chip, Empty, Loaded, NewRows, Page, roomBeside, useRowKeys, useSession } from "./parts";
import { PersonAside } from "./person_aside";
import { go } from "./router";
import { IncidentListRow } from "./incidents";
import { answer } from "./shell";
import { checkinAt, checkinFact, checkinNext, OUTCOME_MARK, outcomeMissing, waitsForInspector } from "./words";

type Group = "waiting" | "ringing" | "connected" | "reviews" | "due" | "done";
interface Entry { group: Group; row: CheckinRow }

const NOW_GROUPS: readonly Group[] = ["ringing", "connected", "reviews"];

function entriesOf(today: Today): Entry[] {
  const entries: Entry[] = [];
  const seen = new Set<number>();
  for (const group of ["waiting", "connected", "ringing", "reviews", "due", "done"] as const) {
    for (const row of today[group]) {
      if (seen.has(row.id)) continue;
      seen.add(row.id);
      entries.push({ group, row });
    }
  }
  return entries;
}

// `dated`: among check-ins of one person, where the day says more than the name.
export function CheckinListRow({ row, gone, onSelect, selected, dated }: { row: CheckinRow; gone?: boolean; onSelect?(row: CheckinRow): void; selected?: boolean; dated?: boolean }): JSX.Element {
  const { session, view, t } = useSession();
  const waits = session.conducts && waitsForInspector(row);
  const missing = !!view.me && outcomeMissing(row, view.me.id);
  const review = session.conducts && row.state === "awaiting_review";
  const mark = row.outcome ? OUTCOME_MARK[row.outcome] : null;
  const next = checkinNext(t, view.clock, row);
  const open = (): void => go(review ? "reviews/" + row.id : "checkins/" + row.id);
  return (
    <div class={"row" + (waits || missing ? " urgent-row" : "") + (gone ? " gone" : "") + (selected ? " selected" : "")}>
      <a class="row-main" data-row href={review ? "#/reviews/" + row.id : "#/checkins/" + row.id}
        onClick={(event) => {
          if (!onSelect || !roomBeside() || event.ctrlKey || event.metaKey) return;
          event.preventDefault();
          onSelect(row);
        }}
        onKeyDown={(event) => event.key === "Enter" && open()}>
        <span class="row-time">{view.clock.time(checkinAt(row))}</span>
        <span class="row-text">
          <span class="row-title">{dated ? <strong>{view.clock.dayNear(checkinAt(row))}</strong> : <><strong>{row.person_name}</strong><BandMark band={row.band} /></>}{row.kind === "unattended" && <Chip tone="quiet" icon="camera">{t.t("kind_unattended")}</Chip>}{row.kind === "inbound" && <Chip tone="info" icon="phone">{t.t("kind_inbound")}</Chip>}</span>
          <span class="row-fact">{mark && <Chip tone={mark.tone} icon={mark.icon}>{checkinFact(t, view.clock, row)}</Chip>}{!mark && checkinFact(t, view.clock, row)}</span>
          {next && <span class="row-next">{next}</span>}
        </span>
      </a>
      {waits && !gone && <button type="button" class="button primary" onClick={() => answer(session, row)}><Icon name="phone" size={20} />{t.t("answer")}</button>}
      {missing && !gone && <a class="button primary" href={"#/checkins/" + row.id}><Icon name="edit" size={20} />{t.t("outcome_write")}</a>}
      {review && !gone && <a class="button" href={"#/reviews/" + row.id}><Icon name="eye" size={20} />{t.t("review")}</a>}
    </div>
  );
}

// The day from the first to the last thing in it, with where we are now. The list below says the same in words.
function DayLine({ rows, day }: { rows: readonly CheckinRow[]; day: string }): JSX.Element | null {
  const { view, t } = useSession();
  if (!rows.length) return null;
  const minutes = rows.map((row) => view.clock.minuteOfDay(checkinAt(row)));
  const now = view.clock.minuteOfDay(new Date(view.clock.now()).toISOString());
  const from = Math.max(0, Math.floor(Math.min(now, ...minutes) / 60 - 1) * 60);
  const until = Math.min(1440, Math.ceil(Math.max(now, ...minutes) / 60 + 1) * 60);
  const x = (minute: number): number => ((minute - from) / (until - from)) * 1000;
  const step = until - from > 720 ? 180 : until - from > 300 ? 120 : 60;
  const hours: number[] = [];
  for (let minute = Math.ceil(from / step) * step; minute <= until; minute += step) hours.push(minute);
  return (
    <figure class="day-line">
      <svg viewBox="0 0 1000 64" role="img" aria-label={t.t("day_line_label", { day: view.clock.date(day), n: rows.length })} preserveAspectRatio="none">
        <rect class="day-past" x="0" y="12" width={Math.max(0, x(now))} height="24" rx="4" />
        <rect class="day-ahead" x={x(now)} y="12" width={Math.max(0, 1000 - x(now))} height="24" rx="4" />
        {hours.map((minute) => <rect key={minute} class="day-hour" x={x(minute) - 0.5} y="12" width="1" height="24" />)}
        {rows.map((row, index) => {
          const tone = row.outcome ? OUTCOME_MARK[row.outcome].tone : row.waiting_since ? "accent" : row.state === "awaiting_review" ? "info" : "open";
          return <rect key={row.id} class={"day-mark " + tone} x={x(minutes[index]!) - 4} y={tone === "good" || tone === "open" ? 15 : 10} width="8" height={tone === "good" || tone === "open" ? 18 : 28} rx="3" />;
        })}
        <rect class="day-now" x={x(now) - 1.5} y="4" width="3" height="40" rx="1.5" />
      </svg>
      <div class="day-hours" aria-hidden="true">
        {hours.map((minute) => <span key={minute} style={{ left: `${x(minute) / 10}%` }}>{`${minute / 60}`.padStart(2, "0")}</span>)}
      </div>
    </figure>
  );
}

function Counts({ counts }: { counts: Today["counts"] }): JSX.Element {
  const { session, t } = useSession();
  const shown: { key: "waiting" | "ringing" | "due" | "reviews" | "incidents" | "unread"; icon: IconName; href?: string }[] = [
    { key: "waiting", icon: "person" }, { key: "ringing", icon: "phone" }, { key: "due", icon: "calendar" },
    { key: "reviews", icon: "eye", href: session.conducts ? "#/reviews" : undefined }, { key: "incidents", icon: "bell", href: "#/incidents" }, { key: "unread", icon: "message", href: session.conducts ? "#/persons?unread=1" : undefined },
  ];
  return (
    <ul class="counts">
      {shown.map(({ key, icon, href }) => {
        const body = <><Icon name={icon} size={20} /><strong>{counts[key]}</strong><span>{t.t(`count_${key}`)}</span></>;
        return <li key={key} class={counts[key] ? "" : "none"}>{href ? <a href={href}>{body}</a> : <div>{body}</div>}</li>;
      })}
    </ul>
  );
}

function Rows({ entries, onSelect, selected }: { entries: readonly SteadyRow<Entry>[]; onSelect(row: CheckinRow): void; selected: number | null }): JSX.Element {
  return (
    <div class="rows">
      {entries.map((entry) => <CheckinListRow key={entry.row.row.id} row={entry.row.row} gone={entry.gone} onSelect={onSelect} selected={selected === entry.row.row.person_id} />)}
    </div>
  );
}

export function TodayPage(): JSX.Element {
  const { view, t } = useSession();
  const load = useLoad<Today>("/api/today", ["today", "incident"]);
  const [person, setPerson] = useState<number | null>(null);
  useTick(5000);
  useRowKeys();
  const entries = useMemo(() => (load.data ? entriesOf(load.data) : null), [load.data]);
  const list = useSteady(entries, (entry) => entry.row.id);
  const waiting = list.shown.filter((entry) => entry.row.group === "waiting");
  const now = list.shown.filter((entry) => NOW_GROUPS.indexOf(entry.row.group) >= 0);
  const ahead = list.shown.filter((entry) => entry.row.group === "due").sort((a, b) => checkinAt(a.row.row).localeCompare(checkinAt(b.row.row)));
  const done = list.shown.filter((entry) => entry.row.group === "done");
  const select = (row: CheckinRow): void => setPerson(row.person_id);
  return (
    <Page title={t.t("today_title")} under={load.data ? `${view.clock.weekday(load.data.server_time)}, ${view.clock.day(load.data.server_time)}` : null}
      aside={person !== null ? <PersonAside key={person} id={person} onClose={() => setPerson(null)} /> : undefined}>
      <Loaded load={load} rows={6}>
        {(today) => (
          <div ref={list.list} class="stack">
            <NewRows waiting={list.waiting} onShow={list.letIn} />
            <Counts counts={today.counts} />
            <section class="group">
              <h2 class="group-title">{t.t("today_now")}</h2>
              {waiting.length > 0 && <Rows entries={waiting} onSelect={select} selected={person} />}
              {today.incidents.filter((incident) => incident.state === "open").map((incident) => <IncidentListRow key={incident.id} row={incident} />)}
              {now.length > 0 && <Rows entries={now} onSelect={select} selected={person} />}
              {now.length === 0 && waiting.length === 0 && !today.incidents.some((incident) => incident.state === "open") && (
                <p class="calm"><Icon name="check" />{ahead[0] ? t.t("today_calm_until", { time: view.clock.moment(checkinAt(ahead[0].row.row)) }) : t.t("today_calm")}</p>
              )}
            </section>
            <section class="group">
              <h2 class="group-title">{t.t("today_day")}</h2>
              <DayLine rows={list.shown.map((entry) => entry.row.row)} day={today.day} />
              {ahead.length > 0 && <><h3 class="group-sub">{t.t("today_ahead")}</h3><Rows entries={ahead} onSelect={select} selected={person} /></>}
              {done.length > 0 && <><h3 class="group-sub">{t.t("today_done")}</h3><Rows entries={done} onSelect={select} selected={person} /></>}
              {!list.shown.length && <Empty icon="today" title={t.t("today_empty")} text={t.t("today_empty_text")} />}
            </section>
          </div>
        )}
      </Loaded>
    </Page>
  );
}

// How the system is: what is wrong first, each with what to do, then what everything is.
import type { ComponentChildren, JSX } from "preact";
import type { Language, System } from "../api/types";
import type { ConsoleTexts } from "../text/console";
import { Icon } from "../ui/icons";
import { useLoad } from "./load";
import { Card, Chip, Loaded, Page, TableBox, useSession } from "./parts";
import type { ConsoleView } from "./session";

// "184 GB"
function size(language: Language, bytes: number): string {
  const giga = bytes >= 1e9;
  const units = language === "en" ? ["MB", "GB"] : ["МБ", "ГБ"];
  const amount = bytes / (giga ? 1e9 : 1e6);
  return `${amount < 10 ? amount.toFixed(1) : Math.round(amount)}\u00a0${units[giga ? 1 : 0]}`;
}

const DISK_NEAR = 3; // times the reserve: not low yet, and no longer plenty
const VERIFIED_OLD_MS = 35 * 24 * 3600_000; // once a month is what the manual asks for

// What is wrong, worst first, each with what to do.
function troublesOf(system: System, view: ConsoleView, t: ConsoleTexts): string[] {
  const disk = system.disk;
  const free = disk.free_bytes === null ? "" : size(view.clock.language, disk.free_bytes);
  const channels = system.channels.filter((channel) => channel.configured && channel.last_error);
  return [
    !system.workers.some((worker) => worker.state === "ready" || worker.state === "running") && t.t("system_no_worker"),
    system.engine_lag_ms > 1000 && t.t("system_lag", { length: view.clock.length(system.engine_lag_ms) }),
    !system.reaches_persons && t.t("system_no_reach"),
    disk.low ? t.t("system_disk_low", { free }) : disk.free_bytes !== null && disk.free_bytes < DISK_NEAR * disk.reserve_bytes && t.t("system_disk_near", { free, reserve: size(view.clock.language, disk.reserve_bytes) }),
    !disk.recordings && t.t("system_recordings_bad"),
    !system.relay.good && t.t("system_relay_bad"),
    system.relay.full && t.t("system_relay_full"),
    !system.clock.synchronised && t.t("system_clock_bad"),
    !system.certificate.good && t.t(Date.parse(system.certificate.until) < view.clock.now() ? "system_certificate_over" : "system_certificate_ends", { at: view.clock.day(system.certificate.until) }),
    ...channels.map((channel) => t.t("system_channel_fails", { channel: t.maybe("channel_" + channel.channel) || channel.channel })),
    system.signer.trouble !== null && t.t("system_unsigned"),
    system.log.verified !== null && !system.log.verified.good && t.t("system_log_broken", { at: view.clock.momentIn(system.log.verified.at) }),
    system.quarantined > 0 && t.t("system_quarantined", { n: system.quarantined }),
  ].filter(Boolean) as string[];
}

// What is not wrong and still to be done.
function adviceOf(system: System, view: ConsoleView, t: ConsoleTexts): string[] {
  const verified = system.log.verified;
  return [
    !system.signer.configured && t.t("system_no_signer"),
    !verified && t.t("system_verify_never"),
    !!verified && view.clock.now() - Date.parse(verified.at) > VERIFIED_OLD_MS && t.t("system_verify"),
  ].filter(Boolean) as string[];
}

function SystemFacts({ system }: { system: System }): JSX.Element {
  const { view, t } = useSession();
  const { disk, log } = system;
  const facts: [string, ComponentChildren][] = [
    [t.t("system_clock"), system.clock.synchronised ? t.t("system_clock_good", { offset: system.clock.offset_ms === null ? "?" : String(Math.round(system.clock.offset_ms)) }) : t.t("system_clock_bad")],
    [t.t("system_certificate"), t.t("system_certificate_until", { at: view.clock.day(system.certificate.until), length: view.clock.age(system.certificate.until) })],
    [t.t("system_disk"), disk.free_bytes === null ? t.t("system_disk_unknown") : t.t("system_disk_free", { free: size(view.clock.language, disk.free_bytes), reserve: size(view.clock.language, disk.reserve_bytes) })],
    [t.t("system_engine"), t.t("system_engine_lag", { n: Math.round(system.engine_lag_ms) })],
    [t.t("system_relay"), t.t(!system.relay.configured ? "system_relay_off" : !system.relay.good ? "system_relay_bad" : system.relay.full ? "system_relay_full" : "system_relay_good")],
    [t.t("nav_log"), t.t("log_size", { n: log.size })],
    [t.t("system_signed"), system.signer.trouble ? t.t("system_unsigned") : t.t(system.signer.configured ? "system_signed_good" : "system_signed_off")],
    [t.t("system_verified"), log.verified ? t.t(log.verified.good ? "system_verified_good" : "system_verified_bad", { at: view.clock.momentAge(log.verified.at) }) : t.t("never")],
  ];
  return (
    <Card title={t.t("system_rest")} icon="settings">
      <dl class="data">
        {facts.map(([name, value]) => <div key={name}><dt>{name}</dt><dd>{value}</dd></div>)}
        <div><dt>{t.t("proof_root")}</dt><dd class="mono break">{log.root}</dd></div>
      </dl>
    </Card>
  );
}

export function SystemPage(): JSX.Element {
  const { view, t } = useSession();
  const load = useLoad<System>("/api/system", ["all"]);
  return (
    <Page title={t.t("nav_system")} under={load.data ? t.t("system_under", { version: load.data.version, since: view.clock.momentAge(load.data.started) }) : null}
      actions={<button type="button" class="button" onClick={load.again}><Icon name="refresh" size={20} />{t.t("refresh")}</button>}>
      <Loaded load={load}>
        {(system) => {
          const troubles = troublesOf(system, view, t);
          const advice = adviceOf(system, view, t);
          return (
            <div class="cards">
              {troubles.length ? troubles.map((trouble) => <p key={trouble} class="note warn"><Icon name="alert" /><span>{trouble}</span></p>) : <p class="calm"><Icon name="check" />{t.t("system_fine")}</p>}
              {advice.map((text) => <p key={text} class="note"><Icon name="info" /><span>{text}</span></p>)}
              <Card title={t.t("system_workers")} icon="camera">
                <TableBox label={t.t("system_workers")}><thead><tr><th scope="col">{t.t("worker")}</th><th scope="col">{t.t("worker_state")}</th><th scope="col">{t.t("worker_legs")}</th><th scope="col">{t.t("worker_restarts")}</th></tr></thead>
                  <tbody>{system.workers.map((worker) => <tr key={worker.index}><th scope="row">{worker.index}</th><td>{t.maybe("worker_" + worker.state) || worker.state}</td><td>{worker.legs}</td><td>{worker.restarts}</td></tr>)}</tbody></TableBox>
              </Card>
              <Card title={t.t("system_channels")} icon="send">
                <ul class="channels">
                  {system.channels.map((channel) => (
                    <li key={channel.channel}>
                      <strong>{t.maybe("channel_" + channel.channel) || channel.channel}</strong>
                      {!channel.configured ? <Chip tone="quiet">{t.t("channel_off")}</Chip> : channel.last_error ? <Chip tone="warn" icon="alert">{channel.last_error}</Chip> : <Chip tone="good" icon="check">{t.t("channel_works")}</Chip>}
                      {channel.configured && <span class="soft">{t.t("channel_facts", { at: channel.last_ok ? view.clock.momentAge(channel.last_ok) : t.t("never"), n: channel.queued })}</span>}
                    </li>
                  ))}
                </ul>
              </Card>
              <SystemFacts system={system} />
            </div>
          );
        }}
      </Loaded>
    </Page>
  );
}

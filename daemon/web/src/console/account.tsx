// One's own account: language, password, second factor, sessions.
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { post } from "../api/http";
import type { Me, SecondFactor, StaffSession } from "../api/types";
import { Icon } from "../ui/icons";
import { useLoad } from "./load";
import { LanguageChoice, PasswordForm } from "./login";
import { PushCard } from "./push_card";
import { ActionFailure, Card, Chip, Dialog, Loaded, Page, TextField, useAction, useSession } from "./parts";

export function CodeField({ value, onChange, fault, hint, focus }: { value: string; onChange(value: string): void; fault?: string | null; hint?: string; focus?: boolean }): JSX.Element {
  const { t } = useSession();
  return <TextField label={t.t("factor_code")} hint={hint} value={value} onChange={onChange} autoComplete="one-time-code" inputMode="numeric" maxLength={7} fault={fault} focus={focus} required />;
}

// A picture of our own server; the content policy takes it as a blob.
function QrPicture({ svg, alt }: { svg: string; alt: string }): JSX.Element | null {
  const [url, setUrl] = useState("");
  useEffect(() => {
    const made = URL.createObjectURL(new Blob([svg], { type: "image/svg+xml" }));
    setUrl(made);
    return () => URL.revokeObjectURL(made);
  }, [svg]);
  return url ? <img class="qr" alt={alt} src={url} /> : null;
}

// Step 1: the picture for the application. Step 2: its code.
export function SecondFactorForm({ replace, onDone }: { replace: boolean; onDone(me: Me): void }): JSX.Element {
  const { t } = useSession();
  const [present, setPresent] = useState("");
  const [code, setCode] = useState("");
  const [factor, setFactor] = useState<SecondFactor | null>(null);
  const action = useAction();
  if (!factor) {
    return (
      <form class="form" onSubmit={(event) => {
        event.preventDefault();
        void action.run(async () => setFactor(await post<SecondFactor>("/api/me/second-factor", replace ? { code: present } : {})));
      }}>
        <p>{t.t("factor_text")}</p>
        {replace && <CodeField value={present} onChange={setPresent} hint={t.t("factor_present")} fault={action.fault("code")} />}
        <ActionFailure action={action} />
        <button type="submit" class="button primary big" disabled={action.busy || (replace && !present.trim())}>{t.t("factor_begin")}</button>
      </form>
    );
  }
  return (
    <form class="form" onSubmit={(event) => {
      event.preventDefault();
      void action.run(async () => onDone(await post<Me>("/api/me/second-factor/confirm", { code })));
    }}>
      <p>{t.t("factor_scan")}</p>
      <QrPicture svg={factor.qr_svg} alt={t.t("factor_qr")} />
      <p class="soft small">{t.t("factor_type")} <span class="mono break">{factor.key.replace(/(.{4})/g, "$1 ").trim()}</span></p>
      <CodeField value={code} onChange={setCode} hint={t.t("factor_code_hint")} fault={action.fault("code")} />
      <ActionFailure action={action} />
      <button type="submit" class="button primary big" disabled={action.busy || !code.trim()}>{t.t("factor_confirm")}</button>
    </form>
  );
}

// Whoever names others beside itself stands before them.
const BROWSERS = [["SamsungBrowser", "Samsung Internet"], ["YaBrowser", "Yandex"], ["OPR/", "Opera"], ["Edg/", "Edge"], ["Firefox/", "Firefox"], ["Chrome/", "Chrome"], ["Safari/", "Safari"]];
const SYSTEMS = [["Android", "Android"], ["iPhone", "iPhone"], ["iPad", "iPad"], ["Windows", "Windows"], ["Mac OS X", "macOS"], ["Linux", "Linux"]];

// "Firefox, Android" out of what a browser calls itself; its beginning where it is none of the known.
export function deviceWords(device: string | null): string {
  if (!device) return "?";
  const known = (list: readonly string[][]): string | undefined => (list.find(([sign]) => device.indexOf(sign!) >= 0) || [])[1];
  const browser = known(BROWSERS);
  const system = known(SYSTEMS);
  return browser ? browser + (system ? ", " + system : "") : device.slice(0, 60);
}

export function SessionList({ path }: { path: string }): JSX.Element {
  const { session, view, t } = useSession();
  const load = useLoad<{ sessions: StaffSession[] }>(path, []);
  const action = useAction();
  const end = (row: StaffSession): void => {
    if (row.current) return void session.logout();
    void action.run(async () => {
      await post(`/api/sessions/${row.id}/end`);
      load.again();
    });
  };
  return (
    <Loaded load={load}>
      {(data) => (
        <div class="rows">
          {data.sessions.map((row) => (
            <div key={row.id} class="row">
              <div class="row-main static">
                <span class="row-text">
                  <span class="row-title"><strong>{deviceWords(row.device)}</strong>{row.current && <Chip tone="good" icon="check">{t.t("session_this")}</Chip>}</span>
                  <span class="row-fact soft">{t.t("session_facts", { peer: row.peer, since: view.clock.moment(row.created), seen: view.clock.momentAge(row.seen) })}</span>
                </span>
              </div>
              <div class="row-buttons"><button type="button" class="button plain" disabled={action.busy} onClick={() => end(row)}>{t.t(row.current ? "logout" : "session_end")}</button></div>
            </div>
          ))}
          {!data.sessions.length && <p class="soft">{t.t("sessions_none")}</p>}
          <ActionFailure action={action} />
        </div>
      )}
    </Loaded>
  );
}

export function Account(): JSX.Element {
  const { session, view, t } = useSession();
  const [dialog, setDialog] = useState<"password" | "factor" | null>(null);
  const me = view.me!;
  const close = (): void => setDialog(null);
  return (
    <Page title={me.name} under={me.roles.map((role) => t.t(`role_${role}`)).join(", ")}>
      <div class="narrow stack">
        <Card title={t.t("language")} icon="language"><LanguageChoice /></Card>
        <PushCard />
        <Card title={t.t("login_password")} icon="shield"><button type="button" class="button" onClick={() => setDialog("password")}>{t.t("password_title")}</button></Card>
        <Card title={t.t("factor_title")} icon="shield">
          <p>{me.second_factor ? <Chip tone="good" icon="check">{t.t("factor_on")}</Chip> : <Chip tone="warn" icon="alert">{t.t("factor_off")}</Chip>}</p>
          <button type="button" class="button" onClick={() => setDialog("factor")}>{t.t(me.second_factor ? "factor_replace" : "factor_set_up")}</button>
        </Card>
        <Card title={t.t("sessions_title")} icon="people"><SessionList path="/api/me/sessions" /></Card>
        <button type="button" class="button big" onClick={() => void session.logout()}><Icon name="leave" />{t.t("logout")}</button>
        <p class="soft small">{t.t("version", { version: me.version })}</p>
      </div>
      {dialog === "password" && <Dialog title={t.t("password_title")} onClose={close}><PasswordForm onDone={close} /></Dialog>}
      {dialog === "factor" && <Dialog title={t.t("factor_title")} onClose={close}><SecondFactorForm replace={me.second_factor} onDone={(now) => { session.enter(now); close(); }} /></Dialog>}
    </Page>
  );
}

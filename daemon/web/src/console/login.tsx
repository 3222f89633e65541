// Before the console: log in, the first administrator, a password of one's own.
import type { ComponentChildren, JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { failureOf, post } from "../api/http";
import type { Me } from "../api/types";
import { LANGUAGE_NAMES, LANGUAGES } from "../text/format";
import { Icon, Logo } from "../ui/icons";
import { CodeField, SecondFactorForm } from "./account";
import { ActionFailure, TextField, useAction, useSession } from "./parts";
import { UnitFields, unitOf, ZONE_FIRST } from "./unit_fields";
import { failureWords } from "./words";

const PASSWORD_LEAST = 12;
const WHOLE_CODE = /^\d{6}$/; // nothing more will be typed

export function LanguageChoice(): JSX.Element {
  const { session, view, t } = useSession();
  return (
    <div class="languages" role="group" aria-label={t.t("language")}>
      {LANGUAGES.map((language) => (
        <button type="button" key={language} lang={language} class="language" aria-pressed={view.language === language} onClick={() => session.choose(language)}>{LANGUAGE_NAMES[language]}</button>
      ))}
    </div>
  );
}

function Gate({ title, text, children }: { title: string; text?: string; children: ComponentChildren }): JSX.Element {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    if (heading.current) heading.current.focus(); // read from here on, by keyboard and by screen reader
  }, [title]);
  return (
    <div class="gate">
      <header class="gate-head"><Logo size={48} /><LanguageChoice /></header>
      <main id="content" class="gate-card">
        <h1 ref={heading} tabIndex={-1}>{title}</h1>
        {text && <p class="soft">{text}</p>}
        {children}
      </main>
    </div>
  );
}

export function Login(): JSX.Element {
  const { session, view, t } = useSession();
  const [login, setLogin] = useState("");
  const [password, setPassword] = useState("");
  const [code, setCode] = useState("");
  const [asked, setAsked] = useState(false); // the password was right, and the account has a second factor
  const action = useAction();
  const submit = (now: string): void => void action.run(async () => {
    try {
      session.enter(await post<Me>("/api/login", { login: login.trim(), password, ...(asked ? { code: now } : {}) }));
    } catch (cause) {
      const failure = failureOf(cause);
      if (failure.field === "code" && !asked) return setAsked(true); // not a fault: the next question
      throw failure;
    }
  });
  const aboutCode = !!action.failure && action.failure.field === "code";
  const wrong = !aboutCode && action.failure && (action.failure.code === "unauthenticated" || action.failure.code === "denied" || action.failure.code === "invalid");
  return (
    <Gate title={t.t("login_title")} text={view.expired ? undefined : t.t("login_text")}>
      {view.expired ? <p class="note" role="status"><Icon name="info" size={20} /><span>{t.t("login_expired")}</span></p>
        : location.hash.length > 2 && <p class="note"><Icon name="forward" size={20} /><span>{t.t("login_then")}</span></p>}
      <form class="form" onSubmit={(event) => {
        event.preventDefault();
        submit(code);
      }}>
        <TextField label={t.t("login_name")} value={login} onChange={setLogin} autoComplete="username" required />
        <TextField label={t.t("login_password")} value={password} onChange={setPassword} type="password" autoComplete="current-password" required />
        {asked && <CodeField focus value={code} onChange={(value) => {
          setCode(value);
          if (WHOLE_CODE.test(value) && !action.busy) submit(value);
        }} hint={t.t("factor_code_hint")} fault={aboutCode && action.failure!.code === "unauthenticated" ? t.t("fault_code") : null} />}
        {wrong ? <p class="fault" role="alert">{t.t("login_wrong")}</p> : !aboutCode || action.failure!.code === "busy" ? <ActionFailure action={action} /> : null}
        <button type="submit" class="button primary big" disabled={action.busy || !login || !password || (asked && !code.trim())}>{t.t("login_submit")}</button>
      </form>
    </Gate>
  );
}

export function FirstSetup(): JSX.Element {
  const { session, view, t } = useSession();
  const [form, setForm] = useState({ token: "", name: "", login: "", password: "" });
  const [unit, setUnit] = useState({ name: "", zone: ZONE_FIRST, phone: "" });
  const action = useAction();
  const set = (change: Partial<typeof form>): void => setForm({ ...form, ...change });
  const short = form.password.length > 0 && form.password.length < PASSWORD_LEAST;
  const complete = Object.values(form).every(Boolean) && !!unit.name.trim() && !short;
  return (
    <Gate title={t.t("setup_title")} text={t.t("setup_text")}>
      <form class="form" onSubmit={(event) => {
        event.preventDefault();
        void action.run(async () => session.enter(await post<Me>("/api/setup", {
          token: form.token.trim(), login: form.login.trim(), name: form.name.trim(), password: form.password, language: view.language,
          unit: unitOf(unit),
        })));
      }}>
        <TextField label={t.t("setup_token")} hint={t.t("setup_token_hint")} value={form.token} onChange={(token) => set({ token })} fault={action.fault("token")} required />
        <UnitFields value={unit} onChange={setUnit} action={action} />
        <TextField label={t.t("staff_name")} value={form.name} onChange={(name) => set({ name })} autoComplete="name" fault={action.fault("name")} required />
        <TextField label={t.t("login_name")} value={form.login} onChange={(login) => set({ login })} autoComplete="username" fault={action.fault("login")} required />
        <TextField label={t.t("login_password")} hint={t.t("password_hint", { n: PASSWORD_LEAST })} value={form.password} onChange={(password) => set({ password })} type="password" autoComplete="new-password"
          fault={short ? t.t("password_short", { n: PASSWORD_LEAST }) : action.fault("password")} required />
        {action.failure && action.failure.code === "denied" ? <p class="fault" role="alert">{t.t("setup_token_wrong")}</p> : <ActionFailure action={action} />}
        <button type="submit" class="button primary big" disabled={action.busy || !complete}>{t.t("setup_submit")}</button>
      </form>
    </Gate>
  );
}

export function PasswordForm({ onDone }: { onDone(): void }): JSX.Element {
  const { t } = useSession();
  const [old, setOld] = useState("");
  const [password, setPassword] = useState("");
  const action = useAction();
  const short = password.length > 0 && password.length < PASSWORD_LEAST;
  return (
    <form class="form" onSubmit={(event) => {
      event.preventDefault();
      void action.run(async () => {
        await post("/api/me/password", { old, new: password });
        onDone();
      });
    }}>
      <TextField label={t.t("password_old")} value={old} onChange={setOld} type="password" autoComplete="current-password" fault={action.fault("old")} required />
      <TextField label={t.t("password_new")} hint={t.t("password_hint", { n: PASSWORD_LEAST })} value={password} onChange={setPassword} type="password" autoComplete="new-password"
        fault={short ? t.t("password_short", { n: PASSWORD_LEAST }) : action.fault("new")} required />
      <ActionFailure action={action} />
      <button type="submit" class="button primary big" disabled={action.busy || short || !old || !password}>{t.t("password_submit")}</button>
    </form>
  );
}

export function MustChangePassword(): JSX.Element {
  const { session, t } = useSession();
  return (
    <Gate title={t.t("password_title")} text={t.t("password_must")}>
      <PasswordForm onDone={() => void session.begin()} />
    </Gate>
  );
}

export function MustSetSecondFactor(): JSX.Element {
  const { session, t } = useSession();
  return (
    <Gate title={t.t("factor_title")} text={t.t("factor_must")}>
      <SecondFactorForm replace={false} onDone={(me) => session.enter(me)} />
      <button type="button" class="button plain" onClick={() => void session.logout()}>{t.t("logout")}</button>
    </Gate>
  );
}

export function Starting(): JSX.Element {
  const { view, t } = useSession();
  return (
    <Gate title={view.failure ? t.t("unreachable_title") : t.t("loading")}>
      {view.failure && <p class="note"><Icon name="offline" size={20} /><span>{failureWords(t, view.failure)}</span></p>}
    </Gate>
  );
}

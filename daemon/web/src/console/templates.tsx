// Texts that the unit keeps ready for messages, in the three languages: a supervisor's.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { post } from "../api/http";
import type { Template } from "../api/types";
import { Icon } from "../ui/icons";
import { useLoad } from "./load";
import { ActionFailure, Card, Dialog, Empty, faultWords, Loaded, TextField, useAction, useSession } from "./parts";

const MAX_TEXT = 1000;

function TemplateForm({ template, onDone }: { template: Template | null; onDone(): void }): JSX.Element {
  const { t } = useSession();
  const [texts, setTexts] = useState({ kk: template ? template.kk : "", ru: template ? template.ru : "", en: template ? template.en : "" });
  const action = useAction();
  const whole = !!(texts.kk.trim() && texts.ru.trim() && texts.en.trim());
  return (
    <form class="form" onSubmit={(event) => {
      event.preventDefault();
      if (whole) void action.run(async () => {
        await post(template ? `/api/templates/${template.id}` : "/api/templates", { kk: texts.kk.trim(), ru: texts.ru.trim(), en: texts.en.trim() });
        onDone();
      });
    }}>
      {(["kk", "ru", "en"] as const).map((language) => (
        <TextField key={language} label={t.t(`templates_${language}`)} value={texts[language]} lines={3} maxLength={MAX_TEXT} fault={faultWords(t, action.failure, language)}
          onChange={(value) => setTexts({ ...texts, [language]: value })} />
      ))}
      <ActionFailure action={action} />
      <button type="submit" class="button primary" disabled={action.busy || !whole}>{t.t("save")}</button>
    </form>
  );
}

export function TemplatesTab(): JSX.Element {
  const { view, t } = useSession();
  const load = useLoad<{ templates: Template[] }>("/api/templates", []);
  const [editing, setEditing] = useState<Template | "new" | null>(null);
  const action = useAction();
  const done = (): void => {
    setEditing(null);
    load.again();
  };
  return (
    <Loaded load={load}>
      {(data) => (
        <Card title={t.t("templates_title")} icon="copy" actions={<button type="button" class="button primary" onClick={() => setEditing("new")}><Icon name="plus" size={20} />{t.t("templates_add")}</button>}>
          <p class="soft">{t.t("templates_text")}</p>
          <ActionFailure action={action} />
          {!data.templates.length && <Empty icon="copy" title={t.t("templates_none")} />}
          <ul class="plain-list">
            {data.templates.map((template) => (
              <li class="plain-row texts" key={template.id}>
                <span>
                  <span class="prewrap">{template[t.language]}</span><br />
                  <span class="soft small">{t.t("templates_by", { by: template.by, at: view.clock.moment(template.changed) })}</span>
                </span>
                <span class="plain-row-actions">
                  <button type="button" class="button" onClick={() => setEditing(template)}>{t.t("edit")}</button>
                  <button type="button" class="button plain" disabled={action.busy} onClick={() => void action.run(async () => {
                    await post(`/api/templates/${template.id}/remove`);
                    load.again();
                  })}>{t.t("templates_remove")}</button>
                </span>
              </li>
            ))}
          </ul>
          {editing && (
            <Dialog title={t.t(editing === "new" ? "templates_add" : "templates_edit")} onClose={() => setEditing(null)}>
              <TemplateForm template={editing === "new" ? null : editing} onDone={done} />
            </Dialog>
          )}
        </Card>
      )}
    </Loaded>
  );
}

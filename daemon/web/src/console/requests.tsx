// What persons ask for in writing: another time, or that a result is wrong.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { post } from "../api/http";
import type { Asking } from "../api/types";
import { Icon } from "../ui/icons";
import { useLoad } from "./load";
import { ActionFailure, Chip, Dialog, Empty, Loaded, Page, TextField, useAction, useSession } from "./parts";

interface List { requests: Asking[] }

function AnswerDialog({ request, onClose, onDone }: { request: Asking; onClose(): void; onDone(list: List): void }): JSX.Element {
  const { t } = useSession();
  const [answer, setAnswer] = useState("");
  const action = useAction();
  const send = (accept: boolean): void => void action.run(async () => onDone(await post<List>(`/api/requests/${request.id}/answer`, { accept, answer: answer.trim() })));
  return (
    <Dialog title={t.t(`request_${request.kind}`)} onClose={onClose}>
      <div class="form">
        <p class="quote prewrap">{request.text}</p>
        <TextField label={t.t("request_answer")} hint={t.t("request_answer_hint")} value={answer} onChange={setAnswer} lines={3} maxLength={1000} fault={action.fault("answer")} required />
        <ActionFailure action={action} />
        <div class="form-row">
          <button type="button" class="button primary" disabled={action.busy || !answer.trim()} onClick={() => send(true)}>{t.t("request_accept")}</button>
          <button type="button" class="button" disabled={action.busy || !answer.trim()} onClick={() => send(false)}>{t.t("request_refuse")}</button>
        </div>
      </div>
    </Dialog>
  );
}

export function RequestsPage(): JSX.Element {
  const { session, view, t } = useSession();
  const load = useLoad<List>("/api/requests", ["today"]);
  const [open, setOpen] = useState<Asking | null>(null);
  return (
    <Page title={t.t("nav_requests")}>
      <Loaded load={load}>
        {(data) => (
          <div class="rows">
            {data.requests.map((request) => (
              <div key={request.id} class={"row" + (request.answered ? " gone" : "")}>
                <div class="row-main static"><span class="row-text">
                  <span class="row-title"><a href={"#/persons/" + request.person_id}><strong>{request.person_name}</strong></a>
                    <Chip tone={request.kind === "dispute" ? "warn" : "info"} icon={request.kind === "dispute" ? "hand" : "calendar"}>{t.t(`request_${request.kind}`)}</Chip></span>
                  <span class="prewrap">{request.text}</span>
                  <span class="row-fact soft">{view.clock.momentAge(request.at)}</span>
                  {request.answered && <span><strong>{t.t(request.accepted ? "request_accepted" : "request_refused")}</strong>: {request.answer} <span class="soft">({request.answered_by}, {view.clock.moment(request.answered)})</span></span>}
                </span></div>
                <div class="row-buttons">
                  {request.checkin_id && <a class="button plain" href={"#/checkins/" + request.checkin_id}><Icon name="log" size={20} />{t.t("checkin")}</a>}
                  {!request.answered && (request.kind === "reschedule" || session.has("supervisor")) && <button type="button" class="button" onClick={() => setOpen(request)}>{t.t("request_answer")}</button>}
                  {!request.answered && request.kind === "dispute" && !session.has("supervisor") && <span class="soft small">{t.t("request_by_supervisor")}</span>}
                </div>
              </div>
            ))}
            {!data.requests.length && <Empty icon="message" title={t.t("requests_none")} />}
          </div>
        )}
      </Loaded>
      {open && <AnswerDialog request={open} onClose={() => setOpen(null)} onDone={(list) => { load.put(list); setOpen(null); }} />}
    </Page>
  );
}

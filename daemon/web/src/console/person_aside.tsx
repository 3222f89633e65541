// The person beside a list or a call: photo, order with its conditions and end, last thirty days. Never the band or a
// concern while a call is on, because the screen may face the person.
import type { JSX } from "preact";
import type { Person } from "../api/types";
import { Icon } from "../ui/icons";
import { useLoad } from "./load";
import { BandMark, ComplianceStrip, Loaded, Portrait, useSession } from "./parts";

export function OrderLines({ person }: { person: Person }): JSX.Element {
  const { view, t } = useSession();
  const running = person.orders.filter((order) => !order.ended);
  if (!running.length) return <p class="soft">{t.t("order_none")}</p>;
  return (
    <ul class="orders">
      {running.map((order) => (
        <li key={order.id}>
          <strong>{t.maybe("order_" + order.kind)}</strong>
          <span class="soft small">{t.t("order_line", { number: order.number, article: order.article })}</span>
          <span class="small">{t.t("order_until", { date: view.clock.date(order.until) })}</span>
          {order.conditions && <p class="conditions">{order.conditions}</p>}
        </li>
      ))}
    </ul>
  );
}

export function PersonAside({ id, onClose, discreet }: { id: number; onClose?(): void; discreet?: boolean }): JSX.Element {
  const { session, t } = useSession();
  const load = useLoad<Person>(`/api/persons/${id}`, ["person"]);
  return (
    <div class="person-aside">
      {onClose && <button type="button" class="button plain icon-only aside-close" aria-label={t.t("close")} onClick={onClose}><Icon name="close" /></button>}
      <Loaded load={load} rows={3}>
        {(person) => (
          <div class="stack">
            <div class="aside-person">
              <Portrait id={person.id} name={person.name} has={person.has_photo} size={88} />
              <div>
                <h2><a href={"#/persons/" + person.id}>{person.name}</a></h2>
                <p class="soft small">{person.reference}</p>
                {!discreet && <BandMark band={person.band} />}
              </div>
            </div>
            {!discreet && (
              <div class="aside-actions">
                {person.phone && <a class="button" href={"tel:" + person.phone}><Icon name="phone" size={20} />{person.phone}</a>}
                {session.conducts && <a class="button" href={`#/persons/${person.id}?tab=messages`}><Icon name="message" size={20} />{t.t("messages")}{person.unread_messages > 0 && <span class="count">{person.unread_messages}</span>}</a>}
              </div>
            )}
            <section><h3>{t.t("order_title")}</h3><OrderLines person={person} /></section>
            <section><h3>{t.t("strip_title")}</h3><ComplianceStrip marks={person.strip} /></section>
            {!discreet && person.note && <section><h3>{t.t("person_note")}</h3><p class="prewrap">{person.note}</p></section>}
          </div>
        )}
      </Loaded>
    </div>
  );
}

#include "daemon/store/notice.h"

#include <errno.h>
#include <string.h>

#include "daemon/store/fields_impl.h"
#include "daemon/store/name_impl.h"
#include "daemon/store/sql_impl.h"
#include "protocol/base/error.h"

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static const struct ck_field machine_fields[] = {
    CK_FIELD_LIST(struct ck_notice, rest, uint8_t),
    CK_FIELD(struct ck_notice, possible_duplicate),
    CK_FIELD(struct ck_notice, moved_on),
    CK_FIELD(struct ck_notice, unwanted),
};

static struct ck_arg text_or_null(const char *text)
{
    return ck_text(text[0] == '\0' ? NULL : text);
}

int ck_notice_exists(struct ck_store *store, const struct ck_notice_row *row, bool *exists)
{
    int64_t count = 0;
    int r = ck_sql_number(
        store,
        row->incident != 0
            ? "SELECT count(*) FROM notice WHERE incident_id = ?1 AND step = ?2 AND fire = ?3 "
              "AND template = ?4 AND coalesce(staff_id, 0) = ?5 AND channel = ?6 AND address = ?7"
            : "SELECT count(*) FROM notice WHERE incident_id IS NULL AND checkin_id = ?1 "
              "AND step = ?2 AND fire = ?3 AND template = ?4 AND coalesce(staff_id, 0) = ?5 "
              "AND channel = ?6 AND address = ?7",
        CK_ARGS(ck_int(row->incident != 0 ? row->incident : row->checkin), ck_int(row->ladder_step),
                ck_int(row->fire), ck_text(ck_template_name(row->template)), ck_int(row->staff),
                ck_text(ck_channel_name(row->step.channel)), ck_text(row->address)),
        &count);
    if (r == 0) {
        *exists = count > 0;
    }
    return r;
}

int ck_notice_insert(struct ck_store *store, struct ck_notice_row *row)
{
    const struct ck_notice *step = &row->step;
    ck_cleanup(ck_freep) char *machine =
        ck_fields_text(machine_fields, COUNT(machine_fields), step);
    if (machine == NULL) {
        return -ENOMEM;
    }
    int64_t id = 0;
    int r = ck_sql_insert(
        store,
        "INSERT INTO notice (reference, checkin_id, incident_id, step, fire, staff_id, person_id, "
        "channel, template, language, address, state, machine, created_at, deadline_at, next_at, "
        "receipts) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, "
        "?17)",
        CK_ARGS(ck_text(row->reference), ck_id(row->checkin), ck_id(row->incident),
                ck_int(row->ladder_step), ck_int(row->fire), ck_id(row->staff), ck_id(row->person),
                ck_text(ck_channel_name(step->channel)), ck_text(ck_template_name(row->template)),
                ck_text(row->language), ck_text(row->address),
                ck_text(ck_notice_state_name(step->state)), ck_text(machine),
                ck_time(step->queued_at), ck_time(step->deadline), ck_time(step->next_at),
                ck_int(step->receipts)),
        &id);
    if (r == 0) {
        row->step.id = id;
        row->fence = 0;
    }
    return r;
}

#define COLUMNS                                                                                    \
    "id, channel, state, tries, created_at, next_at, deadline_at, accepted_at, machine, "          \
    "reference, checkin_id, incident_id, staff_id, person_id, step, fire, template, language, "    \
    "address, fence, delivered_at, read_at, failure, provider_id, receipts"

static int read_row(const struct ck_rows *rows, struct ck_notice_row *row)
{
    struct ck_notice_row read;
    memset(&read, 0, sizeof read);
    struct ck_notice *step = &read.step;
    step->id = ck_row_int(rows, 0);
    step->tries = (uint32_t)ck_row_int(rows, 3);
    step->queued_at = ck_row_time(rows, 4);
    step->next_at = ck_row_time(rows, 5);
    step->deadline = ck_row_time(rows, 6);
    step->accepted_at = ck_row_time(rows, 7);
    if (!CK_NAME_FIND(ck_channel_name, CK_CHANNEL_COUNT, ck_row_text(rows, 1), &step->channel) ||
        !CK_NAME_FIND(ck_notice_state_name, CK_NOTICE_STATE_COUNT, ck_row_text(rows, 2),
                      &step->state) ||
        !CK_NAME_FIND(ck_template_name, CK_TEMPLATE_COUNT, ck_row_text(rows, 16), &read.template)) {
        return -EUCLEAN;
    }
    int r = ck_fields_parse(machine_fields, COUNT(machine_fields), ck_row_text(rows, 8), step);
    if (r != 0) {
        return r;
    }
    read.checkin = ck_row_int(rows, 10);
    read.incident = ck_row_int(rows, 11);
    read.staff = ck_row_int(rows, 12);
    read.person = ck_row_int(rows, 13);
    read.ladder_step = (uint32_t)ck_row_int(rows, 14);
    read.fire = (uint32_t)ck_row_int(rows, 15);
    read.fence = ck_row_int(rows, 19);
    step->receipts = ck_row_int(rows, 24) != 0;
    read.delivered_at = ck_row_time(rows, 20);
    read.read_at = ck_row_time(rows, 21);
    ck_row_copy(rows, 9, read.reference, sizeof read.reference);
    ck_row_copy(rows, 17, read.language, sizeof read.language);
    ck_row_copy(rows, 18, read.address, sizeof read.address);
    ck_row_copy(rows, 22, read.failure, sizeof read.failure);
    ck_row_copy(rows, 23, read.provider_id, sizeof read.provider_id);
    *row = read;
    return 0;
}

int ck_notice_load(struct ck_store *store, int64_t id, struct ck_notice_row *row)
{
    ck_cleanup(ck_rows_close) struct ck_rows rows = CK_ROWS_INIT;
    int r = ck_sql_first(store, &rows, "SELECT " COLUMNS " FROM notice WHERE id = ?1",
                         CK_ARGS(ck_int(id)));
    if (r != 0) {
        return r;
    }
    return read_row(&rows, row);
}

int ck_notice_by_reference(struct ck_store *store, const char *reference, int64_t *id)
{
    return ck_sql_number(store, "SELECT id FROM notice WHERE reference = ?1",
                         CK_ARGS(ck_text(reference)), id);
}

int ck_notice_by_provider_id(struct ck_store *store, const char *channel, const char *provider_id,
                             int64_t *id)
{
    return ck_sql_number(store,
                         "SELECT id FROM notice WHERE provider_id = ?2 AND channel = ?1 "
                         "ORDER BY id DESC LIMIT 1",
                         CK_ARGS(ck_text(channel), ck_text(provider_id)), id);
}

int ck_notice_save(struct ck_store *store, const struct ck_notice_row *row)
{
    const struct ck_notice *step = &row->step;
    ck_cleanup(ck_freep) char *machine =
        ck_fields_text(machine_fields, COUNT(machine_fields), step);
    if (machine == NULL) {
        return -ENOMEM;
    }
    return ck_sql_must(
        store,
        "UPDATE notice SET state = ?3, machine = ?4, tries = ?5, deadline_at = ?6, "
        "accepted_at = ?7, delivered_at = ?8, read_at = ?9, failure = ?10, provider_id = ?11, "
        "next_at = ?12, lease_until = NULL, claims = 0 WHERE id = ?1 AND fence = ?2",
        CK_ARGS(ck_int(step->id), ck_int(row->fence), ck_text(ck_notice_state_name(step->state)),
                ck_text(machine), ck_int(step->tries), ck_time(step->deadline),
                ck_time(step->accepted_at), ck_time(row->delivered_at), ck_time(row->read_at),
                text_or_null(row->failure), text_or_null(row->provider_id), ck_time(step->next_at)),
        CK_E_FENCED);
}

int ck_notice_pending_of(struct ck_store *store, int64_t checkin, int64_t *ids, size_t capacity,
                         size_t *count)
{
    return ck_sql_ids(store,
                      "SELECT id FROM notice WHERE checkin_id = ?1 AND incident_id IS NULL "
                      "AND person_id IS NOT NULL AND (state = 'queued' OR state = 'failed_temp' "
                      "OR state = 'unknown' OR state = 'sending') ORDER BY id",
                      CK_ARGS(ck_int(checkin)), ids, capacity, count);
}

int ck_notice_lost(struct ck_store *store, struct ck_wall now)
{
    return ck_sql_run(store,
                      "UPDATE notice SET next_at = ?1 WHERE state = 'sending' AND next_at > ?1 "
                      "AND quarantined = 0",
                      CK_ARGS(ck_int(now.ms)));
}

int ck_notice_others_alive(struct ck_store *store, const struct ck_notice_row *row, bool *alive)
{
    int64_t count = 0;
    int r = ck_sql_number(store,
                          "SELECT count(*) FROM notice WHERE id <> ?1 AND incident_id = ?2 "
                          "AND fire = ?3 AND channel <> 'webhook' AND state NOT IN ('failed_perm', "
                          "'expired', 'cancelled')",
                          CK_ARGS(ck_int(row->step.id), ck_int(row->incident), ck_int(row->fire)),
                          &count);
    if (r == 0) {
        *alive = count > 0;
    }
    return r;
}

int ck_notice_told(struct ck_store *store, int64_t incident, int64_t staff, bool *told)
{
    int64_t count = 0;
    int r = ck_sql_number(store,
                          "SELECT count(*) FROM (SELECT 1 FROM notice WHERE incident_id = ?1 AND "
                          "staff_id = ?2 LIMIT 1) AS one",
                          CK_ARGS(ck_int(incident), ck_int(staff)), &count);
    if (r == 0) {
        *told = count > 0;
    }
    return r;
}

int ck_notice_reached_at(struct ck_store *store, int64_t checkin, struct ck_wall *at)
{
    int64_t ms = 0;
    int r = ck_sql_number(store,
                          "SELECT min(CASE WHEN receipts = 1 "
                          "THEN coalesce(delivered_at, read_at) ELSE accepted_at END) FROM notice "
                          "WHERE checkin_id = ?1 AND incident_id IS NULL AND person_id IS NOT NULL",
                          CK_ARGS(ck_int(checkin)), &ms);
    if (r == 0) {
        at->ms = ms;
    }
    return r;
}

/* ---- links ---- */

int ck_link_insert(struct ck_store *store, const uint8_t token_hash[CK_SHA256_SIZE],
                   const struct ck_link *link, int64_t notice, struct ck_wall now)
{
    return ck_sql_run(store,
                      "INSERT INTO link (token_hash, person_id, checkin_id, notice_id, "
                      "created_at, expires_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                      CK_ARGS(ck_blob(token_hash, CK_SHA256_SIZE), ck_int(link->person),
                              ck_id(link->checkin), ck_id(notice), ck_time(now),
                              ck_time(link->expires)));
}

int ck_link_load(struct ck_store *store, const uint8_t token_hash[CK_SHA256_SIZE],
                 struct ck_link *link)
{
    ck_cleanup(ck_rows_close) struct ck_rows rows = CK_ROWS_INIT;
    int r = ck_sql_first(store, &rows,
                         "SELECT person_id, checkin_id, expires_at, used_at FROM link "
                         "WHERE token_hash = ?1",
                         CK_ARGS(ck_blob(token_hash, CK_SHA256_SIZE)));
    if (r != 0) {
        return r;
    }
    *link = (struct ck_link){.person = ck_row_int(&rows, 0),
                             .checkin = ck_row_int(&rows, 1),
                             .expires = ck_row_time(&rows, 2),
                             .used = ck_row_time(&rows, 3)};
    return 0;
}

int ck_link_phone(struct ck_store *store, const uint8_t token_hash[CK_SHA256_SIZE], char **phone)
{
    ck_cleanup(ck_rows_close) struct ck_rows rows = CK_ROWS_INIT;
    int r = ck_sql_first(store, &rows,
                         "SELECT unit.phone FROM link JOIN person ON person.id = link.person_id "
                         "JOIN unit ON unit.id = person.unit_id WHERE token_hash = ?1",
                         CK_ARGS(ck_blob(token_hash, CK_SHA256_SIZE)));
    if (r != 0) {
        return r;
    }
    const char *text = ck_row_text(&rows, 0);
    char *copy = text == NULL ? NULL : strdup(text);
    if (text != NULL && copy == NULL) {
        return -ENOMEM;
    }
    *phone = copy;
    return 0;
}

int ck_link_use(struct ck_store *store, const uint8_t token_hash[CK_SHA256_SIZE], const uint8_t *by,
                struct ck_wall now)
{
    return ck_sql_must(
        store,
        "UPDATE link SET used_at = coalesce(used_at, ?2), used_by = ?3 "
        "WHERE token_hash = ?1 AND (used_at IS NULL OR used_by = ?3)",
        CK_ARGS(ck_blob(token_hash, CK_SHA256_SIZE), ck_time(now), ck_blob(by, CK_SHA256_SIZE)),
        CK_E_CONFLICT);
}

int ck_link_session(struct ck_store *store, const uint8_t session_hash[CK_SHA256_SIZE],
                    const struct ck_link *link, const char *peer, const char *device,
                    struct ck_wall now, int64_t *session)
{
    return ck_sql_insert(store,
                         "INSERT INTO session (token_hash, person_id, checkin_id, created_at, "
                         "seen_at, expires_at, peer, device, enrolment, device_id) VALUES (?1, ?2, "
                         "?3, ?4, ?4, ?5, ?6, ?7, ?8, ?9)",
                         CK_ARGS(ck_blob(session_hash, CK_SHA256_SIZE), ck_int(link->person),
                                 ck_id(link->checkin), ck_time(now), ck_time(link->expires),
                                 ck_text(peer), ck_text(device), ck_int(link->enrolment),
                                 ck_id(link->device)),
                         session);
}

int ck_link_sessions(struct ck_store *store, int64_t person, struct ck_wall from, int64_t *count)
{
    return ck_sql_number(store,
                         "SELECT count(*) FROM session WHERE person_id = ?1 AND created_at > ?2",
                         CK_ARGS(ck_int(person), ck_time(from)), count);
}

int ck_link_enrolment(struct ck_store *store, int64_t session, bool *enrolment)
{
    int64_t number = 0;
    int r = ck_sql_number(store, "SELECT enrolment FROM session WHERE id = ?1",
                          CK_ARGS(ck_int(session)), &number);
    if (r == 0) {
        *enrolment = number != 0;
    }
    return r;
}

int ck_link_clean(struct ck_store *store, struct ck_wall until)
{
    return ck_sql_run(store, "DELETE FROM link WHERE expires_at < ?1", CK_ARGS(ck_time(until)));
}

#include "daemon/store/incident.h"

#include <errno.h>
#include <string.h>

#include "daemon/store/fields_impl.h"
#include "daemon/store/name_impl.h"
#include "daemon/store/sql_impl.h"
#include "protocol/base/error.h"

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static const struct ck_field machine_fields[] = {
    CK_FIELD(struct ck_incident, band),
    CK_FIELD(struct ck_incident, mandatory),
    CK_FIELD_UNSIGNED(struct ck_incident, round),
    CK_FIELD_UNSIGNED(struct ck_incident, fired),
    CK_FIELD_UNSIGNED(struct ck_incident, fired_step),
    CK_FIELD_UNSIGNED(struct ck_incident, unanswered),
    CK_FIELD_UNSIGNED(struct ck_incident, lost),
    CK_FIELD(struct ck_incident, fired_at),
    CK_FIELD(struct ck_incident, calm),
    CK_FIELD(struct ck_incident, held_until),
    CK_FIELD(struct ck_incident, by_hand),
    CK_FIELD(struct ck_incident, reached),
    CK_FIELD(struct ck_incident, outcome_final),
    CK_FIELD(struct ck_incident, concluded_by),
    CK_FIELD(struct ck_incident, conclusion),
};

static const char *outcome_text(enum ck_outcome outcome)
{
    return outcome == CK_OUTCOME_OPEN ? NULL : ck_outcome_name(outcome);
}

static const char *next_what(const struct ck_incident *step)
{
    return step->state == CK_INCIDENT_CLOSED         ? NULL
           : step->state == CK_INCIDENT_ACKNOWLEDGED ? "ack_expires"
                                                     : "step";
}

int ck_incident_insert(struct ck_store *store, struct ck_incident_row *row)
{
    const struct ck_incident *step = &row->step;
    ck_cleanup(ck_freep) char *machine =
        ck_fields_text(machine_fields, COUNT(machine_fields), step);
    if (machine == NULL) {
        return -ENOMEM;
    }
    int64_t id = 0;
    int r = ck_sql_insert(
        store,
        "INSERT INTO incident (person_id, unit_id, inspector_id, checkin_id, kind, severity, "
        "outcome, cause, opened_at, state, policy_id, machine, step, steps, next_at, next_what) "
        "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)",
        CK_ARGS(ck_id(step->person), ck_id(row->unit), ck_id(row->inspector), ck_id(step->checkin),
                ck_text(ck_incident_kind_name(step->kind)),
                ck_text(ck_severity_name(step->severity)), ck_text(outcome_text(step->outcome)),
                ck_text(row->cause[0] == '\0' ? NULL : row->cause), ck_time(step->opened_at),
                ck_text(ck_incident_state_name(step->state)), ck_int(row->policy), ck_text(machine),
                ck_int(step->step), ck_int(row->steps), ck_time(step->next_at),
                ck_text(next_what(step))),
        &id);
    if (r == 0) {
        row->step.id = id;
        row->fence = 0;
    }
    return r;
}

#define COLUMNS                                                                                    \
    "id, checkin_id, person_id, kind, severity, outcome, opened_at, state, holder_id, "            \
    "acknowledged_at, closed_at, step, answered_late, next_at, machine, unit_id, inspector_id, "   \
    "policy_id, steps, fence, cause, target_id"

static int read_row(const struct ck_rows *rows, struct ck_incident_row *row)
{
    struct ck_incident_row read;
    memset(&read, 0, sizeof read);
    struct ck_incident *step = &read.step;
    const char *outcome = ck_row_text(rows, 5);
    step->id = ck_row_int(rows, 0);
    step->checkin = ck_row_int(rows, 1);
    step->person = ck_row_int(rows, 2);
    step->opened_at = ck_row_time(rows, 6);
    step->acked_by = ck_row_int(rows, 8);
    step->acked_at = ck_row_time(rows, 9);
    step->closed_at = ck_row_time(rows, 10);
    step->step = (uint32_t)ck_row_int(rows, 11);
    step->answered_late = ck_row_int(rows, 12) != 0;
    step->next_at = ck_row_time(rows, 13);
    if (!CK_NAME_FIND(ck_incident_kind_name, CK_INCIDENT_KIND_COUNT, ck_row_text(rows, 3),
                      &step->kind) ||
        !CK_NAME_FIND(ck_severity_name, CK_SEVERITY_TOP + 1, ck_row_text(rows, 4),
                      &step->severity) ||
        !CK_NAME_FIND(ck_incident_state_name, CK_INCIDENT_STATE_COUNT, ck_row_text(rows, 7),
                      &step->state) ||
        (outcome != NULL &&
         !CK_NAME_FIND(ck_outcome_name, CK_OUTCOME_COUNT, outcome, &step->outcome))) {
        return -EUCLEAN;
    }
    int r = ck_fields_parse(machine_fields, COUNT(machine_fields), ck_row_text(rows, 14), step);
    if (r != 0) {
        return r;
    }
    read.unit = ck_row_int(rows, 15);
    read.inspector = ck_row_int(rows, 16);
    read.policy = ck_row_int(rows, 17);
    read.steps = (uint32_t)ck_row_int(rows, 18);
    read.fence = ck_row_int(rows, 19);
    ck_row_copy(rows, 20, read.cause, sizeof read.cause);
    read.target = ck_row_int(rows, 21);
    *row = read;
    return 0;
}

int ck_incident_load(struct ck_store *store, int64_t id, struct ck_incident_row *row)
{
    ck_cleanup(ck_rows_close) struct ck_rows rows = CK_ROWS_INIT;
    int r = ck_sql_first(store, &rows, "SELECT " COLUMNS " FROM incident WHERE id = ?1",
                         CK_ARGS(ck_int(id)));
    if (r != 0) {
        return r;
    }
    return read_row(&rows, row);
}

int ck_incident_save(struct ck_store *store, const struct ck_incident_row *row)
{
    const struct ck_incident *step = &row->step;
    ck_cleanup(ck_freep) char *machine =
        ck_fields_text(machine_fields, COUNT(machine_fields), step);
    if (machine == NULL) {
        return -ENOMEM;
    }
    return ck_sql_must(
        store,
        "UPDATE incident SET outcome = ?3, state = ?4, holder_id = ?5, acknowledged_at = ?6, "
        "closed_at = ?7, machine = ?8, step = ?9, answered_late = ?10, next_at = ?11, "
        "next_what = ?12, target_id = ?13, severity = ?14, lease_until = NULL, claims = 0 "
        "WHERE id = ?1 AND fence = ?2",
        CK_ARGS(ck_int(step->id), ck_int(row->fence), ck_text(outcome_text(step->outcome)),
                ck_text(ck_incident_state_name(step->state)), ck_id(step->acked_by),
                ck_time(step->acked_at), ck_time(step->closed_at), ck_text(machine),
                ck_int(step->step), ck_int(step->answered_late), ck_time(step->next_at),
                ck_text(next_what(step)), ck_id(row->target),
                ck_text(ck_severity_name(step->severity))),
        CK_E_FENCED);
}

int ck_incident_of_checkin(struct ck_store *store, int64_t checkin, enum ck_incident_kind kind,
                           int64_t *id)
{
    return ck_sql_number(store, "SELECT id FROM incident WHERE checkin_id = ?1 AND kind = ?2",
                         CK_ARGS(ck_int(checkin), ck_text(ck_incident_kind_name(kind))), id);
}

/* By what is due later, which is less than what a unit ever had. */
int ck_incidents_wake(struct ck_store *store, int64_t unit, struct ck_wall now)
{
    return ck_sql_run(store,
                      "UPDATE incident SET next_at = ?2 WHERE next_at > ?2 AND quarantined = 0 AND "
                      "+unit_id = ?1 AND state = 'open' AND json_extract(machine, '$.held_until')",
                      CK_ARGS(ck_int(unit), ck_time(now)));
}

int ck_incident_save_policy(struct ck_store *store, const struct ck_incident_row *row)
{
    return ck_sql_must(store, "UPDATE incident SET policy_id = ?2, steps = ?3 WHERE id = ?1",
                       CK_ARGS(ck_int(row->step.id), ck_int(row->policy), ck_int(row->steps)),
                       CK_E_NOT_FOUND);
}

int ck_incident_open_of(struct ck_store *store, int64_t person, int64_t *ids, size_t capacity,
                        size_t *count)
{
    return ck_sql_ids(store,
                      "SELECT id FROM incident WHERE person_id = ?1 AND state <> 'closed' "
                      "ORDER BY id",
                      CK_ARGS(ck_int(person)), ids, capacity, count);
}

int ck_incident_silence_of(struct ck_store *store, int64_t person, int64_t *id)
{
    return ck_sql_number(store,
                         "SELECT id FROM incident WHERE person_id = ?1 AND kind = 'silence' "
                         "AND state <> 'closed' ORDER BY id LIMIT 1",
                         CK_ARGS(ck_int(person)), id);
}

int ck_due_owner(struct ck_store *store, const struct ck_due *due, int64_t *person, int64_t *unit)
{
    static const char *const sql[CK_DUE_KINDS] = {
        [CK_DUE_CHECKIN] = "SELECT person_id, unit_id FROM checkin WHERE id = ?1",
        [CK_DUE_INCIDENT] = "SELECT person_id, unit_id FROM incident WHERE id = ?1",
        [CK_DUE_NOTICE] = ("SELECT p.id, coalesce(p.unit_id, i.unit_id, c.unit_id) FROM notice n "
                           "LEFT JOIN person p ON p.id = n.person_id "
                           "LEFT JOIN incident i ON i.id = n.incident_id "
                           "LEFT JOIN checkin c ON c.id = n.checkin_id WHERE n.id = ?1"),
        [CK_DUE_PLAN] = ("SELECT p.id, p.unit_id FROM plan l JOIN person p ON p.id = l.person_id "
                         "WHERE l.id = ?1"),
        [CK_DUE_PERSON] = "SELECT id, unit_id FROM person WHERE id = ?1",
        [CK_DUE_PATH] = ("SELECT c.person_id, coalesce(s.unit_id, p.unit_id) FROM contact_path c "
                         "LEFT JOIN staff s ON s.id = c.staff_id "
                         "LEFT JOIN person p ON p.id = c.person_id WHERE c.id = ?1"),
        [CK_DUE_ABSENCE] = ("SELECT NULL, s.unit_id FROM absence a JOIN staff s "
                            "ON s.id = a.staff_id WHERE a.id = ?1"),
        [CK_DUE_ORDER] = ("SELECT p.id, p.unit_id FROM contact_order o JOIN person p "
                          "ON p.id = o.person_id WHERE o.id = ?1"),
        [CK_DUE_ZONE] = "SELECT NULL, unit_id FROM zone_change WHERE id = ?1",
        [CK_DUE_KEY] = "SELECT NULL, NULL FROM draw_key WHERE id = ?1",
        [CK_DUE_EXPIRY] = ("SELECT p.id, p.unit_id FROM expiry e LEFT JOIN person p ON p.id = "
                           "e.person_id WHERE e.id = ?1"),
        [CK_DUE_HOLD] = ("SELECT p.id, p.unit_id FROM hold h JOIN person p ON p.id = h.person_id "
                         "WHERE h.id = ?1"),
    };
    ck_cleanup(ck_rows_close) struct ck_rows rows = CK_ROWS_INIT;
    int r = ck_sql_query(store, &rows, sql[due->kind], CK_ARGS(ck_int(due->id)));
    if (r != 0) {
        return r;
    }
    r = ck_rows_next(&rows);
    if (r < 0) {
        return r;
    }
    *person = r == 1 ? ck_row_int(&rows, 0) : 0;
    *unit = r == 1 ? ck_row_int(&rows, 1) : 0;
    return 0;
}

int ck_incident_of_cause(struct ck_store *store, int64_t unit, const char *cause, int64_t *id)
{
    return ck_sql_number(store,
                         "SELECT id FROM incident WHERE state <> 'closed' AND cause = ?2 "
                         "AND coalesce(unit_id, 0) = ?1 ORDER BY id LIMIT 1",
                         CK_ARGS(ck_int(unit), ck_text(cause)), id);
}

int ck_incident_line(struct ck_store *store, int64_t incident, struct ck_wall at, const char *what,
                     int64_t staff, int64_t notice, const char *text)
{
    return ck_sql_run(store,
                      "INSERT INTO incident_line (incident_id, at, what, staff_id, notice_id, "
                      "text) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                      CK_ARGS(ck_int(incident), ck_time(at), ck_text(what), ck_id(staff),
                              ck_id(notice), ck_text(text)));
}

int ck_incident_line_delay(struct ck_store *store, int64_t incident, struct ck_wall at,
                           int64_t staff, int64_t notice, struct ck_wall until)
{
    char text[CK_WALL_TEXT_SIZE];
    ck_wall_text(until, text);
    int r = ck_sql_must(store,
                        "UPDATE incident_line SET text = ?3 WHERE incident_id = ?1 AND notice_id = "
                        "?2 AND what = 'notice_delayed'",
                        CK_ARGS(ck_int(incident), ck_int(notice), ck_text(text)), CK_E_NOT_FOUND);
    return r == CK_E_NOT_FOUND
               ? ck_incident_line(store, incident, at, "notice_delayed", staff, notice, text)
               : r;
}

int ck_incident_line_confided(struct ck_store *store, int64_t incident, struct ck_wall at,
                              const char *what, int64_t staff, int64_t confidence)
{
    return ck_sql_run(
        store,
        "INSERT INTO incident_line (incident_id, at, what, staff_id, confidence_id) "
        "VALUES (?1, ?2, ?3, ?4, ?5)",
        CK_ARGS(ck_int(incident), ck_time(at), ck_text(what), ck_id(staff), ck_int(confidence)));
}

/* ---- ladders ---- */

static const struct ck_field ladder_fields[] = {
    CK_FIELD_UNSIGNED(struct ck_ladder, step_count), CK_FIELD(struct ck_ladder, ack_hold_ms),
    CK_FIELD(struct ck_ladder, late_answer_calms),   CK_FIELD(struct ck_ladder, calm_interval_ms),
    CK_FIELD(struct ck_ladder, quiet_hours),
};

static const struct ck_field step_fields[] = {
    CK_FIELD_UNSIGNED(struct ck_ladder_step, target_count),
    CK_FIELD_LIST(struct ck_ladder_step, channels, uint8_t),
    CK_FIELD(struct ck_ladder_step, parallel),
    CK_FIELD(struct ck_ladder_step, ack_timeout_ms),
    CK_FIELD_UNSIGNED(struct ck_ladder_step, rounds),
    CK_FIELD(struct ck_ladder_step, min_interval_ms),
};

static const struct ck_field target_fields[] = {
    CK_FIELD(struct ck_target, kind),
    CK_FIELD(struct ck_target, staff),
};

static json_t *step_json(const struct ck_ladder_step *step)
{
    json_t *object = ck_fields_write(step_fields, COUNT(step_fields), step);
    json_t *targets = json_array();
    for (uint32_t i = 0; i < step->target_count; i++) {
        json_array_append_new(
            targets, ck_fields_write(target_fields, COUNT(target_fields), &step->targets[i]));
    }
    json_object_set_new(object, "targets", targets);
    return object;
}

char *ck_ladder_text(const struct ck_ladder *ladder)
{
    ck_cleanup(ck_json_decrefp) json_t *object =
        ck_fields_write(ladder_fields, COUNT(ladder_fields), ladder);
    json_t *steps = json_array();
    for (uint32_t i = 0; i < ladder->step_count; i++) {
        json_array_append_new(steps, step_json(&ladder->steps[i]));
    }
    if (json_object_set_new(object, "steps", steps) != 0) {
        return NULL;
    }
    return json_dumps(object, JSON_COMPACT | JSON_SORT_KEYS);
}

static int step_read(const json_t *object, struct ck_ladder_step *step)
{
    int r = ck_fields_read(step_fields, COUNT(step_fields), object, step);
    const json_t *targets = json_object_get(object, "targets");
    if (r != 0 || step->target_count > CK_STEP_TARGETS_MAX ||
        json_array_size(targets) != step->target_count) {
        return -EUCLEAN;
    }
    for (uint32_t i = 0; r == 0 && i < step->target_count; i++) {
        r = ck_fields_read(target_fields, COUNT(target_fields), json_array_get(targets, i),
                           &step->targets[i]);
    }
    return r;
}

int ck_ladder_parse(const char *text, int64_t id, struct ck_ladder *ladder)
{
    struct ck_ladder parsed;
    memset(&parsed, 0, sizeof parsed);
    ck_cleanup(ck_json_decrefp) json_t *object = text == NULL ? NULL : json_loads(text, 0, NULL);
    int r = ck_fields_read(ladder_fields, COUNT(ladder_fields), object, &parsed);
    const json_t *steps = json_object_get(object, "steps");
    if (r != 0 || parsed.step_count > CK_LADDER_STEPS_MAX ||
        json_array_size(steps) != parsed.step_count) {
        return -EUCLEAN;
    }
    for (uint32_t i = 0; r == 0 && i < parsed.step_count; i++) {
        r = step_read(json_array_get(steps, i), &parsed.steps[i]);
    }
    parsed.id = id;
    if (r != 0 || ck_ladder_fault(&parsed) != NULL) {
        return -EUCLEAN;
    }
    *ladder = parsed;
    return 0;
}

int ck_ladder_in_force(struct ck_store *store, int64_t unit, const char *band, int64_t *policy)
{
    return ck_sql_number(store,
                         "SELECT policy_id FROM ladder WHERE (unit_id = ?1 OR unit_id IS NULL) "
                         "AND (band = ?2 OR band IS NULL) "
                         "ORDER BY unit_id IS NULL, band IS NULL, id DESC LIMIT 1",
                         CK_ARGS(ck_int(unit), ck_text(band)), policy);
}

/* ---- staff ---- */

#define RECIPIENT_COLUMNS "id, roles, unit_id, on_duty, disabled_at, name, email, phone, language"

static void read_recipient(const struct ck_rows *rows, struct ck_recipient *recipient)
{
    *recipient = (struct ck_recipient){
        .id = ck_row_int(rows, 0),
        .roles = (unsigned)ck_row_int(rows, 1),
        .unit = ck_row_int(rows, 2),
        .on_duty = ck_row_int(rows, 3) != 0,
        .disabled = !ck_row_null(rows, 4),
    };
    ck_row_copy(rows, 5, recipient->name, sizeof recipient->name);
    ck_row_copy(rows, 6, recipient->email, sizeof recipient->email);
    ck_row_copy(rows, 7, recipient->phone, sizeof recipient->phone);
    ck_row_copy(rows, 8, recipient->language, sizeof recipient->language);
}

int ck_recipient_load(struct ck_store *store, int64_t staff, struct ck_recipient *recipient)
{
    ck_cleanup(ck_rows_close) struct ck_rows rows = CK_ROWS_INIT;
    int r = ck_sql_first(store, &rows, "SELECT " RECIPIENT_COLUMNS " FROM staff WHERE id = ?1",
                         CK_ARGS(ck_int(staff)));
    if (r != 0) {
        return r;
    }
    read_recipient(&rows, recipient);
    return 0;
}

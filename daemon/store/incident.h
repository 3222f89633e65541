/* Rows of incidents, their ladders and lines, and who is on duty. */
#ifndef DAEMON_STORE_INCIDENT_H
#define DAEMON_STORE_INCIDENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "daemon/store/store.h"
#include "scheduler/incident.h"

struct ck_incident_row {
    struct ck_incident step;
    int64_t unit;      /* 0: a matter of the whole system */
    int64_t inspector; /* 0: none */
    int64_t policy;    /* row of `policy`: the ladder, frozen */
    uint32_t steps;    /* of the ladder */
    int64_t fence;
    char cause[64]; /* of a system matter: short and English; "" */
    int64_t target; /* first member of staff that the last fire reached; 0: none */
};

/* Inserts and sets row->step.id. CK_E_CONFLICT: the check-in has one of this kind. */
int ck_incident_insert(struct ck_store *store, struct ck_incident_row *row);
int ck_incident_load(struct ck_store *store, int64_t id, struct ck_incident_row *row);
/* CK_E_FENCED as ck_checkin_save(). */
int ck_incident_save(struct ck_store *store, const struct ck_incident_row *row);

/* What waits for the end of quiet hours in this unit is due now. */
int ck_incidents_wake(struct ck_store *store, int64_t unit, struct ck_wall now);

/* Another ladder under it: policy and number of steps. */
int ck_incident_save_policy(struct ck_store *store, const struct ck_incident_row *row);

/* The check-in's incident of a kind that is not closed, or of any state; CK_E_NOT_FOUND. */
int ck_incident_of_checkin(struct ck_store *store, int64_t checkin, enum ck_incident_kind kind,
                           int64_t *id);

/* A person's incidents that are not closed. */
int ck_incident_open_of(struct ck_store *store, int64_t person, int64_t *ids, size_t capacity,
                        size_t *count);

/* The person's open incident of silence; CK_E_NOT_FOUND. */
int ck_incident_silence_of(struct ck_store *store, int64_t person, int64_t *id);

/* Whose row is due: 0 where it is nobody's. */
int ck_due_owner(struct ck_store *store, const struct ck_due *due, int64_t *person, int64_t *unit);

/* An open matter of the system with this cause; CK_E_NOT_FOUND. */
int ck_incident_of_cause(struct ck_store *store, int64_t unit, const char *cause, int64_t *id);

/* One line of the incident's history. `staff`, `notice`: 0 none. `text` NULL: none. */
int ck_incident_line(struct ck_store *store, int64_t incident, struct ck_wall at, const char *what,
                     int64_t staff, int64_t notice, const char *text);

/* Until when a limit holds the notice back: one line of each, which says the newest moment, however
 * often a server asks for a second more. Each delay is in the log. */
int ck_incident_line_delay(struct ck_store *store, int64_t incident, struct ck_wall at,
                           int64_t staff, int64_t notice, struct ck_wall until);

/* The same as ck_incident_line() with a text that was confided (confidence.h). */
int ck_incident_line_confided(struct ck_store *store, int64_t incident, struct ck_wall at,
                              const char *what, int64_t staff, int64_t confidence);

/* ---- ladders ---- */

char *ck_ladder_text(const struct ck_ladder *ladder);
/* -EUCLEAN: not a ladder. `id` becomes ladder->id. */
int ck_ladder_parse(const char *text, int64_t id, struct ck_ladder *ladder);

/* The policy row of the ladder in force for a unit and band ("low" … "top"); CK_E_NOT_FOUND: none
 * is set. */
int ck_ladder_in_force(struct ck_store *store, int64_t unit, const char *band, int64_t *policy);

/* ---- staff, as ladders need them ---- */

#define CK_STAFF_TEXT_SIZE 256

struct ck_recipient {
    int64_t id;
    unsigned roles;
    int64_t unit;
    bool on_duty;
    bool disabled;
    char name[CK_STAFF_TEXT_SIZE];
    char email[CK_STAFF_TEXT_SIZE]; /* "": none */
    char phone[32];                 /* "": none */
    char language[4];
};

/* CK_E_NOT_FOUND. */
int ck_recipient_load(struct ck_store *store, int64_t staff, struct ck_recipient *recipient);

#endif

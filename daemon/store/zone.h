/* Rows of zones: by which tables check-ins are placed, and what is to be placed anew after a change
 * of one. */
#ifndef DAEMON_STORE_ZONE_H
#define DAEMON_STORE_ZONE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "daemon/store/checkin.h"
#include "daemon/store/store.h"

#define CK_ZONE_TABLES_MAX 64 /* zones of one agency; more are not looked at */

/* A zone whose check-ins ahead were placed by this version of its table. */
struct ck_zone_table {
    char name[CK_ZONE_NAME_SIZE];
    char version[CK_ZONE_VERSION_SIZE];
};

int ck_zone_tables(struct ck_store *store, struct ck_zone_table tables[static CK_ZONE_TABLES_MAX],
                   size_t *count);
/* Notes a zone that is placed by for the first time; one that is noted stays as it is. */
int ck_zone_table_note(struct ck_store *store, const char *name, const char *version);
int ck_zone_table_set(struct ck_store *store, const char *name, const char *version);

/* What is placed anew: everything in a zone (unit 0), or a unit's dates from one on. */
struct ck_zone_moving {
    int64_t id, unit;
    char zone[CK_ZONE_NAME_SIZE];
    char version[CK_ZONE_VERSION_SIZE];
    struct ck_date from; /* of a unit */
    int64_t person;      /* the persons before this one are done … */
    int64_t checkin;     /* … and of this one's check-ins those up to and with this number */
    int64_t moved, failed;
    int64_t fence;
};

/* Sets change->id; due at once. */
int ck_zone_moving_insert(struct ck_store *store, struct ck_zone_moving *change,
                          struct ck_wall now);
/* CK_E_NOT_FOUND: not there, or done. */
int ck_zone_moving_load(struct ck_store *store, int64_t id, struct ck_zone_moving *change);
/* Person, check-in and figures, under the fence; due again at once, or done where `ended`.
 * CK_E_FENCED. */
int ck_zone_moving_save(struct ck_store *store, const struct ck_zone_moving *change, bool ended,
                        struct ck_wall now);

/* The next person with check-ins that are not over, behind this one. CK_E_NOT_FOUND: no more. */
int ck_zone_moving_person(struct ck_store *store, int64_t after, int64_t *person);
/* Check-ins of change->person that the change is about: not armed, placed by another table; by id
 * and with ids above change->checkin. At most `capacity`. */
int ck_zone_moving_checkins(struct ck_store *store, const struct ck_zone_moving *change,
                            int64_t *ids, size_t capacity, size_t *count);
/* As ck_checkin_neighbours(), without those that the change has still to move. */
int ck_zone_moving_neighbours(struct ck_store *store, const struct ck_zone_moving *change,
                              int64_t but, struct ck_wall from, struct ck_wall until,
                              struct ck_wall *due, size_t capacity, size_t *count);

/* Units in a zone, by id and with ids above `after`: asked again from the last one until it gives
 * fewer than `capacity`. */
int ck_zone_units(struct ck_store *store, const char *zone, int64_t after, int64_t *ids,
                  size_t capacity, size_t *count);

int ck_unit_set_zone(struct ck_store *store, int64_t unit, const char *zone);
/* What a change of the unit's zone would move: its check-ins that have not begun, from a date on,
 * and whose they are. */
int ck_zone_moves(struct ck_store *store, int64_t unit, struct ck_date from, int64_t *checkins,
                  int64_t *persons);

#endif

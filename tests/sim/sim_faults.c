/* What goes wrong, when, and for how long. */
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "tests/sim/sim.h"

const char *fault_name(enum sim_fault fault)
{
    static const char *const names[FAULT_COUNT] = {
        "crash",
        "crash in a turn",
        "power loss",
        "down",
        "probe fails",
        "SMS down",
        "e-mail down",
        "disk full",
        "disk broken",
        "clock forward",
        "clock back",
        "clock lost",
        "worker dies",
        "inspectors away",
        "officers asleep",
        "lease lost",
        "disk stalls",
        "masts down",
        "death between decision and commit",
        "death between commit and act",
        "death with results not taken",
        "zone rules change",
    };
    return names[fault];
}

/* How often a day, in thousandths. */
static const int per_day[FAULT_COUNT] = {
    [FAULT_CRASH] = 6000,        [FAULT_CRASH_IN_TURN] = 6000, [FAULT_POWER] = 3000,
    [FAULT_DOWN] = 900,          [FAULT_PROBE] = 1500,         [FAULT_SMS_DOWN] = 1500,
    [FAULT_EMAIL_DOWN] = 1500,   [FAULT_DISK_FULL] = 1000,     [FAULT_DISK_BROKEN] = 2000,
    [FAULT_CLOCK_FORWARD] = 900, [FAULT_CLOCK_BACK] = 900,     [FAULT_CLOCK_LOST] = 1000,
    [FAULT_WORKER] = 4000,       [FAULT_INSPECTORS] = 1500,    [FAULT_OFFICERS] = 6000,
    [FAULT_LEASE] = 6000,        [FAULT_STALL] = 1500,         [FAULT_MASTS] = 700,
    [FAULT_DECIDED] = 2000,      [FAULT_COMMITTED] = 2000,     [FAULT_GIVEN] = 2000,
    [FAULT_ZONES] = 250,
};

void sim_faults_plan(struct sim *sim)
{
    int64_t length_ms = sim->options.days * SIM_DAY_MS;
    for (int fault = 0; fault < FAULT_COUNT; fault++) {
        int64_t count = (int64_t)per_day[fault] * sim->options.days;
        count = count / 1000 + (sim_below(sim, 1000) < count % 1000);
        /* The draws are the same whatever may happen: a world with fewer faults is otherwise the
         * same as long as possible. */
        for (int64_t i = 0; i < count; i++) {
            int64_t in_ms = sim_below(sim, length_ms / 1000) * 1000;
            if ((sim->options.faults >> fault & 1) != 0) {
                sim_later(sim, in_ms, EVENT_FAULT, fault, 0, 0);
            }
        }
    }
}

/* The daemon is gone and comes back. */
static void restart_in(struct sim *sim, int64_t in_ms)
{
    sim_later(sim, in_ms, EVENT_START, 0, 0, 0);
}

static void crash(struct sim *sim, int64_t down_ms)
{
    sim_check_plans(sim);
    sim_stop_daemon(sim);
    restart_in(sim, down_ms);
}

static struct sim *dying_world;

static void cut_now(void)
{
    fault_vfs_cut();
}

static void stop_writing(void)
{
    dying_world->disk->broken = true;
}

/* Death waits for the writes of the turns to come, and strikes in the middle of one. A dead process
 * writes no more: the disk refuses from there on. Without power even what was written and not yet
 * synced is gone. */
static void die_soon(struct sim *sim, enum sim_fault fault)
{
    int64_t at = sim->disk->writes + sim->disk->syncs + 1 + sim_below(sim, 60);
    dying_world = sim;
    sim->dying = fault;
    sim->disk->crash = fault == FAULT_POWER ? cut_now : stop_writing;
    sim->disk->crash_at = at;
}

/* ---- a disk that stalls ---- */

static struct sim *stalling_world;

static void stall(void)
{
    struct sim *sim = stalling_world;
    if (sim->disk_slow && sim_chance(sim, 30)) {
        sim->stalled_ms += 1000 + sim_below(sim, 20000);
    }
}

/* ---- death at a point of a turn ---- */

void sim_at_point(struct sim *sim, const char *name)
{
    static const char *const points[] = {
        [FAULT_DECIDED] = "decided", [FAULT_COMMITTED] = "committed", [FAULT_GIVEN] = "given"};
    if (strcmp(name, "claimed") == 0) {
        sim_claimed(sim);
    }
    /* A turn of which nothing follows is no test. */
    if (sim->die_at != 0 && sim->dying == 0 && sim->disk_trouble == 0 && sim->queued > 0 &&
        strcmp(name, points[sim->die_at]) == 0) {
        sim->dying = sim->die_at;
        sim->faults[sim->die_at]++;
        sim->die_at = 0;
        sim->disk->broken = true;
    }
}

bool sim_died(struct sim *sim)
{
    bool power = sim->dying == FAULT_POWER && fault_vfs_is_cut();
    bool crash = sim->dying != 0 && sim->dying != FAULT_POWER && sim->disk->broken;
    if (!power && !crash) {
        return false;
    }
    sim->dying = 0;
    sim->disk->crash_at = 0;
    sim_stop_daemon(sim);
    sim->disk->broken = false;
    if (power) {
        fault_vfs_restore();
    }
    restart_in(sim, power ? sim_seconds(sim, 30, 300) : sim_seconds(sim, 1, 20));
    return true;
}

static void note_step(struct sim *sim)
{
    sim->steps_ms[sim->step_count++ % (int)(sizeof(sim->steps_ms) / sizeof(sim->steps_ms[0]))] =
        sim->now_ms;
}

/* ---- a node that is slow, and another one that takes over ---- */

static const char *const due_tables[] = {"checkin", "incident", "notice", "plan", "person"};

/* The row as text, but for the columns of the claim. */
static bool row_content(struct sim *sim, const struct ck_due *row, char *content, size_t size)
{
    static const char *const columns[] = {
        "state || machine || next_at || attempt || ifnull(outcome, '')",
        "state || machine || next_at || step",
        "state || machine || ifnull(next_at, 0) || tries",
        "state || next_at || ifnull(expanded_until, '')",
        "ifnull(next_at, 0) || ifnull(last_contact_at, 0)",
    };
    sqlite3 *db = sim_reader(sim);
    sqlite3_stmt *statement = NULL;
    char sql[256];
    bool found = false;
    if ((size_t)row->kind >= sizeof(columns) / sizeof(columns[0])) {
        return false;
    }
    snprintf(sql, sizeof(sql), "SELECT %s FROM %s WHERE id = %lld", columns[row->kind],
             due_tables[row->kind], (long long)row->id);
    if (db != NULL && sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW && sqlite3_column_text(statement, 0) != NULL) {
        snprintf(content, size, "%s", (const char *)sqlite3_column_text(statement, 0));
        found = true;
    }
    sqlite3_finalize(statement);
    return found;
}

/* Rows that are claimed now. One alone and no command: nothing else in this turn writes it. */
static int64_t claimed_count(struct sim *sim)
{
    static const char sql[] = "SELECT (SELECT count(*) FROM checkin WHERE lease_until IS NOT NULL) "
                              "+ (SELECT count(*) FROM incident WHERE lease_until IS NOT NULL) + "
                              "(SELECT count(*) FROM notice WHERE lease_until IS NOT NULL) + "
                              "(SELECT count(*) FROM plan WHERE lease_until IS NOT NULL) + "
                              "(SELECT count(*) FROM person WHERE lease_until IS NOT NULL)";
    sqlite3_stmt *statement = sim_ask(sim, sql);
    int64_t count = sqlite3_step(statement) == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : 0;
    sqlite3_reset(statement);
    return count;
}

/* The daemon has claimed rows and then sleeps for longer than its lease; another node claims one of
 * them. */
void sim_claimed(struct sim *sim)
{
    struct sim_theft *theft = &sim->theft;
    struct ck_store *other = NULL;
    size_t count = 0;
    int64_t wall_ms = sim->now_ms + sim->clock_offset_ms + CK_ENGINE_LEASE_MS + 1;
    if (!theft->wanted || sim->disk_trouble > 0 || sim->dying != 0 || sim->queued > 0 ||
        claimed_count(sim) != 1) {
        return;
    }
    if (ck_store_open(&other, sim->uri) == 0 &&
        ck_store_claim(other, (struct ck_wall){wall_ms}, (struct ck_wall){wall_ms + 1000},
                       &theft->row, 1, &count) == 0 &&
        count == 1 && theft->row.claims > 0) {
        theft->wanted = false;
        theft->held = row_content(sim, &theft->row, theft->content, sizeof(theft->content));
        sim->faults[FAULT_LEASE]++;
    } else if (count == 1) {
        ck_store_unclaim(other, &theft->row, 1);
    }
    ck_store_close(other);
}

/* Whose course tells of the row: of a notice that of the check-in or incident that it tells of. */
static struct sim_about about_row(struct sim *sim, const struct ck_due *row)
{
    struct sim_about about = {.checkin = row->kind == CK_DUE_CHECKIN ? row->id : 0,
                              .incident = row->kind == CK_DUE_INCIDENT ? row->id : 0};
    sqlite3 *db = sim_reader(sim);
    sqlite3_stmt *statement = NULL;
    if (row->kind == CK_DUE_NOTICE && db != NULL &&
        sqlite3_prepare_v2(db, "SELECT checkin_id, incident_id FROM notice WHERE id = ?1", -1,
                           &statement, NULL) == SQLITE_OK &&
        sqlite3_bind_int64(statement, 1, row->id) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW) {
        about.checkin = sqlite3_column_int64(statement, 0);
        about.incident = sqlite3_column_int64(statement, 1);
    }
    sqlite3_finalize(statement);
    return about;
}

void sim_theft_end(struct sim *sim)
{
    struct sim_theft *theft = &sim->theft;
    struct ck_store *other = NULL;
    char content[sizeof(theft->content)];
    if (!theft->held) {
        return;
    }
    theft->held = false;
    if (!row_content(sim, &theft->row, content, sizeof(content)) ||
        strcmp(content, theft->content) != 0) {
        const struct sim_about about = about_row(sim, &theft->row);
        sim_wrong(
            sim, about, "%s %lld (incident: %lld) was written although another node had claimed it",
            ck_due_name(theft->row.kind), (long long)theft->row.id, (long long)about.incident);
    }
    /* The other node gives it back as it was. */
    if (ck_store_open(&other, sim->uri) != 0 || ck_store_begin(other) != 0 ||
        ck_store_release_claim(other, &theft->row) < 0 || ck_store_commit(other) != 0) {
        sim_fail(sim, "the other node cannot give a row back");
    }
    ck_store_close(other);
    sim->next_turn_ms = sim->now_ms;
}

static void begin_fault(struct sim *sim, enum sim_fault fault)
{
    int64_t value = 0;
    int64_t lasts_ms = 0;
    switch (fault) {
    case FAULT_CRASH:
        crash(sim, sim_seconds(sim, 1, 20));
        return;
    case FAULT_CRASH_IN_TURN:
    case FAULT_POWER:
        die_soon(sim, fault);
        return;
    case FAULT_DOWN:
        crash(sim, sim_seconds(sim, 300, 7200));
        return;
    case FAULT_WORKER:
        sim_lose_worker(sim);
        return;
    case FAULT_LEASE:
        sim->faults[fault]--; /* counted when it happens */
        sim->theft.wanted = true;
        return;
    case FAULT_DECIDED:
    case FAULT_COMMITTED:
    case FAULT_GIVEN:
        sim->faults[fault]--; /* counted when it happens */
        sim->die_at = (int)fault;
        return;
    case FAULT_ZONES:
        sim_zones_change(sim);
        return;
    case FAULT_STALL:
        stalling_world = sim;
        sim->disk->stall = stall;
        sim->disk_slow = true;
        lasts_ms = sim_seconds(sim, 60, 1800);
        break;
    case FAULT_MASTS:
        sim->masts_down++;
        lasts_ms = sim_seconds(sim, 1800, 7200);
        break;
    case FAULT_PROBE:
        sim->probe_down++;
        lasts_ms = sim_seconds(sim, 60, 2400);
        break;
    case FAULT_SMS_DOWN:
        sim->sms_down++;
        lasts_ms = sim_seconds(sim, 300, 3600);
        break;
    case FAULT_EMAIL_DOWN:
        sim->email_down++;
        lasts_ms = sim_seconds(sim, 300, 3600);
        break;
    case FAULT_DISK_FULL:
        sim->disk->full = true;
        sim->disk_trouble++;
        lasts_ms = sim_seconds(sim, 30, 300);
        break;
    case FAULT_DISK_BROKEN:
        sim->disk->broken = true;
        sim->disk_trouble++;
        lasts_ms = sim_seconds(sim, 1, 60);
        break;
    case FAULT_CLOCK_FORWARD:
        note_step(sim);
        /* Some machines are hours ahead until somebody asks what time it is. */
        value = sim_chance(sim, 30) ? sim_seconds(sim, 7200, 21600) : sim_seconds(sim, 5, 1800);
        if (value > SIM_HOUR_MS) {
            sim->leaps_ms[sim->leap_count++ % SIM_LEAPS_MAX] = sim->now_ms;
        }
        sim->clock_offset_ms += value;
        sim->synchronised = false;
        lasts_ms = sim_seconds(sim, 60, 1800);
        break;
    case FAULT_CLOCK_BACK:
        note_step(sim);
        value = -sim_seconds(sim, 5, 1800);
        sim->clock_offset_ms += value;
        sim->synchronised = false;
        lasts_ms = sim_seconds(sim, 60, 1800);
        break;
    case FAULT_CLOCK_LOST:
        sim->synchronised = false;
        lasts_ms = sim_seconds(sim, 60, 1800);
        break;
    case FAULT_INSPECTORS:
        sim->inspectors_away++;
        lasts_ms = sim_seconds(sim, 600, 7200);
        break;
    default:
        value = sim_below(sim, SIM_UNITS);
        sim->officers_asleep[value]++;
        lasts_ms = sim_seconds(sim, 3600, 28800);
        break;
    }
    sim_later(sim, lasts_ms, EVENT_FAULT_END, fault, value, 0);
}

static void end_fault(struct sim *sim, enum sim_fault fault, int64_t value)
{
    switch (fault) {
    case FAULT_PROBE:
        sim->probe_down--;
        break;
    case FAULT_SMS_DOWN:
        sim->sms_down--;
        break;
    case FAULT_EMAIL_DOWN:
        sim->email_down--;
        break;
    case FAULT_STALL:
        sim->disk_slow = false;
        break;
    case FAULT_MASTS:
        sim->masts_down--;
        break;
    case FAULT_DISK_FULL:
        sim->disk->full = false;
        sim->disk_trouble--;
        break;
    case FAULT_DISK_BROKEN:
        sim->disk->broken = false;
        sim->disk_trouble--;
        break;
    case FAULT_CLOCK_FORWARD:
    case FAULT_CLOCK_BACK:
        note_step(sim);
        sim->clock_offset_ms -= value;
        sim->synchronised = true;
        break;
    case FAULT_CLOCK_LOST:
        sim->synchronised = true;
        break;
    case FAULT_INSPECTORS:
        sim->inspectors_away--;
        break;
    default:
        sim->officers_asleep[value]--;
        break;
    }
    if (sim->engine != NULL) {
        sim->next_turn_ms = sim->now_ms;
    }
}

/* The daemon starts only on a disk that works. */
static void start(struct sim *sim)
{
    if (sim->disk->broken || sim->disk->full) {
        restart_in(sim, 5000);
        return;
    }
    sim_start_daemon(sim);
    sim_reconnect(sim);
}

void sim_fault_event(struct sim *sim, const struct sim_event *event)
{
    switch (event->kind) {
    case EVENT_START:
        start(sim);
        break;
    case EVENT_FAULT_END:
        end_fault(sim, (enum sim_fault)event->a, event->b);
        break;
    default: {
        enum sim_fault fault = (enum sim_fault)event->a;
        bool needs_daemon = fault <= FAULT_DOWN || fault == FAULT_WORKER;
        bool clock_wrong =
            fault >= FAULT_CLOCK_FORWARD && fault <= FAULT_CLOCK_LOST && !sim->synchronised;
        bool disk = fault <= FAULT_DOWN || fault == FAULT_DISK_FULL || fault == FAULT_DISK_BROKEN;
        bool again = (fault == FAULT_STALL && sim->disk_slow) ||
                     (fault == FAULT_ZONES && sim->zones_changed_ms != 0);
        if ((needs_daemon && sim->engine == NULL) || clock_wrong || again ||
            (disk && (sim->disk_trouble > 0 || sim->dying != 0))) {
            return; /* one thing at a time where two would be the same */
        }
        sim->faults[fault]++;
        begin_fault(sim, fault);
        break;
    }
    }
}

/* Walks the notice table of scheduler/DESIGN.md, line by line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "fixture.h"
#include "scheduler/notice.h"
#include "table.h"

#define DOCUMENT CK_SOURCE_DIR "/scheduler/DESIGN.md"

struct notice_case {
    struct ck_notice row;
    struct ck_notice_event event;
    struct ck_notice_policy policy;
    struct ck_wall now;
};

static void feed(struct notice_case *c, struct ck_notice_event event)
{
    struct ck_effects effects;
    assert_int_equal(ck_notice_step(&c->row, &event, &c->policy, c->now, &c->row, &effects), 0);
}

static void begin(struct notice_case *c, const char *state, const char *event)
{
    memset(c, 0, sizeof(*c));
    c->policy = ck_notice_policy_default();
    c->now.ms = FIXTURE_DUE;
    c->row.id = 5;
    c->row.channel = CK_CHANNEL_SMS;
    c->row.rest[0] = CK_CHANNEL_VOICE;
    c->row.receipts = true;
    c->row.deadline.ms = c->now.ms + 900 * 1000;
    ck_notice_begin(&c->row, c->now);
    if (strcmp(state, "queued") != 0 && strcmp(state, "cancelled") != 0 &&
        strcmp(state, "expired") != 0) {
        feed(c, (struct ck_notice_event){.kind = CK_NOTICE_TIMER});
    }
    if (strcmp(state, "accepted") == 0) {
        feed(c, (struct ck_notice_event){.kind = CK_NOTICE_TAKEN});
    } else if (strcmp(state, "delivered") == 0) {
        feed(c, (struct ck_notice_event){.kind = CK_NOTICE_RECEIPT});
    } else if (strcmp(state, "read") == 0) {
        feed(c, (struct ck_notice_event){.kind = CK_NOTICE_RECEIPT, .receipt = CK_RECEIPT_READ});
    } else if (strcmp(state, "failed_temp") == 0) {
        feed(c, (struct ck_notice_event){.kind = CK_NOTICE_REFUSED, .draw = 256});
    } else if (strcmp(state, "failed_perm") == 0) {
        feed(c, (struct ck_notice_event){.kind = CK_NOTICE_REJECTED});
    } else if (strcmp(state, "unknown") == 0) {
        feed(c, (struct ck_notice_event){.kind = CK_NOTICE_NO_ANSWER, .draw = 256});
    } else if (strcmp(state, "cancelled") == 0) {
        feed(c, (struct ck_notice_event){.kind = CK_NOTICE_CANCEL});
    } else if (strcmp(state, "expired") == 0) {
        c->now = c->row.deadline;
        feed(c, (struct ck_notice_event){.kind = CK_NOTICE_TIMER});
    }
    assert_string_equal(ck_notice_state_name(c->row.state), state);
    unsigned kind = 0;
    while (kind < CK_NOTICE_EVENT_COUNT && strcmp(ck_notice_event_name(kind), event) != 0) {
        kind++;
    }
    assert_true(kind < CK_NOTICE_EVENT_COUNT);
    c->event = (struct ck_notice_event){.kind = (enum ck_notice_event_kind)kind, .draw = 256};
    if (kind == CK_NOTICE_TIMER && c->row.next_at.ms != 0) {
        c->now = c->row.next_at;
    } else {
        c->now.ms += 1000;
    }
    if (kind == CK_NOTICE_LIMITED) {
        c->event.until.ms = c->now.ms + 60 * 1000;
    }
}

static void early(struct notice_case *c)
{
    c->now.ms = c->row.next_at.ms - 1;
}

static void past_deadline(struct notice_case *c)
{
    c->now = c->row.deadline;
}

static void last_channel(struct notice_case *c)
{
    c->row.rest[0] = CK_CHANNEL_NONE;
}

static void moved_on(struct notice_case *c)
{
    c->row.moved_on = true;
}

static void no_receipts(struct notice_case *c)
{
    c->row.receipts = false;
}

static void older_try(struct notice_case *c)
{
    c->row.tries = 2;
    c->event.tries = 1;
}

static void this_try(struct notice_case *c)
{
    c->event.tries = c->row.tries;
}

static void second_failure(struct notice_case *c)
{
    c->row.tries = 2;
}

static void tenth_failure(struct notice_case *c)
{
    c->row.tries = 10;
    c->row.moved_on = true;
}

static void retry_after(struct notice_case *c)
{
    c->event.until.ms = c->now.ms + 300 * 1000;
}

static void near_deadline(struct notice_case *c)
{
    c->row.deadline.ms = c->now.ms + 2000;
}

static void limit_in_the_past(struct notice_case *c)
{
    c->event.until.ms = c->now.ms - 1;
}

static void limit_beyond_deadline(struct notice_case *c)
{
    c->event.until.ms = c->row.deadline.ms + 1000;
}

static void delivered(struct notice_case *c)
{
    c->event.receipt = CK_RECEIPT_DELIVERED;
}

static void read_receipt(struct notice_case *c)
{
    c->event.receipt = CK_RECEIPT_READ;
}

static void failed(struct notice_case *c)
{
    c->event.receipt = CK_RECEIPT_FAILED;
}

static void waited_out(struct notice_case *c)
{
    c->row.next_at.ms = 0;
}

static void unwanted(struct notice_case *c)
{
    c->row.unwanted = true;
}

static const struct {
    const char *word;
    void (*apply)(struct notice_case *c);
} words[] = {
    {"early", early},
    {"due", NULL},
    {"past the deadline", past_deadline},
    {"last channel", last_channel},
    {"next channel started", moved_on},
    {"no receipts", no_receipts},
    {"of an older try", older_try},
    {"of this try", this_try},
    {"second failure", second_failure},
    {"tenth failure", tenth_failure},
    {"retry after 300 s", retry_after},
    {"deadline in 2 s", near_deadline},
    {"limit already over", limit_in_the_past},
    {"limit beyond the deadline", limit_beyond_deadline},
    {"delivered", delivered},
    {"read", read_receipt},
    {"failed", failed},
    {"waited out", waited_out},
    {"unwanted", unwanted},
};

static void apply_word(struct notice_case *c, const char *word, int line)
{
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcmp(words[i].word, word) == 0) {
            if (words[i].apply != NULL) {
                words[i].apply(c);
            }
            return;
        }
    }
    fail_msg("line %d: nobody knows what \"%s\" means", line, word);
}

static void walk_row(const struct table_row *row, bool seen[][CK_NOTICE_EVENT_COUNT], int *wrong)
{
    assert_int_equal(row->count, 5);
    char when[300];
    snprintf(when, sizeof(when), "%s", row->cells[2]);
    struct notice_case c;
    begin(&c, row->cells[0], row->cells[1]);
    seen[c.row.state][c.event.kind] = true;
    char *tokens[TABLE_TOKENS_MAX];
    int count = table_tokens(when, tokens);
    for (int i = 0; i < count; i++) {
        apply_word(&c, tokens[i], row->line);
    }
    struct ck_notice next;
    struct ck_effects effects = {0};
    assert_int_equal(ck_notice_step(&c.row, &c.event, &c.policy, c.now, &next, &effects), 0);
    char next_actual[100];
    if (next.next_at.ms == 0) {
        snprintf(next_actual, sizeof(next_actual), "%s", ck_notice_state_name(next.state));
    } else {
        snprintf(next_actual, sizeof(next_actual), "%s; in %g s", ck_notice_state_name(next.state),
                 (double)(next.next_at.ms - c.now.ms) / 1000);
    }
    char effects_actual[600];
    effects_text_of(&effects, effects_actual, sizeof(effects_actual));
    if (strcmp(next_actual, row->cells[3]) != 0 || strcmp(effects_actual, row->cells[4]) != 0) {
        print_error("line %d should be:\n| %s | %s | %s | %s | %s |\n", row->line, row->cells[0],
                    row->cells[1], row->cells[2], next_actual, effects_actual);
        (*wrong)++;
    }
}

static void test_every_line_of_the_table(void **state)
{
    (void)state;
    struct table table;
    table_load(DOCUMENT, "notice", &table);
    static bool seen[CK_NOTICE_STATE_COUNT][CK_NOTICE_EVENT_COUNT];
    int wrong = 0;
    for (int i = 0; i < table.count; i++) {
        walk_row(&table.rows[i], seen, &wrong);
    }
    for (unsigned s = 0; s < CK_NOTICE_STATE_COUNT; s++) {
        for (unsigned e = 0; e < CK_NOTICE_EVENT_COUNT; e++) {
            if (!seen[s][e]) {
                print_error("no line for %s, %s\n", ck_notice_state_name(s),
                            ck_notice_event_name(e));
                wrong++;
            }
        }
    }
    table_free(&table);
    assert_int_equal(wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_line_of_the_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

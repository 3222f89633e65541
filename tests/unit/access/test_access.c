/* Passwords, and the table of rights as a table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/access/password.h"
#include "daemon/access/policy.h"
#include "daemon/access/totp.h"
#include "protocol/base/error.h"

static const uint8_t salt[CK_PASSWORD_SALT_SIZE] = {1, 2, 3};

static void a_password_verifies_and_no_other(void **state)
{
    (void)state;
    char text[CK_PASSWORD_TEXT_SIZE];
    assert_int_equal(ck_password_hash(CK_PASSWORD_COST, "correct horse battery", salt, text), 0);
    /* RFC 9106 section 4: Argon2id, 64 MiB, three passes; the parameters stand in the text. */
    assert_int_equal(strncmp(text, "$argon2id$v=19$m=65536,t=3,p=1$", 31), 0);
    assert_null(strstr(text, "horse"));
    assert_int_equal(ck_password_verify(CK_PASSWORD_COST, text, "correct horse battery"), 0);
    assert_int_equal(ck_password_verify(CK_PASSWORD_COST, text, "correct horse batterz"),
                     CK_E_AUTH);
    assert_int_equal(ck_password_verify(CK_PASSWORD_COST, text, ""), CK_E_AUTH);
    assert_int_equal(ck_password_verify(CK_PASSWORD_COST, NULL, "correct horse battery"),
                     CK_E_AUTH);
    assert_int_equal(ck_password_verify(CK_PASSWORD_COST, "plain text", "plain text"), CK_E_SYNTAX);
    assert_int_equal(ck_password_verify(CK_PASSWORD_COST, "", ""), CK_E_SYNTAX);
}

static void the_salt_makes_the_difference(void **state)
{
    (void)state;
    char one[CK_PASSWORD_TEXT_SIZE], two[CK_PASSWORD_TEXT_SIZE];
    static const uint8_t other[CK_PASSWORD_SALT_SIZE] = {9};
    assert_int_equal(ck_password_hash(CK_PASSWORD_COST, "the same password", salt, one), 0);
    assert_int_equal(ck_password_hash(CK_PASSWORD_COST, "the same password", other, two), 0);
    assert_string_not_equal(one, two);
}

static void weak_passwords_are_named(void **state)
{
    (void)state;
    assert_null(ck_password_fault("қорғаныс-2026", "a.serik")); /* 13 characters, more bytes */
    assert_non_null(ck_password_fault("elevenchars", "x"));
    assert_non_null(ck_password_fault("aaaaaaaaaaaaaaaa", "x"));
    assert_non_null(ck_password_fault("Administrator", "administrator"));
    assert_non_null(ck_password_fault("", "x"));
    char longest[CK_PASSWORD_MAX + 2];
    memset(longest, 'a', sizeof longest);
    longest[0] = 'b';
    longest[CK_PASSWORD_MAX] = '\0';
    assert_null(ck_password_fault(longest, "x"));
    longest[CK_PASSWORD_MAX] = 'a';
    longest[CK_PASSWORD_MAX + 1] = '\0';
    assert_non_null(ck_password_fault(longest, "x"));
}

/* RFC 6238 appendix B and RFC 4226 appendix D are for a key of 20 bytes; ours is the same algorithm
 * with 32, for which RFC 6238 gives none with SHA-1: these were made with oathtool 2.6.7. */
static void codes_are_those_of_every_application(void **state)
{
    (void)state;
    uint8_t key[CK_KEY_SIZE];
    memcpy(key, "12345678901234567890123456789012", sizeof key);
    static const struct {
        int64_t step;
        const char *code;
    } known[] = {{1, "599872"}, {37037036, "138967"}, {41152263, "012961"}, {666666666, "573920"}};
    char code[CK_TOTP_CODE_SIZE], text[CK_TOTP_TEXT_SIZE];
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        assert_int_equal(ck_totp_code(key, known[i].step, code), 0);
        assert_string_equal(code, known[i].code);
    }
    ck_totp_key_text(key, text);
    assert_string_equal(text, "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZA");
}

static void a_code_is_good_around_its_time_and_once(void **state)
{
    (void)state;
    static const uint8_t key[CK_KEY_SIZE] = {7};
    const struct ck_wall now = {1000 * CK_TOTP_STEP_MS + 15000};
    char code[CK_TOTP_CODE_SIZE], spaced[16];
    int64_t step = 0;
    for (int64_t s = 997; s <= 1003; s++) {
        assert_int_equal(ck_totp_code(key, s, code), 0);
        bool good = s >= 999 && s <= 1001;
        assert_int_equal(ck_totp_check(key, code, now, 0, &step), good ? 0 : CK_E_AUTH);
        if (good) {
            assert_int_equal(step, s);
            assert_int_equal(ck_totp_check(key, code, now, s, &step), CK_E_AUTH);
        }
    }
    assert_int_equal(ck_totp_code(key, 1000, code), 0);
    snprintf(spaced, sizeof spaced, "%.3s %.3s", code, code + 3);
    assert_int_equal(ck_totp_check(key, spaced, now, 0, &step), 0);
    assert_int_equal(ck_totp_check(key, "", now, 0, &step), CK_E_SYNTAX);
    assert_int_equal(ck_totp_check(key, "12345", now, 0, &step), CK_E_SYNTAX);
    assert_int_equal(ck_totp_check(key, "1234567", now, 0, &step), CK_E_SYNTAX);
    assert_int_equal(ck_totp_check(key, "12345a", now, 0, &step), CK_E_SYNTAX);
}

static void every_action_stands_once_in_the_table(void **state)
{
    (void)state;
    size_t count;
    const struct ck_policy *table = ck_policy_all(&count);
    assert_true(count > 50);
    for (size_t i = 0; i < count; i++) {
        assert_ptr_equal(ck_policy_find(table[i].action), &table[i]);
        assert_true(table[i].who == CK_WHO_STAFF || table[i].roles == 0);
        assert_int_equal(table[i].roles & ~15u, 0);
    }
    assert_null(ck_policy_find("person.delete"));
    assert_null(ck_policy_find(""));
}

static struct ck_actor staff(unsigned roles)
{
    return (struct ck_actor){.kind = CK_ACTOR_STAFF, .roles = roles, .staff_id = 7, .unit_id = 3};
}

/* Every action with every set of roles, against the rule as the headers state it. */
static void the_whole_table_is_walked(void **state)
{
    (void)state;
    size_t count;
    const struct ck_policy *table = ck_policy_all(&count);
    struct ck_actor person = {.kind = CK_ACTOR_PERSON, .person_id = 5};
    struct ck_actor system = {.kind = CK_ACTOR_SYSTEM};
    for (size_t i = 0; i < count; i++) {
        const struct ck_policy *p = &table[i];
        int nobody = p->who == CK_WHO_ANYBODY ? 0 : CK_E_AUTH;
        assert_int_equal(ck_policy_check(p, NULL), nobody);
        assert_int_equal(ck_policy_check(p, &system), nobody);
        assert_int_equal(ck_policy_check(p, &person), p->who == CK_WHO_PERSON ? 0 : nobody);
        for (unsigned roles = 0; roles < 16; roles++) {
            struct ck_actor actor = staff(roles);
            int expected = p->who == CK_WHO_ANYBODY                   ? 0
                           : p->who == CK_WHO_PERSON                  ? CK_E_AUTH
                           : p->roles == 0 || (p->roles & roles) != 0 ? 0
                                                                      : CK_E_DENIED;
            assert_int_equal(ck_policy_check(p, &actor), expected);
            assert_int_equal(ck_policy_roles(p, &actor), p->roles == 0 ? roles : roles & p->roles);
        }
    }
}

static void administrators_see_no_case_content(void **state)
{
    (void)state;
    static const char *const allowed[] = {
        "session.logout",
        "me.read",
        "me.password",
        "me.language",
        "unit.list",
        "unit.create",
        "unit.phone",
        "unit.zone",
        "unit.zone_preview",
        "staff.list",
        "staff.create",
        "staff.update",
        "staff.password",
        "system.read",
        "console.connect",
        "setup.state",
        "setup.first",
        "session.login",
        "link.exchange",
        "gateway.receipt",
        "gateway.receipt_voice",
        "push.key",
        "push.subscribe",
        "push.unsubscribe",
        "me.second_factor",
        "me.second_factor_confirm",
        "me.sessions",
        "session.end",
        "staff.sessions",
        "staff.second_factor",
        "device.challenge",
        "device.enter",
    };
    size_t count, seen = 0;
    const struct ck_policy *table = ck_policy_all(&count);
    struct ck_actor administrator = staff(CK_ROLE_ADMINISTRATOR);
    for (size_t i = 0; i < count; i++) {
        bool listed = false;
        for (size_t j = 0; j < sizeof allowed / sizeof allowed[0]; j++) {
            listed |= strcmp(allowed[j], table[i].action) == 0;
        }
        if (ck_policy_check(&table[i], &administrator) == 0) {
            assert_true(listed);
            seen++;
        }
    }
    assert_int_equal(seen, sizeof allowed / sizeof allowed[0]);
    struct ck_scope scope = ck_policy_scope(&administrator);
    assert_int_equal(scope.unit, 0);
    assert_int_equal(scope.inspector, 0);
}

static void a_scope_is_the_caseload_or_the_unit(void **state)
{
    (void)state;
    for (unsigned roles = 0; roles < 16; roles++) {
        struct ck_actor actor = staff(roles);
        struct ck_scope scope = ck_policy_scope(&actor);
        bool unit = (roles & (CK_ROLE_OFFICER | CK_ROLE_SUPERVISOR)) != 0;
        assert_int_equal(scope.unit, unit ? 3 : 0);
        assert_int_equal(scope.inspector, (roles & CK_ROLE_INSPECTOR) != 0 ? 7 : 0);
    }
    struct ck_actor person = {.kind = CK_ACTOR_PERSON, .person_id = 5, .unit_id = 3, .roles = 15};
    struct ck_scope scope = ck_policy_scope(&person);
    assert_int_equal(scope.unit, 0);
    assert_int_equal(scope.inspector, 0);
}

static void a_wider_role_does_not_widen_what_another_grants(void **state)
{
    (void)state;
    struct ck_actor both = staff(CK_ROLE_INSPECTOR | CK_ROLE_OFFICER);
    both.roles = ck_policy_roles(ck_policy_find("message.list"), &both);
    struct ck_scope scope = ck_policy_scope(&both);
    assert_int_equal(scope.unit, 0); /* messages are the inspector's, so only the own caseload's */
    assert_int_equal(scope.inspector, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_password_verifies_and_no_other),
        cmocka_unit_test(the_salt_makes_the_difference),
        cmocka_unit_test(weak_passwords_are_named),
        cmocka_unit_test(codes_are_those_of_every_application),
        cmocka_unit_test(a_code_is_good_around_its_time_and_once),
        cmocka_unit_test(every_action_stands_once_in_the_table),
        cmocka_unit_test(the_whole_table_is_walked),
        cmocka_unit_test(administrators_see_no_case_content),
        cmocka_unit_test(a_scope_is_the_caseload_or_the_unit),
        cmocka_unit_test(a_wider_role_does_not_widen_what_another_grants),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

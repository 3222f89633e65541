/* What the tests of channels share: a configuration from lines, a sending, a temporary directory.
 */
#ifndef TESTS_UNIT_NOTIFY_CHANNEL_TEST_H
#define TESTS_UNIT_NOTIFY_CHANNEL_TEST_H

#include "daemon/config/config.h"
#include "daemon/notify/channel.h"

#define TEST_SECRET "a secret of at least sixteen bytes"
#define TEST_NEW_SECRET "the secret that comes after it"

/* A new directory with the files "master.key", "secret" (TEST_SECRET), "secrets" (both) and
 * "password" ("correct horse"). */
void test_dir_make(char path[static 256]);

/* Removes it and every file in it. */
void test_dir_remove(const char *path);

/* Reads a configuration: the settings that must be there and `lines`. "%d/" is the directory. Fails
 * the test where it has a fault. */
void test_config(struct ck_config *config, const char *dir, const char *lines);

/* A notice of an incident to staff, in English, reference "N-7K3F-92QD". */
struct ck_sending test_sending(const char *to);

#endif

/* The back end under test: SQLite. */
#include "tests/store/backend.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

static char folder[64], path[96];

void backend_create(void)
{
    snprintf(folder, sizeof folder, "/tmp/ck-store-XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/store", folder);
}

void backend_remove(void)
{
    DIR *open = opendir(folder);
    for (struct dirent *item; (item = readdir(open)) != NULL;) {
        char name[512];
        snprintf(name, sizeof name, "%s/%s", folder, item->d_name);
        unlink(name);
    }
    closedir(open);
    rmdir(folder);
}

bool backend_run(const char *sql)
{
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    sqlite3_busy_timeout(db, 5000);
    sqlite3_exec(db, "PRAGMA foreign_keys = ON", NULL, NULL, NULL);
    int code = sqlite3_exec(db, sql, NULL, NULL, NULL);
    sqlite3_close(db);
    return code == SQLITE_OK;
}

const char *backend_path(void)
{
    return path;
}

void backend_people(void)
{
    assert_true(
        backend_run("INSERT INTO unit VALUES (1, 'u', 'Asia/Almaty', 1, NULL);"
                    "INSERT INTO staff (id, login, name, password, roles, unit_id, language, "
                    "email, on_duty, pseudonym, created_at) VALUES (1, 'a', 'Aigul', 'x', 3, 1, "
                    "'ru', 'a@b.kz', 1, randomblob(16), 1);"
                    "INSERT INTO person (id, reference, name, birth_date, phone, language, "
                    "unit_id, inspector_id, band, pseudonym, salt, created_at) VALUES (1, 'P-1', "
                    "'Serik', '1990-01-01', '+7701', 'kk', 1, 1, 'high', randomblob(16), "
                    "randomblob(32), 1);"
                    "INSERT INTO contact_order (id, person_id, kind, article, number, issuer, "
                    "from_date, until_date, conditions, per_day_max, "
                    "hours_start, hours_end, created_at) VALUES (1, 1, 'other', '', '', '', "
                    "'2026-01-01', '2026-12-31', '', 3, '08:00', '22:30', 1)"));
}

/* Values as they are written in a configuration file. */
#ifndef DAEMON_CONFIG_VALUE_IMPL_H
#define DAEMON_CONFIG_VALUE_IMPL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Reads all of `text`; false, with *value untouched, where it is not of the form or overflows. */
bool ck_value_count(const char *text, int64_t *value);
bool ck_value_duration(const char *text, int64_t *ms);
bool ck_value_size(const char *text, int64_t *bytes);
bool ck_value_flag(const char *text, bool *value);

/* Writes a value with the largest unit that is exact. */
void ck_value_duration_text(int64_t ms, char *text, size_t size);
void ck_value_size_text(int64_t bytes, char *text, size_t size);

/* Checks of settings, as in struct ck_setting. */
const char *ck_refuse_url(const char *text); /* https, or http to this machine */
const char *ck_refuse_help_phone(const char *text);
const char *ck_refuse_public_url(const char *text); /* https without a closing slash */
const char *ck_refuse_smtp_url(const char *text);
const char *ck_refuse_listen(const char *text);
const char *ck_refuse_hostname(const char *text);
const char *ck_refuse_address(const char *text);
const char *ck_refuse_mail(const char *text);
const char *ck_refuse_witness(const char *text);
const char *ck_refuse_zone(const char *text);
const char *ck_refuse_absolute(const char *text);
const char *ck_refuse_status(const char *text);
const char *ck_refuse_gateway_body(const char *text);
const char *ck_refuse_turn(const char *text);
const char *ck_refuse_subject(const char *text);
const char *ck_refuse_key_hex(const char *bytes, size_t size);
const char *ck_refuse_secret_text(const char *bytes, size_t size);
/* One line of at least 16 bytes, or two of them. */
const char *ck_refuse_secret_pair(const char *bytes, size_t size);

#endif

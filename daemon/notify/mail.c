#include "daemon/notify/mail.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "protocol/base/cleanup.h"
#include "protocol/base/error.h"
#include "protocol/base/text.h"

#define ADDRESS_MAX 254
#define LOCAL_PART_MAX 64
#define ENCODED_BYTES_MAX                                                                          \
    39 /* of text in one encoded word: a line of 76 with "Subject: " before it */
#define BODY_LINE_BYTES 57 /* 76 characters of base64 */
#define DATE_SIZE 40

bool ck_mail_address_ok(const char *address)
{
    size_t size = strnlen(address, ADDRESS_MAX + 1);
    const char *at = strchr(address, '@');
    if (size > ADDRESS_MAX || at == NULL || at == address || at[1] == '\0' || at[1] == '.' ||
        at[1] == '-' || at - address > LOCAL_PART_MAX || strchr(at + 1, '@') != NULL) {
        return false;
    }
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)address[i];
        if (c <= ' ' || c >= 0x7f || strchr("<>()[]\\,;:\"", c) != NULL) {
            return false;
        }
    }
    return true;
}

static bool id_ok(const char *id)
{
    for (const char *c = id; *c != '\0'; c++) {
        if (!isalnum((unsigned char)*c) && *c != '-' && *c != '.') {
            return false;
        }
    }
    return *id != '\0';
}

/* Whether a text may stand in a header as it is. */
static bool plain(const char *text)
{
    for (const char *c = text; *c != '\0'; c++) {
        if ((unsigned char)*c < ' ' || (unsigned char)*c >= 0x7f) {
            return false;
        }
    }
    return strstr(text, "=?") == NULL;
}

/* How much of `text` fits one encoded word without cutting a character. */
static size_t word_size(const char *text)
{
    size_t size = strlen(text);
    if (size <= ENCODED_BYTES_MAX) {
        return size;
    }
    size = ENCODED_BYTES_MAX;
    while (size > 1 && ((unsigned char)text[size] & 0xc0) == 0x80) {
        size--;
    }
    return size;
}

/* Writes a text of a header, in encoded words (RFC 2047) where it is not plain. */
static void write_text(FILE *out, const char *text, const char *quote)
{
    if (plain(text) && strlen(text) < 60 && strpbrk(text, "\"\\") == NULL) {
        fprintf(out, "%s%s%s", quote, text, quote);
        return;
    }
    for (const char *at = text; *at != '\0';) {
        char base64[CK_BASE64_SIZE(ENCODED_BYTES_MAX)];
        size_t size = word_size(at);
        ck_base64_encode(at, size, base64);
        fprintf(out, "%s=?UTF-8?B?%s?=", at == text ? "" : "\r\n ", base64);
        at += size;
    }
}

/* RFC 5322 section 3.3, in UTC; names of days and months without the locale. */
static void write_date(struct ck_wall date, char text[static DATE_SIZE])
{
    static const char days[][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char months[][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    time_t seconds = (time_t)(date.ms / 1000);
    struct tm parts;
    gmtime_r(&seconds, &parts);
    snprintf(text, DATE_SIZE, "%s, %02d %s %04d %02d:%02d:%02d +0000", days[parts.tm_wday],
             parts.tm_mday, months[parts.tm_mon], (parts.tm_year + 1900) % 10000, parts.tm_hour,
             parts.tm_min, parts.tm_sec);
}

static void write_headers(FILE *out, const struct ck_mail *mail)
{
    char date[DATE_SIZE];
    write_date(mail->date, date);
    fprintf(out, "Date: %s\r\nFrom: ", date);
    if (*mail->from_name != '\0') {
        write_text(out, mail->from_name, "\"");
        fputs("\r\n ", out);
    }
    fprintf(out, "<%s>\r\nTo: <%s>\r\nSubject: ", mail->from, mail->to);
    write_text(out, mail->subject, "");
    fprintf(out, "\r\nMessage-ID: <%s@%s>\r\n", mail->message_id, strchr(mail->from, '@') + 1);
    fputs("Auto-Submitted: auto-generated\r\n", out);
    if (mail->important) {
        fputs("Importance: high\r\nX-Priority: 1\r\n", out);
    }
    if (id_ok(mail->language)) {
        fprintf(out, "Content-Language: %s\r\n", mail->language);
    }
    fputs("MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
          "Content-Transfer-Encoding: base64\r\n\r\n",
          out);
}

/* The text with CRLF line ends; NULL where memory is short. */
static char *canonical(const char *text, size_t *size)
{
    char *lines = malloc(2 * strlen(text) + 1);
    size_t at = 0;
    for (const char *c = text; lines != NULL && *c != '\0'; c++) {
        if (*c == '\n') {
            lines[at++] = '\r';
        }
        if (*c != '\r') {
            lines[at++] = *c;
        }
    }
    *size = at;
    return lines;
}

static int write_body(FILE *out, const char *text)
{
    size_t size;
    ck_cleanup(ck_freep) char *lines = canonical(text, &size);
    if (lines == NULL) {
        return -ENOMEM;
    }
    for (size_t at = 0; at < size; at += BODY_LINE_BYTES) {
        char base64[CK_BASE64_SIZE(BODY_LINE_BYTES)];
        size_t take = size - at < BODY_LINE_BYTES ? size - at : BODY_LINE_BYTES;
        ck_base64_encode(lines + at, take, base64);
        fprintf(out, "%s\r\n", base64);
    }
    return 0;
}

static bool good(const struct ck_mail *mail)
{
    const char *const texts[] = {mail->from_name, mail->subject, mail->text};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (!ck_utf8_valid(texts[i], strlen(texts[i]))) {
            return false;
        }
    }
    return ck_mail_address_ok(mail->from) && ck_mail_address_ok(mail->to) &&
           id_ok(mail->message_id);
}

int ck_mail_build(const struct ck_mail *mail, char **message, size_t *size)
{
    if (!good(mail)) {
        return CK_E_INVALID;
    }
    char *bytes = NULL;
    size_t count = 0;
    FILE *out = open_memstream(&bytes, &count);
    if (out == NULL) {
        return -ENOMEM;
    }
    write_headers(out, mail);
    int error = write_body(out, mail->text);
    bool failed = ferror(out) != 0;
    failed |= fclose(out) != 0;
    if (error != 0 || failed) {
        free(bytes);
        return -ENOMEM;
    }
    *message = bytes;
    *size = count;
    return 0;
}

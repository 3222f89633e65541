#include "daemon/verify/finding.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>

#define LINE_SIZE 400
#define PRINTED_MAX 1000 /* findings; more are counted only */

/* As a JSON string; what is not printable ASCII is replaced, as it may come from a stranger. */
static void print_json(const char *text)
{
    putchar('"');
    for (; *text != '\0'; text++) {
        unsigned char letter = (unsigned char)*text;
        if (letter == '"' || letter == '\\') {
            putchar('\\');
        }
        putchar(letter < ' ' || letter == 0x7f ? '?' : (int)letter);
    }
    putchar('"');
}

__attribute__((format(printf, 4, 0))) static void print(const struct ck_verdict *verdict,
                                                        const char *kind, const char *name,
                                                        const char *format, va_list arguments)
{
    char text[LINE_SIZE];
    vsnprintf(text, sizeof text, format, arguments);
    if (verdict->quiet) {
        return;
    }
    if (verdict->json) {
        printf("{\"%s\":", kind);
        print_json(name);
        printf(",\"text\":");
        print_json(text);
        puts("}");
        return;
    }
    for (char *at = text; *at != '\0'; at++) {
        *at = iscntrl((unsigned char)*at) ? '?' : *at;
    }
    printf("%s: %s\n", name, text);
}

void ck_verdict_find(struct ck_verdict *verdict, const char *name, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    if (verdict->findings++ < PRINTED_MAX) {
        print(verdict, "finding", name, format, arguments);
    }
    va_end(arguments);
}

void ck_verdict_proven(struct ck_verdict *verdict, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    print(verdict, "fact", "proven", format, arguments);
    va_end(arguments);
}

void ck_verdict_not_proven(struct ck_verdict *verdict, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    print(verdict, "fact", "not proven", format, arguments);
    va_end(arguments);
}

#include <string.h>

#include "daemon/config/config.h"
#include "daemon/config/settings.h"

#define LINE_WIDTH 96

/* Writes `text` as comment lines, broken between words. */
static void print_comment(FILE *out, const char *text)
{
    size_t column = 0;
    while (*text != '\0') {
        size_t word = strcspn(text, " ");
        if (column == 0 || column + 1 + word > LINE_WIDTH) {
            fputs(column == 0 ? "# " : "\n# ", out);
            column = 2;
        } else {
            fputc(' ', out);
            column++;
        }
        fwrite(text, 1, word, out);
        column += word;
        text += word;
        text += strspn(text, " ");
    }
    fputc('\n', out);
}

static void print_setting(FILE *out, const struct ck_setting *setting)
{
    char allowed[300];
    char note[400];
    ck_setting_allowed(setting, allowed, sizeof allowed);
    snprintf(note, sizeof note, "%s: %s.", setting->required ? "Required" : "Allowed", allowed);
    fputc('\n', out);
    print_comment(out, setting->help);
    print_comment(out, note);
    if (*setting->standard != '\0' || setting->example == NULL) {
        fprintf(out, "#%s = %s\n", setting->key, setting->standard);
    } else if (setting->required && !setting->named) {
        fprintf(out, "%s = %s\n", setting->key, setting->example);
    } else {
        fprintf(out, "# Default: unset. Example:\n#%s = %s\n", setting->key, setting->example);
    }
}

void ck_config_print_default(FILE *out)
{
    size_t count;
    const struct ck_setting *settings = ck_settings(&count);
    fprintf(out,
            "# Configuration of checkind: see checkind.conf(5). Settings that are commented out\n"
            "# have the value shown. Check a changed file with: checkind --check-config\n");
    for (size_t i = 0; i < count; i++) {
        const struct ck_setting *setting = &settings[i];
        if (i == 0 || strcmp(setting->section, settings[i - 1].section) != 0) {
            fputs("\n\n", out);
            print_comment(out, ck_settings_section_help(setting->section));
            fprintf(out, setting->named ? "#[%s NAME]\n" : "[%s]\n", setting->section);
        }
        print_setting(out, setting);
    }
}

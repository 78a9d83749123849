#include "tui/cli/config.h"

#include <errno.h>
#include <string.h>

#include "transport/api.h"
#include "tui/cli/call.h"
#include "tui/cli/help.h"
#include "tui/cli/report.h"
#include "tui/config.h"

#define CONTRAST_LEAST 4.5 /* WCAG 2.1, 1.4.3: of text */

/* ---- check ---- */

struct findings {
    size_t faults;
    json_t *list; /* of sentences, when JSON was asked for */
};

static void on_fault(void *owner, const struct bj_error *error)
{
    struct findings *findings = owner;
    findings->faults++;
    if (findings->list)
        json_array_append_new(findings->list, json_string(error->text));
    else
        report_error(error);
}

/* Colours that make a text hard to read are no faults: whoever chose them may like them. */
static json_t *dim_pairs(const struct config *config, const struct theme *theme)
{
    json_t *list = json_array();
    for (int i = 0; list && i < theme_pairs_count; i++) {
        const struct theme_pair *pair = &theme_pairs[i];
        double contrast = theme_contrast(theme_rgb(theme->role[pair->text]),
                                         theme_rgb(theme->role[pair->ground]));
        bool own = config->role[pair->text].line > 0 || config->role[pair->ground].line > 0;
        if (own && contrast < CONTRAST_LEAST)
            json_array_append_new(
                list, json_sprintf("%s on %s has a contrast of %.1f: text is hard to "
                                   "read below %.1f",
                                   theme_role_name(pair->text), theme_role_name(pair->ground),
                                   contrast, CONTRAST_LEAST));
    }
    return list;
}

static int check(const struct args *args, const struct bj_paths *paths)
{
    struct findings findings = {.list = args_set(args, "json") ? json_array() : NULL};
    const char *file = args->word_count > 1 ? args->words[1] : NULL;
    struct bj_error error = {0};
    struct config config;
    struct theme theme;
    int status = config_read(&config, paths, file, on_fault, &findings);
    if (config_look(&config, paths, NULL, &theme, &error) < 0)
        on_fault(&findings, &error);
    json_t *warnings = findings.faults == 0 ? dim_pairs(&config, &theme) : json_array();
    int code = status < 0 || findings.faults > 0 ? COMMAND_FAILED : COMMAND_DONE;
    if (findings.list) {
        int printed = report_json(json_pack("{s:s,s:b,s:o,s:o}", "file", config.file, "ok",
                                            code == COMMAND_DONE, "faults", findings.list,
                                            "warnings", warnings));
        return code == COMMAND_DONE ? printed : code;
    }
    for (size_t i = 0; i < json_array_size(warnings); i++)
        call_line(stderr, "belljar: warning: %s", json_string_value(json_array_get(warnings, i)));
    json_decref(warnings);
    if (code != COMMAND_DONE)
        return code;
    call_line(stdout, "good: %s", config.file);
    return report_end();
}

/* ---- show ---- */

static void color_text(uint32_t color, char out[16])
{
    if (BJ_COLOR_KIND(color) == BJ_COLOR_PALETTE)
        snprintf(out, 16, "%u", (unsigned)(color & 0xff));
    else
        snprintf(out, 16, "#%06x", (unsigned)(color & 0xffffff));
}

/* The sections of the file, in the order in which they are written. */
static json_t *keys_object(const struct config *config, enum key_mode mode)
{
    json_t *object = json_object();
    for (size_t i = 0; object && i < keys_count; i++) {
        char option[KEYS_OPTION_MAX];
        struct keys_text keys = keymap_keys(&config->keys, mode, keys_table[i].action);
        keys_option_name(&keys_table[i], option);
        if ((keys_table[i].modes & (unsigned)mode) || keys.text[0])
            json_object_set_new(object, option, json_string(keys.text));
    }
    return object;
}

static json_t *colors_object(const struct theme *theme)
{
    json_t *object = json_object();
    char text[16];
    for (int i = 0; object && i < THEME_ROLES; i++) {
        color_text(theme->role[i], text);
        json_object_set_new(object, theme_role_name((enum theme_role)i), json_string(text));
    }
    return object;
}

static json_t *palette_object(const struct theme *theme)
{
    json_t *object = json_object();
    char text[16], name[4];
    for (int i = 0; object && i < 16; i++) {
        color_text(theme->palette[i], text);
        snprintf(name, sizeof(name), "%d", i);
        json_object_set_new(object, name, json_string(text));
    }
    return object;
}

static json_t *as_json(const struct config *config, const struct theme *theme)
{
    char prefix[40];
    keys_name(&config->prefix, prefix, sizeof(prefix));
    json_t *modes = json_object();
    for (unsigned mode = 1; mode < KEYS_MODES_END; mode *= 2)
        json_object_set_new(modes, keys_mode_name((enum key_mode)mode),
                            keys_object(config, (enum key_mode)mode));
    return json_pack("{s:s,s:s,s:s,s:s,s:s,s:o,s:o,s:o}", "file", config->file, "preset",
                     config->preset, "theme", config->theme, "prefix", prefix, "notify",
                     notify_how_name(config->notify), "keys", modes, "colors", colors_object(theme),
                     "palette", palette_object(theme));
}

/* The form has no escapes: what holds a quote stands without. */
static void print_value(const char *key, const char *value, int depth)
{
    const char *quote = strchr(value, '"') ? "" : "\"";
    printf("%*s%s = %s%s%s\n", depth * 4, "", key, quote, value, quote);
}

/* As belljar.conf takes it back. */
static void print_section(const json_t *section, const char *name, int depth)
{
    const char *key;
    json_t *value;
    printf("%*s%s {\n", depth * 4, "", name);
    json_object_foreach((json_t *)section, key, value)
    {
        if (json_is_object(value))
            print_section(value, key, depth + 1);
        else
            print_value(key, json_string_value(value), depth + 1);
    }
    printf("%*s}\n", depth * 4, "");
}

static int show(const struct args *args, const struct bj_paths *paths)
{
    struct bj_error error = {0};
    struct config config;
    struct theme theme;
    if (config_load(&config, paths, &error) < 0 ||
        config_look(&config, paths, NULL, &theme, &error) < 0)
        return report_error(&error);
    json_t *all = as_json(&config, &theme);
    if (args_set(args, "json") || !all)
        return report_json(all);
    static const char *const options[] = {"preset", "theme", "prefix", "notify"};
    for (size_t i = config.preset[0] ? 0 : 1; i < sizeof(options) / sizeof(options[0]); i++)
        call_line(stdout, "%s = \"%s\"", options[i], report_text(all, options[i]));
    static const char *const sections[] = {"keys", "colors", "palette"};
    for (size_t i = 0; i < sizeof(sections) / sizeof(sections[0]); i++) {
        putchar('\n');
        print_section(json_object_get(all, sections[i]), sections[i], 0);
    }
    json_decref(all);
    return report_end();
}

int config_command(const struct args *args, const struct bj_paths *paths)
{
    bool checks = strcmp(args->words[0], "check") == 0;
    if (!checks && args->word_count > 1)
        return report_usage("config: show takes no file");
    return checks ? check(args, paths) : show(args, paths);
}

/* ---- the man page ---- */

void config_scdoc(FILE *out)
{
    for (size_t i = 0; i < keys_count; i++) {
        char option[KEYS_OPTION_MAX];
        const char *and = "";
        keys_option_name(&keys_table[i], option);
        fputs("\n*", out);
        help_escaped(out, option);
        fputs("* (", out);
        for (unsigned mode = 1; mode < KEYS_MODES_END; mode *= 2) {
            if (!(keys_table[i].modes & mode))
                continue;
            fprintf(out, "%s_%s_", and, keys_mode_name((enum key_mode)mode));
            and = ", ";
        }
        fputs(")\n\t", out);
        help_escaped(out, keys_table[i].help);
        fputs(". Default: *", out);
        help_escaped(out, keys_table[i].keys);
        fputs("*\n", out);
    }
}

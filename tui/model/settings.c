#include "tui/model/settings.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define LINE_LIMIT 512

int settings_fail_at(struct bj_error *error, const char *file, int line)
{
    char place[256];
    snprintf(place, sizeof(place), "%.200s:%d", file, line);
    return error ? bj_fail_prefix(error, place) : -EINVAL;
}

static char *trim(char *text)
{
    while (isspace((unsigned char)*text))
        text++;
    size_t size = strlen(text);
    while (size > 0 && isspace((unsigned char)text[size - 1]))
        text[--size] = '\0';
    return text;
}

/* Ends the line at a # that is not inside quotes, and drops a final ; or , outside of them. */
static void strip(char *line)
{
    bool quoted = false;
    for (char *at = line; *at; at++) {
        if (*at == '"')
            quoted = !quoted;
        else if (*at == '#' && !quoted)
            *at = '\0';
        if (!*at)
            break;
    }
    char *rest = trim(line);
    size_t size = strlen(rest);
    if (size > 0 && (rest[size - 1] == ';' || rest[size - 1] == ','))
        rest[size - 1] = '\0';
}

/* key = value, with the quotes taken off. */
static int read_pair(char *line, char **key, char **value, struct bj_error *error)
{
    char *equals = strchr(line, '=');
    if (!equals)
        return bj_fail(error, -EINVAL, "expected `key = value`, `section {` or `}`");
    *equals = '\0';
    *key = trim(line);
    *value = trim(equals + 1);
    if (!**key)
        return bj_fail(error, -EINVAL, "no key before the =");
    size_t size = strlen(*value);
    if (**value == '"') {
        if (size < 2 || (*value)[size - 1] != '"')
            return bj_fail(error, -EINVAL, "the value of %s has an open quote", *key);
        (*value)[size - 1] = '\0';
        ++*value;
    }
    return 0;
}

/* A section begins: its name goes behind the outer one's. */
static int open_section(const char *name, char section[SETTINGS_SECTION_MAX],
                        struct bj_error *error)
{
    size_t used = strlen(section);
    if (strchr(section, '.') || !*name || strchr(name, '.') ||
        used + strlen(name) + 2 > SETTINGS_SECTION_MAX)
        return bj_fail(error, -EINVAL, "a section cannot begin here");
    snprintf(section + used, SETTINGS_SECTION_MAX - used, "%s%s", used ? "." : "", name);
    return 0;
}

static int close_section(char section[SETTINGS_SECTION_MAX], struct bj_error *error)
{
    char *inner = strchr(section, '.');
    if (!section[0])
        return bj_fail(error, -EINVAL, "a } without a section");
    *(inner ? inner : section) = '\0';
    return 0;
}

static int take_line(char *line, int number, char section[SETTINGS_SECTION_MAX],
                     settings_take *take, void *owner, struct bj_error *error)
{
    strip(line);
    line = trim(line);
    size_t size = strlen(line);
    if (size == 0)
        return 0;
    if (strcmp(line, "}") == 0)
        return close_section(section, error);
    if (line[size - 1] == '{' && !strchr(line, '=')) {
        line[size - 1] = '\0';
        int status = open_section(trim(line), section, error);
        return status < 0 ? status : take(owner, section, SETTINGS_SECTION_LINE, "", number, error);
    }
    char *key = NULL, *value = NULL;
    int status = read_pair(line, &key, &value, error);
    return status < 0 ? status : take(owner, section, key, value, number, error);
}

/* With `fault` to the end, else up to the first fault. */
static int parse(const char *text, const char *file, settings_take *take, settings_fault *fault,
                 void *owner, struct bj_error *error)
{
    char section[SETTINGS_SECTION_MAX] = "";
    int number = 0, status = 0;
    while (*text) {
        char line[LINE_LIMIT];
        size_t size = strcspn(text, "\n");
        number++;
        if (size < sizeof(line)) {
            memcpy(line, text, size);
            line[size] = '\0';
            status = take_line(line, number, section, take, owner, error);
        } else {
            status = bj_fail(error, -EINVAL, "a line of more than %d bytes", LINE_LIMIT - 1);
        }
        if (status < 0) {
            settings_fail_at(error, file, number);
            if (!fault)
                return status;
            fault(owner, error);
        }
        text += size + (text[size] == '\n');
    }
    if (!section[0])
        return 0;
    status = bj_fail(error, -EINVAL, "the section %s is not closed", section);
    settings_fail_at(error, file, number);
    if (fault)
        fault(owner, error);
    return status;
}

int settings_parse(const char *text, const char *file, settings_take *take, void *owner,
                   struct bj_error *error)
{
    return parse(text, file, take, NULL, owner, error);
}

void settings_parse_all(const char *text, const char *file, settings_take *take,
                        settings_fault *fault, void *owner)
{
    struct bj_error error = {0};
    parse(text, file, take, fault, owner, &error);
}

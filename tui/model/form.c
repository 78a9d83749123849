#include "tui/model/form.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "transport/api.h"

static const struct {
    const char *label, *help;
    bool completes, kept;
} fields[FORM_FIELDS] = {
    [FORM_COMMAND] = {"Command", "what runs: bash, or 'my agent' --flag", false, true},
    [FORM_AGENT] = {"Agent",
                    "an agent's profile (Tab completes); the command is its further arguments",
                    true, true},
    [FORM_PROMPT] = {"Prompt", "what the agent is told first; with a profile only", false, false},
    [FORM_PROJECT] = {"Project", "a directory; the agent works on a copy (Tab completes)", true,
                      true},
    [FORM_NAME] = {"Name", "letters, digits, - _ . (empty: made up)", false, false},
    [FORM_MEMORY] = {"Memory", "most memory: 512M, 2G; 0 for none (empty: the policy's)", false,
                     true},
    [FORM_CPUS] = {"CPUs", "most cores: 0.5, 2; 0 for none (empty: the policy's)", false, true},
    [FORM_PIDS] = {"Processes", "most processes; 0 for none (empty: the policy's)", false, true},
    [FORM_POLICY] = {"Policy", "a policy file added to your own (Tab completes)", true, true},
    [FORM_RECORD] = {"Recording", "disk for what its screen shows: 64M; no: none (empty: 64M)",
                     false, true},
};

const char *form_label(enum form_field field)
{
    return fields[field].label;
}

const char *form_help(enum form_field field)
{
    return fields[field].help;
}

bool form_completes(enum form_field field)
{
    return fields[field].completes;
}

void form_open(struct form *form)
{
    line_set(&form->line[FORM_NAME], "");
    line_set(&form->line[FORM_PROMPT], "");
    form->open = true;
    form->at = FORM_COMMAND;
    form->hint[0] = '\0';
}

/* ---- keys ---- */

static void go(struct form *form, int by)
{
    form->at = (enum form_field)(((int)form->at + by + FORM_FIELDS) % FORM_FIELDS);
    form->hint[0] = '\0';
}

enum form_outcome form_key(struct form *form, const struct chord *chord)
{
    const char *key = chord->key;
    bool control = chord->mods == BJ_MOD_CTRL;
    if (strcmp(key, "escape") == 0 || (control && (!strcmp(key, "c") || !strcmp(key, "g")))) {
        form->open = false;
        return FORM_LEAVES;
    }
    if (strcmp(key, "enter") == 0)
        return FORM_SUBMITS;
    if (strcmp(key, "up") == 0 || (strcmp(key, "tab") == 0 && chord->mods == BJ_MOD_SHIFT))
        go(form, -1);
    else if (strcmp(key, "down") == 0)
        go(form, 1);
    else if (strcmp(key, "tab") == 0 && form_completes(form->at) && form->line[form->at].size > 0)
        return FORM_COMPLETES;
    else if (strcmp(key, "tab") == 0)
        go(form, 1);
    else if (line_key(&form->line[form->at], chord))
        form->hint[0] = '\0';
    return FORM_STAYS;
}

void form_paste(struct form *form, const char *text, size_t size)
{
    line_insert(&form->line[form->at], text, size);
    form->hint[0] = '\0';
}

/* ---- what it asks for ---- */

/* A number with a unit of `units` behind it, each 1024 times the last; in thousandths if `milli`.
 */
static bool read_number(const char *text, const char *units, double scale, double limit,
                        uint64_t *out)
{
    char *end;
    double value = text[0] >= '0' && text[0] <= '9' ? strtod(text, &end) : -1;
    if (value < 0)
        return false;
    const char *unit = *end ? strchr(units, *end >= 'a' ? *end - 'a' + 'A' : *end) : NULL;
    for (const char *at = units; unit && at <= unit; at++)
        value *= 1024;
    end += unit != NULL;
    value *= scale;
    if (*end || !(value <= limit))
        return false;
    *out = (uint64_t)(value + 0.5);
    return true;
}

static int wrong(struct form *form, enum form_field field, struct bj_error *error)
{
    form->at = field;
    return bj_fail(error, -EINVAL, "%s is not understood: %s", fields[field].label,
                   fields[field].help);
}

static const char *given(const struct form *form, enum form_field field)
{
    return form->line[field].size > 0 ? form->line[field].text : NULL;
}

int form_check(struct form *form, struct form_request *request, struct bj_error *error)
{
    static const struct {
        enum form_field field;
        const char *units;
        double scale, limit;
    } numbers[] = {
        {FORM_MEMORY, "KMGT", 1, 1e18},
        {FORM_CPUS, "", 1000, 1e6},
        {FORM_PIDS, "", 1, 4194304},
        {FORM_RECORD, "KMGT", 1, 1e18},
    };
    *request = (struct form_request){.project = given(form, FORM_PROJECT),
                                     .name = given(form, FORM_NAME),
                                     .policy = given(form, FORM_POLICY),
                                     .agent = given(form, FORM_AGENT),
                                     .prompt = given(form, FORM_PROMPT)};
    bool *const has[] = {&request->has_memory, &request->has_cpus, &request->has_pids,
                         &request->has_record};
    uint64_t *const values[] = {&request->memory, &request->millicpus, &request->pids,
                                &request->record};
    if (line_split(form->line[FORM_COMMAND].text, &request->words, error) < 0) {
        form->at = FORM_COMMAND;
        return -EINVAL;
    }
    if (request->words.count == 0 && !request->agent) {
        form->at = FORM_COMMAND;
        return bj_fail(error, -EINVAL, "no command: for example bash");
    }
    if (request->prompt && !request->agent) {
        form->at = FORM_PROMPT;
        return bj_fail(error, -EINVAL, "a first prompt needs an agent's profile");
    }
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        const char *text = given(form, numbers[i].field);
        if (text && numbers[i].field == FORM_RECORD && strcasecmp(text, "no") == 0)
            text = "0";
        *has[i] = text != NULL;
        if (text &&
            !read_number(text, numbers[i].units, numbers[i].scale, numbers[i].limit, values[i]))
            return wrong(form, numbers[i].field, error);
    }
    return 0;
}

/* ---- like another one ---- */

size_t form_quote(char *out, size_t size, const char *word, size_t word_size)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "_@%+=:,./-";
    bool quoted = word_size == 0;
    for (size_t i = 0; i < word_size; i++)
        quoted |= !strchr(plain, word[i]);
    size_t used = 0;
    if (word_size * 4 + 3 > size)
        return size;
    if (quoted)
        out[used++] = '\'';
    for (size_t i = 0; i < word_size; i++)
        if (word[i] == '\'') {
            memcpy(out + used, "'\\''", 4);
            used += 4;
        } else {
            out[used++] = word[i];
        }
    if (quoted)
        out[used++] = '\'';
    out[used] = '\0';
    return used;
}

static void free_name(char *out, size_t size, const char *name, const struct fleet *fleet)
{
    for (int number = 2; number < 10000; number++) {
        bool taken = false;
        snprintf(out, size, "%.*s-%d", FLEET_NAME_MAX - 8, name, number);
        for (size_t i = 0; i < fleet->count; i++)
            taken |= strcmp(fleet->sandboxes[i]->name, out) == 0;
        for (size_t i = 0; i < fleet->elsewhere; i++)
            taken |= strcmp(fleet->others[i]->name, out) == 0;
        if (!taken)
            return;
    }
    out[0] = '\0';
}

int form_like(struct form *form, const struct sandbox *sandbox, const struct fleet *fleet,
              struct bj_error *error)
{
    char text[64], name[FLEET_NAME_MAX];
    if (sandbox->origin->number > 0)
        return bj_fail(error, -ENOTSUP,
                       "%s is on another host, and sandboxes are started on this one only: use "
                       "belljar run there",
                       sandbox->name);
    if (!sandbox->line[0])
        return bj_fail(error, -ENOTSUP,
                       "the command of %s is too long for the form, or has characters that cannot "
                       "be shown: use belljar run",
                       sandbox->name);
    form_open(form);
    for (int i = 0; i < FORM_FIELDS; i++)
        line_set(&form->line[i], "");
    line_set(&form->line[FORM_COMMAND], sandbox->line);
    line_set(&form->line[FORM_PROJECT], sandbox->project);
    free_name(name, sizeof(name), sandbox->name, fleet);
    line_set(&form->line[FORM_NAME], name);
    const struct {
        enum form_field field;
        uint64_t value, unit;
        const char *word;
    } limits[] = {{FORM_MEMORY, sandbox->limit_memory, 1U << 20, "M"},
                  {FORM_PIDS, sandbox->limit_pids, 1, ""}};
    for (size_t i = 0; i < 2; i++) {
        uint64_t unit = limits[i].value % limits[i].unit ? 1 : limits[i].unit;
        snprintf(text, sizeof(text), "%llu%s", (unsigned long long)(limits[i].value / unit),
                 unit == limits[i].unit ? limits[i].word : "");
        if (limits[i].value)
            line_set(&form->line[limits[i].field], text);
    }
    snprintf(text, sizeof(text), "%g", (double)sandbox->limit_millicpus / 1000);
    if (sandbox->limit_millicpus)
        line_set(&form->line[FORM_CPUS], text);
    return 0;
}

/* ---- remembered ---- */

void form_write(const struct form *form, char out[FORM_TEXT_MAX])
{
    size_t used = 0;
    out[0] = '\0';
    for (int i = 0; i < FORM_FIELDS; i++)
        if (fields[i].kept)
            used += (size_t)snprintf(out + used, FORM_TEXT_MAX - used, "%s %s\n", fields[i].label,
                                     form->line[i].text);
}

void form_read(struct form *form, const char *text)
{
    while (*text) {
        size_t size = strcspn(text, "\n");
        for (int i = 0; i < FORM_FIELDS; i++) {
            size_t label = strlen(fields[i].label);
            if (!fields[i].kept || size <= label || strncmp(text, fields[i].label, label) != 0 ||
                text[label] != ' ')
                continue;
            line_set(&form->line[i], "");
            line_insert(&form->line[i], text + label + 1, size - label - 1);
        }
        text += size + (text[size] == '\n');
    }
}

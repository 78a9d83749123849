#include "tui/model/form.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "transport/api.h"

static const struct {
    const char *label, *param, *help;
    bool completes, kept;
} fields[FORM_FIELDS] = {
    [FORM_COMMAND] = {"Command", "argv", "what runs: bash, or 'my agent' --flag", false, true},
    [FORM_AGENT] = {"Agent", "agent",
                    "an agent's profile (Tab completes); the command is its further arguments",
                    true, true},
    [FORM_PROMPT] = {"Prompt", "prompt", "what the agent is told first; with a profile only", false,
                     false},
    [FORM_PROJECT] = {"Project", "project",
                      "a directory; the agent works on a copy (Tab completes)", true, true},
    [FORM_NAME] = {"Name", "name", "letters, digits, - _ . (empty: made up)", false, false},
    [FORM_MEMORY] = {"Memory", "memory", "most memory: 512M, 2G; 0 for none (empty: the policy's)",
                     false, true},
    [FORM_CPUS] = {"CPUs", "millicpus", "most cores: 0.5, 2; 0 for none (empty: the policy's)",
                   false, true},
    [FORM_PIDS] = {"Processes", "pids", "most processes; 0 for none (empty: the policy's)", false,
                   true},
    [FORM_POLICY] = {"Policy", "policy", "a policy file added to your own (Tab completes)", true,
                     true},
    [FORM_RECORD] = {"Recording", "record_limit",
                     "disk for what its screen shows: 64M; no: none (empty: 64M)", false, true},
};

const char *form_label(enum form_field field)
{
    return fields[field].label;
}

const char *form_help(enum form_field field)
{
    return fields[field].help;
}

const char *form_param(enum form_field field)
{
    return fields[field].param;
}

bool form_completes(enum form_field field)
{
    return fields[field].completes;
}

void form_open(struct form *form)
{
    if (form->like[0])
        memcpy(form->line, form->own, sizeof(form->line));
    form->like[0] = '\0';
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

static bool is_empty(const struct form *form, enum form_field field)
{
    return form->line[field].size == 0;
}

/* What another one is like is not asked for: it has that one's own, a default stays a default. */
static bool is_asked(const struct form *form, enum form_field field)
{
    return !form->like[0] || strcmp(form->line[field].text, form->shown[field].text) != 0;
}

static int check_words(struct form *form, struct form_request *request, struct bj_error *error)
{
    bool agent = !is_empty(form, FORM_AGENT);
    /* The words of a command are no arguments of an agent, until they are shown as such. */
    request->has_words =
        is_asked(form, FORM_COMMAND) || agent != (form->shown[FORM_AGENT].size > 0);
    form->at = FORM_COMMAND;
    if (line_split(form->line[FORM_COMMAND].text, &request->words, error) < 0)
        return -EINVAL;
    if (request->has_words && request->words.count == 0 && !agent)
        return bj_fail(error, -EINVAL, "no command: for example bash");
    form->at = FORM_PROMPT;
    if (!is_empty(form, FORM_PROMPT) && !agent)
        return bj_fail(error, -EINVAL, "a first prompt needs an agent's profile");
    return 0;
}

static int check_number(struct form *form, enum form_field field, struct form_request *request,
                        struct bj_error *error)
{
    static const struct {
        const char *units;
        double scale, limit;
    } numbers[FORM_FIELDS] = {
        [FORM_MEMORY] = {"KMGT", 1, 1e18},
        [FORM_CPUS] = {"", 1000, 1e6},
        [FORM_PIDS] = {"", 1, 4194304},
        [FORM_RECORD] = {"KMGT", 1, 1e18},
    };
    const char *text = form->line[field].text;
    if (field == FORM_RECORD && strcasecmp(text, "no") == 0)
        text = "0";
    request->has[field] = numbers[field].units != NULL;
    return !numbers[field].units || read_number(text, numbers[field].units, numbers[field].scale,
                                                numbers[field].limit, &request->number[field])
               ? 0
               : wrong(form, field, error);
}

int form_check(struct form *form, struct form_request *request, struct bj_error *error)
{
    enum form_field at = form->at;
    *request = (struct form_request){.like = form->like[0] ? form->like : NULL};
    int status = check_words(form, request, error);
    for (int i = 0; status == 0 && i < FORM_FIELDS; i++) {
        enum form_field field = (enum form_field)i;
        if (field == FORM_COMMAND || !is_asked(form, field))
            continue;
        if (!is_empty(form, field)) {
            request->text[field] = form->line[field].text;
            status = check_number(form, field, request, error);
        } else if (form->like[0]) {
            request->without[request->without_count++] = fields[field].param;
        }
    }
    if (status == 0)
        form->at = at;
    return status;
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

static void show_bytes(struct form *form, enum form_field field, uint64_t bytes)
{
    static const char units[] = "KMGT";
    char text[32];
    int unit = 0;
    for (; bytes > 0 && bytes % 1024 == 0 && unit < 4; unit++)
        bytes /= 1024;
    snprintf(text, sizeof(text), "%llu%.1s", (unsigned long long)bytes,
             unit > 0 ? &units[unit - 1] : "");
    line_set(&form->line[field], text);
}

static void show(struct form *form, const struct sandbox *sandbox)
{
    char text[64];
    line_set(&form->line[FORM_COMMAND], sandbox->line);
    line_set(&form->line[FORM_AGENT], sandbox->agent);
    line_set(&form->line[FORM_PROJECT], sandbox->project);
    line_set(&form->line[FORM_POLICY], sandbox->policy);
    show_bytes(form, FORM_MEMORY, sandbox->limit_memory);
    snprintf(text, sizeof(text), "%g", (double)sandbox->limit_millicpus / 1000);
    line_set(&form->line[FORM_CPUS], text);
    snprintf(text, sizeof(text), "%llu", (unsigned long long)sandbox->limit_pids);
    line_set(&form->line[FORM_PIDS], text);
    show_bytes(form, FORM_RECORD, sandbox->record_limit);
    if (sandbox->record_limit == 0)
        line_set(&form->line[FORM_RECORD], "no");
}

int form_like(struct form *form, const struct sandbox *sandbox, const struct fleet *fleet,
              struct bj_error *error)
{
    char name[FLEET_NAME_MAX];
    if (sandbox->origin->number > 0)
        return bj_fail(error, -ENOTSUP,
                       "%s is on another host, and sandboxes are started on this one only: use "
                       "belljar run there",
                       sandbox->name);
    form_open(form);
    memcpy(form->own, form->line, sizeof(form->own));
    snprintf(form->like, sizeof(form->like), "%s", sandbox->id);
    snprintf(form->like_name, sizeof(form->like_name), "%s", sandbox->name);
    for (int i = 0; i < FORM_FIELDS; i++)
        line_set(&form->line[i], "");
    show(form, sandbox);
    memcpy(form->shown, form->line, sizeof(form->shown));
    free_name(name, sizeof(name), sandbox->name, fleet);
    line_set(&form->line[FORM_NAME], name);
    if (sandbox->line_hidden)
        snprintf(form->hint, sizeof(form->hint),
                 "the command of %s is too long to be shown, or has characters that cannot be: it "
                 "is taken as it is unless you type another one",
                 sandbox->name);
    form->bad = false;
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

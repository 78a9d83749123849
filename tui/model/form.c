#include "tui/model/form.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "transport/paths.h"
#include "tui/keymap.h"
#include "tui/model/units.h"

#define WALL_CLOCK_MAX (UINT64_C(366) * 24 * 3600 * 1000)

/* How a line is read. */
enum kind { TEXT, SIZE, CORES, COUNT, DURATION, YES_NO, VARIABLES };

static const struct {
    const char *label, *param, *help;
    enum kind kind;
    bool completes, kept;
} fields[FORM_FIELDS] = {
    [FORM_COMMAND] = {"Command", "argv", "what runs: bash, or 'my agent' --flag", TEXT, false,
                      true},
    [FORM_AGENT] =
        {"Agent", "agent",
         "an agent's profile ({line complete} completes); the command is its further arguments",
         TEXT, true, true},
    [FORM_PROMPT] = {"Prompt", "prompt", "what the agent is told first; with a profile or ACP only",
                     TEXT, false, false},
    [FORM_ACP] = {"ACP", NULL,
                  "yes: speak the Agent Client Protocol with it, a transcript (empty: no)", YES_NO,
                  false, true},
    [FORM_PROJECT] = {"Project", "project",
                      "a directory; the agent works on a copy ({line complete} completes)", TEXT,
                      true, true},
    [FORM_NAME] = {"Name", "name", "letters, digits, - _ . (empty: made up)", TEXT, false, false},
    [FORM_WALL] = {"Wall", "driver",
                   "how the wall is built ({line complete} completes; empty: bwrap)", TEXT, true,
                   true},
    [FORM_MEMORY] = {"Memory", "memory", "most memory: 512M, 2G; 0 for none (empty: the policy's)",
                     SIZE, false, true},
    [FORM_CPUS] = {"CPUs", "millicpus", "most cores: 0.5, 2; 0 for none (empty: the policy's)",
                   CORES, false, true},
    [FORM_PIDS] = {"Processes", "pids", "most processes; 0 for none (empty: the policy's)", COUNT,
                   false, true},
    [FORM_DISK] = {"Disk", "disk",
                   "most of project copy and home together: 4G; 0 for none (empty: the policy's)",
                   SIZE, false, true},
    [FORM_EGRESS] = {"Egress", "egress",
                     "most over the network in an hour: 500M; 0 for none (empty: the policy's)",
                     SIZE, false, true},
    [FORM_CLOCK] = {"Wall clock", "wall_clock",
                    "paused once after this time: 30m, 8h; 0 for never (empty: the policy's)",
                    DURATION, false, true},
    [FORM_POLICY] = {"Policy", "policy",
                     "a policy file added to your own ({line complete} completes)", TEXT, true,
                     true},
    [FORM_ENV] = {"Env", "env", "variables: NAME=VALUE 'OTHER=two words' (not remembered)",
                  VARIABLES, false, false},
    [FORM_RECORD] = {"Recording", "record_limit",
                     "disk for what its screen shows: 64M; no: none (empty: 64M)", SIZE, false,
                     true},
};

const char *form_label(enum form_field field)
{
    return fields[field].label;
}

void form_help(const struct form *form, char *out, size_t size)
{
    if (form->at == FORM_ENV && form->like[0] && form->variables[0])
        snprintf(out, size, "NAME=VALUE; it has those of %s, unless they are given here: %s",
                 form->like_name, form->variables);
    else
        snprintf(out, size, "%s", keys_say(KEYS_LINE, fields[form->at].help).text);
}

const char *form_param(enum form_field field)
{
    return fields[field].param;
}

bool form_completes(enum form_field field)
{
    return fields[field].completes;
}

void form_refuse(struct form *form, const char *why)
{
    form->refused = true;
    form->bad = true;
    snprintf(form->hint, sizeof(form->hint), "%.250s", why);
}

void form_open(struct form *form)
{
    form->open = true;
    if (form->refused)
        return;
    if (form->like[0])
        memcpy(form->line, form->own, sizeof(form->line));
    form->like[0] = '\0';
    line_set(&form->line[FORM_NAME], "");
    line_set(&form->line[FORM_PROMPT], "");
    line_set(&form->line[FORM_ENV], "");
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
    switch (keys_find(KEYS_LINE, chord)) {
    case ACTION_LINE_LEAVE:
        form->open = form->refused = false;
        return FORM_LEAVES;
    case ACTION_LINE_ENTER:
        return FORM_SUBMITS;
    case ACTION_LINE_UP:
        go(form, -1);
        break;
    case ACTION_LINE_COMPLETE:
        if (form_completes(form->at))
            return FORM_COMPLETES;
        go(form, 1);
        break;
    case ACTION_LINE_DOWN:
        go(form, 1);
        break;
    default:
        if (line_key(&form->line[form->at], chord))
            form->hint[0] = '\0';
    }
    return FORM_STAYS;
}

void form_paste(struct form *form, const char *text, size_t size)
{
    line_insert(&form->line[form->at], text, size);
    form->hint[0] = '\0';
}

/* ---- what it asks for ---- */

static bool is_empty(const struct form *form, enum form_field field)
{
    return form->line[field].size == 0;
}

static bool is_changed(const struct form *form, enum form_field field)
{
    return !form->like[0] || strcmp(form->line[field].text, form->shown[field].text) != 0;
}

/* What another one is like is not asked for: it has that one's own, a default stays a default. */
static bool is_asked(const struct form *form, enum form_field field)
{
    return is_changed(form, field) || (field == FORM_AGENT && is_changed(form, FORM_ACP));
}

/* Goes to the line that is wrong. */
static int wrong(struct form *form, enum form_field field, struct bj_error *error)
{
    form->at = field;
    return bj_fail(error, -EINVAL, "%s is not understood: %s", fields[field].label,
                   fields[field].help);
}

static bool read_yes(const char *text, bool *yes)
{
    *yes = strcasecmp(text, "yes") == 0;
    return *yes || !text[0] || strcasecmp(text, "no") == 0;
}

/* The words of a command are no arguments of an agent, until they are shown as such. */
static bool words_asked(const struct form *form)
{
    bool agent = !is_empty(form, FORM_AGENT);
    return is_asked(form, FORM_COMMAND) || agent != (form->shown[FORM_AGENT].size > 0) ||
           (!agent && is_changed(form, FORM_ACP));
}

/* As `belljar run --acp` does it: a profile of its own, else the program that speaks it. */
static void take_words(const struct form *form, struct form_request *request, bool acp)
{
    const struct words *words = &request->words;
    bool bare = acp && is_empty(form, FORM_AGENT);
    if (bare && strcmp(words->word[0], BJ_ACP_INSIDE) != 0)
        request->argv[request->argc++] = BJ_ACP_INSIDE;
    for (size_t i = 0; i < words->count; i++)
        request->argv[request->argc++] = words->word[i];
    if (bare && !is_empty(form, FORM_PROMPT)) {
        request->argv[request->argc++] = "::";
        request->argv[request->argc++] = "--prompt";
        request->argv[request->argc++] = form->line[FORM_PROMPT].text;
    }
}

static int check_words(struct form *form, struct form_request *request, struct bj_error *error)
{
    bool agent = !is_empty(form, FORM_AGENT), acp;
    if (!read_yes(form->line[FORM_ACP].text, &acp))
        return wrong(form, FORM_ACP, error);
    request->has_argv = words_asked(form);
    form->at = FORM_COMMAND;
    if (line_split(form->line[FORM_COMMAND].text, &request->words, error) < 0)
        return -EINVAL;
    if (request->has_argv && request->words.count == 0 && !agent)
        return bj_fail(error, -EINVAL, "no command: for example bash");
    form->at = FORM_PROMPT;
    if (!is_empty(form, FORM_PROMPT) && !agent && !acp)
        return bj_fail(error, -EINVAL, "a first prompt needs an agent's profile, or ACP");
    if (!is_empty(form, FORM_PROMPT) && !agent && !request->has_argv)
        return bj_fail(error, -EINVAL, "its command has its prompt: change the command");
    if (request->has_argv)
        take_words(form, request, acp);
    if (agent && acp)
        snprintf(request->agent, sizeof(request->agent), "%s-acp", form->line[FORM_AGENT].text);
    return 0;
}

static int check_variables(struct form *form, struct form_request *request, struct bj_error *error)
{
    form->at = FORM_ENV;
    if (line_split(form->line[FORM_ENV].text, &request->variables, error) < 0)
        return -EINVAL;
    for (size_t i = 0; i < request->variables.count; i++)
        if (strcspn(request->variables.word[i], "=") == 0 ||
            !strchr(request->variables.word[i], '='))
            return bj_fail(error, -EINVAL, "'%.64s' is not NAME=VALUE", request->variables.word[i]);
    return 0;
}

static int check_number(struct form *form, enum form_field field, uint64_t *number,
                        struct bj_error *error)
{
    const char *text = form->line[field].text;
    int status = 0;
    if (field == FORM_RECORD && strcasecmp(text, "no") == 0)
        text = "0";
    form->at = field;
    if (fields[field].kind == SIZE)
        status = unit_size(text, INT64_MAX, number, error);
    else if (fields[field].kind == CORES)
        status = unit_milli(text, 1000000, number, error);
    else if (fields[field].kind == COUNT)
        status = unit_count(text, 4194304, number, error);
    else if ((status = unit_duration(text, WALL_CLOCK_MAX, number, error)) == 0)
        *number = (*number + 999) / 1000; /* 0 is no limit, so never rounded to it */
    return status < 0 ? wrong(form, field, error) : 0;
}

static int check_field(struct form *form, enum form_field field, struct form_request *request,
                       struct bj_error *error)
{
    switch (fields[field].kind) {
    case YES_NO:
        return 0;
    case VARIABLES:
        return check_variables(form, request, error);
    case TEXT:
        request->text[field] = form->line[field].text;
        if (field == FORM_AGENT && request->agent[0])
            request->text[field] = request->agent;
        if (field == FORM_PROMPT && is_empty(form, FORM_AGENT)) /* it is among the words */
            request->text[field] = NULL;
        return 0;
    default:
        request->has[field] = true;
        return check_number(form, field, &request->number[field], error);
    }
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
        if (!is_empty(form, field))
            status = check_field(form, field, request, error);
        else if (request->like && fields[field].param)
            request->without[request->without_count++] = fields[field].param;
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

/* Units that a figure is shown in as long as nothing of it is lost, each so many of the one before.
 */
struct unit {
    unsigned of;
    const char *name;
};

static void show_number(struct form *form, enum form_field field, uint64_t number,
                        const struct unit *units, int count)
{
    char text[32];
    const char *name = "";
    for (int i = 0; i < count && number > 0 && number % units[i].of == 0; i++) {
        number /= units[i].of;
        name = units[i].name;
    }
    snprintf(text, sizeof(text), "%llu%s", (unsigned long long)number, name);
    line_set(&form->line[field], text);
}

static void show_agent(struct form *form, const char *agent)
{
    static const char ending[] = "-acp";
    size_t size = strlen(agent), cut = sizeof(ending) - 1;
    line_set(&form->line[FORM_AGENT], agent);
    if (size <= cut || strcmp(agent + size - cut, ending) != 0)
        return;
    line_set(&form->line[FORM_AGENT], "");
    line_insert(&form->line[FORM_AGENT], agent, size - cut);
    line_set(&form->line[FORM_ACP], "yes");
}

static void show(struct form *form, const struct sandbox *sandbox)
{
    static const struct unit bytes[] = {{1024, "K"}, {1024, "M"}, {1024, "G"}, {1024, "T"}};
    static const struct unit seconds[] = {{60, "m"}, {60, "h"}, {24, "d"}};
    char text[64];
    line_set(&form->line[FORM_COMMAND], sandbox->line);
    show_agent(form, sandbox->agent);
    line_set(&form->line[FORM_PROJECT], sandbox->project);
    line_set(&form->line[FORM_WALL], sandbox->driver);
    line_set(&form->line[FORM_POLICY], sandbox->policy);
    snprintf(text, sizeof(text), "%g", (double)sandbox->limit_millicpus / 1000);
    line_set(&form->line[FORM_CPUS], text);
    show_number(form, FORM_MEMORY, sandbox->limit_memory, bytes, 4);
    show_number(form, FORM_PIDS, sandbox->limit_pids, NULL, 0);
    show_number(form, FORM_DISK, sandbox->limit_disk, bytes, 4);
    show_number(form, FORM_EGRESS, sandbox->limit_egress, bytes, 4);
    show_number(form, FORM_CLOCK, sandbox->limit_clock, seconds, 3);
    show_number(form, FORM_RECORD, sandbox->record_limit, bytes, 4);
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
    form->refused = false;
    form_open(form);
    memcpy(form->own, form->line, sizeof(form->own));
    snprintf(form->like, sizeof(form->like), "%s", sandbox->id);
    snprintf(form->like_name, sizeof(form->like_name), "%s", sandbox->name);
    snprintf(form->variables, sizeof(form->variables), "%s", sandbox->variables);
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

static void read_line(struct form *form, const char *text, size_t size)
{
    int field = -1;
    size_t label = 0;
    for (int i = 0; i < FORM_FIELDS; i++) {
        size_t length = strlen(fields[i].label);
        if (length < size && length > label && text[length] == ' ' &&
            strncmp(text, fields[i].label, length) == 0) {
            field = i; /* "Wall clock", not "Wall" */
            label = length;
        }
    }
    if (field < 0 || !fields[field].kept)
        return;
    line_set(&form->line[field], "");
    line_insert(&form->line[field], text + label + 1, size - label - 1);
}

void form_read(struct form *form, const char *text)
{
    while (*text) {
        size_t size = strcspn(text, "\n");
        read_line(form, text, size);
        text += size + (text[size] == '\n');
    }
}

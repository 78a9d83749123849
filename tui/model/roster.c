#include "tui/model/roster.h"

#include <stdio.h>
#include <string.h>

static const char *const names[ROSTER_KEYS] = {"state", "name", "cpu",      "memory", "procs",
                                               "net",   "age",  "requests", "alerts", "project"};

const char *roster_key_name(enum roster_key key)
{
    return names[key];
}

void roster_sorted(const struct roster *roster, char out[ROSTER_SORT_MAX])
{
    snprintf(out, ROSTER_SORT_MAX, "%s%s", roster->reversed ? "-" : "", names[roster->key]);
}

void roster_sort_as(struct roster *roster, const char *sort)
{
    bool reversed = sort[0] == '-';
    for (int i = 0; i < ROSTER_KEYS; i++)
        if (strcmp(names[i], sort + reversed) == 0) {
            roster->key = (enum roster_key)i;
            roster->reversed = reversed;
        }
}

/* ---- filter ---- */

struct word {
    bool negated;
    enum { IN_ANY, IN_NAME, IN_PROJECT, IN_STATE, IN_HOST } where;
    char text[ROSTER_FILTER_MAX];
};

static const char *read_word(const char *at, struct word *word)
{
    static const struct {
        const char *prefix;
        int where;
    } places[] = {
        {"name:", IN_NAME}, {"project:", IN_PROJECT}, {"state:", IN_STATE}, {"host:", IN_HOST}};
    at += strspn(at, " ");
    size_t size = strcspn(at, " ");
    const char *next = at + size;
    *word = (struct word){.negated = size > 1 && *at == '-'};
    at += word->negated;
    size -= word->negated;
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        size_t length = strlen(places[i].prefix);
        if (size >= length && strncmp(at, places[i].prefix, length) == 0) {
            word->where = places[i].where;
            at += length;
            size -= length;
        }
    }
    snprintf(word->text, sizeof(word->text), "%.*s", (int)size, at);
    return next;
}

static bool word_fits(const struct sandbox *sandbox, const struct word *word)
{
    char state[FORMAT_MAX];
    sandbox_state_text(sandbox, false, state);
    const char *host = sandbox->origin->number > 0 ? sandbox->origin->label : "local";
    const char *places[] = {sandbox->name, sandbox->project, state, host, sandbox->command};
    bool found = false;
    for (int i = 0; i < 5 && !found; i++)
        if ((int)word->where == i + 1 || (word->where == IN_ANY && i != IN_HOST - 1))
            found = strcasestr(places[i], word->text) != NULL;
    return found != word->negated;
}

bool roster_matches(const struct sandbox *sandbox, const char *filter)
{
    while (*(filter += strspn(filter, " "))) {
        struct word word;
        filter = read_word(filter, &word);
        if (word.text[0] && !word_fits(sandbox, &word))
            return false;
    }
    return true;
}

/* ---- order ---- */

static double figure(uint64_t value)
{
    return value == FIGURE_UNKNOWN ? -1 : (double)value;
}

/* What comes first has the greater number. */
static double weight(const struct fleet *fleet, const struct sandbox *sandbox, enum roster_key key)
{
    const struct figures *figures = &sandbox->figures;
    size_t open;
    switch (key) {
    case ROSTER_CPU:
        return sandbox_alive(sandbox) ? figures->cpu : -2;
    case ROSTER_MEMORY:
        return sandbox_alive(sandbox) ? figure(figures->memory) : -2;
    case ROSTER_PIDS:
        return sandbox_alive(sandbox) ? figure(figures->pids) : -2;
    case ROSTER_NET:
        return figure(figures->net_in) + figure(figures->net_out);
    case ROSTER_AGE:
        return -sandbox->created;
    case ROSTER_REQUESTS:
        fleet_request(fleet, sandbox->id, &open);
        return (double)open;
    case ROSTER_ALERTS:
        return sandbox->alerts;
    default:
        return 0;
    }
}

static int compare(const struct fleet *fleet, const struct sandbox *one,
                   const struct sandbox *other, enum roster_key key)
{
    if (key == ROSTER_NAME)
        return strcasecmp(one->name, other->name);
    if (key == ROSTER_PROJECT)
        return strcasecmp(one->project, other->project);
    if (key == ROSTER_NEED)
        return state_compare(&one->doing, &other->doing);
    double mine = weight(fleet, one, key), its = weight(fleet, other, key);
    return mine > its ? -1 : mine < its;
}

static bool before(const struct roster *roster, const struct fleet *fleet, size_t one, size_t other)
{
    int order = compare(fleet, fleet->sandboxes[one], fleet->sandboxes[other], roster->key);
    order = roster->reversed ? -order : order;
    return order < 0 || (order == 0 && one < other);
}

static void remember(struct roster *roster, const struct fleet *fleet)
{
    if (roster->count == 0)
        roster->at_id[0] = '\0';
    else
        memcpy(roster->at_id, fleet->sandboxes[roster->row[roster->at]]->id, FLEET_ID_MAX);
}

void roster_make(struct roster *roster, const struct fleet *fleet)
{
    roster->count = 0;
    for (size_t i = 0; i < fleet->count; i++) {
        if (!roster_matches(fleet->sandboxes[i], roster->filter))
            continue;
        size_t at = roster->count++;
        for (; at > 0 && before(roster, fleet, i, roster->row[at - 1]); at--)
            roster->row[at] = roster->row[at - 1];
        roster->row[at] = i;
    }
    for (size_t i = 0; i < roster->count; i++)
        if (strcmp(fleet->sandboxes[roster->row[i]]->id, roster->at_id) == 0)
            roster->at = i;
    if (roster->at >= roster->count)
        roster->at = roster->count ? roster->count - 1 : 0;
    remember(roster, fleet);
}

void roster_move(struct roster *roster, const struct fleet *fleet, int64_t by)
{
    int64_t at = (int64_t)roster->at + by, last = (int64_t)roster->count - 1;
    roster->at = (size_t)(at < 0 || last < 0 ? 0 : at > last ? last : at);
    remember(roster, fleet);
}

void roster_put(struct roster *roster, const struct fleet *fleet, const char *id)
{
    snprintf(roster->at_id, sizeof(roster->at_id), "%s", id);
    roster_make(roster, fleet);
}

void roster_sort(struct roster *roster, int by)
{
    roster->key = (enum roster_key)(((int)roster->key + by + ROSTER_KEYS) % ROSTER_KEYS);
}

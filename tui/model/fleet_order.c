#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "tui/model/fleet_parts.h"
#include "tui/model/text.h"

/* ---- the order ---- */

static size_t order_rank(const struct fleet *fleet, const char *id)
{
    for (size_t i = 0; i < fleet->order_count; i++)
        if (strcmp(fleet->order[i], id) == 0)
            return i;
    return fleet->order_count;
}

static bool in_tab(const struct fleet *fleet, const struct sandbox *sandbox)
{
    return !fleet->tabbed || strcmp(sandbox->project, fleet->tab) == 0;
}

/* Those of the tab, pinned ones first, then as the human wants it; what is equal stays as it was
 * saved, then by age. */
static bool before(const struct fleet *fleet, const struct sandbox *one,
                   const struct sandbox *other)
{
    if (in_tab(fleet, one) != in_tab(fleet, other))
        return in_tab(fleet, one);
    if (one->pinned != other->pinned)
        return one->pinned;
    if (fleet->sorting == FLEET_NEED && one->need != other->need)
        return one->need < other->need;
    int project = fleet->sorting == FLEET_PROJECT ? strcasecmp(one->project, other->project) : 0;
    if (project != 0)
        return project < 0;
    size_t mine = order_rank(fleet, one->id), its = order_rank(fleet, other->id);
    return mine != its ? mine < its : one->created < other->created;
}

/* Insertion: it is sorted but for one, mostly. */
void fleet_sort(struct fleet *fleet)
{
    for (size_t i = 1; i < fleet->count; i++) {
        struct sandbox *moving = fleet->sandboxes[i];
        size_t at = i;
        for (; at > 0 && before(fleet, moving, fleet->sandboxes[at - 1]); at--)
            fleet->sandboxes[at] = fleet->sandboxes[at - 1];
        fleet->sandboxes[at] = moving;
    }
    fleet->shown = 0;
    while (fleet->shown < fleet->count && in_tab(fleet, fleet->sandboxes[fleet->shown]))
        fleet->shown++;
    if (fleet->tabbed && fleet->shown == 0)
        fleet_tab(fleet, NULL); /* the last one of it has gone */
}

void fleet_set_order(struct fleet *fleet, const msgpack_object *ids, size_t pinned)
{
    if (!ids || ids->type != MSGPACK_OBJECT_ARRAY)
        return;
    fleet->order_count = 0;
    for (uint32_t i = 0; i < ids->via.array.size && i < FLEET_SANDBOXES_MAX; i++) {
        const msgpack_object *id = &ids->via.array.ptr[i];
        if (id->type == MSGPACK_OBJECT_STR && id->via.str.size < FLEET_ID_MAX)
            text_clean(fleet->order[fleet->order_count++], FLEET_ID_MAX, id->via.str.ptr,
                       id->via.str.size);
    }
    fleet->order_pinned = pinned < fleet->order_count ? pinned : fleet->order_count;
    for (size_t i = 0; i < fleet->count; i++)
        if (fleet->sandboxes[i]->origin->number == 0) /* no session keeps those of other hosts */
            fleet->sandboxes[i]->pinned = fleet_is_pinned(fleet, fleet->sandboxes[i]->id);
    fleet_sort(fleet);
}

bool fleet_is_pinned(const struct fleet *fleet, const char *id)
{
    return order_rank(fleet, id) < fleet->order_pinned;
}

size_t fleet_saved(const struct fleet *fleet, const char *ids[FLEET_SANDBOXES_MAX], size_t *pinned)
{
    size_t count = 0;
    *pinned = 0;
    for (size_t i = 0; i < fleet->order_count; i++) {
        const struct sandbox *sandbox = fleet_find(fleet, fleet->order[i]);
        if (!sandbox)
            continue;
        ids[count++] = sandbox->id;
        *pinned += i < fleet->order_pinned;
    }
    for (size_t i = 0; i < fleet->count; i++)
        if (order_rank(fleet, fleet->sandboxes[i]->id) == fleet->order_count)
            ids[count++] = fleet->sandboxes[i]->id;
    return count;
}

/* All of them as the human put them, while no other way and no tab counts. */
static void own_order(struct fleet *fleet, const struct sandbox *first)
{
    enum fleet_sorting sorting = fleet->sorting;
    bool tabbed = fleet->tabbed;
    fleet->sorting = FLEET_OWN;
    fleet->tabbed = false;
    fleet_sort(fleet);
    fleet->order_count = fleet->order_pinned = 0;
    for (int pass = 0; pass < 3; pass++) /* pinned ones, the first of the others, the rest */
        for (size_t i = 0; i < fleet->count; i++) {
            const struct sandbox *sandbox = fleet->sandboxes[i];
            if (pass != (sandbox->pinned ? 0 : sandbox == first ? 1 : 2))
                continue;
            memcpy(fleet->order[fleet->order_count++], sandbox->id, FLEET_ID_MAX);
            fleet->order_pinned += sandbox->pinned;
        }
    fleet->sorting = sorting;
    fleet->tabbed = tabbed;
}

void fleet_promote(struct fleet *fleet, size_t index)
{
    if (index >= fleet->count)
        return;
    own_order(fleet, fleet->sandboxes[index]);
    fleet->sorting = FLEET_OWN;
    fleet_sort(fleet);
}

void fleet_pin(struct fleet *fleet, struct sandbox *sandbox)
{
    sandbox->pinned = !sandbox->pinned;
    own_order(fleet, NULL);
    fleet_sort(fleet);
}

bool fleet_settle(struct fleet *fleet)
{
    struct sandbox *ranked[FLEET_SANDBOXES_MAX];
    bool changed = false;
    if (fleet->sorting != FLEET_NEED)
        return false;
    for (size_t i = 0; i < fleet->count; i++) {
        size_t at = i;
        for (; at > 0 && state_compare(&fleet->sandboxes[i]->doing, &ranked[at - 1]->doing) < 0;
             at--)
            ranked[at] = ranked[at - 1];
        ranked[at] = fleet->sandboxes[i];
    }
    for (size_t i = 0; i < fleet->count; i++) {
        changed |= ranked[i]->need != i;
        ranked[i]->need = i;
    }
    if (changed)
        fleet_sort(fleet);
    return changed;
}

static const char *const sorting_words[] = {
    [FLEET_OWN] = "own",
    [FLEET_NEED] = "need",
    [FLEET_PROJECT] = "project",
};

const char *fleet_sorting_word(enum fleet_sorting sorting)
{
    return sorting_words[sorting];
}

enum fleet_sorting fleet_sorting_find(const char *word)
{
    for (int i = 0; i < FLEET_SORTINGS; i++)
        if (strcmp(sorting_words[i], word) == 0)
            return (enum fleet_sorting)i;
    return FLEET_OWN;
}

void fleet_set_sorting(struct fleet *fleet, enum fleet_sorting sorting)
{
    fleet->sorting = sorting;
    fleet_settle(fleet);
    fleet_sort(fleet);
}

const char *fleet_order_by(struct fleet *fleet)
{
    static const char *const said[] = {
        [FLEET_OWN] = "panes as you put them",
        [FLEET_NEED] = "panes by need, while you press no key",
        [FLEET_PROJECT] = "panes by project",
    };
    fleet_set_sorting(fleet, (enum fleet_sorting)((fleet->sorting + 1) % FLEET_SORTINGS));
    return said[fleet->sorting];
}

/* ---- tabs ---- */

size_t fleet_tabs(const struct fleet *fleet, struct fleet_tab tabs[FLEET_TABS_MAX])
{
    size_t count = 0;
    for (size_t i = 0; i < fleet->count; i++) {
        const struct sandbox *sandbox = fleet->sandboxes[i];
        size_t at = 0;
        while (at < count && strcasecmp(tabs[at].project, sandbox->project) < 0)
            at++;
        bool known = at < count && strcmp(tabs[at].project, sandbox->project) == 0;
        if (!known && count == FLEET_TABS_MAX)
            continue;
        if (!known) {
            memmove(&tabs[at + 1], &tabs[at], (count++ - at) * sizeof(tabs[0]));
            tabs[at] = (struct fleet_tab){.project = sandbox->project};
        }
        tabs[at].count++;
        if (!state_needs(sandbox->doing.doing))
            continue;
        if (tabs[at].need++ == 0 || sandbox->doing.doing == DOING_VERDICT)
            tabs[at].doing = sandbox->doing.doing;
    }
    return count;
}

void fleet_tab(struct fleet *fleet, const char *project)
{
    fleet->tabbed = project != NULL;
    snprintf(fleet->tab, sizeof(fleet->tab), "%s", project ? project : "");
    fleet_sort(fleet);
}

bool fleet_tab_move(struct fleet *fleet, int by)
{
    struct fleet_tab tabs[FLEET_TABS_MAX];
    size_t count = fleet_tabs(fleet, tabs), at = 0;
    if (count < 2)
        return false;
    for (size_t i = 0; fleet->tabbed && i < count; i++)
        if (strcmp(tabs[i].project, fleet->tab) == 0)
            at = i + 1; /* before all of them: no tab */
    at = (size_t)((int)(at + count + 1) + by) % (count + 1);
    fleet_tab(fleet, at == 0 ? NULL : tabs[at - 1].project);
    return true;
}

const char *fleet_project_name(const char *project)
{
    const char *slash = strrchr(project, '/');
    return !project[0] ? "no project" : slash && slash[1] ? slash + 1 : project;
}

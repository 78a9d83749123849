#include "tui/model/palette.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "tui/keymap.h"

/* What is worth more than any score within it. */
#define BY_NAME   1000
#define BY_WORDS  2000 /* sure from here on */
#define BY_PREFIX 3000
#define BY_WHOLE  4000

static bool is_gap(char c)
{
    return c == ' ' || c == '-';
}

int palette_score(const char *letters, const char *text)
{
    int score = 0, run = 0;
    bool start = true; /* of a word */
    const char *at = text;
    for (; *letters; letters++) {
        if (*letters == ' ')
            continue;
        bool found = false;
        for (; *at && !found; at++) {
            if (tolower((unsigned char)*at) == tolower((unsigned char)*letters)) {
                found = true;
                run++;
                score += run * 3 + (start ? 8 : 0);
            } else {
                run = 0;
                score--;
            }
            start = is_gap(*at);
        }
        if (!found)
            return -1;
    }
    score -= (int)strlen(at); /* of two that fit, the shorter */
    return score + 200 > 0 ? score + 200 : 0;
}

bool palette_begins(const char *letters, const char *text)
{
    while (is_gap(*letters))
        letters++;
    if (!*letters)
        return true;
    /* The next run of letters begins here, or a word further on. */
    while (*text) {
        while (is_gap(*text))
            text++;
        for (size_t i = 0;
             letters[i] && tolower((unsigned char)letters[i]) == tolower((unsigned char)text[i]);
             i++)
            if (palette_begins(letters + i + 1, text + i + 1 + strcspn(text + i + 1, " -")))
                return true;
        text += strcspn(text, " -");
    }
    return false;
}

static bool is_command(const struct key_action *action)
{
    return (action->modes & KEYS_SUPERVISE) && action->action != ACTION_NUMBER &&
           action->action != ACTION_PALETTE;
}

static const struct palette_command *command_of(const char *name)
{
    for (size_t i = 0; i < palette_commands_count; i++)
        if (strcmp(palette_commands[i].name, name) == 0)
            return &palette_commands[i];
    return NULL;
}

/* The i-th of all that have a name, those of the key table first. False: there is none. */
static bool nth(size_t i, struct palette_hit *hit)
{
    *hit = (struct palette_hit){0};
    if (i < keys_count) {
        const struct key_action *key = &keys_table[i];
        if (is_command(key))
            *hit =
                (struct palette_hit){key->name, key->help, key->action, command_of(key->name), 0};
        return true;
    }
    if (i >= keys_count + palette_commands_count)
        return false;
    const struct palette_command *command = &palette_commands[i - keys_count];
    const struct key_action *key = keys_action(command->action);
    *hit = (struct palette_hit){command->name,
                                command->help ? command->help
                                : key         ? key->help
                                              : "",
                                command->action, command, 0};
    return true;
}

static int score(const char *letters, const struct palette_hit *hit)
{
    int fit = palette_score(letters, hit->name);
    if (!*letters)
        return BY_WHOLE; /* in the order of the tables */
    if (fit < 0)
        return strcasestr(hit->help, letters) ? 0 : -1;
    if (strcasecmp(letters, hit->name) == 0)
        return BY_WHOLE;
    if (strncasecmp(letters, hit->name, strlen(letters)) == 0)
        return BY_PREFIX + fit;
    return (palette_begins(letters, hit->name) ? BY_WORDS : BY_NAME) + fit;
}

/* What the dashboard does is there once, under that of its names which fits best. */
static void add(struct palette *palette, const struct palette_hit *hit)
{
    for (size_t i = 0; i < palette->count && hit->action != ACTION_NONE; i++) {
        if (palette->hit[i].action != hit->action)
            continue;
        if (palette->hit[i].score >= hit->score)
            return;
        memmove(&palette->hit[i], &palette->hit[i + 1],
                (--palette->count - i) * sizeof(palette->hit[0]));
        break;
    }
    if (palette->count == PALETTE_MAX)
        return;
    size_t at = palette->count++;
    for (; at > 0 && palette->hit[at - 1].score < hit->score; at--)
        palette->hit[at] = palette->hit[at - 1];
    palette->hit[at] = *hit;
}

/* A whole name with something behind it, and no longer name begins so. */
static bool with_argument(struct palette *palette)
{
    const char *text = palette->line.text;
    struct palette_hit hit, named = {0};
    size_t size = strlen(text), longest = 0;
    while (size > 0 && text[size - 1] == ' ')
        size--;
    for (size_t i = 0; nth(i, &hit); i++) {
        size_t length = hit.name ? strlen(hit.name) : 0;
        if (length == 0)
            continue;
        if (length >= size && strncasecmp(text, hit.name, size) == 0)
            return false;
        if (length > longest && length < size && text[length] == ' ' &&
            strncasecmp(text, hit.name, length) == 0) {
            longest = length;
            named = hit;
        }
    }
    if (longest == 0)
        return false;
    palette->hit[0] = named;
    palette->hit[0].score = BY_WHOLE;
    palette->count = 1;
    palette->argument = text + longest + strspn(text + longest, " ");
    return true;
}

void palette_make(struct palette *palette)
{
    struct palette_hit hit;
    palette->count = palette->at = 0;
    palette->argument = "";
    bool whole = with_argument(palette);
    for (size_t i = 0; !whole && nth(i, &hit); i++) {
        hit.score = hit.name ? score(palette->line.text, &hit) : -1;
        if (hit.score >= 0)
            add(palette, &hit);
    }
    palette->chosen = palette->count > 0 && palette->hit[0].score >= BY_WORDS;
}

void palette_open(struct palette *palette)
{
    *palette = (struct palette){.open = true};
    palette_make(palette);
}

static void move(struct palette *palette, bool down)
{
    size_t count = palette->count;
    if (count == 0)
        return;
    if (!palette->chosen)
        palette->at = down ? 0 : count - 1;
    else
        palette->at = (palette->at + (down ? 1 : count - 1)) % count;
    palette->chosen = true;
}

enum palette_outcome palette_key(struct palette *palette, const struct chord *chord)
{
    enum action action = keys_find(KEYS_LINE, chord);
    if (action == ACTION_LINE_ERASE && palette->line.size == 0)
        action = ACTION_LINE_LEAVE;
    switch (action) {
    case ACTION_LINE_LEAVE:
        palette->open = false;
        return PALETTE_LEAVES;
    case ACTION_LINE_ENTER:
        palette->open = !palette->chosen;
        return palette->chosen ? PALETTE_RUNS : PALETTE_UNSURE;
    case ACTION_LINE_UP:
    case ACTION_LINE_DOWN:
        move(palette, action == ACTION_LINE_DOWN);
        break;
    case ACTION_LINE_COMPLETE:
        if (palette->count > 0 && !*palette->argument) {
            line_set(&palette->line, palette->hit[palette->at].name);
            palette_make(palette);
        }
        break;
    default:
        if (line_key(&palette->line, chord))
            palette_make(palette);
    }
    return PALETTE_STAYS;
}

void palette_paste(struct palette *palette, const char *text, size_t size)
{
    line_insert(&palette->line, text, size);
    palette_make(palette);
}

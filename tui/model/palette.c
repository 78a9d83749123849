#include "tui/model/palette.h"

#include <ctype.h>
#include <string.h>

#include "transport/api.h"

#define BY_HELP 1000 /* what only the help has is worth less than anything in a name */

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
            start = *at == ' ' || *at == '-';
        }
        if (!found)
            return -1;
    }
    score -= (int)strlen(at); /* of two that fit, the shorter */
    return score + 200 > 0 ? score + 200 : 0;
}

static bool is_command(const struct key_action *action)
{
    return (action->modes & KEYS_SUPERVISE) && action->action != ACTION_NUMBER &&
           action->action != ACTION_PALETTE;
}

void palette_make(struct palette *palette)
{
    palette->count = palette->at = 0;
    for (size_t i = 0; i < keys_count && palette->count < PALETTE_MAX; i++) {
        const struct key_action *action = &keys_table[i];
        int score = palette_score(palette->line.text, action->name);
        if (score >= 0)
            score += BY_HELP;
        else if (strcasestr(action->help, palette->line.text))
            score = 0;
        if (!is_command(action) || score < 0)
            continue;
        if (palette->line.size == 0)
            score = 0; /* in the order of the table */
        size_t at = palette->count++;
        for (; at > 0 && palette->score[at - 1] < score; at--) {
            palette->hit[at] = palette->hit[at - 1];
            palette->score[at] = palette->score[at - 1];
        }
        palette->hit[at] = action;
        palette->score[at] = score;
    }
}

void palette_open(struct palette *palette)
{
    *palette = (struct palette){.open = true};
    palette_make(palette);
}

static bool is_key(const struct chord *chord, unsigned mods, const char *key)
{
    return chord->mods == mods && strcmp(chord->key, key) == 0;
}

enum palette_outcome palette_key(struct palette *palette, const struct chord *chord)
{
    size_t count = palette->count;
    if (is_key(chord, 0, "escape") || is_key(chord, BJ_MOD_CTRL, "c") ||
        is_key(chord, BJ_MOD_CTRL, "g") ||
        (palette->line.size == 0 && is_key(chord, 0, "backspace"))) {
        palette->open = false;
        return PALETTE_LEAVES;
    }
    if (is_key(chord, 0, "enter")) {
        palette->open = count == 0;
        return count ? PALETTE_RUNS : PALETTE_STAYS;
    }
    if (is_key(chord, 0, "down") || is_key(chord, BJ_MOD_CTRL, "n"))
        palette->at = count ? (palette->at + 1) % count : 0;
    else if (is_key(chord, 0, "up") || is_key(chord, BJ_MOD_CTRL, "p"))
        palette->at = count ? (palette->at + count - 1) % count : 0;
    else if (is_key(chord, 0, "tab") && count > 0)
        line_set(&palette->line, palette->hit[palette->at]->name);
    else if (line_key(&palette->line, chord))
        palette_make(palette);
    return PALETTE_STAYS;
}

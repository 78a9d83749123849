#include "tui/model/digest.h"

#include <stdio.h>
#include <string.h>

#include "tui/keymap.h"
#include "tui/model/text.h"

bool digest_empty(const struct digest *digest)
{
    return digest->since <= 0 || digest->held + digest->answered + digest->expired +
                                         digest->exited + digest->failed + digest->alerts +
                                         digest->taken + digest->rules + digest->killed ==
                                     0;
}

void digest_begin(struct digest *digest, double time)
{
    *digest = (struct digest){.since = time};
}

void digest_say(struct digest *digest, double time, bool bad, const char *text)
{
    if (digest->line_count == DIGEST_LINES) {
        memmove(&digest->line[0], &digest->line[1], (DIGEST_LINES - 1) * sizeof(digest->line[0]));
        digest->line_count--;
    }
    size_t at = digest->line_count++;
    digest->line[at].time = time;
    digest->line[at].bad = bad;
    text_clean(digest->line[at].text, DIGEST_LINE_MAX, text, strlen(text));
}

static void add(char *out, size_t count, const char *one, const char *many)
{
    size_t used = strlen(out);
    if (count > 0)
        snprintf(out + used, DIGEST_SUM_MAX - used, "%s%zu %s", used ? ", " : "", count,
                 count == 1 ? one : many);
}

void digest_sum(const struct digest *digest, char out[DIGEST_SUM_MAX])
{
    out[0] = '\0';
    add(out, digest->held, "request held", "requests held");
    add(out, digest->answered, "answered by others", "answered by others");
    add(out, digest->expired, "expired", "expired");
    add(out, digest->exited, "ended", "ended");
    add(out, digest->failed, "failed", "failed");
    add(out, digest->killed, "killed", "killed");
    add(out, digest->alerts, "alert", "alerts");
    add(out, digest->taken, "pull or diff", "pulls or diffs");
    add(out, digest->rules, "rule changed", "rules changed");
}

bool digest_key(struct digest *digest, const struct chord *chord)
{
    enum action action = keys_find(KEYS_LIST, chord);
    bool was = digest->open;
    digest->open = false;
    return was && (action == ACTION_CLOSE || action == ACTION_GO || action == ACTION_MARK_HERE);
}

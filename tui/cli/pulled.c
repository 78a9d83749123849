#include "tui/cli/pulled.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tui/cli/call.h"
#include "tui/cli/plain.h"
#include "tui/cli/report.h"

int pulled_init(struct pulled *pulled, const char *name)
{
    *pulled = (struct pulled){.name = name, .symlinks = json_array(), .refused = json_array()};
    return pulled->symlinks && pulled->refused ? 0 : -ENOMEM;
}

void pulled_free(struct pulled *pulled)
{
    json_decref(pulled->symlinks);
    json_decref(pulled->refused);
}

/* Names from inside need not be UTF-8, JSON must be. */
static json_t *text_of(const char *text)
{
    char *safe = plain_copy(text, strlen(text), 0);
    json_t *value = json_string(safe ? safe : "");
    free(safe);
    return value;
}

static void add(json_t *list, uint64_t *count, const char *path, const char *key, const char *text)
{
    if ((*count)++ < PULLED_LISTED)
        json_array_append_new(list,
                              json_pack("{s:o,s:o}", "path", text_of(path), key, text_of(text)));
}

void pulled_symlink(struct pulled *pulled, const char *path, const char *target)
{
    add(pulled->symlinks, &pulled->symlinks_count, path, "target", target);
}

void pulled_refused(struct pulled *pulled, const char *path, const char *why)
{
    add(pulled->refused, &pulled->refused_count, path, "why", why);
}

static void print_list(FILE *out, const json_t *list, uint64_t count, const char *title,
                       const char *key, const char *between)
{
    const json_t *item;
    size_t index;
    if (count == 0)
        return;
    fprintf(out, "%s:\n", title);
    json_array_foreach(list, index, item)
        call_line(out, "    %s%s%s", report_text(item, "path"), between, report_text(item, key));
    if (count > json_array_size(list))
        fprintf(out, "    and %" PRIu64 " more\n", count - json_array_size(list));
}

void pulled_print_refused(const struct pulled *pulled)
{
    print_list(stderr, pulled->refused, pulled->refused_count, "refused", "why", ": ");
}

static json_t *json_of(const struct pulled *pulled)
{
    return json_pack("{s:s,s:s*,s:s*,s:s*,s:b,s:I,s:I,s:I,s:I,s:I,s:O,s:O}", "name", pulled->name,
                     "branch", pulled->branch, "directory", pulled->directory, "commit",
                     pulled->commit[0] ? pulled->commit : NULL, "unchanged", pulled->unchanged,
                     "commits", (json_int_t)pulled->commits, "files", (json_int_t)pulled->files,
                     "insertions", (json_int_t)pulled->insertions, "deletions",
                     (json_int_t)pulled->deletions, "bytes", (json_int_t)pulled->bytes, "symlinks",
                     pulled->symlinks, "refused", pulled->refused);
}

int pulled_print(struct pulled *pulled, bool json)
{
    char size[UNIT_TEXT_MAX];
    if (json)
        return report_json(json_of(pulled));
    unit_size_text(pulled->bytes, size);
    if (pulled->unchanged)
        call_line(stdout, "nothing new in %s", pulled->name);
    else if (pulled->branch)
        call_line(
            stdout,
            "branch %s at %.12s: %" PRIu64 " commit%s, %" PRIu64 " file%s, +%" PRIu64 " -%" PRIu64,
            pulled->branch, pulled->commit, pulled->commits, pulled->commits == 1 ? "" : "s",
            pulled->files, pulled->files == 1 ? "" : "s", pulled->insertions, pulled->deletions);
    else
        call_line(stdout, "%s: %" PRIu64 " file%s, %s", pulled->directory, pulled->files,
                  pulled->files == 1 ? "" : "s", size);
    print_list(stdout, pulled->symlinks, pulled->symlinks_count, "symbolic links", "target",
               " -> ");
    print_list(stdout, pulled->refused, pulled->refused_count, "not taken as it was", "why", ": ");
    return report_end();
}

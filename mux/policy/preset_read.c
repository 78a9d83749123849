#include "mux/policy/preset_read.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "mux/policy/document.h"
#include "mux/policy/host.h"
#include "transport/paths.h"

static int add(struct preset *preset, const struct policy_host *host, uint16_t port)
{
    char text[POLICY_AUTHORITY_MAX];
    policy_authority_format(host, port, text);
    for (size_t i = 0; i < preset->count; i++)
        if (strcmp(preset->hosts[i], text) == 0)
            return 1;
    if (preset->count == PRESET_HOSTS_MAX)
        return 0;
    char **hosts = realloc(preset->hosts, (preset->count + 1) * sizeof(*hosts));
    if (!hosts)
        return -ENOMEM;
    preset->hosts = hosts;
    hosts[preset->count] = strdup(text);
    if (!hosts[preset->count])
        return -ENOMEM;
    preset->count++;
    return 1;
}

int preset_add_host(struct preset *preset, const char *text, size_t size, unsigned port)
{
    struct policy_host host;
    uint16_t given;
    for (size_t i = size; i > 0; i--) { /* user:password@ */
        if (text[i - 1] != '@')
            continue;
        text += i;
        size -= i;
        break;
    }
    if (policy_authority_parse(text, size, (uint16_t)port, &host, &given, NULL) < 0)
        return 0;
    return add(preset, &host, given);
}

static const struct {
    const char *prefix;
    unsigned port;
} schemes[] = {{"http://", 80}, {"https://", 443}, {"ssh://", 22}, {"git://", 9418}};

int preset_add_urls(struct preset *preset, const char *text, size_t size)
{
    int found = 0;
    for (size_t at = 0; at < size; at++) {
        for (size_t i = 0; i < 2; i++) {
            size_t length = strlen(schemes[i].prefix);
            if (size - at < length || strncasecmp(text + at, schemes[i].prefix, length) != 0)
                continue;
            at += length;
            size_t end = at;
            while (end < size && (unsigned char)text[end] > ' ' &&
                   !strchr("/?#'\"\\,;<>()", text[end]))
                end++;
            int status = preset_add_host(preset, text + at, end - at, schemes[i].port);
            if (status < 0)
                return status;
            found += status;
            at = end - (end > at);
            break;
        }
    }
    return found;
}

int preset_add_remote(struct preset *preset, const char *text, size_t size)
{
    for (size_t i = 0; i < sizeof(schemes) / sizeof(*schemes); i++) {
        size_t length = strlen(schemes[i].prefix);
        if (size <= length || strncasecmp(text, schemes[i].prefix, length) != 0)
            continue;
        const char *rest = text + length;
        const char *slash = memchr(rest, '/', size - length);
        return preset_add_host(preset, rest, slash ? (size_t)(slash - rest) : size - length,
                               schemes[i].port);
    }
    /* git's short form of ssh: a colon before any slash (gitremote-helpers(7), urls). */
    const char *colon = memchr(text, ':', size);
    const char *slash = memchr(text, '/', size);
    if (!colon || (slash && slash < colon) || colon == text || (size_t)(colon - text) + 2 >= size ||
        memcmp(colon, "://", 3) == 0 || colon[1] == ':')
        return 0;
    return preset_add_host(preset, text, (size_t)(colon - text), 22);
}

/* Calls `take` for each line, without its end; stops at a negative result. */
static int each_line(const char *text, size_t size,
                     int (*take)(void *owner, const char *line, size_t size), void *owner)
{
    for (size_t at = 0; at < size;) {
        const char *end = memchr(text + at, '\n', size - at);
        size_t length = end ? (size_t)(end - text) - at : size - at;
        int status = take(owner, text + at, length);
        if (status < 0)
            return status;
        at += length + 1;
    }
    return 0;
}

static bool begins(const char *line, size_t size, const char *word)
{
    size_t length = strlen(word);
    return size >= length && strncasecmp(line, word, length) == 0;
}

/* apt: sources.list(5) ----------------------------------------------------------------------- */

static int take_list_line(void *owner, const char *line, size_t size)
{
    while (size > 0 && isspace((unsigned char)*line)) {
        line++;
        size--;
    }
    const char *comment = memchr(line, '#', size);
    if (comment)
        size = (size_t)(comment - line);
    return begins(line, size, "deb") ? preset_add_urls(owner, line, size) : 0;
}

/* One stanza of the deb822 form. */
struct stanza {
    struct preset *preset;
    char uris[4096];
    size_t size;
    bool in_uris, disabled;
};

static int end_stanza(struct stanza *stanza)
{
    int status = stanza->disabled ? 0 : preset_add_urls(stanza->preset, stanza->uris, stanza->size);
    stanza->size = 0;
    stanza->in_uris = stanza->disabled = false;
    return status;
}

static int take_stanza_line(void *owner, const char *line, size_t size)
{
    struct stanza *stanza = owner;
    if (size == 0)
        return end_stanza(stanza);
    if (*line == '#')
        return 0;
    if (*line != ' ' && *line != '\t') {
        stanza->in_uris = begins(line, size, "URIs:");
        if (begins(line, size, "Enabled:")) {
            const char *value = line + strlen("Enabled:");
            size_t left = size - strlen("Enabled:");
            while (left > 0 && *value == ' ') {
                value++;
                left--;
            }
            stanza->disabled = begins(value, left, "no") || begins(value, left, "false");
        }
    }
    if (stanza->in_uris && size + 1 < sizeof(stanza->uris) - stanza->size) {
        memcpy(stanza->uris + stanza->size, line, size);
        stanza->size += size;
        stanza->uris[stanza->size++] = ' ';
    }
    return 0;
}

static int read_apt_file(struct preset *preset, const char *path)
{
    char *text;
    size_t size;
    size_t length = strlen(path);
    bool list = length > 5 && strcmp(path + length - 5, ".list") == 0;
    bool sources = length > 8 && strcmp(path + length - 8, ".sources") == 0;
    if ((!list && !sources) || document_read(path, &text, &size, NULL) < 0)
        return 0;
    int status;
    if (list) {
        status = each_line(text, size, take_list_line, preset);
    } else {
        struct stanza stanza = {.preset = preset};
        status = each_line(text, size, take_stanza_line, &stanza);
        if (status == 0)
            status = end_stanza(&stanza);
    }
    free(text);
    return status < 0 ? status : 0;
}

/* Calls `take` with the path of each entry, sorted, so that results do not depend on the disk. */
static int each_entry(struct preset *preset, const char *directory,
                      int (*take)(struct preset *preset, const char *path))
{
    struct dirent **entries;
    int count = scandir(directory, &entries, NULL, alphasort);
    int status = 0;
    for (int i = 0; i < count; i++) {
        char path[BJ_PATH_MAX];
        if (status == 0 && entries[i]->d_name[0] != '.' &&
            bj_path(path, sizeof(path), NULL, "%s/%s", directory, entries[i]->d_name) == 0)
            status = take(preset, path);
        free(entries[i]);
    }
    if (count >= 0)
        free(entries);
    return status < 0 ? status : 0;
}

int preset_read_apt(struct preset *preset, const char *directory)
{
    char path[BJ_PATH_MAX];
    int status = bj_path(path, sizeof(path), NULL, "%s/sources.list", directory);
    if (status == 0)
        status = read_apt_file(preset, path);
    if (status == 0)
        status = bj_path(path, sizeof(path), NULL, "%s/sources.list.d", directory);
    return status == 0 ? each_entry(preset, path, read_apt_file) : status;
}

/* cargo ------------------------------------------------------------------------------------------
 */

static int take_cargo_line(void *owner, const char *line, size_t size)
{
    while (size > 0 && isspace((unsigned char)*line)) {
        line++;
        size--;
    }
    bool named = begins(line, size, "registry") || begins(line, size, "index") ||
                 begins(line, size, "\"dl\"") || begins(line, size, "\"api\"") ||
                 begins(line, size, "{"); /* config.json may be one line */
    return named ? preset_add_urls(owner, line, size) : 0;
}

static int read_cargo_file(struct preset *preset, const char *directory, const char *name)
{
    char path[BJ_PATH_MAX];
    char *text;
    size_t size;
    if (bj_path(path, sizeof(path), NULL, "%s/%s", directory, name) < 0 ||
        document_read(path, &text, &size, NULL) < 0)
        return 0;
    int status = each_line(text, size, take_cargo_line, preset);
    free(text);
    return status;
}

/* The directory of an index is called HOST-HASH; it may hold a config.json that says where packages
 * are fetched from. */
static int read_cargo_index(struct preset *preset, const char *path)
{
    const char *name = strrchr(path, '/') + 1;
    const char *dash = strrchr(name, '-');
    if (!dash || strlen(dash + 1) != 16)
        return 0;
    int status = preset_add_host(preset, name, (size_t)(dash - name), 443);
    return status < 0 ? status : read_cargo_file(preset, path, "config.json");
}

int preset_read_cargo(struct preset *preset, const char *directory)
{
    char path[BJ_PATH_MAX];
    int status = read_cargo_file(preset, directory, "config.toml");
    if (status == 0)
        status = read_cargo_file(preset, directory, "config");
    if (status == 0)
        status = bj_path(path, sizeof(path), NULL, "%s/registry/index", directory);
    return status == 0 ? each_entry(preset, path, read_cargo_index) : status;
}

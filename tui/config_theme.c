#include "tui/config.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tui/config_parts.h"
#include "tui/model/settings.h"

#define FILE_MAX (64 * 1024)

int config_text(const char *path, char **text, struct bj_error *error)
{
    FILE *file = fopen(path, "re");
    *text = NULL;
    if (!file)
        return bj_fail(error, -errno, "cannot read %.300s: %s", path, strerror(errno));
    *text = calloc(1, FILE_MAX + 1);
    size_t size = *text ? fread(*text, 1, FILE_MAX + 1, file) : 0;
    int status = 0;
    if (!*text)
        status = bj_fail(error, -ENOMEM, "out of memory");
    else if (ferror(file))
        status = bj_fail(error, -EIO, "cannot read %.300s: %s", path, strerror(errno));
    else if (size > FILE_MAX)
        status = bj_fail(error, -EFBIG, "%.300s has more than %d bytes", path, FILE_MAX);
    fclose(file);
    if (status < 0) {
        free(*text);
        *text = NULL;
    }
    return status;
}

static int load(struct theme *theme, const char *path, struct bj_error *error)
{
    char *text;
    int status = config_text(path, &text, error);
    if (status == 0)
        status = theme_parse(theme, text, path, error);
    free(text);
    return status;
}

int config_theme(struct theme *theme, const struct bj_paths *paths, const char *name,
                 struct bj_error *error)
{
    if (strchr(name, '/'))
        return load(theme, name, error);
    const char *const places[] = {paths->config, paths->data};
    for (size_t i = 0; i < 2; i++) {
        char path[BJ_PATH_MAX];
        int status = bj_path(path, sizeof(path), error, "%s/themes/%s.theme", places[i], name);
        if (status == 0)
            status = load(theme, path, error);
        if (status != -ENOENT && status != -ENOTDIR)
            return status;
    }
    char names[THEMES_MAX][THEME_NAME_MAX], all[300] = "";
    size_t count = config_themes(paths, names);
    for (size_t i = 0, size = 0; i < count && size < sizeof(all) - THEME_NAME_MAX - 2; i++)
        size += (size_t)snprintf(all + size, sizeof(all) - size, "%s%s", i ? ", " : "", names[i]);
    return bj_fail(error, -ENOENT, "no theme %.40s: there are %s", name, count ? all : "none");
}

static int compare(const void *one, const void *other)
{
    return strcmp(one, other);
}

size_t config_themes(const struct bj_paths *paths, char names[THEMES_MAX][THEME_NAME_MAX])
{
    const char *const places[] = {paths->config, paths->data};
    size_t count = 0;
    for (size_t i = 0; i < 2; i++) {
        char path[BJ_PATH_MAX];
        DIR *directory =
            bj_path(path, sizeof(path), NULL, "%s/themes", places[i]) == 0 ? opendir(path) : NULL;
        const struct dirent *entry;
        while (directory && (entry = readdir(directory)) && count < THEMES_MAX) {
            size_t size = strlen(entry->d_name);
            if (size <= 6 || size - 6 >= THEME_NAME_MAX || entry->d_name[0] == '.' ||
                strcmp(entry->d_name + size - 6, ".theme") != 0)
                continue;
            memcpy(names[count], entry->d_name, size - 6);
            names[count][size - 6] = '\0';
            bool known = false;
            for (size_t k = 0; k < count; k++)
                known |= strcmp(names[k], names[count]) == 0;
            count += known ? 0 : 1;
        }
        if (directory)
            closedir(directory);
    }
    qsort(names, count, THEME_NAME_MAX, compare);
    return count;
}

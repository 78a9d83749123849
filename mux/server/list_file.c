#include "mux/server/list_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mux/json/json.h"
#include "transport/file.h"

int list_write(const char *path, json_t *list, struct bj_error *error)
{
    char *text = json_text(list, JSON_INDENT(1));
    if (!text)
        return bj_fail(error, -ENOMEM, "out of memory");
    int status = bj_file_replace(path, text, strlen(text), false, error);
    free(text);
    return status;
}

int list_read(const char *path, json_t **list, struct bj_error *error)
{
    json_error_t where;
    json_watch();
    json_t *root = json_load_file(path, 0, &where);
    *list = NULL;
    if (json_starved()) {
        json_decref(root);
        return bj_fail(error, -ENOMEM, "out of memory while %s was read", path);
    }
    if (!root && json_error_code(&where) == json_error_cannot_open_file)
        return 0;
    if (!root)
        return bj_fail(error, -EINVAL, "%s line %d: %s", path, where.line, where.text);
    if (!json_is_array(root)) {
        json_decref(root);
        return bj_fail(error, -EINVAL, "%s holds no list", path);
    }
    *list = root;
    return 0;
}

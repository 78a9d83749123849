#include "tui/cli/tree_check.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

#define NAME_BYTES_MAX 255

int tree_path(const char *path, char out[TREE_PATH_MAX], struct bj_error *error)
{
    size_t length = 0, depth = 0;
    if (*path == '\0' || strlen(path) >= TREE_PATH_MAX)
        return bj_fail(error, -EPERM, "its name is %s", *path ? "too long" : "empty");
    if (*path == '/')
        return bj_fail(error, -EPERM, "its name is absolute");
    for (const char *at = path; *at;) {
        size_t size = strcspn(at, "/");
        bool last = at[size] == '\0';
        if (size == 0)
            return bj_fail(error, -EPERM, "its name has an empty part");
        if (size == 2 && memcmp(at, "..", 2) == 0)
            return bj_fail(error, -EPERM, "its name has a .. part");
        if (size > NAME_BYTES_MAX || ++depth > TREE_DEPTH_MAX)
            return bj_fail(error, -EPERM, "its name is too %s",
                           size > NAME_BYTES_MAX ? "long" : "deep");
        if (size != 1 || *at != '.') {
            if (length > 0)
                out[length++] = '/';
            memcpy(out + length, at, size);
            length += size;
        }
        at += size + !last; /* one slash at the end is that of a directory */
    }
    out[length] = '\0';
    return 0;
}

/* Bytes of a character that HFS+ leaves out of names (UTF-8), else 0. Source: git's utf8.c names
 * the same set, from Apple's technical note 1150. */
static size_t ignored(const unsigned char *at)
{
    if (at[0] == 0xe2 && at[1] == 0x80 &&
        ((at[2] >= 0x8c && at[2] <= 0x8f) || (at[2] >= 0xaa && at[2] <= 0xae)))
        return 3;
    if (at[0] == 0xe2 && at[1] == 0x81 && at[2] >= 0xaa && at[2] <= 0xaf)
        return 3;
    return at[0] == 0xef && at[1] == 0xbb && at[2] == 0xbf ? 3 : 0;
}

/* One part of a path, with what some file systems ignore left out. */
static bool part_is_git(const char *part, size_t size)
{
    char name[NAME_BYTES_MAX + 4] = "";
    size_t length = 0;
    char whole[NAME_BYTES_MAX + 4] = "";
    if (size > NAME_BYTES_MAX)
        return false;
    memcpy(whole, part, size);
    for (size_t at = 0; at < size;) {
        size_t skip = ignored((const unsigned char *)whole + at);
        if (!skip)
            name[length++] = whole[at];
        at += skip ? skip : 1;
    }
    name[length] = '\0';
    name[strcspn(name, ":\\")] = '\0'; /* streams and separators of NTFS */
    for (length = strlen(name); length > 0 && strchr(" .", name[length - 1]); length--)
        name[length - 1] = '\0';
    if (strcasecmp(name, ".git") == 0)
        return true;
    return strncasecmp(name, "git~", 4) == 0 && isdigit((unsigned char)name[4]) && !name[5];
}

bool tree_is_git(const char *path)
{
    for (const char *at = path; *at;) {
        size_t size = strcspn(at, "/");
        /* A backslash is a part of a name here, and a separator elsewhere. */
        for (size_t start = 0, end; start < size; start = end + 1) {
            end = start + strcspn(at + start, "/\\");
            if (part_is_git(at + start, end - start))
                return true;
        }
        at += size + (at[size] == '/');
    }
    return false;
}

int tree_link(const char *path, const char *target, struct bj_error *error)
{
    size_t up = 0;
    for (const char *at = path; *at; at++)
        up += *at == '/';
    bool named = false;
    if (*target == '\0' || strlen(target) >= TREE_PATH_MAX)
        return bj_fail(error, -EPERM, "its target is %s", *target ? "too long" : "empty");
    if (*target == '/')
        return bj_fail(error, -EPERM, "it is a symbolic link to an absolute name");
    if (tree_is_git(target))
        return bj_fail(error, -EPERM, "it is a symbolic link into git's own directory");
    for (const char *at = target; *at;) {
        size_t size = strcspn(at, "/");
        if (size == 2 && memcmp(at, "..", 2) == 0) {
            if (named)
                return bj_fail(error, -EPERM, "it is a symbolic link with .. behind a name");
            if (up-- == 0)
                return bj_fail(error, -EPERM, "it is a symbolic link that leads out");
        } else if (size > 0 && !(size == 1 && *at == '.')) {
            named = true;
        }
        at += size + (at[size] == '/');
    }
    return 0;
}

#include "mux/server/profile.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mux/policy/document.h"

#define NAMES_MAX       256
#define INSTALLER_WORDS 4

void profile_list_free(char **list)
{
    for (char **at = list; at && *at; at++)
        free(*at);
    free(list);
}

void profile_free(struct profile *profile)
{
    char **lists[] = {profile->search, profile->packages,    profile->needs, profile->command,
                      profile->prompt, profile->resume,      profile->env,   profile->keys,
                      profile->mounts, profile->inside_needs};
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
        profile_list_free(lists[i]);
    for (size_t i = 0; i < PROFILE_FILES_MAX; i++) {
        free(profile->files[i].target);
        free(profile->files[i].text);
        free(profile->home[i].target);
        free(profile->home[i].text);
        if (i < PROFILE_FIXED_MAX) {
            free(profile->fixed[i].target);
            free(profile->fixed[i].text);
        }
    }
    free(profile->file);
    free(profile->summary);
    free(profile->install);
    free(profile->inside_install);
    free(profile->inside_program);
    free(profile->policy);
    *profile = (struct profile){0};
}

static int mistake(const struct profile *profile, const struct document_node *node,
                   struct bj_error *error, const char *what)
{
    return bj_fail(error, -EINVAL, "%.200s:%d: %s: %s", profile->file, node->line,
                   node->name ? node->name : "a value", what);
}

static int no_memory(struct bj_error *error)
{
    return bj_fail(error, -ENOMEM, "out of memory");
}

/* --- kinds of values --- */

static int read_text(struct profile *profile, const struct document_node *node, void *out,
                     struct bj_error *error)
{
    if (node->kind != DOCUMENT_TEXT)
        return mistake(profile, node, error, "one text is expected");
    char **text = out;
    free(*text);
    return (*text = strdup(node->text)) ? 0 : no_memory(error);
}

static int read_list(struct profile *profile, const struct document_node *node, void *out,
                     struct bj_error *error)
{
    size_t count = 0, at = 0;
    if (node->kind != DOCUMENT_LIST && node->kind != DOCUMENT_TEXT)
        return mistake(profile, node, error, "a list of texts is expected: [a, b]");
    for (const struct document_node *item = node->first; item; item = item->next)
        count++;
    char **list = calloc(count + 2, sizeof(*list));
    if (!list)
        return no_memory(error);
    profile_list_free(*(char ***)out);
    *(char ***)out = list;
    if (node->kind == DOCUMENT_TEXT)
        return (list[0] = strdup(node->text)) ? 0 : no_memory(error);
    for (const struct document_node *item = node->first; item; item = item->next)
        if (!(list[at++] = strdup(item->text)))
            return no_memory(error);
    return 0;
}

static int read_env(struct profile *profile, const struct document_node *node, void *out,
                    struct bj_error *error)
{
    size_t count = 0, at = 0;
    if (node->kind != DOCUMENT_SECTION)
        return mistake(profile, node, error, "a section is expected: env { NAME = value }");
    for (const struct document_node *item = node->first; item; item = item->next)
        count++;
    char **list = calloc(count + 1, sizeof(*list));
    if (!list)
        return no_memory(error);
    profile_list_free(*(char ***)out);
    *(char ***)out = list;
    for (const struct document_node *item = node->first; item; item = item->next) {
        if (item->kind != DOCUMENT_TEXT)
            return mistake(profile, item, error, "one value is expected");
        if (asprintf(&list[at++], "%s=%s", item->name, item->text) < 0) {
            list[at - 1] = NULL;
            return no_memory(error);
        }
    }
    return 0;
}

/* Where a profile may put a read-only file: nowhere that an agent's own work, or Belljar's, is. */
static bool may_target(const char *path, bool home)
{
    static const char *const places[] = {"/etc/", "/opt/"};
    if (strstr(path, "/../") || strstr(path, "//") || strlen(path) > 200 ||
        path[strlen(path) - 1] == '/' || strncmp(path, "../", 3) == 0)
        return false;
    if (home)
        return path[0] != '/';
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
        if (strncmp(path, places[i], strlen(places[i])) == 0)
            return true;
    return false;
}

/* A file beside the profile, by its plain name. */
static int beside(const struct profile *profile, const struct document_node *node, char *out,
                  struct bj_error *error)
{
    const char *slash = strrchr(profile->file, '/');
    if (node->kind != DOCUMENT_TEXT || !node->text[0] || strchr(node->text, '/') ||
        node->text[0] == '.')
        return mistake(profile, node, error, "the name of a file beside the profile is expected");
    return bj_path(out, BJ_PATH_MAX, error, "%.*s/%s", (int)(slash - profile->file), profile->file,
                   node->text);
}

static int read_files(struct profile *profile, const struct document_node *node,
                      struct profile_file *files, size_t *count, size_t most, bool home,
                      struct bj_error *error)
{
    char path[BJ_PATH_MAX];
    if (node->kind != DOCUMENT_SECTION)
        return mistake(profile, node, error,
                       "a section is expected: { \"path inside\" = \"file beside the profile\" }");
    for (const struct document_node *item = node->first; item; item = item->next) {
        if (*count == most)
            return mistake(profile, item, error,
                           most == PROFILE_FIXED_MAX ? "more than 4 files" : "more than 8 files");
        if (!may_target(item->name, home))
            return mistake(profile, item, error,
                           home ? "a path below the home directory is expected"
                                : "a path below /etc or /opt is expected");
        int status = beside(profile, item, path, error);
        if (status < 0)
            return status;
        struct profile_file *file = &files[(*count)++];
        if (!(file->target = strdup(item->name)))
            return no_memory(error);
        status = document_read(path, &file->text, &file->size, error);
        if (status < 0)
            return status;
    }
    return 0;
}

static int read_mounts(struct profile *profile, const struct document_node *node, void *out,
                       struct bj_error *error)
{
    size_t count = 0, at = 0;
    if (node->kind != DOCUMENT_SECTION)
        return mistake(profile, node, error,
                       "a section is expected: mounts { \"path inside\" = \"path on the host\" }");
    for (const struct document_node *item = node->first; item; item = item->next)
        count++;
    char **list = calloc(2 * count + 1, sizeof(*list));
    if (!list)
        return no_memory(error);
    profile_list_free(*(char ***)out);
    *(char ***)out = list;
    for (const struct document_node *item = node->first; item; item = item->next) {
        bool path = item->kind == DOCUMENT_TEXT &&
                    (item->text[0] == '/' || strncmp(item->text, "~/", 2) == 0);
        if (!may_target(item->name, false))
            return mistake(profile, item, error, "a path below /etc or /opt is expected");
        if (!path)
            return mistake(profile, item, error, "a path on the host is expected: /... or ~/...");
        if (!(list[at++] = strdup(item->name)) || !(list[at++] = strdup(item->text)))
            return no_memory(error);
    }
    return 0;
}

static int read_flag(struct profile *profile, const struct document_node *node, void *out,
                     struct bj_error *error)
{
    bool on = node->kind == DOCUMENT_TEXT && strcmp(node->text, "true") == 0;
    if (!on && (node->kind != DOCUMENT_TEXT || strcmp(node->text, "false") != 0))
        return mistake(profile, node, error, "true or false is expected");
    *(bool *)out = on;
    return 0;
}

static int read_policy(struct profile *profile, const struct document_node *node, void *out,
                       struct bj_error *error)
{
    char path[BJ_PATH_MAX];
    char **policy = out;
    int status = beside(profile, node, path, error);
    free(*policy);
    *policy = status == 0 ? strdup(path) : NULL;
    return status < 0 || *policy ? status : no_memory(error);
}

static int read_fixed(struct profile *profile, const struct document_node *node, void *out,
                      struct bj_error *error)
{
    (void)out;
    return read_files(profile, node, profile->files, &profile->files_count, PROFILE_FILES_MAX,
                      false, error);
}

static int read_home(struct profile *profile, const struct document_node *node, void *out,
                     struct bj_error *error)
{
    (void)out;
    return read_files(profile, node, profile->home, &profile->home_count, PROFILE_FILES_MAX, true,
                      error);
}

/* A directory below a directory would be one that can be renamed inside. */
static int read_fixed_home(struct profile *profile, const struct document_node *node, void *out,
                           struct bj_error *error)
{
    (void)out;
    size_t first = profile->fixed_count;
    int status = read_files(profile, node, profile->fixed, &profile->fixed_count, PROFILE_FIXED_MAX,
                            true, error);
    for (size_t i = first; status == 0 && i < profile->fixed_count; i++) {
        const char *slash = strchr(profile->fixed[i].target, '/');
        if (slash && strchr(slash + 1, '/'))
            status = mistake(profile, node, error, "FILE or DIRECTORY/FILE is expected");
    }
    return status;
}

#define AT(FIELD) offsetof(struct profile, FIELD)
static const struct {
    const char *name;
    int (*read)(struct profile *profile, const struct document_node *node, void *out,
                struct bj_error *error);
    size_t at;
} fields[] = {
    {"summary", read_text, AT(summary)},
    {"install", read_text, AT(install)},
    {"search", read_list, AT(search)},
    {"packages", read_list, AT(packages)},
    {"needs", read_list, AT(needs)},
    {"inside_install", read_text, AT(inside_install)},
    {"inside_program", read_text, AT(inside_program)},
    {"inside_needs", read_list, AT(inside_needs)},
    {"command", read_list, AT(command)},
    {"prompt", read_list, AT(prompt)},
    {"resume", read_list, AT(resume)},
    {"tells", read_flag, AT(tells)},
    {"env", read_env, AT(env)},
    {"keys", read_list, AT(keys)},
    {"mounts", read_mounts, AT(mounts)},
    {"policy", read_policy, AT(policy)},
    {"files", read_fixed, 0},
    {"home", read_home, 0},
    {"fixed_home", read_fixed_home, 0},
};

static int read_document(struct profile *profile, const struct document_node *root,
                         struct bj_error *error)
{
    for (const struct document_node *node = root->first; node; node = node->next) {
        size_t i = 0;
        while (i < sizeof(fields) / sizeof(fields[0]) && strcmp(fields[i].name, node->name) != 0)
            i++;
        if (i == sizeof(fields) / sizeof(fields[0]))
            return mistake(profile, node, error,
                           "no such field; a profile has summary, install, search, packages, "
                           "needs, inside_install, inside_program, inside_needs, mounts, command, "
                           "prompt, resume, tells, env, keys, policy, files, "
                           "home and fixed_home");
        int status = fields[i].read(profile, node, (char *)profile + fields[i].at, error);
        if (status < 0)
            return status;
    }
    char ***const lists[] = {&profile->search,      &profile->packages, &profile->needs,
                             &profile->command,     &profile->prompt,   &profile->resume,
                             &profile->env,         &profile->keys,     &profile->mounts,
                             &profile->inside_needs};
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
        if (!*lists[i] && !(*lists[i] = calloc(1, sizeof(**lists[i]))))
            return no_memory(error);
    if (!profile->summary && !(profile->summary = strdup(profile->name)))
        return no_memory(error);
    if (!profile->command[0])
        return bj_fail(error, -EINVAL, "%.200s: a profile needs a command", profile->file);
    if (!profile->inside_install != !profile->inside_program)
        return bj_fail(error, -EINVAL, "%.200s: inside_install and inside_program go together",
                       profile->file);
    if (profile->inside_program && !may_target(profile->inside_program, true))
        return bj_fail(error, -EINVAL,
                       "%.200s: inside_program is a path relative to the home directory",
                       profile->file);
    return 0;
}

/* --- files --- */

static bool is_name(const char *name, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (!isalnum((unsigned char)name[i]) && !strchr("-_", name[i]))
            return false;
    return size > 0 && size <= PROFILE_NAME_MAX;
}

static int read_profile(struct profile *profile, const char *path, const char *name,
                        struct bj_error *error)
{
    char *text;
    size_t size;
    struct document_node *root = NULL;
    int status = document_read(path, &text, &size, error);
    if (status < 0)
        return status;
    snprintf(profile->name, sizeof(profile->name), "%s", name);
    profile->file = strdup(path);
    status = profile->file ? document_parse(text, size, path, &root, error) : no_memory(error);
    if (status == 0)
        status = read_document(profile, root, error);
    document_free(root);
    free(text);
    if (status < 0)
        profile_free(profile);
    return status;
}

static int fail_unknown(const struct bj_paths *paths, const char *name, struct bj_error *error)
{
    char text[300] = "";
    char **names = profile_names(paths);
    for (size_t i = 0, used = 0; names && names[i] && used < sizeof(text); i++)
        used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s", i ? ", " : "", names[i]);
    profile_list_free(names);
    return bj_fail(error, -ENOENT, "there is no profile \"%.40s\"; there are: %s", name, text);
}

int profile_load(struct profile *profile, const struct bj_paths *paths, const char *name,
                 struct bj_error *error)
{
    const char *const places[] = {paths->config, paths->data};
    *profile = (struct profile){0};
    if (!is_name(name, strlen(name)))
        return fail_unknown(paths, name, error);
    for (size_t i = 0; i < 2; i++) {
        char path[BJ_PATH_MAX];
        int status = bj_path(path, sizeof(path), error, "%s/profiles/%s.conf", places[i], name);
        if (status < 0)
            return status;
        if (access(path, F_OK) == 0)
            return read_profile(profile, path, name, error);
    }
    return fail_unknown(paths, name, error);
}

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* NAME.conf, but not NAME.policy.conf. */
static void collect(const char *directory, char **names, size_t *count)
{
    DIR *dir = opendir(directory);
    const struct dirent *entry;
    while (dir && *count < NAMES_MAX && (entry = readdir(dir))) {
        const char *dot = strchr(entry->d_name, '.');
        size_t size = dot ? (size_t)(dot - entry->d_name) : 0;
        bool known = !dot || strcmp(dot, ".conf") != 0 || !is_name(entry->d_name, size);
        for (size_t i = 0; !known && i < *count; i++)
            known = strlen(names[i]) == size && strncmp(names[i], entry->d_name, size) == 0;
        if (!known && (names[*count] = strndup(entry->d_name, size)))
            (*count)++;
    }
    if (dir)
        closedir(dir);
}

char **profile_names(const struct bj_paths *paths)
{
    const char *const places[] = {paths->config, paths->data};
    size_t count = 0;
    char **names = calloc(NAMES_MAX + 1, sizeof(*names));
    for (size_t i = 0; names && i < 2; i++) {
        char path[BJ_PATH_MAX];
        if (bj_path(path, sizeof(path), NULL, "%s/profiles", places[i]) == 0)
            collect(path, names, &count);
    }
    if (names)
        qsort(names, count, sizeof(*names), compare);
    return names;
}

/* --- what becomes of it --- */

static bool add_word(char **argv, size_t *count, const char *template, const char *hole,
                     const char *value)
{
    const char *at = strstr(template, hole);
    char *word = NULL;
    if (!at)
        word = strdup(template);
    else if (asprintf(&word, "%.*s%s%s", (int)(at - template), template, value, at + strlen(hole)) <
             0)
        word = NULL;
    argv[*count] = word;
    *count += word != NULL;
    return word != NULL;
}

static size_t length(char *const *list)
{
    size_t count = 0;
    while (list[count])
        count++;
    return count;
}

/* A shell before the command that installs the program, unless an earlier start has done so. */
static bool add_installer(char **argv, size_t *count, const struct profile *profile,
                          const struct profile_place *place)
{
    static const char script[] = "[ -e \"$0\" ] || { echo \"Belljar: this host has no %s: it is "
                                 "installed in this sandbox\"; "
                                 "(%s); } && exec \"$@\"";
    char *text;
    if (asprintf(&text, script, profile->name, profile->inside_install) < 0)
        return false;
    const char *const words[INSTALLER_WORDS] = {"/bin/sh", "-c", text, place->program};
    bool whole = true;
    for (size_t i = 0; whole && i < INSTALLER_WORDS; i++)
        whole = add_word(argv, count, words[i], "", "");
    free(text);
    return whole;
}

char **profile_argv(const struct profile *profile, const struct profile_place *place,
                    const char *const *arguments, const char *prompt, bool resume)
{
    size_t count = 0, given = length((char *const *)arguments);
    char **argv = calloc(length(profile->command) + length(profile->resume) + given +
                             length(profile->prompt) + INSTALLER_WORDS + 1,
                         sizeof(*argv));
    bool whole = argv != NULL;
    if (whole && place->installs)
        whole = add_installer(argv, &count, profile, place);
    for (char **at = profile->command; whole && *at; at++)
        whole = add_word(argv, &count, *at, "{program}", place->program);
    for (char **at = profile->resume; whole && resume && *at; at++)
        whole = add_word(argv, &count, *at, "{program}", place->program);
    for (size_t i = 0; whole && i < given; i++)
        whole = add_word(argv, &count, arguments[i], "", "");
    for (char **at = profile->prompt; whole && prompt[0] && *at; at++)
        whole = add_word(argv, &count, *at, "{prompt}", prompt);
    if (whole)
        return argv;
    profile_list_free(argv);
    return NULL;
}

/* Makes the directories on the way, and gives them away too. */
static int make_parents(int home, const char *target, bool change_owner, unsigned uid, unsigned gid)
{
    char part[256];
    for (const char *slash = strchr(target, '/'); slash; slash = strchr(slash + 1, '/')) {
        snprintf(part, sizeof(part), "%.*s", (int)(slash - target), target);
        if (mkdirat(home, part, 0755) < 0 && errno != EEXIST)
            return -errno;
        if (change_owner && fchownat(home, part, uid, gid, AT_SYMLINK_NOFOLLOW) < 0)
            return -errno;
    }
    return 0;
}

static int write_file(int home, const struct profile_file *file, bool change_owner, unsigned uid,
                      unsigned gid)
{
    int status = make_parents(home, file->target, change_owner, uid, gid);
    if (status < 0)
        return status;
    int fd = openat(home, file->target, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
    if (fd < 0)
        return -errno;
    size_t written = 0;
    while (written < file->size) {
        ssize_t part = write(fd, file->text + written, file->size - written);
        if (part < 0 && errno != EINTR)
            break;
        written += part > 0 ? (size_t)part : 0;
    }
    if (written < file->size || (change_owner && fchown(fd, uid, gid) < 0))
        status = -errno;
    close(fd);
    return status;
}

static int own(int directory, const char *name, bool change_owner, unsigned uid, unsigned gid)
{
    return change_owner && fchownat(directory, name, uid, gid, AT_SYMLINK_NOFOLLOW) < 0 ? -errno
                                                                                        : 0;
}

/* A directory, or an empty file, of this name; what is there and is no such thing goes. */
static int make_place(int directory, const char *name, bool file, bool change_owner, unsigned uid,
                      unsigned gid)
{
    struct stat info;
    if (fstatat(directory, name, &info, AT_SYMLINK_NOFOLLOW) == 0) {
        if ((info.st_mode & S_IFMT) == (file ? S_IFREG : S_IFDIR))
            return 0;
        if (unlinkat(directory, name, S_ISDIR(info.st_mode) ? AT_REMOVEDIR : 0) < 0)
            return -errno;
    }
    int made =
        file ? openat(directory, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644)
             : mkdirat(directory, name, 0755);
    if (made < 0)
        return -errno;
    if (file)
        close(made);
    return own(directory, name, change_owner, uid, gid);
}

static int fix_one(const struct profile_file *file, int home, int kept, bool change_owner,
                   unsigned uid, unsigned gid)
{
    char name[256];
    const char *slash = strchr(file->target, '/');
    if (!slash)
        return make_place(home, file->target, true, change_owner, uid, gid);
    snprintf(name, sizeof(name), "%.*s", (int)(slash - file->target), file->target);
    if (faccessat(kept, name, F_OK, AT_SYMLINK_NOFOLLOW) < 0 &&
        renameat(home, name, kept, name) < 0 && errno != ENOENT)
        return -errno;
    int status = make_place(kept, name, false, change_owner, uid, gid);
    if (status == 0)
        status = make_place(home, name, false, change_owner, uid, gid);
    if (status < 0)
        return status;
    int directory = openat(kept, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (directory < 0)
        return -errno;
    status = make_place(directory, slash + 1, true, change_owner, uid, gid);
    close(directory);
    return status;
}

int profile_fix_home(const struct profile *profile, const char *home, const char *kept,
                     bool change_owner, unsigned uid, unsigned gid, struct bj_error *error)
{
    int status = 0;
    if (profile->fixed_count == 0)
        return 0;
    if (mkdir(kept, 0755) < 0 && errno != EEXIST)
        return bj_fail(error, -errno, "cannot make %s: %s", kept, strerror(errno));
    int at_home = open(home, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    int at_kept = open(kept, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (at_home < 0 || at_kept < 0)
        status = bj_fail(error, -errno, "cannot open %s: %s", at_home < 0 ? home : kept,
                         strerror(errno));
    for (size_t i = 0; status == 0 && i < profile->fixed_count; i++) {
        status = fix_one(&profile->fixed[i], at_home, at_kept, change_owner, uid, gid);
        if (status < 0)
            bj_fail(error, status, "cannot make a place for %s in the home directory: %s",
                    profile->fixed[i].target, strerror(-status));
    }
    if (at_home >= 0)
        close(at_home);
    if (at_kept >= 0)
        close(at_kept);
    return status;
}

int profile_fill_home(const struct profile *profile, const char *home, bool change_owner,
                      unsigned uid, unsigned gid, struct bj_error *error)
{
    int status = 0;
    int fd = open(home, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return bj_fail(error, -errno, "cannot open %s: %s", home, strerror(errno));
    for (size_t i = 0; status == 0 && i < profile->home_count; i++) {
        status = write_file(fd, &profile->home[i], change_owner, uid, gid);
        if (status < 0)
            bj_fail(error, status, "cannot put %s into the home directory: %s",
                    profile->home[i].target, strerror(-status));
    }
    close(fd);
    return status;
}

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tui/dashboard_state.h"

/* Opening what a pane shows, in the human's browser or the program of his desktop. */

static void locate(struct dashboard *dashboard, const char *id)
{
    struct control *control = &dashboard->control;
    const struct sandbox *sandbox = fleet_find(&dashboard->fleet, id);
    uint64_t now = dashboard_now(dashboard);
    char root[PATH_MAX], named[PATH_MAX + TARGET_MAX], found[PATH_MAX];
    struct stat about;
    if (!sandbox || sandbox->origin->number > 0 || !sandbox->project[0] ||
        !realpath(sandbox->project, root)) {
        control_note(control, now, true, "not opened: this sandbox has no project on this machine");
        return;
    }
    snprintf(named, sizeof(named), "%s/%s", root, control->target.text);
    size_t size = strlen(root);
    if (!realpath(named, found) || stat(found, &about) < 0) {
        control_note(control, now, true, "not opened: you have no %.200s: %s", named,
                     strerror(errno));
    } else if (strncmp(found, root, size) != 0 || found[size] != '/') {
        control_note(control, now, true, "not opened: %.200s leads out of the project", named);
    } else if (!S_ISREG(about.st_mode) || strlen(found) >= TARGET_MAX) {
        control_note(control, now, true, "not opened: %.200s is no file", found);
    } else {
        strcpy(control->target.text, found);
        snprintf(control->target.note, sizeof(control->target.note),
                 "your own file, not the agent's copy");
        control_open_question(control, PROMPT_OPEN);
    }
}

static void on_exit_opener(uv_process_t *process, int64_t status, int number)
{
    (void)status;
    (void)number;
    uv_close((uv_handle_t *)process, (uv_close_cb)free);
}

/* The first of $BROWSER's commands for an address, without arguments of its own; else xdg-open. */
static void opener(bool path, char out[PATH_MAX])
{
    const char *browser = path ? NULL : getenv("BROWSER");
    snprintf(out, PATH_MAX, "%.*s", (int)(browser ? strcspn(browser, ":") : 0),
             browser ? browser : "");
    if (!out[0])
        strcpy(out, "xdg-open");
}

static void start(struct dashboard *dashboard)
{
    struct control *control = &dashboard->control;
    uv_process_t *process = calloc(1, sizeof(*process));
    char program[PATH_MAX];
    opener(control->target.path, program);
    if (!process)
        return;
    uv_stdio_container_t nothing[3] = {
        {.flags = UV_IGNORE}, {.flags = UV_IGNORE}, {.flags = UV_IGNORE}};
    const uv_process_options_t options = {
        .exit_cb = on_exit_opener,
        .file = program,
        .args = (char *[]){program, control->target.text, NULL},
        .flags = UV_PROCESS_DETACHED,
        .stdio_count = 3,
        .stdio = nothing,
    };
    int status = uv_spawn(&dashboard->loop, process, &options);
    if (status == 0) {
        uv_unref((uv_handle_t *)process);
        control_note(control, dashboard_now(dashboard), false, "opened with %.100s", program);
        return;
    }
    control_note(control, dashboard_now(dashboard), true,
                 "not opened: cannot start %.100s: %s; set BROWSER", program, uv_strerror(status));
    uv_close((uv_handle_t *)process, (uv_close_cb)free);
}

void open_order(struct dashboard *dashboard, const struct order *order)
{
    if (order->kind == ORDER_LOCATE)
        locate(dashboard, order->id);
    else
        start(dashboard);
}

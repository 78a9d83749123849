#include <string.h>
#include <unistd.h>

#include "tui/dashboard_state.h"

#define SETTLE_MS 150 /* editors write a file in several steps */

void config_wear(struct dashboard *dashboard, const struct theme *theme)
{
    dashboard->theme = *theme;
    paint_theme(&dashboard->view.paint, &dashboard->theme);
    dashboard->view.everything = true;
}

/* What was in force stays so until all of the new is right. */
void config_again(struct dashboard *dashboard)
{
    struct config *config = &dashboard->config;
    struct control *control = &dashboard->control;
    struct bj_error error = {0};
    struct config fresh;
    struct theme theme;
    int status = config_load(&fresh, dashboard->paths, &error);
    if (status == 0 && strcmp(fresh.theme, config->theme) != 0)
        dashboard->theme_chosen[0] = '\0'; /* the theme key's choice is the older one */
    const char *chosen = dashboard->theme_chosen[0] ? dashboard->theme_chosen : NULL;
    if (status == 0)
        status = config_look(&fresh, dashboard->paths, chosen, &theme, &error);
    uint64_t now = dashboard_now(dashboard);
    if (status < 0) {
        const char *text = error.text;
        size_t size = strlen(dashboard->paths->config);
        if (strncmp(text, dashboard->paths->config, size) == 0 && text[size] == '/')
            text += size + 1; /* where the file is he knows */
        control_note(control, now, true, "the settings stay as they were: %.400s", text);
        control_note_long(control, now);
    } else {
        *config = fresh;
        keymap_use(&config->keys);
        control->prefix = config->prefix;
        control->prefix_waits = false;
        dashboard->notify.how = config->notify;
        config_wear(dashboard, &theme);
        control_note(control, now, false, "the configuration was read again");
    }
    dashboard_changed(dashboard);
    dashboard_touch(dashboard, true);
    config_watch(dashboard); /* the directory may be new */
}

static void on_settled(uv_timer_t *timer)
{
    struct dashboard *dashboard = timer->data;
    if (!dashboard->stopping)
        config_again(dashboard);
}

static void on_changed(uv_fs_event_t *watch, const char *name, int events, int status)
{
    struct dashboard *dashboard = watch->data;
    (void)events;
    if (status == 0 && name && strcmp(name, "belljar.conf") == 0)
        uv_timer_start(&dashboard->settle, on_settled, SETTLE_MS, 0);
}

/* The directory, since editors replace the file. Without one, the key and the signal remain. */
void config_watch(struct dashboard *dashboard)
{
    if (dashboard->stopping || uv_is_active((uv_handle_t *)&dashboard->watch))
        return;
    uv_fs_event_start(&dashboard->watch, on_changed, dashboard->paths->config, 0);
}

void config_tick(struct dashboard *dashboard)
{
    if (uv_is_active((uv_handle_t *)&dashboard->watch))
        return;
    char path[BJ_PATH_MAX];
    config_watch(dashboard);
    if (uv_is_active((uv_handle_t *)&dashboard->watch) &&
        bj_path(path, sizeof(path), NULL, "%s/belljar.conf", dashboard->paths->config) == 0 &&
        access(path, F_OK) == 0) /* its first file came with it */
        uv_timer_start(&dashboard->settle, on_settled, SETTLE_MS, 0);
}

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "tui/model/fleet.h"

bool sandbox_alive(const struct sandbox *sandbox)
{
    return sandbox->state != SANDBOX_EXITED && sandbox->state != SANDBOX_LOST;
}

const char *sandbox_own_name(const struct sandbox *sandbox)
{
    const char *colon = sandbox->origin->number > 0 ? strchr(sandbox->name, ':') : NULL;
    return colon ? colon + 1 : sandbox->name;
}

void sandbox_label(const struct fleet *fleet, const struct sandbox *sandbox,
                   char out[SANDBOX_LABEL_MAX])
{
    bool project = fleet->sorting == FLEET_PROJECT && !fleet->tabbed && sandbox->project[0];
    snprintf(out, SANDBOX_LABEL_MAX, "%.*s%s%s", FLEET_NAME_MAX,
             project ? fleet_project_name(sandbox->project) : "", project ? "/" : "",
             sandbox->name);
}

void sandbox_state_text(const struct sandbox *sandbox, bool brief, char out[FORMAT_MAX])
{
    enum doing doing = sandbox->doing.doing;
    const char *name = sigabbrev_np(sandbox->exit_signal);
    if (sandbox->state == SANDBOX_EXITED && sandbox->exit_signal)
        snprintf(out, FORMAT_MAX, "killed SIG%s", name ? name : "?");
    else if (sandbox->state == SANDBOX_EXITED)
        snprintf(out, FORMAT_MAX, "exited %d", sandbox->exit_code);
    else
        snprintf(out, FORMAT_MAX, "%s", brief ? state_brief(doing) : state_word(doing));
}

void sandbox_state_age(const struct sandbox *sandbox, double wall, char out[FORMAT_MAX])
{
    out[0] = '\0';
    if (sandbox->doing.since >= 0)
        format_age(out, wall - sandbox->doing.since);
}

const char *sandbox_state_glyph(const struct sandbox *sandbox, bool ascii)
{
    return state_glyph(sandbox->doing.doing, ascii);
}

int fleet_severity(const struct fleet *fleet, const char *sandbox_id)
{
    int worst = 0;
    for (size_t i = 0; i < fleet->alert_count; i++) {
        const struct alert *alert = fleet->alerts[i];
        if (!alert->acknowledged && alert->severity > worst &&
            (!sandbox_id || strcmp(alert->sandbox_id, sandbox_id) == 0))
            worst = alert->severity;
    }
    return worst;
}

bool fleet_alerted(const struct fleet *fleet, const char *sandbox_id)
{
    for (size_t i = 0; i < fleet->alert_count; i++)
        if (!fleet->alerts[i]->acknowledged &&
            strcmp(fleet->alerts[i]->sandbox_id, sandbox_id) == 0)
            return true;
    return false;
}

const char *severity_glyph(int severity, bool ascii)
{
    static const char *const glyphs[][2] = {{"•", "i"}, {"▲", "!"}, {"✖", "X"}};
    return glyphs[severity][ascii];
}

const char *severity_word(int severity)
{
    static const char *const words[] = {"info", "warning", "critical"};
    return words[severity];
}

void fleet_totals(const struct fleet *fleet, struct fleet_totals *totals)
{
    *totals = (struct fleet_totals){.memory = FIGURE_UNKNOWN};
    totals->waiting = fleet->request_count;
    for (size_t i = 0; i < fleet->request_count; i++)
        totals->high += fleet->requests[i]->risk == RISK_HIGH;
    for (size_t i = 0; i < fleet->count; i++) {
        const struct sandbox *sandbox = fleet->sandboxes[i];
        enum doing doing = sandbox->doing.doing;
        totals->running += doing == DOING_RUNNING || doing == DOING_THINKING;
        totals->idle += doing == DOING_IDLE;
        totals->input += doing == DOING_INPUT;
        totals->stuck += doing == DOING_STUCK;
        totals->paused += sandbox->state == SANDBOX_PAUSED;
        totals->ended += !sandbox_alive(sandbox);
        totals->alive += sandbox_alive(sandbox) && sandbox->state != SANDBOX_PAUSED;
        if (sandbox_alive(sandbox) && sandbox->figures.cpu > 0)
            totals->cpu += sandbox->figures.cpu;
        if (sandbox_alive(sandbox) && sandbox->figures.memory != FIGURE_UNKNOWN)
            totals->memory =
                (totals->memory == FIGURE_UNKNOWN ? 0 : totals->memory) + sandbox->figures.memory;
    }
    for (size_t i = 0; i < fleet->elsewhere; i++)
        totals->waiting_elsewhere += fleet->others[i]->doing.doing == DOING_VERDICT;
    for (size_t i = 0; i < fleet->alert_count; i++)
        totals->alerts += !fleet->alerts[i]->acknowledged;
}

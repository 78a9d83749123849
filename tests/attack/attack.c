#include "attack.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct world attack_world;
char attack_project_path[128];

void attack_open(void)
{
    world_open(&attack_world);
    snprintf(attack_project_path, sizeof(attack_project_path), "%s/project", attack_world.base);
}

void attack_close(void)
{
    world_close(&attack_world);
}

void attack_project(void)
{
    char probe[200], source[4300];
    mkdir(attack_project_path, 0755);
    snprintf(probe, sizeof(probe), "%s/probe", attack_project_path);
    snprintf(source, sizeof(source), "%s/tests/attack/attack-probe", attack_world.programs);
    if (access(probe, X_OK) == 0)
        return;
    world_run_ok(&attack_world,
                 (const char *const[]){"install", "-m", "0755", source, probe, NULL});
}

void attack_start(const char *name, const char *script)
{
    attack_project();
    BELLJAR_OK(&attack_world, "run", "-d", "-n", name, "--cols", "200", "--project",
               attack_project_path, "--", "sh", "-c", script);
}

void attack_refused(const char *name, const char *what, const char *attempt, const char *argument)
{
    char script[4096];
    snprintf(script, sizeof(script), "./probe '%s' '%s'; echo code $?", attempt, argument);
    attack_start(name, script);
    WAIT_FOR(world_shows(&attack_world, name, "code ") ||
             world_state_is(&attack_world, name, "exited"));
    const char *text = world_capture(&attack_world, name);
    ck_assert_msg(strstr(text, "code 0") && strstr(text, "refused:") && !strstr(text, "SUCCEEDED"),
                  "%s: %s", what, text);
}

void attack_policy(const char *text)
{
    human_policy(&attack_world, text);
}

bool attack_audited(const char *kind, const char *text)
{
    return ATTACK_SAYS(text, "audit", "show", "--json", "--kind", kind);
}

bool attack_alerted(const char *text)
{
    return ATTACK_SAYS(text, "alerts", "--json") && attack_audited("alert", text);
}

const char *attack_request(const char *about, const char *field)
{
    return human_request(&attack_world, about, field);
}

bool attack_answer(const char *verb, const char *about, const char *option, const char *value)
{
    return human_answers(&attack_world, verb, about, option, value);
}

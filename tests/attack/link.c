/*
 * A hostile shim in a real sandbox (tests/attack/shim.c) attacks its monitor over the link: rows
 * 44, 45, 47 and 49. Another sandbox, the server and the dashboard's API must not notice.
 */
#include "attack.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct row {
    int number;
    const char *attack;
    bool closes; /* a breach of the protocol: an alert is raised */
} rows[] = {
    {44, "noise", true},
    {44, "truncated", false},
    {44, "headers", true},
    {44, "nesting", true},
    {44, "over_limit", true},
    {44, "unknown_type", true},
    {44, "slow", false},
    {45, "wrong_side", true},
    {45, "no_hello", true},
    {45, "gap", true},
    {45, "overlap", true},
    {45, "over_credit", false}, /* the credit may grow as fast as it sends */
    {45, "negative", true},
    {45, "false_ack", true},
    {45, "credit_back", true},
    {45, "closed_channel", true},
    {45, "backwards", true},
    {45, "end_of_offsets", true},
    {45, "many_hellos", false},
    {45, "pongs", false},
    {45, "exited_twice", false},
    {47, "asks", false},
};

/* Programs beside each other as the server expects them, with another shim. */
static void hostile_programs(void)
{
    char command[16384];
    snprintf(command, sizeof(command),
             "mkdir '%s/programs' && cd '%s/programs' && ln -s '%s/belljar-server' . && "
             "ln -s '%s/belljar-monitor' . && install -m 0755 '%s/tests/attack/attack-shim' "
             "belljar-shim",
             attack_world.base, attack_world.base, attack_world.programs, attack_world.programs,
             attack_world.programs);
    world_run_ok(&attack_world, (const char *const[]){"sh", "-c", command, NULL});
    char path[128];
    snprintf(path, sizeof(path), "%s/programs", attack_world.base);
    setenv("BELLJAR_LIBEXEC_DIR", path, 1);
}

static bool alert_about(const char *name)
{
    struct result result;
    BELLJAR(&attack_world, &result, "alerts");
    bool found = strstr(result.out, name) != NULL;
    result_free(&result);
    return found;
}

static bool attacked(const char *id)
{
    char path[300];
    snprintf(path, sizeof(path), "%s/%s/project/attacked", attack_world.state, id);
    return access(path, F_OK) == 0;
}

START_TEST(changes_nothing_else)
{
    const struct row *row = &rows[_i];
    /* The good one has the real shim; then a server that knows only the other takes over. */
    BELLJAR_OK(&attack_world, "run", "-d", "-n", "good", "--", "cat");
    WAIT_FOR(world_state_is(&attack_world, "good", "running"));
    long long monitor = world_number(&attack_world, "good", "monitor_pid");
    BELLJAR_OK(&attack_world, "server", "stop");
    WAIT_FOR(world_server(&attack_world) == 0);
    hostile_programs();
    ck_assert(world_state_is(&attack_world, "good", "running"));
    pid_t server = world_server(&attack_world);

    struct result result;
    BELLJAR(&attack_world, &result, "run", "-d", "-n", "bad", "--", row->attack);
    /* It may be refused, when the shim never says hello; the sentence then names the link. */
    ck_assert_msg(result.code == 0 || (result.code == 1 && result.err_size > 0), "%s", result.err);
    bool started = result.code == 0;
    result_free(&result);
    if (started) {
        char id[64];
        snprintf(id, sizeof(id), "%s", world_field(&attack_world, "bad", "id"));
        if (strcmp(row->attack, "slow") != 0)
            WAIT_FOR(attacked(id));
        if (row->closes)
            WAIT_FOR(alert_about("bad"));
    }

    BELLJAR_OK(&attack_world, "send", "good", "--enter", "still here");
    WAIT_FOR(world_shows(&attack_world, "good", "still here\nstill here"));
    ck_assert_int_eq(world_server(&attack_world), server);
    ck_assert_int_eq(world_number(&attack_world, "good", "monitor_pid"), monitor);
    BELLJAR(&attack_world, &result, "requests");
    ck_assert_int_eq(result.code, 0);
    ck_assert_ptr_null(strchr(result.out, '\x1b'));
    result_free(&result);
    char log[128];
    snprintf(log, sizeof(log), "%s/server.log", attack_world.state);
    ck_assert_msg(!strstr(world_read(log), "ended by signal 11") &&
                      !strstr(world_read(log), "ended by signal 6"),
                  "a monitor crashed: %s", world_read(log));
    if (started)
        BELLJAR_OK(&attack_world, "kill", "bad");
}
END_TEST

int main(void)
{
    static char names[sizeof(rows) / sizeof(rows[0])][128]; /* Check keeps the pointers */
    Suite *suite = suite_create("link");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char *name = names[i];
        snprintf(name, sizeof(names[i]), "row %d: %s", rows[i].number, rows[i].attack);
        TCase *row = tcase_create(name);
        tcase_add_checked_fixture(row, attack_open, attack_close);
        tcase_set_timeout(row, 180);
        tcase_add_loop_test(row, changes_nothing_else, (int)i, (int)i + 1);
        suite_add_tcase(suite, row);
    }
    return world_main(suite);
}

/*
 * `belljar doctor`: what this machine can enforce, what is missing, and what to do about it.
 *
 * The checks are a table; each fills one finding. Exit code 1 when something fails without which
 * no sandbox can run; a warning never does.
 */
#pragma once

#include <jansson.h>

#include "transport/paths.h"
#include "tui/cli/args.h"

enum doctor_level { DOCTOR_OK, DOCTOR_WARN, DOCTOR_FAIL };

struct doctor_finding {
    enum doctor_level level;
    char text[512];
    char advice[512]; /* what to do; empty when all is well */
};

struct doctor {
    const struct bj_paths *paths;
    json_t *server; /* server.status, NULL when no server could be reached */
    json_t *agents; /* profile.list, likewise */
    char server_why[BJ_ERROR_TEXT_MAX];
    bool server_started; /* by this command */
};

struct doctor_check {
    const char *name; /* NULL ends a table */
    void (*run)(const struct doctor *doctor, struct doctor_finding *finding);
};

extern const struct doctor_check doctor_wall_checks[];   /* programs and the wall */
extern const struct doctor_check doctor_server_checks[]; /* the server, limits, directories */
extern const struct doctor_check doctor_user_checks[];   /* terminal, locale, tools */

void doctor_say(struct doctor_finding *finding, enum doctor_level level, const char *advice,
                const char *format, ...) __attribute__((format(printf, 4, 5)));

int doctor_command(const struct args *args, const struct bj_paths *paths);

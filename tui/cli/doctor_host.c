/* The server with its limits and directories; then the human's terminal and tools. */
#include "tui/cli/doctor.h"

#include <curses.h>
#include <term.h>

#include <errno.h>
#include <inttypes.h>
#include <langinfo.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "tui/cli/probe.h"
#include "tui/cli/report.h"
#include "tui/model/units.h"

#define DISK_MIN (UINT64_C(1024) * 1024 * 1024)
#define ROWS_MIN 24
#define COLS_MIN 80

static void check_directory(const char *path, struct doctor_finding *finding)
{
    struct bj_error error = {0};
    if (bj_directory_private(path, &error) < 0)
        doctor_say(finding, DOCTOR_FAIL, "make it yours alone, or choose another", "%s",
                   error.text);
    else
        doctor_say(finding, DOCTOR_OK, NULL, "%.300s", path);
}

static void check_runtime(const struct doctor *doctor, struct doctor_finding *finding)
{
    check_directory(doctor->paths->runtime, finding);
}

static void check_state(const struct doctor *doctor, struct doctor_finding *finding)
{
    check_directory(doctor->paths->state, finding);
}

static void check_disk(const struct doctor *doctor, struct doctor_finding *finding)
{
    struct statvfs disk;
    char text[UNIT_TEXT_MAX];
    if (statvfs(doctor->paths->state, &disk) < 0) {
        doctor_say(finding, DOCTOR_WARN, NULL, "%.300s: %s", doctor->paths->state, strerror(errno));
        return;
    }
    uint64_t free_bytes = (uint64_t)disk.f_bavail * disk.f_frsize;
    unit_size_text(free_bytes, text);
    if (free_bytes < DISK_MIN)
        doctor_say(finding, DOCTOR_WARN, "belljar rm --all-exited deletes what is over",
                   "%s free for recordings and project copies", text);
    else
        doctor_say(finding, DOCTOR_OK, NULL, "%s free for recordings and project copies", text);
}

static void check_server(const struct doctor *doctor, struct doctor_finding *finding)
{
    if (!doctor->server)
        doctor_say(finding, DOCTOR_FAIL, "belljar server logs", "%s", doctor->server_why);
    else if (strcmp(report_text(doctor->server, "version"), BJ_VERSION) != 0)
        doctor_say(
            finding, DOCTOR_WARN,
            "belljar server stop; the sandboxes go on, and the next command starts this version's",
            "version %s runs, these programs are %s", report_text(doctor->server, "version"),
            BJ_VERSION);
    else
        doctor_say(finding, DOCTOR_OK, NULL, "%sversion %s, process %lld, %lld sandboxes",
                   doctor->server_started ? "was not running, started now: " : "",
                   report_text(doctor->server, "version"), report_number(doctor->server, "pid"),
                   report_number(doctor->server, "sandboxes"));
}

/* "memory: cgroup v2, cpus: none"; counts those without a mechanism. */
static size_t describe(const json_t *group, char *out, size_t size)
{
    size_t used = 0, without = 0;
    const char *key;
    json_t *value;
    *out = '\0';
    json_object_foreach((json_t *)group, key, value)
    {
        const char *text = json_string_value(value) ? json_string_value(value) : "none";
        without += strcmp(text, "none") == 0;
        int added = snprintf(out + used, size - used, "%s%s: %s", used ? ", " : "", key, text);
        if (added < 0 || (size_t)added >= size - used)
            break;
        used += (size_t)added;
    }
    return without;
}

static void check_limits(const struct doctor *doctor, struct doctor_finding *finding)
{
    char text[256];
    if (!doctor->server) {
        doctor_say(finding, DOCTOR_WARN, NULL, "unknown: no server");
        return;
    }
    size_t without = describe(json_object_get(doctor->server, "limits"), text, sizeof(text));
    doctor_say(finding, without ? DOCTOR_WARN : DOCTOR_OK,
               without ? "limits need a cgroup v2 with these controllers delegated to you: start "
                         "the server in a systemd user session (systemd-run --user --scope -p "
                         "Delegate=yes belljar server start)"
                       : NULL,
               "%s", text);
}

static void check_sampling(const struct doctor *doctor, struct doctor_finding *finding)
{
    char text[256];
    if (!doctor->server) {
        doctor_say(finding, DOCTOR_WARN, NULL, "unknown: no server");
        return;
    }
    describe(json_object_get(doctor->server, "sampling"), text, sizeof(text));
    doctor_say(finding, DOCTOR_OK, NULL, "%s", text);
}

static void check_fence(const struct doctor *doctor, struct doctor_finding *finding)
{
    if (doctor->server)
        doctor_say(finding, DOCTOR_OK, NULL, "kill: %s, pause: %s",
                   report_text(doctor->server, "kill"), report_text(doctor->server, "freeze"));
    else
        doctor_say(finding, DOCTOR_WARN, NULL, "unknown: no server");
}

/* Whether terminfo holds an entry, and its number of colours. */
static bool terminal_colours(const char *name, int *colours)
{
    int found;
    if (setupterm(name, STDOUT_FILENO, &found) != OK)
        return false;
    char number[] = "colors";
    *colours = tigetnum(number);
    del_curterm(cur_term);
    return true;
}

static void check_terminal(const struct doctor *doctor, struct doctor_finding *finding)
{
    (void)doctor;
    const char *term = getenv("TERM");
    const char *direct = getenv("COLORTERM");
    char entry[80];
    int colours = 0, direct_colours = 0;
    if (!term || !*term) {
        doctor_say(finding, DOCTOR_WARN, "set TERM to your terminal's name, as xterm-256color",
                   "TERM is not set");
        return;
    }
    if (!terminal_colours(term, &colours)) {
        doctor_say(finding, DOCTOR_WARN, "apt install ncurses-term, or TERM=xterm-256color",
                   "terminfo does not know %.64s", term);
        return;
    }
    bool wants = direct && (!strcmp(direct, "truecolor") || !strcmp(direct, "24bit"));
    snprintf(entry, sizeof(entry), "%.60s-direct", term);
    bool has = terminal_colours(entry, &direct_colours) ||
               terminal_colours("xterm-direct", &direct_colours);
    if (wants && !has)
        doctor_say(finding, DOCTOR_WARN, "apt install ncurses-term",
                   "%.64s: %d colours; 24-bit colour needs a -direct entry of terminfo", term,
                   colours);
    else
        doctor_say(finding, DOCTOR_OK, NULL, "%.64s: %s colours", term,
                   wants || colours > 256 ? "24-bit"
                   : colours >= 256       ? "256"
                   : colours >= 16        ? "16"
                   : colours >= 8         ? "8"
                                          : "no");
}

static void check_size(const struct doctor *doctor, struct doctor_finding *finding)
{
    (void)doctor;
    struct winsize size;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0)
        doctor_say(finding, DOCTOR_OK, NULL, "the output is no terminal");
    else if (size.ws_row < ROWS_MIN || size.ws_col < COLS_MIN)
        doctor_say(finding, DOCTOR_WARN, "make the window larger: 80x24 at least",
                   "%ux%u is small for the dashboard", size.ws_col, size.ws_row);
    else
        doctor_say(finding, DOCTOR_OK, NULL, "%ux%u", size.ws_col, size.ws_row);
}

static void check_locale(const struct doctor *doctor, struct doctor_finding *finding)
{
    (void)doctor;
    if (report_unicode())
        doctor_say(finding, DOCTOR_OK, NULL, "UTF-8");
    else
        doctor_say(finding, DOCTOR_WARN, "export LC_ALL=C.UTF-8",
                   "the encoding is %.64s: lines and symbols become plain ASCII",
                   nl_langinfo(CODESET));
}

static void check_git(const struct doctor *doctor, struct doctor_finding *finding)
{
    (void)doctor;
    char out[256];
    char *argv[] = {(char *)"git", (char *)"--version", NULL};
    int code = probe_run(argv, out, sizeof(out));
    if (code == 0)
        doctor_say(finding, DOCTOR_OK, NULL, "%s", out);
    else
        doctor_say(finding, DOCTOR_WARN, "apt install git",
                   "git does not work: repositories given with --project cannot be cloned");
}

const struct doctor_check doctor_server_checks[] = {
    {"server", check_server},    {"limits", check_limits},
    {"figures", check_sampling}, {"kill and pause", check_fence},
    {"runtime", check_runtime},  {"state", check_state},
    {"disk", check_disk},        {NULL, NULL},
};

const struct doctor_check doctor_user_checks[] = {
    {"terminal", check_terminal},
    {"terminal size", check_size},
    {"locale", check_locale},
    {"git", check_git},
    {NULL, NULL},
};

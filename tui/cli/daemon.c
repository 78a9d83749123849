#include "tui/cli/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "tui/cli/peer.h"
#include "tui/cli/plain.h"
#include "tui/cli/report.h"
#include "tui/cli/sandbox.h"
#include "tui/model/units.h"

#define STOP_MS 30000

static int start(const struct args *args, const struct bj_paths *paths)
{
    (void)args;
    struct bj_error error = {0};
    struct peer server;
    if (sandbox_server(paths, true, &server, &error) < 0)
        return report_error(&error);
    peer_close(&server);
    return COMMAND_DONE;
}

/* The server's process, as a descriptor that becomes readable when it has ended; -1 when it cannot
 * be watched. */
static int process_of(struct peer *server)
{
    struct bj_error error = {0};
    json_t *status;
    peer_call(server, "server.status", NULL, PEER_TIMEOUT_MS, &status, &error);
    long long pid = report_number(status, "pid");
    json_decref(status);
    return pid > 0 ? (int)syscall(SYS_pidfd_open, (pid_t)pid, 0) : -1;
}

/* The server's answer comes before its end; a script that goes on must find its process gone, and
 * with it the lock that keeps a second one from starting. */
static int await_end(struct peer *server, int process)
{
    struct bj_error error = {0};
    struct pollfd ended = {process, POLLIN, 0};
    bool never = false;
    if ((server->connected && peer_listen(server, &never, STOP_MS, &error) == -ETIMEDOUT) ||
        (process >= 0 && poll(&ended, 1, STOP_MS) == 0))
        return report_failure("the server said that it stops but goes on: see belljar server logs");
    return COMMAND_DONE;
}

static int stop(const struct args *args, const struct bj_paths *paths)
{
    struct bj_error error = {0};
    struct peer server;
    json_t *answer;
    int status = sandbox_server(paths, false, &server, &error);
    if (status == -ECONNREFUSED) {
        puts("no server was running");
        return report_end();
    }
    if (status < 0)
        return report_error(&error);
    int process = process_of(&server);
    status = peer_call(&server, "server.stop", json_pack("{s:b}", "kill", args_set(args, "kill")),
                       PEER_KILL_TIMEOUT_MS, &answer, &error);
    json_decref(answer);
    int code = status < 0 && status != -EPIPE ? report_error(&error) : await_end(&server, process);
    peer_close(&server);
    if (process >= 0)
        close(process);
    return code;
}

static void print_group(const json_t *status, const char *key, const char *title)
{
    const char *name;
    json_t *value;
    printf("%-10s", title);
    json_object_foreach(json_object_get(status, key), name, value)
        printf(" %s: %s ", name, json_string_value(value) ? json_string_value(value) : "none");
    putchar('\n');
}

static int print_status(const json_t *status)
{
    char age[UNIT_TEXT_MAX];
    long long seconds = (long long)time(NULL) - report_number(status, "started");
    unit_age_text(seconds > 0 ? (uint64_t)seconds : 0, age);
    printf("server     running, process %lld, version %s, for %s\n", report_number(status, "pid"),
           report_text(status, "version"), age);
    printf("runtime    %s\nstate      %s\n", report_text(status, "runtime"),
           report_text(status, "state"));
    printf("sandboxes  %lld, waiting %lld, alerts %lld, clients %lld\n",
           report_number(status, "sandboxes"), report_number(status, "waiting"),
           report_number(status, "alerts"), report_number(status, "clients"));
    print_group(status, "limits", "limits");
    print_group(status, "sampling", "sampling");
    printf("freeze     %s\nkill       %s\n", report_text(status, "freeze"),
           report_text(status, "kill"));
    return report_end();
}

static int status(const struct args *args, const struct bj_paths *paths)
{
    struct bj_error error = {0};
    struct peer server;
    json_t *answer = NULL;
    int failed = sandbox_server(paths, false, &server, &error);
    if (failed == 0) {
        failed = peer_call(&server, "server.status", NULL, PEER_TIMEOUT_MS, &answer, &error);
        peer_close(&server);
    }
    if (failed < 0)
        return report_error(&error);
    if (args_set(args, "json"))
        return report_json(answer);
    int code = print_status(answer);
    json_decref(answer);
    return code;
}

static int logs(const struct args *args, const struct bj_paths *paths)
{
    (void)args;
    struct bj_error error = {0};
    char path[BJ_PATH_MAX];
    char *line = NULL;
    size_t capacity = 0;
    if (bj_path(path, sizeof(path), &error, "%s/server.log", paths->state) < 0)
        return report_error(&error);
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    FILE *file = descriptor >= 0 ? fdopen(descriptor, "r") : NULL;
    if (!file)
        return report_failure("cannot read %s: %s", path, strerror(errno));
    for (ssize_t size; (size = getline(&line, &capacity, file)) > 0;)
        plain_write(stdout, line, (size_t)size, PLAIN_LINES);
    free(line);
    fclose(file);
    return report_end();
}

struct action {
    const char *name;
    int (*run)(const struct args *args, const struct bj_paths *paths);
};

static const struct action actions[] = {
    {"start", start}, {"stop", stop}, {"status", status}, {"logs", logs}};

int daemon_command(const struct args *args, const struct bj_paths *paths)
{
    for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++)
        if (strcmp(actions[i].name, args->words[0]) == 0)
            return actions[i].run(args, paths);
    return report_usage("server: no action %s", args->words[0]);
}

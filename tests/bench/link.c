#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/bench/engine.h"
#include "tests/bench/report.h"
#include "tests/bench/sections.h"
#include "transport/socket.h"
#include "tui/cli/inside.h"

#define LINK_BYTES (256U * 1024 * 1024)

static int drop(void *owner, const void *bytes, size_t size, struct bj_error *error)
{
    (void)owner;
    (void)bytes;
    (void)size;
    (void)error;
    return 0;
}

/* MB/s of a program inside whose output, or input, is all that moves. */
static double speed(const char *path, const char *const *argv, int input)
{
    struct bj_error error = {0};
    struct inside_program program = {
        .argv = argv, .directory = "/", .input = input, .limit = UINT64_MAX, .output = drop};
    struct inside_end end = {0};
    int socket = bj_socket_connect(path, &error);
    int64_t start = bench_now_us();
    if (socket < 0 || inside_run(socket, &program, &end, &error) < 0 || end.status != 0) {
        report_note("%s: %s %s", argv[0], error.text, end.text);
        return 0;
    }
    return (double)(end.sent + end.received) / (double)(bench_now_us() - start);
}

static double pipe_speed(void)
{
    int64_t start = bench_now_us();
    if (bench_shell(NULL, 0, "head -c %u /dev/zero | cat >/dev/null", LINK_BYTES) != 0)
        return 0;
    return (double)LINK_BYTES / (double)(bench_now_us() - start);
}

void section_link(void)
{
    static const char *const columns[] = {"pipe", "link", "link/pipe"};
    char path[512], size[32];
    snprintf(size, sizeof(size), "%u", LINK_BYTES);
    report_table("link", "Bytes between a program inside and the host, MB/s (best of 3)", 3,
                 columns);
    const struct engine *engine = engine_ours();
    if (engine->start_pane(engine, "link", "echo") != 0)
        return;
    bench_shell(path, sizeof(path), "ls $BELLJAR_RUNTIME_DIR/*/exec.sock | tr -d '\\n'");
    const char *const out[] = {"head", "-c", size, "/dev/zero", NULL};
    const char *const in[] = {"sh", "-c", "cat >/dev/null", NULL};
    double best[2][3] = {{0}};
    for (int round = 0; round < 3; round++) {
        double plain = pipe_speed(), values[2] = {speed(path, out, -1), 0};
        FILE *zeros = popen("head -c 268435456 /dev/zero", "r");
        if (zeros) {
            values[1] = speed(path, in, fileno(zeros));
            pclose(zeros);
        }
        for (int i = 0; i < 2; i++) {
            best[i][0] = plain > best[i][0] ? plain : best[i][0];
            best[i][1] = values[i] > best[i][1] ? values[i] : best[i][1];
            best[i][2] = best[i][1] / best[i][0];
        }
    }
    report_row("out of the sandbox", best[0]);
    report_row("into the sandbox", best[1]);
    engine->stop(engine);
}

#include "tests/bench/engine.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

char bench_directory[256];
int bench_rows = 50, bench_cols = 200;
long bench_scrollback = 10000;

struct engine bench_engines[BENCH_ENGINES_MAX];
size_t bench_engine_count;

int bench_prepare(void)
{
    char path[512];
    snprintf(bench_directory, sizeof(bench_directory), "/tmp/bj-bench-XXXXXX");
    if (!mkdtemp(bench_directory))
        return -1;
    snprintf(path, sizeof(path), "%s/run", bench_directory);
    setenv("BELLJAR_RUNTIME_DIR", path, 1);
    snprintf(path, sizeof(path), "%s/state", bench_directory);
    setenv("BELLJAR_STATE_DIR", path, 1);
    setenv("XDG_CONFIG_HOME", bench_directory, 1);
    snprintf(path, sizeof(path), "%s/files", bench_directory);
    return mkdir(path, 0755);
}

static void clean_up(void)
{
    fprintf(stderr, "interrupted: what was started is being stopped\n");
    for (size_t i = 0; i < bench_engine_count; i++)
        bench_engines[i].stop(&bench_engines[i]);
    bench_shell(NULL, 0, "rm -rf %s", bench_directory);
}

void bench_guard(void)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGCHLD};
    sigset_t ends, before;
    int status = 0, number;
    sigemptyset(&ends);
    for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
        sigaddset(&ends, numbers[i]);
    sigprocmask(SIG_BLOCK, &ends, &before);
    pid_t work = fork();
    if (work > 0) {
        while (waitpid(work, &status, WNOHANG) == 0)
            if (sigwait(&ends, &number) == 0 && number != SIGCHLD)
                kill(work, SIGKILL);
        if (WIFEXITED(status))
            exit(WEXITSTATUS(status));
        clean_up();
        exit(1);
    }
    sigprocmask(SIG_SETMASK, &before, NULL);
}

int bench_shell(char *out, size_t size, const char *format, ...)
{
    char command[8192];
    va_list args;
    va_start(args, format);
    vsnprintf(command, sizeof(command), format, args);
    va_end(args);
    FILE *pipe = popen(command, "r");
    if (!pipe)
        return -1;
    char rest[4096];
    size_t used = 0;
    if (out && size > 0)
        used = fread(out, 1, size - 1, pipe);
    while (fread(rest, 1, sizeof(rest), pipe) > 0)
        ;
    if (out && size > 0)
        out[used] = '\0';
    int status = pclose(pipe);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

bool await_text(const struct engine *engine, const char *name, const char *text)
{
    static char screen[262144];
    int64_t end = bench_now_us() + 30 * 1000000LL;
    while (bench_now_us() < end) {
        if (engine->capture(engine, name, screen, sizeof(screen)) && strstr(screen, text))
            return true;
        usleep(50000);
    }
    return false;
}

void engines_find(const char *belljar)
{
    const char *newer = getenv("BELLJAR_BENCH_TMUX"), *screen = getenv("BELLJAR_BENCH_SCREEN");
    if (bench_shell(NULL, 0, "command -v tmux >/dev/null") == 0)
        engine_tmux_make(&bench_engines[bench_engine_count++], "tmux", "tmux");
    if (newer && access(newer, X_OK) == 0)
        engine_tmux_make(&bench_engines[bench_engine_count++], "tmux 3.5a", newer);
    if (screen && access(screen, X_OK) == 0)
        engine_screen_make(&bench_engines[bench_engine_count++], screen);
    engine_belljar_make(&bench_engines[bench_engine_count++], belljar);
}

const struct engine *engine_ours(void)
{
    return &bench_engines[bench_engine_count - 1];
}

const struct engine *engine_tmux(void)
{
    return bench_engine_count > 1 && bench_engines[0].program[0] == 't' ? &bench_engines[0] : NULL;
}

/*
 * A monkey at the keyboard: random keys, clicks, pastes and sizes from a seed that is printed.
 *
 *   BELLJAR_MONKEY_KEYS=100000 BELLJAR_MONKEY_SEED=1 test-e2e-monkey
 *
 * Whatever it does, the dashboard lives or leaves as it was told to, no mode holds it, the terminal
 * is given back, the server is the same, and a sandbox that no key can reach runs on. Neither
 * program gathers descriptors or memory. With an odd seed the keys are those of tmux.
 */
#include "chords.h"
#include "eye.h"
#include "human.h"
#include "world.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tui/keys.h"

#define KEYS_DEFAULT    5000
#define ROUND_KEYS      20000 /* libcheck cannot count the time of a test of 36 minutes */
#define RESIZE_EVERY    150
#define CHECK_EVERY     400
#define SANDBOXES_LIMIT 14
#define TRACE           120 /* inputs that are printed when something is wrong */
#define SETTLE_MS       60
#define PATIENT_MS      3000
#define WARM_KEYS       1000 /* with which a program has grown to its size */

/* What it may hold more than then: connections to as many sandboxes as there may be, pictures of
 * what they show, and a scrollback that is looked at. */
#define MORE_FILES  (8 * SANDBOXES_LIMIT)
#define MORE_MEMORY (48L * 1024) /* KiB */

static struct world world;
static uint64_t state;
static char trace[TRACE][48];
static size_t traced;
static pid_t server;
static long keys, seed;
static bool tmux; /* preset */
static char project[96];

/* What a program held when it had seen WARM_KEYS keys. */
struct holding {
    pid_t pid;
    long since; /* which key was the first that it saw */
    long files, memory;
};
static struct holding client_held, server_held;

/* Source: SplitMix64, public domain. */
static uint32_t roll(uint32_t below)
{
    uint64_t z = (state += 0x9e3779b97f4a7c15U);
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9U;
    z = (z ^ z >> 27) * 0x94d049bb133111ebU;
    return (uint32_t)((z ^ z >> 31) % below);
}

static void configure(void)
{
    char path[200];
    snprintf(path, sizeof(path), "%s/.config", world.home);
    ck_assert_int_eq(mkdir(path, 0700), 0);
    snprintf(path, sizeof(path), "%s/.config/belljar", world.home);
    ck_assert_int_eq(mkdir(path, 0700), 0);
    world_file(&world, "home/.config/belljar/belljar.conf", "preset = tmux\n", 0600);
}

static void setup(void)
{
    char work[200];
    world_open(&world);
    snprintf(project, sizeof(project), "%s/project", world.base);
    ck_assert_int_eq(mkdir(project, 0755), 0);
    human_repository(&world, project);
    /* What it saves lands here. */
    snprintf(work, sizeof(work), "%s/deep", world.home);
    ck_assert_int_eq(mkdir(work, 0700), 0);
    ck_assert_int_eq(chdir(work), 0);
}

static void teardown(void)
{
    ck_assert_int_eq(chdir("/"), 0);
    world_close(&world);
}

static void print_trace(void)
{
    for (size_t i = traced > TRACE ? traced - TRACE : 0; i < traced; i++)
        fprintf(stderr, "%s%s", trace[i % TRACE], (i + 1) % 12 ? "  " : "\n");
    fputc('\n', stderr);
}

#define EXPECT(eye, condition)                                                                     \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            print_trace();                                                                         \
            eye_fail(eye, #condition);                                                             \
        }                                                                                          \
    } while (0)

static void populate(void)
{
    static const struct {
        const char *name, *script;
    } wanted[] = {
        {"asks", "while :; do belljar-shim ask --kind exec --title \"step $RANDOM\"; done"},
        {"counts", "i=0; while :; do i=$((i+1)); echo \"counts \xe6\x97\xa5 $i\"; sleep 0.1; done"},
        {"types", "cat"},
        {"ended", "echo bye; exit 3"},
        {"paints", "while :; do printf '\\033[%d;%dH\\033[4%dm*' $((RANDOM%30)) $((RANDOM%90)) "
                   "$((RANDOM%8)); sleep 0.1; done"},
    };
    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
        if (!*world_field(&world, wanted[i].name, "state"))
            human_runs(&world, wanted[i].name, wanted[i].script);
    if (!*world_field(&world, "works", "state"))
        BELLJAR_OK(&world, "run", "-d", "-n", "works", "-p", project, "--", "sh", "-c",
                   "sed -i s/one/ONE/ a; rm b; seq 200 >>sub/c; echo new >d; exec cat");
}

/* Too many, or too few that live: begin anew. What is paused is killed, too. */
static void tidy(void)
{
    struct result result;
    BELLJAR(&world, &result, "ls", "--json");
    ck_assert_int_eq(result.code, 0);
    json_t *list = json_loads(result.out, 0, NULL), *item;
    size_t index, count = json_array_size(list);
    json_array_foreach(list, index, item)
    {
        const char *name = json_string_value(json_object_get(item, "name"));
        if (count > SANDBOXES_LIMIT && strcmp(name, "safe") != 0) {
            struct result dropped;
            BELLJAR(&world, &dropped, "kill", name);
            result_free(&dropped);
        }
    }
    if (count > SANDBOXES_LIMIT)
        BELLJAR_OK(&world, "rm", "--all-exited");
    json_decref(list);
    result_free(&result);
    populate();
}

/* ---- what it presses ---- */

static void table_key(char out[48])
{
    const struct key_action *action = &keys_table[roll((uint32_t)keys_count)];
    const char *list = action->keys, *name;
    size_t size;
    struct chord chord;
    out[0] = '\0';
    for (uint32_t seen = 1; keys_next(&list, &name, &size); seen++)
        if (roll(seen) == 0 && keys_parse(name, size, &chord))
            chord_bytes(&chord, out);
}

/* Whether the dashboard has read all that was typed, and sleeps. */
static bool is_idle(const struct eye *eye)
{
    char path[64], now = '?';
    int waiting = -1, slave = open(ptsname(eye->fd), O_RDONLY | O_NOCTTY | O_CLOEXEC);
    if (slave < 0)
        return false;
    ioctl(slave, FIONREAD, &waiting);
    close(slave);
    snprintf(path, sizeof(path), "/proc/%d/stat", (int)eye->pid);
    const char *state = strrchr(world_read(path), ')');
    if (state)
        sscanf(state, ") %c", &now);
    return waiting == 0 && now == 'S';
}

/* A form or a line that says project "/" would copy this whole machine, and "~" or "." what is
 * there. Elsewhere they begin filters and searches. */
static bool may_name_a_place(struct eye *eye)
{
    static const char *const lines[] = {"New sandbox", "Enter start it", "Tab complete"};
    long long until = world_now() + PATIENT_MS;
    while (!is_idle(eye) && world_now() < until)
        if (!eye_pump(eye, 5))
            return true;
    for (int i = 0; i < 20; i++)
        eye_pump(eye, 2);
    bool line = !is_idle(eye);
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
        line |= eye_shows(eye, lines[i]);
    return line;
}

static void any_input(struct eye *eye, char out[48])
{
    static const char *const odd[] = {
        "\x1b[I",        "\x1b[O",       "\x1b[200~pasted\ntext\x1b[201~",
        "\x1b",          "\x1b[",        "\x1b[1;5C",
        "\x1bO",         "\xc3\xa9",     "\xff",
        "\xe6\x97\xa5",  "\x1b[200~",    "\x1b[201~",
        "\x1b[999;999H", "\x1b]0;x\x07", "\x1b[<35;1;1M",
        "\x1b[5n"};
    uint32_t kind = roll(100);
    if (kind < 60)
        table_key(out);
    else if (kind < 72)
        snprintf(out, 48, "%c", ' ' + (int)roll(95));
    else if (kind < 82)
        snprintf(out, 48, "%s", chord_named(roll((uint32_t)chord_named_count())));
    else if (kind < 90)
        snprintf(out, 48, "\x1b[<%u;%u;%u%c", roll(4) ? roll(3) : 64 + roll(2),
                 1 + roll((uint32_t)eye->cols), 1 + roll((uint32_t)eye->rows), roll(4) ? 'M' : 'm');
    else if (kind < 96)
        snprintf(out, 48, "%s", odd[roll(sizeof(odd) / sizeof(odd[0]))]);
    else
        snprintf(out, 48, "%c", 1 + (int)roll(26));
    bool place = strchr(out, '/') || (strchr(out, '~') && out[0] != '\x1b') || strchr(out, '.');
    if (place && may_name_a_place(eye))
        strcpy(out, roll(2) ? "l" : "i");
}

static void remember(const char *bytes)
{
    char *line = trace[traced++ % TRACE];
    size_t used = 0;
    for (; *bytes && used + 5 < sizeof(trace[0]); bytes++)
        used += (size_t)snprintf(line + used, sizeof(trace[0]) - used,
                                 *bytes > ' ' && *bytes < 0x7f ? "%c" : "\\x%02x",
                                 (unsigned char)*bytes);
    line[used] = '\0';
}

/* ---- what must be so ---- */

static long files_of(pid_t pid)
{
    char path[64];
    long count = 0;
    snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
    DIR *directory = opendir(path);
    while (directory && readdir(directory))
        count++;
    if (directory)
        closedir(directory);
    return count;
}

static long memory_of(pid_t pid)
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
    const char *at = strstr(world_read(path), "VmRSS:");
    return at ? strtol(at + 6, NULL, 10) : 0;
}

/* A sanitizer keeps what is freed. */
#ifdef __SANITIZE_ADDRESS__
#define MEMORY_COUNTS false
#else
#define MEMORY_COUNTS true
#endif

static void check_holding(struct eye *eye, const char *name, struct holding *held, pid_t pid,
                          long key)
{
    if (held->pid != pid)
        *held = (struct holding){.pid = pid, .since = key};
    if (key - held->since < WARM_KEYS)
        return;
    long files = files_of(pid), memory = memory_of(pid);
    if (files == 0 || memory == 0)
        return; /* it has just ended */
    if (held->files == 0) {
        held->files = files;
        held->memory = memory;
    }
    if (files > held->files + MORE_FILES ||
        (MEMORY_COUNTS && memory > held->memory + MORE_MEMORY)) {
        print_trace();
        eye_dump(eye);
        ck_abort_msg("the %s has %ld descriptors and %ld KiB; it had %ld and %ld", name, files,
                     memory, held->files, held->memory);
    }
}

/* What is typed behind the key that leaves comes when the terminal is given back already, where C-c
 * would end the program and C-s hold back its last words: such keys are no commands here. */
static struct eye *attach(void)
{
    struct eye *eye =
        eye_open(24, 100,
                 (const char *const[]){"sh", "-c", "stty -isig -ixon; exec \"$0\" attach",
                                       world.belljar, NULL});
    EYE_WAIT_TEXT(eye, "SUPERVISE");
    eye->first.c_lflag &= ~(tcflag_t)ISIG;
    eye->first.c_iflag &= ~(tcflag_t)IXON;
    return eye;
}

/* The end of what the terminal got, and what was pressed, when it was not given back. */
static void check_restored(struct eye *eye)
{
    if (!eye->cursor_visible || eye->altscreen || eye->mouse || eye->modes.titles != 0 ||
        eye->modes.styled || eye->modes.shape != 0) {
        for (size_t i = eye->raw_size > 500 ? eye->raw_size - 500 : 0; i < eye->raw_size; i++)
            fprintf(stderr, eye->raw[i] >= ' ' ? "%c" : "\\x%02x", (unsigned char)eye->raw[i]);
        fputc('\n', stderr);
        print_trace();
    }
    eye_check_restored(eye);
}

/* It was told to leave: it says so, and the terminal is as it was. */
static struct eye *again(struct eye *eye)
{
    int code = eye_wait_end(eye);
    EXPECT(eye, code == 0);
    EXPECT(eye, strstr(eye->raw, "detached from session") != NULL);
    check_restored(eye);
    eye_close(eye);
    return attach();
}

static bool has_left(struct eye *eye, int milliseconds)
{
    long long until = world_now() + milliseconds;
    bool there;
    while ((there = eye_pump(eye, 2)) && world_now() < until)
        ;
    return !there;
}

/* What leads out of the mode that is on the bar. */
static const char *way_out(struct eye *eye)
{
    const char *bar = eye_row(eye, 23);
    bool typing = strstr(bar, "FOCUS") || strstr(bar, "BROADCAST");
    return !typing ? "\x1b" : tmux ? "\x02\x1b" : EYE_F12;
}

/* Escape, or the prefix, leads out of everything. */
static struct eye *check_free(struct eye *eye, long key)
{
    eye_type(eye, "\x1b[201~"); /* a paste that never ended */
    eye_resize(eye, 24, 100);
    for (int i = 0; i < 8; i++) {
        if (has_left(eye, SETTLE_MS))
            return again(eye);
        eye_type(eye, way_out(eye));
    }
    if (has_left(eye, SETTLE_MS))
        return again(eye);
    remember("[check]");
    long long until = world_now() + world_patience();
    while (!strstr(eye_row(eye, 23), "SUPERVISE") && world_now() < until) {
        if (strcmp(way_out(eye), "\x1b") != 0) /* an Escape was read late, see below */
            eye_type(eye, way_out(eye));
        if (has_left(eye, PATIENT_MS))
            return again(eye); /* what told it to leave was read late */
    }
    EXPECT(eye, strstr(eye_row(eye, 23), "SUPERVISE"));
    until = world_now() + world_patience();
    while (!eye_shows(eye, "Keys while supervising") && world_now() < until) {
        /* Behind an Escape that was read late ? is M-?; or that Escape closed what had been opened
         * from focus mode, which comes back then. */
        eye_type(eye, strcmp(way_out(eye), "\x1b") != 0 ? way_out(eye) : "?");
        if (has_left(eye, PATIENT_MS))
            return again(eye);
    }
    EXPECT(eye, eye_shows(eye, "Keys while supervising"));
    eye_type(eye, "\x1b");
    until = world_now() + world_patience();
    while (eye_shows(eye, "Keys while supervising") && world_now() < until)
        eye_pump(eye, 20);
    EXPECT(eye, !eye_shows(eye, "Keys while supervising"));
    EXPECT(eye, world_server(&world) == server);
    tidy();
    check_holding(eye, "dashboard", &client_held, eye->pid, key);
    check_holding(eye, "server", &server_held, server, key);
    return eye;
}

static long number(const char *variable, long otherwise)
{
    const char *text = getenv(variable);
    return text && *text ? strtol(text, NULL, 10) : otherwise;
}

START_TEST(random_keys)
{
    long left = keys - (long)_i * ROUND_KEYS, count = left < ROUND_KEYS ? left : ROUND_KEYS;
    printf("BELLJAR_MONKEY_SEED=%ld BELLJAR_MONKEY_KEYS=%ld\n", seed + _i, count);
    fflush(stdout);
    state = (uint64_t)(seed + _i);
    tmux = (seed + _i) % 2 != 0;
    if (tmux)
        configure();
    client_held = server_held = (struct holding){0};
    BELLJAR_OK(&world, "run", "-d", "-n", "safe", "-s", "elsewhere", "--", "sleep", "100000");
    WAIT_FOR(world_state_is(&world, "safe", "running"));
    long long init = world_number(&world, "safe", "init_pid");
    populate();
    server = world_server(&world);
    struct eye *eye = attach();
    for (long i = 1; i <= count; i++) {
        char bytes[48];
        any_input(eye, bytes);
        remember(bytes);
        eye_type(eye, bytes);
        bool there = roll(4) ? eye_pump(eye, 0) : !has_left(eye, 4);
        if (!there)
            eye = again(eye);
        if (i % RESIZE_EVERY == 0)
            eye_resize(eye, 1 + (int)roll(60), 1 + (int)roll(250));
        if (i % CHECK_EVERY == 0)
            eye = check_free(eye, i);
        if (eye->raw_size > 8U << 20) /* what was sent long ago is of no interest */
            eye->raw_size = 0;
    }
    eye = check_free(eye, count);
    eye_type(eye, "Q");
    EXPECT(eye, eye_wait_end(eye) == 0);
    check_restored(eye);
    eye_close(eye);
    ck_assert_int_eq(world_server(&world), server);
    ck_assert_int_eq(world_number(&world, "safe", "init_pid"), init);
    ck_assert(world_alive((pid_t)init));
}
END_TEST

int main(void)
{
    keys = number("BELLJAR_MONKEY_KEYS", KEYS_DEFAULT); /* before the world has its own */
    seed = number("BELLJAR_MONKEY_SEED", (long)(world_now() ^ getpid()));
    Suite *suite = suite_create("monkey");
    TCase *cases = tcase_create("monkey");
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_set_timeout(cases, 24 * 3600);
    tcase_add_loop_test(cases, random_keys, 0, (int)((keys + ROUND_KEYS - 1) / ROUND_KEYS));
    suite_add_tcase(suite, cases);
    return world_main(suite);
}

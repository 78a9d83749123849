/*
 * Screens of real agents: tests/fixtures/agents/AGENT.cast is what one printed, and at each of its
 * marks the screen must be that of AGENT-MARK.screen, text and colours, and behind them where the
 * cursor is and whether it is shown, as the sequences that bring it there. tests/agents/screens
 * compares the same files with other terminals. `test-monitor-screens write` makes them from what
 * is shown now.
 */
#include <check.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mux/monitor/capture.h"
#include "screen.h"

static bool writing;

static const char *path_of(const char *name)
{
    static char path[4096];
    const char *directory = getenv("BELLJAR_TEST_SCREENS");
    ck_assert_msg(directory, "BELLJAR_TEST_SCREENS does not say where the screens are");
    snprintf(path, sizeof(path), "%s/%s", directory, name);
    return path;
}

static void read_whole(const char *path, struct bytes *out)
{
    char part[4096];
    size_t got;
    FILE *file = fopen(path, "re");
    ck_assert_msg(file, "%s cannot be read", path);
    while ((got = fread(part, 1, sizeof(part), file)) > 0)
        bytes_add(out, part, got);
    fclose(file);
}

static void write_whole(const char *path, const struct bytes *bytes)
{
    FILE *file = fopen(path, "we");
    ck_assert_msg(file, "%s cannot be written", path);
    ck_assert_uint_eq(fwrite(bytes->data, 1, bytes->size, file), bytes->size);
    fclose(file);
}

/* The first line in which they differ, from 1; 0 when they are equal. */
static int differing_line(const struct bytes *a, const struct bytes *b)
{
    int line = 1;
    size_t i = 0;
    while (i < a->size && i < b->size && a->data[i] == b->data[i])
        line += a->data[i++] == '\n';
    return i == a->size && i == b->size ? 0 : line;
}

static void add_cursor(const struct terminal *terminal, struct bytes *out)
{
    char text[64];
    snprintf(text, sizeof(text), "\x1b[%d;%dH\x1b[?25%c\n", terminal->row + 1, terminal->col + 1,
             terminal->modes & TERMINAL_CURSOR_VISIBLE ? 'h' : 'l');
    bytes_add_str(out, text);
}

static void check_mark(struct terminal *terminal, const char *agent, const char *mark)
{
    char name[256];
    struct bytes now = {0}, then = {0};
    snprintf(name, sizeof(name), "%s-%s.screen", agent, mark);
    capture(terminal, false, true, 0, SIZE_MAX, &now, NULL);
    add_cursor(terminal, &now);
    ck_assert(!now.failed);
    if (writing) {
        write_whole(path_of(name), &now);
    } else {
        read_whole(path_of(name), &then);
        ck_assert_msg(differing_line(&now, &then) == 0, "%s: line %d is another", name,
                      differing_line(&now, &then));
    }
    bytes_free(&now);
    bytes_free(&then);
}

static const char *const agents[] = {"claude", "codex", "opencode", "gemini"};
#define AGENTS (int)(sizeof(agents) / sizeof(agents[0]))
static const char *const marks[] = {"start", "prompt", "permission", "stream", "exit"};
#define MARKS (sizeof(marks) / sizeof(marks[0]))

static void play(const char *agent, FILE *cast)
{
    json_t *header = json_loadf(cast, JSON_DISABLE_EOF_CHECK, NULL), *event;
    ck_assert_ptr_nonnull(header);
    struct terminal *terminal =
        screen_new((int)json_integer_value(json_object_get(header, "height")),
                   (int)json_integer_value(json_object_get(header, "width")), 100, NULL);
    size_t seen = 0;
    while ((event = json_loadf(cast, JSON_DISABLE_EOF_CHECK, NULL))) {
        const char *kind = json_string_value(json_array_get(event, 1));
        const json_t *value = json_array_get(event, 2);
        if (strcmp(kind, "o") == 0) {
            terminal_write(terminal, json_string_value(value), json_string_length(value));
        } else if (strcmp(kind, "m") == 0) {
            ck_assert_uint_lt(seen, MARKS);
            ck_assert_str_eq(json_string_value(value), marks[seen++]);
            check_mark(terminal, agent, json_string_value(value));
        }
        json_decref(event);
    }
    ck_assert_uint_eq(seen, MARKS);
    terminal_free(terminal);
    json_decref(header);
}

START_TEST(agents_look_as_they_did)
{
    char name[64];
    snprintf(name, sizeof(name), "%s.cast", agents[_i]);
    FILE *cast = fopen(path_of(name), "re");
    ck_assert_msg(cast, "%s cannot be read", name);
    play(agents[_i], cast);
    fclose(cast);
}
END_TEST

int main(int argc, char **argv)
{
    writing = argc > 1 && strcmp(argv[1], "write") == 0;
    Suite *suite = suite_create("screens");
    TCase *tcase = tcase_create("agents");
    tcase_add_loop_test(tcase, agents_look_as_they_did, 0, AGENTS);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

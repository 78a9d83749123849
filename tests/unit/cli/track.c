#include "suite.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mux/audit/audit.h"
#include "tui/cli/replay_engine.h"

static char state[64], directory[80];
static struct bj_paths paths;
static struct track track;
static struct bj_error error;

static void write_file(int number, const char *text)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/recording.%d.cast", directory, number);
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_ge(fputs(text, file), 0);
    ck_assert_int_eq(fclose(file), 0);
}

static void setup(void)
{
    error = (struct bj_error){0};
    snprintf(state, sizeof(state), "/tmp/bj-track-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(state));
    snprintf(directory, sizeof(directory), "%s/abcd1234", state);
    ck_assert_int_eq(mkdir(directory, 0700), 0);
    snprintf(paths.state, sizeof(paths.state), "%s", state);
}

static void teardown(void)
{
    char command[128];
    track_free(&track);
    snprintf(command, sizeof(command), "rm -rf %s", state);
    ck_assert_int_eq(system(command), 0);
}

#define HEADER(offset, sequence, redraw, time)                                                     \
    "{\"version\":2,\"width\":20,\"height\":3,\"timestamp\":" #time                                \
    ",\"belljar\":{\"offset\":" #offset ",\"sequence\":" #sequence ",\"redraw\":" #redraw "}}\n"

static void load_two(void)
{
    write_file(0, HEADER(0, 1, false, 1000) "[0,\"o\",\"one\"]\n[5,\"o\",\" two\"]\n");
    write_file(1, HEADER(7, 2, true, 1010) "[0,\"o\",\"\\u001b[H\\u001b[2Jone two\"]\n"
                                           "[1,\"o\",\" three\"]\n[2,\"r\",\"30x5\"]\n");
    ck_assert_int_eq(track_load(&track, &paths, directory, false, "abcd1234", NULL, &error), 0);
}

/* What a row of the picture at this moment says. */
static const char *row_at(struct replay_engine *engine, struct player *player, double time, int row)
{
    static char text[200];
    size_t used = 0;
    player->time = time;
    player->paused = true;
    do
        ck_assert_int_eq(replay_engine_step(engine, player, 0, &error), 0);
    while (player->behind);
    text[0] = '\0';
    for (int col = 0; col < engine->picture.cols; col++)
        used += (size_t)snprintf(text + used, sizeof(text) - used, "%s",
                                 engine->picture.cells[row * engine->picture.cols + col].text);
    return text;
}

START_TEST(both_files_are_one)
{
    load_two();
    ck_assert_uint_eq(track.count, 5);
    ck_assert_double_eq(track.start, 1000);
    ck_assert_double_eq(track.end, 12);
    ck_assert_uint_eq(track.bases, 2);
    ck_assert_double_eq(track.base[1].time, 10);
    char text[200];
    track_missing(&track, text, sizeof(text));
    ck_assert_str_eq(text, "");
}
END_TEST

START_TEST(any_moment_can_be_seen)
{
    struct replay_engine engine;
    struct player player;
    load_two();
    player_open(&player, "");
    player_ready(&player, track.start, track.end, NULL, 0);
    replay_engine_open(&engine, &track);
    ck_assert_str_eq(row_at(&engine, &player, 0, 0), "one");
    ck_assert_str_eq(row_at(&engine, &player, 6, 0), "one two");
    ck_assert_str_eq(row_at(&engine, &player, 11, 0), "one two three");
    ck_assert_int_eq(engine.picture.cols, 20);
    ck_assert_str_eq(row_at(&engine, &player, 12, 0), "one two three");
    ck_assert_int_eq(engine.picture.cols, 30);
    ck_assert_str_eq(row_at(&engine, &player, 4.9, 0), "one"); /* back */
    ck_assert_int_eq(engine.picture.cols, 20);
    ck_assert_str_eq(row_at(&engine, &player, 10.5, 0), "one two");
    ck_assert_str_eq(row_at(&engine, &player, 10.2, 0), "one two"); /* from the redraw on */
    ck_assert_uint_eq(engine.began, track.base[1].event);
    replay_engine_close(&engine);
    replay_engine_close(&engine);
}
END_TEST

/* Much output is played in portions. */
START_TEST(a_flood_holds_nobody)
{
    struct replay_engine engine;
    struct player player;
    char *text = malloc(1 << 20);
    ck_assert_ptr_nonnull(text);
    size_t used = (size_t)sprintf(text, "%s", HEADER(0, 1, false, 1000));
    for (int i = 0; i < 500; i++)
        used += (size_t)sprintf(text + used, "[%d,\"o\",\"%0999d\\r\\n\"]\n", i / 100, i);
    write_file(0, text);
    free(text);
    ck_assert_int_eq(track_load(&track, &paths, directory, false, "abcd1234", NULL, &error), 0);
    player_open(&player, "");
    player_ready(&player, track.start, track.end, NULL, 0);
    replay_engine_open(&engine, &track);
    player.time = track.end;
    int steps = 0;
    do {
        ck_assert_int_eq(replay_engine_step(&engine, &player, 0, &error), 0);
        steps++;
    } while (player.behind);
    ck_assert_int_gt(steps, 2);
    ck_assert_uint_eq(engine.next, track.count);
    replay_engine_close(&engine);
}
END_TEST

START_TEST(marks_are_the_audit_logs)
{
    struct audit *audit;
    struct audit_opened opened;
    const struct audit_options options = {.lazy = true};
    write_file(0, HEADER(0, 1, false, 1000) "[0,\"o\",\"one\"]\n");
    ck_assert_int_eq(audit_open(&audit, state, &options, &opened, &error), 0);
    static const struct {
        enum audit_kind kind;
        const char *json;
    } records[] = {
        {AUDIT_REQUEST, "{\"sandbox_id\":\"abcd1234\",\"title\":\"rm \\u001b[31m\"}"},
        {AUDIT_VERDICT, "{\"sandbox_id\":\"abcd1234\",\"answer\":\"deny\",\"by\":\"human\","
                        "\"subject\":\"x.test:443\"}"},
        {AUDIT_ALERT, "{\"sandbox_id\":\"other567\",\"text\":\"not its own\"}"},
        {AUDIT_ALERT, "{\"sandbox_id\":\"abcd1234\",\"text\":\"odd\"}"},
        {AUDIT_EXIT, "{\"sandbox_id\":\"abcd1234\",\"code\":9,\"signal\":0}"},
    };
    for (size_t i = 0; i < sizeof(records) / sizeof(records[0]); i++) {
        json_t *fields = json_loads(records[i].json, 0, NULL);
        ck_assert_int_eq(audit_append(audit, records[i].kind, fields, &error), 0);
        json_decref(fields);
    }
    audit_close(audit);
    ck_assert_int_eq(track_load(&track, &paths, directory, false, "abcd1234", NULL, &error), 0);
    ck_assert_uint_eq(track.mark_count, 4);
    ck_assert_int_eq(track.marks[0].kind, MARK_REQUEST);
    ck_assert_ptr_null(strchr(track.marks[0].text, '\x1b'));
    ck_assert_int_eq(track.marks[1].kind, MARK_DENIED);
    ck_assert_str_eq(track.marks[1].text, "denied by human: x.test:443");
    ck_assert_str_eq(track.marks[2].text, "alert: odd");
    ck_assert_str_eq(track.marks[3].text, "exited 9");
    ck_assert_double_ge(track.end, track.marks[3].time);
}
END_TEST

START_TEST(the_run_before_is_kept_apart)
{
    struct audit *audit;
    struct audit_opened opened;
    const struct audit_options options = {.lazy = true};
    char path[128];
    snprintf(path, sizeof(path), "%s/previous.0.cast", directory);
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    fputs(HEADER(0, 1, false, 1000) "[0,\"o\",\"before\"]\n", file);
    fclose(file);
    write_file(0, HEADER(0, 1, false, 1000) "[0,\"o\",\"now\"]\n");
    ck_assert_int_eq(audit_open(&audit, state, &options, &opened, &error), 0);
    json_t *fields = json_loads("{\"sandbox_id\":\"abcd1234\",\"text\":\"odd\"}", 0, NULL);
    ck_assert_int_eq(audit_append(audit, AUDIT_ALERT, fields, &error), 0);
    json_decref(fields);
    audit_close(audit);
    snprintf(path, sizeof(path), "%s/sandbox.json", directory);
    file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    fputs("{\"created\": 2000}", file); /* when the last run began */
    fclose(file);
    ck_assert_int_eq(track_load(&track, &paths, directory, true, "abcd1234", NULL, &error), 0);
    ck_assert_uint_eq(track.size, strlen("before"));
    ck_assert_uint_eq(track.mark_count, 0); /* the alert is of the last run */
    track_free(&track);
    ck_assert_int_eq(track_load(&track, &paths, directory, false, "abcd1234", NULL, &error), 0);
    ck_assert_uint_eq(track.size, strlen("now"));
    ck_assert_uint_eq(track.mark_count, 1);
}
END_TEST

START_TEST(what_is_missing_is_said)
{
    char text[200];
    ck_assert_int_eq(track_load(&track, &paths, directory, false, "abcd1234", NULL, &error),
                     -ENOENT);
    ck_assert_ptr_nonnull(strstr(error.text, "nothing was recorded"));
    write_file(0, HEADER(500, 3, true, 1000) "[0,\"o\",\"state\"]\nnonsense\n[1,\"o\",\"x\"]\n");
    ck_assert_int_eq(track_load(&track, &paths, directory, false, "abcd1234", NULL, &error), 0);
    track_missing(&track, text, sizeof(text));
    ck_assert_ptr_nonnull(strstr(text, "the first 500 bytes"));
    track.lost_before = 0;
    track_missing(&track, text, sizeof(text));
    ck_assert_ptr_nonnull(strstr(text, "1 lines"));
    atomic_bool stop = true;
    track_free(&track);
    ck_assert_int_eq(track_load(&track, &paths, directory, false, "abcd1234", &stop, &error),
                     -EINTR);
    char found[BJ_PATH_MAX], id[FLEET_ID_MAX];
    ck_assert_int_eq(track_find(&paths, "nobody", found, id, &error), -ENOENT);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("track");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, both_files_are_one);
    tcase_add_test(tests, any_moment_can_be_seen);
    tcase_add_test(tests, a_flood_holds_nobody);
    tcase_add_test(tests, marks_are_the_audit_logs);
    tcase_add_test(tests, the_run_before_is_kept_apart);
    tcase_add_test(tests, what_is_missing_is_said);
    return run_suite("track", tests);
}

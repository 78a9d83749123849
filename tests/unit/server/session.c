#include "mux/server/session.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "mux/server/record.h"
#include "tests/unit/server/suite.h"
#include "transport/file.h"

START_TEST(kept_on_disk)
{
    char directory[SUITE_PATH_MAX], path[SUITE_PATH_MAX + 32];
    struct sessions sessions = {0}, back = {0};
    struct session *session;
    struct bj_error error;
    suite_directory(directory);
    snprintf(path, sizeof(path), "%s/sessions.json", directory);
    ck_assert_int_eq(sessions_load(&back, path, &error), 0); /* none yet */
    ck_assert_int_eq(session_use(&sessions, "main", &session, &error), 0);
    ck_assert_str_eq(session->layout, "tiled");
    ck_assert_int_eq(session_set_layout(session, "zoom", &error), 0);
    ck_assert_int_eq(session_add_pane(session, "bbbbbbbb", &error), 0);
    ck_assert_int_eq(session_add_pane(session, "aaaaaaaa", &error), 0);
    ck_assert_int_eq(session_add_pane(session, "bbbbbbbb", &error), 0); /* there already */
    strcpy(session->selected, "aaaaaaaa");
    session_pin(session, 1);
    ck_assert_str_eq(session->order, "own");
    ck_assert_int_eq(session_set_order(session, "need", &error), 0);
    ck_assert_int_eq(session_set_sort(session, "-cpu", &error), 0);
    ck_assert_int_eq(session_use(&sessions, "other", &session, &error), 0);
    ck_assert_int_eq(sessions_save(&sessions, path, &error), 0);
    ck_assert_int_eq(sessions_load(&back, path, &error), 0);
    ck_assert_uint_eq(back.count, 2);
    session = session_find(&back, "main");
    ck_assert_str_eq(session->layout, "zoom");
    ck_assert_str_eq(session->selected, "aaaaaaaa");
    ck_assert_uint_eq(session->count, 2);
    ck_assert_str_eq(session->panes[0], "bbbbbbbb");
    ck_assert_str_eq(session->panes[1], "aaaaaaaa");
    ck_assert_uint_eq(session->pinned, 1);
    ck_assert_str_eq(session->order, "need");
    ck_assert_str_eq(session->sort, "-cpu");
    ck_assert_str_eq(session_find(&back, "other")->sort, "");
    sessions_free(&sessions);
    sessions_free(&back);
    suite_remove(directory);
}
END_TEST

START_TEST(forgets_a_sandbox)
{
    struct sessions sessions = {0};
    struct session *session;
    ck_assert_int_eq(session_use(&sessions, "main", &session, NULL), 0);
    session_add_pane(session, "aaaaaaaa", NULL);
    session_add_pane(session, "bbbbbbbb", NULL);
    session_add_pane(session, "cccccccc", NULL);
    session_pin(session, 99);
    ck_assert_uint_eq(session->pinned, 3);
    session_pin(session, 2);
    strcpy(session->selected, "bbbbbbbb");
    ck_assert(session_forget(&sessions, "bbbbbbbb"));
    ck_assert(!session_forget(&sessions, "bbbbbbbb"));
    ck_assert_uint_eq(session->count, 2);
    ck_assert_str_eq(session->panes[1], "cccccccc");
    ck_assert_uint_eq(session->pinned, 1);
    ck_assert_str_eq(session->selected, "");
    sessions_free(&sessions);
}
END_TEST

START_TEST(bad_input)
{
    char directory[SUITE_PATH_MAX], path[SUITE_PATH_MAX + 32];
    struct sessions sessions = {0};
    struct session *session;
    struct bj_error error;
    ck_assert_int_eq(session_use(&sessions, "a b", &session, &error), -EINVAL);
    ck_assert_int_eq(session_use(&sessions, "main", &session, &error), 0);
    ck_assert_int_eq(session_set_layout(session, "spiral", &error), -EINVAL);
    ck_assert_str_eq(session->layout, "tiled");
    ck_assert_int_eq(session_set_order(session, "chaos", &error), -EINVAL);
    ck_assert_str_eq(session->order, "own");
    ck_assert_int_eq(session_set_sort(session, "a\x1b[m", &error), -EINVAL);
    ck_assert_int_eq(session_set_sort(session, "abcdefghijklmnop", &error), -EINVAL);
    ck_assert_str_eq(session->sort, "");
    suite_directory(directory);
    snprintf(path, sizeof(path), "%s/sessions.json", directory);
    static const char broken[] = "[{\"name\": \"x\",\n";
    ck_assert_int_eq(bj_file_replace(path, broken, strlen(broken), false, &error), 0);
    ck_assert_int_eq(sessions_load(&sessions, path, &error), -EINVAL);
    ck_assert_ptr_nonnull(strstr(error.text, "line"));
    static const char strange[] = "[{\"name\": \"y\", \"layout\": 3, \"order\": \"x\", \"sort\": "
                                  "7, \"panes\": [\"../../..\", 7, \"aaaaaaaa\"]}]";
    ck_assert_int_eq(bj_file_replace(path, strange, strlen(strange), false, &error), 0);
    ck_assert_int_eq(sessions_load(&sessions, path, &error), 0);
    ck_assert_uint_eq(session_find(&sessions, "y")->count, 1);
    ck_assert_str_eq(session_find(&sessions, "y")->order, "own");
    sessions_free(&sessions);
    suite_remove(directory);
}
END_TEST

int main(void)
{
    const TTest *const cases[] = {kept_on_disk, forgets_a_sandbox, bad_input, NULL};
    return suite_run("session", cases);
}

#include "suite.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tui/cli/recording.h"

static char directory[64];

static void setup(void)
{
    snprintf(directory, sizeof(directory), "/tmp/bj-recording-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(directory));
}

static void path_of(int number, char *out, size_t size)
{
    snprintf(out, size, "%s/recording.%d.cast", directory, number);
}

static void teardown(void)
{
    char path[128];
    for (int i = 0; i < RECORDING_FILES; i++) {
        path_of(i, path, sizeof(path));
        unlink(path);
    }
    rmdir(directory);
}

static void write_file(int number, const char *text)
{
    char path[128];
    path_of(number, path, sizeof(path));
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_ge(fputs(text, file), 0);
    ck_assert_int_eq(fclose(file), 0);
}

#define HEADER(offset, sequence, redraw, time)                                                     \
    "{\"version\":2,\"width\":80,\"height\":24,\"timestamp\":" #time                               \
    ",\"belljar\":{\"offset\":" #offset ",\"sequence\":" #sequence ",\"redraw\":" #redraw "}}\n"

/* All output (redraws in <>), sizes and the last time, as one text. */
static void read_all(struct recording *recording, char *out, size_t size, double *last)
{
    struct recording_event event;
    struct bj_error error = {0};
    size_t used = 0;
    int status;
    out[0] = '\0';
    while ((status = recording_next(recording, &event, &error)) > 0) {
        if (event.kind == RECORDING_RESIZE)
            used += (size_t)snprintf(out + used, size - used, "[%ux%u]", event.cols, event.rows);
        else
            used += (size_t)snprintf(out + used, size - used, event.redraw ? "<%.*s>" : "%.*s",
                                     (int)event.size, event.bytes);
        *last = event.time;
    }
    ck_assert_int_eq(status, 0);
}

START_TEST(one_file)
{
    struct recording recording;
    struct bj_error error = {0};
    char text[512];
    double last = 0;
    write_file(0, HEADER(0, 1, false, 1000) "[0.5,\"o\",\"one\"]\n"
                                            "[1.0,\"m\",\"a marker\"]\n"
                                            "[1.5,\"r\",\"100x30\"]\n"
                                            "[2.25,\"o\",\"two\"]\n");
    ck_assert_int_eq(recording_open(&recording, directory, false, &error), 0);
    ck_assert_uint_eq(recording.count, 1);
    ck_assert_uint_eq(recording.files[0].rows, 24);
    ck_assert_uint_eq(recording.files[0].cols, 80);
    read_all(&recording, text, sizeof(text), &last);
    ck_assert_str_eq(text, "one[100x30]two");
    ck_assert(last > 2.2 && last < 2.3);
    ck_assert_uint_eq(recording.bad_lines, 0);
    recording_close(&recording);
}
END_TEST

START_TEST(exact_bytes_replace_text)
{
    struct recording recording;
    struct bj_error error = {0};
    struct recording_event event;
    write_file(0, HEADER(0, 1, false, 1000) "[0.5,\"o\",\"a\\ufffd\"]\n"
                                            "[0.5,\"b\",\"YQD/gA==\"]\n"
                                            "[0.6,\"o\",\"z\"]\n");
    ck_assert_int_eq(recording_open(&recording, directory, false, &error), 0);
    ck_assert_int_eq(recording_next(&recording, &event, &error), 1);
    ck_assert_uint_eq(event.size, 4);
    ck_assert_int_eq(memcmp(event.bytes, "a\0\xff\x80", 4), 0);
    ck_assert_int_eq(recording_next(&recording, &event, &error), 1);
    ck_assert_uint_eq(event.size, 1);
    ck_assert_uint_eq(recording.position, 5);
    ck_assert_int_eq(recording_next(&recording, &event, &error), 0);
    ck_assert_int_eq(recording_next(&recording, &event, &error), 0);
    recording_close(&recording);
}
END_TEST

START_TEST(output_whose_bytes_are_missing_is_no_output_yet)
{
    struct recording recording;
    struct bj_error error = {0};
    char text[512];
    double last = 0;
    write_file(0, HEADER(0, 1, false, 1000) "[0.5,\"o\",\"one\"]\n"
                                            "[0.6,\"o\",\"a\\ufffd\"]\n");
    ck_assert_int_eq(recording_open(&recording, directory, false, &error), 0);
    read_all(&recording, text, sizeof(text), &last);
    ck_assert_str_eq(text, "one");
    recording_close(&recording);
}
END_TEST

START_TEST(two_files_are_joined_in_order)
{
    struct recording recording;
    struct bj_error error = {0};
    char text[512];
    double last = 0;
    write_file(0, HEADER(106, 3, true, 1010) "[0.0,\"o\",\"REDRAW\"]\n[0.5,\"o\",\"new\"]\n");
    write_file(1, HEADER(100, 2, true, 1000) "[0.0,\"o\",\"OLD\"]\n[0.5,\"o\",\"before\"]\n");
    ck_assert_int_eq(recording_open(&recording, directory, false, &error), 0);
    ck_assert_uint_eq(recording.count, 2);
    ck_assert_uint_eq(recording.files[0].offset, 100);
    read_all(&recording, text, sizeof(text), &last);
    ck_assert_str_eq(text, "<OLD>before<REDRAW>new");
    ck_assert(last > 10.4 && last < 10.6);
    ck_assert_uint_eq(recording.missing, 0);
    ck_assert_uint_eq(recording.position, 109);
    recording_close(&recording);
}
END_TEST

START_TEST(a_gap_is_counted)
{
    struct recording recording;
    struct bj_error error = {0};
    char text[512];
    double last = 0;
    write_file(0, HEADER(0, 1, false, 1000) "[0.5,\"o\",\"one\"]\n");
    write_file(1, HEADER(10, 2, true, 1002) "[0.5,\"o\",\"R\"]\n[1,\"o\",\"x\"]\n");
    ck_assert_int_eq(recording_open(&recording, directory, false, &error), 0);
    read_all(&recording, text, sizeof(text), &last);
    ck_assert_str_eq(text, "one<R>x");
    ck_assert_uint_eq(recording.missing, 7);
    recording_close(&recording);
}
END_TEST

START_TEST(corrupt_lines_are_left_out)
{
    struct recording recording;
    struct bj_error error = {0};
    char text[512];
    double last = 0;
    write_file(
        0,
        HEADER(
            0, 1, false,
            1000) "[0.5,\"o\",\"one\"]\n"
                  "garbage\n\n{}\n[]\n[1,2,3]\n[\"1\",\"o\",\"x\"]\n[1,\"o\",5]\n[1,\"oo\",\"x\"]\n"
                  "[1,\"b\",\"not base64!\"]\n"
                  "[1,\"b\",\"YQ==\"]\n"
                  "[1,\"r\",\"0x5\"]\n[1,\"r\",\"axb\"]\n[1,\"r\",\"99999999x1\"]\n"
                  "[1,\"x\",\"unknown\"]\n"
                  "[2,\"o\",\"two\"]\n"
                  "[3,\"o\",\"cut sho");
    ck_assert_int_eq(recording_open(&recording, directory, false, &error), 0);
    read_all(&recording, text, sizeof(text), &last);
    ck_assert_str_eq(text, "onetwo");
    ck_assert_uint_eq(recording.bad_lines, 9);
    recording_close(&recording);
}
END_TEST

static const char *const bad_headers[] = {
    "\n",
    "garbage\n",
    "[1,2]\n",
    "{\"version\":1,\"width\":80,\"height\":24}\n",
    "{\"version\":2,\"width\":0,\"height\":24}\n",
    "{\"version\":2,\"width\":80,\"height\":1000000}\n",
    "{\"version\":2,\"width\":80,\"height\":24,\"belljar\":{\"offset\":-1}}\n",
    "{\"version\":2,\"width\":\"80\"",
};

START_TEST(a_bad_header_is_an_error)
{
    struct recording recording;
    struct bj_error error = {0};
    write_file(0, bad_headers[_i]);
    ck_assert_int_eq(recording_open(&recording, directory, false, &error), -EPROTO);
    ck_assert_ptr_nonnull(strstr(error.text, "asciicast"));
}
END_TEST

START_TEST(one_good_file_is_enough)
{
    struct recording recording;
    struct bj_error error = {0};
    char text[512];
    double last = 0;
    write_file(0, "garbage\n");
    write_file(1, HEADER(0, 1, false, 1000) "[0.5,\"o\",\"one\"]\n");
    ck_assert_int_eq(recording_open(&recording, directory, false, &error), 0);
    read_all(&recording, text, sizeof(text), &last);
    ck_assert_str_eq(text, "one");
    recording_close(&recording);
}
END_TEST

START_TEST(nothing_recorded)
{
    struct recording recording;
    struct bj_error error = {0};
    ck_assert_int_eq(recording_open(&recording, directory, false, &error), -ENOENT);
    ck_assert_ptr_nonnull(strstr(error.text, "--record-limit 0"));
    write_file(0, "");
    write_file(1, "");
    ck_assert_int_eq(recording_open(&recording, directory, false, &error), -ENOENT);
}
END_TEST

START_TEST(a_link_is_not_followed)
{
    struct recording recording;
    struct bj_error error = {0};
    char path[128];
    path_of(0, path, sizeof(path));
    ck_assert_int_eq(symlink("/etc/passwd", path), 0);
    ck_assert_int_eq(recording_open(&recording, directory, false, &error), -ELOOP);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("recording");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, one_file);
    tcase_add_test(tests, exact_bytes_replace_text);
    tcase_add_test(tests, output_whose_bytes_are_missing_is_no_output_yet);
    tcase_add_test(tests, two_files_are_joined_in_order);
    tcase_add_test(tests, a_gap_is_counted);
    tcase_add_test(tests, corrupt_lines_are_left_out);
    tcase_add_loop_test(tests, a_bad_header_is_an_error, 0,
                        (int)(sizeof(bad_headers) / sizeof(*bad_headers)));
    tcase_add_test(tests, one_good_file_is_enough);
    tcase_add_test(tests, nothing_recorded);
    tcase_add_test(tests, a_link_is_not_followed);
    return run_suite("recording", tests);
}

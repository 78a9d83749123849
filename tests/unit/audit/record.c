#include "mux/audit/record.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/transport/suite.h"

static const char zeros[AUDIT_HASH_SIZE] =
    "0000000000000000000000000000000000000000000000000000000000000000";

static char *format(json_t *fields, size_t *size)
{
    char hash[AUDIT_HASH_SIZE];
    char *line;
    struct bj_error error = {0};
    int status = audit_record_format(7, 1700000000.12345, AUDIT_VERDICT, fields, zeros, hash, &line,
                                     size, &error);
    json_decref(fields);
    ck_assert_msg(status == 0, "%s", error.text);
    ck_assert_uint_eq(strlen(line), *size);
    ck_assert_int_eq(line[*size - 1], '\n');
    return line;
}

/* The form is a promise: old logs must verify for ever. So this line is written out, hash and all.
 */
START_TEST(form)
{
    size_t size;
    char *line = format(json_pack("{s:s, s:i, s:f, s:b, s:n, s:[s]}", "z", "\"\x1b[31m\xc3\xa9",
                                  "n", -3, "r", 0.1, "b", 1, "a", "l", "x"),
                        &size);
    ck_assert_str_eq(
        line,
        "{\"a\":null,\"b\":true,\"hash\":"
        "\"23d23cd41380e6dc847f20b83575791beb4d9601dcc65203b26f7453744aa3c8\""
        ",\"kind\":\"verdict\",\"l\":[\"x\"],\"n\":-3,\"prev\":\"00000000000000000000000000000000"
        "00000000000000000000000000000000\",\"r\":0.1,\"seq\":7,\"time\":1700000000.123,"
        "\"z\":\"\\\"\\u001B[31m\\u00E9\"}\n");
    free(line);
}
END_TEST

START_TEST(read_again)
{
    size_t size;
    char *line =
        format(json_pack("{s:s, s:f, s:{s:i}}", "sandbox", "blue", "waited", 1e22 / 3, "o", "x", 1),
               &size);
    struct audit_record record;
    ck_assert_int_eq(audit_record_parse(&record, line, size - 1, NULL), 0);
    ck_assert(record.intact);
    ck_assert_uint_eq(record.seq, 7);
    ck_assert_int_eq(record.kind, AUDIT_VERDICT);
    ck_assert_double_eq(record.time, 1700000000.123);
    ck_assert_str_eq(record.prev, zeros);
    audit_record_free(&record);

    /* Every byte counts: whichever is changed, it is noticed. */
    for (size_t i = 0; i < size - 1; i++) {
        char old = line[i];
        line[i] = old == 'x' ? 'y' : old == '0' ? '1' : old == ' ' ? 'a' : (char)(old ^ 1);
        int status = audit_record_parse(&record, line, size - 1, NULL);
        ck_assert_msg(status == -EINVAL || status == -EBADMSG, "byte %zu: %s", i, line);
        if (status == -EBADMSG) {
            ck_assert(!record.intact);
            audit_record_free(&record);
        }
        line[i] = old;
    }
    free(line);
}
END_TEST

/* Another spelling of the same content was not written by us. */
START_TEST(one_spelling)
{
    size_t size;
    char *line = format(json_pack("{s:s}", "a", "b"), &size);
    char spaced[1024];
    snprintf(spaced, sizeof(spaced), "{ %.*s", (int)(size - 2), line + 1);
    struct audit_record record;
    ck_assert_int_eq(audit_record_parse(&record, spaced, strlen(spaced), NULL), -EBADMSG);
    audit_record_free(&record);
    free(line);
}
END_TEST

static const char *const no_records[] = {
    "",
    "x",
    "{",
    "{}",
    "[]",
    "null",
    "{\"seq\":1}",
    "{\"hash\":\"x\",\"kind\":\"start\",\"prev\":\"y\",\"seq\":1,\"time\":1.0}",
};

static void check_no_record(int row)
{
    struct audit_record record;
    ck_assert_int_eq(audit_record_parse(&record, no_records[row], strlen(no_records[row]), NULL),
                     -EINVAL);
}

START_TEST(no_record)
{
    for (int row = 0; row < (int)(sizeof(no_records) / sizeof(*no_records)); row++)
        check_no_record(row);
}
END_TEST

START_TEST(texts)
{
    static const struct {
        const char *in;
        size_t size;
        const char *out;
    } cases[] = {
        {"plain", 5, "plain"},
        {"a\xffz", 3, "a\xef\xbf\xbdz"},
        {"\xc3", 1, "\xef\xbf\xbd"},
        {"\xed\xa0\x80", 3, "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"}, /* a surrogate */
        {"\xc0\x80", 2, "\xef\xbf\xbd\xef\xbf\xbd"},
        {"a\0b\x7f", 4,
         "a\xef\xbf\xbd"
         "b\xef\xbf\xbd"},
        {"\n\x1b", 2, "\n\x1b"}, /* JSON escapes these */
        {"\xf0\x9f\x90\x9d", 4, "\xf0\x9f\x90\x9d"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        json_t *text = audit_text(cases[i].in, cases[i].size);
        ck_assert_str_eq(json_string_value(text), cases[i].out);
        json_decref(text);
    }
    char big[3 * AUDIT_TEXT_MAX];
    memset(big, 'x', sizeof(big));
    json_t *text = audit_text(big, sizeof(big));
    ck_assert_uint_lt(json_string_length(text), AUDIT_TEXT_MAX);
    ck_assert_ptr_nonnull(strstr(json_string_value(text), "bytes cut)"));
    json_decref(text);
    text = audit_text(NULL, 0);
    ck_assert(json_is_null(text));
    json_decref(text);
}
END_TEST

static int refused(json_t *fields)
{
    char hash[AUDIT_HASH_SIZE];
    char *line;
    size_t size;
    struct bj_error error = {0};
    int status = audit_record_format(1, 1, AUDIT_START, fields, zeros, hash, &line, &size, &error);
    ck_assert_ptr_null(line);
    ck_assert(error.text[0]);
    json_decref(fields);
    return status;
}

START_TEST(limits)
{
    ck_assert_int_eq(refused(json_array()), -EINVAL);
    ck_assert_int_eq(refused(json_pack("{s:s}", "hash", "x")), -EINVAL);
    ck_assert_int_eq(refused(json_pack("{s:i}", "seq", 1)), -EINVAL);
    ck_assert_int_eq(refused(json_pack("{s:{s:{s:{s:{}}}}}", "a", "b", "c", "d")), -EINVAL);
    json_t *many = json_object();
    for (int i = 0; i < 100; i++) {
        char key[8];
        snprintf(key, sizeof(key), "k%d", i);
        json_object_set_new(many, key, json_true());
    }
    ck_assert_int_eq(refused(many), -EINVAL);
    json_t *big = json_object();
    char text[AUDIT_TEXT_MAX + 100];
    memset(text, 'x', sizeof(text));
    for (int i = 0; i < 30; i++) {
        char key[8];
        snprintf(key, sizeof(key), "k%d", i);
        json_object_set_new(big, key, json_stringn(text, sizeof(text)));
    }
    ck_assert_int_eq(refused(big), -E2BIG);
    size_t size;
    char *line = format(json_pack("{s:s%}", "t", text, (int)sizeof(text)), &size);
    ck_assert_ptr_nonnull(strstr(line, "bytes cut)"));
    free(line);
}
END_TEST

START_TEST(names)
{
    for (int i = 0; i < AUDIT_KINDS; i++) {
        ck_assert_ptr_nonnull(audit_kind_name((enum audit_kind)i));
        ck_assert_int_eq(audit_kind_find(audit_kind_name((enum audit_kind)i)), i);
    }
    ck_assert_int_eq(audit_kind_find("nothing"), -1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("audit record");
    TCase *tests = tcase_create("record");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, form);
    tcase_add_test(tests, read_again);
    tcase_add_test(tests, one_spelling);
    tcase_add_test(tests, no_record);
    tcase_add_test(tests, texts);
    tcase_add_test(tests, limits);
    tcase_add_test(tests, names);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}

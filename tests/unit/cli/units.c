#include "suite.h"

#include <errno.h>

#include "tui/model/units.h"

struct reading {
    const char *text;
    int status;
    uint64_t value;
};

static const struct reading sizes[] = {
    {"0", 0, 0},
    {"4096", 0, 4096},
    {"512K", 0, 512 * 1024},
    {"512kb", 0, 512 * 1024},
    {"1.5G", 0, UINT64_C(1610612736)},
    {"64MiB", 0, 64 * 1024 * 1024},
    {"0.1K", 0, 102},
    {"2T", 0, UINT64_C(2) << 40},
    {"16383T", 0, UINT64_C(16383) << 40},
    {"", -EINVAL, 0},
    {"K", -EINVAL, 0},
    {"-1", -EINVAL, 0},
    {"+1", -EINVAL, 0},
    {" 1", -EINVAL, 0},
    {"1 K", -EINVAL, 0},
    {"1.", -EINVAL, 0},
    {"1.K", -EINVAL, 0},
    {"0x10", -EINVAL, 0},
    {"1e3", -EINVAL, 0},
    {"1Q", -EINVAL, 0},
    {"99999999999999999999", -ERANGE, 0},
    {"16777216T", -ERANGE, 0},
    {"9223372036854775808", -ERANGE, 0},
};

static const struct reading durations[] = {
    {"5", 0, 5000},       {"5s", 0, 5000},     {"250ms", 0, 250}, {"1.5m", 0, 90000},
    {"2h", 0, 7200000},   {"1d", 0, 86400000}, {"0", 0, 0},       {"1.0005s", 0, 1000},
    {"5x", -EINVAL, 0},   {"s", -EINVAL, 0},   {"", -EINVAL, 0},  {"1h30m", -EINVAL, 0},
    {"400d", -ERANGE, 0},
};

static const struct reading millis[] = {
    {"2", 0, 2000},       {"0.25", 0, 250},   {"1.2345", 0, 1234}, {"0", 0, 0},
    {"1.5x", -EINVAL, 0}, {".5", -EINVAL, 0}, {"9", -ERANGE, 0},
};

typedef int reader(const char *text, uint64_t limit, uint64_t *value, struct bj_error *error);

static void check(reader *read, const struct reading *reading, uint64_t limit)
{
    struct bj_error error = {0};
    uint64_t value = 0;
    int status = read(reading->text, limit, &value, &error);
    ck_assert_msg(status == reading->status, "'%s': %d %s", reading->text, status, error.text);
    if (status == 0)
        ck_assert_uint_eq(value, reading->value);
    else
        ck_assert_int_ne(error.text[0], '\0');
}

START_TEST(size)
{
    check(unit_size, &sizes[_i], INT64_MAX);
}
END_TEST

START_TEST(duration)
{
    check(unit_duration, &durations[_i], UINT64_C(31) * 86400000);
}
END_TEST

START_TEST(milli)
{
    check(unit_milli, &millis[_i], 8000);
}
END_TEST

START_TEST(texts_for_people)
{
    char text[UNIT_TEXT_MAX];
    unit_size_text(0, text);
    ck_assert_str_eq(text, "0B");
    unit_size_text(1023, text);
    ck_assert_str_eq(text, "1023B");
    unit_size_text(1536, text);
    ck_assert_str_eq(text, "1.5K");
    unit_size_text(UINT64_C(24) << 30, text);
    ck_assert_str_eq(text, "24G");
    unit_size_text(UINT64_MAX, text);
    ck_assert_int_ne(text[0], '\0');
    unit_age_text(59, text);
    ck_assert_str_eq(text, "59s");
    unit_age_text(3600 * 3 + 600, text);
    ck_assert_str_eq(text, "3h10m");
    unit_age_text(86400 * 4, text);
    ck_assert_str_eq(text, "4d");
    unit_age_text(UINT64_MAX, text);
    ck_assert_int_ne(text[0], '\0');
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("units");
    tcase_add_loop_test(tests, size, 0, (int)(sizeof(sizes) / sizeof(*sizes)));
    tcase_add_loop_test(tests, duration, 0, (int)(sizeof(durations) / sizeof(*durations)));
    tcase_add_loop_test(tests, milli, 0, (int)(sizeof(millis) / sizeof(*millis)));
    tcase_add_test(tests, texts_for_people);
    return run_suite("units", tests);
}

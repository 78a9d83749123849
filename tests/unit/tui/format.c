#include "suite.h"

#include <math.h>
#include <string.h>

#include "tui/model/format.h"
#include "tui/model/text.h"

static char out[FORMAT_MAX];

static const char *bytes(uint64_t value)
{
    format_bytes(out, value);
    return out;
}

static const char *percent(double value)
{
    format_percent(out, value);
    return out;
}

static const char *age(double value)
{
    format_age(out, value);
    return out;
}

START_TEST(bytes_in_words)
{
    ck_assert_str_eq(bytes(0), "0B");
    ck_assert_str_eq(bytes(999), "999B");
    ck_assert_str_eq(bytes(1000), "1.0K");
    ck_assert_str_eq(bytes(1536), "1.5K");
    ck_assert_str_eq(bytes(10 * 1024), "10K");
    ck_assert_str_eq(bytes(34 << 20), "34M");
    ck_assert_str_eq(bytes(UINT64_C(3) << 30), "3.0G");
    ck_assert_str_eq(bytes(FIGURE_UNKNOWN), "-");
    for (int shift = 0; shift < 64; shift++) {
        ck_assert_int_le(text_width(bytes((UINT64_C(1) << shift) - 1)), 5);
        ck_assert_int_le(text_width(bytes(UINT64_C(1) << shift)), 5);
    }
}
END_TEST

START_TEST(percent_in_words)
{
    ck_assert_str_eq(percent(0), "0%");
    ck_assert_str_eq(percent(12.4), "12%");
    ck_assert_str_eq(percent(1600), "1600%");
    ck_assert_str_eq(percent(-1), "-");
    ck_assert_str_eq(percent(NAN), "-");
    ck_assert_int_le(text_width(percent(INFINITY)), 5);
    ck_assert_int_le(text_width(percent(123456)), 5);
}
END_TEST

START_TEST(age_in_words)
{
    ck_assert_str_eq(age(0), "0s");
    ck_assert_str_eq(age(59.9), "59s");
    ck_assert_str_eq(age(60), "1m");
    ck_assert_str_eq(age(3 * 3600 + 300), "3h05");
    ck_assert_str_eq(age(86400 * 4), "4d");
    ck_assert_str_eq(age(-5), "0s");
    ck_assert_str_eq(age(NAN), "0s");
    ck_assert_int_le(text_width(age(1e11)), 5);
}
END_TEST

START_TEST(counts)
{
    format_count(out, 0);
    ck_assert_str_eq(out, "0");
    format_count(out, 12345);
    ck_assert_str_eq(out, "12k");
    format_count(out, FIGURE_UNKNOWN);
    ck_assert_str_eq(out, "-");
}
END_TEST

START_TEST(graphs)
{
    char graph[64];
    const float shares[] = {-1, 0, 0.5F, 1, 7};
    format_graph(graph, shares, 5, false);
    ck_assert_str_eq(graph, " \u2581\u2585\u2588\u2588");
    ck_assert_int_eq(text_width(graph), 5);
    format_graph(graph, shares, 5, true);
    ck_assert_int_eq((int)strlen(graph), 5);
}
END_TEST

SUITE_MAIN("format", bytes_in_words, percent_in_words, age_in_words, counts, graphs)

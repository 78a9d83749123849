/* Output that wants to harm: rows 33 to 43 of the attack list, at the terminal. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "screen.h"
#include "transport/utf8.h"

static struct heard heard;

static void repeat(struct terminal *t, const char *text, size_t bytes)
{
    char block[4096];
    size_t length = strlen(text), filled = 0;
    while (filled + length <= sizeof(block)) {
        memcpy(block + filled, text, length);
        filled += length;
    }
    for (size_t sent = 0; sent < bytes; sent += filled)
        terminal_write(t, block, filled);
}

START_TEST(test_clipboard)
{
    struct terminal *t = screen_new(4, 20, 0, &heard);
    screen_write(t, "\x1b]52;c;c2VjcmV0\x07");
    ck_assert_ptr_nonnull(strstr(heard.alerts, "clipboard: the agent tried to set"));
    screen_write(t, "\x1b]52;c;?\x1b\\");
    ck_assert_ptr_nonnull(strstr(heard.alerts, "clipboard: the agent tried to read"));
    screen_write(t, "\x1b]52;c;");
    repeat(t, "QUJD", 8192);
    screen_write(t, "\x07");
    ck_assert_int_eq(heard.alerts_count, 3);
    ck_assert_str_eq(heard.replies, "");
    ck_assert_str_eq(screen_row(t, 0), "");
    terminal_free(t);
}
END_TEST

START_TEST(test_notifications)
{
    struct terminal *t = screen_new(4, 20, 0, &heard);
    screen_write(t, "\x1b]9;look\x1b[31m\x07");
    screen_write(t, "\x1b]777;notify;a;b\x07\x1b]99;;c\x1b\\\x1b]9;4;1;50\x07");
    ck_assert_ptr_nonnull(strstr(heard.alerts, "notification: notify;a;b"));
    ck_assert_int_eq(heard.alerts_count, 2);
    /* A terminal's abilities are asked for so; that is no notification, and stays unanswered. */
    screen_write(t, "\x1b]99;i=1:p=?;\x1b\\\x1b]99;i=1:p=icon;AAAA\x1b\\\x1b]99;i=1\x1b\\");
    ck_assert_int_eq(heard.alerts_count, 2);
    ck_assert_str_eq(heard.replies, "");
    screen_write(t, "\x1b]99;i=1:d=0;its title\x1b\\\x1b]99;i=1:p=body:e=1;Ym9keQ==\x1b\\");
    ck_assert_ptr_nonnull(strstr(heard.alerts, "notification: its title"));
    ck_assert_ptr_nonnull(strstr(heard.alerts, "notification: body"));
    screen_write(t, "\a\a");
    ck_assert_int_ge(heard.bells, 2);
    terminal_free(t);
}
END_TEST

/* Each is sent 8 MB of, or repeated that often; memory must not follow. */
static const struct {
    const char *name, *begin, *flood;
} floods[] = {
    {"endless osc", "\x1b]2;", "aaaaaaaa"},
    {"endless dcs", "\x1bP", "q#0;2;0"},
    {"endless apc", "\x1b_", "x"},
    {"endless csi", "\x1b[", "1;2;3;"},
    {"endless digits", "\x1b[", "9"},
    {"intermediates", "\x1b[1", "!"},
    {"escapes", "", "\x1b"},
    {"nested strings", "", "\x1bP\x1b]"},
    {"one long line", "", "x"},
    {"combining flood", "a", "\xcc\x81"},
    {"joiner flood", "\xf0\x9f\x91\xa9", "\xe2\x80\x8d\xf0\x9f\x92\xbb"},
    {"zero width flood", "a", "\xe2\x80\x8b\xef\xbb\xbf"},
    {"bidi flood", "a", "\xe2\x80\xae\xe2\x81\xa6"},
    {"tag flood", "\xf0\x9f\x8f\xb4", "\xf3\xa0\x81\xa7"},
    {"broken bytes", "", "\xff\xc0\x80\xed\xa0\x80\xf4\x90\x80\x80"},
    {"c1", "", "\x9b\x9d\x90\xc2\x9b\xc2\x9d"},
    {"huge counts", "",
     "\x1b[999999999b\x1b[999999999@\x1b[999999999P\x1b[999999999L\x1b[999999999M"
     "\x1b[999999999S\x1b[999999999T\x1b[999999999X\x1b[999999999I"},
    {"many arguments", "",
     "\x1b[1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1m"},
    {"many arguments, not sgr", "",
     "\x1b[1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1H"},
    {"modes", "", "\x1b[?1049h\x1b[?1049l\x1b[?6h\x1b[?69h\x1b[5;20s\x1b[?6l"},
    {"double width lines", "", "\x1b#6\x1b#3abc\x1b#5"},
    {"links", "", "\x1b]8;;https://example.org/\x07x"},
    {"tabs at the edge", "", "\xc2\x80\b\b\x1bH\t\x1b[g"},
};

static long peak_kilobytes(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
}

START_TEST(test_floods)
{
    struct terminal *t = screen_new(24, 80, 1000, &heard);
    repeat(t, "warm up \xcc\x81\x1b[31m\r\n", 1 << 20);
    long before = peak_kilobytes();
    size_t size = strncmp(floods[_i].name, "huge", 4) == 0 ? 1 << 18 : 8 << 20;
    screen_write(t, floods[_i].begin);
    repeat(t, floods[_i].flood, size);
    long grown = peak_kilobytes() - before;
#ifndef __SANITIZE_ADDRESS__
    ck_assert_msg(grown < 8192, "%s: %ld kB more", floods[_i].name, grown);
#else
    (void)grown;
#endif
    /* It still works. */
    screen_write(t, "\x18\x1b\\\x1b"
                    "c"
                    "alive");
    ck_assert_str_eq(screen_row(t, 0), "alive");
    terminal_free(t);
}
END_TEST

START_TEST(test_oversized_is_told)
{
    struct terminal *t = screen_new(4, 20, 0, &heard);
    screen_write(t, "\x1b]2;");
    repeat(t, "x", 4 << 20);
    ck_assert_int_eq(heard.alerts_count, 1);
    ck_assert_ptr_nonnull(strstr(heard.alerts, "oversized: "));
    ck_assert_str_eq(t->title, "");
    terminal_free(t);
}
END_TEST

/* More looks and clusters than there are ids. */
START_TEST(test_look_flood)
{
    struct terminal *t = screen_new(24, 80, 100, &heard);
    char text[64];
    for (uint32_t i = 0; i < 200000; i++) {
        snprintf(text, sizeof(text), "\x1b[38;2;%u;%u;%um%c%s", i >> 16 & 255, i >> 8 & 255,
                 i & 255, 'a' + (int)(i % 26), i % 70 == 69 ? "\r\n" : "");
        screen_write(t, text);
    }
    ck_assert_uint_le(t->styles.attributes.count, ATTRIBUTES_MAX);
    ck_assert_uint_gt(t->styles.attributes.generation, 0);
    screen_write(t, "\r\n\x1b[38;2;1;2;3mlast");
    ck_assert_uint_eq(screen_look(t, t->row, 0)->fg, 0x02010203);
    for (uint32_t i = 0; i < 20000; i++) {
        uint8_t cluster[8] = {'a'};
        size_t size = 1;
        size += utf8_encode(cluster + size, 0x300 + i % 100);
        size += utf8_encode(cluster + size, 0x300 + i / 100 % 100);
        terminal_write(t, cluster, size);
    }
    ck_assert_uint_le(t->styles.clusters.count, CLUSTERS_MAX);
    screen_write(t, "\r\ne\xcc\x81");
    ck_assert_str_eq(screen_row(t, t->row), "e\xcc\x81");
    terminal_free(t);
}
END_TEST

START_TEST(test_reset_after_exit)
{
    struct terminal *t = screen_new(4, 20, 0, &heard);
    screen_write(t, "\x1b[?1049h\x1b[?1003h\x1b[?1006h\x1b[?2004h\x1b[?25l\x1b"
                    "c");
    ck_assert_uint_eq(terminal_mode_bits(t), 0);
    ck_assert(t->modes & TERMINAL_CURSOR_VISIBLE);
    terminal_free(t);
}
END_TEST

START_TEST(test_noise_at_every_size)
{
    uint8_t noise[3000];
    for (uint32_t seed = 0; seed < 200; seed++) {
        struct terminal *t = screen_new((int)(seed % 7 + 1), (int)(seed % 13 + 1), 60, NULL);
        for (int i = 0; i < 4; i++) {
            screen_noise(seed * 31 + (uint32_t)i, noise, sizeof(noise));
            terminal_write(t, noise, sizeof(noise));
            terminal_resize(t, (int)(seed * 7 % 30) + i, (int)(seed * 11 % 50) + 2 * i);
            struct bytes out = {0};
            capture(t, true, true, 0, SIZE_MAX, &out, NULL);
            bytes_free(&out);
        }
        terminal_free(t);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("hostile");
    TCase *tcase = tcase_create("hostile");
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, test_clipboard);
    tcase_add_test(tcase, test_notifications);
    tcase_add_loop_test(tcase, test_floods, 0, sizeof(floods) / sizeof(floods[0]));
    tcase_add_test(tcase, test_oversized_is_told);
    tcase_add_test(tcase, test_look_flood);
    tcase_add_test(tcase, test_reset_after_exit);
    tcase_add_test(tcase, test_noise_at_every_size);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}

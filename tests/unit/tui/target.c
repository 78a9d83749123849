#include "suite.h"

#include <errno.h>
#include <string.h>

#include "tui/model/target.h"

START_TEST(what_is_opened)
{
    static const struct {
        const char *word, *text;
        bool path, noted;
    } rows[] = {
        {"https://example.com/a?b=c#d", "https://example.com/a?b=c#d", false, false},
        {"HTTP://example.com", "HTTP://example.com", false, false},
        {"https://[::1]:8080/", "https://[::1]:8080/", false, false},
        /* a Cyrillic letter, a space that looks like none, an order that is turned round */
        {"https://ex\xd0\xb0mple.com/", "https://ex%D0%B0mple.com/", false, true},
        {"https://example.com/\xe2\x80\xae"
         "fdp",
         "https://example.com/%E2%80%AEfdp", false, false},
        {"https://example.com/\xc2\xa0", "https://example.com/%C2%A0", false, false},
        {"https://xn--exmple-cua.com/", "https://xn--exmple-cua.com/", false, true},
        {"https://example.com/'$(id)'\"`", "https://example.com/%27$(id)%27%22%60", false, false},
        {"src/main.c", "src/main.c", true, false},
        {"/work/src/main.c:12:3", "src/main.c", true, false},
        {"a..b/c", "a..b/c", true, false},
        {"file:///work/src/a%20b.c", "src/a b.c", true, false},
        {"file://any-host/work/src/main.c", "src/main.c", true, false},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct target target;
        struct bj_error error = {0};
        ck_assert_msg(target_read(&target, rows[i].word, &error) == 0, "%s: %s", rows[i].word,
                      error.text);
        ck_assert_str_eq(target.text, rows[i].text);
        ck_assert_int_eq(target.path, rows[i].path);
        ck_assert_int_eq(target.note[0] != '\0', rows[i].noted);
    }
}
END_TEST

START_TEST(what_is_not)
{
    static const char *const words[] = {
        "file:///etc/passwd",
        "file://work/src/main.c",
        "file:///work/../etc/passwd",
        "file:///work/%2e%2e/etc/passwd",
        "file:///work/a%2fb",
        "file:///work/a%00b",
        "file:///work/a%0ab",
        "file:///work/a%4",
        "file:///work/",
        "file://",
        "javascript://x%0aalert(1)",
        "ssh://host",
        "/etc/passwd",
        "../other/secret",
        "a/../../b",
        "a/..",
        "-rf",
        "https://bank.com@evil",
        "https://",
        "https:///a",
        ":12",
        "https://user:a@b.com",
        "vscode://open",
    };
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        struct target target;
        struct bj_error error = {0};
        ck_assert_msg(target_read(&target, words[i], &error) == -EINVAL, "%s", words[i]);
        ck_assert_ptr_nonnull(strstr(error.text, "not opened"));
    }
    char longest[2 * TARGET_MAX] = "https://a/";
    memset(longest + 10, 'b', TARGET_MAX);
    struct target target;
    ck_assert_int_eq(target_read(&target, longest, NULL), -EINVAL);
}
END_TEST

START_TEST(what_words_lead_to)
{
    static const struct {
        const char *url, *words, *shown;
        bool noted;
    } rows[] = {
        {"https://evil.example/a", "the docs", "the docs", false},
        {"https://evil.example/a", "https://evil.example/a", "", false},
        {"https://evil.example/a", "https://good.example/a", "https://good.example/a", true},
        {"https://evil.example/a", "www.good.example", "www.good.example", true},
        {"https://evil.example/a", "http://EVIL.example", "http://EVIL.example", false},
        {"file:///work/a.c", "a.c", "a.c", false},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct target target;
        ck_assert_int_eq(target_link(&target, rows[i].url, rows[i].words, NULL), 0);
        ck_assert_str_eq(target.words, rows[i].shown);
        ck_assert_msg((target.note[0] != '\0') == rows[i].noted, "%s", rows[i].words);
    }
    struct target target;
    char words[2 * TARGET_WORDS_MAX];
    memset(words, 'w', sizeof(words));
    words[sizeof(words) - 1] = '\0';
    ck_assert_int_eq(target_link(&target, "https://a/", words, NULL), 0);
    ck_assert_int_eq(target_link(&target, "mailto:a@b", "write", NULL), -EINVAL);
}
END_TEST

SUITE_MAIN("target", what_is_opened, what_is_not, what_words_lead_to)

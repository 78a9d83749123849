#include "suite.h"

#include <stdio.h>
#include <string.h>

#include "tui/model/copy.h"

static struct copy copy;
static enum copy_outcome outcome;

static void setup(const char *text)
{
    copy_open(&copy, "a");
    ck_assert_int_eq(copy_add(&copy, text, strlen(text), NULL, NULL), 0);
    copy_loaded(&copy, 4, 0);
}

static void press(const char *name)
{
    struct chord chord;
    ck_assert(keys_parse(name, strlen(name), &chord));
    outcome = copy_key(&copy, &chord, 4, 20);
    ck_assert(copy.at.line < copy.lines || copy.lines == 0);
    ck_assert(copy.lines == 0 || copy.at.byte <= copy_size(&copy, copy.at.line));
    ck_assert(copy.top <= copy.at.line && copy.at.line < copy.top + 4);
}

static void type(const char *letters)
{
    for (; *letters; letters++)
        press((char[]){*letters, '\0'});
}

static void at(size_t line, size_t byte)
{
    ck_assert_uint_eq(copy.at.line, line);
    ck_assert_uint_eq(copy.at.byte, byte);
}

static void takes(const char *wanted)
{
    size_t size;
    char *text = copy_text(&copy, &size);
    ck_assert_str_eq(text, wanted);
    ck_assert_uint_eq(size, strlen(wanted));
    free(text);
}

START_TEST(moves)
{
    setup("one two\n\nthree four five\n  six\n\n");
    at(3, 0); /* the last line with text */
    press("g");
    at(0, 0);
    press("w");
    at(0, 4);
    press("w"); /* over the empty line */
    at(2, 0);
    press("b");
    at(0, 4);
    press("C-a");
    press("b");
    at(0, 0);
    press("$");
    at(0, 6);
    press("l");
    at(0, 6);
    press("j");
    at(1, 0);
    press("j"); /* the column is remembered */
    at(2, 6);
    press("}");
    at(4, 0);
    press("{");
    at(1, 0);
    press("G");
    at(4, 0);
    press("k");
    press("M-f");
    at(3, 2);
    press("PageUp");
    press("C-u");
    press("C-d");
    press("C-f");
    press("q");
    ck_assert_int_eq(outcome, COPY_LEAVES);
    copy_close(&copy);
    copy_close(&copy);
}
END_TEST

START_TEST(selections)
{
    setup("abcdef\nghijkl\nmnopqr\n");
    press("g");
    takes("abcdef\n"); /* without one, the line */
    press("l");
    press("v");
    press("l");
    takes("bc");
    press("j");
    takes("bcdef\nghi");
    press("o");
    press("h");
    takes("abcdef\nghi");
    press("C-v");
    takes("abc\nghi");
    press("V");
    takes("abcdef\nghijkl\n");
    press("Escape"); /* first the selection, then the mode */
    ck_assert_int_eq(outcome, COPY_STAYS);
    press("Space");
    press("G");
    press("y");
    ck_assert_int_eq(outcome, COPY_TAKES);
    takes("abcdef\nghijkl\nm");
    press("s");
    ck_assert_int_eq(outcome, COPY_SAVES);
    copy_close(&copy);
}
END_TEST

START_TEST(wide_and_marked_characters_stay_whole)
{
    int from, to;
    setup("\u65e5\u672ce\u0301x\nabcdefg\n");
    press("g");
    press("l");
    at(0, 3);
    press("l");
    at(0, 6);
    press("l");
    at(0, 9); /* over the mark */
    press("h");
    at(0, 6);
    press("v");
    takes("e\u0301");
    press("j");
    ck_assert(copy_selected(&copy, 1, &from, &to));
    ck_assert_int_eq(to, 5);
    press("C-v");
    press("h");
    press("h");
    press("h");
    press("h");
    takes("\u65e5\u672ce\u0301\nabcde");
    ck_assert(!copy_selected(&copy, 7, &from, &to));
    copy_close(&copy);
}
END_TEST

START_TEST(searching)
{
    setup("Error one\nfine\nerror two, error three\nlast\n");
    press("g");
    press("/");
    type("err"); /* moves while it is typed */
    at(2, 0);
    ck_assert_uint_eq(copy.hits, 3);
    press("Enter");
    press("n");
    at(2, 11);
    press("n");
    at(0, 0);
    press("N");
    at(2, 11);
    press("N");
    at(2, 0);
    press("?");
    type("Err"); /* a capital is meant */
    ck_assert_uint_eq(copy.hits, 1);
    at(0, 0);
    press("Escape"); /* back where it began */
    at(2, 0);
    ck_assert_uint_eq(copy.hits, 0);
    press("C-s");
    type("nowhere");
    at(2, 0);
    press("Enter");
    press("n");
    at(2, 0);
    copy_close(&copy);
}
END_TEST

START_TEST(hostile_and_large_text)
{
    static char line[1024];
    setup("a\x1b]52;c;x\x07\x80"
          "b\n");
    ck_assert(!strchr(copy_line(&copy, 0), '\x1b'));
    memset(line, 'x', sizeof(line));
    line[sizeof(line) - 1] = '\n';
    for (size_t i = 0; i < COPY_BYTES_MAX / sizeof(line) + 100; i++)
        ck_assert_int_eq(copy_add(&copy, line, sizeof(line), NULL, NULL), 0);
    ck_assert(copy.cut);
    ck_assert_uint_le(copy.size, COPY_BYTES_MAX + 2 * sizeof(line));
    copy_loaded(&copy, 4, 2);
    ck_assert_uint_eq(copy.at.line, copy.lines - 3);
    press("g");
    ck_assert_uint_eq(copy_size(&copy, copy.lines - 1), sizeof(line) - 1);
    ck_assert_str_eq(copy_line(&copy, copy.lines), "");
    copy_close(&copy);
}
END_TEST

START_TEST(nothing_at_all)
{
    static const char *const keys[] = {"j", "k", "h", "l", "w", "b", "g",   "G",   "0",   "$", "{",
                                       "}", "v", "o", "V", "n", "N", "C-u", "C-d", "C-v", "y", "s"};
    copy_open(&copy, "a");
    for (int loaded = 0; loaded < 2; loaded++) {
        for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
            press(keys[i]);
        copy_loaded(&copy, 4, 0);
    }
    takes("");
    press("/");
    type("x");
    copy_close(&copy);
}
END_TEST

static void mark(enum copy_mark mark, size_t line)
{
    ck_assert_int_eq(copy_mark(&copy, mark, line, NULL), 0);
}

START_TEST(prompts_and_requests)
{
    setup("$ a\none\n$ b\ntwo\nthree\n$ c\n");
    mark(COPY_PROMPT, 0);
    mark(COPY_PROMPT, 2);
    mark(COPY_PROMPT, 2);
    mark(COPY_PROMPT, 1); /* not in order: a monitor that lies */
    mark(COPY_PROMPT, 5);
    mark(COPY_PROMPT, 1000);
    mark(COPY_REQUEST, 3);
    at(5, 0);
    press("[");
    at(2, 0);
    press("M-p");
    at(0, 0);
    press("[");
    at(0, 0);
    ck_assert_ptr_nonnull(strstr(copy.said, "no prompt above"));
    press("]");
    ck_assert_ptr_null(copy.said);
    at(2, 0);
    press(")");
    at(3, 0);
    press(")");
    ck_assert_str_eq(copy.said, "no request below");
    press("M-n");
    at(5, 0);
    press("(");
    at(3, 0);
    ck_assert(copy_is_marked(&copy, COPY_PROMPT, 2) && !copy_is_marked(&copy, COPY_PROMPT, 3));
    ck_assert(copy_is_marked(&copy, COPY_REQUEST, 3));
    copy_close(&copy);
}
END_TEST

START_TEST(what_stands_here)
{
    char word[32];
    setup("see (https://a.b/c). or \"x y.c\"\n");
    press("g");
    ck_assert(copy_word(&copy, word, sizeof(word)));
    ck_assert_str_eq(word, "see");
    press("w");
    ck_assert(copy_word(&copy, word, sizeof(word)));
    ck_assert_str_eq(word, "https://a.b/c");
    ck_assert(!copy_word(&copy, word, 10));
    press("w");
    press("w");
    press("v");
    press("$"); /* what is selected may have spaces */
    ck_assert(copy_word(&copy, word, sizeof(word)));
    ck_assert_str_eq(word, "x y.c");
    press("O");
    ck_assert_int_eq(outcome, COPY_OPENS);
    copy_close(&copy);
}
END_TEST

/* Lines that go on, each with blanks: "line+blanks ...". */
static void setup_wrapped(const char *text, const struct copy_wrap *wraps, size_t count)
{
    copy_open(&copy, "a");
    const struct copy_notes notes = {.wraps = wraps, .wraps_count = count};
    ck_assert_int_eq(copy_add(&copy, text, strlen(text), &notes, NULL), 0);
    copy_loaded(&copy, 4, 0);
}

START_TEST(wrapped_lines_are_one)
{
    static const struct copy_wrap wraps[] = {{0, 0}, {1, 0}, {4, 2}};
    char word[64];
    int from, to;
    setup_wrapped("see http://a.\nexample/long\n/path end\nnext\nab\nc\n", wraps, 3);
    press("g");
    press("w");
    at(0, 4);
    ck_assert(copy_word(&copy, word, sizeof(word)));
    ck_assert_str_eq(word, "http://a.example/long/path");
    press("j");
    press("j"); /* from any of its parts */
    at(2, 4);
    ck_assert(copy_word(&copy, word, sizeof(word)));
    ck_assert_str_eq(word, "http://a.example/long/path");
    press("w");
    at(2, 6);
    press("b");
    at(0, 4);
    press("$");
    at(2, 8);
    press("0");
    at(0, 0);
    takes("see http://a.example/long/path end\n");
    press("V");
    press("j");
    takes("see http://a.example/long/path end\n"); /* whole, whichever of its lines */
    ck_assert(copy_selected(&copy, 2, &from, &to) && to == 9);
    press("j");
    press("j");
    press("v");
    takes("see http://a.example/long/path end\nn");
    press("C-v"); /* a rectangle keeps its rows */
    takes("s\ne\n/\nn");
    press("Escape");
    press("G");
    takes("ab  c\n"); /* the blanks at the end of a row are of the line */
    press("g");
    press("l");
    press("v");
    press("w");
    press("w");
    takes("ee http://a.example/long/path e");
    press("O");
    ck_assert(!copy_word(&copy, word, 8));
    copy_close(&copy);
}
END_TEST

START_TEST(a_hit_goes_over_a_wrap)
{
    static const struct copy_wrap wraps[] = {{0, 0}, {1, 0}, {2, 1}};
    struct copy_hit hit;
    setup_wrapped("an err\nor and e\nrror!\nlast er\nror\n", wraps, 3);
    press("g");
    press("/");
    type("error");
    ck_assert_uint_eq(copy.hits, 2); /* not the last, which is divided by a line's end */
    at(0, 3);
    press("Enter");
    press("n");
    at(1, 7);
    press("n");
    at(0, 3);
    press("N");
    at(1, 7);
    press("?");
    type("ror");
    at(0, 5);
    struct copy_place second = {1, 0};
    ck_assert(copy_hit(&copy, 0, &hit)); /* marked on both rows */
    ck_assert_uint_lt(hit.begin, copy_byte(&copy, &second));
    ck_assert_uint_gt(hit.end, copy_byte(&copy, &second));
    copy_close(&copy);
}
END_TEST

/* A monitor that lies about them, or has none. */
START_TEST(wraps_that_are_not_believed)
{
    static const struct copy_wrap wraps[] = {{3, 0},      {1, 0}, {1, SIZE_MAX},
                                             {1, 100000}, {2, 1}, {SIZE_MAX, 1}};
    setup_wrapped("a\nb\n\nc\n", wraps, 6);
    takes("c\n"); /* nothing follows in which it could go on */
    press("g");
    press("V");
    press("G");
    takes("a\nb\n\nc\n"); /* not in order: of no line */
    copy_close(&copy);

    static char line[4096];
    static struct copy_wrap all[2 * COPY_JOINED_MAX / sizeof(line)];
    memset(line, 'x', sizeof(line));
    line[sizeof(line) - 1] = '\n';
    copy_open(&copy, "a");
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        all[i] = (struct copy_wrap){i, 0};
        const struct copy_notes notes = {.wraps = &all[i], .wraps_count = 1};
        ck_assert_int_eq(copy_add(&copy, line, sizeof(line), &notes, NULL), 0);
    }
    copy_loaded(&copy, 4, 0);
    size_t size;
    char *text = copy_text(&copy, &size);
    ck_assert_uint_gt(size, sizeof(line));
    ck_assert_uint_le(size, COPY_JOINED_MAX + sizeof(line));
    free(text);
    copy_close(&copy);
}
END_TEST

static void leads(const char *url, const char *words)
{
    char target[64], text[64];
    bool there = copy_link(&copy, target, sizeof(target), text, sizeof(text));
    ck_assert_int_eq(there, url != NULL);
    if (there) {
        ck_assert_str_eq(target, url);
        ck_assert_str_eq(text, words);
    }
}

START_TEST(links_lead_where_they_lead)
{
    static const struct copy_wrap wraps[] = {{1, 0}};
    static const struct copy_link links[] = {
        {0, 4, 4, 7}, /* "docs" */
        {1, 8, 3, 8}, /* "her", behind three bytes that cannot be seen and go */
        {2, 0, 1, 8}, /* "e" of the next row */
        {2, 1, 1, 7}, /* side by side */
        {2, 1, 1, 8}, /* not in order */
        {2, 9, 1, 8}, /* beyond the line */
        {3, 0, SIZE_MAX, 7}, {3, 0, 1, 9}, /* to a target that is not known */
        {SIZE_MAX, 0, 1, 7}};
    const struct copy_notes notes = {
        .wraps = wraps, .wraps_count = 1, .links = links, .links_count = 9};
    static const char text[] = "the docs\na\ufe0f or her\neX\nlast\n";
    copy_open(&copy, "a");
    ck_assert_int_eq(copy_target(&copy, 7, "http://seven/", 13, NULL), 0);
    ck_assert_int_eq(copy_target(&copy, 8, "http://ei\x1bght/", 14, NULL), 0);
    ck_assert_int_eq(copy_add(&copy, text, strlen(text), &notes, NULL), 0);
    copy_loaded(&copy, 4, 0);
    press("g");
    leads(NULL, NULL);
    press("w");
    leads("http://seven/", "docs");
    press("v"); /* what is selected is meant */
    leads(NULL, NULL);
    press("v");
    press("j");
    press("l");
    leads("http://ei\ufffdght/", "here");
    press("j");
    press("0");
    leads(NULL, NULL);
    press("$");
    leads("http://seven/", "X");
    press("h");
    leads("http://ei\ufffdght/", "here");
    press("G");
    press("0");
    leads(NULL, NULL);
    copy_close(&copy);
    leads(NULL, NULL);
}
END_TEST

/* Only the newest of many are kept, and the text that was cut takes its own along. */
START_TEST(links_are_bounded)
{
    static char line[] = "xxxxxxxxxxxxxxxx\n";
    struct copy_link links[8];
    const struct copy_notes notes = {.links = links, .links_count = 8};
    char url[32];
    copy_open(&copy, "a");
    for (size_t i = 0; i < COPY_LINKS_MAX / 8 + 1000; i++) {
        for (size_t k = 0; k < 8; k++)
            links[k] = (struct copy_link){i, 2 * k, 1, (uint32_t)i};
        snprintf(url, sizeof(url), "http://%zu/", i);
        ck_assert_int_eq(copy_target(&copy, (uint32_t)i, url, strlen(url), NULL), 0);
        ck_assert_int_eq(copy_add(&copy, line, sizeof(line) - 1, &notes, NULL), 0);
    }
    ck_assert_uint_le(copy.links.count, COPY_LINKS_MAX);
    copy_loaded(&copy, 4, 0);
    leads(url, "x");
    press("g");
    leads(NULL, NULL);
    copy_close(&copy);
}
END_TEST

SUITE_MAIN("copy", moves, selections, wide_and_marked_characters_stay_whole, searching,
           hostile_and_large_text, nothing_at_all, prompts_and_requests, what_stands_here,
           wrapped_lines_are_one, a_hit_goes_over_a_wrap, wraps_that_are_not_believed,
           links_lead_where_they_lead, links_are_bounded)

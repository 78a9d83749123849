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
    press("w"); /* an empty line is a word */
    at(1, 0);
    press("w");
    at(2, 0);
    press("b");
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
    static const char *const keys[] = {
        "j", "k", "h", "l", "w", "b", "e", "W", "B",   "E",     "g",   "G", "0",
        "^", "$", "{", "}", "v", "o", "V", "n", "N",   "C-u",   "C-d", "*", "#",
        "%", ";", ",", "H", "M", "L", "5", "j", "3",   "C-e",   "C-y", "f", "x",
        "T", "x", "9", "%", "[", ")", "/", "x", "C-s", "Enter", "C-v", "y", "s"};
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
    press("9");
    press("M-p"); /* as far as there are any, which is no mistake */
    at(0, 0);
    ck_assert_ptr_null(copy.said);
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
    press("W");
    ck_assert(copy_word(&copy, word, sizeof(word)));
    ck_assert_str_eq(word, "https://a.b/c");
    ck_assert(!copy_word(&copy, word, 10));
    press("W");
    press("W");
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
    press("W");
    at(0, 4);
    ck_assert(copy_word(&copy, word, sizeof(word)));
    ck_assert_str_eq(word, "http://a.example/long/path");
    press("j");
    press("j"); /* from any of its parts */
    at(2, 4);
    ck_assert(copy_word(&copy, word, sizeof(word)));
    ck_assert_str_eq(word, "http://a.example/long/path");
    press("W");
    at(2, 6);
    press("B");
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
    press("W");
    press("W");
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

/* What a row of keys does, from a place. */
struct motion {
    const char *keys; /* separated by spaces */
    size_t line, byte;
};

static void follow(const struct motion *motions, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char *list = motions[i].keys, *name;
        size_t size;
        while (keys_next(&list, &name, &size)) {
            char key[20];
            snprintf(key, sizeof(key), "%.*s", (int)size, name);
            press(key);
        }
        ck_assert_msg(copy.at.line == motions[i].line && copy.at.byte == motions[i].byte,
                      "%s: %zu,%zu", motions[i].keys, copy.at.line, copy.at.byte);
    }
}
#define FOLLOW(motions) follow(motions, sizeof(motions) / sizeof((motions)[0]))

START_TEST(words_as_in_vim)
{
    static const struct motion motions[] = {
        {"g", 0, 0},   {"w", 0, 3}, /* the dot */
        {"w", 0, 4},                /* bar_1 */
        {"e", 0, 8},                /* its end */
        {"e", 0, 11},               /* && */
        {"b", 0, 10},               /* its beginning */
        {"0 e", 0, 2}, {"e", 0, 3},         {"0 W", 0, 10},
        {"W", 0, 13},  {"W", 1, 0}, /* an empty line */
        {"W", 2, 2},                /* in front of which are blanks */
        {"E", 2, 6},   {"B", 2, 2},         {"B", 1, 0},
        {"B", 0, 13},  {"E", 0, 17},        {"E", 2, 6}, /* no end in an empty line */
        {"3 b", 2, 3}, {"g 0 3 w", 0, 10},  {"2 E", 0, 17},
        {"G $", 3, 5}, {"w", 3, 5},   /* the end of all */
        {"e", 3, 5},   {"0 e", 3, 2}, /* letters with marks, and beyond ASCII */
        {"g b", 0, 0}, {"9 9 9 9 w", 3, 5}, {"9 9 9 9 B", 0, 0},
    };
    setup("foo.bar_1 && (x+y)\n\n  p/q=r\n\u00e9e\u0301!\n");
    FOLLOW(motions);
    copy_close(&copy);
}
END_TEST

START_TEST(counts)
{
    static const struct motion motions[] = {
        {"g 5 j", 5, 0},      {"1 0 G", 9, 0},    {"3 k", 6, 0},
        {"2 g", 1, 0},        {"G 2 0 G", 11, 0},               /* there are only twelve */
        {"5 0 %", 5, 0},      {"1 0 0 %", 11, 0}, {"0", 11, 0}, /* no number has begun */
        {"4 l", 11, 4},       {"3 h", 11, 1},     {"2 C-u", 7, 1},
        {"4 Escape j", 8, 1}, /* taken back */
        {"g 2 C-f", 6, 1},    {"2 $", 7, 5},      {"1 G 2 }", 11, 0},
    };
    setup("line 0\nline 1\nline 2\nline 3\nline 4\nline 5\nline 6\nline 7\nline 8\nline 9\n"
          "line a\nline b\n");
    FOLLOW(motions);
    press("7");
    press("f");
    ck_assert_uint_eq(copy.count, 7);
    press("Escape"); /* no character */
    ck_assert_uint_eq(copy.count, 0);
    ck_assert_int_eq(copy.waits, ACTION_NONE);
    for (int i = 0; i < 30; i++)
        press("9");
    ck_assert_uint_le(copy.count, COPY_COUNT_MAX);
    press("k");
    at(0, 0);
    ck_assert_uint_eq(copy.count, 0);
    press("2");
    copy_forget(&copy);
    press("j");
    at(1, 0);
    copy_close(&copy);
}
END_TEST

START_TEST(characters_and_brackets)
{
    static const struct copy_wrap wraps[] = {{0, 0}};
    static const struct motion motions[] = {
        {"g f c", 0, 2},   {";", 1, 2},       {";", 1, 2}, /* the last: over the wrap */
        {",", 0, 2},       {"0 t c", 0, 1},   {";", 1, 1},        {"$ F a", 1, 0}, {"T a", 0, 1},
        {"0 2 f c", 1, 2}, {"0 f z", 0, 0},   {"f \u00e9", 1, 3}, {"2 j", 3, 3},   {"%", 5, 2},
        {"%", 3, 3},       {"j 0 %", 4, 5},   {"%", 4, 2},        {"$ %", 4, 4},   {"G %", 6, 0},
        {"g ^", 0, 0},     {"4 j $ ^", 4, 2}, {"0 M-m", 4, 2},
    };
    setup_wrapped("abc\nabc\u00e9\n\nif (a\n  [b{]}\n  )\n}\n", wraps, 1);
    FOLLOW(motions);
    ck_assert_str_eq(copy.said ? copy.said : "", "");
    press("G");
    press("%");
    ck_assert_str_eq(copy.said, "this bracket has no partner");
    press("g");
    press("%");
    ck_assert_str_eq(copy.said, "no bracket here");
    press("f");
    press("Q");
    ck_assert_ptr_nonnull(strstr(copy.said, "not behind this"));
    copy_close(&copy);
    setup("x\n");
    press(";");
    ck_assert_str_eq(copy.said, "no character was looked for");
    copy_close(&copy);
}
END_TEST

START_TEST(what_is_in_view)
{
    static const struct motion motions[] = {
        {"g j j H", 0, 0}, {"L", 3, 0},     {"M", 1, 2},       {"M-r", 1, 2},
        {"2 L", 2, 0},     {"2 H", 1, 2},   {"9 H", 3, 0},     {"H C-e", 1, 0},
        {"C-e", 2, 0},     {"2 C-y", 2, 0}, {"L j C-y", 3, 0}, {"9 C-e", 3, 0},
    };
    setup("a00\n  b11\nc22\nd33\ne44\nf55\ng66\n");
    FOLLOW(motions);
    ck_assert_uint_eq(copy.top, 3); /* full to the last line */
    press("9");
    press("C-y");
    ck_assert_uint_eq(copy.top, 0);
    copy_close(&copy);
}
END_TEST

START_TEST(searching_on)
{
    setup("one two\nTwo one\ntwofold one\nall one two\n");
    press("g");
    press("n");
    ck_assert_str_eq(copy.said, "nothing was searched yet");
    press("/");
    type("o");
    at(0, 6);
    press("C-s"); /* as in emacs: the next, while it is typed */
    at(1, 2);
    type("n"); /* what is typed then is looked for from there on */
    at(1, 4);
    ck_assert_uint_eq(copy_nth(&copy), 2);
    ck_assert_uint_eq(copy.hits, 4);
    press("C-r");
    at(0, 0);
    press("C-r");
    at(3, 4);
    ck_assert_ptr_nonnull(strstr(copy.round, "from the end"));
    press("C-s");
    at(0, 0);
    ck_assert_ptr_nonnull(strstr(copy.round, "from the beginning"));
    press("Escape");
    at(0, 0);
    ck_assert_uint_eq(copy.hits, 0);
    press("/");
    type("two");
    press("Enter");
    at(0, 4);
    ck_assert_uint_eq(copy_nth(&copy), 1);
    press("3");
    press("n");
    at(3, 8);
    ck_assert_uint_eq(copy_nth(&copy), 4);
    press("h");
    ck_assert_uint_eq(copy_nth(&copy), 0);
    press("?");
    press("Enter"); /* the last one again, in this direction */
    at(2, 0);
    press("n");
    at(1, 0);
    press("?");
    press("Escape"); /* no marks any more; the next key brings them back */
    ck_assert_uint_eq(copy.hits, 0);
    press("n");
    at(0, 4);
    ck_assert_uint_eq(copy.hits, 4);
    press("/");
    press("C-s");
    at(1, 0);
    ck_assert_str_eq(copy.search.text, "two");
    press("Enter");
    press("g");
    press("w");
    press("*"); /* the word, and no other that begins with it */
    at(1, 0);
    ck_assert_uint_eq(copy.hits, 3);
    press("n");
    at(3, 8);
    press("#");
    at(1, 0);
    press("n");
    at(0, 4);
    press("q");
    ck_assert_int_eq(outcome, COPY_LEAVES);
    copy_close(&copy);
    setup("  && x\n-- ++\n  &&\n\n");
    press("g");
    press("#"); /* to the next word of the line */
    at(0, 5);
    press("j");
    press("0");
    press("*"); /* without one, what stands there */
    ck_assert_str_eq(copy.pattern, "--");
    press("G");
    press("*");
    ck_assert_str_eq(copy.said, "no word here");
    copy_close(&copy);
}
END_TEST

START_TEST(pasted_into_a_search)
{
    setup("one\ntwo three\n");
    press("g");
    ck_assert(!copy_paste(&copy, "thr", 3, 4, 20));
    at(0, 0);
    press("/");
    ck_assert(copy_paste(&copy, "thr\nee", 6, 4, 20)); /* its first line */
    at(1, 4);
    ck_assert_str_eq(copy.search.text, "thr");
    press("Enter");
    press("v");
    press("q"); /* leaves with a selection, too */
    ck_assert_int_eq(outcome, COPY_LEAVES);
    copy_close(&copy);
    ck_assert(!copy_paste(&copy, "x", 1, 4, 20));
}
END_TEST

SUITE_MAIN("copy", moves, selections, wide_and_marked_characters_stay_whole, searching,
           hostile_and_large_text, nothing_at_all, prompts_and_requests, what_stands_here,
           wrapped_lines_are_one, a_hit_goes_over_a_wrap, wraps_that_are_not_believed,
           links_lead_where_they_lead, links_are_bounded, words_as_in_vim, counts,
           characters_and_brackets, what_is_in_view, searching_on, pasted_into_a_search)

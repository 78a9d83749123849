/*
 * Every theme on every kind of terminal, as a person sees it: what is text can be read, what is
 * selected, marked, found or of another state looks so, and no colour is sent that is not wanted.
 */
#include "eye.h"
#include "human.h"
#include "world.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "transport/api.h"
#include "tui/model/theme.h"

#define ROWS 40
#define COLS 140

static struct world world;
static struct eye *eye;
static struct theme theme;

static const char *const themes[] = {"dark", "light", "high-contrast", "colour-blind-safe"};
#define THEMES (int)(sizeof(themes) / sizeof(themes[0]))

static const struct {
    const char *name, *depth; /* $TERM, $COLORTERM */
    int colors;               /* 1 << 24: all of them */
    double contrast;          /* of all text, at least */
} terminals[] = {
    {"xterm-direct", "", 1 << 24, 4.5},
    {"xterm-256color", "truecolor", 1 << 24, 4.5},
    {"xterm-256color", "", 256, 4.5},
    {"xterm-16color", "", 16, 1.5},
    {"xterm", "", 8, 1.5},
    {"vt100", "", 0, 4.5},
};
#define TERMINALS (int)(sizeof(terminals) / sizeof(terminals[0]))

/* ---- what a cell looks like ---- */

struct look {
    uint32_t fg, bg; /* 0xRRGGBB, as seen: reversed when it is */
    int ink;         /* the number of its colour, or -1 */
    bool bold, underline;
};

/* libvterm's own palette is not xterm's. */
static uint32_t rgb_of(const VTermColor *color)
{
    if (VTERM_COLOR_IS_DEFAULT_FG(color))
        return 0xeeeeee;
    if (VTERM_COLOR_IS_DEFAULT_BG(color))
        return 0;
    if (VTERM_COLOR_IS_INDEXED(color))
        return theme_rgb(BJ_COLOR_PALETTE | color->indexed.idx);
    return (uint32_t)color->rgb.red << 16 | (uint32_t)color->rgb.green << 8 | color->rgb.blue;
}

static struct look look_of(const VTermScreenCell *cell)
{
    bool reversed = cell->attrs.reverse;
    return (struct look){
        .fg = rgb_of(reversed ? &cell->bg : &cell->fg),
        .bg = rgb_of(reversed ? &cell->fg : &cell->bg),
        .ink = VTERM_COLOR_IS_INDEXED(&cell->fg) ? cell->fg.indexed.idx : -1,
        .bold = cell->attrs.bold,
        .underline = cell->attrs.underline,
    };
}

static struct look look_at(int row, int col)
{
    VTermScreenCell cell;
    eye_cell(eye, row, col, &cell);
    return look_of(&cell);
}

/* Of the first cell of a text, `skip` columns into it. */
static struct look look_for(const char *text, int skip)
{
    int col, row;
    EYE_WAIT(eye, (row = eye_find(eye, text, &col)) >= 0);
    return look_at(row, col + skip);
}

static bool differ(const struct look *one, const struct look *other)
{
    return one->fg != other->fg || one->bg != other->bg || one->bold != other->bold ||
           one->underline != other->underline;
}

#define DIFFER(one, other, what)                                                                   \
    do {                                                                                           \
        struct look one_ = one, other_ = other;                                                    \
        if (!differ(&one_, &other_))                                                               \
            eye_fail(eye, what);                                                                   \
    } while (0)

/* ---- the world ---- */

static void setup(void)
{
    world_open(&world);
    human_runs(&world, "alpha",
               "printf 'a needle\\nand \\033[31mscarlet\\033[m\\nthen a needle\\n'; while :; do "
               "printf '\\033[5;1Hat work %s' $((i++)); sleep 0.2; done");
    human_runs(&world, "beta", "exit 9");
    human_runs(&world, "gamma", "belljar-shim ask --kind exec --title 'make it so'; cat");
    human_runs(&world, "delta", "sleep 100000");
    WAIT_FOR(world_state_is(&world, "beta", "exited"));
    WAIT_FOR(world_state_is(&world, "gamma", "waiting"));
    BELLJAR_OK(&world, "pause", "delta");
    WAIT_FOR(world_state_is(&world, "delta", "paused"));
}

static void teardown(void)
{
    world_close(&world);
}

static void attach(const char *name)
{
    eye =
        eye_open(ROWS, COLS, (const char *const[]){world.belljar, "attach", "--theme", name, NULL});
    EYE_WAIT(eye, eye_shows(eye, "needle") && eye_shows(eye, "exited 9") &&
                      eye_shows(eye, "make it so") && eye_shows(eye, "running"));
}

static void read_theme(const char *name)
{
    char path[sizeof(world.programs) + 80];
    struct bj_error error = {0};
    snprintf(path, sizeof(path), "%s/themes/%s.theme", world.programs, name);
    ck_assert_msg(theme_parse(&theme, world_read(path), path, &error) == 0, "%s", error.text);
}

/* ---- what must be so ---- */

static void check_text(double least)
{
    for (int row = 0; row < ROWS; row++)
        for (int col = 0; col < COLS; col++) {
            VTermScreenCell cell;
            eye_cell(eye, row, col, &cell);
            if (cell.chars[0] > 0x7f || !isalnum((int)cell.chars[0]))
                continue;
            struct look look = look_of(&cell);
            double contrast = theme_contrast(look.fg, look.bg);
            if (contrast < least) {
                eye_dump(eye);
                ck_abort_msg("row %d, column %d: %06x on %06x has a contrast of %.2f", row, col,
                             look.fg, look.bg, contrast);
            }
        }
}

/* What the theme means by a colour, as this terminal has it. */
static void check_color(const char *text, int skip, uint32_t wanted, int colors)
{
    struct look look = look_for(text, skip);
    uint32_t rgb = theme_rgb(wanted);
    if (colors == 256)
        rgb = theme_rgb(BJ_COLOR_PALETTE | (uint32_t)theme_nearest_256(rgb));
    ck_assert_msg(look.fg == rgb, "%s is %06x, not %06x", text, look.fg, rgb);
}

/* Red 1, green 2, yellow 3, blue 4, magenta 5, cyan 6, of either brightness. */
static void check_hue(const char *text, int skip, int wanted)
{
    struct look look = look_for(text, skip);
    ck_assert_msg(look.ink >= 0 && (look.ink & 7) == wanted, "%s has the colour %d, not %d", text,
                  look.ink, wanted);
}

static void check_states(int which, int colors)
{
    static const int running[THEMES] = {2, 2, 2, 6};
    if (colors >= 256) {
        check_color("alpha running", 6, theme.role[ROLE_STATE_RUNNING], colors);
        check_color("beta exited 9", 5, theme.role[ROLE_STATE_FAILED], colors);
        check_color("delta paused", 6, theme.role[ROLE_STATE_PAUSED], colors);
        check_color("and scarlet", 4, theme.palette[1], colors);
    } else if (colors > 0) {
        check_hue("alpha running", 6, running[which]);
        check_hue("beta exited 9", 5, 1);
        check_hue("delta paused", 6, 5);
        check_hue("and scarlet", 4, 1);
    }
}

static void check_selection(void)
{
    int col, row = eye_find(eye, " SUPERVISE ", &col);
    ck_assert_int_ge(row, 0);
    DIFFER(look_at(row, col + 1), look_for("sandboxes", 0), "the mode word is like the bar");
    DIFFER(look_for("alpha", 0), look_for("beta", 0), "the selected name is like another");
}

/* The cursor's line, and what is marked. */
static void check_list(void)
{
    int row;
    eye_type(eye, "lg");
    EYE_WAIT_TEXT(eye, "Sandboxes: 4");
    EYE_WAIT(eye, (row = eye_find(eye, "\xe2\x96\x8c", NULL)) >= 0 &&
                      look_at(row, COLS / 2).bg != look_at(row + 1, COLS / 2).bg);
    check_text(1.01);
    eye_type(eye, "m");
    EYE_WAIT_TEXT(eye, "\xe2\x9c\x93");
    eye_type(eye, "*");
    EYE_WAIT(eye, !eye_shows(eye, "\xe2\x9c\x93"));
    eye_escape(eye);
    EYE_WAIT(eye, !eye_shows(eye, "Sandboxes: 4"));
}

/* Text, a hit, the one at the cursor, and what is selected are told apart: rows 1 to 3 of the
 * screen are the lines that alpha printed first. */
static void check_copy(void)
{
    eye_type(eye, "1[");
    EYE_WAIT_TEXT(eye, " COPY  line ");
    eye_type(eye, "g/needle\r");
    EYE_WAIT_TEXT(eye, "2 hits");
    struct look plain, first, second, selected, within;
    EYE_WAIT(eye, (plain = look_at(1, 1), first = look_at(1, 3), differ(&first, &plain)));
    second = look_at(3, 8);
    DIFFER(second, plain, "a hit is like the text");
    DIFFER(first, second, "the hit at the cursor is like the other one");
    eye_type(eye, "gVjj");
    EYE_WAIT(eye, (selected = look_at(2, 1), differ(&selected, &plain)));
    within = look_at(3, 8);
    DIFFER(selected, first, "the selection is like a hit");
    DIFFER(selected, second, "the selection is like a hit");
    DIFFER(within, selected, "a hit is lost in the selection");
    eye_type(eye, "\x03\x03");
    EYE_WAIT(eye, !eye_shows(eye, " COPY "));
}

START_TEST(themes_can_be_read)
{
    setenv("TERM", terminals[_i].name, 1);
    setenv("COLORTERM", terminals[_i].depth, 1);
    for (int i = 0; i < THEMES; i++) {
        read_theme(themes[i]);
        attach(themes[i]);
        check_text(terminals[_i].contrast);
        check_states(i, terminals[_i].colors);
        check_selection();
        check_list();
        check_copy();
        eye_detach(eye);
    }
}
END_TEST

/* Parameters of SGR in all that was sent: none names a colour. */
static void check_uncoloured(void)
{
    for (const char *at = eye->raw; (at = strstr(at, "\x1b[")) != NULL;) {
        at += 2;
        size_t size = strspn(at, "0123456789;:");
        for (const char *part = at; at[size] == 'm' && part <= at + size;
             part += strcspn(part, ";:m") + 1) {
            long number = strtol(part, NULL, 10);
            ck_assert_msg(!(number >= 30 && number <= 38) && !(number >= 40 && number <= 48) &&
                              !(number >= 90 && number <= 107),
                          "a colour was sent: ESC [ %.*s m", (int)size, at);
        }
    }
}

START_TEST(no_colour_is_sent)
{
    static const char *const names[] = {"xterm-256color", "xterm-direct", "screen", "linux"};
    setenv("NO_COLOR", "1", 1);
    setenv("COLORTERM", "truecolor", 1);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        setenv("TERM", names[i], 1);
        attach(themes[i % THEMES]);
        check_text(4.5);
        check_selection();
        check_list();
        check_copy();
        eye_type(eye, "Q");
        ck_assert_int_eq(eye_wait_end(eye), 0);
        check_uncoloured();
        eye_check_restored(eye);
        eye_close(eye);
    }
}
END_TEST

/* Lines that the terminal's font has. */
START_TEST(borders)
{
    static const struct {
        const char *term, *locale, *shows[3], *never[3];
    } cases[] = {
        {"xterm-256color", "C.UTF-8", {"\xe2\x95\xad", "\xe2\x94\x8f", "\xe2\x95\xaf"}, {"+-"}},
        {"linux",
         "C.UTF-8",
         {"\xe2\x94\x8c", "\xe2\x95\x94", "\xe2\x94\x98"},
         {"\xe2\x95\xad", "\xe2\x94\x8f", "\xe2\x94\x81"}},
        {"vt220",
         "C.UTF-8",
         {"\xe2\x94\x8c", "\xe2\x95\x94", "\xe2\x94\x98"},
         {"\xe2\x95\xad", "\xe2\x94\x8f", "\xe2\x94\x81"}},
        {"xterm-256color", "C", {"+ 2", "# 1"}, {"\xe2", "\xc2", "\xef"}},
        {"linux", "C", {"+ 2", "# 1"}, {"\xe2", "\xc2", "\xef"}},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        setenv("TERM", cases[i].term, 1);
        setenv("LC_ALL", cases[i].locale, 1);
        attach("dark");
        for (size_t k = 0; k < 3 && cases[i].shows[k]; k++)
            EYE_WAIT_TEXT(eye, cases[i].shows[k]);
        for (size_t k = 0; k < 3 && cases[i].never[k]; k++)
            ck_assert_msg(
                !memmem(eye->raw, eye->raw_size, cases[i].never[k], strlen(cases[i].never[k])),
                "%s in %s got \"%s\"", cases[i].term, cases[i].locale, cases[i].never[k]);
        eye_detach(eye);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("terminals");
    TCase *cases = tcase_create("terminals");
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_set_timeout(cases, 300);
    tcase_add_loop_test(cases, themes_can_be_read, 0, TERMINALS);
    tcase_add_test(cases, no_colour_is_sent);
    tcase_add_test(cases, borders);
    suite_add_tcase(suite, cases);
    return world_main(suite);
}

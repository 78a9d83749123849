#include "suite.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "transport/api.h"
#include "tui/config.h"

static const char *const shipped[] = {"dark", "light", "high-contrast", "colour-blind-safe"};

static struct bj_paths paths;

static void find(void)
{
    const char *source = getenv("BELLJAR_TEST_SOURCE");
    ck_assert_ptr_nonnull(source);
    paths = (struct bj_paths){0};
    snprintf(paths.data, sizeof(paths.data), "%s", source);
    snprintf(paths.config, sizeof(paths.config), "%s/nowhere", source);
}

/* As it is, and as the nearest of 256 colours. */
static void check_contrast(const char *theme, const char *text, uint32_t color, const char *ground,
                           uint32_t other)
{
    for (int reduced = 0; reduced < 2; reduced++) {
        uint32_t one = theme_rgb(color), two = theme_rgb(other);
        if (reduced) {
            one = theme_rgb(BJ_COLOR_PALETTE | (uint32_t)theme_nearest_256(one));
            two = theme_rgb(BJ_COLOR_PALETTE | (uint32_t)theme_nearest_256(two));
        }
        double contrast = theme_contrast(one, two);
        ck_assert_msg(contrast >= 4.5, "%s: %s on %s has a contrast of %.2f%s", theme, text, ground,
                      contrast, reduced ? " in 256 colours" : "");
    }
}

START_TEST(shipped_themes_can_be_read)
{
    find();
    for (size_t i = 0; i < 4; i++) {
        struct theme theme;
        struct bj_error error = {0};
        ck_assert_msg(config_theme(&theme, &paths, shipped[i], &error) == 0, "%s", error.text);
        ck_assert_str_eq(theme.name, shipped[i]);
        ck_assert_uint_gt(strlen(theme.description), 0);
        for (int p = 0; p < theme_pairs_count; p++)
            check_contrast(shipped[i], theme_role_name(theme_pairs[p].text),
                           theme.role[theme_pairs[p].text], theme_role_name(theme_pairs[p].ground),
                           theme.role[theme_pairs[p].ground]);
        /* What agents print; their black is a ground in most themes, and no text. */
        for (int p = 1; p < 16; p++) {
            char name[24];
            snprintf(name, sizeof(name), "the palette's %d", p);
            check_contrast(shipped[i], name, theme.palette[p], "background",
                           theme.role[ROLE_BACKGROUND]);
        }
    }
    char names[THEMES_MAX][THEME_NAME_MAX];
    ck_assert_uint_eq(config_themes(&paths, names), 4);
    ck_assert_str_eq(names[1], "dark"); /* sorted */
}
END_TEST

static const enum theme_role states[] = {
    ROLE_STATE_STARTING, ROLE_STATE_THINKING, ROLE_STATE_RUNNING, ROLE_STATE_IDLE,
    ROLE_STATE_WAITING,  ROLE_STATE_INPUT,    ROLE_STATE_STUCK,   ROLE_STATE_PAUSED,
    ROLE_STATE_EXITED,   ROLE_STATE_FAILED,   ROLE_STATE_LOST,
};
#define STATES (sizeof(states) / sizeof(states[0]))

/* With 256 colours as well as with all; with sixteen glyph and word must do. */
START_TEST(every_state_has_a_colour_of_its_own)
{
    find();
    for (size_t i = 0; i < 4; i++) {
        struct theme theme;
        ck_assert_int_eq(config_theme(&theme, &paths, shipped[i], NULL), 0);
        for (size_t one = 0; one < STATES; one++)
            for (size_t other = 0; other < one; other++) {
                uint32_t first = theme_rgb(theme.role[states[one]]);
                uint32_t second = theme_rgb(theme.role[states[other]]);
                ck_assert_msg(first != second &&
                                  theme_nearest_256(first) != theme_nearest_256(second),
                              "%s: %s and %s look alike", shipped[i], theme_role_name(states[one]),
                              theme_role_name(states[other]));
            }
    }
}
END_TEST

START_TEST(an_unknown_theme_names_the_others)
{
    struct theme theme;
    struct bj_error error = {0};
    find();
    ck_assert_int_eq(config_theme(&theme, &paths, "nosuch", &error), -ENOENT);
    ck_assert_ptr_nonnull(strstr(error.text, "nosuch"));
    ck_assert_ptr_nonnull(strstr(error.text, "high-contrast"));
    ck_assert_int_eq(config_theme(&theme, &paths, "/no/such/file", &error), -ENOENT);
}
END_TEST

/* A whole theme in which one line is replaced, left out (NULL) or added behind. */
static const char *with(const char *key, const char *instead)
{
    static char text[8192];
    size_t size = (size_t)snprintf(text, sizeof(text), "name = x\ncolors {\n");
    for (int i = 0; i < THEME_ROLES; i++) {
        bool here = strcmp(theme_role_name((enum theme_role)i), key) == 0;
        if (here && !instead)
            continue;
        size += (size_t)snprintf(text + size, sizeof(text) - size, "%s%s = \"#102030\"\n",
                                 here ? instead : "", theme_role_name((enum theme_role)i));
    }
    size += (size_t)snprintf(text + size, sizeof(text) - size, "}\npalette {\n");
    for (int i = 0; i < 16; i++)
        size += (size_t)snprintf(text + size, sizeof(text) - size, "%d = %d\n", i, i);
    snprintf(text + size, sizeof(text) - size, "}\n");
    return text;
}

static void broken(const char *text, const char *place, const char *word)
{
    struct theme theme;
    struct bj_error error = {0};
    ck_assert_int_eq(theme_parse(&theme, text, "my.theme", &error), -EINVAL);
    ck_assert_msg(strncmp(error.text, place, strlen(place)) == 0, "%s", error.text);
    ck_assert_msg(strstr(error.text, word) != NULL, "%s", error.text);
}

START_TEST(errors_name_the_line)
{
    struct theme theme;
    ck_assert_int_eq(theme_parse(&theme, with("none", ""), "my.theme", NULL), 0);
    ck_assert_uint_eq(theme.role[0], BJ_COLOR_RGB | 0x102030);
    ck_assert_uint_eq(theme.palette[9], BJ_COLOR_PALETTE | 9);
    broken(with("foreground", NULL), "my.theme:2: ", "foreground");
    broken(with("foreground", "bogus = 1\n"), "my.theme:4: ", "bogus");
    broken(with("foreground", "background = 1\n"), "my.theme:4: ", "twice");
    broken(with("foreground", "border = \"#12345\"\n"), "my.theme:4: ", "#12345");
    broken(with("foreground", "border = 256\n"), "my.theme:4: ", "256");
    broken(with("foreground", "border = blue\n"), "my.theme:4: ", "blue");
    broken(with("foreground", "border = \"#123456\n"), "my.theme:4: ", "quote");
    broken(with("foreground", "nothing\n"), "my.theme:4: ", "key = value");
    broken(with("foreground", "more {\n"), "my.theme:4: ", "section");
    broken("", "my.theme:1: ", "name");
    broken("name = x\n", "my.theme:1: ", "missing");
    broken("name = x\ncolors {\n", "my.theme:2: ", "not closed");
    broken("name = x\n}\n", "my.theme:2: ", "}");
    broken("\n\nfoo = x\n", "my.theme:3: ", "foo");
    broken("name = x\nother {\n a = b\n}\n", "my.theme:2: ", "other");
    broken("name = x\npalette {\n 16 = 1\n}\n", "my.theme:3: ", "16");
}
END_TEST

/* One that was written before these roles were there. */
START_TEST(an_older_theme_is_whole)
{
    static const struct {
        enum theme_role role, like;
    } rows[] = {
        {ROLE_STATE_THINKING, ROLE_STATE_STARTING}, {ROLE_STATE_IDLE, ROLE_STATE_EXITED},
        {ROLE_STATE_INPUT, ROLE_STATE_WAITING},     {ROLE_STATE_STUCK, ROLE_STATE_LOST},
        {ROLE_STATE_FAILED, ROLE_STATE_LOST},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct theme theme;
        char text[8192], line[64], other[64];
        snprintf(text, sizeof(text), "%s", with(theme_role_name(rows[i].role), NULL));
        snprintf(line, sizeof(line), "%s = \"#102030\"", theme_role_name(rows[i].like));
        snprintf(other, sizeof(other), "%s = \"#405060\"", theme_role_name(rows[i].like));
        char *at = strstr(text, line);
        ck_assert_ptr_nonnull(at);
        memcpy(at, other, strlen(other));
        ck_assert_int_eq(theme_parse(&theme, text, "my.theme", NULL), 0);
        ck_assert_uint_eq(theme.role[rows[i].role], BJ_COLOR_RGB | 0x405060);
        /* What it is like is still needed. */
        broken(with(theme_role_name(rows[i].like), NULL),
               "my.theme:2: ", theme_role_name(rows[i].like));
    }
}
END_TEST

START_TEST(settings_file)
{
    char directory[] = "/tmp/belljar-test-XXXXXX", path[128];
    struct config config;
    struct bj_error error = {0};
    ck_assert_ptr_nonnull(mkdtemp(directory));
    find();
    snprintf(paths.config, sizeof(paths.config), "%s", directory);
    ck_assert_int_eq(config_load(&config, &paths, &error), 0); /* no file */
    ck_assert_str_eq(config.theme, "dark");
    ck_assert_str_eq(config.prefix.key, "f12");

    snprintf(path, sizeof(path), "%s/belljar.conf", directory);
    static const struct {
        const char *text;
        int status;
        const char *word;
    } files[] = {
        {"# mine\ntheme = \"light\"; # paper\nprefix = \"C-]\"\n", 0, ""},
        {"theme = light\nprefix = nokey\n", -EINVAL, "belljar.conf:2: "},
        {"\n\ncolour = red\n", -EINVAL, "belljar.conf:3: "},
        {"x {\n}\n", -EINVAL, "belljar.conf:1: "},
    };
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        FILE *file = fopen(path, "w");
        ck_assert_ptr_nonnull(file);
        fputs(files[i].text, file);
        fclose(file);
        int status = config_load(&config, &paths, &error);
        ck_assert_msg(status == files[i].status, "%zu: %s", i, error.text);
        ck_assert_msg(strstr(status ? error.text : "", files[i].word) != NULL, "%s", error.text);
        if (i == 0) {
            ck_assert_str_eq(config.theme, "light");
            ck_assert_str_eq(config.prefix.key, "]");
        }
    }
    remove(path);
    remove(directory);
}
END_TEST

START_TEST(colours)
{
    ck_assert_uint_eq(theme_rgb(BJ_COLOR_PALETTE | 196), 0xff0000);
    ck_assert_uint_eq(theme_rgb(BJ_COLOR_PALETTE | 255), 0xeeeeee);
    ck_assert_int_eq(theme_nearest_256(0xff0000), 196);
    ck_assert_int_eq(theme_nearest_256(0xeeeeee), 255);
    ck_assert_int_eq(theme_nearest_ansi(0x000000, 8), 0);
    ck_assert_int_eq(theme_nearest_ansi(0xff1010, 16), 9);
    ck_assert_int_eq(theme_nearest_ansi(0x8fcf7f, 16), 2); /* green, though a grey is nearer */
    ck_assert_int_eq(theme_nearest_ansi(0x8fcf7f, 8), 2);
    ck_assert_int_eq(theme_nearest_ansi(0xf7768e, 8), 1);
    ck_assert_int_eq(theme_nearest_ansi(0xb99bf0, 8), 5);
    ck_assert_int_eq(theme_nearest_ansi(0x8d98ad, 16) & 7, 0); /* nearly grey is grey */
    ck_assert_int_eq(theme_nearest_ansi(0x002b36, 16), 0);     /* and nearly black is black */
    ck_assert_int_eq(theme_text_ansi(0x8fcf7f, 0, 16, false), 2);
    ck_assert_int_eq(theme_text_ansi(0x8ab8ff, 0, 8, false), 6);  /* blue on black cannot be read */
    ck_assert_int_eq(theme_text_ansi(0x8a5300, 15, 16, true), 3); /* pale, but yellow */
    ck_assert_int_eq(theme_text_ansi(0x8a5300, 15, 16, false) & 7, 0);
    ck_assert_int_eq(theme_text_ansi(0x0d1017, 4, 8, false), 7);
    ck_assert(theme_contrast(0x000000, 0xffffff) > 20.9);
    ck_assert(theme_contrast(0x777777, 0x777777) < 1.01);
    for (int i = 16; i < 256; i++)
        ck_assert_uint_eq(theme_rgb(BJ_COLOR_PALETTE | (uint32_t)theme_nearest_256(theme_rgb(
                                                           BJ_COLOR_PALETTE | (uint32_t)i))),
                          theme_rgb(BJ_COLOR_PALETTE | (uint32_t)i));
}
END_TEST

SUITE_MAIN("theme", shipped_themes_can_be_read, every_state_has_a_colour_of_its_own,
           an_unknown_theme_names_the_others, errors_name_the_line, an_older_theme_is_whole,
           settings_file, colours)

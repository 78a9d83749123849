/* belljar.conf: presets, keys, colours; every fault with file, line and option. */
#include "suite.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "transport/api.h"
#include "tui/config.h"

static struct bj_paths paths;
static char directory[64], path[128];
static struct config config;
static char faults[4096];

static void setup(void)
{
    const char *source = getenv("BELLJAR_TEST_SOURCE");
    ck_assert_ptr_nonnull(source);
    strcpy(directory, "/tmp/belljar-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(directory));
    paths = (struct bj_paths){0};
    snprintf(paths.data, sizeof(paths.data), "%s", source);
    snprintf(paths.config, sizeof(paths.config), "%s", directory);
    snprintf(path, sizeof(path), "%s/belljar.conf", directory);
}

static void teardown(void)
{
    char name[160];
    snprintf(name, sizeof(name), "%s/presets/mine.conf", directory);
    remove(name);
    snprintf(name, sizeof(name), "%s/presets", directory);
    rmdir(name);
    remove(path);
    rmdir(directory);
}

static void keep(void *owner, const struct bj_error *error)
{
    (void)owner;
    ck_assert_int_lt(error->code, 0);
    size_t used = strlen(faults);
    snprintf(faults + used, sizeof(faults) - used, "%s\n", error->text);
}

static void put(const char *file, const char *text)
{
    FILE *out = fopen(file, "w");
    ck_assert_ptr_nonnull(out);
    fputs(text, out);
    fclose(out);
}

static int reads(const char *text)
{
    put(path, text);
    faults[0] = '\0';
    return config_read(&config, &paths, NULL, keep, NULL);
}

static void good(const char *text)
{
    int status = reads(text);
    ck_assert_msg(status == 0, "%s", faults);
    keymap_use(&config.keys);
}

/* There is one fault, in this line, and it says this. */
static void bad(const char *text, int line, const char *word)
{
    char place[40];
    ck_assert_int_lt(reads(text), 0);
    snprintf(place, sizeof(place), "belljar.conf:%d: ", line);
    ck_assert_msg(strstr(faults, place) != NULL, "%s is not in %s", place, faults);
    ck_assert_msg(strstr(faults, word) != NULL, "%s is not in %s", word, faults);
    ck_assert_msg(strchr(faults, '\n') == faults + strlen(faults) - 1, "%s", faults);
}

static enum action find(enum key_mode mode, const char *name)
{
    struct chord chord;
    ck_assert(keys_parse(name, strlen(name), &chord));
    return keys_find(mode, &chord);
}

START_TEST(every_action_can_have_another_key)
{
    for (size_t i = 0; i < keys_count; i++) {
        char text[200], option[KEYS_OPTION_MAX];
        keys_option_name(&keys_table[i], option);
        ck_assert_ptr_eq(keys_named(option), &keys_table[i]);
        snprintf(text, sizeof(text), "keys {\n %s = \"C-F9 F10\"\n}\n", option);
        good(text);
        for (unsigned mode = 1; mode < KEYS_MODES_END; mode *= 2) {
            bool here = (keys_table[i].modes & mode) != 0;
            enum action wanted = here ? keys_table[i].action : ACTION_NONE;
            ck_assert_msg(find((enum key_mode)mode, "C-F9") == wanted, "%s", option);
            ck_assert_str_eq(keys_of(mode, keys_table[i].action).text, here ? "C-F9 F10" : "");
        }
        /* In one mode, by the name as it stands in the table. */
        for (unsigned mode = 1; mode < KEYS_MODES_END; mode *= 2) {
            if (!(keys_modes_of(&keys_table[i]) & mode))
                continue;
            snprintf(text, sizeof(text), "keys {\n %s {\n  %s = F9\n }\n}\n",
                     keys_mode_name((enum key_mode)mode), keys_table[i].name);
            good(text);
            ck_assert_int_eq(find((enum key_mode)mode, "F9"), keys_table[i].action);
        }
    }
}
END_TEST

START_TEST(others_keep_their_keys)
{
    good("keys {\n zoom = \"Z\"\n copy {\n  copy-take = \"Y\"\n }\n}\n");
    ck_assert_int_eq(find(KEYS_SUPERVISE, "Z"), ACTION_ZOOM);
    ck_assert_int_eq(find(KEYS_SUPERVISE, "z"), ACTION_NONE);
    ck_assert_int_eq(find(KEYS_SUPERVISE, "k"), ACTION_KILL);
    ck_assert_int_eq(find(KEYS_COPY, "Y"), ACTION_COPY_TAKE);
    ck_assert_int_eq(find(KEYS_COPY, "y"), ACTION_NONE);
    ck_assert_str_eq(keys_say(0, "{zoom} or {kill}").text, "Z or k");
    /* What has no key is reached by its name. */
    good("keys {\n zoom = \"\"\n}\n");
    ck_assert_str_eq(keys_first(0, ACTION_ZOOM).text, ":zoom");
}
END_TEST

START_TEST(a_taken_key_is_unbound_first)
{
    bad("keys {\n zoom = k\n}\n", 2, "zoom: k in the mode supervise is bound to kill by default");
    bad("\nkeys {\n zoom = F5\n layout = F5\n}\n", 4,
        "layout: F5 in the mode supervise is bound to zoom in line 3");
    good("keys {\n supervise {\n  unbind = k\n  zoom = k\n }\n}\n");
    ck_assert_int_eq(find(KEYS_SUPERVISE, "k"), ACTION_ZOOM);
    ck_assert_int_eq(find(KEYS_LIST, "k"), ACTION_KILL);
    good("keys {\n supervise { # both at once\n  kill = Z\n  zoom = k\n }\n}\n");
    ck_assert_int_eq(find(KEYS_SUPERVISE, "Z"), ACTION_KILL);
    bad("keys {\n unbind = F9\n}\n", 2, "unbind: F9");
}
END_TEST

/* What is typed there is text, so it cannot be a key. */
START_TEST(lines_and_questions)
{
    good("keys {\n line {\n  line-enter = \"C-x F5\"\n }\n question {\n  yes = \"j\"\n }\n}\n");
    ck_assert_int_eq(find(KEYS_LINE, "C-x"), ACTION_LINE_ENTER);
    ck_assert_int_eq(find(KEYS_LINE, "Enter"), ACTION_NONE);
    ck_assert_int_eq(find(KEYS_QUESTION, "j"), ACTION_YES);
    ck_assert_int_eq(find(KEYS_QUESTION, "y"), ACTION_NONE);
    ck_assert_str_eq(keys_say(KEYS_LINE, "{line enter} do it").text, "C-x do it");
    bad("keys {\n line-left = \"C-b h\"\n}\n", 2, "line-left: h is text in a line");
    bad("keys {\n line-left = Space\n}\n", 2, "line-left: Space is text in a line");
    bad("keys {\n line-leave = \"\"\n}\n", 2, "line leave: it has no key in the mode line");
    good("keys {\n line-complete = \"\"\n}\n");
    ck_assert_str_eq(keys_first(0, ACTION_LINE_COMPLETE).text, "-"); /* no name would do it */
}
END_TEST

START_TEST(faults_name_line_and_option)
{
    bad("theme = dark\nprefix = nokey\n", 2, "prefix: \"nokey\"");
    bad("theme = dark\ntheme = light\n", 2, "theme: it is in line 1");
    bad("\nnotify = loud\n", 2, "notify: \"loud\"");
    bad("colour = red\n", 1, "unknown option colour");
    bad("x {\n a = b\n}\n", 1, "unknown section x");
    bad("keys {\n zom = Z\n}\n", 2, "unknown action zom");
    bad("keys {\n zoom = ZZ\n}\n", 2, "zoom: \"ZZ\" is no key");
    bad("keys {\n zoom = \"Z Z\"\n}\n", 2, "zoom: the key Z is there twice");
    bad("keys {\n zoom = Z\n zoom = F9\n}\n", 3, "zoom already has its keys");
    bad("keys {\n nomode {\n  zoom = Z\n }\n}\n", 2, "unknown mode nomode");
    bad("keys {\n copy {\n  zoom = Z\n }\n}\n", 3, "zoom: it does nothing in the mode copy");
    bad("keys {\n copy {\n  copy-leave = \"\"\n }\n}\n", 3, "copy leave: it has no key");
    bad("keys {\n menu {\n  unbind = \"Escape q\"\n }\n}\n", 3,
        "close: it has no key in the mode menu");
    bad("\nprefix = a\nkeys {\n list {\n  unbind = a\n }\n}\n", 2,
        "prefix: a is bound to allow in the mode supervise");
    bad("keys {\n zoom = F12\n}\n", 2, "prefix: F12 is bound to zoom");
    bad("preset = emacs\n", 1, "preset: there is none called emacs");
    bad("preset = tmux\n\npreset = tmux\n", 3, "preset: it is in line 1");
    bad("colors {\n bordr = \"#102030\"\n}\n", 2, "unknown colour bordr");
    bad("colors {\n border = blue\n}\n", 2, "border: \"blue\"");
    bad("colors {\n border = 1\n border = 2\n}\n", 3, "border: it is in line 2");
    bad("palette {\n 16 = 1\n}\n", 2, "16");
    bad("keys {\n supervise {\n  deeper {\n }\n}\n", 3, "section");
}
END_TEST

START_TEST(all_faults_are_told)
{
    ck_assert_int_lt(reads("thme = dark\nnotify = loud\nkeys {\n zoom = k\n zom = Z\n}\n"), 0);
    static const char *const places[] = {".conf:1: ", ".conf:2: ", ".conf:4: ", ".conf:5: "};
    for (size_t i = 0; i < 4; i++)
        ck_assert_msg(strstr(faults, places[i]) != NULL, "%s", faults);
    struct bj_error error = {0};
    ck_assert_int_eq(config_load(&config, &paths, &error), -EINVAL);
    ck_assert_ptr_nonnull(strstr(error.text, ".conf:1: "));
}
END_TEST

START_TEST(hands_that_know_tmux)
{
    static const struct {
        const char *key;
        enum action action;
    } known[] = {{"d", ACTION_DETACH},    {"z", ACTION_ZOOM},   {"[", ACTION_COPY},
                 {"c", ACTION_RUN},       {"n", ACTION_NEXT},   {"p", ACTION_PREVIOUS},
                 {"0", ACTION_NUMBER},    {"9", ACTION_NUMBER}, {":", ACTION_PALETTE},
                 {"?", ACTION_HELP},      {"w", ACTION_LIST},   {"x", ACTION_KILL},
                 {"\"", ACTION_FORM},     {"%", ACTION_FORM},   {"Escape", ACTION_SUPERVISE},
                 {"Space", ACTION_LAYOUT}};
    good("theme = light\npreset = tmux\n");
    ck_assert_str_eq(config.preset, "tmux");
    ck_assert_str_eq(config.prefix.key, "b");
    ck_assert_uint_eq(config.prefix.mods, BJ_MOD_CTRL);
    ck_assert(keys_prefixed());
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        ck_assert_msg(find(KEYS_PREFIX, known[i].key) == known[i].action, "%s", known[i].key);
    ck_assert_str_eq(keys_way_out(&config.prefix).text, "C-b Escape");
    ck_assert_int_eq(find(KEYS_SUPERVISE, "z"), ACTION_ZOOM); /* as without it */
    /* The file goes over it. */
    good("preset = tmux\nprefix = C-a\nkeys {\n prefix {\n  list = l\n }\n}\n");
    ck_assert_str_eq(config.prefix.key, "a");
    ck_assert_int_eq(find(KEYS_PREFIX, "l"), ACTION_LIST);
    ck_assert_int_eq(find(KEYS_PREFIX, "w"), ACTION_NONE);
    ck_assert_int_eq(find(KEYS_PREFIX, "z"), ACTION_ZOOM);
    /* Without it there is none of it. */
    good("");
    ck_assert(!keys_prefixed());
    ck_assert_str_eq(keys_way_out(&config.prefix).text, "F12");
}
END_TEST

START_TEST(presets_of_ones_own)
{
    char name[160];
    snprintf(name, sizeof(name), "%s/presets", directory);
    ck_assert_int_eq(mkdir(name, 0700), 0);
    snprintf(name, sizeof(name), "%s/presets/mine.conf", directory);
    put(name, "keys {\n zoom = Z\n}\n");
    good("preset = mine\n");
    ck_assert_int_eq(find(KEYS_SUPERVISE, "Z"), ACTION_ZOOM);
    put(name, "theme = dark\n");
    bad("\npreset = mine\n", 2, "mine.conf:1: unknown option theme");
}
END_TEST

START_TEST(which_of_its_keys)
{
    struct chord chord;
    unsigned nth = 9;
    good("keys {\n select = \"F1 F2 F3\"\n}\n");
    ck_assert(keys_parse("F3", 2, &chord));
    ck_assert_int_eq(keys_find_at(KEYS_SUPERVISE, &chord, &nth), ACTION_NUMBER);
    ck_assert_uint_eq(nth, 2);
}
END_TEST

START_TEST(colours_over_the_theme)
{
    struct theme theme, plain;
    struct bj_error error = {0};
    good("theme = light\ncolors {\n border = \"#405060\"\n}\npalette {\n 3 = 196\n}\n");
    ck_assert_int_eq(config_look(&config, &paths, NULL, &theme, &error), 0);
    ck_assert_int_eq(config_theme(&plain, &paths, "light", &error), 0);
    ck_assert_str_eq(theme.name, "light");
    ck_assert_uint_eq(theme.role[ROLE_BORDER], BJ_COLOR_RGB | 0x405060);
    ck_assert_uint_eq(theme.role[ROLE_TITLE], plain.role[ROLE_TITLE]);
    ck_assert_uint_eq(theme.palette[3], BJ_COLOR_PALETTE | 196);
    ck_assert_uint_eq(theme.palette[4], plain.palette[4]);
    /* Over another one, too. */
    ck_assert_int_eq(config_look(&config, &paths, "dark", &theme, &error), 0);
    ck_assert_uint_eq(theme.role[ROLE_BORDER], BJ_COLOR_RGB | 0x405060);
    good("\ntheme = nosuch\n");
    ck_assert_int_eq(config_look(&config, &paths, NULL, &theme, &error), -ENOENT);
    ck_assert_ptr_nonnull(strstr(error.text, "belljar.conf:2: "));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("config");
    TCase *cases = tcase_create("config");
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_test(cases, every_action_can_have_another_key);
    tcase_add_test(cases, others_keep_their_keys);
    tcase_add_test(cases, a_taken_key_is_unbound_first);
    tcase_add_test(cases, lines_and_questions);
    tcase_add_test(cases, faults_name_line_and_option);
    tcase_add_test(cases, all_faults_are_told);
    tcase_add_test(cases, hands_that_know_tmux);
    tcase_add_test(cases, presets_of_ones_own);
    tcase_add_test(cases, which_of_its_keys);
    tcase_add_test(cases, colours_over_the_theme);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}

#include "suite.h"

#include <errno.h>
#include <string.h>

#include "tui/cli/args.h"

#define WORDS_MAX 10

static int never(const struct args *args, const struct bj_paths *paths)
{
    (void)args;
    (void)paths;
    return COMMAND_FAILED;
}

static const struct command_spec plain = {
    .name = "plain",
    .arguments = "NAME [MORE]",
    .min = 1,
    .max = 2,
    .run = never,
    .options =
        {
            {.letter = 'd', .name = "detach"},
            {.letter = 'n', .name = "name", .type = OPTION_TEXT, .value = "NAME"},
            {.letter = 'm',
             .name = "memory",
             .type = OPTION_SIZE,
             .value = "SIZE",
             .limit = 1 << 20},
            {.name = "count", .type = OPTION_COUNT, .value = "N", .limit = 10},
            {.name = "cpus", .type = OPTION_MILLI, .value = "N.N", .limit = 4000},
            {.name = "timeout", .type = OPTION_DURATION, .value = "D", .limit = 60000},
            {.letter = 'e', .name = "env", .type = OPTION_LIST, .value = "NAME=VALUE"},
            {.name = "form", .type = OPTION_TEXT, .value = "a|bc", .choices = "a|bc"},
        },
};

static const struct command_spec trailing = {
    .name = "trailing", .arguments = "", .trailing = true, .run = never};

static const struct command_spec chosen = {.name = "chosen",
                                           .arguments = "up|down",
                                           .min = 1,
                                           .max = 1,
                                           .choices = "up|down",
                                           .run = never};

struct refusal {
    const struct command_spec *command;
    const char *words[WORDS_MAX];
    const char *says; /* part of the sentence */
};

static const struct refusal refusals[] = {
    {&plain, {"x", "--detahc"}, "did you mean --detach?"},
    {&plain, {"x", "--wholly-other"}, "see belljar plain --help"},
    {&plain, {"x", "--a-name-that-is-longer-than-any-buffer-should-have-to-be"}, "unknown option"},
    {&plain, {"x", "-z"}, "unknown option -z"},
    {&plain, {"x", "-dz"}, "unknown option -z"},
    {&plain, {"x", "--detach=yes"}, "takes no value"},
    {&plain, {"x", "--name"}, "needs a value: --name NAME"},
    {&plain, {"x", "-n"}, "needs a value"},
    {&plain, {"x", "-dn"}, "needs a value"},
    {&plain, {"x", "--name="}, "is empty"},
    {&plain, {"x", "-n", "a", "--name", "b"}, "given twice"},
    {&plain, {"x", "--memory", "2M"}, "too large"},
    {&plain, {"x", "--memory", "lots"}, "not a size"},
    {&plain, {"x", "--count", "11"}, "at most 10"},
    {&plain, {"x", "--count", "-1"}, "not a whole number"},
    {&plain, {"x", "--count", "1.5"}, "not a whole number"},
    {&plain, {"x", "--cpus", "1,5"}, "not a number"},
    {&plain, {"x", "--cpus", "5"}, "at most 4"},
    {&plain, {"x", "--timeout", "5 weeks"}, "not a duration"},
    {&plain, {"x", "--timeout", "2m"}, "at most 60 seconds"},
    {&plain, {"x", "--form", "b"}, "'b' is not one of a|bc"},
    {&plain, {"--detach"}, "missing argument: usage is belljar plain NAME [MORE]"},
    {&plain, {"x", "y", "z"}, "unexpected 'z'"},
    {&trailing, {"bash"}, "put the command after --"},
    {&chosen, {"left"}, "'left' is not one of up|down"},
    {&chosen, {"up|down"}, "is not one of"},
    {&chosen, {""}, "is not one of"},
};

static int parse(struct args *args, const struct command_spec *command, const char *const *words,
                 struct bj_error *error)
{
    int count = 0;
    while (count < WORDS_MAX && words[count])
        count++;
    return args_parse(args, command, count, (char **)words, error);
}

START_TEST(wrong_usage_is_named)
{
    const struct refusal *refusal = &refusals[_i];
    struct bj_error error = {0};
    struct args args;
    ck_assert_int_eq(parse(&args, refusal->command, refusal->words, &error), -EINVAL);
    ck_assert_msg(strstr(error.text, refusal->says) != NULL, "'%s' lacks '%s'", error.text,
                  refusal->says);
    args_free(&args);
}
END_TEST

START_TEST(every_form_of_option)
{
    static const char *const words[] = {
        "x",     "-dnone", "--memory=1.5K", "--cpus",         "0.25",
        "-eA=1", "--env",  "B=2",           "--timeout=1.5m", NULL};
    struct bj_error error = {0};
    struct args args;
    ck_assert_int_eq(parse(&args, &plain, words, &error), -EINVAL); /* 1.5m is 90 s: too long */
    args_free(&args);

    static const char *const good[] = {
        "x",     "-dnone", "--memory=1.5K", "--cpus",          "0.25",
        "-eA=1", "--env",  "B=2",           "--timeout=250ms", NULL};
    ck_assert_int_eq(parse(&args, &plain, good, &error), 0);
    ck_assert(args_set(&args, "detach"));
    ck_assert_str_eq(args_text(&args, "name"), "one");
    ck_assert_uint_eq(args_number(&args, "memory", 0), 1536);
    ck_assert_uint_eq(args_number(&args, "cpus", 0), 250);
    ck_assert_uint_eq(args_number(&args, "timeout", 0), 250);
    ck_assert_uint_eq(args_number(&args, "count", 7), 7);
    size_t count;
    const char *const *list = args_list(&args, "env", &count);
    ck_assert_uint_eq(count, 2);
    ck_assert_str_eq(list[0], "A=1");
    ck_assert_str_eq(list[1], "B=2");
    ck_assert(!args_set(&args, "form"));
    ck_assert_ptr_null(args_text(&args, "form"));
    args_free(&args);
}
END_TEST

START_TEST(double_dash_ends_options)
{
    static const char *const words[] = {"x", "--", "--detach", NULL};
    static const char *const command[] = {"--", "sh", "-c", "--", "-x", NULL};
    struct bj_error error = {0};
    struct args args;
    ck_assert_int_eq(parse(&args, &plain, words, &error), 0);
    ck_assert_uint_eq(args.word_count, 2);
    ck_assert_str_eq(args.words[1], "--detach");
    ck_assert(!args_set(&args, "detach"));
    args_free(&args);

    ck_assert_int_eq(parse(&args, &trailing, command, &error), 0);
    ck_assert_uint_eq(args.trailing_count, 4);
    ck_assert_str_eq(args.trailing[0], "sh");
    ck_assert_str_eq(args.trailing[2], "--");
    args_free(&args);
}
END_TEST

START_TEST(a_dash_is_a_word)
{
    static const char *const words[] = {"-", NULL};
    struct bj_error error = {0};
    struct args args;
    ck_assert_int_eq(parse(&args, &plain, words, &error), 0);
    ck_assert_str_eq(args.words[0], "-");
    args_free(&args);
}
END_TEST

START_TEST(help_wins_over_what_is_missing)
{
    static const char *const spellings[] = {"--help", "-h", "-dh"};
    const char *words[] = {spellings[_i], "--nonsense", NULL};
    struct bj_error error = {0};
    struct args args;
    ck_assert_int_eq(parse(&args, &plain, words, &error), 0);
    ck_assert(args.help);
    args_free(&args);
}
END_TEST

START_TEST(distance_counts_edits)
{
    ck_assert_uint_eq(args_distance("kill", "kill"), 0);
    ck_assert_uint_eq(args_distance("kil", "kill"), 1);
    ck_assert_uint_eq(args_distance("klil", "kill"), 1);
    ck_assert_uint_eq(args_distance("bill", "kill"), 1);
    ck_assert_uint_eq(args_distance("", "kill"), 4);
    ck_assert_str_eq(command_nearest("caputre"), "capture");
    ck_assert_str_eq(command_nearest("attahc"), "attach");
    ck_assert_ptr_null(command_nearest("zzzzzz"));
    ck_assert_ptr_null(command_nearest("x"));
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("args");
    tcase_add_loop_test(tests, wrong_usage_is_named, 0,
                        (int)(sizeof(refusals) / sizeof(*refusals)));
    tcase_add_test(tests, every_form_of_option);
    tcase_add_test(tests, double_dash_ends_options);
    tcase_add_test(tests, a_dash_is_a_word);
    tcase_add_loop_test(tests, help_wins_over_what_is_missing, 0, 3);
    tcase_add_test(tests, distance_counts_edits);
    return run_suite("args", tests);
}

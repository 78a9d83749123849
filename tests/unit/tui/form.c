#include "suite.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tui/model/form.h"

static struct form form;
static struct form_request request;
static struct bj_error error;

static enum form_outcome press(const char *name)
{
    struct chord chord;
    ck_assert(keys_parse(name, strlen(name), &chord));
    return form_key(&form, &chord);
}

static int check(enum form_field field, const char *text)
{
    memset(&form, 0, sizeof(form));
    form_open(&form);
    line_set(&form.line[FORM_COMMAND], "bash");
    line_set(&form.line[field], text);
    return form_check(&form, &request, &error);
}

START_TEST(what_it_asks_for)
{
    ck_assert_int_eq(check(FORM_COMMAND, "make 'all of it' -j2"), 0);
    ck_assert_uint_eq(request.words.count, 3);
    ck_assert_str_eq(request.words.word[1], "all of it");
    ck_assert(!request.text[FORM_PROJECT] && !request.text[FORM_NAME] && !request.has[FORM_MEMORY]);
    ck_assert_int_eq(check(FORM_MEMORY, "1.5g"), 0);
    ck_assert_uint_eq(request.number[FORM_MEMORY], 3ULL << 29);
    ck_assert_int_eq(check(FORM_MEMORY, "0"), 0);
    ck_assert(request.has[FORM_MEMORY] && request.number[FORM_MEMORY] == 0);
    ck_assert_int_eq(check(FORM_CPUS, "0.25"), 0);
    ck_assert_uint_eq(request.number[FORM_CPUS], 250);
    ck_assert_int_eq(check(FORM_PIDS, "100"), 0);
    ck_assert_uint_eq(request.number[FORM_PIDS], 100);
    ck_assert_int_eq(check(FORM_PROMPT, "fix it"), -EINVAL); /* told to whom? */
    ck_assert_int_eq(form.at, FORM_PROMPT);
    ck_assert_int_eq(check(FORM_AGENT, "claude"), 0);
    line_set(&form.line[FORM_COMMAND], ""); /* the profile has one */
    line_set(&form.line[FORM_PROMPT], "fix it");
    ck_assert_int_eq(form_check(&form, &request, &error), 0);
    ck_assert_str_eq(request.text[FORM_AGENT], "claude");
    ck_assert_str_eq(request.text[FORM_PROMPT], "fix it");
    ck_assert_int_eq(check(FORM_NAME, "web"), 0);
    ck_assert_str_eq(request.text[FORM_NAME], "web");
}
END_TEST

START_TEST(what_is_wrong)
{
    static const struct {
        enum form_field field;
        const char *text;
    } bad[] = {
        {FORM_COMMAND, ""},   {FORM_COMMAND, "  "}, {FORM_COMMAND, "a 'b"}, {FORM_MEMORY, "lot"},
        {FORM_MEMORY, "-1"},  {FORM_MEMORY, "1X"},  {FORM_ACP, "maybe"},    {FORM_MEMORY, "1e30"},
        {FORM_MEMORY, "nan"}, {FORM_CPUS, "2K"},    {FORM_CPUS, "5000"},    {FORM_PIDS, "9999999"},
        {FORM_DISK, "2h"},    {FORM_EGRESS, "1/h"}, {FORM_CLOCK, "8 h"},    {FORM_CLOCK, "1y"},
        {FORM_CLOCK, "400d"}, {FORM_ENV, "NAME"},   {FORM_ENV, "=x"},       {FORM_ENV, "A=1 'b"}};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        ck_assert_msg(check(bad[i].field, bad[i].text) == -EINVAL, "%s", bad[i].text);
        ck_assert_int_eq(form.at, bad[i].field); /* the cursor is there */
        ck_assert_uint_gt(strlen(error.text), 0);
    }
}
END_TEST

START_TEST(quotas_and_variables)
{
    ck_assert_int_eq(check(FORM_DISK, "4G"), 0);
    ck_assert_uint_eq(request.number[FORM_DISK], 4ULL << 30);
    ck_assert_int_eq(check(FORM_EGRESS, "500M"), 0);
    ck_assert_uint_eq(request.number[FORM_EGRESS], 500 << 20);
    ck_assert_int_eq(check(FORM_CLOCK, "1.5h"), 0);
    ck_assert_uint_eq(request.number[FORM_CLOCK], 5400);
    ck_assert_int_eq(check(FORM_CLOCK, "1ms"), 0);
    ck_assert_uint_eq(request.number[FORM_CLOCK], 1); /* 0 would be none */
    ck_assert_int_eq(check(FORM_WALL, "bwrap"), 0);
    ck_assert_str_eq(request.text[FORM_WALL], "bwrap");
    ck_assert_int_eq(check(FORM_ENV, "A=1 'B=two words' C="), 0);
    ck_assert_uint_eq(request.variables.count, 3);
    ck_assert_str_eq(request.variables.word[1], "B=two words");
    form_open(&form);
    ck_assert_str_eq(form.line[FORM_ENV].text, ""); /* it may be a secret */
}
END_TEST

/* As `belljar run --acp`: a profile of its own, or the program that speaks it. */
START_TEST(acp)
{
    ck_assert_int_eq(check(FORM_ACP, "yes"), 0);
    ck_assert_uint_eq(request.argc, 2);
    ck_assert_str_eq(request.argv[0], "/belljar/bin/belljar-acp");
    ck_assert_str_eq(request.argv[1], "bash");
    line_set(&form.line[FORM_PROMPT], "fix it");
    ck_assert_int_eq(form_check(&form, &request, &error), 0);
    ck_assert_uint_eq(request.argc, 5);
    ck_assert_str_eq(request.argv[2], "::");
    ck_assert_str_eq(request.argv[4], "fix it");
    ck_assert_ptr_null(request.text[FORM_PROMPT]);
    line_set(&form.line[FORM_AGENT], "gemini");
    ck_assert_int_eq(form_check(&form, &request, &error), 0);
    ck_assert_str_eq(request.text[FORM_AGENT], "gemini-acp");
    ck_assert_str_eq(request.text[FORM_PROMPT], "fix it");
    ck_assert_uint_eq(request.argc, 1);
    line_set(&form.line[FORM_ACP], "No");
    ck_assert_int_eq(form_check(&form, &request, &error), 0);
    ck_assert_str_eq(request.text[FORM_AGENT], "gemini");
}
END_TEST

START_TEST(keys)
{
    memset(&form, 0, sizeof(form));
    form_open(&form);
    press("l");
    press("s");
    ck_assert_str_eq(form.line[FORM_COMMAND].text, "ls");
    ck_assert_int_eq(press("Tab"), FORM_STAYS);
    ck_assert_int_eq(form.at, FORM_AGENT);
    press("c");
    ck_assert_int_eq(press("Tab"), FORM_COMPLETES);
    press("Backspace");
    ck_assert_int_eq(press("Tab"), FORM_COMPLETES); /* an empty one lists all */
    ck_assert_int_eq(form.at, FORM_AGENT);
    press("Down");
    ck_assert_int_eq(form.at, FORM_PROMPT);
    press("Tab");
    press("Tab");
    ck_assert_int_eq(form.at, FORM_PROJECT);
    press("/");
    ck_assert_int_eq(press("Tab"), FORM_COMPLETES);
    press("Down");
    ck_assert_int_eq(form.at, FORM_NAME);
    for (int i = 0; i < 8; i++)
        press("Up");
    ck_assert_int_eq(form.at, FORM_POLICY);
    ck_assert_int_eq(press("Tab"), FORM_COMPLETES);
    press("Down");
    press("Tab");
    press("Tab");
    ck_assert_int_eq(form.at, FORM_COMMAND);
    form_paste(&form, " -l\nrm", 6);
    ck_assert_str_eq(form.line[FORM_COMMAND].text, "ls -l");
    ck_assert_int_eq(press("Enter"), FORM_SUBMITS);
    ck_assert_int_eq(press("Escape"), FORM_LEAVES);
    ck_assert(!form.open);
}
END_TEST

START_TEST(recording)
{
    static const struct {
        const char *text;
        bool has;
        uint64_t bytes;
    } cases[] = {{"", false, 0}, {"no", true, 0}, {"No", true, 0}, {"8M", true, 8 << 20}};
    struct form_request request;
    memset(&form, 0, sizeof(form));
    line_set(&form.line[FORM_COMMAND], "sh");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        line_set(&form.line[FORM_RECORD], cases[i].text);
        ck_assert_int_eq(form_check(&form, &request, &error), 0);
        ck_assert(request.has[FORM_RECORD] == cases[i].has);
        ck_assert_uint_eq(request.number[FORM_RECORD], cases[i].bytes);
    }
    line_set(&form.line[FORM_RECORD], "never");
    ck_assert_int_eq(form_check(&form, &request, &error), -EINVAL);
    ck_assert_int_eq(form.at, FORM_RECORD);
}
END_TEST

START_TEST(remembered)
{
    static char text[FORM_TEXT_MAX];
    struct form other = {0};
    memset(&form, 0, sizeof(form));
    line_set(&form.line[FORM_COMMAND], "sh -c 'x y'");
    line_set(&form.line[FORM_PROJECT], "/p q");
    line_set(&form.line[FORM_NAME], "once");
    line_set(&form.line[FORM_WALL], "bwrap");
    line_set(&form.line[FORM_CLOCK], "8h");
    line_set(&form.line[FORM_ENV], "KEY=secret");
    form_write(&form, text);
    form_read(&other, text);
    ck_assert_str_eq(other.line[FORM_COMMAND].text, "sh -c 'x y'");
    ck_assert_str_eq(other.line[FORM_PROJECT].text, "/p q");
    ck_assert_str_eq(other.line[FORM_NAME].text, "");
    ck_assert_str_eq(other.line[FORM_WALL].text, "bwrap");
    ck_assert_str_eq(other.line[FORM_CLOCK].text, "8h");
    ck_assert_ptr_null(strstr(text, "secret"));
    form_read(&other, "nonsense\nMemory 5G\nCommand\n\x1b[2J\nName x");
    ck_assert_str_eq(other.line[FORM_MEMORY].text, "5G");
    ck_assert_str_eq(other.line[FORM_NAME].text, "");
}
END_TEST

static void add(struct fleet *fleet, const char *id, const char *name, const char *more)
{
    static char json[3000];
    snprintf(json, sizeof(json),
             "{\"id\": \"%s\", \"name\": \"%s\", \"state\": \"exited\", \"session\": \"main\", "
             "\"project\": \"/p\", \"limits\": {\"memory\": 1073741824, \"millicpus\": 1500, "
             "\"pids\": 0, \"disk\": 1536, \"egress\": 52428800, \"wall_clock\": 5400}, "
             "\"record_limit\": 1000, %s}",
             id, name, more);
    ck_assert_int_eq(fleet_event(fleet, "event.sandbox", object(json), NULL), 1);
}

static struct fleet *fleet_of_some(void)
{
    struct fleet *fleet = calloc(1, sizeof(*fleet));
    ck_assert_int_eq(fleet_init(fleet, "main", NULL), 0);
    add(fleet, "1", "web", "\"argv\": [\"sh\", \"-c\", \"echo 'it is' \\\"$x\\\"\", \"\"]");
    add(fleet, "2", "web-2",
        "\"agent\": \"claude\", \"argv\": [\"/x/claude\", \"-v\"], \"arguments\": [\"-v\"], "
        "\"policy\": \"/some.conf\"");
    add(fleet, "3", "odd", "\"argv\": [\"sh\", \"-c\", \"a\\nb\"]");
    return fleet;
}

static void fleet_end(struct fleet *fleet)
{
    fleet_free(fleet);
    free(fleet);
}

START_TEST(another_like_one)
{
    struct fleet *fleet = fleet_of_some();
    memset(&form, 0, sizeof(form));
    ck_assert_int_eq(form_like(&form, fleet->sandboxes[0], fleet, &error), 0);
    ck_assert_str_eq(form.line[FORM_NAME].text, "web-3");
    ck_assert_str_eq(form.line[FORM_MEMORY].text, "1G");
    ck_assert_str_eq(form.line[FORM_CPUS].text, "1.5");
    ck_assert_str_eq(form.line[FORM_PIDS].text, "0");
    ck_assert_str_eq(form.line[FORM_DISK].text, "1536");
    ck_assert_str_eq(form.line[FORM_EGRESS].text, "50M");
    ck_assert_str_eq(form.line[FORM_CLOCK].text, "90m");
    ck_assert_str_eq(form.line[FORM_RECORD].text, "1000");
    ck_assert_int_eq(form_check(&form, &request, &error), 0);
    ck_assert_str_eq(request.like, "1"); /* whose own all is, but the name */
    ck_assert_str_eq(request.text[FORM_NAME], "web-3");
    ck_assert_uint_eq(request.without_count, 0);
    ck_assert(!request.has_argv);
    for (int i = 0; i < FORM_FIELDS; i++)
        ck_assert(i == FORM_NAME || (!request.text[i] && !request.has[i]));
    ck_assert_uint_eq(request.words.count, 4); /* the very words */
    ck_assert_str_eq(request.words.word[2], "echo 'it is' \"$x\"");
    ck_assert_str_eq(request.words.word[3], "");
    fleet_end(fleet);
}
END_TEST

START_TEST(what_is_changed_of_it)
{
    struct fleet *fleet = fleet_of_some();
    memset(&form, 0, sizeof(form));
    ck_assert_int_eq(form_like(&form, fleet->sandboxes[1], fleet, &error), 0);
    ck_assert_str_eq(form.line[FORM_AGENT].text, "claude");
    ck_assert_str_eq(form.line[FORM_COMMAND].text, "-v"); /* not what the profile made of it */
    ck_assert_str_eq(form.line[FORM_POLICY].text, "/some.conf");
    line_set(&form.line[FORM_POLICY], "");
    line_set(&form.line[FORM_MEMORY], "");
    line_set(&form.line[FORM_CPUS], "2");
    ck_assert_int_eq(form_check(&form, &request, &error), 0);
    ck_assert_uint_eq(request.without_count, 2);
    ck_assert_str_eq(request.without[0], "memory");
    ck_assert_str_eq(request.without[1], "policy");
    ck_assert(!request.has[FORM_MEMORY] && !request.has[FORM_PIDS] && !request.has_argv);
    ck_assert_uint_eq(request.number[FORM_CPUS], 2000);
    line_set(&form.line[FORM_AGENT], ""); /* then its arguments are shown as the command */
    ck_assert_int_eq(form_check(&form, &request, &error), 0);
    ck_assert(request.has_argv && request.words.count == 1);
    line_set(&form.line[FORM_COMMAND], "");
    ck_assert_int_eq(form_check(&form, &request, &error), -EINVAL);
    ck_assert_int_eq(form.at, FORM_COMMAND);
    fleet_end(fleet);
}
END_TEST

/* Its profile is shown as it was asked for. */
START_TEST(acp_of_it)
{
    struct fleet *fleet = fleet_of_some();
    memset(&form, 0, sizeof(form));
    add(fleet, "2", "web-2",
        "\"agent\": \"gemini-acp\", \"argv\": [\"x\"], \"arguments\": [], \"env\": [\"A\", \"B\"]");
    ck_assert_int_eq(form_like(&form, fleet->sandboxes[1], fleet, &error), 0);
    ck_assert_str_eq(form.line[FORM_AGENT].text, "gemini");
    ck_assert_str_eq(form.line[FORM_ACP].text, "yes");
    ck_assert_int_eq(form_check(&form, &request, &error), 0);
    ck_assert_ptr_null(request.text[FORM_AGENT]);
    char help[300];
    form.at = FORM_ENV;
    form_help(&form, help, sizeof(help));
    ck_assert_ptr_nonnull(strstr(help, "those of web-2, unless they are given here: A, B"));
    line_set(&form.line[FORM_ACP], "");
    ck_assert_int_eq(form_check(&form, &request, &error), 0);
    ck_assert_str_eq(request.text[FORM_AGENT], "gemini");
    ck_assert_uint_eq(request.without_count, 0);
    fleet_end(fleet);
}
END_TEST

START_TEST(commands_that_cannot_be_shown)
{
    struct fleet *fleet = fleet_of_some();
    static char more[1500];
    memset(more, 'x', sizeof(more));
    memcpy(more, "\"argv\": [\"", 10);
    strcpy(more + 1200, "\"]");
    add(fleet, "1", "web", more);
    for (int i = 0; i < 3; i += 2) {
        memset(&form, 0, sizeof(form));
        ck_assert_int_eq(form_like(&form, fleet->sandboxes[i], fleet, &error), 0);
        ck_assert_str_eq(form.line[FORM_COMMAND].text, "");
        ck_assert_ptr_nonnull(strstr(form.hint, "taken as it is"));
        ck_assert_int_eq(form_check(&form, &request, &error), 0);
        ck_assert(!request.has_argv);
        line_set(&form.line[FORM_COMMAND], "ls");
        ck_assert_int_eq(form_check(&form, &request, &error), 0);
        ck_assert(request.has_argv);
    }
    fleet_end(fleet);
}
END_TEST

/* The choices of a new one are there again, whatever was typed meanwhile. */
START_TEST(own_choices_come_back)
{
    struct fleet *fleet = fleet_of_some();
    memset(&form, 0, sizeof(form));
    form_open(&form);
    line_set(&form.line[FORM_COMMAND], "mine");
    line_set(&form.line[FORM_PIDS], "7");
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(form_like(&form, fleet->sandboxes[i], fleet, &error), 0);
        line_set(&form.line[FORM_PIDS], "99");
    }
    form_open(&form);
    ck_assert_str_eq(form.like, "");
    ck_assert_str_eq(form.line[FORM_COMMAND].text, "mine");
    ck_assert_str_eq(form.line[FORM_PIDS].text, "7");
    ck_assert_str_eq(form.line[FORM_NAME].text, "");
    fleet_end(fleet);
}
END_TEST

SUITE_MAIN("form", what_it_asks_for, what_is_wrong, quotas_and_variables, acp, keys, recording,
           remembered, another_like_one, what_is_changed_of_it, acp_of_it,
           commands_that_cannot_be_shown, own_choices_come_back)

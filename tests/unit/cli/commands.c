/*
 * Commands that work without a server: wrong usage of the new ones, policy files, and the audit log
 * as a file.
 */
#include "suite.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "mux/audit/audit.h"
#include "tui/cli/command.h"
#include "tui/cli/work.h"
#include "tui/keymap.h"
#include "tui/model/palette.h"

static char top[64], printed[16384];

static void setup(void)
{
    char path[128];
    snprintf(top, sizeof(top), "/tmp/bjt-commands-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(top));
    setenv("BELLJAR_STATE_DIR", top, 1);
    setenv("BELLJAR_CONFIG_DIR", top, 1);
    setenv("TZ", "UTC", 1);
    snprintf(path, sizeof(path), "%s/run", top);
    setenv("BELLJAR_RUNTIME_DIR", path, 1);
}

static void teardown(void)
{
    scratch_remove_tree(top);
}

/* Runs belljar with these words; what it prints, on both streams, is in `printed`. */
static int run(const char *const words[])
{
    char path[128];
    char *argv[24] = {(char *)"belljar"};
    int argc = 1;
    while (words[argc - 1]) {
        argv[argc] = (char *)words[argc - 1];
        argc++;
    }
    snprintf(path, sizeof(path), "%s/printed", top);
    int out = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    int old_out = dup(STDOUT_FILENO), old_err = dup(STDERR_FILENO);
    ck_assert(out >= 0 && old_out >= 0 && old_err >= 0);
    fflush(NULL);
    dup2(out, STDOUT_FILENO);
    dup2(out, STDERR_FILENO);
    int code = command_main(argc, argv);
    fflush(NULL);
    dup2(old_out, STDOUT_FILENO);
    dup2(old_err, STDERR_FILENO);
    ssize_t size = pread(out, printed, sizeof(printed) - 1, 0);
    printed[size < 0 ? 0 : size] = '\0';
    close(out);
    close(old_out);
    close(old_err);
    return code;
}
#define RUN(...) run((const char *const[]){__VA_ARGS__, NULL})

static void must_hold(const char *part)
{
    ck_assert_msg(strstr(printed, part) != NULL, "\"%s\" is not in: %s", part, printed);
}

/* A command line that is wrong, and the sentence. */
static const struct {
    const char *words[8], *sentence;
} wrong[] = {
    {{"rules", "add", "egress"}, "usage is belljar rules add KIND PATTERN"},
    {{"rules", "add", "egress", "a.test"}, "--allow or --deny"},
    {{"rules", "add", "egress", "a.test", "--allow", "--deny"}, "--allow or --deny"},
    {{"rules", "add", "egress", "a.test", "--allow"}, "for whom"},
    {{"rules", "add", "egress", "a.test", "--allow", "--scope", "sandbox:"}, "--scope takes"},
    {{"rules", "add", "egress", "a.test", "--allow", "--scope", "everybody"}, "--scope takes"},
    {{"rules", "remove"}, "rules remove ID"},
    {{"rules", "remove", "x"}, "the number"},
    {{"rules", "undo", "1"}, "rules undo"},
    {{"rules", "drop"}, "not one of add|remove|undo"},
    {{"rules", "--allow"}, "belongs to belljar rules add"},
    {{"allow", "r1-0", "--for", "1h"}, "--for needs --rule"},
    {{"allow", "r1-0", "--rule", "session"}, "not one of sandbox|project|all"},
    {{"deny", "r1-0", "--rule", "all", "--for", "1ms"}, "at least a second"},
    {{"requests", "show"}, "requests show ID"},
    {{"policy"}, "missing argument"},
    {{"policy", "check"}, "policy check FILE"},
    {{"policy", "explain", "a", "egress"}, "NAME KIND SUBJECT"},
    {{"policy", "show"}, "policy show NAME"},
    {{"policy", "reload"}, "or --all"},
    {{"policy", "reload", "a", "--all"}, "or --all"},
    {{"policy", "show", "a", "--all"}, "belongs to belljar policy reload"},
    {{"alerts", "--ack", "--follow"}, "do not go together"},
    {{"audit", "show", "--kind", "nothing"}, "no kind of record nothing"},
    {{"audit", "--since", "yesterday"}, "--since takes"},
    {{"audit", "verify", "--follow"}, "belongs to belljar audit show"},
    {{"audit", "edit"}, "not one of show|verify"},
    {{"push", "file"}, "missing argument"},
    {{"pull"}, "missing argument"},
    {{"run", "--wall-clock", "long"}, "--wall-clock"},
    {{"run", "--disk", "much"}, "--disk"},
    {{"pull", "a", "--max-size", "-1"}, "--max-size"},
};

START_TEST(wrong_usage)
{
    ck_assert_int_eq(run(wrong[_i].words), COMMAND_USAGE);
    must_hold(wrong[_i].sentence);
}
END_TEST

START_TEST(without_a_server)
{
    static const char *const commands[][5] = {
        {"rules"}, {"requests"}, {"egress", "a"}, {"policy", "show", "a"}, {"rules", "undo"}};
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        ck_assert_int_eq(run(commands[i]), COMMAND_FAILED);
        must_hold("server");
    }
    ck_assert_int_eq(RUN("push", "/nowhere/file", "a"), COMMAND_FAILED);
    must_hold("No such file");
}
END_TEST

static const char *write_policy(const char *text)
{
    static char path[128];
    snprintf(path, sizeof(path), "%s/p.conf", top);
    FILE *out = fopen(path, "we");
    ck_assert_ptr_nonnull(out);
    fputs(text, out);
    ck_assert_int_eq(fclose(out), 0);
    return path;
}

START_TEST(policy_files_are_checked)
{
    ck_assert_int_eq(RUN("policy", "check", write_policy("egress { allow = a.test }\n")), 0);
    must_hold("good: 1 line,");
    const char *path =
        write_policy("egress {\n allow = a.test\n deny = -\n}\nexec { never = x }\nlimits = 1\n");
    ck_assert_int_eq(RUN("policy", "check", path), 1);
    must_hold("p.conf:3: ");
    must_hold("p.conf:5: ");
    must_hold("p.conf:6: ");
    ck_assert_int_eq(RUN("policy", "check", path, "--json"), 1);
    json_t *json = json_loads(printed, 0, NULL);
    ck_assert(json_is_false(json_object_get(json, "ok")));
    ck_assert_uint_eq(json_array_size(json_object_get(json, "faults")), 3);
    json_decref(json);
    ck_assert_int_eq(RUN("policy", "check", write_policy("egress {")), 1);
    must_hold("p.conf:1: ");
    ck_assert_int_eq(RUN("policy", "check", "/nowhere/p.conf"), 1);
    must_hold("/nowhere/p.conf");
}
END_TEST

static void append(struct audit *audit, enum audit_kind kind, json_t *fields)
{
    struct bj_error error = {0};
    ck_assert_ptr_nonnull(fields);
    ck_assert_msg(audit_append(audit, kind, fields, &error) == 0, "%s", error.text);
    json_decref(fields);
}

/* Three sandboxes that asked for the same host, and a human who allowed it each time. */
static void write_log(void)
{
    struct audit *audit;
    struct bj_error error = {0};
    struct audit_options options = {.lazy = true};
    struct audit_opened opened;
    ck_assert_msg(audit_open(&audit, top, &options, &opened, &error) == 0, "%s", error.text);
    for (int i = 0; i < 3; i++) {
        char name[8], id[8];
        snprintf(name, sizeof(name), "s%d", i);
        snprintf(id, sizeof(id), "r%d", i);
        append(audit, AUDIT_START, json_pack("{s:s,s:s}", "sandbox", name, "sandbox_id", name));
        append(audit, AUDIT_REQUEST,
               json_pack("{s:s,s:s,s:s,s:s,s:s,s:s}", "sandbox", name, "sandbox_id", name, "id", id,
                         "class", "wall", "about", "egress", "subject", "ask.test:443"));
        append(audit, AUDIT_VERDICT,
               json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:f,s:f}", "sandbox", name, "sandbox_id",
                         name, "id", id, "about", "egress", "subject", "ask.test:443", "answer",
                         "allow", "by", "human", "asked", 1.0, "waited", 2.0));
    }
    append(audit, AUDIT_ALERT,
           json_pack("{s:s,s:s}", "sandbox", "s1", "text", "a \033[31mred\nline"));
    audit_close(audit);
}

START_TEST(the_log_is_shown)
{
    write_log();
    ck_assert_int_eq(RUN("audit"), 0);
    must_hold("subject=ask.test:443");
    must_hold("text=a ^[[31mred^Jline");
    ck_assert_ptr_null(strchr(printed, '\033'));
    ck_assert_int_eq(RUN("audit", "show", "--kind", "verdict", "--sandbox", "s1", "--json"), 0);
    ck_assert_ptr_eq(strchr(printed, '\n'), strrchr(printed, '\n'));
    json_t *json = json_loads(printed, 0, NULL);
    ck_assert_str_eq(json_string_value(json_object_get(json, "sandbox")), "s1");
    json_decref(json);
    ck_assert_int_eq(RUN("audit", "--since", "1h"), 0);
    must_hold("verdict");
    ck_assert_int_eq(RUN("audit", "--since", "2990-01-01"), 0);
    ck_assert_str_eq(printed, "");
}
END_TEST

START_TEST(an_edited_log_is_found)
{
    char path[128];
    write_log();
    ck_assert_int_eq(RUN("audit", "verify"), 0);
    must_hold("10 records, unbroken");
    snprintf(path, sizeof(path), "%s/audit.jsonl", top);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    char text[1024];
    ssize_t size = pread(fd, text, sizeof(text), 0);
    char *at = memmem(text, (size_t)size, "wall", 4);
    ck_assert_ptr_nonnull(at);
    ck_assert_int_eq(pwrite(fd, "wait", 4, at - text), 4);
    close(fd);
    ck_assert_int_eq(RUN("audit", "verify"), 1);
    must_hold("audit.jsonl:2: edited");
    ck_assert_int_eq(RUN("audit", "verify", "--json"), 1);
    json_t *json = json_loads(printed, 0, NULL);
    ck_assert_str_eq(json_string_value(json_object_get(json, "fault")), "edited");
    ck_assert_int_eq(json_integer_value(json_object_get(json, "line")), 2);
    json_decref(json);
    ck_assert_int_eq(RUN("audit"), 0);
    must_hold("EDITED");
}
END_TEST

START_TEST(rules_are_proposed)
{
    write_log();
    ck_assert_int_eq(RUN("suggest"), 0);
    must_hold("3 x ask.test:443");
    must_hold("belljar rules add egress 'ask.test:443' --allow --scope all");
    ck_assert_int_eq(RUN("suggest", "--json"), 0);
    json_t *json = json_loads(printed, 0, NULL);
    ck_assert_uint_eq(json_array_size(json), 1);
    ck_assert_int_eq(json_integer_value(json_object_get(json_array_get(json, 0), "answered")), 3);
    json_decref(json);
    ck_assert_int_eq(RUN("suggest", "--times", "4"), 0);
    must_hold("no rule");
    ck_assert_int_eq(RUN("stats"), 0);
    must_hold("3 by you");
    must_hold("median time to your verdict: 2.0s");
    ck_assert_int_eq(RUN("stats", "--json"), 0);
    json = json_loads(printed, 0, NULL);
    ck_assert_int_eq(json_integer_value(json_object_get(json, "by_human")), 3);
    json_decref(json);
}
END_TEST

/* The dashboard's palette knows every name: Enter behind one never does what another one does. */
START_TEST(the_palette_has_every_command)
{
    static struct palette palette;
    for (const struct command_spec *command = command_table; command->name; command++) {
        if (command->hidden)
            continue;
        palette_open(&palette);
        line_set(&palette.line, command->name);
        palette_make(&palette);
        ck_assert_msg(palette.count > 0 && palette.chosen, "%s is not there", command->name);
        const struct palette_hit *hit = &palette.hit[0];
        ck_assert_str_eq(hit->name, command->name);
        ck_assert_msg(hit->command != NULL, "%s has no place", command->name);
        if (hit->action != ACTION_NONE)
            ck_assert(hit->help[0]);
        else if (hit->command->shows) /* words that the command line takes */
            ck_assert_int_eq(strncmp(hit->command->shows, command->name, strlen(command->name)), 0);
        else
            ck_assert_msg(strstr(hit->help, "in a shell") && strstr(hit->help, command->name),
                          "%s: %s", command->name, hit->help);
    }
    for (size_t i = 0; i < palette_commands_count; i++) { /* and nothing else under their names */
        char name[40];
        snprintf(name, sizeof(name), "%.*s", (int)strcspn(palette_commands[i].name, " "),
                 palette_commands[i].name);
        ck_assert_msg(command_find(name) || keys_named(name), "%s is no command", name);
    }
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("commands");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_loop_test(tests, wrong_usage, 0, sizeof(wrong) / sizeof(wrong[0]));
    tcase_add_test(tests, without_a_server);
    tcase_add_test(tests, policy_files_are_checked);
    tcase_add_test(tests, the_log_is_shown);
    tcase_add_test(tests, an_edited_log_is_found);
    tcase_add_test(tests, rules_are_proposed);
    tcase_add_test(tests, the_palette_has_every_command);
    return run_suite("commands", tests);
}

#include "mux/policy/proposal.h"

#include <errno.h>
#include <string.h>

#include "tests/unit/policy/scratch.h"
#include "tests/unit/transport/suite.h"

static struct policy current;
static struct accepted *accepted;

static const char user_file[] =
    "egress {\n allow = [a.test, \"@npm\"]\n ask = b.test\n deny = c.test\n"
    " default = ask\n}\nclipboard { default = deny }\n"
    "limits { memory = 1gb; pids = 100; cpus = 0 }\n";

static void setup(void)
{
    scratch_make();
    current = (struct policy){0};
    ck_assert_int_eq(policy_load_text(&current, user_file, strlen(user_file), "user.conf",
                                      POLICY_TRUSTED, NULL, NULL),
                     0);
    ck_assert_int_eq(accepted_open(&accepted, scratch_path("accepted.json"), NULL), 0);
}

static void teardown(void)
{
    policy_free(&current);
    accepted_free(accepted);
    scratch_remove();
}

static void parse(struct proposal *proposal, const char *text)
{
    struct bj_error error = {0};
    ck_assert_msg(proposal_parse(proposal, text, strlen(text), NULL, &error) == 0, "%s",
                  error.text);
    ck_assert_uint_eq(strlen(proposal->hash), 64);
}

static const struct {
    const char *proposed;
    bool widens;
    const char *line; /* NULL: nothing changes */
} table[] = {
    {"egress { allow = a.test }", false, NULL},
    {"egress { allow = \"@npm\"; ask = b.test; deny = c.test; default = ask }", false, NULL},
    {"egress { allow = d.test }", true, "allow egress d.test (no such line now; default ask)"},
    {"egress { allow = \"c.test:443\" }", true,
     "allow egress c.test:443 (no such line now; default ask)"},
    {"egress { allow = \"@pip\" }", true, "allow egress @pip (no such line now; default ask)"},
    {"egress { ask = d.test }", true, "ask egress d.test (no such line now; default ask)"},
    {"egress { allow = b.test }", false, "allow egress b.test (ask now, which stays)"},
    {"egress { allow = c.test }", false, "allow egress c.test (deny now, which stays)"},
    {"egress { deny = a.test }", false, "deny egress a.test (allow now)"},
    {"egress { deny = \"**\" }", false, "deny egress ** (no such line now; default ask)"},
    {"egress { default = allow }", true, "allow egress by default (now: ask)"},
    {"egress { default = deny }", false, "deny egress by default (now: ask)"},
    {"exec { default = ask }", true, "ask exec by default (now: deny)"},
    {"clipboard { allow = write }", true, "allow clipboard write (no such line now; default deny)"},
    {"limits { memory = 2gb }", true, "limit memory 2147483648 (now: 1073741824)"},
    {"limits { memory = 1mb }", false, "limit memory 1048576 (now: 1073741824)"},
    {"limits { memory = 0 }", true, "limit memory no limit (now: 1073741824)"},
    {"limits { cpus = 2 }", false, "limit cpus 2000 (now: no limit)"},
    {"limits { pids = 100; disk = 0 }", false, NULL},
};

START_TEST(difference)
{
    struct proposal proposal;
    struct proposal_line *lines;
    size_t count;
    parse(&proposal, table[_i].proposed);
    ck_assert_int_eq(proposal_diff(&current, &proposal, &lines, &count, NULL), 0);
    ck_assert_uint_eq(count, table[_i].line ? 1 : 0);
    if (count) {
        ck_assert_str_eq(lines[0].text, table[_i].line);
        ck_assert(lines[0].widens == table[_i].widens);
        ck_assert_int_eq(lines[0].line, 1);
    }
    proposal_lines_free(lines, count);
    proposal_free(&proposal);
}
END_TEST

START_TEST(wider_first)
{
    struct proposal proposal;
    struct proposal_line *lines;
    size_t count;
    parse(&proposal, "egress {\n deny = x.test\n allow = y.test\n}\nlimits {\n pids = 200\n}");
    ck_assert_int_eq(proposal_diff(&current, &proposal, &lines, &count, NULL), 0);
    ck_assert_uint_eq(count, 3);
    ck_assert(lines[0].widens && lines[0].line == 3);
    ck_assert(lines[1].widens && lines[1].line == 6);
    ck_assert(!lines[2].widens && lines[2].line == 2);
    proposal_lines_free(lines, count);
    proposal_free(&proposal);
}
END_TEST

START_TEST(names_no_credentials)
{
    struct proposal proposal;
    struct bj_error error = {0};
    static const char text[] =
        "credential c { from = \"env:AWS_KEY\"; hosts = evil.test; header = k }";
    ck_assert_int_eq(proposal_parse(&proposal, text, strlen(text), NULL, &error), -EPERM);
    ck_assert_ptr_nonnull(strstr(error.text, ":1:"));
    proposal_free(&proposal);
}
END_TEST

START_TEST(only_what_was_accepted_counts)
{
    struct proposal one, two;
    struct bj_error error = {0};
    static const char *const texts[] = {"egress { allow = d.test }", "egress { allow = d.test } "};
    parse(&one, texts[0]);
    parse(&two, texts[1]); /* a byte more is another proposal */
    ck_assert_str_ne(one.hash, two.hash);
    ck_assert_int_eq(proposal_load(&current, &one, accepted, "/p", &error), -EPERM);
    ck_assert_int_eq(accepted_add(accepted, "/p", &two, one.hash, 1, &error), -ESTALE);
    ck_assert_int_eq(accepted_add(accepted, "/p", &one, one.hash, 1, &error), 0);
    ck_assert_int_eq(proposal_load(&current, &two, accepted, "/p", &error), -EPERM);
    ck_assert_int_eq(proposal_load(&current, &one, accepted, "/q", &error), -EPERM);
    ck_assert_uint_eq(current.files_count, 1);

    /* kept over a restart */
    accepted_free(accepted);
    ck_assert_int_eq(accepted_open(&accepted, scratch_path("accepted.json"), NULL), 0);
    ck_assert_int_eq(proposal_load(&current, &one, accepted, "/p", &error), 0);
    ck_assert_uint_eq(current.files_count, 2);

    /* the next content takes its place; then nothing is accepted any more */
    ck_assert_int_eq(accepted_add(accepted, "/p", &two, two.hash, 2, &error), 0);
    ck_assert(!accepted_has(accepted, "/p", one.hash));
    ck_assert_int_eq(accepted_remove(accepted, "/p", &error), 0);
    ck_assert_int_eq(accepted_remove(accepted, "/p", &error), -ENOENT);
    ck_assert(!accepted_has(accepted, "/p", two.hash));
    proposal_free(&one);
    proposal_free(&two);
}
END_TEST

START_TEST(damaged_store)
{
    struct accepted *other;
    struct bj_error error = {0};
    scratch_write("x.json", "{\"version\":1,\"projects\":[]}", 0600);
    ck_assert_int_eq(accepted_open(&other, scratch_path("x.json"), &error), -EINVAL);
    scratch_write("x.json", "{\"version\":1}", 0600);
    ck_assert_int_eq(accepted_open(&other, scratch_path("x.json"), &error), -EINVAL);
    scratch_write("x.json", "{", 0600);
    ck_assert_int_eq(accepted_open(&other, scratch_path("x.json"), &error), -EINVAL);
    ck_assert_ptr_nonnull(strstr(error.text, "x.json"));
}
END_TEST

/* The agent owns that directory: nothing in it leads to a file of the host, or blocks. */
START_TEST(reading)
{
    struct proposal proposal;
    struct bj_error error = {0};
    const char *project = scratch_path("project");
    ck_assert_int_eq(proposal_read(&proposal, project, NULL, &error), -ENOENT);
    scratch_write("project/.belljar/policy.conf", "egress { default = ask }", 0600);
    ck_assert_int_eq(proposal_read(&proposal, project, NULL, &error), 0);
    ck_assert_uint_eq(proposal.size, 24);
    proposal_free(&proposal);

    scratch_write("secret", "egress { default = allow }", 0600);
    const char *file = scratch_path("project/.belljar/policy.conf");
    unlink(file);
    ck_assert_int_eq(symlink(scratch_path("secret"), file), 0);
    ck_assert_int_eq(proposal_read(&proposal, project, NULL, &error), -ELOOP);
    ck_assert_ptr_nonnull(strstr(error.text, "symbolic link"));
    unlink(file);
    ck_assert_int_eq(mkfifo(file, 0600), 0);
    ck_assert_int_eq(proposal_read(&proposal, project, NULL, &error), -EINVAL);
    unlink(file);
    ck_assert_int_eq(mkdir(file, 0700), 0);
    ck_assert_int_eq(proposal_read(&proposal, project, NULL, &error), -EINVAL);
    rmdir(file);
    rmdir(scratch_path("project/.belljar"));
    mkdir(scratch_path("elsewhere"), 0700);
    scratch_write("elsewhere/policy.conf", "egress { default = allow }", 0600);
    ck_assert_int_eq(symlink("../elsewhere", scratch_path("project/.belljar")), 0);
    ck_assert_int_eq(proposal_read(&proposal, project, NULL, &error), -ELOOP);

    unlink(scratch_path("project/.belljar"));
    char *big = malloc(PROPOSAL_BYTES_MAX + 2);
    memset(big, ' ', PROPOSAL_BYTES_MAX + 1);
    big[PROPOSAL_BYTES_MAX + 1] = '\0';
    scratch_write("project/.belljar/policy.conf", big, 0600);
    free(big);
    ck_assert_int_eq(proposal_read(&proposal, project, NULL, &error), -EFBIG);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("policy proposals");
    TCase *tests = tcase_create("proposal");
    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_loop_test(tests, difference, 0, (int)(sizeof(table) / sizeof(*table)));
    tcase_add_test(tests, wider_first);
    tcase_add_test(tests, names_no_credentials);
    tcase_add_test(tests, only_what_was_accepted_counts);
    tcase_add_test(tests, damaged_store);
    tcase_add_test(tests, reading);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}

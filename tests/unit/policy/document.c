#include "mux/policy/document.h"

#include <errno.h>
#include <string.h>

#include "tests/unit/policy/scratch.h"
#include "tests/unit/transport/suite.h"

static struct document_node *parse(const char *text)
{
    struct document_node *root;
    struct bj_error error = {0};
    int status = document_parse(text, strlen(text), "f.conf", &root, &error);
    ck_assert_msg(status == 0, "%s", error.text);
    return root;
}

static const struct document_node *child(const struct document_node *node, const char *name)
{
    for (node = node->first; node; node = node->next)
        if (node->name && strcmp(node->name, name) == 0)
            return node;
    ck_abort_msg("no %s", name);
    return NULL;
}

START_TEST(forms)
{
    struct document_node *root = parse("# comment\n"
                                       "a = 1; b: two words ; c three\n"
                                       "/* long\n comment */ section name {\n"
                                       "  list = [ x, \"y z\", 'q#', dist/*.o ] # rest\n"
                                       "  empty = [\n  ]\n"
                                       "  u = \"\\u00e9\\n\\\"\\\\\"\n"
                                       "  glob = dist/** /* said */\n"
                                       "}\n"
                                       "\"quoted name\" = https://h.test/x;");
    ck_assert_str_eq(child(root, "a")->text, "1");
    ck_assert_str_eq(child(root, "b")->text, "two words");
    ck_assert_str_eq(child(root, "c")->text, "three");
    ck_assert_str_eq(child(root, "quoted name")->text, "https://h.test/x");
    const struct document_node *section = child(root, "section");
    ck_assert_str_eq(section->label, "name");
    ck_assert_int_eq(section->line, 4);
    const struct document_node *item = child(section, "list")->first;
    ck_assert_str_eq(item->text, "x");
    ck_assert_str_eq(item->next->text, "y z");
    ck_assert_str_eq(item->next->next->text, "q#");
    ck_assert_str_eq(item->next->next->next->text, "dist/*.o");
    ck_assert_int_eq(item->line, 5);
    ck_assert_ptr_null(child(section, "empty")->first);
    ck_assert_str_eq(child(section, "u")->text, "\xc3\xa9\n\"\\");
    ck_assert_str_eq(child(section, "glob")->text, "dist/**");
    ck_assert_int_eq(child(section, "glob")->line, 9);
    document_free(root);
}
END_TEST

static const struct {
    const char *text, *place;
} wrong[] = {
    {"a = ", "f.conf:1:"},
    {"a\n", "f.conf:1:"},
    {"x = 1\n= 2", "f.conf:2:"},
    {"a {\n b = 1\n", "f.conf:1:"},
    {"a = 1\n}\n", "f.conf:2:"},
    {"a = [ b,\n c\n", "f.conf:1:"},
    {"a = [ b\n {c} ]", "f.conf:2:"},
    {"a = [ [b] ]", "f.conf:1:"},
    {"a = [ \"b\" \"c\" ]", "f.conf:1:"},
    {"\n\na = \"b\n", "f.conf:3:"},
    {"a = 'b", "f.conf:1:"},
    {"a = \"\\x\"", "f.conf:1:"},
    {"a = \"\\u0000\"", "f.conf:1:"},
    {"a = \"\\ud800\"", "f.conf:1:"},
    {"\n.include \"x\"", "f.conf:2:"},
    {"a = $HOME", "f.conf:1:"},
    {"a = <<EOD\nx\nEOD", "f.conf:1:"},
    {"\n/* a", "f.conf:2:"},
    {"a{b{c{d{e{f{g{h{i{}}}}}}}}}", "f.conf:1:"},
    {"a = \"b\" c", "f.conf:1:"},
};

static void check_mistakes(int row)
{
    struct document_node *root;
    struct bj_error error = {0};
    ck_assert_int_eq(
        document_parse(wrong[row].text, strlen(wrong[row].text), "f.conf", &root, &error), -EINVAL);
    ck_assert_msg(strncmp(error.text, wrong[row].place, strlen(wrong[row].place)) == 0, "%s: %s",
                  wrong[row].text, error.text);
    ck_assert_ptr_null(root);
}

START_TEST(mistakes)
{
    for (int row = 0; row < (int)(sizeof(wrong) / sizeof(*wrong)); row++)
        check_mistakes(row);
}
END_TEST

START_TEST(limits)
{
    struct document_node *root;
    struct bj_error error = {0};
    size_t size = DOCUMENT_BYTES_MAX + 1;
    char *text = malloc(size);
    memset(text, 'a', size);
    ck_assert_int_eq(document_parse(text, size, "f", &root, &error), -EFBIG);
    ck_assert_int_eq(document_parse(text, 5000, "f", &root, &error), -EINVAL);
    for (size_t i = 0; i < 200000; i += 4)
        memcpy(text + i, "a=1\n", 4);
    ck_assert_int_eq(document_parse(text, 200000, "f", &root, &error), -EINVAL);
    ck_assert_int_eq(document_parse("a = b\0c", 7, "f", &root, &error), -EINVAL);
    free(text);
}
END_TEST

/* Any bytes: it ends, and says something or gives a tree. */
START_TEST(noise)
{
    static const char alphabet[] = "ab={}[]\"'\\#/*;:,\n .<$\xff\0";
    unsigned seed = 7;
    for (int round = 0; round < 20000; round++) {
        char text[40];
        size_t size = (size_t)(rand_r(&seed) % 40);
        for (size_t i = 0; i < size; i++)
            text[i] = alphabet[rand_r(&seed) % (int)(sizeof(alphabet) - 1)];
        struct document_node *root;
        struct bj_error error = {0};
        int status = document_parse(text, size, "f", &root, &error);
        ck_assert(status == 0 ? root != NULL : (root == NULL && error.text[0]));
        document_free(root);
    }
}
END_TEST

START_TEST(reading)
{
    char *text;
    size_t size;
    struct bj_error error = {0};
    scratch_make();
    scratch_write("x", "a = 1", 0600);
    ck_assert_int_eq(document_read(scratch_path("x"), &text, &size, &error), 0);
    ck_assert_str_eq(text, "a = 1");
    free(text);
    ck_assert_int_eq(document_read(scratch_path("y"), &text, &size, &error), -ENOENT);
    ck_assert_int_eq(document_read(scratch, &text, &size, &error), -EINVAL);
    ck_assert_int_eq(mkfifo(scratch_path("pipe"), 0600), 0);
    ck_assert_int_eq(document_read(scratch_path("pipe"), &text, &size, &error), -EINVAL);
    scratch_remove();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("policy document");
    TCase *tests = tcase_create("document");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, forms);
    tcase_add_test(tests, mistakes);
    tcase_add_test(tests, limits);
    tcase_add_test(tests, noise);
    tcase_add_test(tests, reading);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}

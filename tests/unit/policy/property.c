/* Decisions agree with a slow reference that was written from docs/policy.md, on random policies.
 */
#include "mux/policy/policy.h"

#include <stdio.h>
#include <string.h>

#include "mux/policy/rules.h"
#include "tests/unit/transport/suite.h"

#define ROUNDS 4000
#define LINES  8

struct line {
    char pattern[64];
    int effect; /* enum policy_effect */
    bool rule;
};

static unsigned seed = 5;

static int pick(int below)
{
    return rand_r(&seed) % below;
}

/* A name of labels a and b; with wildcards in front when `pattern`. */
static void make_name(char *out, bool pattern)
{
    static const char *const labels[] = {"a", "b", "x"};
    out[0] = '\0';
    if (pattern && pick(4) == 0)
        strcat(out, "**.");
    while (pattern && pick(3) == 0)
        strcat(out, "*.");
    int count = 1 + pick(3);
    for (int i = 0; i < count; i++)
        strcat(strcat(out, labels[pick(2)]), i + 1 < count ? "." : "");
    if (!pattern || pick(3) == 0)
        strcat(out, pick(2) ? ":443" : ":80");
}

/* Splits "a.b:80" into labels and a port (0: none). */
static int split(const char *text, char labels[16][8], int *port)
{
    int count = 0;
    char copy[64];
    strcpy(copy, text);
    char *colon = strchr(copy, ':');
    *port = colon ? atoi(colon + 1) : 0;
    if (colon)
        *colon = '\0';
    for (char *save, *label = strtok_r(copy, ".", &save); label; label = strtok_r(NULL, ".", &save))
        strcpy(labels[count++], label);
    return count;
}

/* Label by label, from the front, by trying. */
static bool matches(char (*pattern)[8], int patterns, char (*name)[8], int names)
{
    if (patterns == 0)
        return names == 0;
    if (names == 0)
        return false;
    if (strcmp(*pattern, "**") == 0)
        return matches(pattern, patterns, name + 1, names - 1) ||
               matches(pattern + 1, patterns - 1, name + 1, names - 1);
    return (strcmp(*pattern, "*") == 0 || strcmp(*pattern, *name) == 0) &&
           matches(pattern + 1, patterns - 1, name + 1, names - 1);
}

/* How much a pattern says: literal labels, then * labels, then the port; no wildcard at all first.
 */
static long measure(const char *pattern)
{
    char labels[16][8];
    int port, literal = 0, stars = 0;
    int count = split(pattern, labels, &port);
    bool wild = false;
    for (int i = 0; i < count; i++) {
        literal += labels[i][0] != '*';
        stars += strcmp(labels[i], "*") == 0;
        wild = wild || labels[i][0] == '*';
    }
    return (wild ? 0 : 1000000) + literal * 10000 + stars * 100 + (port != 0);
}

static int reference(const struct line *lines, int count, int fallback, const char *subject)
{
    char name[16][8], pattern[16][8];
    int port, wanted, best = 0;
    long most = -1;
    int names = split(subject, name, &port);
    for (int i = 0; i < count; i++) {
        int patterns = split(lines[i].pattern, pattern, &wanted);
        if ((wanted && wanted != port) || !matches(pattern, patterns, name, names))
            continue;
        long here = measure(lines[i].pattern);
        /* deny 4, remembered allow 3, ask 2, allow 1 */
        int strength = lines[i].effect == POLICY_DENY ? 4 : lines[i].rule ? 3 : lines[i].effect;
        if (here > most || (here == most && strength > best)) {
            most = here;
            best = strength;
        }
    }
    static const int effects[] = {0, POLICY_ALLOW, POLICY_ASK, POLICY_ALLOW, POLICY_DENY};
    return most < 0 ? fallback : effects[best];
}

static void build(struct line *lines, int count, int fallback, struct policy *policy,
                  struct rules *rules)
{
    char text[2048] = "egress {\n";
    for (int i = 0; i < count; i++) {
        lines[i].rule = pick(4) == 0;
        lines[i].effect = lines[i].rule ? (pick(2) ? POLICY_ALLOW : POLICY_DENY) : 1 + pick(3);
        make_name(lines[i].pattern, true);
        if (lines[i].rule) {
            struct rule rule;
            ck_assert_int_eq(rule_from_pattern(&rule, POLICY_EGRESS, lines[i].pattern,
                                               (enum policy_effect)lines[i].effect, RULE_ALL, NULL,
                                               1, 0, NULL, NULL),
                             0);
            ck_assert_int_eq(rules_add(rules, &rule, NULL), 0);
        } else {
            snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s = \"%s\"\n",
                     policy_effect_name((enum policy_effect)lines[i].effect), lines[i].pattern);
        }
    }
    snprintf(text + strlen(text), sizeof(text) - strlen(text), "default = %s }",
             policy_effect_name((enum policy_effect)fallback));
    struct bj_error error = {0};
    ck_assert_msg(policy_load_text(policy, text, strlen(text), "p", POLICY_TRUSTED, NULL, &error) ==
                      0,
                  "%s\n%s", error.text, text);
}

START_TEST(agrees)
{
    for (int round = 0; round < ROUNDS; round++) {
        struct line lines[LINES];
        struct policy policy = {0};
        struct rules rules;
        int count = pick(LINES), fallback = 1 + pick(3);
        ck_assert_int_eq(rules_open(&rules, NULL, NULL), 0);
        build(lines, count, fallback, &policy, &rules);
        for (int i = 0; i < 12; i++) {
            char subject[64];
            make_name(subject, false);
            struct policy_query query = {POLICY_EGRESS, subject, strlen(subject), NULL, NULL, 2};
            struct policy_decision decision;
            policy_decide(&policy, &rules, &query, &decision);
            ck_assert_msg((int)decision.effect == reference(lines, count, fallback, subject),
                          "round %d, %s: %s", round, subject, decision.why);
        }
        rules_free(&rules);
        policy_free(&policy);
    }
}
END_TEST

/* A more specific or stricter line more never lets more through by accident: adding a deny line
 * never turns anything into allow. */
START_TEST(denials_only_deny)
{
    for (int round = 0; round < ROUNDS; round++) {
        struct line lines[LINES];
        struct policy policy = {0};
        struct rules rules;
        ck_assert_int_eq(rules_open(&rules, NULL, NULL), 0);
        build(lines, pick(LINES), 1 + pick(3), &policy, &rules);
        char subject[64], pattern[64], more[128];
        make_name(subject, false);
        make_name(pattern, true);
        struct policy_query query = {POLICY_EGRESS, subject, strlen(subject), NULL, NULL, 2};
        struct policy_decision before, after;
        policy_decide(&policy, &rules, &query, &before);
        snprintf(more, sizeof(more), "egress { deny = \"%s\" }", pattern);
        ck_assert_int_eq(
            policy_load_text(&policy, more, strlen(more), "m", POLICY_TRUSTED, NULL, NULL), 0);
        policy_decide(&policy, &rules, &query, &after);
        ck_assert(after.effect == before.effect || after.effect == POLICY_DENY);
        rules_free(&rules);
        policy_free(&policy);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("policy property");
    TCase *tests = tcase_create("property");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, agrees);
    tcase_add_test(tests, denials_only_deny);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}

#include "tui/model/details.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "transport/pack.h"
#include "tui/model/origin.h"
#include "tui/model/text.h"

static const char *const scope_names[SCOPES] = {"sandbox", "project", "all"};

const char *details_scope_name(enum rule_scope scope)
{
    return scope_names[scope];
}

void details_free(struct details *details)
{
    unsigned serial = details->serial;
    free(details->detail);
    *details = (struct details){.serial = serial};
}

bool details_want(struct details *details, const struct details_wish *wish)
{
    const struct details_wish *before = &details->wish;
    bool same = strcmp(before->id, wish->id) == 0;
    if (same && (!wish->id[0] || (before->deny == wish->deny && before->seconds == wish->seconds &&
                                  before->count == wish->count)))
        return false;
    if (!same)
        details_free(details);
    details->wish = *wish;
    details->serial++;
    details->state = wish->id[0] ? DETAILS_LOADING : DETAILS_NONE;
    details->rules_fit = false;
    return true;
}

/* A server that does not say which verdict its sentences are of means an allow for good: then an
 * allow for a shorter time is never wider than what is shown. */
static bool rules_fit(const struct details *details, const msgpack_object *result)
{
    const msgpack_object *answer = bj_get(result, "answer");
    if (!answer)
        return !details->wish.deny;
    return bj_is_str(answer, details->wish.deny ? "deny" : "allow") &&
           bj_get_uint(result, "seconds", UINT64_MAX) == details->wish.seconds;
}

int details_take(struct details *details, unsigned serial, const msgpack_object *result)
{
    if (serial != details->serial || details->state != DETAILS_LOADING ||
        !bj_is_str(bj_get(result, "id"), origin_bare(details->wish.id)))
        return 0;
    char *detail;
    size_t left;
    int status = field_text(result, "detail", DETAILS_DETAIL_MAX, &detail, &left);
    if (status < 0)
        return status;
    free(details->detail);
    details->detail = detail;
    details->detail_left = left;
    field_copy(result, "subject", details->subject, sizeof(details->subject));
    field_copy(result, "where", details->where, sizeof(details->where));
    field_copy(result, "why", details->why, sizeof(details->why));
    field_join(result, "sandboxes", details->sandboxes, sizeof(details->sandboxes));
    const msgpack_object *rules = bj_get(result, "rules");
    for (int scope = 0; scope < SCOPES; scope++)
        field_copy(rules, scope_names[scope], details->rules[scope], DETAILS_RULE_MAX);
    details->rules_fit = rules_fit(details, result);
    details->asked = bj_get_uint(result, "asked", 0);
    details->allowed = bj_get_uint(result, "allowed", 0);
    details->denied = bj_get_uint(result, "denied", 0);
    details->last = bj_get_double(result, "last", 0);
    details->state = DETAILS_READY;
    details->known = true;
    return 0;
}

void details_fail(struct details *details, unsigned serial, const char *why)
{
    if (serial != details->serial || details->state != DETAILS_LOADING)
        return;
    details->state = DETAILS_FAILED;
    text_clean(details->error, sizeof(details->error), why, strlen(why));
}

const char *details_rule(const struct details *details, enum rule_scope scope)
{
    bool known = details->state == DETAILS_READY && details->rules_fit;
    return known && details->rules[scope][0] ? details->rules[scope] : NULL;
}

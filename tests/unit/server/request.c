#include "mux/server/request.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>

#include "tests/unit/server/suite.h"

static struct request_text text(const char *kind, const char *title, const char *detail)
{
    return (struct request_text){.about = -1,
                                 .kind = kind,
                                 .title = title,
                                 .detail = detail,
                                 .kind_size = strlen(kind),
                                 .title_size = strlen(title),
                                 .detail_size = strlen(detail)};
}

static struct asker asker(const char *sandbox, uint64_t number, uint64_t joined)
{
    struct asker asker = {.source = ASKER_HOOK, .number = number, .joined = joined};
    snprintf(asker.sandbox_id, sizeof(asker.sandbox_id), "%s", sandbox);
    return asker;
}

static struct request *open_one(struct requests *requests, const char *sandbox, uint32_t channel,
                                const char *title)
{
    struct request *request = NULL;
    struct request_text what = text("exec", title, "");
    struct asker who = asker(sandbox, channel, 0);
    ck_assert_int_ge(request_open(requests, &what, &who, 1.0, &request, NULL), 0);
    return request;
}

START_TEST(not_before_it_was_shown)
{
    struct requests requests = {0};
    struct request *request = open_one(&requests, "aaaaaaaa", 16, "rm -rf /");
    struct request *out;
    struct bj_error error;
    ck_assert_int_eq(request_resolve(&requests, request->id, 100000, &out, &error), -EAGAIN);
    ck_assert_ptr_null(out);
    ck_assert_ptr_nonnull(strstr(error.text, "not been shown"));
    requests_free(&requests);
}
END_TEST

START_TEST(not_within_300_ms)
{
    struct requests requests = {0};
    struct request *request = open_one(&requests, "aaaaaaaa", 16, "rm -rf /");
    struct request *out;
    struct bj_error error;
    request_shown(request, 1000);
    ck_assert_int_eq(request_resolve(&requests, request->id, 1299, &out, &error), -EAGAIN);
    ck_assert_ptr_nonnull(strstr(error.text, "300 ms"));
    request_shown(request, 1290); /* shown again: the first time counts */
    ck_assert_int_eq(request_resolve(&requests, request->id, 1300, &out, &error), 0);
    ck_assert_ptr_eq(out, request);
    requests_free(&requests);
}
END_TEST

START_TEST(one_verdict)
{
    struct requests requests = {0};
    struct request *request = open_one(&requests, "aaaaaaaa", 16, "make");
    struct request *out;
    struct bj_error error;
    char id[REQUEST_ID_SIZE];
    memcpy(id, request->id, sizeof(id));
    request_shown(request, 0); /* a clock at 0 counts as shown, too */
    ck_assert_int_eq(request_resolve(&requests, id, 1000, &out, &error), 0);
    ck_assert_int_eq(request_resolve(&requests, id, 2000, &out, &error), -EALREADY);
    request_close(&requests, request, "allow");
    ck_assert_int_eq(request_resolve(&requests, id, 3000, &out, &error), -EALREADY);
    ck_assert_ptr_nonnull(strstr(error.text, "allow"));
    ck_assert_uint_eq(requests.count, 0);
    requests_free(&requests);
}
END_TEST

START_TEST(stale_and_unknown)
{
    struct requests requests = {0};
    struct request *request = open_one(&requests, "aaaaaaaa", 16, "make");
    struct request *out;
    struct bj_error error;
    char id[REQUEST_ID_SIZE];
    memcpy(id, request->id, sizeof(id));
    request_close(&requests, request, "gone");
    ck_assert_int_eq(request_resolve(&requests, id, 1, &out, &error), -ENOENT);
    ck_assert_ptr_nonnull(strstr(error.text, "gone"));
    ck_assert_int_eq(request_resolve(&requests, "r7-0000", 1, &out, &error), -ENOENT);
    ck_assert_int_eq(request_resolve(&requests, "", 1, &out, &error), -ENOENT);
    requests_free(&requests);
}
END_TEST

START_TEST(another_text_is_another_request)
{
    struct requests requests = {0};
    struct request *first = open_one(&requests, "aaaaaaaa", 16, "ls");
    request_shown(first, 1000);
    /* Announced again after a reconnect: the same. */
    ck_assert_ptr_eq(open_one(&requests, "aaaaaaaa", 16, "ls"), first);
    ck_assert_uint_eq(requests.count, 1);
    ck_assert_uint_eq(first->count, 1);
    struct request *second = open_one(&requests, "aaaaaaaa", 17, "rm");
    ck_assert_str_ne(second->id, first->id);
    ck_assert_uint_eq(second->shown, 0);
    ck_assert_str_ne(strchr(second->id, '-'), strchr(first->id, '-'));
    ck_assert_uint_eq(request_count(&requests, "aaaaaaaa"), 2);
    requests_free(&requests);
}
END_TEST

START_TEST(equal_questions_are_one)
{
    struct requests requests = {0};
    size_t index;
    struct request *request = open_one(&requests, "aaaaaaaa", 16, "rm");
    ck_assert_ptr_eq(open_one(&requests, "bbbbbbbb", 16, "rm"), request);
    ck_assert_ptr_eq(open_one(&requests, "aaaaaaaa", 18, "rm"), request);
    ck_assert_uint_eq(requests.count, 1);
    ck_assert_uint_eq(request->count, 3);
    ck_assert_uint_eq(request_sandboxes(request), 2);
    ck_assert_uint_eq(request_count(&requests, "bbbbbbbb"), 1);
    ck_assert_ptr_eq(request_of(&requests, "bbbbbbbb", ASKER_HOOK, 16, &index), request);
    ck_assert_ptr_null(request_of(&requests, "bbbbbbbb", ASKER_EGRESS, 16, &index));
    request_leave(&requests, request, index);
    ck_assert(!request_has(request, "bbbbbbbb"));
    ck_assert(request_has(request, "aaaaaaaa"));
    /* What the host holds is never one with what a process inside says. */
    struct request *wall = NULL;
    struct request_text what = text("exec", "rm", "");
    struct asker who = asker("cccccccc", 1, 0);
    what.class = REQUEST_WALL;
    who.source = ASKER_EGRESS;
    ck_assert_int_eq(request_open(&requests, &what, &who, 1, &wall, NULL), 1);
    ck_assert_ptr_ne(wall, request);
    ck_assert_str_ne(strchr(wall->id, '-'), strchr(request->id, '-'));
    requests_free(&requests);
}
END_TEST

START_TEST(nobody_joins_after_the_verdict)
{
    struct requests requests = {0};
    struct request *out, *request = open_one(&requests, "aaaaaaaa", 16, "rm");
    request_shown(request, 1);
    ck_assert_int_eq(request_resolve(&requests, request->id, 1000, &out, NULL), 0);
    ck_assert_ptr_ne(open_one(&requests, "bbbbbbbb", 16, "rm"), request);
    ck_assert_uint_eq(requests.count, 2);
    requests_free(&requests);
}
END_TEST

START_TEST(parts_do_not_run_together)
{
    struct requests requests = {0};
    struct request *a = NULL, *b = NULL;
    struct request_text first = text("exec", "ab", "c"), second = text("exec", "a", "bc");
    struct asker one = asker("aaaaaaaa", 16, 0), other = asker("aaaaaaaa", 17, 0);
    ck_assert_int_eq(request_open(&requests, &first, &one, 1, &a, NULL), 1);
    ck_assert_int_eq(request_open(&requests, &second, &other, 1, &b, NULL), 1);
    ck_assert_str_ne(strchr(a->id, '-'), strchr(b->id, '-'));
    requests_free(&requests);
}
END_TEST

/* A hook's title may be as long as its arguments: what is left out is said. */
START_TEST(long_titles_say_that_they_are_cut)
{
    static char title[5000];
    struct requests requests = {0};
    struct request *request = open_one(&requests, "aaaaaaaa", 16, "short");
    ck_assert(!request->cut);
    memset(title, 'x', sizeof(title) - 1);
    request = open_one(&requests, "aaaaaaaa", 17, title);
    ck_assert(request->cut);
    ck_assert_uint_le(strlen(request->title), 3072);
    ck_assert_str_eq(request->title + strlen(request->title) - 3, "\u2026");
    memset(title, '\x01', 1024); /* three bytes each when it is shown, and all of them */
    title[1024] = '\0';
    request = open_one(&requests, "aaaaaaaa", 18, title);
    ck_assert(!request->cut);
    ck_assert_uint_eq(strlen(request->title), 3072);
    requests_free(&requests);
}
END_TEST

START_TEST(text_is_cleaned)
{
    struct requests requests = {0};
    struct request *request = open_one(&requests, "aaaaaaaa", 16, "a\n\x1b[31mb\xff\xe2\x80\xae");
    ck_assert_str_eq(request->title, "a⏎␛[31mb\xef\xbf\xbd");
    requests_free(&requests);
}
END_TEST

/* A new server hears of them in any order. */
START_TEST(the_oldest_stands_first)
{
    struct requests requests = {0};
    struct request *late = NULL, *early = NULL, *joined = NULL;
    struct request_text one = text("exec", "one", ""), two = text("exec", "two", "");
    struct asker a = asker("aaaaaaaa", 16, 0), b = asker("bbbbbbbb", 16, 0);
    struct asker c = asker("cccccccc", 16, 0);
    ck_assert_int_eq(request_open(&requests, &one, &a, 20, &late, NULL), 1);
    ck_assert_int_eq(request_open(&requests, &two, &b, 10, &early, NULL), 1);
    ck_assert_ptr_eq(requests.list[0], early);
    ck_assert_int_eq(request_open(&requests, &one, &c, 5, &joined, NULL), 0);
    ck_assert_ptr_eq(joined, late);
    ck_assert(late->created == 5 && request_oldest(&requests, "aaaaaaaa") == 5);
    requests_free(&requests);
}
END_TEST

START_TEST(one_sandbox_has_its_share)
{
    struct requests requests = {0};
    struct request *request = NULL;
    for (uint32_t i = 0; i < REQUESTS_OF_ONE; i++) {
        char title[16];
        snprintf(title, sizeof(title), "x%u", i);
        open_one(&requests, "aaaaaaaa", 16 + i, title);
    }
    struct request_text what = text("exec", "x", "");
    struct asker who = asker("aaaaaaaa", 1, 0);
    ck_assert_int_eq(request_open(&requests, &what, &who, 1, &request, NULL), -EAGAIN);
    who = asker("bbbbbbbb", 1, 0);
    ck_assert_int_eq(request_open(&requests, &what, &who, 1, &request, NULL), 1);
    requests_free(&requests);
}
END_TEST

START_TEST(bounded)
{
    struct requests requests = {0};
    for (uint32_t i = 0; i < REQUESTS_MAX; i++) {
        char title[16], sandbox[ID_SIZE];
        snprintf(title, sizeof(title), "x%u", i);
        snprintf(sandbox, sizeof(sandbox), "aaaaaa%02u", i / REQUESTS_OF_ONE);
        open_one(&requests, sandbox, 16 + i, title);
    }
    struct request *request = NULL;
    struct request_text what = text("exec", "x", "");
    struct asker who = asker("bbbbbbbb", 16, 0);
    ck_assert_uint_eq(requests.count, REQUESTS_MAX);
    ck_assert_int_eq(request_open(&requests, &what, &who, 1, &request, NULL), -EAGAIN);
    ck_assert_ptr_null(request);
    what = text("exec", "x7", "");
    ck_assert_int_eq(request_open(&requests, &what, &who, 1, &request, NULL), 0);
    requests_free(&requests);
}
END_TEST

int main(void)
{
    if (sodium_init() < 0)
        return 1;
    const TTest *const cases[] = {not_before_it_was_shown,
                                  not_within_300_ms,
                                  one_verdict,
                                  stale_and_unknown,
                                  another_text_is_another_request,
                                  equal_questions_are_one,
                                  nobody_joins_after_the_verdict,
                                  parts_do_not_run_together,
                                  long_titles_say_that_they_are_cut,
                                  text_is_cleaned,
                                  the_oldest_stands_first,
                                  one_sandbox_has_its_share,
                                  bounded,
                                  NULL};
    return suite_run("request", cases);
}

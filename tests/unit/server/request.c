#include "mux/server/request.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>

#include "tests/unit/server/suite.h"

static struct request_text text(const char *kind, const char *title, const char *detail)
{
    return (struct request_text){kind, title, detail, strlen(kind), strlen(title), strlen(detail)};
}

static struct request *open_one(struct requests *requests, const char *sandbox, uint32_t channel,
                                const char *title)
{
    struct request *request = NULL;
    struct request_text what = text("exec", title, "");
    ck_assert_int_eq(request_open(requests, sandbox, channel, &what, 1.0, &request, NULL), 0);
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
    char id[REQUEST_ID_SIZE];
    memcpy(id, first->id, sizeof(id));
    request_shown(first, 1000);
    /* Announced again after a reconnect: the same. */
    ck_assert_ptr_eq(open_one(&requests, "aaaaaaaa", 16, "ls"), first);
    ck_assert_uint_eq(requests.count, 1);
    struct request *second = open_one(&requests, "aaaaaaaa", 16, "rm");
    ck_assert_str_ne(second->id, id);
    ck_assert_uint_eq(second->shown, 0);
    ck_assert_uint_eq(requests.count, 1);
    struct request *out;
    ck_assert_int_eq(request_resolve(&requests, id, 5000, &out, NULL), -ENOENT);
    /* Another sandbox, or another channel, with the same text is another one, too. */
    struct request *third = open_one(&requests, "bbbbbbbb", 16, "rm");
    struct request *fourth = open_one(&requests, "aaaaaaaa", 17, "rm");
    ck_assert_str_ne(strchr(second->id, '-'), strchr(third->id, '-'));
    ck_assert_str_ne(strchr(second->id, '-'), strchr(fourth->id, '-'));
    ck_assert_uint_eq(request_count(&requests, "aaaaaaaa"), 2);
    requests_free(&requests);
}
END_TEST

START_TEST(parts_do_not_run_together)
{
    struct requests requests = {0};
    struct request *a = NULL, *b = NULL;
    struct request_text first = text("exec", "ab", "c"), second = text("exec", "a", "bc");
    ck_assert_int_eq(request_open(&requests, "aaaaaaaa", 16, &first, 1, &a, NULL), 0);
    char tail[8];
    snprintf(tail, sizeof(tail), "%s", strchr(a->id, '-'));
    ck_assert_int_eq(request_open(&requests, "aaaaaaaa", 16, &second, 1, &b, NULL), 0);
    ck_assert_str_ne(tail, strchr(b->id, '-'));
    requests_free(&requests);
}
END_TEST

START_TEST(text_is_cleaned)
{
    struct requests requests = {0};
    struct request *request = open_one(&requests, "aaaaaaaa", 16, "a\n\x1b[31mb\xff\xe2\x80\xae");
    ck_assert_str_eq(request->title, "a  [31mb\xef\xbf\xbd");
    requests_free(&requests);
}
END_TEST

START_TEST(bounded)
{
    struct requests requests = {0};
    for (uint32_t i = 0; i < REQUESTS_MAX; i++)
        open_one(&requests, "aaaaaaaa", 16 + i, "x");
    struct request *request = NULL;
    struct request_text what = text("exec", "x", "");
    ck_assert_int_eq(request_open(&requests, "bbbbbbbb", 16, &what, 1, &request, NULL), -EAGAIN);
    ck_assert_ptr_null(request);
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
                                  parts_do_not_run_together,
                                  text_is_cleaned,
                                  bounded,
                                  NULL};
    return suite_run("request", cases);
}

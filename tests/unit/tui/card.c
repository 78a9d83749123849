#include "suite.h"

#include <stdio.h>
#include <string.h>

#include "tui/model/card.h"
#include "tui/model/text.h"

#define MANY 20000 /* lines of a detail */

static const struct origin here;
static struct details *details;
static struct request *request;

static void begin(const char *json)
{
    details = calloc(1, sizeof(*details));
    ck_assert_int_eq(request_read(&request, &here, object(json)), 0);
}

static void end(void)
{
    request_free(request);
    details_free(details);
    free(details);
}

static void take(const char *json)
{
    struct details_wish wish = {.count = 1};
    strcpy(wish.id, request->id);
    details_want(details, &wish);
    ck_assert_int_eq(details_take(details, details->serial, object(json)), 0);
}

static bool says(const struct card *card, const char *what)
{
    for (size_t i = 0; i < card->count; i++)
        if (strstr(card->lines[i].text, what))
            return true;
    return false;
}

START_TEST(everything_that_is_known)
{
    struct card card;
    begin("{\"id\": \"r1\", \"sandbox\": \"web\", \"class\": \"wall\", \"kind\": \"egress\", "
          "\"subject\": \"h.example:443\", \"title\": \"connect to h.example:443\", \"risk\": 2, "
          "\"created\": 100, \"why\": \"no line decides\"}");
    ck_assert_int_eq(card_build(&card, request, NULL, 70, 160, false), 0);
    ck_assert(says(&card, "WALL"));
    ck_assert(says(&card, "high risk"));
    ck_assert(says(&card, "waits 1m"));
    ck_assert(says(&card, "your verdict binds"));
    ck_assert(says(&card, "asking the server"));
    card_free(&card);
    take("{\"id\": \"r1\", \"sandboxes\": [\"web\", \"docs\"], \"where\": \"policy.conf:7\", "
         "\"why\": \"line 7 asks\", \"asked\": 3, \"allowed\": 2, \"denied\": 1, \"last\": 100, "
         "\"rules\": {\"sandbox\": \"Allow it here.\", \"all\": \"Allow it.\"}}");
    ck_assert_int_eq(card_build(&card, request, details, 70, 160, false), 0);
    ck_assert(says(&card, "policy.conf:7"));
    ck_assert(says(&card, "line 7 asks"));
    ck_assert(says(&card, "asked 3x: allowed 2x, denied 1x, last 1m ago"));
    ck_assert(says(&card, "Allow it here."));
    ck_assert(says(&card, "cannot be remembered"));
    card_free(&card);
    /* Details of another request are nobody's. */
    strcpy(details->wish.id, "r2");
    ck_assert_int_eq(card_build(&card, request, details, 70, 160, false), 0);
    ck_assert(!says(&card, "policy.conf:7"));
    card_free(&card);
    end();
}
END_TEST

START_TEST(no_line_is_too_wide_and_no_byte_is_lost)
{
    struct card card;
    char json[2000], subject[601];
    for (size_t i = 0; i < 600; i++)
        subject[i] = (char)('a' + i % 26);
    subject[600] = '\0';
    snprintf(json, sizeof(json),
             "{\"id\": \"r1\", \"sandbox\": \"a\", \"subject\": \"%s\", \"title\": \"漢字漢字漢字 "
             "\\u001b[31m\", \"detail\": \"one\\ntwo\"}",
             subject);
    begin(json);
    for (int columns = 20; columns < 100; columns += 7) {
        ck_assert_int_eq(card_build(&card, request, NULL, columns, 0, true), 0);
        char joined[1200] = "";
        for (size_t i = 0; i < card.count; i++) {
            const struct card_line *line = &card.lines[i];
            ck_assert_int_le(line->indent + text_width(line->text), columns);
            ck_assert_ptr_null(strchr(line->text, '\x1b'));
            if (line->style == CARD_SUBJECT)
                strcat(joined, line->text);
        }
        ck_assert_str_eq(joined, subject);
        ck_assert_uint_lt(card.head, card.count);
        card_free(&card);
    }
    end();
}
END_TEST

START_TEST(cuts_are_marked)
{
    struct card card;
    static char json[DETAILS_DETAIL_MAX + 400];
    begin("{\"id\": \"r1\", \"sandbox\": \"a\", \"title\": \"t\"}");
    int size = snprintf(json, sizeof(json), "{\"id\": \"r1\", \"detail\": \"");
    memset(json + size, 'x', DETAILS_DETAIL_MAX + 7);
    strcpy(json + size + DETAILS_DETAIL_MAX + 7, "\"}");
    take(json);
    ck_assert_int_eq(card_build(&card, request, details, 100, 0, false), 0);
    ck_assert(says(&card, "7 bytes more"));
    card_free(&card);
    /* Very many lines end in a mark, too. */
    for (int i = 0; i < MANY; i++)
        memcpy(json + size + 3 * i, "\\nx", 3);
    strcpy(json + size + 3 * MANY, "\"}");
    struct details_wish wish = {.id = "r1", .count = 2};
    details_want(details, &wish);
    ck_assert_int_eq(details_take(details, details->serial, object(json)), 0);
    ck_assert_int_eq(card_build(&card, request, details, 100, 0, false), 0);
    ck_assert_uint_eq(card.count, CARD_LINES_MAX);
    ck_assert_ptr_nonnull(strstr(card.lines[card.count - 1].text, "cut"));
    card_free(&card);
    end();
}
END_TEST

/* What is cut is read to its end before a verdict counts. */
START_TEST(a_cut_request_is_all_head)
{
    struct card card;
    for (int cut = 0; cut < 2; cut++) {
        begin(cut ? "{\"id\": \"r1\", \"sandbox\": \"a\", \"title\": \"t\", \"cut\": true, "
                    "\"detail\": \"one\\ntwo\"}"
                  : "{\"id\": \"r1\", \"sandbox\": \"a\", \"title\": \"t\", "
                    "\"detail\": \"one\\ntwo\"}");
        ck_assert_int_eq(card_build(&card, request, details, 100, 0, false), 0);
        ck_assert((card.head == card.count) == (cut == 1));
        ck_assert(says(&card, "all lines below") == (cut == 1));
        card_free(&card);
        end();
    }
}
END_TEST

SUITE_MAIN("card", a_cut_request_is_all_head, everything_that_is_known,
           no_line_is_too_wide_and_no_byte_is_lost, cuts_are_marked)

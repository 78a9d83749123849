#include "suite.h"

#include <errno.h>

#include "transport/channel.h"

START_TEST(sender_stays_within_credit)
{
    struct bj_sender sender = {.next = 100, .acked = 90, .limit = 150};
    ck_assert_uint_eq(bj_sender_allowed(&sender, 10), 10);
    ck_assert_uint_eq(bj_sender_allowed(&sender, 1000), 50);
    sender.next = 150;
    ck_assert_uint_eq(bj_sender_allowed(&sender, 1000), 0);
    sender.next = 151; /* after a resume the limit may be behind */
    ck_assert_uint_eq(bj_sender_allowed(&sender, 1000), 0);
}
END_TEST

START_TEST(ack_within_what_was_sent)
{
    struct bj_sender sender = {.next = 100, .acked = 90, .limit = 150};
    struct bj_error error = {0};
    ck_assert_int_eq(bj_sender_on_ack(&sender, 89, &error), -EPROTO);
    ck_assert_int_eq(bj_sender_on_ack(&sender, 101, &error), -EPROTO);
    ck_assert_int_eq(bj_sender_on_ack(&sender, UINT64_MAX, NULL), -EPROTO);
    ck_assert_uint_eq(sender.acked, 90);
    ck_assert_int_eq(bj_sender_on_ack(&sender, 90, &error), 0);
    ck_assert_int_eq(bj_sender_on_ack(&sender, 100, &error), 0);
    ck_assert_uint_eq(sender.acked, 100);
}
END_TEST

START_TEST(credit_never_goes_back)
{
    struct bj_sender sender = {.next = 100, .acked = 90, .limit = 150};
    struct bj_error error = {0};
    ck_assert_int_eq(bj_sender_on_credit(&sender, 149, &error), -EPROTO);
    ck_assert(error.text[0]);
    ck_assert_int_eq(bj_sender_on_credit(&sender, 150, &error), 0);
    ck_assert_int_eq(bj_sender_on_credit(&sender, UINT64_MAX, &error), 0);
    ck_assert_uint_eq(bj_sender_allowed(&sender, SIZE_MAX), SIZE_MAX - 100);
}
END_TEST

START_TEST(receiver_takes_only_the_next_bytes)
{
    struct bj_receiver receiver = {.next = 100, .limit = 200, .window = 100};
    struct bj_error error = {0};
    ck_assert_int_eq(bj_receiver_on_data(&receiver, 100, 0, &error), -EPROTO);
    ck_assert_int_eq(bj_receiver_on_data(&receiver, 99, 1, &error), -EPROTO);
    ck_assert_int_eq(bj_receiver_on_data(&receiver, 101, 1, &error), -EPROTO);
    ck_assert_int_eq(bj_receiver_on_data(&receiver, 0, 1, &error), -EPROTO);
    ck_assert_int_eq(bj_receiver_on_data(&receiver, UINT64_MAX, 1, &error), -EPROTO);
    ck_assert_int_eq(bj_receiver_on_data(&receiver, 100, 101, &error), -EPROTO);
    ck_assert_int_eq(bj_receiver_on_data(&receiver, 100, SIZE_MAX, &error), -EPROTO);
    ck_assert_uint_eq(receiver.next, 100);
    ck_assert_int_eq(bj_receiver_on_data(&receiver, 100, 60, &error), 0);
    ck_assert_int_eq(bj_receiver_on_data(&receiver, 100, 60, &error), -EPROTO); /* replayed */
    ck_assert_int_eq(bj_receiver_on_data(&receiver, 160, 40, &error), 0);
    ck_assert_int_eq(bj_receiver_on_data(&receiver, 200, 1, &error), -EPROTO);
    ck_assert_uint_eq(receiver.next, 200);
}
END_TEST

START_TEST(receiver_without_credit)
{
    struct bj_receiver receiver = {.next = 100, .limit = 0, .window = 100};
    ck_assert_int_eq(bj_receiver_on_data(&receiver, 100, 1, NULL), -EPROTO);
}
END_TEST

START_TEST(refill_by_half_windows)
{
    struct bj_receiver receiver = {.next = 0, .limit = 100, .window = 100};
    ck_assert_int_eq(bj_receiver_refill(&receiver, 0), 0);
    ck_assert_int_eq(bj_receiver_refill(&receiver, 49), 0);
    ck_assert_int_eq(bj_receiver_refill(&receiver, 50), 1);
    ck_assert_uint_eq(receiver.limit, 150);
    ck_assert_int_eq(bj_receiver_refill(&receiver, 50), 0);
    ck_assert_int_eq(bj_receiver_refill(&receiver, 10), 0); /* never back */
    ck_assert_uint_eq(receiver.limit, 150);
}
END_TEST

START_TEST(granted_by_hand)
{
    struct bj_receiver receiver = {.next = 0, .limit = 20, .window = 100};
    ck_assert_int_eq(bj_receiver_grant(&receiver, 0, 30), 1);
    ck_assert_uint_eq(receiver.limit, 50);
    ck_assert_int_eq(bj_receiver_grant(&receiver, 10, 1000), 1);
    ck_assert_uint_eq(receiver.limit, 110); /* a window ahead at most */
    ck_assert_int_eq(bj_receiver_grant(&receiver, 0, 1), 0);
    ck_assert_uint_eq(receiver.limit, 110); /* never back */
    ck_assert_int_eq(bj_receiver_grant(&receiver, 50, 0), 0);
    ck_assert_int_eq(bj_receiver_grant(&receiver, UINT64_MAX, UINT64_MAX), 1);
    ck_assert_uint_eq(receiver.limit, UINT64_MAX);
}
END_TEST

START_TEST(offsets_at_the_end_do_not_wrap)
{
    struct bj_receiver receiver = {
        .next = UINT64_MAX - 10, .limit = UINT64_MAX - 100, .window = 1000};
    bj_receiver_refill(&receiver, UINT64_MAX - 10);
    ck_assert_uint_ge(receiver.limit, UINT64_MAX - 100);
    ck_assert_int_eq(bj_receiver_on_data(&receiver, UINT64_MAX - 10, 11, NULL), -EPROTO);
    receiver.limit = UINT64_MAX;
    ck_assert_int_eq(bj_receiver_on_data(&receiver, UINT64_MAX - 10, 11, NULL), -EPROTO);
    ck_assert_int_eq(bj_receiver_on_data(&receiver, UINT64_MAX - 10, 10, NULL), 0);
    ck_assert_int_eq(bj_receiver_refill(&receiver, UINT64_MAX), 0);
    ck_assert_uint_eq(receiver.limit, UINT64_MAX);
}
END_TEST

/* A sender and a receiver that talk only through these functions always agree, and what is under
 * way never exceeds the window. */
START_TEST(both_ends_agree)
{
    struct bj_receiver receiver = {.limit = 1000, .window = 1000};
    struct bj_sender sender = {.limit = 1000};
    unsigned seed = 7;
    while (sender.next < 1000000) {
        size_t part = bj_sender_allowed(&sender, 1 + (size_t)(rand_r(&seed) % 400));
        if (part > 0) {
            ck_assert_int_eq(bj_receiver_on_data(&receiver, sender.next, part, NULL), 0);
            sender.next += part;
        }
        if (bj_receiver_refill(&receiver, receiver.next))
            ck_assert_int_eq(bj_sender_on_credit(&sender, receiver.limit, NULL), 0);
        if (rand_r(&seed) % 4 == 0)
            ck_assert_int_eq(bj_sender_on_ack(&sender, receiver.next, NULL), 0);
        ck_assert_uint_le(sender.next, receiver.next + receiver.window);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("channel");
    TCase *cases = tcase_create("channel");
    tcase_add_test(cases, sender_stays_within_credit);
    tcase_add_test(cases, ack_within_what_was_sent);
    tcase_add_test(cases, credit_never_goes_back);
    tcase_add_test(cases, receiver_takes_only_the_next_bytes);
    tcase_add_test(cases, receiver_without_credit);
    tcase_add_test(cases, refill_by_half_windows);
    tcase_add_test(cases, granted_by_hand);
    tcase_add_test(cases, offsets_at_the_end_do_not_wrap);
    tcase_add_test(cases, both_ends_agree);
    suite_add_tcase(suite, cases);
    return suite_run(suite);
}

/* What a sandbox's proxy tells of bytes, over hosts that come back and proxies that do. */
#include "mux/server/traffic.h"
#include "suite.h"

#define MINUTE 60000U

static struct traffic traffic;

static struct traffic_host *count(uint64_t serial, uint64_t in, uint64_t out, uint64_t now)
{
    struct traffic_host *host = traffic_host(&traffic, "good.example", 443);
    traffic_count(&traffic, host, serial, in, out, now);
    return host;
}

/* The proxy forgets a host that nobody speaks to, and counts from zero when somebody does again. */
START_TEST(a_host_that_comes_back_goes_on)
{
    traffic_restart(&traffic);
    count(1, 900, 10, MINUTE);
    struct traffic_host *host = count(2, 100, 5, 2 * MINUTE);
    ck_assert_uint_eq(host->in, 1000);
    ck_assert_uint_eq(host->out, 15);
    host = count(2, 300, 5, 3 * MINUTE);
    ck_assert_uint_eq(host->in, 1200);
    traffic_restart(&traffic); /* another proxy, whose serials are the same */
    host = count(2, 50, 0, 4 * MINUTE);
    ck_assert_uint_eq(host->in, 1250);
    traffic_free(&traffic);
}
END_TEST

START_TEST(the_hour_is_of_all_hosts)
{
    traffic_restart(&traffic);
    traffic_total(&traffic, 1000, MINUTE);
    traffic_total(&traffic, 1500, 30 * MINUTE);
    ck_assert_uint_eq(traffic_hour(&traffic, 31 * MINUTE), 1500);
    traffic_restart(&traffic);
    traffic_total(&traffic, 200, 32 * MINUTE);
    ck_assert_uint_eq(traffic_hour(&traffic, 33 * MINUTE), 1700);
    traffic_rejoin(&traffic); /* the same proxy, whose connection broke */
    traffic_total(&traffic, 300, 34 * MINUTE);
    ck_assert_uint_eq(traffic_hour(&traffic, 35 * MINUTE), 1800);
    ck_assert_uint_eq(traffic_hour(&traffic, 62 * MINUTE), 800); /* the first is too long ago */
    traffic_free(&traffic);
}
END_TEST

START_TEST(an_older_proxys_past_is_not_of_this_hour)
{
    traffic_rejoin(&traffic);
    traffic_total(&traffic, 5000, MINUTE);
    ck_assert_uint_eq(traffic_hour(&traffic, MINUTE), 0);
    traffic_total(&traffic, 5100, MINUTE);
    ck_assert_uint_eq(traffic_hour(&traffic, MINUTE), 100);
    traffic_free(&traffic);
}
END_TEST

START_TEST(a_minute_has_its_limit)
{
    struct traffic_window window = {0};
    for (int i = 0; i < 5; i++)
        ck_assert(traffic_within(&window, 5, 7 * MINUTE + i));
    ck_assert(!traffic_within(&window, 5, 7 * MINUTE + 59999));
    ck_assert(traffic_within(&window, 5, 8 * MINUTE));
}
END_TEST

int main(void)
{
    const TTest *const cases[] = {a_host_that_comes_back_goes_on, the_hour_is_of_all_hosts,
                                  an_older_proxys_past_is_not_of_this_hour, a_minute_has_its_limit,
                                  NULL};
    return suite_run("traffic", cases);
}

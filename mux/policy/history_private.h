/*
 * What history.c notes beside the requests; for stats.c.
 */
#pragma once

enum history_span_kind { SPAN_SANDBOX = 1, SPAN_CLIENT };

struct history_span {
    enum history_span_kind kind;
    char *who;
    double begin, end; /* unix seconds; end negative: not over */
};

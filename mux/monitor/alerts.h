/*
 * Alerts on their way to the server: rate-limited per kind, and kept (the newest ALERTS_KEPT) while
 * no server is connected.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ALERTS_KEPT  64U
#define ALERTS_KINDS 16U

struct alert {
    char severity[12];
    char kind[24];
    char text[256];
};

/* Tokens come back with time; nobody needs to run a timer. */
struct bucket {
    double tokens;
    uint64_t at; /* milliseconds */
};

struct alerts {
    struct alert kept[ALERTS_KEPT];
    size_t kept_count;
    struct {
        char kind[24];
        struct bucket bucket;
    } kinds[ALERTS_KINDS];
};

/* Takes one token of at most `burst`, of which `per_second` come back. */
bool bucket_take(struct bucket *bucket, double burst, double per_second, uint64_t now_ms);

/* Whether an alert of this kind may go out now. */
bool alerts_allow(struct alerts *alerts, const char *kind, uint64_t now_ms);

/* Keeps an alert for later; the oldest goes when there are too many. */
void alerts_keep(struct alerts *alerts, const struct alert *alert);

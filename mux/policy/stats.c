#include <stdlib.h>

#include "mux/policy/history.h"
#include "mux/policy/history_private.h"

#define HOUR 3600.0

static int compare_doubles(const void *one, const void *other)
{
    double a = *(const double *)one, b = *(const double *)other;
    return a < b ? -1 : a > b;
}

static double end_of(const struct history_span *span, double now)
{
    double end = span->end >= 0 ? span->end : now;
    return end > span->begin ? end : span->begin;
}

static double sandbox_seconds(const struct history *history, double now)
{
    double sum = 0;
    for (size_t i = 0; i < history->spans_count; i++)
        if (history->spans[i].kind == SPAN_SANDBOX)
            sum += end_of(&history->spans[i], now) - history->spans[i].begin;
    return sum;
}

/* One human looks through several clients at once, so overlaps count once. Spans stand in the order
 * of their beginnings, as the log does. */
static double human_seconds(const struct history *history, double now)
{
    double sum = 0, until = 0;
    for (size_t i = 0; i < history->spans_count; i++) {
        const struct history_span *span = &history->spans[i];
        if (span->kind != SPAN_CLIENT)
            continue;
        double begin = span->begin > until ? span->begin : until, end = end_of(span, now);
        if (end > begin) {
            sum += end - begin;
            until = end;
        }
    }
    return sum;
}

static double median(double *values, size_t count)
{
    if (count == 0)
        return -1;
    qsort(values, count, sizeof(*values), compare_doubles);
    return count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

void history_stats(const struct history *history, double now, struct policy_stats *stats)
{
    *stats = (struct policy_stats){.requests = history->count, .median_seconds = -1};
    double *waited = calloc(history->count ? history->count : 1, sizeof(*waited));
    for (size_t i = 0; i < history->count; i++) {
        const struct history_request *request = &history->requests[i];
        if (!request->answer) {
            stats->unanswered++;
        } else if (request->by_human) {
            if (waited)
                waited[stats->by_human] = request->waited;
            stats->by_human++;
        } else {
            stats->by_rule++;
        }
    }
    if (waited)
        stats->median_seconds = median(waited, stats->by_human);
    free(waited);
    stats->sandbox_hours = sandbox_seconds(history, now) / HOUR;
    stats->human_hours = human_seconds(history, now) / HOUR;
    size_t asked = stats->by_human + stats->unanswered;
    if (stats->sandbox_hours > 0)
        stats->per_sandbox_hour = (double)asked / stats->sandbox_hours;
    if (stats->human_hours > 0)
        stats->per_human_hour = (double)asked / stats->human_hours;
    if (stats->by_human + stats->by_rule > 0)
        stats->share_by_rule = (double)stats->by_rule / (double)(stats->by_human + stats->by_rule);
}

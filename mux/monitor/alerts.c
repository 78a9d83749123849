#include "mux/monitor/alerts.h"

#include <stdio.h>
#include <string.h>

#define BURST      5.0
#define PER_SECOND 0.2

bool bucket_take(struct bucket *bucket, double burst, double per_second, uint64_t now_ms)
{
    if (bucket->at == 0)
        bucket->tokens = burst;
    else
        bucket->tokens += (double)(now_ms - bucket->at) / 1000.0 * per_second;
    if (bucket->tokens > burst)
        bucket->tokens = burst;
    bucket->at = now_ms ? now_ms : 1;
    if (bucket->tokens < 1.0)
        return false;
    bucket->tokens -= 1.0;
    return true;
}

bool alerts_allow(struct alerts *alerts, const char *kind, uint64_t now_ms)
{
    for (size_t i = 0; i < ALERTS_KINDS; i++) {
        if (!alerts->kinds[i].kind[0])
            snprintf(alerts->kinds[i].kind, sizeof(alerts->kinds[i].kind), "%s", kind);
        if (strcmp(alerts->kinds[i].kind, kind) == 0)
            return bucket_take(&alerts->kinds[i].bucket, BURST, PER_SECOND, now_ms);
    }
    return false;
}

void alerts_keep(struct alerts *alerts, const struct alert *alert)
{
    if (alerts->kept_count == ALERTS_KEPT) {
        memmove(alerts->kept, alerts->kept + 1, (ALERTS_KEPT - 1) * sizeof(alerts->kept[0]));
        alerts->kept_count--;
    }
    alerts->kept[alerts->kept_count++] = *alert;
}

#include "tui/model/format.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void format_bytes(char out[FORMAT_MAX], uint64_t bytes)
{
    static const char units[] = "BKMGTPE";
    if (bytes == FIGURE_UNKNOWN) {
        strcpy(out, "-");
        return;
    }
    double value = (double)bytes;
    int unit = 0;
    while (value >= 999.5 && unit < 6) {
        value /= 1024;
        unit++;
    }
    if (unit > 0 && value < 9.95)
        snprintf(out, FORMAT_MAX, "%.1f%c", value, units[unit]);
    else
        snprintf(out, FORMAT_MAX, "%.0f%c", value, units[unit]);
}

void format_percent(char out[FORMAT_MAX], double percent)
{
    if (!(percent >= 0)) /* also what is not a number */
        strcpy(out, "-");
    else if (percent < 9999.5)
        snprintf(out, FORMAT_MAX, "%.0f%%", percent);
    else if (percent < 999500)
        snprintf(out, FORMAT_MAX, "%.0fk%%", percent / 1000);
    else
        strcpy(out, ">1M%");
}

void format_age(char out[FORMAT_MAX], double seconds)
{
    uint64_t whole = seconds > 0 && seconds < 1e12 ? (uint64_t)seconds : 0;
    if (whole < 60)
        snprintf(out, FORMAT_MAX, "%" PRIu64 "s", whole);
    else if (whole < 3600)
        snprintf(out, FORMAT_MAX, "%" PRIu64 "m", whole / 60);
    else if (whole < 86400)
        snprintf(out, FORMAT_MAX, "%" PRIu64 "h%02" PRIu64, whole / 3600, whole / 60 % 60);
    else if (whole < UINT64_C(86400) * 9999)
        snprintf(out, FORMAT_MAX, "%" PRIu64 "d", whole / 86400);
    else
        strcpy(out, ">9kd");
}

void format_count(char out[FORMAT_MAX], uint64_t count)
{
    if (count == FIGURE_UNKNOWN)
        strcpy(out, "-");
    else if (count < 10000)
        snprintf(out, FORMAT_MAX, "%" PRIu64, count);
    else if (count < 1000000)
        snprintf(out, FORMAT_MAX, "%" PRIu64 "k", count / 1000);
    else
        strcpy(out, ">1M");
}

void format_graph(char *out, const float *shares, int count, bool ascii)
{
    static const char *const blocks[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    static const char *const plain[] = {"_", ".", ".", "-", "-", "=", "=", "#"};
    char *at = out;
    for (int i = 0; i < count; i++) {
        const char *step = " ";
        if (shares[i] >= 0) {
            int level = shares[i] >= 1 ? 7 : (int)(shares[i] * 8);
            step = (ascii ? plain : blocks)[level];
        }
        size_t size = strlen(step);
        memcpy(at, step, size);
        at += size;
    }
    *at = '\0';
}

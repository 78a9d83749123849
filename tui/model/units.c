#include "tui/model/units.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

struct unit {
    const char *name;
    uint64_t factor;
};

static const struct unit size_units[] = {
    {"", 1},
    {"B", 1},
    {"K", UINT64_C(1) << 10},
    {"KB", UINT64_C(1) << 10},
    {"KiB", UINT64_C(1) << 10},
    {"M", UINT64_C(1) << 20},
    {"MB", UINT64_C(1) << 20},
    {"MiB", UINT64_C(1) << 20},
    {"G", UINT64_C(1) << 30},
    {"GB", UINT64_C(1) << 30},
    {"GiB", UINT64_C(1) << 30},
    {"T", UINT64_C(1) << 40},
    {"TB", UINT64_C(1) << 40},
    {"TiB", UINT64_C(1) << 40},
    {NULL, 0},
};

static const struct unit duration_units[] = {
    {"", 1000},         {"ms", 1},      {"s", 1000},     {"m", 60 * 1000},
    {"min", 60 * 1000}, {"h", 3600000}, {"d", 86400000}, {NULL, 0},
};

static const struct unit no_units[] = {{"", 1}, {NULL, 0}};
static const struct unit milli_units[] = {{"", 1000}, {NULL, 0}};

/* Reads digits[.digits]unit without floating point, so that no size is rounded. */
static int read_number(const char *text, const struct unit *units, bool fraction, uint64_t limit,
                       uint64_t *result)
{
    uint64_t whole = 0, part = 0, scale = 1;
    const char *at = text;
    if (*at < '0' || *at > '9')
        return -EINVAL;
    for (; *at >= '0' && *at <= '9'; at++)
        if (__builtin_mul_overflow(whole, 10, &whole) ||
            __builtin_add_overflow(whole, (uint64_t)(*at - '0'), &whole))
            return -ERANGE;
    if (*at == '.' && fraction) {
        at++;
        if (*at < '0' || *at > '9')
            return -EINVAL;
        for (; *at >= '0' && *at <= '9'; at++)
            if (scale < 1000000) { /* further digits are below every unit that people mean */
                part = part * 10 + (uint64_t)(*at - '0');
                scale *= 10;
            }
    }
    for (; units->name; units++) {
        if (strcasecmp(units->name, at) != 0)
            continue;
        uint64_t value;
        if (__builtin_mul_overflow(whole, units->factor, &value))
            return -ERANGE;
        uint64_t rest = part * units->factor / scale; /* below 10^6 * 2^40: fits */
        if (__builtin_add_overflow(value, rest, &value) || value > limit)
            return -ERANGE;
        *result = value;
        return 0;
    }
    return -EINVAL;
}

int unit_size(const char *text, uint64_t limit, uint64_t *bytes, struct bj_error *error)
{
    int status = read_number(text, size_units, true, limit, bytes);
    if (status == -EINVAL)
        return bj_fail(error, status, "'%.64s' is not a size: write 512M, 1.5G or bytes", text);
    if (status == -ERANGE)
        return bj_fail(error, status, "'%.64s' is too large: at most %" PRIu64 " bytes", text,
                       limit);
    return 0;
}

int unit_count(const char *text, uint64_t limit, uint64_t *count, struct bj_error *error)
{
    int status = read_number(text, no_units, false, limit, count);
    if (status == -EINVAL)
        return bj_fail(error, status, "'%.64s' is not a whole number", text);
    if (status == -ERANGE)
        return bj_fail(error, status, "'%.64s' is too large: at most %" PRIu64, text, limit);
    return 0;
}

int unit_milli(const char *text, uint64_t limit, uint64_t *thousandths, struct bj_error *error)
{
    int status = read_number(text, milli_units, true, limit, thousandths);
    if (status == -EINVAL)
        return bj_fail(error, status, "'%.64s' is not a number: write 2 or 0.5", text);
    if (status == -ERANGE)
        return bj_fail(error, status, "'%.64s' is too large: at most %" PRIu64, text, limit / 1000);
    return 0;
}

int unit_duration(const char *text, uint64_t limit, uint64_t *milliseconds, struct bj_error *error)
{
    int status = read_number(text, duration_units, true, limit, milliseconds);
    if (status == -EINVAL)
        return bj_fail(error, status, "'%.64s' is not a duration: write 30s, 5m, 1.5h or 250ms",
                       text);
    if (status == -ERANGE)
        return bj_fail(error, status, "'%.64s' is too long: at most %" PRIu64 " seconds", text,
                       limit / 1000);
    return 0;
}

void unit_size_text(uint64_t bytes, char out[UNIT_TEXT_MAX])
{
    static const char letters[] = "BKMGTPE";
    size_t unit = 0;
    uint64_t tenths = bytes > UINT64_MAX / 10 ? UINT64_MAX : bytes * 10;
    while (tenths >= 10240 && unit + 1 < sizeof(letters) - 1) {
        tenths /= 1024;
        unit++;
    }
    if (unit == 0 || tenths >= 100)
        snprintf(out, UNIT_TEXT_MAX, "%" PRIu64 "%c", tenths / 10, letters[unit]);
    else
        snprintf(out, UNIT_TEXT_MAX, "%" PRIu64 ".%" PRIu64 "%c", tenths / 10, tenths % 10,
                 letters[unit]);
}

void unit_age_text(uint64_t seconds, char out[UNIT_TEXT_MAX])
{
    uint64_t minutes = seconds / 60, hours = minutes / 60, days = hours / 24;
    if (seconds < 60)
        snprintf(out, UNIT_TEXT_MAX, "%" PRIu64 "s", seconds);
    else if (minutes < 60)
        snprintf(out, UNIT_TEXT_MAX, "%" PRIu64 "m", minutes);
    else if (hours < 24)
        snprintf(out, UNIT_TEXT_MAX, "%" PRIu64 "h%02" PRIu64 "m", hours, minutes % 60);
    else
        snprintf(out, UNIT_TEXT_MAX, "%" PRIu64 "d", days > 99999 ? 99999 : days);
}

#include "mux/policy/units.h"

#include <ctype.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

struct unit {
    const char *name;
    uint64_t factor;
};

static const struct unit sizes[] = {
    {"", 1},
    {"k", 1000ULL},
    {"m", 1000ULL * 1000},
    {"g", 1000ULL * 1000 * 1000},
    {"t", 1000ULL * 1000 * 1000 * 1000},
    {"kb", 1ULL << 10},
    {"mb", 1ULL << 20},
    {"gb", 1ULL << 30},
    {"tb", 1ULL << 40},
    {NULL, 0},
};

static const struct unit durations[] = {
    {"ms", 1},
    {"s", 1000},
    {"min", 60ULL * 1000},
    {"h", 3600ULL * 1000},
    {"d", 24 * 3600ULL * 1000},
    {"w", 7 * 24 * 3600ULL * 1000},
    {NULL, 0},
};

static const struct unit thousandths[] = {{"", 1000}, {NULL, 0}};
static const struct unit counts[] = {{"", 1}, {NULL, 0}};

/* A decimal number of thousandths, so that 1.5gb needs no floating point. */
static const char *read_number(const char *text, uint64_t *value)
{
    uint64_t number = 0;
    const char *at = text;
    for (; isdigit((unsigned char)*at); at++) {
        if (number > UINT64_MAX / 100000)
            return NULL;
        number = number * 10 + (uint64_t)(*at - '0');
    }
    if (at == text)
        return NULL;
    number *= 1000;
    if (*at == '.') {
        uint64_t place = 100;
        for (at++; isdigit((unsigned char)*at); at++, place /= 10) {
            if (place == 0)
                return NULL;
            number += place * (uint64_t)(*at - '0');
        }
    }
    *value = number;
    return at;
}

static int read_with(const char *text, const struct unit *units, const char *right, uint64_t *value,
                     struct bj_error *error)
{
    uint64_t number = 0;
    const char *at = read_number(text, &number);
    while (at && *at == ' ')
        at++;
    for (const struct unit *unit = units; at && unit->name; unit++) {
        if (strcasecmp(at, unit->name) != 0)
            continue;
        if (number > UINT64_MAX / unit->factor)
            break;
        if ((number * unit->factor) % 1000 != 0 && unit->factor == 1)
            break; /* half a process, half a byte */
        *value = number * unit->factor / 1000;
        return 0;
    }
    if (at && number == 0 && *at == '\0') {
        *value = 0;
        return 0;
    }
    return bj_fail(error, -EINVAL, "\"%.64s\" is not right: write %s", text, right);
}

int units_size(const char *text, uint64_t *bytes, struct bj_error *error)
{
    return read_with(text, sizes, "a size such as 512mb, 4gb, or 0 for no limit", bytes, error);
}

int units_duration(const char *text, uint64_t *milliseconds, struct bj_error *error)
{
    return read_with(text, durations, "a duration such as 90s, 30min, 8h, 7d, or 0 for no limit",
                     milliseconds, error);
}

int units_thousandths(const char *text, uint64_t *value, struct bj_error *error)
{
    return read_with(text, thousandths, "a number such as 2 or 1.5, or 0 for no limit", value,
                     error);
}

int units_count(const char *text, uint64_t *value, struct bj_error *error)
{
    return read_with(text, counts, "a whole number such as 512, or 0 for no limit", value, error);
}

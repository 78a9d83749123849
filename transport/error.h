/*
 * Errors: one code for programs, one sentence for people.
 *
 * Every function that can fail returns 0 or a negative errno value and, when the caller passed a
 * struct bj_error, fills it with one sentence a user can act on: what failed, why, what to do.
 * The struct is owned by the caller, holds no pointers and may be passed as NULL.
 */
#pragma once

#define BJ_ERROR_TEXT_MAX 512 /* bytes, with the final NUL; longer sentences are cut */

struct bj_error {
    int code; /* negative errno value, 0 when nothing failed */
    char text[BJ_ERROR_TEXT_MAX];
};

/* Records a failure and returns `code` (negative), so that callers write `return bj_fail(...)`. */
int bj_fail(struct bj_error *error, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Puts "prefix: " in front of a sentence that is already there. Returns error->code, or -EIO when
 * `error` is NULL and so nobody knows the code. */
int bj_fail_prefix(struct bj_error *error, const char *prefix);

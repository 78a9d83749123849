/*
 * The form of a new sandbox: one line per choice, as `belljar run` has options.
 *
 * An empty line means the default. The form remembers nothing by itself: form_write() and
 * form_read() turn the choices that are worth keeping (all but the name) into text and back, and
 * form_like() fills it from a sandbox that is there.
 */
#pragma once

#include "tui/model/fleet.h"
#include "tui/model/line.h"

enum form_field {
    FORM_COMMAND,
    FORM_AGENT,
    FORM_PROMPT,
    FORM_ACP,
    FORM_PROJECT,
    FORM_NAME,
    FORM_WALL,
    FORM_MEMORY,
    FORM_CPUS,
    FORM_PIDS,
    FORM_DISK,
    FORM_EGRESS,
    FORM_CLOCK,
    FORM_POLICY,
    FORM_ENV,
    FORM_RECORD,
};
#define FORM_FIELDS 16

struct form {
    bool open;
    enum form_field at;
    struct line line[FORM_FIELDS];
    char hint[256]; /* what a path could go on with, or what is wrong */
    bool bad;
    bool refused; /* what it asked for last was; it opens as it was */
    /* Of another one like a sandbox: its id and name, what was shown of it, and the choices of a
     * new one, which come back with the next form_open(). */
    char like[FLEET_ID_MAX], like_name[FLEET_SHOWN_MAX];
    char variables[FLEET_TITLE_MAX]; /* names of those that it has */
    struct line shown[FORM_FIELDS], own[FORM_FIELDS];
};

/* What it asks for, by field. Texts point into the form or into what is kept here. */
struct form_request {
    struct words words, variables;
    const char *argv[LINE_WORDS_MAX + 4];
    size_t argc;
    bool has_argv;
    char agent[LINE_MAX_BYTES + 8]; /* the profile that speaks the Agent Client Protocol */
    const char *text[FORM_FIELDS];  /* NULL: not given */
    bool has[FORM_FIELDS];
    uint64_t number[FORM_FIELDS];     /* bytes; CPUs in 1/1000; seconds; recording 0: nothing */
    const char *like;                 /* the sandbox whose own is what is not given, or NULL */
    const char *without[FORM_FIELDS]; /* parameters in which it shall not be like that one */
    size_t without_count;
};

const char *form_label(enum form_field field);
/* What belongs into the line where the cursor is, in one sentence. */
void form_help(const struct form *form, char *out, size_t size);
const char *form_param(enum form_field field); /* of sandbox.run */
bool form_completes(enum form_field field);

enum form_outcome { FORM_STAYS, FORM_LEAVES, FORM_SUBMITS, FORM_COMPLETES };
enum form_outcome form_key(struct form *form, const struct chord *chord);
void form_paste(struct form *form, const char *text, size_t size);

/* What it asked for was refused, for this reason: nothing that was typed is lost. */
void form_refuse(struct form *form, const char *why);

/* -EINVAL with a sentence, and the cursor in the line that is wrong. */
int form_check(struct form *form, struct form_request *request, struct bj_error *error);

/* Opens it for another sandbox like this one, under a name that the fleet does not have: it shows
 * how that was run, and asks only for what the human changes. -ENOTSUP for one on another host. */
int form_like(struct form *form, const struct sandbox *sandbox, const struct fleet *fleet,
              struct bj_error *error);
void form_open(struct form *form);

#define FORM_TEXT_MAX (FORM_FIELDS * (LINE_MAX_BYTES + 16))
void form_write(const struct form *form, char out[FORM_TEXT_MAX]);
void form_read(struct form *form, const char *text); /* unknown lines are left out */

/* A word as line_split() reads it back. Returns its length, or `size` when it does not fit. */
size_t form_quote(char *out, size_t size, const char *word, size_t word_size);

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mux/policy/history.h"

#define TIMES_DEFAULT    2
#define SUBJECTS_DEFAULT 3
#define SUBJECTS_MAX     2000 /* different ones looked at, the most recent */
#define LABELS_MIN       2    /* of a name behind a wildcard */

/* One subject that humans were asked about. */
struct asked {
    struct policy_subject *subject;
    const char *project;       /* NULL: none, or several */
    bool several;              /* of several projects */
    enum policy_effect answer; /* 0: both ways */
    size_t times;
    bool covered;
};

struct proposal_rule {
    char *pattern;
    enum policy_kind kind;
    enum policy_effect effect;
    bool wide;   /* matches more than one subject */
    size_t gain; /* past requests it answers, or more; SIZE_MAX: not measured yet */
};

struct work {
    struct asked *list;
    size_t count, room;
    size_t subjects_min;
    struct proposal_rule *candidates;
    size_t candidates_count, candidates_room;
};

static int compare_times(const void *one, const void *other)
{
    const struct asked *a = one, *b = other;
    if (a->times != b->times)
        return a->times > b->times ? -1 : 1;
    return strcmp(a->subject->text, b->subject->text);
}

/* Gathering ------------------------------------------------------------------------------------ */

static struct asked *find_asked(struct work *work, const struct policy_subject *subject)
{
    for (size_t i = 0; i < work->count; i++)
        if (work->list[i].subject->kind == subject->kind &&
            strcmp(work->list[i].subject->text, subject->text) == 0)
            return &work->list[i];
    return NULL;
}

static bool same_project(const char *one, const char *other)
{
    return (!one && !other) || (one && other && strcmp(one, other) == 0);
}

static void count_again(struct asked *asked, const struct history_request *request)
{
    asked->times++;
    if (asked->answer != request->answer)
        asked->answer = 0;
    if (!same_project(asked->project, request->project))
        asked->several = true;
}

static int gather(struct work *work, const struct history_request *request,
                  struct policy_subject *scratch)
{
    if (!request->by_human || !request->answer)
        return 0;
    if (policy_subject_parse(scratch, request->kind, request->subject, strlen(request->subject),
                             NULL) < 0)
        return 0;
    struct asked *asked = find_asked(work, scratch);
    if (asked) {
        count_again(asked, request);
        return 0;
    }
    if (work->count == SUBJECTS_MAX)
        return 0;
    struct policy_subject *kept = malloc(sizeof(*kept));
    if (!kept)
        return -ENOMEM;
    *kept = *scratch;
    asked = &work->list[work->count++];
    asked->subject = kept;
    asked->project = request->project;
    asked->answer = request->answer;
    asked->times = 1;
    return 0;
}

/* Candidates ----------------------------------------------------------------------------------- */

static int add_candidate(struct work *work, const struct asked *asked, const char *pattern,
                         bool wide)
{
    enum policy_kind kind = asked->subject->kind;
    enum policy_effect effect = asked->answer;
    for (size_t i = 0; i < work->candidates_count; i++)
        if (work->candidates[i].kind == kind && work->candidates[i].effect == effect &&
            strcmp(work->candidates[i].pattern, pattern) == 0)
            return 0;
    if (work->candidates_count == work->candidates_room) {
        size_t room = work->candidates_room ? work->candidates_room * 2 : 64;
        struct proposal_rule *list = realloc(work->candidates, room * sizeof(*list));
        if (!list)
            return -ENOMEM;
        work->candidates = list;
        work->candidates_room = room;
    }
    char *copy = strdup(pattern);
    if (!copy)
        return -ENOMEM;
    work->candidates[work->candidates_count++] =
        (struct proposal_rule){copy, kind, effect, wide, SIZE_MAX};
    return 0;
}

/* *.rest and **.rest for every rest of at least two labels, with the port that was asked for. */
static int widen_host(struct work *work, const struct asked *asked)
{
    const struct policy_subject *subject = asked->subject;
    if (subject->host.kind != POLICY_HOST_NAME)
        return 0;
    for (const char *rest = strchr(subject->host.text, '.'); rest; rest = strchr(rest + 1, '.')) {
        size_t labels = 1;
        for (const char *at = rest + 1; *at; at++)
            labels += *at == '.';
        if (labels < LABELS_MIN)
            break;
        for (int deep = 0; deep < 2; deep++) {
            char pattern[POLICY_AUTHORITY_MAX + 16];
            snprintf(pattern, sizeof(pattern), "%s%s%s%s:%u",
                     subject->scheme ? subject->scheme : "", subject->scheme ? "://" : "",
                     deep ? "**" : "*", rest, (unsigned)subject->port);
            int status = add_candidate(work, asked, pattern, true);
            if (status < 0)
                return status;
        }
    }
    return 0;
}

/* Everything below a directory, or a call that begins with the same words. */
static int widen_text(struct work *work, const struct asked *asked)
{
    const struct policy_subject *subject = asked->subject;
    bool path = subject->kind == POLICY_FILE_OUT;
    char pattern[POLICY_SUBJECT_MAX * 2];
    struct policy_subject part = *subject;
    size_t begin = path ? 0 : subject->tool_size + 1;
    if (!path && subject->kind != POLICY_EXEC)
        return 0;
    for (size_t at = begin; at < subject->size; at++) {
        if (subject->text[at] != (path ? '/' : ' '))
            continue;
        part.size = at + 1;
        part.text[at + 1] = '\0';
        if (policy_pattern_exact(&part, pattern, NULL) == 0) {
            strcat(pattern, path ? "**" : "*)");
            int status = strlen(pattern) < POLICY_PATTERN_MAX
                             ? add_candidate(work, asked, pattern, true)
                             : 0;
            if (status < 0)
                return status;
        }
        part.text[at + 1] = subject->text[at + 1];
    }
    return 0;
}

static int add_candidates(struct work *work, const struct asked *asked)
{
    char pattern[POLICY_SUBJECT_MAX * 2];
    if (policy_pattern_exact(asked->subject, pattern, NULL) < 0)
        return 0;
    int status = add_candidate(work, asked, pattern, false);
    if (status == 0 &&
        (asked->subject->kind == POLICY_EGRESS || asked->subject->kind == POLICY_OPEN_URL))
        return widen_host(work, asked);
    return status == 0 ? widen_text(work, asked) : status;
}

/* Choosing ------------------------------------------------------------------------------------- */

struct reach {
    size_t fresh;    /* past requests it answers that nothing chosen so far does */
    size_t subjects; /* different ones among them */
    bool wrong;      /* a human answered one of its subjects otherwise */
};

static struct reach measure(const struct work *work, const struct policy_pattern *pattern,
                            enum policy_effect effect)
{
    struct reach reach = {0};
    for (size_t i = 0; i < work->count; i++) {
        const struct asked *asked = &work->list[i];
        if (!policy_pattern_match(pattern, asked->subject, effect == POLICY_ALLOW))
            continue;
        if (asked->answer != effect)
            reach.wrong = true;
        else if (!asked->covered) {
            reach.fresh += asked->times;
            reach.subjects++;
        }
    }
    return reach;
}

/* The candidate that answers most of what is left; of equals the most specific, which lets least
 * through. Returns false when none answers anything more. */
static bool choose(const struct work *work, size_t times_min, size_t *chosen)
{
    struct reach best = {0};
    uint64_t best_specificity = 0;
    for (size_t i = 0; i < work->candidates_count; i++) {
        const struct proposal_rule *candidate = &work->candidates[i];
        struct policy_pattern pattern;
        if (candidate->gain < times_min || candidate->gain < best.fresh ||
            policy_pattern_parse(&pattern, candidate->kind, candidate->pattern, NULL) < 0)
            continue;
        struct reach reach = measure(work, &pattern, candidate->effect);
        work->candidates[i].gain = reach.wrong ? 0 : reach.fresh;
        bool wide = candidate->wide && reach.subjects < work->subjects_min;
        bool better = reach.fresh > best.fresh ||
                      (reach.fresh == best.fresh && pattern.specificity > best_specificity);
        if (!reach.wrong && !wide && reach.fresh >= times_min && better) {
            best = reach;
            best_specificity = pattern.specificity;
            *chosen = i;
        }
        policy_pattern_free(&pattern);
    }
    return best.fresh > 0;
}

static int add_subject(struct suggestion *suggestion, const struct asked *asked)
{
    size_t count = suggestion->subjects_count + 1;
    char **subjects = realloc(suggestion->subjects, count * sizeof(*subjects));
    if (subjects)
        suggestion->subjects = subjects;
    size_t *times = realloc(suggestion->times, count * sizeof(*times));
    if (times)
        suggestion->times = times;
    char *copy = strdup(asked->subject->text);
    if (!subjects || !times || !copy) {
        free(copy);
        return -ENOMEM;
    }
    subjects[suggestion->subjects_count] = copy;
    times[suggestion->subjects_count] = asked->times;
    suggestion->subjects_count = count;
    suggestion->answered += asked->times;
    return 0;
}

/* What the chosen one answers is covered from now on. */
static int make_suggestion(struct work *work, const struct proposal_rule *chosen,
                           struct suggestion *suggestion)
{
    struct policy_pattern pattern;
    const char *project = NULL;
    bool first = true, several = false;
    *suggestion = (struct suggestion){.kind = chosen->kind, .effect = chosen->effect};
    int status = policy_pattern_parse(&pattern, chosen->kind, chosen->pattern, NULL);
    for (size_t i = 0; status == 0 && i < work->count; i++) {
        struct asked *asked = &work->list[i];
        if (asked->covered || asked->answer != chosen->effect ||
            !policy_pattern_match(&pattern, asked->subject, chosen->effect == POLICY_ALLOW))
            continue;
        asked->covered = true;
        several = several || asked->several || (!first && !same_project(project, asked->project));
        project = asked->project;
        first = false;
        status = add_subject(suggestion, asked);
    }
    suggestion->scope = several || !project ? RULE_ALL : RULE_PROJECT;
    if (status == 0 && suggestion->scope == RULE_PROJECT && !(suggestion->value = strdup(project)))
        status = -ENOMEM;
    if (status == 0 && !(suggestion->pattern = strdup(pattern.text)))
        status = -ENOMEM;
    policy_pattern_free(&pattern);
    return status;
}

static int run(struct work *work, const struct history *history, size_t times_min,
               struct suggestion **list, size_t *count)
{
    struct policy_subject *scratch = malloc(sizeof(*scratch));
    work->list = calloc(SUBJECTS_MAX, sizeof(*work->list));
    int status = scratch && work->list ? 0 : -ENOMEM;
    for (size_t i = history->count; status == 0 && i > 0; i--)
        status = gather(work, &history->requests[i - 1], scratch);
    free(scratch);
    if (status == 0 && work->count > 0)
        qsort(work->list, work->count, sizeof(*work->list), compare_times);
    for (size_t i = 0; status == 0 && i < work->count; i++)
        if (work->list[i].answer)
            status = add_candidates(work, &work->list[i]);
    size_t chosen = 0;
    while (status == 0 && choose(work, times_min, &chosen)) {
        struct suggestion *grown = realloc(*list, (*count + 1) * sizeof(*grown));
        if (!grown)
            return -ENOMEM;
        *list = grown;
        status = make_suggestion(work, &work->candidates[chosen], &grown[(*count)++]);
    }
    return status;
}

int history_suggest(const struct history *history, const struct suggest_options *options,
                    struct suggestion **list, size_t *count, struct bj_error *error)
{
    struct work work = {.subjects_min = options && options->subjects_min ? options->subjects_min
                                                                         : SUBJECTS_DEFAULT};
    *list = NULL;
    *count = 0;
    int status =
        run(&work, history, options && options->times_min ? options->times_min : TIMES_DEFAULT,
            list, count);
    for (size_t i = 0; i < work.count; i++)
        free(work.list[i].subject);
    for (size_t i = 0; i < work.candidates_count; i++)
        free(work.candidates[i].pattern);
    free(work.list);
    free(work.candidates);
    if (status == 0)
        return 0;
    suggestions_free(*list, *count);
    *list = NULL;
    *count = 0;
    return bj_fail(error, status, "out of memory while looking for rules");
}

void suggestions_free(struct suggestion *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < list[i].subjects_count; j++)
            free(list[i].subjects[j]);
        free(list[i].subjects);
        free(list[i].times);
        free(list[i].pattern);
        free(list[i].value);
    }
    free(list);
}

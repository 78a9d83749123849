#include "sandbox-shim/ask.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <msgpack.h>

#include "sandbox-shim/clock.h"
#include "sandbox-shim/dialect.h"
#include "sandbox-shim/main.h"
#include "transport/error.h"
#include "transport/frame.h"
#include "transport/message.h"
#include "transport/socket.h"

#define CONNECT_TIME  10000 /* ms, while the server has a queue of others */
#define CONNECT_PAUSE 20    /* ms */
#define ANSWER_MAX    (BJ_REASON_MAX + 64U)

struct question {
    const char *kind;
    const char *title;
    char *detail;
    size_t detail_size;
    const struct dialect *dialect; /* NULL: kind and title are the caller's */
    const char *event;             /* what the agent tells; NULL: it asks */
    int64_t deadline;              /* of clock_now() */
};

static const struct option options[] = {
    {"kind", required_argument, NULL, 'k'},   {"title", required_argument, NULL, 't'},
    {"detail-stdin", no_argument, NULL, 'd'}, {"dialect", required_argument, NULL, 'D'},
    {"event", required_argument, NULL, 'e'},  {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, 'v'},      {0},
};

static int read_detail(struct question *question, struct bj_error *error)
{
    size_t capacity = BJ_ASK_DETAIL_MAX + 1; /* one more shows that it is too much */
    question->detail = malloc(capacity);
    if (!question->detail)
        return bj_fail(error, -ENOMEM, "no memory for the detail");
    while (question->detail_size < capacity) {
        ssize_t got =
            read(0, question->detail + question->detail_size, capacity - question->detail_size);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return bj_fail(error, -errno, "cannot read the detail from stdin: %s", strerror(errno));
        if (got == 0)
            return 0;
        question->detail_size += (size_t)got;
    }
    return bj_fail(error, -EMSGSIZE, "the detail on stdin has more than %u bytes, shorten it",
                   BJ_ASK_DETAIL_MAX);
}

static int check(const struct question *question, struct bj_error *error)
{
    if (!question->kind || !question->kind[0])
        return bj_fail(error, -EINVAL, "say what it is about: --kind KIND, e.g. exec");
    if (!question->title || !question->title[0])
        return bj_fail(error, -EINVAL, "say what you ask: --title TEXT");
    if (strlen(question->kind) > BJ_ASK_KIND_MAX)
        return bj_fail(error, -EMSGSIZE, "the kind has %zu bytes, %u are allowed",
                       strlen(question->kind), BJ_ASK_KIND_MAX);
    if (strlen(question->title) > BJ_ASK_TITLE_MAX)
        return bj_fail(error, -EMSGSIZE,
                       "the title has %zu bytes, %u are allowed: put the rest in the detail",
                       strlen(question->title), BJ_ASK_TITLE_MAX);
    return 0;
}

/* A server with many clients waiting to be accepted refuses for a moment. */
static int dial(const struct question *question, struct bj_error *error)
{
    const char *path = getenv(ASK_SOCKET_VARIABLE);
    if (!path || !path[0])
        path = ASK_SOCKET_DEFAULT;
    int64_t deadline = clock_earlier(clock_now() + CONNECT_TIME, question->deadline);
    int fd;
    while ((fd = bj_socket_connect(path, error)) == -EAGAIN && clock_now() < deadline)
        poll(NULL, 0, CONNECT_PAUSE);
    if (fd >= 0 && fcntl(fd, F_SETFL, 0) < 0) {
        close(fd);
        return bj_fail(error, -errno, "cannot wait for the answer: %s", strerror(errno));
    }
    return fd;
}

/* The server may answer and close before it has read everything, so that a failed send says
 * nothing: the answer, or its absence, does. */
static int send_question(int fd, const struct question *question, struct bj_error *error)
{
    msgpack_sbuffer out;
    msgpack_packer packer;
    msgpack_sbuffer_init(&out);
    msgpack_packer_init(&packer, &out, msgpack_sbuffer_write);
    int failed = msgpack_pack_array(&packer, 3);
    failed |= msgpack_pack_str_with_body(&packer, question->kind, strlen(question->kind));
    failed |= msgpack_pack_str_with_body(&packer, question->title, strlen(question->title));
    failed |= msgpack_pack_bin_with_body(&packer, question->detail ? question->detail : "",
                                         question->detail_size);
    int status = failed ? bj_fail(error, -ENOMEM, "no memory for the question") : 0;
    for (size_t sent = 0; status == 0 && sent < out.size;) {
        ssize_t part = send(fd, out.data + sent, out.size - sent, MSG_NOSIGNAL);
        if (part < 0 && errno != EINTR)
            break;
        sent += part > 0 ? (size_t)part : 0;
    }
    msgpack_sbuffer_destroy(&out);
    return status;
}

static int await(int fd, int64_t deadline, struct bj_error *error)
{
    for (;;) {
        int64_t left = deadline - clock_now();
        struct pollfd wanted = {.fd = fd, .events = POLLIN};
        int ready = left > 0 ? poll(&wanted, 1, (int)left) : 0;
        if (ready > 0)
            return 0;
        if (ready == 0)
            return bj_fail(error, -ETIMEDOUT, "nobody decided in time");
        if (errno != EINTR)
            return bj_fail(error, -errno, "cannot wait for the answer: %s", strerror(errno));
    }
}

/* Returns the size of the whole answer, or negative. */
static ssize_t receive_answer(int fd, char bytes[ANSWER_MAX], int64_t deadline,
                              struct bj_error *error)
{
    struct bj_frame frame;
    bj_frame_reset(&frame);
    for (size_t size = 0; size < ANSWER_MAX;) {
        int status = await(fd, deadline, error);
        if (status < 0)
            return status;
        ssize_t got = recv(fd, bytes + size, ANSWER_MAX - size, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return bj_fail(error, -EPIPE, "nobody decided: the sandbox closed the connection");
        size += (size_t)got;
        size_t end;
        int whole = bj_frame_scan(&frame, &bj_frame_limits_link, bytes, size, &end, error);
        if (whole < 0)
            return whole;
        if (whole > 0)
            return (ssize_t)end;
    }
    return bj_fail(error, -EPROTO, "nobody decided: the answer cannot be read");
}

/* The caller reads exit codes and people read stderr; a hook's agent reads stdout. */
static int tell(const struct question *question, enum bj_answer verdict, const char *reason,
                int length)
{
    static const struct {
        int code;
        const char *text;
    } meanings[] = {
        [BJ_ANSWER_DENY] = {ASK_DENIED, "denied"},
        [BJ_ANSWER_ALLOW] = {ASK_ALLOWED, "allowed"},
        [BJ_ANSWER_PASS] = {ASK_UNDECIDED, "nobody decided"},
    };
    int code = meanings[verdict].code;
    const char *what = meanings[verdict].text;
    if (question->event) {
        dialect_tell(question->event, reason, (size_t)length);
        return 0;
    }
    if (question->dialect && !dialect_speaks(question->dialect))
        return dialect_answer(question->dialect, (enum bj_answer)verdict, reason, (size_t)length);
    if (length > 0)
        fprintf(stderr, "belljar-shim ask: %s: %.*s\n", what, length, reason);
    else if (code != ASK_ALLOWED)
        fprintf(stderr, "belljar-shim ask: %s\n", what);
    return code;
}

/* Whatever the reason is for it. */
static int undecided(const struct question *question, const char *why)
{
    fprintf(stderr, "belljar-shim ask: %s\n", why);
    if (question->event)
        return 0;
    return question->dialect ? dialect_answer(question->dialect, BJ_ANSWER_PASS, why, strlen(why))
                             : ASK_UNDECIDED;
}

/* Returns the exit code. */
static int conclude(const struct question *question, const char *bytes, size_t size)
{
    msgpack_unpacked unpacked;
    msgpack_unpacked_init(&unpacked);
    size_t offset = 0;
    int code = ASK_UNDECIDED;
    if (msgpack_unpack_next(&unpacked, bytes, size, &offset) != MSGPACK_UNPACK_SUCCESS ||
        unpacked.data.type != MSGPACK_OBJECT_ARRAY || unpacked.data.via.array.size != 2 ||
        unpacked.data.via.array.ptr[0].type != MSGPACK_OBJECT_POSITIVE_INTEGER ||
        unpacked.data.via.array.ptr[0].via.u64 > BJ_ANSWER_PASS ||
        unpacked.data.via.array.ptr[1].type != MSGPACK_OBJECT_STR) {
        code = undecided(question, "nobody decided: the answer cannot be read");
    } else {
        const msgpack_object_str *reason = &unpacked.data.via.array.ptr[1].via.str;
        int length = reason->size < BJ_REASON_MAX ? (int)reason->size : (int)BJ_REASON_MAX;
        code = tell(question, (enum bj_answer)unpacked.data.via.array.ptr[0].via.u64, reason->ptr,
                    length);
    }
    msgpack_unpacked_destroy(&unpacked);
    return code;
}

static int ask(const struct question *question)
{
    struct bj_error error = {0};
    char bytes[ANSWER_MAX];
    ssize_t size = -1;
    int fd = dial(question, &error);
    if (fd >= 0) {
        if (send_question(fd, question, &error) == 0)
            size = receive_answer(fd, bytes, question->deadline, &error);
        close(fd);
    }
    return size < 0 ? undecided(question, error.text) : conclude(question, bytes, (size_t)size);
}

/* The kind says which dialect stdin is in; outside it is replaced by what is asked. */
static void use_dialect(struct question *question, const char *name)
{
    static char kind[BJ_ASK_KIND_MAX + 1];
    question->dialect = dialect_find(name);
    snprintf(kind, sizeof(kind), BJ_ASK_HOOK "%s", name);
    question->kind = kind;
    question->title = "a hook of the agent";
}

/* An agent whose hooks are set up wrongly asks nobody: the monitor tells the human so. */
static int refuse_dialect(struct question *question, const char *name)
{
    char names[160];
    dialect_list(names, sizeof(names));
    bool event = question->event != NULL;
    question->event = "unknown";
    question->deadline = clock_now() + ASK_EVENT_TIME * 1000;
    ask(question);
    fprintf(stderr, "belljar-shim ask: there is no dialect \"%.40s\", but %s\n", name, names);
    return event ? 0 : ASK_UNDECIDED;
}

/* More than the link takes: nobody can decide on a part of it, so nothing is sent, and the monitor
 * raises an alert. Of an event its name is enough. */
static int shorten(struct question *question, struct bj_error *error)
{
    question->detail_size = 0;
    if (!question->event)
        return 0;
    free(question->detail);
    int size = asprintf(&question->detail, "{\"hook_event_name\":\"%s\"}", question->event);
    if (size < 0) {
        question->detail = NULL;
        return bj_fail(error, -ENOMEM, "no memory for the event");
    }
    question->detail_size = (size_t)size;
    return 0;
}

static int prepare(struct question *question, bool detail, struct bj_error *error)
{
    bool hook = question->dialect != NULL;
    int status = hook ? 0 : check(question, error);
    if (status == 0 && (detail || hook))
        status = read_detail(question, error);
    if (status == -EMSGSIZE && hook)
        status = shorten(question, error);
    return status;
}

/* Fit to stand in JSON as it is. */
static int check_event(const char *event, const char *dialect, struct bj_error *error)
{
    static const char fit[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ._-";
    if (!dialect)
        return bj_fail(error, -EINVAL, "--event goes with --dialect");
    if (!event[0] || strlen(event) > 64 || event[strspn(event, fit)])
        return bj_fail(error, -EINVAL, "an event is a word, e.g. Stop");
    return 0;
}

int ask_client_main(int argc, char **argv)
{
    struct question question = {0};
    struct bj_error error = {0};
    const char *dialect = NULL;
    bool detail = false;
    int option;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (option) {
        case 'k':
            question.kind = optarg;
            break;
        case 't':
            question.title = optarg;
            break;
        case 'd':
            detail = true;
            break;
        case 'D':
            dialect = optarg;
            break;
        case 'e':
            question.event = optarg;
            break;
        case 'h':
            return main_help(stdout, 0);
        case 'v':
            return main_version();
        default:
            return ASK_UNDECIDED; /* getopt_long(3) has said why */
        }
    }
    int status = question.event ? check_event(question.event, dialect, &error) : 0;
    if (status < 0)
        question.event = NULL;
    if (status == 0 && optind < argc)
        status = bj_fail(&error, -EINVAL, "what is \"%.100s\"? Quote a title of several words",
                         argv[optind]);
    question.deadline = clock_now() + (question.event ? ASK_EVENT_TIME : ASK_TIME) * INT64_C(1000);
    if (dialect)
        use_dialect(&question, dialect);
    if (status == 0 && dialect && !question.dialect)
        return refuse_dialect(&question, dialect);
    if (status == 0)
        status = prepare(&question, detail, &error);
    int code = status == 0 ? ask(&question) : undecided(&question, error.text);
    free(question.detail);
    return code;
}

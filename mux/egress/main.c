/*
 * belljar-egress --id ID --stream PATH --server PATH [--hold-seconds N] [--head-seconds N]
 *                [--ca-file FILE] [--ready-fd FD]
 *
 * Started by the server, one for each sandbox. Writes "ok\n", or one line saying why not, to the
 * ready descriptor. Ends on SIGTERM, and when the directory of the stream socket is gone.
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "mux/egress/egress.h"

#define HOLD_SECONDS 120
#define HEAD_SECONDS 15
#define SECONDS_MAX  86400
#define EXIT_USAGE   2

enum {
    OPTION_ID = 1,
    OPTION_STREAM,
    OPTION_SERVER,
    OPTION_CA,
    OPTION_HOLD,
    OPTION_HEAD,
    OPTION_READY
};

static const struct option options[] = {
    {"id", required_argument, NULL, OPTION_ID},
    {"stream", required_argument, NULL, OPTION_STREAM},
    {"server", required_argument, NULL, OPTION_SERVER},
    {"ca-file", required_argument, NULL, OPTION_CA},
    {"hold-seconds", required_argument, NULL, OPTION_HOLD},
    {"head-seconds", required_argument, NULL, OPTION_HEAD},
    {"ready-fd", required_argument, NULL, OPTION_READY},
    {0},
};

static bool read_number(const char *text, long least, long most, long *out)
{
    char *end;
    errno = 0;
    *out = strtol(text, &end, 10);
    return errno == 0 && end != text && !*end && *out >= least && *out <= most;
}

static bool read_options(int argc, char **argv, struct egress_options *out)
{
    long number;
    int option;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        bool fits = true;
        switch (option) {
        case OPTION_ID:
            out->id = optarg;
            break;
        case OPTION_STREAM:
            out->stream = optarg;
            break;
        case OPTION_SERVER:
            out->server = optarg;
            break;
        case OPTION_CA:
            out->ca_file = optarg;
            break;
        case OPTION_HOLD:
            fits = read_number(optarg, 1, SECONDS_MAX, &number);
            out->hold_seconds = (unsigned)number;
            break;
        case OPTION_HEAD:
            fits = read_number(optarg, 1, SECONDS_MAX, &number);
            out->head_seconds = (unsigned)number;
            break;
        case OPTION_READY:
            fits = read_number(optarg, 0, 1024 * 1024, &number);
            out->ready_fd = (int)number;
            break;
        default:
            return false;
        }
        if (!fits) {
            fprintf(stderr, "belljar-egress: %s is no number that fits here\n", optarg);
            return false;
        }
    }
    return optind == argc && out->id && out->stream && out->server;
}

static void tell_ready(int descriptor, const char *text)
{
    if (descriptor < 0)
        return;
    (void)!write(descriptor, text, strlen(text)); /* nobody waits any more: fine */
    (void)!write(descriptor, "\n", 1);
    close(descriptor);
}

static int work(const struct egress_options *given, int socket)
{
    static struct egress egress;
    struct bj_error error = {0};
    signal(SIGPIPE, SIG_IGN);
    signal(SIGINT, SIG_IGN); /* the dialer says when to end */
    if (egress_start(&egress, given, socket, &error) < 0) {
        fprintf(stderr, "belljar-egress: %s\n", error.text);
        tell_ready(given->ready_fd, error.text);
        return EXIT_FAILURE;
    }
    tell_ready(given->ready_fd, "ok");
    egress_run(&egress);
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    struct egress_options given = {
        .hold_seconds = HOLD_SECONDS, .head_seconds = HEAD_SECONDS, .ready_fd = -1};
    if (!read_options(argc, argv, &given)) {
        fprintf(stderr, "usage: belljar-egress --id ID --stream PATH --server PATH\n"
                        "           [--hold-seconds N] [--head-seconds N] [--ca-file FILE]\n"
                        "           [--ready-fd FD]\n");
        return EXIT_USAGE;
    }
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) {
        fprintf(stderr, "belljar-egress: cannot make a socket pair: %s\n", strerror(errno));
        return EXIT_FAILURE;
    }
    pid_t worker = fork();
    if (worker < 0) {
        fprintf(stderr, "belljar-egress: cannot start its worker: %s\n", strerror(errno));
        return EXIT_FAILURE;
    }
    if (worker == 0) {
        close(pair[0]);
        return work(&given, pair[1]);
    }
    close(pair[1]);
    if (given.ready_fd >= 0)
        close(given.ready_fd);
    const char *const paths[DIALER_LINES] = {
        [DIALER_STREAM] = given.stream, [DIALER_SERVER] = given.server};
    return dialer_serve(pair[0], worker, paths);
}

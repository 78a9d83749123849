/*
 * belljar-acp: speaks the Agent Client Protocol with an agent inside the sandbox, and shows the
 * conversation on the sandbox's terminal. Started by `belljar run --acp`; runs inside, is believed
 * by nobody, and asks through belljar-shim as every other program does.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sandbox-shim/acp/session.h"
#include "sandbox-shim/acp/transcript.h"

#define END_MS 3000 /* for the agent to end when its input has */

static const char help[] =
    "Usage: belljar-acp AGENT [ARGUMENT...] [:: [--continue] [--prompt TEXT] [ARGUMENT...]]\n"
    "\n"
    "Starts an agent that speaks the Agent Client Protocol on its standard input and output, and "
    "shows\n"
    "the conversation. What is typed is a prompt, a line or what is pasted at once; C-c interrupts "
    "the\n"
    "agent, C-d ends it. Its questions are asked with belljar-shim ask.\n"
    "  --continue      goes on with the last conversation\n"
    "  --prompt TEXT   is said first\n"
    "  Exit: that of AGENT.\n";

static volatile sig_atomic_t interrupted;

static void on_interrupt(int number)
{
    (void)number;
    interrupted = 1;
}

static void on_child(int number)
{
    (void)number; /* ends ppoll(2) */
}

struct options {
    char **argv; /* of the agent, ends with NULL */
    const char *prompt;
    bool resume;
};

static int read_options(struct options *options, int argc, char **argv)
{
    int count = 0, i = 1;
    options->argv = calloc((size_t)argc + 1, sizeof(*argv));
    if (!options->argv)
        return -1;
    for (; i < argc && strcmp(argv[i], "::") != 0; i++)
        options->argv[count++] = argv[i];
    for (i++; i < argc; i++)
        if (strcmp(argv[i], "--continue") == 0)
            options->resume = true;
        else if (strcmp(argv[i], "--prompt") == 0 && i + 1 < argc)
            options->prompt = argv[++i];
        else
            options->argv[count++] = argv[i];
    return count > 0 ? 0 : -1;
}

struct agent {
    pid_t pid;
    int in, out; /* -1: closed */
};

static int start(struct agent *agent, char **argv)
{
    int in[2], out[2];
    if (pipe2(in, O_CLOEXEC) < 0 || pipe2(out, O_CLOEXEC) < 0 || (agent->pid = fork()) < 0)
        return -errno;
    if (agent->pid == 0) {
        setpgid(0, 0); /* the interrupt key is ours */
        signal(SIGINT, SIG_DFL);
        dup2(in[0], STDIN_FILENO);
        dup2(out[1], STDOUT_FILENO);
        execvp(argv[0], argv);
        fprintf(stderr, "belljar-acp: cannot execute %s: %s\n", argv[0], strerror(errno));
        _exit(127);
    }
    close(in[0]);
    close(out[1]);
    agent->in = in[1];
    agent->out = out[0];
    fcntl(agent->in, F_SETFL, O_NONBLOCK);
    return 0;
}

/* What came at once is one prompt, without its last line end. */
static bool take_typed(struct session *session)
{
    char text[65536];
    ssize_t got = read(STDIN_FILENO, text, sizeof(text) - 1);
    if (got < 0 && errno == EINTR)
        return true;
    if (got <= 0)
        return false;
    text[got] = '\0';
    while (got > 0 && (text[got - 1] == '\n' || text[got - 1] == '\r'))
        text[--got] = '\0';
    bool shown = transcript_typed();
    if (got > 0)
        session_prompt(session, text, shown);
    else if (!session->running)
        transcript_ready();
    return true;
}

static void take_messages(struct session *session, struct buffer *in)
{
    size_t size;
    char *line;
    while ((line = buffer_line(in, &size)) != NULL) {
        if (line[0])
            session_take(session, line);
        buffer_take(in, size);
    }
}

/* Returns the exit code of `pid` when it has ended, else -1. */
static int exit_code(pid_t pid, int flags)
{
    int status;
    if (waitpid(pid, &status, flags) != pid)
        return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void take_verdicts(struct session *session)
{
    for (size_t i = 0; i < PERMISSIONS_MAX; i++) {
        struct permission *permission = &session->permissions[i];
        int code = permission->pid > 0 ? exit_code(permission->pid, WNOHANG) : -1;
        if (code < 0)
            continue;
        ssize_t got = read(permission->words, permission->reason, sizeof(permission->reason) - 1);
        permission->reason_size = got > 0 ? (size_t)got : 0;
        session_decided(session, permission, code);
    }
}

/* Until the agent leaves, the human does, or the conversation can't go on. `waiting` is the signal
 * mask while it waits; at other times signals are blocked. */
static void converse(struct session *session, struct agent *agent, const sigset_t *waiting)
{
    struct buffer in = {0};
    bool typing = true;
    while (typing && !session->failed) {
        struct pollfd fds[] = {{STDIN_FILENO, POLLIN, 0},
                               {agent->out, POLLIN, 0},
                               {session->out.size ? agent->in : -1, POLLOUT, 0}};
        int count = ppoll(fds, 3, NULL, waiting);
        if (interrupted) {
            interrupted = 0;
            session_cancel(session);
        }
        take_verdicts(session);
        if (count <= 0)
            continue;
        if (fds[0].revents)
            typing = take_typed(session);
        if (fds[1].revents) {
            ssize_t got = buffer_read(&in, agent->out);
            take_messages(session, &in);
            if (got == 0 || (got < 0 && got != -EAGAIN)) {
                transcript_note(got == -EMSGSIZE ? "it sent a line of over 16 MiB: ended"
                                                 : "the agent has left");
                break;
            }
        }
        if (buffer_write(&session->out, agent->in) < 0)
            break;
    }
    free(in.bytes);
}

/* Ends it the harder the longer it takes. */
static int finish(const struct agent *agent)
{
    int code;
    close(agent->in);
    for (int waited = 0; waited < END_MS; waited += 50) {
        if ((code = exit_code(agent->pid, WNOHANG)) >= 0)
            return code;
        poll(NULL, 0, 50);
    }
    kill(-agent->pid, SIGKILL);
    return exit_code(agent->pid, 0);
}

static const char *place_of_session(void)
{
    static char path[4096];
    const char *home = getenv("HOME");
    snprintf(path, sizeof(path), "%s/.belljar-acp", home && home[0] ? home : "/home/agent");
    return path;
}

int main(int argc, char **argv)
{
    struct options options = {0};
    struct session session;
    struct agent agent = {.in = -1, .out = -1};
    if (argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "--version") == 0)) {
        fputs(argv[1][2] == 'h' ? help : "belljar-acp " BJ_VERSION "\n", stdout);
        return 0;
    }
    if (read_options(&options, argc, argv) < 0) {
        fputs(help, stderr);
        free(options.argv);
        return 2;
    }
    struct sigaction interrupt = {.sa_handler = on_interrupt}, child = {.sa_handler = on_child};
    sigset_t blocked, original;
    sigaction(SIGINT, &interrupt, NULL);
    sigaction(SIGCHLD, &child, NULL);
    int status = start(&agent, options.argv);
    if (status < 0) {
        fprintf(stderr, "belljar-acp: cannot start %s: %s\n", options.argv[0], strerror(-status));
        free(options.argv);
        return 1;
    }
    signal(SIGPIPE, SIG_IGN);
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGINT);
    sigaddset(&blocked, SIGCHLD);
    sigprocmask(SIG_BLOCK, &blocked, &original);
    session_start(&session, place_of_session(), options.resume);
    if (options.prompt && options.prompt[0])
        session_prompt(&session, options.prompt, false);
    converse(&session, &agent, &original);
    free(session.out.bytes);
    free(session.prompts.bytes);
    free(options.argv);
    return finish(&agent);
}

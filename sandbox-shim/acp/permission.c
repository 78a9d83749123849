#include "sandbox-shim/acp/permission.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define SHIM "/belljar/bin/belljar-shim"

static const char *text_of(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

/* The payload goes through a file without a name: a pipe might fill before anybody reads it. */
static pid_t run_ask(const char *payload, int *words)
{
    FILE *file = tmpfile();
    int ends[2];
    if (!file || fputs(payload, file) < 0 || fflush(file) != 0 || pipe2(ends, O_CLOEXEC) < 0) {
        if (file)
            fclose(file);
        return -1;
    }
    rewind(file);
    pid_t pid = fork();
    if (pid == 0) {
        sigset_t none;
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
        signal(SIGPIPE, SIG_DFL);
        setpgid(0, 0); /* the interrupt key is ours */
        dup2(fileno(file), STDIN_FILENO);
        int nothing = open("/dev/null", O_WRONLY | O_CLOEXEC);
        dup2(nothing, STDOUT_FILENO);
        dup2(ends[1], STDERR_FILENO);
        execl(SHIM, "belljar-shim", "ask", "--dialect", "acp", NULL);
        _exit(2);
    }
    fclose(file);
    close(ends[1]);
    if (pid < 0)
        close(ends[0]);
    *words = ends[0];
    return pid;
}

bool permission_ask(struct permission *permission, const json_t *id, const json_t *params)
{
    const json_t *call = json_object_get(params, "toolCall");
    char *payload = json_dumps(params, JSON_COMPACT);
    const char *title = text_of(call, "title");
    *permission = (struct permission){.words = -1};
    if (payload)
        permission->pid = run_ask(payload, &permission->words);
    free(payload);
    if (permission->pid <= 0) {
        permission->pid = 0;
        return false;
    }
    permission->id = json_deep_copy(id);
    permission->options = json_deep_copy(json_object_get(params, "options"));
    snprintf(permission->title, sizeof(permission->title), "%s", title ? title : "a tool");
    return true;
}

/* The option that decides this once and no more. */
static const char *option_of(const json_t *options, const char *kind)
{
    size_t i;
    json_t *option;
    json_array_foreach(options, i, option)
    {
        const char *its = text_of(option, "kind");
        if (its && strcmp(its, kind) == 0)
            return text_of(option, "optionId");
    }
    return NULL;
}

json_t *permission_outcome(const struct permission *permission, int code)
{
    const char *option = code == 0   ? option_of(permission->options, "allow_once")
                         : code == 1 ? option_of(permission->options, "reject_once")
                                     : NULL;
    if (!option)
        return json_pack("{s{ss}}", "outcome", "outcome", "cancelled");
    return json_pack("{s{ssss}}", "outcome", "outcome", "selected", "optionId", option);
}

const char *permission_reason(struct permission *permission)
{
    permission->reason[permission->reason_size] = '\0';
    permission->reason[strcspn(permission->reason, "\n")] = '\0';
    const char *words = strstr(permission->reason, "denied: ");
    return words ? words + strlen("denied: ") : "";
}

void permission_free(struct permission *permission)
{
    if (permission->words >= 0)
        close(permission->words);
    json_decref(permission->id);
    json_decref(permission->options);
    *permission = (struct permission){.words = -1};
}

void permission_tell(const char *event)
{
    char payload[64];
    int words, status;
    snprintf(payload, sizeof(payload), "{\"hook_event_name\":\"%s\"}", event);
    pid_t pid = run_ask(payload, &words);
    if (pid <= 0)
        return;
    close(words);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
}

#include "tui/cli/doctor_hooks.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "transport/file.h"
#include "tui/cli/report.h"
#include "tui/cli/sandbox.h"
#include "tui/cli/scratch.h"

#define TRIAL_MS 30000

enum trial { TRIAL_ANSWERED = 0, TRIAL_NONE = 20, TRIAL_WRITABLE, TRIAL_SILENT };

/* What a hook's file says of the shim is what is called, whatever the file's language. */
static const char script[] =
    "found=20\n"
    "for file in $(grep -rlsF belljar-shim /etc \"$HOME\"); do\n"
    "    if (: >>\"$file\") 2>/dev/null; then exit 21; fi\n"
    "    for dialect in $(grep -oE -- '--dialect[\"'\\'' ,]*[a-z-]+' \"$file\" |\n"
    "            sed 's/.*[^a-z-]//' | sort -u); do\n"
    "        case $dialect in\n"
    "        *-permission) event=PermissionRequest tool=Bash ;;\n"
    "        gemini) event=BeforeTool tool=run_shell_command ;;\n"
    "        *) event=PreToolUse tool=Bash ;;\n"
    "        esac\n"
    "        answer=$(printf '{\"hook_event_name\":\"%s\",\"tool_name\":\"%s\",\"tool_input\":'\\\n"
    "'{\"command\":\"belljar doctor\"}}' $event $tool |\n"
    "            /belljar/bin/belljar-shim ask --dialect $dialect)\n"
    "        case $answer in\n"
    "        *'\"deny\"'*'does not let this through'*) found=0 ;;\n"
    "        *) exit 22 ;;\n"
    "        esac\n"
    "    done\n"
    "done\n"
    "exit $found\n";

static const char policy[] = "exec { deny = [\"*(*belljar doctor*)\"] }\n";

static int write_policy(const struct scratch *scratch, char path[BJ_PATH_MAX],
                        struct bj_error *error)
{
    int status = bj_path(path, BJ_PATH_MAX, error, "%s/policy.conf", scratch->path);
    int file = status < 0 ? -1 : open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (status == 0 && file < 0)
        return bj_fail(error, -errno, "cannot make %.300s: %s", path, strerror(errno));
    if (status == 0 && (status = bj_file_write(file, policy, sizeof(policy) - 1)) < 0)
        bj_fail(error, status, "cannot write %.300s: %s", path, strerror(-status));
    if (file >= 0)
        close(file);
    return status;
}

static int judge(const json_t *record, struct bj_error *error)
{
    switch ((int)report_number(record, "exit_code")) {
    case TRIAL_ANSWERED:
        return 0;
    case TRIAL_NONE:
        return -ENOENT;
    case TRIAL_WRITABLE:
        return bj_fail(error, -EPERM, "a file with its hooks can be changed from inside");
    default:
        return bj_fail(error, -EIO, "a question of its hooks was not answered as the policy says");
    }
}

/* The sandbox is gone afterwards, whatever came of it. */
static int finish(const struct doctor *doctor, struct peer *server, const char *id,
                  struct bj_error *error)
{
    struct bj_error ignored = {0};
    json_t *record = NULL, *answer;
    int status = sandbox_await(doctor->paths, id, TRIAL_MS, &record, error);
    if (status == 0)
        status = judge(record, error);
    else if (status == -ETIMEDOUT)
        bj_fail(error, status, "a question of its hooks was not answered in time");
    json_decref(record);
    static const char *const ends[] = {"sandbox.kill", "sandbox.remove"};
    for (size_t i = 0; i < 2; i++) /* killing one that has ended fails, which is as well */
        if (peer_call(server, ends[i], json_pack("{s:[s]}", "names", id), PEER_KILL_TIMEOUT_MS,
                      &answer, &ignored) == 0)
            json_decref(answer);
    return status;
}

int doctor_hooks(const struct doctor *doctor, struct peer *server, const char *agent,
                 struct bj_error *error)
{
    struct scratch scratch = {0};
    char path[BJ_PATH_MAX];
    json_t *answer = NULL;
    int status = bj_path(path, sizeof(path), error, "%s/doctor", doctor->paths->runtime);
    if (status == 0)
        status = scratch_make(&scratch, path, "", error);
    if (status == 0)
        status = write_policy(&scratch, path, error);
    if (status == 0)
        status =
            peer_call(server, "sandbox.run",
                      json_pack("{s:s,s:b,s:[s,s,s],s:s,s:s,s:i,s:s*}", "agent", agent, "instead",
                                1, "argv", "sh", "-c", script, "policy", path, "session", "doctor",
                                "record_limit", 0, "path", getenv("PATH")),
                      PEER_KILL_TIMEOUT_MS, &answer, error);
    if (status == 0)
        status = finish(doctor, server, report_text(answer, "id"), error);
    json_decref(answer);
    scratch_remove(&scratch);
    return status;
}

#include "mux/server/job.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct step {
    char *words[JOB_ARGS_MAX + 2]; /* room for the fed word and the NULL */
    size_t count;
    bool feeds_next;
};

struct job {
    uv_loop_t *loop;
    char what[64];
    job_done *done;
    void *owner; /* meaningless once cancelled */
    bool broken, cancelled;
    struct step steps[JOB_STEPS_MAX];
    size_t count, at;

    uv_process_t process;
    uv_pipe_t pipe; /* the command's stdout or stderr */
    int open;       /* handles of the running step */
    int64_t exit_status;
    int signal;
    char output[JOB_OUTPUT_MAX];
    size_t output_size;
};

static void next(struct job *job);

struct job *job_new(uv_loop_t *loop, const char *what, job_done *done, void *owner)
{
    struct job *job = calloc(1, sizeof(*job));
    if (!job)
        return NULL;
    job->loop = loop;
    job->done = done;
    job->owner = owner;
    snprintf(job->what, sizeof(job->what), "%s", what);
    return job;
}

static void job_free(struct job *job)
{
    for (size_t i = 0; i < job->count; i++)
        for (size_t w = 0; w < job->steps[i].count; w++)
            free(job->steps[i].words[w]);
    free(job);
}

static void add_word(struct job *job, struct step *step, const char *word)
{
    char *copy = step->count < JOB_ARGS_MAX ? strdup(word) : NULL;
    if (copy)
        step->words[step->count++] = copy;
    else
        job->broken = true;
}

void job_step(struct job *job, const char *const words[])
{
    if (job->count == JOB_STEPS_MAX) {
        job->broken = true;
        return;
    }
    struct step *step = &job->steps[job->count++];
    for (; *words; words++)
        add_word(job, step, *words);
}

void job_feeds_next(struct job *job)
{
    if (job->count)
        job->steps[job->count - 1].feeds_next = true;
}

static void finish(struct job *job, const struct bj_error *error)
{
    if (!job->cancelled)
        job->done(job->owner, error);
    job_free(job);
}

static void fail_step(struct job *job, const struct step *step)
{
    struct bj_error error = {0};
    size_t length = job->output_size;
    while (length && (job->output[length - 1] == '\n' || job->output[length - 1] == ' '))
        length--;
    job->output[length] = '\0';
    /* The last line says most (git prints progress and hints before it). */
    char *line = strrchr(job->output, '\n');
    line = line && length - (size_t)(line - job->output) > 8 ? line + 1 : job->output;
    for (char *at = line; *at; at++)
        if ((unsigned char)*at < 0x20)
            *at = ' ';
    if (job->signal)
        bj_fail(&error, -EIO, "cannot %s: %s was ended by signal %d", job->what, step->words[0],
                job->signal);
    else
        bj_fail(&error, -EIO, "cannot %s: %s", job->what,
                *line ? line : "the command failed without a word");
    finish(job, &error);
}

static void feed_next(struct job *job)
{
    struct step *step = &job->steps[job->at];
    job->output[strcspn(job->output, "\n")] = '\0';
    if (job->exit_status == 0 && !job->signal && job->output[0])
        add_word(job, step, job->output);
    else
        job->at++;
    next(job);
}

static void on_step_closed(uv_handle_t *handle)
{
    struct job *job = handle->data;
    if (--job->open)
        return;
    const struct step *step = &job->steps[job->at++];
    if (job->cancelled)
        job_free(job);
    else if (step->feeds_next && job->at < job->count)
        feed_next(job);
    else if (job->exit_status != 0 || job->signal)
        fail_step(job, step);
    else
        next(job);
}

static void on_exit_step(uv_process_t *process, int64_t exit_status, int signal)
{
    struct job *job = process->data;
    job->exit_status = exit_status;
    job->signal = signal;
    uv_close((uv_handle_t *)process, on_step_closed);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    static char overflow[4096]; /* what is over the limit is read and dropped */
    struct job *job = handle->data;
    size_t room = sizeof(job->output) - 1 - job->output_size;
    *buffer = room ? uv_buf_init(job->output + job->output_size, (unsigned)room)
                   : uv_buf_init(overflow, sizeof(overflow));
}

static void on_output(uv_stream_t *stream, ssize_t size, const uv_buf_t *buffer)
{
    struct job *job = stream->data;
    if (size < 0)
        uv_close((uv_handle_t *)stream, on_step_closed);
    else if (buffer->base == job->output + job->output_size)
        job->output_size += (size_t)size;
    job->output[job->output_size] = '\0';
}

static int spawn(struct job *job, struct step *step)
{
    int status = uv_pipe_init(job->loop, &job->pipe, 0);
    if (status < 0)
        return status;
    /* Of a step that feeds the next its answer is wanted, of any other its complaint. */
    int wanted = step->feeds_next ? 1 : 2;
    uv_stdio_container_t stdio[3] = {{.flags = UV_IGNORE}};
    stdio[wanted].flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE;
    stdio[wanted].data.stream = (uv_stream_t *)&job->pipe;
    uv_process_options_t options = {
        .exit_cb = on_exit_step,
        .file = step->words[0],
        .args = step->words,
        .stdio = stdio,
        .stdio_count = 3,
        .flags = UV_PROCESS_DETACHED,
    };
    job->process.data = job->pipe.data = job;
    job->open = 2;
    job->output_size = 0;
    job->output[0] = '\0';
    job->exit_status = job->signal = 0;
    status = uv_spawn(job->loop, &job->process, &options);
    if (status < 0) {
        job->exit_status = 127;
        snprintf(job->output, sizeof(job->output), "cannot start %s: %s", step->words[0],
                 uv_strerror(status));
        job->output_size = strlen(job->output);
        uv_close((uv_handle_t *)&job->process, on_step_closed);
        uv_close((uv_handle_t *)&job->pipe, on_step_closed);
        return 0;
    }
    uv_read_start((uv_stream_t *)&job->pipe, on_alloc, on_output);
    return 0;
}

static void next(struct job *job)
{
    if (job->at >= job->count) {
        finish(job, NULL);
        return;
    }
    int status = spawn(job, &job->steps[job->at]);
    if (status < 0) {
        struct bj_error error = {0};
        bj_fail(&error, status, "cannot %s: %s", job->what, uv_strerror(status));
        finish(job, &error);
    }
}

int job_start(struct job *job, struct bj_error *error)
{
    if (job->broken || !job->count) {
        job_free(job);
        return bj_fail(error, -ENOMEM, "out of memory");
    }
    int status = spawn(job, &job->steps[0]);
    if (status < 0) {
        bj_fail(error, status, "cannot %s: %s", job->what, uv_strerror(status));
        job_free(job);
    }
    return status;
}

void job_cancel(struct job *job)
{
    job->cancelled = true;
    if (uv_is_active((uv_handle_t *)&job->process))
        uv_kill(-job->process.pid, SIGKILL);
}

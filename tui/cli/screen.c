#include "tui/cli/screen.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tui/cli/keyname.h"
#include "tui/cli/peer.h"
#include "tui/cli/plain.h"
#include "tui/cli/report.h"
#include "tui/cli/sandbox.h"

#define INPUT_MAX 65536 /* bytes in one view.input */
#define TAKEN_MAX_MS                                                                               \
    2000 /* an agent that shows nothing of what is typed is not waited for longer */
#define TAKEN_LOOK_MS 50
#define ENTER_MS      100 /* a program takes an Enter closer behind a text for one that was pasted */

/* Long captures come in parts; each says where the next begins. */
static int print_capture(struct peer *view, const struct args *args, struct bj_error *error)
{
    json_int_t from = 0;
    unsigned flags = PLAIN_LINES | (args_set(args, "ansi") ? PLAIN_SGR : 0U);
    for (;;) {
        json_t *params = json_pack("{s:b,s:b,s:I}", "scrollback", args_set(args, "scrollback"),
                                   "ansi", args_set(args, "ansi"), "from", from);
        json_t *part;
        int status = peer_call(view, "view.capture", params, PEER_TIMEOUT_MS, &part, error);
        if (status < 0)
            return status;
        const json_t *text = json_object_get(part, "text"), *next = json_object_get(part, "next");
        size_t size = json_string_length(text);
        plain_write(stdout, size ? json_string_value(text) : "", size, flags);
        bool more = json_is_integer(next);
        json_int_t line = json_integer_value(next);
        bool unfinished = size > 0 && json_string_value(text)[size - 1] != '\n';
        json_decref(part);
        if (!more) {
            if (unfinished)
                putchar('\n');
            return 0;
        }
        if (line <= from)
            return bj_fail(error, -EPROTO, "the monitor repeats itself: the capture is cut");
        from = line;
    }
}

int screen_capture(const struct args *args, const struct bj_paths *paths)
{
    struct bj_error error = {0};
    struct peer view;
    if (sandbox_view(paths, args->words[0], &view, &error) < 0)
        return report_error(&error);
    int status = print_capture(&view, args, &error);
    peer_close(&view);
    return status < 0 ? report_error(&error) : report_end();
}

static int call(struct peer *view, const char *method, json_t *params, struct bj_error *error)
{
    json_t *answer;
    int status = peer_call(view, method, params, PEER_TIMEOUT_MS, &answer, error);
    json_decref(answer);
    return status;
}

static int send_key(struct peer *view, const struct keyname *key, struct bj_error *error)
{
    return call(view, "view.key", json_pack("{s:s,s:i}", "key", key->key, "mods", (int)key->mods),
                error);
}

static int send_text(struct peer *view, const char *text, struct bj_error *error)
{
    size_t size = strlen(text);
    for (size_t at = 0; at < size;) {
        size_t part = size - at < INPUT_MAX ? size - at : INPUT_MAX;
        json_t *params = json_object();
        if (!params ||
            json_object_set_new(params, "bytes", json_stringn_nocheck(text + at, part)) < 0) {
            json_decref(params);
            return bj_fail(error, -ENOMEM, "out of memory");
        }
        int status = call(view, "view.input", params, error);
        if (status < 0)
            return status;
        at += part;
    }
    return 0;
}

/* Nothing is sent unless every key has a meaning. */
static int parse_keys(const struct args *args, struct keyname *keys)
{
    struct bj_error error = {0};
    for (size_t i = 1; i < args->word_count; i++)
        if (keyname_parse(args->words[i], &keys[i - 1], &error) < 0)
            return report_usage("send: %s", error.text);
    return COMMAND_DONE;
}

/* The screen as it is now; NULL with the reason. The caller drops the reference. */
static json_t *look(struct peer *view, struct bj_error *error)
{
    json_t *part;
    json_t *params = json_pack("{s:b,s:b,s:i}", "scrollback", 0, "ansi", 0, "from", 0);
    return peer_call(view, "view.capture", params, PEER_TIMEOUT_MS, &part, error) < 0 ? NULL : part;
}

static void pause_ms(long milliseconds)
{
    nanosleep(&(struct timespec){milliseconds / 1000, milliseconds % 1000 * 1000000}, NULL);
}

static const struct keyname enter = {.key = "enter"};

/* Text and Enter as a human types them: the text stands on the screen, then Enter is pressed. */
static int send_line(struct peer *view, const char *text, struct bj_error *error)
{
    json_t *before = look(view, error);
    bool taken = false;
    int status = before ? send_text(view, text, error) : -EIO;
    for (int waited = 0; status == 0 && !taken && waited < TAKEN_MAX_MS; waited += TAKEN_LOOK_MS) {
        pause_ms(TAKEN_LOOK_MS);
        json_t *now = look(view, error);
        status = now ? 0 : -EIO;
        taken = now && !json_equal(before, now);
        json_decref(now);
    }
    json_decref(before);
    pause_ms(ENTER_MS);
    return status < 0 ? status : send_key(view, &enter, error);
}

static int send_all(struct peer *view, const struct args *args, const struct keyname *keys,
                    struct bj_error *error)
{
    int status = 0;
    if (!args_set(args, "keys") && args->word_count == 2 && args_set(args, "enter"))
        return send_line(view, args->words[1], error);
    if (args_set(args, "keys"))
        for (size_t i = 0; status == 0 && i + 1 < args->word_count; i++)
            status = send_key(view, &keys[i], error);
    else if (args->word_count == 2)
        status = send_text(view, args->words[1], error);
    if (status == 0 && args_set(args, "enter"))
        status = send_key(view, &enter, error);
    return status;
}

int screen_send(const struct args *args, const struct bj_paths *paths)
{
    struct bj_error error = {0};
    struct peer view;
    bool as_keys = args_set(args, "keys");
    if (!as_keys && args->word_count > 2)
        return report_usage("send: the text is one argument: quote it");
    if (args->word_count < 2 && !args_set(args, "enter"))
        return report_usage("send: nothing to send: belljar send NAME TEXT, or --keys KEY...");
    struct keyname *keys = calloc(args->word_count, sizeof(*keys));
    if (!keys)
        return report_failure("out of memory");
    int code = as_keys ? parse_keys(args, keys) : COMMAND_DONE;
    if (code == COMMAND_DONE) {
        int status = sandbox_view(paths, args->words[0], &view, &error);
        if (status == 0) {
            status = send_all(&view, args, keys, &error);
            peer_close(&view);
        }
        code = status < 0 ? report_error(&error) : COMMAND_DONE;
    }
    free(keys);
    return code;
}

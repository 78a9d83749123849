/*
 * What is sent to the terminal for a frame, counted in bytes: nothing flickers, nothing is sent
 * twice, and a terminal that can show a frame at once gets it so.
 */
#include "eye.h"
#include "human.h"
#include "world.h"

#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROWS 40
#define COLS 140

#define IDLE_MS    5000
#define IDLE_BYTES 300
#define CELL_BYTES 100
#define TRIES      10 /* an age or a figure may change at the same moment */

#define OTHER "\xe2\x95\xad 1" /* the corner of a pane that is not selected */

#define ASKED "\x1b[?2026$p"
#define ON    "\x1b[?2026h"
#define OFF   "\x1b[?2026l"

static struct world world;
static struct eye *eye;

/* Puts each key that it gets at one place of its screen. */
#define PUTS "stty raw -echo; while read -rn1 key; do printf '\\033[5;9H%s' \"$key\"; done"

static void setup(void)
{
    world_open(&world);
    human_runs(&world, "puts", PUTS);
    human_runs(&world, "sleeps", "sleep 100000");
    WAIT_FOR(world_state_is(&world, "sleeps", "running"));
}

static void teardown(void)
{
    world_close(&world);
}

static struct eye *attach(bool syncs, bool mute)
{
    eye = eye_open(ROWS, COLS, (const char *const[]){world.belljar, "attach", NULL});
    eye->syncs = syncs;
    eye->mute = mute;
    EYE_WAIT(eye, eye_shows(eye, "puts") && eye_shows(eye, "sleeps"));
    return eye;
}

static bool sent(const char *sequence)
{
    return memmem(eye->raw, eye->raw_size, sequence, strlen(sequence)) != NULL;
}

/* Pumps until nothing has come for a while: what was begun is shown. */
static void settle(void)
{
    size_t before;
    do {
        before = eye->raw_size;
        for (long long until = world_now() + 300; world_now() < until;)
            eye_pump(eye, 20);
    } while (eye->raw_size > before + CELL_BYTES);
}

static size_t bytes_idle(void)
{
    size_t before = eye->raw_size;
    for (long long until = world_now() + IDLE_MS; world_now() < until;)
        eye_pump(eye, 50);
    return eye->raw_size - before;
}

/* Types one character to the agent and waits until it is seen. */
static size_t bytes_of_cell(char character)
{
    char text[] = {character, '\0'};
    size_t before = eye->raw_size;
    eye_type(eye, text);
    EYE_WAIT(eye, eye_cells(eye, 5, 9, 10)[0] == character);
    for (long long until = world_now() + 50; world_now() < until;)
        eye_pump(eye, 10);
    return eye->raw_size - before;
}

static void check_no_erase(size_t from)
{
    static const char *const erase[] = {"\x1b[2J", "\x1b[J", "\x1b[3J", "\x1b[0J",
                                        "\x1b"
                                        "c"};
    for (size_t i = 0; i < sizeof(erase) / sizeof(erase[0]); i++)
        ck_assert_msg(!memmem(eye->raw + from, eye->raw_size - from, erase[i], strlen(erase[i])),
                      "the display was erased after the first frame");
}

static const struct {
    const char *depth; /* $COLORTERM */
    bool syncs;
} ways[] = {{"", false}, {"", true}, {"truecolor", true}};

START_TEST(few_bytes)
{
    setenv("COLORTERM", ways[_i].depth, 1);
    attach(ways[_i].syncs, false);
    settle();
    size_t first = eye->raw_size;
    eye_type(eye, "1\r");
    EYE_WAIT_TEXT(eye, " FOCUS ");
    settle();
    size_t least = SIZE_MAX;
    for (int i = 0; i < TRIES && least >= CELL_BYTES; i++) {
        size_t here = bytes_of_cell((char)('a' + i));
        least = here < least ? here : least;
    }
    ck_assert_msg(least < CELL_BYTES, "%zu bytes were sent for one cell", least);
    eye_type(eye, EYE_F12);
    EYE_WAIT_TEXT(eye, "SUPERVISE");
    eye_type(eye, "l");
    EYE_WAIT_TEXT(eye, "Sandboxes: 2");
    eye_escape(eye);
    EYE_WAIT(eye, !eye_shows(eye, "Sandboxes: 2"));
    eye_type(eye, "2z");
    EYE_WAIT(eye, !eye_shows(eye, OTHER));
    eye_type(eye, "z");
    EYE_WAIT_TEXT(eye, OTHER);
    check_no_erase(first);
    ck_assert(sent(ON) == ways[_i].syncs);
    eye_detach(eye);
}
END_TEST

/* Nothing moves: ages count minutes by then, and the graphs are level. */
START_TEST(next_to_nothing_while_idle)
{
    setenv("COLORTERM", "truecolor", 1);
    attach(true, false);
    /* A minute, more than a wait has patience for. */
    for (long long until = world_now() + 90000;
         !eye_shows(eye, "puts idle 1m") && world_now() < until;)
        eye_pump(eye, 100);
    EYE_WAIT_TEXT(eye, "puts idle 1m");
    EYE_WAIT_TEXT(eye, "sleeps idle 1m");
    size_t least = SIZE_MAX;
    for (int i = 0; i < TRIES && least > IDLE_BYTES; i++) {
        size_t here = bytes_idle();
        least = here < least ? here : least;
    }
    ck_assert_msg(least <= IDLE_BYTES, "%zu bytes were sent in %d ms", least, IDLE_MS);
    eye_detach(eye);
}
END_TEST

/* Once it is known to be understood, nothing that can be seen is sent outside. */
START_TEST(frames_are_sent_as_one)
{
    attach(true, false);
    EYE_WAIT(eye, sent(ON));
    settle();
    size_t from = eye->raw_size;
    eye_type(eye, "l");
    EYE_WAIT_TEXT(eye, "Sandboxes: 2");
    eye_escape(eye);
    EYE_WAIT(eye, !eye_shows(eye, "Sandboxes: 2"));
    bool on = false;
    for (size_t i = from; i < eye->raw_size; i++) {
        size_t left = eye->raw_size - i;
        if (left >= sizeof(ON) - 1 && memcmp(eye->raw + i, ON, sizeof(ON) - 1) == 0) {
            ck_assert(!on);
            on = true;
        } else if (left >= sizeof(OFF) - 1 && memcmp(eye->raw + i, OFF, sizeof(OFF) - 1) == 0) {
            ck_assert(on);
            on = false;
            i += sizeof(OFF) - 2;
        } else {
            /* Only whether the cursor is seen, and its shape. */
            ck_assert_msg(on || strchr("\x1b[?25lh 0123456q", eye->raw[i]),
                          "byte %zu, '%c', is outside of a frame", i, eye->raw[i]);
        }
    }
    eye_detach(eye);
    /* A program that breaks down writes no second half; the terminal does not wait for it. */
    attach(true, false);
    EYE_WAIT(eye, sent(ON));
    size_t killed = eye->raw_size;
    kill(eye->pid, SIGSEGV);
    eye_wait_end(eye);
    eye_check_restored(eye);
    ck_assert_ptr_nonnull(memmem(eye->raw + killed, eye->raw_size - killed, OFF, sizeof(OFF) - 1));
    eye_close(eye);
}
END_TEST

/* Whoever does not answer is not waited for, and gets nothing of it; what can not is not asked. */
START_TEST(no_answer)
{
    attach(false, true);
    ck_assert(sent(ASKED));
    settle();
    ck_assert(!sent(ON));
    eye_detach(eye);
    static const char *const names[] = {"vt100", "linux", "screen"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        setenv("TERM", names[i], 1);
        attach(true, false);
        settle();
        ck_assert(!sent(ASKED) && !sent(ON));
        eye_detach(eye);
    }
}
END_TEST

/* terminfo's word is taken instead of a question. */
START_TEST(terminfo_knows)
{
    const char *source = world_file(&world, "sync.src",
                                    "xterm-sync|xterm that shows frames at once,\n"
                                    "\tSync=\\E[?2026%?%p1%{1}%-%tl%eh%;, use=xterm-256color,\n",
                                    0644);
    world_run_ok(&world, (const char *const[]){"tic", "-x", "-o", world.home, source, NULL});
    setenv("TERMINFO", world.home, 1);
    setenv("TERM", "xterm-sync", 1);
    attach(false, false);
    EYE_WAIT(eye, sent(ON) && sent(OFF));
    ck_assert(!sent(ASKED));
    eye_detach(eye);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("frames");
    TCase *cases = tcase_create("frames");
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_set_timeout(cases, 300);
    tcase_add_loop_test(cases, few_bytes, 0, (int)(sizeof(ways) / sizeof(ways[0])));
    tcase_add_test(cases, next_to_nothing_while_idle);
    tcase_add_test(cases, frames_are_sent_as_one);
    tcase_add_test(cases, no_answer);
    tcase_add_test(cases, terminfo_knows);
    suite_add_tcase(suite, cases);
    return world_main(suite);
}

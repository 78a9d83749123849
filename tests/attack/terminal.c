/*
 * Hostile terminal output, rows 33 to 43 of the attack list: an agent prints it in one pane while
 * another works in the pane beside. What reaches the human's terminal is looked at byte by byte,
 * and nothing outside the pane may change.
 */
#include "attack.h"
#include "tests/e2e/eye.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is printed (printf(1) format), and what must not be in the dashboard's output after it. */
#define MARKS_4 "\\314\\201\\314\\202\\314\\203\\314\\204"
#define MARKS   MARKS_4 MARKS_4 MARKS_4 MARKS_4 MARKS_4 MARKS_4

static const struct row {
    int number;
    const char *name;
    const char *output;
    const char *forbidden[4];
} rows[] = {
    {33, "OSC 52 sets the clipboard", "\\033]52;c;cHduZWQ=\\007", {"]52;", "cHduZWQ"}},
    {33, "OSC 52 with ST, in parts", "\\033]52;;cHdu\\033\\\\\\033]52;p;ZWQ=\\033\\\\", {"]52;"}},
    {34, "OSC 52 asks for the clipboard", "\\033]52;c;?\\007", {"]52;"}},
    {35,
     "title and its report",
     "\\033]2;rm -rf evil\\007\\033[21t\\033[20t\\005",
     {"\033[21t", "\005"}},
    {35, "DECRQSS and DECRQM", "\\033P$qm\\033\\\\\\033[?2026$p", {"\033P$q", "$p"}},
    {36,
     "a link that is not what it says",
     "\\033]8;;javascript:alert(1)\\033\\\\https://good.example\\033]8;;\\033\\\\",
     {"]8;;javascript", "]8;;"}},
    {37,
     "device queries",
     "\\033[c\\033[>c\\033[=c\\033[5n\\033[6n\\033[?6n\\033[>q\\033[14t\\033[18t",
     {"\033[c", "\033[>q", "\033[6n", "\033[18t"}},
    {37,
     "colour queries",
     "\\033]10;?\\007\\033]11;?\\007\\033]4;1;?\\007",
     {";?\007", "\033]11;", "\033]4;1"}},
    {38,
     "huge counts",
     "\\033[99999999999H\\033[2147483647@\\033[2147483647L\\033[2147483647M\\033[2147483647P"
     "\\033[2147483647X\\033[2147483647S\\033[2147483647T\\033[2147483647Z\\033[2147483647Ia"
     "\\033[2147483647b",
     {"2147483647", "99999"}},
    {38,
     "deep DCS, APC, PM and SOS",
     "\\033P+q\\033P\\033P\\033_Gf=100;AAAA\\033\\\\\\033^x\\033\\\\\\033Xy\\033\\\\",
     {"\033_G", "\033^", "\033P"}},
    {39,
     "invalid UTF-8",
     "\\377\\376\\300\\200\\355\\240\\200\\364\\220\\200\\200\\370\\210\\200\\200\\200",
     {"\377", "\300\200", "\355\240\200"}},
    {39,
     "bidi overrides and zero width",
     "\\342\\200\\256evil\\342\\200\\254\\342\\201\\246x\\342\\201\\251\\342\\200\\213\\357\\273\\2"
     "77",
     {"\342\200\256", "\342\201\246"}},
    {39, "a combining flood", "e" MARKS MARKS MARKS MARKS, {NULL}},
    {40,
     "a fake prompt",
     "\\033[2J\\033[H\\033[7m ALLOW make install? a allow d deny \\033[0m\\033[r",
     {"\033[2J\033[H\033[7m ALLOW"}},
    {41,
     "modes left on",
     "\\033[?1049h\\033[?1000h\\033[?1003h\\033[?1006h\\033[?2004h\\033[?1004h\\033[?25l\\033[?7l"
     "\\033[?1h\\033=\\033[4h\\033[?5h",
     {"\033[?1004h", "\033[?5h", "\033[?7l"}},
    {41,
     "kitty keyboard and modifyOtherKeys",
     "\\033[>31u\\033[=31u\\033[>4;2m",
     {"\033[>31u", "\033[>4;2m"}},
    {42,
     "notifications",
     "\\033]9;hello\\007\\033]777;notify;a;b\\007\\033]99;i=1;x\\033\\\\",
     {"]9;", "]777;", "]99;"}},
    {43,
     "C1 controls",
     "\\233[31m\\23552;c;cHduZWQ=\\234\\220+q\\234\\204\\205\\215\\233>c",
     {"\235", "\233", "\220"}},
    {43,
     "C1 controls in UTF-8",
     "\\302\\235\\065\\062;c;cHduZWQ=\\302\\234\\302\\2332J",
     {"\302\235", "\302\233"}},
};

static const char *find(const char *bytes, size_t size, const char *wanted)
{
    size_t length = strlen(wanted);
    for (size_t i = 0; i + length <= size; i++)
        if (memcmp(bytes + i, wanted, length) == 0)
            return bytes + i;
    return NULL;
}

/* The rows of the screen that belong to the dashboard itself: the bar at the bottom. */
static bool bar_is_whole(struct eye *eye)
{
    return strstr(eye_row(eye, eye->rows - 1), "SUPERVISE") != NULL;
}

static void check_raw(struct eye *eye, size_t from, const struct row *row)
{
    for (int i = 0; i < 4 && row->forbidden[i]; i++) {
        const char *at = find(eye->raw + from, eye->raw_size - from, row->forbidden[i]);
        ck_assert_msg(at == NULL, "row %d, %s: part %d of it reached the human's terminal: %.60s",
                      row->number, row->name, i, at ? at : "");
    }
}

START_TEST(stays_in_its_pane)
{
    const struct row *row = &rows[_i];
    char script[4096];
    /* In a file: the command line itself is shown, as text, in the pane's title. */
    snprintf(script, sizeof(script),
             "read go; printf '%s'; printf '\\n\\033[0mprinted\\n'; cat >/dev/null", row->output);
    world_file(&attack_world, "project/print.sh", script, 0644);
    BELLJAR_OK(&attack_world, "run", "-d", "-n", "good", "--", "cat");
    attack_start("bad", "sh print.sh");
    WAIT_FOR(world_state_is(&attack_world, "bad", "running"));
    BELLJAR_OK(&attack_world, "send", "good", "--enter", "untouched");
    WAIT_FOR(world_shows(&attack_world, "good", "untouched\nuntouched"));
    struct eye *eye =
        eye_open(30, 100, (const char *const[]){attack_world.belljar, "attach", NULL});
    EYE_WAIT(eye, eye_shows(eye, "untouched") && eye_shows(eye, "bad") && bar_is_whole(eye));
    size_t before = eye->raw_size;
    BELLJAR_OK(&attack_world, "send", "bad", "--enter");
    EYE_WAIT_TEXT(eye, "printed");
    EYE_WAIT(eye, bar_is_whole(eye));
    check_raw(eye, before, row);
    /* The other pane is as it was, and the sandboxes and the dashboard still work. */
    ck_assert(world_shows(&attack_world, "good", "untouched\nuntouched"));
    BELLJAR_OK(&attack_world, "send", "good", "--enter", "and alive");
    EYE_WAIT_TEXT(eye, "and alive");
    ck_assert(world_state_is(&attack_world, "bad", "running"));
    if (row->number == 33)
        WAIT_FOR(attack_alerted("clipboard"));
    if (row->number == 42)
        WAIT_FOR(ATTACK_SAYS("hello", "alerts", "--json"));
    BELLJAR_OK(&attack_world, "kill", "bad");
    EYE_WAIT_TEXT(eye, "killed");
    check_raw(eye, before, row);
    eye_type(eye, "Q");
    ck_assert_int_eq(eye_wait_end(eye), 0);
    eye_check_restored(eye); /* row 41: whatever was left on inside */
    eye_close(eye);
}
END_TEST

/* Row 35 and 37: what is answered is answered inside, and never with what the agent chose. */
START_TEST(answers_carry_nothing_back)
{
    static const char script[] =
        "stty raw -echo; printf '\\033]2;evilword\\007\\033[21t\\033[20t\\005\\033P$qevilword\\033"
        "\\\\\\033]52;c;?\\007\\033[c'; dd bs=1 count=4000 status=none | (sleep 0; cat) > /tmp/got "
        "& "
        "p=$!; i=0; while [ $i -lt 100 ] && ! grep -q c /tmp/got; do i=$((i+1)); sleep 0.05; done; "
        "kill $p; stty sane; grep -c evilword /tmp/got; od -c /tmp/got | head -3; echo answered; "
        "cat";
    attack_start("bad", script);
    WAIT_FOR(world_shows(&attack_world, "bad", "answered"));
    ck_assert_msg(!world_shows(&attack_world, "bad", "e   v   i   l"), "%s",
                  world_capture(&attack_world, "bad"));
}
END_TEST

static long monitor_memory(const char *name)
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/%lld/status",
             world_number(&attack_world, name, "monitor_pid"));
    const char *line = strstr(world_read(path), "RssAnon:");
    return line ? strtol(line + 8, NULL, 10) : 0;
}

#if defined(__SANITIZE_ADDRESS__)
#define FLOOD         "30000000"
#define MEMORY_MAX_KB (400 * 1024)
#else
#define FLOOD         "300000000"
#define MEMORY_MAX_KB (64 * 1024)
#endif

/* Row 38: endless strings cost no memory, and what follows them is shown. */
START_TEST(endless_strings)
{
    static const char *const begins[] = {"\\033]0;", "\\033]52;c;", "\\033Pq", "\\033_G", "\\033["};
    char script[512];
    for (size_t i = 0; i < sizeof(begins) / sizeof(begins[0]); i++) {
        char name[8];
        snprintf(name, sizeof(name), "s%zu", i);
        snprintf(script, sizeof(script),
                 "printf '%s'; head -c " FLOOD " /dev/zero | tr '\\0' '1'; printf '\\033\\\\\\n"
                 "\\033[0mafter\\n'; cat",
                 begins[i]);
        attack_start(name, script);
        WAIT_FOR(world_shows(&attack_world, name, "after"));
        ck_assert_int_lt(monitor_memory(name), MEMORY_MAX_KB);
        BELLJAR_OK(&attack_world, "kill", name);
    }
}
END_TEST

/* Row 38: a line of any length wraps, scrolls and is kept within the limits. */
START_TEST(long_lines)
{
    attack_start("long", "head -c " FLOOD " /dev/zero | tr '\\0' 'x'; echo; echo after; cat");
    WAIT_FOR(world_shows(&attack_world, "long", "after"));
    ck_assert_int_lt(monitor_memory("long"), MEMORY_MAX_KB);
}
END_TEST

/* Row 42: the human hears a few bells, not all of them. */
START_TEST(bell_flood)
{
    attack_start("bells", "read go; yes \"$(printf '\\007\\007\\007\\007')\" | head -c 400000; "
                          "echo; echo rung; cat");
    WAIT_FOR(world_state_is(&attack_world, "bells", "running"));
    struct eye *eye =
        eye_open(30, 100, (const char *const[]){attack_world.belljar, "attach", NULL});
    EYE_WAIT_TEXT(eye, "bells");
    size_t before = eye->raw_size, rung = 0;
    BELLJAR_OK(&attack_world, "send", "bells", "--enter");
    EYE_WAIT_TEXT(eye, "rung");
    for (size_t i = before; i < eye->raw_size; i++)
        rung += eye->raw[i] == '\a';
    ck_assert_uint_le(rung, 50);
    eye_type(eye, "Q");
    ck_assert_int_eq(eye_wait_end(eye), 0);
    eye_close(eye);
}
END_TEST

int main(void)
{
    static char names[sizeof(rows) / sizeof(rows[0])][128]; /* Check keeps the pointers */
    Suite *suite = suite_create("terminal");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char *name = names[i];
        snprintf(name, sizeof(names[i]), "row %d: %s", rows[i].number, rows[i].name);
        TCase *row = tcase_create(name);
        tcase_add_checked_fixture(row, attack_open, attack_close);
        tcase_set_timeout(row, 120);
        tcase_add_loop_test(row, stays_in_its_pane, (int)i, (int)i + 1);
        suite_add_tcase(suite, row);
    }
    TCase *floods = tcase_create("rows 35, 37, 38, 42");
    tcase_add_checked_fixture(floods, attack_open, attack_close);
    tcase_set_timeout(floods, 300);
    tcase_add_test(floods, answers_carry_nothing_back);
    tcase_add_test(floods, endless_strings);
    tcase_add_test(floods, long_lines);
    tcase_add_test(floods, bell_flood);
    suite_add_tcase(suite, floods);
    return world_main(suite);
}

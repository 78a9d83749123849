/*
 * Real programs look in Belljar as they do in tmux: the same program runs in both at the same size,
 * both captures are drawn by libvterm, and the two screens are compared cell by cell. What may
 * differ is named in allowed(), nothing else.
 */
#include "eye.h"
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct world world;
static char project[128];
static char tmux_socket[128];

/* A screen that a capture was drawn on. */
struct picture {
    VTerm *vterm;
    VTermScreen *screen;
    int rows, cols;
};

static struct picture draw(const char *capture, int rows, int cols)
{
    struct picture picture = {.vterm = vterm_new(rows, cols), .rows = rows, .cols = cols};
    vterm_set_utf8(picture.vterm, 1);
    picture.screen = vterm_obtain_screen(picture.vterm);
    vterm_screen_reset(picture.screen, 1);
    /* tmux writes line drawing with SO and SI, and expects that G1 is that set. */
    vterm_input_write(picture.vterm, "\033)0", 3);
    size_t size = strlen(capture);
    while (size > 0 && capture[size - 1] == '\n')
        size--;
    for (size_t i = 0; i < size; i++) {
        if (capture[i] == '\n')
            vterm_input_write(picture.vterm, "\r", 1);
        vterm_input_write(picture.vterm, &capture[i], 1);
    }
    return picture;
}

static void picture_free(struct picture *picture)
{
    vterm_free(picture->vterm);
}

static void cell_of(const struct picture *picture, int row, int col, VTermScreenCell *cell)
{
    vterm_screen_get_cell(picture->screen, (VTermPos){row, col}, cell);
    if (cell->chars[0] == 0)
        cell->chars[0] = ' ';
}

static bool same_colour(const VTermColor *a, const VTermColor *b)
{
    bool default_a = VTERM_COLOR_IS_DEFAULT_FG(a) || VTERM_COLOR_IS_DEFAULT_BG(a);
    bool default_b = VTERM_COLOR_IS_DEFAULT_FG(b) || VTERM_COLOR_IS_DEFAULT_BG(b);
    if (default_a || default_b)
        return default_a == default_b;
    return vterm_color_is_equal(a, b);
}

static bool same_text(const VTermScreenCell *a, const VTermScreenCell *b)
{
    if (a->width != b->width)
        return false;
    for (int i = 0; i < VTERM_MAX_CHARS_PER_CELL; i++) {
        if (a->chars[i] != b->chars[i])
            return false;
        if (a->chars[i] == 0)
            break;
    }
    return true;
}

static bool same_look(const VTermScreenCell *a, const VTermScreenCell *b)
{
    /* A blank has no foreground that could be seen, unless it is reversed. */
    bool blank = a->chars[0] == ' ' && !a->attrs.reverse && !a->attrs.underline && !a->attrs.strike;
    bool ink = blank || (a->attrs.bold == b->attrs.bold && a->attrs.italic == b->attrs.italic &&
                         a->attrs.blink == b->attrs.blink && same_colour(&a->fg, &b->fg));
    return ink && a->attrs.underline == b->attrs.underline &&
           a->attrs.reverse == b->attrs.reverse && a->attrs.strike == b->attrs.strike &&
           same_colour(&a->bg, &b->bg);
}

/* The differences that are no fault of either: named here, nowhere else. */
static bool allowed(const VTermScreenCell *ours, const VTermScreenCell *theirs)
{
    /* Erased with a background colour (terminfo's bce, as xterm does it): tmux shows the colour on
     * screen, but its capture leaves the cells out. */
    return ours->chars[0] == ' ' && theirs->chars[0] == ' ' && !ours->attrs.reverse &&
           !VTERM_COLOR_IS_DEFAULT_BG(&ours->bg) && VTERM_COLOR_IS_DEFAULT_BG(&theirs->bg);
}

struct page {
    const char *name;
    int rows, cols;
    const char *script; /* runs in the project directory, and must leave its picture standing */
    const char *ready;  /* text that is on the screen when it is drawn */
    const char *needs;  /* a program without which the page is skipped */
    const char *only;   /* compare only rows that contain one of these words (the rest moves) */
};

/* vim asks the terminal for its background colour. Belljar answers, a tmux without a client does
 * not, so the pages choose. htop's figures move and its columns follow the greatest pid, which is
 * another one on the host: only its bar of keys is compared. */
static const struct page pages[] = {
    {"vim", 24, 80,
     "vim -u NONE -i NONE -N -c 'set background=dark' -c 'syntax on' -c 'set number ruler' -c 20 "
     "code.c",
     "main", "vim", NULL},
    {"vim, large and split", 60, 200,
     "vim -u NONE -i NONE -N -c 'set background=dark' -c 'syntax on' -c 'vsplit wide.txt' -c "
     "'split' code.c",
     "main", "vim", NULL},
    {"less", 24, 80, "LESS= less -N code.c", "main", "less", NULL},
    {"less, searched", 24, 80, "LESS= less -R -p puts code.c", "puts", "less", NULL},
    {"htop", 30, 100, "htop", "Help", "htop", "Help"},
    {"git log --color", 40, 100, "git log --color --graph --stat | cat; sleep 1000", "first commit",
     "git", NULL},
    {"git diff --color", 40, 100, "git log -p --color --word-diff | cat; sleep 1000", "return 0",
     "git", NULL},
    {"compiler log, 200 columns", 50, 200,
     "gcc -Wall -Wextra -fdiagnostics-color=always -c bad.c -o /dev/null 2>&1; sleep 1000", "bad.c",
     "gcc", NULL},
    {"compiler log, 80 columns", 24, 80,
     "gcc -Wall -Wextra -fdiagnostics-color=always -c bad.c -o /dev/null 2>&1; sleep 1000", "bad.c",
     "gcc", NULL},
    {"wide characters", 24, 80, "cat wide.txt; sleep 1000", "end of page", NULL, NULL},
    {"wide characters, odd width", 24, 41, "cat wide.txt; sleep 1000", "end of page", NULL, NULL},
    {"wide characters up to the margin", 24, 80,
     "printf '\\346\\227\\245%.0s' \\$(seq 45); echo; printf '%78s\\346\\227\\245x' a; echo; "
     "printf '%79s\\346\\227\\245x' a; echo; echo end of page; sleep 1000",
     "end of page", NULL, NULL},
    {"colours", 30, 80, "cat colours.txt; sleep 1000", "end of page", NULL, NULL},
    {"cursor and erasing", 24, 80, "cat moves.txt; sleep 1000", "end of page", NULL, NULL},
    {"line drawing", 24, 80, "cat boxes.txt; sleep 1000", "end of page", NULL, NULL},
};

static const char wide_text[] =
    "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e\xe3\x81\xae\xe3\x83\x86\xe3\x82\xad\xe3\x82\xb9\xe3\x83"
    "\x88 mixed with latin\n"
    "\xed\x95\x9c\xea\xb5\xad\xec\x96\xb4 \xe4\xb8\xad\xe6\x96\x87 \xef\xbc\xa1\xef\xbc\xa2\xef"
    "\xbc\xa3 full width\n"
    "gr\xc3\xbc\xc3\x9f, na\xc3\xafve, \xce\xb1\xce\xb2\xce\xb3, \xd0\xbf\xd1\x80\xd0\xb8\xd0\xb2"
    "\xd0\xb5\xd1\x82, \xe2\x82\xac\n"
    "combining: e\xcc\x81 a\xcc\x88 o\xcc\x82 end\n"
    "emoji: \xf0\x9f\x98\x80 \xf0\x9f\x9a\x80 \xf0\x9f\x8e\x89 end\n"
    "1234567890123456789012345678901234567890123456789012345678901234567890123456789\xe6\x97\xa5"
    "wraps before the wide one\n"
    "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e\xe6\x97\xa5\xe6\x9c"
    "\xac\xe8\xaa\x9e\rXX overwritten\n"
    "end of page\n";

static const char moves_text[] =
    "\033[2J\033[Habove\033[10;10Hmiddle\033[1Kleft gone\033[12;1Hto the end\033[K\033[5;20H"
    "\033[44mblue \033[K\033[0m\033[6;1H0123456789\033[6;4H\033[3P\033[7;1H0123456789\033[7;4H"
    "\033[3@\033[8;1H0123456789\033[8;4H\033[3X\033[14;1Ha\tb\tc\033[15;1Hsave\0337\033[20;40Hfar"
    "\0338back\033[3;8r\033[8;1H\n\n\033[r\033[16;1Hinsert\033[16;1H\033[4hXX\033[4l\033[17;1Hdel"
    "\033[17;1H\033[M\033[18;5Hrep\033[5b\033[19;1H\033[7mreverse\033[27m \033[4munder\033[24m "
    "\033[9mstruck\033[29m\033[22;1Hend of page";

static const char boxes_text[] =
    "\033(0lqqqqwqqqqk\033(B\r\n\033(0x    x    x\033(B\r\n\033(0mqqqqvqqqqj"
    "\033(B\r\n\xe2\x94\x8c\xe2\x94\x80\xe2\x94\x90 \xe2\x96\x88\xe2"
    "\x96\x84 \xe2\x97\x86\r\nend of page\r\n";

static void make_colours(void)
{
    char text[16384];
    size_t at = 0;
#define ADD(...) at += (size_t)snprintf(text + at, sizeof(text) - at, __VA_ARGS__)
    for (int i = 0; i < 256; i++)
        ADD("\033[48;5;%dm%3d\033[0m%s", i, i, i % 16 == 15 ? "\n" : " ");
    for (int i = 0; i < 64; i++)
        ADD("\033[38;2;%d;%d;%dm#", i * 4, 255 - i * 4, 128);
    ADD("\033[0m\n");
    for (int i = 0; i < 8; i++)
        ADD("\033[3%dmfg \033[9%dmbright \033[1mbold\033[0m ", i, i);
    ADD("\n\033[1mbold\033[0m \033[3mitalic\033[0m \033[4munder\033[0m \033[5mblink\033[0m "
        "\033[7mreverse\033[0m \033[9mstrike\033[0m \033[1;3;4;7mall\033[0m\nend of page\n");
    world_file(&world, "project/colours.txt", text, 0644);
}

static void make_code(void)
{
    char code[8192];
    size_t size = 0;
    size += (size_t)snprintf(code, sizeof(code),
                             "#include <stdio.h>\n\n/* A comment. */\nint main(void)\n{\n");
    for (int i = 0; i < 60; i++)
        size +=
            (size_t)snprintf(code + size, sizeof(code) - size,
                             "    if (%d)\n        printf(\"%%d\\n\", 0x%x); /* %d */\n", i, i, i);
    snprintf(code + size, sizeof(code) - size, "    return 0;\n}\n");
    world_file(&world, "project/code.c", code, 0644);
    world_file(&world, "project/bad.c",
               "#include <stdio.h>\nstatic int unused;\nint main(int argc, char **argv)\n{\n"
               "    int value_with_a_rather_long_name = argc + missing_function_with_a_long_name("
               "argv, \"a string that makes this line go on well beyond one hundred and sixty "
               "columns, so that it wraps\", 1, 2, 3, 4, 5, 6, 7);\n"
               "    printf(\"%s %d\\n\", 42, \"gr\xc3\xbc\xc3\x9f\");\n    return \"x\";\n}\n",
               0644);
}

static void setup(void)
{
    world_open(&world);
    snprintf(project, sizeof(project), "%s/project", world.base);
    snprintf(tmux_socket, sizeof(tmux_socket), "%s/tmux", world.base);
    world_file(&world, "project/wide.txt", wide_text, 0644);
    world_file(&world, "project/moves.txt", moves_text, 0644);
    world_file(&world, "project/boxes.txt", boxes_text, 0644);
    make_colours();
    make_code();
    const char *script = world_file(
        &world, "repo.sh",
        "set -e; cd \"$1\"; export GIT_AUTHOR_DATE=@1700000000+0000 "
        "GIT_COMMITTER_DATE=@1700000000+0000; git init -q -b main .; git config user.email a@b.c; "
        "git config user.name 'A. Name'; git add code.c; git commit -qm 'first commit'; "
        "sed -i 's/printf/puts/' code.c; git commit -qam 'second gr\xc3\xbc\xc3\x9f'; "
        "git tag v1; git checkout -qb side; git add .; git commit -qm 'on the side'; "
        "git checkout -q main; sed -i '1i // top' code.c; git commit -qam 'on main'; "
        "git merge -q --no-edit side",
        0755);
    world_run_ok(&world, (const char *const[]){"sh", script, project, NULL});
}

static void teardown(void)
{
    world_close(&world);
}

#define TMUX "tmux", "-S", tmux_socket, "-f", "/dev/null"

static void tmux_start(const struct page *page, const char *command)
{
    char rows[16], cols[16];
    snprintf(rows, sizeof(rows), "%d", page->rows);
    snprintf(cols, sizeof(cols), "%d", page->cols);
    world_run_ok(&world, (const char *const[]){TMUX,    "new-session", "-d",
                                               "-x",    cols,          "-y",
                                               rows,    "sleep 1000",  ";",
                                               "set",   "-g",          "status",
                                               "off",   ";",           "resize-window",
                                               "-x",    cols,          "-y",
                                               rows,    ";",           "respawn-pane",
                                               "-k",    "-c",          project,
                                               command, NULL});
}

static char *tmux_capture(void)
{
    struct result result;
    world_run(&world, &result, NULL,
              (const char *const[]){TMUX, "capture-pane", "-p", "-e", "-N", NULL});
    ck_assert_msg(result.code == 0, "tmux: %s", result.err);
    free(result.err);
    return result.out;
}

static char *belljar_capture(void)
{
    struct result result;
    BELLJAR(&world, &result, "capture", "page", "--ansi");
    free(result.err);
    return result.out;
}

static bool row_counts(const struct page *page, const char *text)
{
    if (!page->only)
        return true;
    char words[64];
    snprintf(words, sizeof(words), "%s", page->only);
    for (char *word = strtok(words, "\n"); word; word = strtok(NULL, "\n"))
        if (strstr(text, word))
            return true;
    return false;
}

/* The lines of a capture that count. The caller frees. */
static char *counting_rows(const struct page *page, const char *capture)
{
    size_t at = 0;
    char *kept = calloc(1, strlen(capture) + 2);
    ck_assert_ptr_nonnull(kept);
    for (const char *line = capture; *line;) {
        size_t size = strcspn(line, "\n");
        memcpy(kept + at, line, size);
        kept[at + size] = '\0';
        if (row_counts(page, kept + at)) {
            at += size;
            kept[at++] = '\n';
        }
        kept[at] = '\0';
        line += size + (line[size] == '\n');
    }
    return kept;
}

/* Captures until the text is there and nothing that counts changes any more. The caller frees. */
static char *settled(char *(*capture)(void), const struct page *page)
{
    char *text = capture(), *last = counting_rows(page, text);
    long long limit = world_now() + world_patience();
    for (int same = 0; same < 5;) {
        ck_assert_msg(world_now() < limit, "%s does not settle: %s", page->name, text);
        world_breathe();
        free(text);
        text = capture();
        char *now = counting_rows(page, text);
        same = strstr(text, page->ready) && strcmp(now, last) == 0 ? same + 1 : 0;
        free(last);
        last = now;
    }
    free(last);
    return text;
}

static void row_letters(const struct picture *picture, int row, char *text, size_t size)
{
    size_t at = 0;
    for (int col = 0; col < picture->cols && at + 1 < size; col++) {
        VTermScreenCell cell;
        cell_of(picture, row, col, &cell);
        text[at++] = cell.chars[0] < 0x7f ? (char)cell.chars[0] : '?';
    }
    text[at] = '\0';
}

static void describe(char *out, size_t size, const VTermScreenCell *cell)
{
    snprintf(out, size,
             "U+%04X+%04X width %d fg %d:%d,%d,%d bg %d:%d,%d,%d bold %d under %d italic %d rev %d",
             cell->chars[0], cell->chars[1], cell->width, cell->fg.type, cell->fg.rgb.red,
             cell->fg.rgb.green, cell->fg.rgb.blue, cell->bg.type, cell->bg.rgb.red,
             cell->bg.rgb.green, cell->bg.rgb.blue, cell->attrs.bold, cell->attrs.underline,
             cell->attrs.italic, cell->attrs.reverse);
}

/* The row of `ours` that shows the same as a row of `theirs`: the same row, or the one with the
 * same word where only some rows count. */
static int partner(const struct page *page, const struct picture *ours, int row, const char *text)
{
    char words[64], own[512];
    if (!page->only)
        return row;
    snprintf(words, sizeof(words), "%s", page->only);
    for (char *word = strtok(words, "\n"); word; word = strtok(NULL, "\n"))
        for (int i = 0; strstr(text, word) && i < ours->rows; i++) {
            row_letters(ours, i, own, sizeof(own));
            if (strstr(own, word))
                return i;
        }
    ck_abort_msg("%s: no row like: %s", page->name, text);
    return row;
}

static void compare(const struct page *page, const struct picture *ours,
                    const struct picture *theirs)
{
    int compared = 0, different = 0;
    char first[1024] = "";
    for (int row = 0; row < page->rows; row++) {
        char text[512];
        row_letters(theirs, row, text, sizeof(text));
        if (!row_counts(page, text))
            continue;
        int own_row = partner(page, ours, row, text);
        for (int col = 0; col < page->cols; col++) {
            VTermScreenCell a, b;
            cell_of(ours, own_row, col, &a);
            cell_of(theirs, row, col, &b);
            compared++;
            if ((same_text(&a, &b) && same_look(&a, &b)) || allowed(&a, &b))
                continue;
            if (different++ == 0) {
                char one[300], other[300];
                describe(one, sizeof(one), &a);
                describe(other, sizeof(other), &b);
                snprintf(first, sizeof(first), "row %d column %d: %s; tmux %s", row, col, one,
                         other);
            }
        }
    }
    ck_assert_msg(compared > 0, "%s: nothing to compare", page->name);
    ck_assert_msg(different == 0, "%s: %d of %d cells differ; %s", page->name, different, compared,
                  first);
}

static bool installed(const char *program)
{
    struct result result;
    char command[64];
    snprintf(command, sizeof(command), "command -v %s", program);
    world_run(&world, &result, NULL, (const char *const[]){"sh", "-c", command, NULL});
    bool found = result.code == 0;
    result_free(&result);
    if (!found)
        printf("skipped: %s is not installed\n", program);
    return found;
}

START_TEST(looks_as_in_tmux)
{
    const struct page *page = &pages[_i];
    if (!installed("tmux") || (page->needs && !installed(page->needs)))
        return;
    char command[1024], rows[16], cols[16];
    snprintf(command, sizeof(command),
             "exec env -i PATH=/usr/local/bin:/usr/bin:/bin TERM=xterm-256color LANG=C.UTF-8 "
             "HOME=/tmp GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=safe.directory GIT_CONFIG_VALUE_0='*' "
             "sh -c \"%s\"",
             page->script);
    snprintf(rows, sizeof(rows), "%d", page->rows);
    snprintf(cols, sizeof(cols), "%d", page->cols);
    tmux_start(page, command);
    BELLJAR_OK(&world, "run", "-d", "-n", "page", "--project", project, "--rows", rows, "--cols",
               cols, "--", "sh", "-c", command);
    char *our_text = settled(belljar_capture, page);
    char *their_text = settled(tmux_capture, page);
    world_run_ok(&world, (const char *const[]){TMUX, "kill-server", NULL});
    struct picture ours = draw(our_text, page->rows, page->cols);
    struct picture theirs = draw(their_text, page->rows, page->cols);
    compare(page, &ours, &theirs);
    picture_free(&ours);
    picture_free(&theirs);
    free(our_text);
    free(their_text);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("fidelity");
    TCase *cases = tcase_create("fidelity");
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_set_timeout(cases, 300);
    tcase_add_loop_test(cases, looks_as_in_tmux, 0, sizeof(pages) / sizeof(pages[0]));
    suite_add_tcase(suite, cases);
    return world_main(suite);
}

#include "eye.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "world.h"

static int on_prop(VTermProp prop, VTermValue *value, void *user)
{
    struct eye *eye = user;
    if (prop == VTERM_PROP_CURSORVISIBLE)
        eye->cursor_visible = value->boolean;
    else if (prop == VTERM_PROP_ALTSCREEN)
        eye->altscreen = value->boolean;
    else if (prop == VTERM_PROP_MOUSE)
        eye->mouse = value->number;
    return 1;
}

static int on_cursor(VTermPos position, VTermPos old, int visible, void *user)
{
    ((struct eye *)user)->cursor = position;
    return 1;
}

static const VTermScreenCallbacks callbacks = {.movecursor = on_cursor, .settermprop = on_prop};

/* Answers of the terminal to the program's queries. */
static void on_answer(const char *bytes, size_t size, void *user)
{
    struct eye *eye = user;
    ssize_t written = eye->mute ? 0 : write(eye->fd, bytes, size);
    (void)written; /* a program that has ended needs no answer */
}

struct eye *eye_open(int rows, int cols, const char *const argv[])
{
    struct eye *eye = calloc(1, sizeof(*eye));
    ck_assert_ptr_nonnull(eye);
    eye->rows = rows;
    eye->cols = cols;
    eye->cursor_visible = true;
    struct winsize size = {.ws_row = (unsigned short)rows, .ws_col = (unsigned short)cols};
    int slave;
    ck_assert_int_eq(openpty(&eye->fd, &slave, NULL, NULL, &size), 0);
    ck_assert_int_eq(tcgetattr(slave, &eye->first), 0);
    fcntl(eye->fd, F_SETFD, FD_CLOEXEC);
    eye->pid = fork();
    ck_assert_int_ge(eye->pid, 0);
    if (eye->pid == 0) {
        setsid();
        ioctl(slave, TIOCSCTTY, 0);
        for (int fd = 0; fd < 3; fd++)
            dup2(slave, fd);
        for (int fd = 3; fd < 256; fd++)
            close(fd);
        execvp(argv[0], (char *const *)argv);
        dprintf(STDERR_FILENO, "%s: %s\n", argv[0], strerror(errno));
        _exit(127);
    }
    close(slave);
    fcntl(eye->fd, F_SETFL, O_NONBLOCK);
    eye->vterm = vterm_new(rows, cols);
    vterm_set_utf8(eye->vterm, 1);
    vterm_output_set_callback(eye->vterm, on_answer, eye);
    eye->screen = vterm_obtain_screen(eye->vterm);
    vterm_screen_set_callbacks(eye->screen, &callbacks, eye);
    vterm_screen_enable_altscreen(eye->screen, 1);
    vterm_screen_reset(eye->screen, 1);
    return eye;
}

void eye_close(struct eye *eye)
{
    if (!eye->ended) {
        kill(eye->pid, SIGKILL);
        waitpid(eye->pid, NULL, 0);
    }
    close(eye->fd);
    vterm_free(eye->vterm);
    free(eye->raw);
    free(eye);
}

/* ---- what is switched ---- */

/* SGR, as ECMA-48 and xterm have it: which attributes are on, and whether colours are other than
 * the terminal's own. */
static void on_sgr(struct eye_modes *modes, const char *text)
{
    static const unsigned foreground = 1U << 10, background = 1U << 11;
    for (bool more = true; more; text++) {
        int code = atoi(text);
        size_t size = strcspn(text, ";");
        bool whole = memchr(text, ':', size) != NULL; /* 38:2::R:G:B */
        text += size;
        more = *text == ';';
        if (code == 0)
            modes->styled = 0;
        else if (code < 10)
            modes->styled |= 1U << code;
        else if (code == 22)
            modes->styled &= ~(1U << 1 | 1U << 2);
        else if (code > 22 && code < 30)
            modes->styled &= ~(1U << (code - 20));
        else if (code == 39 || code == 49)
            modes->styled &= ~(code == 39 ? foreground : background);
        else if ((code >= 30 && code < 39) || (code >= 90 && code < 98))
            modes->styled |= foreground;
        else if ((code >= 40 && code < 49) || (code >= 100 && code < 108))
            modes->styled |= background;
        if ((code != 38 && code != 48) || whole)
            continue;
        for (int rest = atoi(text + more) == 2 ? 4 : 2; more && rest > 0; rest--) {
            text += 1 + strcspn(text + 1, ";");
            more = *text == ';';
        }
    }
}

static void on_csi(struct eye_modes *modes, const char *text, char final)
{
    bool private = text[0] == '?';
    char *end;
    if (private && (final == 'h' || final == 'l')) {
        for (text++; *text; text = *end ? end + 1 : end) {
            long mode = strtol(text, &end, 10);
            if (end == text)
                break;
            if (mode > 0 && mode < EYE_MODES)
                modes->on[mode] = final == 'h';
        }
    } else if (final == 'q' && strchr(text, ' ')) {
        modes->shape = atoi(text);
    } else if (final == 't') {
        int what = atoi(text);
        modes->titles += what == 22 ? 1 : what == 23 && modes->titles > 0 ? -1 : 0;
    } else if (final == 'm' && (text[0] == '\0' || (text[0] >= '0' && text[0] <= '9'))) {
        on_sgr(modes, text);
    }
}

static void follow(struct eye_modes *modes, char byte)
{
    enum { GROUND, ESCAPE, CSI, STRING, STRING_ESCAPE };
    switch (modes->state) {
    case ESCAPE:
        modes->state = byte == '['                                 ? CSI
                       : byte == ']' || byte == 'P' || byte == '_' ? STRING
                                                                   : GROUND;
        modes->size = 0;
        modes->keypad = byte == '=' || (modes->keypad && byte != '>');
        break;
    case CSI:
        if (byte >= 0x40 && byte <= 0x7e) {
            modes->sequence[modes->size] = '\0';
            on_csi(modes, modes->sequence, byte);
            modes->state = GROUND;
        } else if (modes->size + 1 < sizeof(modes->sequence)) {
            modes->sequence[modes->size++] = byte;
        }
        break;
    case STRING:
    case STRING_ESCAPE:
        modes->state = byte == '\x1b' ? STRING_ESCAPE
                       : byte == '\a' || (byte == '\\' && modes->state == STRING_ESCAPE) ? GROUND
                                                                                         : STRING;
        break;
    default:
        modes->state = byte == '\x1b' ? ESCAPE : GROUND;
    }
}

/* Leaves out the empty colour space of ISO 8613-6 ("38:2::R:G:B"), which libvterm takes for red. */
static size_t without_space(struct eye *eye, const char *from, size_t size, char *to)
{
    static const char wanted[] = "8:2::";
    size_t kept = 0;
    for (size_t i = 0; i < size; i++) {
        eye->space = from[i] == wanted[eye->space] ? eye->space + 1 : from[i] == '8';
        if (wanted[eye->space] == '\0')
            eye->space = 0;
        else
            to[kept++] = from[i];
    }
    return kept;
}

bool eye_pump(struct eye *eye, int milliseconds)
{
    static char part[65536], plain[65536];
    struct pollfd polled = {.fd = eye->fd, .events = POLLIN};
    if (poll(&polled, 1, milliseconds) <= 0)
        return true;
    ssize_t size = read(eye->fd, part, sizeof(part));
    if (size < 0 && (errno == EAGAIN || errno == EINTR))
        return true;
    if (size <= 0)
        return false;
    eye->raw = realloc(eye->raw, eye->raw_size + (size_t)size + 1);
    ck_assert_ptr_nonnull(eye->raw);
    memcpy(eye->raw + eye->raw_size, part, (size_t)size);
    eye->raw_size += (size_t)size;
    eye->raw[eye->raw_size] = '\0';
    for (ssize_t i = 0; i < size; i++)
        follow(&eye->modes, part[i]);
    static const char asked[] = "\x1b[?2026$p", known[] = "\x1b[?2026;2$y";
    if (eye->syncs && memmem(part, (size_t)size, asked, sizeof(asked) - 1))
        on_answer(known, sizeof(known) - 1, eye);
    vterm_input_write(eye->vterm, plain, without_space(eye, part, (size_t)size, plain));
    return true;
}

void eye_type(struct eye *eye, const char *bytes)
{
    size_t size = strlen(bytes);
    while (size > 0) {
        ssize_t written = write(eye->fd, bytes, size);
        if (written < 0 && errno == EAGAIN) {
            eye_pump(eye, 20);
            continue;
        }
        ck_assert_int_gt(written, 0);
        bytes += written;
        size -= (size_t)written;
    }
}

void eye_resize(struct eye *eye, int rows, int cols)
{
    struct winsize size = {.ws_row = (unsigned short)rows, .ws_col = (unsigned short)cols};
    eye->rows = rows;
    eye->cols = cols;
    vterm_set_size(eye->vterm, rows, cols);
    /* Terminals forget their scrolling region then; libvterm 0.1 keeps its top, though it may be
     * below the last row now, and moves memory by a negative size. */
    static const char forget[] = "\x1b"
                                 "7\x1b[r\x1b"
                                 "8";
    if (eye->modes.state == 0) /* not in the middle of a sequence */
        vterm_input_write(eye->vterm, forget, sizeof(forget) - 1);
    ck_assert_int_eq(ioctl(eye->fd, TIOCSWINSZ, &size), 0);
}

static size_t put_utf8(char *out, uint32_t code)
{
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    size_t extra = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    static const unsigned char heads[] = {0, 0xc0, 0xe0, 0xf0};
    out[0] = (char)(heads[extra] | code >> (6 * extra));
    for (size_t i = 1; i <= extra; i++)
        out[i] = (char)(0x80 | (code >> (6 * (extra - i)) & 0x3f));
    return extra + 1;
}

void eye_cell(struct eye *eye, int row, int col, VTermScreenCell *cell)
{
    ck_assert_msg(vterm_screen_get_cell(eye->screen, (VTermPos){row, col}, cell) == 1,
                  "there is no cell %d, %d of %dx%d", row, col, eye->rows, eye->cols);
}

/* The text of cells [from, to) of a row; columns[i] is the cell of byte i. */
static size_t row_text(struct eye *eye, int row, int from, int to, char *text, int *columns,
                       size_t room)
{
    size_t size = 0, end = 0;
    for (int col = from; col < to && size + 32 < room;) {
        VTermScreenCell cell;
        eye_cell(eye, row, col, &cell);
        size_t before = size;
        if (cell.chars[0] == 0 || cell.chars[0] == (uint32_t)-1)
            text[size++] = ' ';
        else
            for (int i = 0; i < VTERM_MAX_CHARS_PER_CELL && cell.chars[i]; i++)
                size += put_utf8(text + size, cell.chars[i]);
        for (size_t i = before; i < size; i++)
            columns[i] = col;
        if (text[size - 1] != ' ')
            end = size;
        col += cell.width > 1 ? cell.width : 1;
    }
    text[end] = '\0';
    return end;
}

#define ROW_MAX 16384
static char row_buffer[ROW_MAX];
static int row_columns[ROW_MAX];

const char *eye_cells(struct eye *eye, int row, int from, int to)
{
    row_text(eye, row, from, to, row_buffer, row_columns, ROW_MAX);
    return row_buffer;
}

const char *eye_row(struct eye *eye, int row)
{
    return eye_cells(eye, row, 0, eye->cols);
}

int eye_find(struct eye *eye, const char *text, int *col)
{
    for (int row = 0; row < eye->rows; row++) {
        const char *at = strstr(eye_row(eye, row), text);
        if (!at)
            continue;
        if (col)
            *col = row_columns[at - row_buffer];
        return row;
    }
    return -1;
}

bool eye_shows(struct eye *eye, const char *text)
{
    return eye_find(eye, text, NULL) >= 0;
}

void eye_dump(struct eye *eye)
{
    printf("+--- %dx%d, cursor %d,%d%s%s\n", eye->cols, eye->rows, eye->cursor.row, eye->cursor.col,
           eye->altscreen ? ", alternate screen" : "", eye->ended ? ", ended" : "");
    for (int row = 0; row < eye->rows; row++)
        printf("|%s\n", eye_row(eye, row));
    puts("+---");
    fflush(stdout);
}

void eye_fail(struct eye *eye, const char *what)
{
    eye_dump(eye);
    ck_abort_msg("the screen never showed: %s", what);
    abort();
}

static bool has_ended(struct eye *eye)
{
    if (!eye->ended && waitpid(eye->pid, &eye->status, WNOHANG) == eye->pid)
        eye->ended = true;
    return eye->ended;
}

int eye_wait_end(struct eye *eye)
{
    EYE_WAIT(eye, has_ended(eye));
    /* What it wrote last may still be in the pty. */
    size_t before;
    do {
        before = eye->raw_size;
    } while (eye_pump(eye, 0) && eye->raw_size != before);
    return WIFEXITED(eye->status) ? WEXITSTATUS(eye->status) : 128 + WTERMSIG(eye->status);
}

/* What the terminal was told last, for whoever reads a failure. */
static void dump_end(const struct eye *eye)
{
    size_t from = eye->raw_size > 400 ? eye->raw_size - 400 : 0;
    fputs("the last bytes: ", stdout);
    for (size_t i = from; i < eye->raw_size; i++) {
        unsigned char byte = (unsigned char)eye->raw[i];
        printf(byte < ' ' || byte == 0x7f ? "\\x%02x" : "%c", byte);
    }
    putchar('\n');
    fflush(stdout);
}

void eye_check_restored(struct eye *eye)
{
    if (eye->modes.styled)
        dump_end(eye);
    struct termios now;
    ck_assert_int_eq(tcgetattr(eye->fd, &now), 0);
    ck_assert_msg(now.c_lflag == eye->first.c_lflag && now.c_iflag == eye->first.c_iflag &&
                      now.c_oflag == eye->first.c_oflag && now.c_cflag == eye->first.c_cflag,
                  "the terminal's modes were not restored");
    ck_assert_msg(memcmp(now.c_cc, eye->first.c_cc, sizeof(now.c_cc)) == 0,
                  "the terminal's special characters were not restored");
    ck_assert_msg(!eye->altscreen, "the alternate screen is still on");
    ck_assert_msg(eye->mouse == 0, "the mouse is still on");
    ck_assert_msg(eye->cursor_visible, "the cursor is still hidden");
    for (int mode = 1; mode < EYE_MODES; mode++)
        ck_assert_msg(!eye->modes.on[mode] || mode == 7 || mode == 25, "mode ?%d is still on",
                      mode);
    ck_assert_msg(!eye->modes.keypad, "the keypad still sends sequences");
    ck_assert_msg(!eye->modes.styled, "attributes are still on");
    ck_assert_int_eq(eye->modes.shape, 0);
    ck_assert_int_eq(eye->modes.titles, 0);
}

void eye_detach(struct eye *eye)
{
    eye_type(eye, "Q");
    ck_assert_int_eq(eye_wait_end(eye), 0);
    eye_check_restored(eye);
    eye_close(eye);
}

void eye_click(struct eye *eye, const char *text, int right)
{
    char event[40];
    int col, row = eye_find(eye, text, &col);
    if (row < 0)
        eye_fail(eye, text);
    snprintf(event, sizeof(event), "\x1b[<0;%d;%dM\x1b[<0;%d;%dm", col + 1 + right, row + 1,
             col + 1 + right, row + 1);
    eye_type(eye, event);
}

void eye_escape(struct eye *eye)
{
    eye_type(eye, "\x1b");
    eye_pump(eye, 300);
}

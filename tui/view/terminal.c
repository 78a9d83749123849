#include "tui/view/terminal.h"

#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include <curses.h>
#include <term.h>

#include "transport/api.h"

#define SIZE_MAX_ROWS 2000
#define SIZE_MAX_COLS 2000

/* ctlseqs.txt: mouse (clicks, drags, SGR), bracketed paste, focus. */
#define MODES_ON  "\x1b[?1000h\x1b[?1002h\x1b[?1006h\x1b[?2004h\x1b[?1004h"
#define MODES_OFF "\x1b[?1004l\x1b[?2004l\x1b[?1006l\x1b[?1002l\x1b[?1000l"
#define TITLE_OFF "\x1b[23;2t"

/* A frame between these is shown at once (DEC private mode 2026, "synchronized output"). */
#define SYNC      2026
#define SYNC_ON   "\x1b[?2026h"
#define SYNC_OFF  "\x1b[?2026l"
#define SYNC_ASK  "\x1b[?2026$p"
#define ANSWER_MS 300

/* For a crash: everything at once; a terminal leaves out what it does not know. The title comes off
 * the stack a second time, since ncurses puts it there with the alternate screen. */
static const char emergency[] =
    SYNC_OFF MODES_OFF TITLE_OFF "\x1b[0 q\x1b[?25h\x1b[0m\x1b[?1049l\x1b[23;0;0t\r\n";

static const int fatal[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};
#define FATAL_COUNT (sizeof(fatal) / sizeof(fatal[0]))

static struct {
    volatile sig_atomic_t open;
    bool registered;
    bool xterm;
    struct termios saved;
    struct sigaction before[FATAL_COUNT];
    SCREEN *screen;
    char title[128];
    int shape;
    bool blink;
    const char *set_shape;          /* terminfo Ss */
    char sync_on[32], sync_off[32]; /* "" while it is not known to understand them */
    int64_t asked;                  /* monotonic ms; 0: an answer is not, or no longer, expected */
} term;

#define WRITE_MS 1000

static void emit(const char *text)
{
    size_t size = strlen(text);
    while (size > 0) {
        ssize_t sent = write(STDOUT_FILENO, text, size);
        if (sent < 0 && errno == EINTR)
            continue;
        /* The pty's buffer is full: half a sequence would swallow what comes behind it. */
        struct pollfd writable = {.fd = STDOUT_FILENO, .events = POLLOUT};
        if (sent < 0 && errno == EAGAIN && poll(&writable, 1, WRITE_MS) > 0)
            continue;
        if (sent <= 0)
            return; /* the terminal is gone; nothing is owed to it */
        text += sent;
        size -= (size_t)sent;
    }
}

static void on_fatal(int number)
{
    if (term.open) {
        term.open = 0;
        ssize_t ignored = write(STDOUT_FILENO, emergency, sizeof(emergency) - 1);
        (void)ignored;
        tcsetattr(STDIN_FILENO, TCSANOW, &term.saved);
    }
    /* Whoever was responsible before (a sanitizer, or nobody) sees the same fault again. */
    for (size_t i = 0; i < FATAL_COUNT; i++)
        if (fatal[i] == number)
            sigaction(number, &term.before[i], NULL);
    raise(number);
}

static void catch_fatal(void)
{
    struct sigaction action = {.sa_handler = on_fatal, .sa_flags = SA_NODEFER};
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < FATAL_COUNT; i++)
        sigaction(fatal[i], &action, &term.before[i]);
}

/* Without any locale in the environment a terminal of today is UTF-8; LC_ALL=C still means ASCII.
 */
static bool choose_locale(void)
{
    setlocale(LC_ALL, "");
    bool named = false;
    static const char *const variables[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    for (size_t i = 0; i < 3; i++) {
        const char *value = getenv(variables[i]);
        named |= value && *value;
    }
    if (!named && !setlocale(LC_CTYPE, "C.UTF-8"))
        setlocale(LC_CTYPE, "C.utf8");
    return strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

static bool known(const char *name)
{
    int status;
    if (setupterm(name, STDOUT_FILENO, &status) != OK)
        return false;
    del_curterm(cur_term);
    return true;
}

/* The description with which ncurses sends 24-bit colours to this terminal, if there is one. */
static bool direct_name(const char *name, char out[80])
{
    const char *depth = getenv("COLORTERM");
    if (!depth || (strcmp(depth, "truecolor") != 0 && strcmp(depth, "24bit") != 0))
        return false;
    size_t base = strlen(name);
    if (base > 9 && strcmp(name + base - 9, "-256color") == 0)
        base -= 9;
    if (base > 60)
        return false;
    snprintf(out, 80, "%.*s-direct", (int)base, name);
    if (known(out))
        return true;
    bool tmux = strncmp(name, "tmux", 4) == 0 || strncmp(name, "screen", 6) == 0;
    strcpy(out, tmux ? "tmux-direct" : "xterm-direct");
    return (tmux || strncmp(name, "xterm", 5) == 0) && known(out);
}

/* The kernel's console and DEC's terminals, whose fonts know no rounded and no heavy lines. */
static bool is_console(const char *name)
{
    return strncmp(name, "linux", 5) == 0 ||
           (strncmp(name, "vt", 2) == 0 && name[2] >= '0' && name[2] <= '9');
}

/* What the description that is in use can: direct colours when it has as many as 24 bits have. Of
 * more than a palette and fewer than those only the first eight mean the same everywhere. */
static enum term_colors count_colors(void)
{
    return COLORS >= TERM_DIRECT ? TERM_DIRECT
           : COLORS > 256        ? TERM_8
           : COLORS == 256       ? TERM_256
           : COLORS >= 16        ? TERM_16
           : COLORS >= 8         ? TERM_8
                                 : TERM_MONO;
}

static SCREEN *open_screen(struct term_facts *facts)
{
    const char *name = getenv("TERM");
    const char *plain = getenv("NO_COLOR");
    bool mono = plain && *plain;
    char direct[80];
    SCREEN *screen = NULL;
    if (!name || !*name)
        return NULL;
    if (!mono && direct_name(name, direct))
        screen = newterm(direct, stdout, stdin);
    if (!screen)
        screen = newterm(name, stdout, stdin);
    facts->colors = TERM_MONO;
    if (screen && !mono && has_colors() && start_color() == OK)
        facts->colors = count_colors();
    facts->console = is_console(name);
    int kept = tigetnum("CO");
    facts->palette_kept = kept > 0 ? kept : 8;
    if (screen && facts->colors != TERM_MONO)
        use_default_colors();
    return screen;
}

static void modes_on(void)
{
    if (!term.xterm)
        return;
    emit("\x1b[22;2t\x1b]2;");
    emit(term.title);
    emit("\x1b\\" MODES_ON);
}

static int64_t clock_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Whether it takes frames as one: terminfo says so (Sync), or the terminal is asked, whose answer
 * comes among the keys, if at all. Only relatives of xterm are, which leave out what they do not
 * know; should one print it nevertheless, the first frame begins by clearing the screen. */
static void learn_sync(const char *name, const char *mouse)
{
    const char *sync = tigetstr("Sync");
    term.sync_on[0] = term.sync_off[0] = '\0';
    term.asked = 0;
    if (sync && sync != (char *)-1) {
        snprintf(term.sync_on, sizeof(term.sync_on), "%s", tiparm(sync, 1));
        snprintf(term.sync_off, sizeof(term.sync_off), "%s", tiparm(sync, 2));
    } else if (term.xterm && (strcmp(mouse, "\x1b[<") == 0 || strncmp(name, "xterm", 5) == 0 ||
                              strncmp(name, "tmux", 4) == 0)) {
        emit(SYNC_ASK);
        term.asked = clock_ms();
    }
}

void term_answer(int mode, int setting)
{
    if (mode != SYNC || term.asked == 0)
        return;
    term.asked = 0;
    if (setting == 1 || setting == 2) {
        strcpy(term.sync_on, SYNC_ON);
        strcpy(term.sync_off, SYNC_OFF);
    }
}

/* Who leaves at once must not leave the answer to the shell, which would take it for typed. */
static void await_answer(void)
{
    char byte = '\0';
    for (int64_t left; term.asked > 0 && (left = term.asked + ANSWER_MS - clock_ms()) > 0;) {
        struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
        if (poll(&input, 1, (int)left) <= 0 || read(STDIN_FILENO, &byte, 1) <= 0 || byte == 'y')
            break;
    }
    term.asked = 0;
}

static void modes_off(void)
{
    await_answer();
    emit(term.sync_off);
    if (term.xterm)
        emit(MODES_OFF TITLE_OFF);
    if (term.set_shape && term.shape != 0)
        emit("\x1b[0 q");
    term.shape = 0;
}

int term_open(const char *title, struct term_facts *facts, struct bj_error *error)
{
    *facts = (struct term_facts){0};
    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
        return bj_fail(error, -ENOTTY,
                       "the dashboard needs a terminal on its input and output; `belljar ls` and "
                       "`belljar capture` work without one");
    if (tcgetattr(STDIN_FILENO, &term.saved) < 0)
        return bj_fail(error, -errno, "cannot read the terminal's modes: %s", strerror(errno));
    facts->utf8 = choose_locale();
    set_escdelay(25);
    term.screen = open_screen(facts);
    if (!term.screen) {
        const char *name = getenv("TERM");
        tcsetattr(STDIN_FILENO, TCSANOW, &term.saved);
        return bj_fail(error, -ENOTTY,
                       "the terminal type %s is not known here: try TERM=xterm-256color",
                       name && *name ? name : "(TERM is not set)");
    }
    catch_fatal();
    if (!term.registered)
        atexit(term_close);
    term.registered = true;
    term.open = 1;
    raw();
    noecho();
    nonl();
    leaveok(stdscr, FALSE);
    scrollok(stdscr, FALSE);
    typeahead(-1); /* a frame is painted whole, whatever was typed meanwhile */
    curs_set(0);

    const char *mouse = tigetstr("kmous");
    facts->xterm = term.xterm = mouse && mouse != (char *)-1;
    const char *shape = tigetstr("Ss");
    term.set_shape = shape && shape != (char *)-1 ? shape : NULL;
    facts->cursor_shape = term.set_shape != NULL;
    snprintf(term.title, sizeof(term.title), "%s", title);
    refresh(); /* the alternate screen first */
    modes_on();
    learn_sync(getenv("TERM"), mouse);
    clearok(curscr, TRUE);
    return 0;
}

/* Again, behind the alternate screen: with the main screen some terminals (libvterm's, for one)
 * take back whether the cursor was hidden. */
static void show_cursor(void)
{
    const char *visible = tigetstr("cnorm");
    if (visible && visible != (char *)-1)
        putp(visible);
    fflush(stdout);
}

void term_close(void)
{
    if (!term.open)
        return;
    term.open = 0;
    modes_off();
    curs_set(1);
    endwin();
    show_cursor();
    tcsetattr(STDIN_FILENO, TCSADRAIN, &term.saved);
    for (size_t i = 0; i < FATAL_COUNT; i++)
        sigaction(fatal[i], &term.before[i], NULL);
    delscreen(term.screen);
    term.screen = NULL;
}

bool term_alive(void)
{
    struct termios modes;
    return tcgetattr(STDIN_FILENO, &modes) == 0;
}

void term_stop(void)
{
    modes_off();
    curs_set(1);
    endwin();
    show_cursor();
    tcsetattr(STDIN_FILENO, TCSADRAIN, &term.saved);
    kill(getpid(), SIGSTOP);
    raw();
    noecho();
    nonl();
    refresh();
    curs_set(0);
    modes_on();
}

void term_resize(int *rows, int *cols)
{
    struct winsize size = {0};
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 && size.ws_col > 0) {
        int high = size.ws_row < SIZE_MAX_ROWS ? size.ws_row : SIZE_MAX_ROWS;
        int wide = size.ws_col < SIZE_MAX_COLS ? size.ws_col : SIZE_MAX_COLS;
        if (high != LINES || wide != COLS)
            resizeterm(high, wide);
    }
    *rows = LINES;
    *cols = COLS;
    clearok(curscr, TRUE);
}

void term_refresh(void)
{
    wnoutrefresh(stdscr);
    bool whole = term.sync_on[0] && (is_wintouched(newscr) || is_wintouched(curscr) ||
                                     is_cleared(newscr) || is_cleared(curscr));
    if (whole)
        emit(term.sync_on);
    doupdate();
    if (whole)
        emit(term.sync_off);
}

void term_cursor(int shape, bool blink)
{
    if (!term.set_shape || (shape == term.shape && blink == term.blink))
        return;
    /* DECSCUSR: 1 blinking block, 2 block, 3 and 4 underline, 5 and 6 bar. */
    char *text = tiparm(term.set_shape, shape == 0 ? 0 : 2 * shape - (blink ? 1 : 0));
    if (text)
        emit(text);
    term.shape = shape;
    term.blink = blink;
}

/* OSC 9 is iTerm2's and ConEmu's, OSC 777 rxvt-unicode's; each ends in ST. */
void term_notify(enum notify_how how, const char *text)
{
    char sequence[NOTIFY_TEXT_MAX + 40] = "\a";
    char plain[NOTIFY_TEXT_MAX];
    size_t size = 0;
    if (!term.open || how == NOTIFY_OFF)
        return;
    for (; *text && size + 1 < sizeof(plain); text++)
        if (*text >= ' ' && *text < 0x7f && *text != ';') /* nothing can end the sequence */
            plain[size++] = *text;
    plain[size] = '\0';
    if (term.xterm && how == NOTIFY_OSC9)
        snprintf(sequence, sizeof(sequence), "\x1b]9;Belljar: %s\x1b\\", plain);
    else if (term.xterm && how == NOTIFY_OSC777)
        snprintf(sequence, sizeof(sequence), "\x1b]777;notify;Belljar;%s\x1b\\", plain);
    emit(sequence);
}

/* OSC 52 of xterm: the clipboard in base64. It is ours; an agent's own is never passed on. */
int term_copy(const char *text, size_t size)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    if (!term.open || !term.xterm)
        return -ENOTSUP;
    if (size > TERM_COPY_MAX)
        return -EMSGSIZE;
    char *sequence = malloc(size / 3 * 4 + 32);
    if (!sequence)
        return -ENOMEM;
    char *at = stpcpy(sequence, "\x1b]52;c;");
    const unsigned char *from = (const unsigned char *)text;
    for (size_t i = 0; i < size; i += 3) {
        size_t left = size - i;
        uint32_t bits = (uint32_t)from[i] << 16 | (left > 1 ? (uint32_t)from[i + 1] << 8 : 0) |
                        (left > 2 ? from[i + 2] : 0);
        *at++ = digits[bits >> 18];
        *at++ = digits[bits >> 12 & 63];
        *at++ = left > 1 ? digits[bits >> 6 & 63] : '=';
        *at++ = left > 2 ? digits[bits & 63] : '=';
    }
    strcpy(at, "\x1b\\");
    emit(sequence);
    free(sequence);
    return 0;
}

/* ---- keys ---- */

static const struct {
    const char *capability;
    const char *key;
    unsigned mods;
} plain_keys[] = {
    {"kcuu1", "up", 0},
    {"kcud1", "down", 0},
    {"kcub1", "left", 0},
    {"kcuf1", "right", 0},
    {"khome", "home", 0},
    {"kend", "end", 0},
    {"kich1", "insert", 0},
    {"kdch1", "delete", 0},
    {"kpp", "pageup", 0},
    {"knp", "pagedown", 0},
    {"kcbt", "tab", BJ_MOD_SHIFT},
    {"kf1", "f1", 0},
    {"kf2", "f2", 0},
    {"kf3", "f3", 0},
    {"kf4", "f4", 0},
    {"kf5", "f5", 0},
    {"kf6", "f6", 0},
    {"kf7", "f7", 0},
    {"kf8", "f8", 0},
    {"kf9", "f9", 0},
    {"kf10", "f10", 0},
    {"kf11", "f11", 0},
    {"kf12", "f12", 0},
};

/* Extended names of user_caps(5): kLFT is shifted, kLFT3 to kLFT8 by xterm's modifier number. */
static const struct {
    const char *capability;
    const char *key;
} shifted_keys[] = {
    {"kUP", "up"},   {"kDN", "down"},   {"kLFT", "left"},  {"kRIT", "right"},  {"kHOM", "home"},
    {"kEND", "end"}, {"kIC", "insert"}, {"kDC", "delete"}, {"kPRV", "pageup"}, {"kNXT", "pagedown"},
};

static void teach(struct decode *decode, const char *capability, const char *key, unsigned mods)
{
    const char *sequence = tigetstr(capability);
    if (sequence && sequence != (char *)-1)
        decode_learn(decode, sequence, key, mods);
}

void term_teach(struct decode *decode)
{
    for (size_t i = 0; i < sizeof(plain_keys) / sizeof(plain_keys[0]); i++)
        teach(decode, plain_keys[i].capability, plain_keys[i].key, plain_keys[i].mods);
    for (size_t i = 0; i < sizeof(shifted_keys) / sizeof(shifted_keys[0]); i++) {
        teach(decode, shifted_keys[i].capability, shifted_keys[i].key, BJ_MOD_SHIFT);
        for (unsigned number = 3; number <= 8; number++) {
            char name[16];
            snprintf(name, sizeof(name), "%s%u", shifted_keys[i].capability, number);
            teach(decode, name, shifted_keys[i].key, number - 1);
        }
    }
}

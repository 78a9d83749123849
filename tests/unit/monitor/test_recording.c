/* What goes into a recording comes out of it, byte by byte, wherever the writing was cut short. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mux/monitor/base64.h"
#include "mux/monitor/recording.h"
#include "mux/monitor/recording_read.h"
#include "screen.h"

static char directory[64];
static const uint8_t epoch[RECORDING_EPOCH] = "sixteen bytes ok";

static void setup(void)
{
    snprintf(directory, sizeof(directory), "/tmp/belljar-monitor-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(directory));
}

static void file_path(char out[128], int file)
{
    snprintf(out, 128, "%s/recording.%d.cast", directory, file);
}

static void teardown(void)
{
    char path[128];
    for (int i = 0; i < RECORDING_FILES; i++) {
        file_path(path, i);
        unlink(path);
    }
    rmdir(directory);
}

static void open_recording(struct recording *recording, uint64_t limit)
{
    struct bj_error error = {0};
    ck_assert_msg(recording_open(recording, directory, "test", limit, &error) == 0, "%s",
                  error.text);
}

/* Output as the link gives it: to the terminal, then to the recording, then flushed. */
static void give(struct recording *recording, struct terminal *t, const uint8_t *bytes, size_t size)
{
    struct bj_error error = {0};
    terminal_write(t, bytes, size);
    recording_output(recording, bytes, size);
    ck_assert_msg(recording_flush(recording, t, false, &error) == 0, "%s", error.text);
}

static void collect(void *owner, const struct recording_event *event)
{
    if (event->code == 'o' && !event->redraw)
        bytes_add(owner, event->data, event->size);
}

static void read_file(int file, struct bytes *out, struct recording_header *header, uint64_t *good)
{
    char path[128];
    struct bj_error error = {0};
    file_path(path, file);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ck_assert_int_ge(fd, 0);
    ck_assert_msg(recording_read(fd, header, collect, out, good, &error) == 0, "%s", error.text);
    close(fd);
}

START_TEST(test_exact)
{
    static uint8_t stream[60000];
    struct recording recording;
    struct recording_header header;
    uint64_t good;
    uint32_t seed = (uint32_t)_i + 1;
    /* Noise, then bytes of every value, then U+FFFD itself and cut sequences. */
    screen_noise(seed, stream, 30000);
    for (size_t i = 30000; i < 50000; i++)
        stream[i] = (uint8_t)((seed = seed * 1664525U + 1013904223U) >> 24);
    for (size_t i = 50000; i < sizeof(stream); i++)
        stream[i] = (uint8_t) "\xef\xbf\xbd\xf0\x9f\x98\x80\xe4\xbd"[i % 9];
    struct terminal *t = screen_new(24, 80, 100, NULL);
    open_recording(&recording, 1 << 24);
    recording_begin(&recording, t, epoch, 7);
    for (size_t at = 0; at < sizeof(stream);) {
        size_t size = 1 + (seed = seed * 1664525U + 1013904223U) % 500;
        if (size > sizeof(stream) - at)
            size = sizeof(stream) - at;
        give(&recording, t, stream + at, size);
        at += size;
        ck_assert_uint_le(recording.safe, 7 + at);
        ck_assert_uint_ge(recording.safe + 3, 7 + at);
    }
    ck_assert_int_eq(recording_flush(&recording, t, true, NULL), 0);
    ck_assert_uint_eq(recording.safe, 7 + sizeof(stream));
    struct bytes out = {0};
    read_file(0, &out, &header, &good);
    ck_assert_uint_eq(header.offset, 7);
    ck_assert_mem_eq(header.epoch, epoch, sizeof(epoch));
    ck_assert_uint_eq(out.size, sizeof(stream));
    ck_assert_mem_eq(out.data, stream, sizeof(stream));
    ck_assert_uint_eq(good, recording.size);
    bytes_free(&out);
    recording_close(&recording);
    terminal_free(t);
}
END_TEST

/* The first bytes end in the middle of a sequence, and of a character. */
START_TEST(test_begins_in_the_middle)
{
    static const char *const parts[] = {"\x1b[3", "1mred \xe6", "\x97\xa5 \x1b]2;ti", "tle\a."};
    struct recording recording;
    struct terminal *t = screen_new(4, 20, 0, NULL);
    uint64_t given = 0;
    open_recording(&recording, 1 << 20);
    recording_begin(&recording, t, epoch, 0);
    for (int i = 0; i <= _i; i++) {
        give(&recording, t, (const uint8_t *)parts[i], strlen(parts[i]));
        given += strlen(parts[i]);
    }
    uint64_t safe = recording.safe;
    recording_close(&recording);
    struct terminal *like = screen_new(4, 20, 0, NULL);
    for (int i = 0; i <= _i; i++)
        terminal_write(like, (const uint8_t *)parts[i],
                       i < _i ? strlen(parts[i]) : strlen(parts[i]) - (size_t)(given - safe));
    open_recording(&recording, 1 << 20);
    struct recording_past past;
    struct terminal *back = screen_new(4, 20, 0, NULL);
    ck_assert_int_eq(recording_restore(&recording, back, &past, NULL), 0);
    ck_assert_uint_eq(recording.offset, safe);
    /* What comes next completes the sequence in both. */
    for (int i = _i; i < 4; i++) {
        size_t had = i == _i ? strlen(parts[i]) - (size_t)(given - safe) : 0;
        terminal_write(like, (const uint8_t *)parts[i] + had, strlen(parts[i]) - had);
        terminal_write(back, (const uint8_t *)parts[i] + had, strlen(parts[i]) - had);
    }
    const char *difference = screen_difference(like, back);
    ck_assert_msg(!difference, "%s", difference);
    recording_close(&recording);
    terminal_free(back);
    terminal_free(like);
    terminal_free(t);
}
END_TEST

/* The file cut at every length: what is read is a beginning of the stream, and at least what was
 * acknowledged while the file was that long. */
START_TEST(test_cut_short)
{
    static const uint8_t stream[] = "plain \xff\xfe broken \xef\xbf\xbd end\xc3";
    struct recording recording;
    struct recording_header header;
    uint64_t good, safe[4096] = {0};
    struct terminal *t = screen_new(4, 20, 0, NULL);
    open_recording(&recording, 1 << 20);
    recording_begin(&recording, t, epoch, 0);
    ck_assert_int_eq(recording_flush(&recording, t, false, NULL), 0);
    uint64_t start = recording.size;
    for (size_t i = 0; i < sizeof(stream) - 1; i++) {
        uint64_t before = recording.size;
        give(&recording, t, stream + i, 1);
        ck_assert_uint_lt(recording.size, sizeof(safe) / sizeof(safe[0]));
        for (uint64_t at = before; at < recording.size; at++)
            safe[at + 1] = safe[before];
        safe[recording.size] = recording.safe;
    }
    char path[128];
    file_path(path, 0);
    for (uint64_t size = recording.size; size >= start; size--) {
        ck_assert_int_eq(truncate(path, (off_t)size), 0);
        struct bytes out = {0};
        read_file(0, &out, &header, &good);
        ck_assert_uint_le(good, size);
        ck_assert_uint_ge(out.size, safe[size]);
        ck_assert_mem_eq(out.size ? out.data : stream, stream, out.size);
        bytes_free(&out);
    }
    recording_close(&recording);
    terminal_free(t);
}
END_TEST

START_TEST(test_restore)
{
    static uint8_t noise[3000];
    struct recording recording;
    struct recording_past past;
    struct bj_error error = {0};
    struct terminal *t = screen_new(24, 80, 1000, NULL);
    open_recording(&recording, 512 << 10); /* turns over a few times */
    recording_begin(&recording, t, epoch, 0);
    uint64_t given = 0;
    for (uint32_t i = 0; i < 400; i++) {
        screen_noise(i, noise, sizeof(noise));
        noise[sizeof(noise) - 1] = 0x18;
        give(&recording, t, noise, sizeof(noise));
        given += sizeof(noise);
        if (i == 390) {
            terminal_resize(t, 30, 100);
            recording_resize(&recording, 30, 100);
        }
    }
    recording_marker(&recording, "exited 2 0 ");
    ck_assert_int_eq(recording_flush(&recording, t, true, NULL), 0);
    ck_assert_uint_gt(recording.sequence, 2);
    recording_close(&recording);

    struct terminal *back = screen_new(24, 80, 1000, NULL);
    open_recording(&recording, 512 << 10);
    ck_assert_msg(recording_restore(&recording, back, &past, &error) == 0, "%s", error.text);
    ck_assert(past.any && past.exited);
    ck_assert_int_eq(past.code, 2);
    ck_assert_uint_eq(recording.offset, given);
    const char *difference = screen_difference(t, back);
    ck_assert_msg(!difference, "%s", difference);
    ck_assert_uint_eq(terminal_history(t), terminal_history(back));
    recording_close(&recording);
    terminal_free(back);
    terminal_free(t);
}
END_TEST

START_TEST(test_damage)
{
    static const char *const damage[] = {"",
                                         "{}\n",
                                         "junk\n",
                                         "\n\n\n",
                                         "[1, \"o\", \"x\"]\n",
                                         "{\"version\": 2, \"belljar\": {\"epoch\": \"zz\"}}\n"};
    struct recording recording;
    struct recording_past past;
    char path[128];
    file_path(path, 0);
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, damage[_i], strlen(damage[_i])), (ssize_t)strlen(damage[_i]));
    close(fd);
    struct terminal *t = screen_new(4, 20, 0, NULL);
    open_recording(&recording, 1 << 20);
    ck_assert_int_eq(recording_restore(&recording, t, &past, NULL), 0);
    ck_assert(!past.any);
    recording_close(&recording);
    terminal_free(t);
}
END_TEST

/* What was recorded shows the same screen again. Returns the offset at which the stream goes on. */
static uint64_t restore_like(struct terminal *t, uint64_t limit)
{
    struct recording recording;
    struct recording_past past;
    struct terminal *back = screen_new(4, 20, 0, NULL);
    open_recording(&recording, limit);
    ck_assert_int_eq(recording_restore(&recording, back, &past, NULL), 0);
    const char *difference = screen_difference(t, back);
    ck_assert_msg(!difference, "%s", difference);
    uint64_t offset = recording.offset;
    recording_close(&recording);
    terminal_free(back);
    return offset;
}

/* A full disk: the recording pauses with a sentence, and goes on when there is room. */
START_TEST(test_disk_full)
{
    static uint8_t text[200000];
    struct recording recording;
    struct bj_error error = {0};
    struct terminal *t = screen_new(4, 20, 0, NULL);
    struct rlimit old, tight;
    memset(text, 'x', sizeof(text));
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &old);
    tight = (struct rlimit){100000, old.rlim_max};
    open_recording(&recording, 1 << 24);
    recording_begin(&recording, t, epoch, 0);
    give(&recording, t, text, 1000);
    setrlimit(RLIMIT_FSIZE, &tight);
    recording_output(&recording, text, sizeof(text));
    terminal_write(t, text, sizeof(text));
    ck_assert_int_lt(recording_flush(&recording, t, false, &error), 0);
    ck_assert_ptr_nonnull(strstr(error.text, "recording stopped"));
    ck_assert_uint_eq(recording.safe, 1000 + sizeof(text));
    recording_output(&recording, text, 10);
    terminal_write(t, text, 10);
    ck_assert_int_eq(recording_flush(&recording, t, false, NULL), -EAGAIN);
    ck_assert_uint_eq(recording.safe, 1010 + sizeof(text));
    setrlimit(RLIMIT_FSIZE, &old);
    recording.retry_at = 0; /* the moment has come */
    ck_assert_int_eq(recording_flush(&recording, t, false, NULL), 0);
    give(&recording, t, (const uint8_t *)"\r\nback", 6);
    recording_close(&recording);

    ck_assert_uint_eq(restore_like(t, 1 << 24), 1016 + sizeof(text));
    terminal_free(t);
}
END_TEST

/* It is full just when the other file begins, which then lacks even its header. */
START_TEST(test_disk_full_at_the_turn)
{
    static uint8_t text[100000];
    struct recording recording;
    struct bj_error error = {0};
    struct terminal *t = screen_new(4, 20, 0, NULL);
    memset(text, 'x', sizeof(text));
    open_recording(&recording, 1);
    recording_begin(&recording, t, epoch, 0);
    give(&recording, t, text, 1000);
    int other = recording.fds[1], full = open("/dev/full", O_RDWR | O_CLOEXEC), status = 0;
    ck_assert_int_ge(full, 0);
    recording.fds[1] = full;
    for (int i = 0; status == 0 && i < 100; i++) {
        recording_output(&recording, text, sizeof(text));
        terminal_write(t, text, sizeof(text));
        status = recording_flush(&recording, t, false, &error);
    }
    ck_assert_int_lt(status, 0);
    ck_assert_int_eq(recording.active, 1);
    recording.fds[1] = other;
    close(full);
    recording.retry_at = 0; /* the moment has come */
    ck_assert_int_eq(recording_flush(&recording, t, false, NULL), 0);
    give(&recording, t, (const uint8_t *)"\r\nback", 6);
    uint64_t offset = recording.offset;
    recording_close(&recording);

    ck_assert_uint_eq(restore_like(t, 1), offset);
    terminal_free(t);
}
END_TEST

/* A screen of a colour for each cell, and another behind it: its redraw is one long line. */
START_TEST(test_large_screen)
{
    struct recording recording;
    struct terminal *t = screen_new(150, 500, 0, NULL);
    open_recording(&recording, 1 << 28);
    for (int screen = 0; screen < 2; screen++) {
        for (int i = 0; i < 150 * 500; i++) {
            char cell[64];
            snprintf(cell, sizeof(cell), "\x1b[38;2;%d;255;%dm\x1b[48;2;255;255;%dmx",
                     100 + i % 150, 100 + screen, 100 + i % 7);
            terminal_write(t, (const uint8_t *)cell, strlen(cell));
        }
        if (screen == 0)
            terminal_write(t, (const uint8_t *)"\x1b[?1049h", 8);
    }
    recording_begin(&recording, t, epoch, 0);
    give(&recording, t, (const uint8_t *)"y", 1);
    ck_assert_uint_gt(recording.size, 6U * 1024 * 1024);
    recording_close(&recording);
    restore_like(t, 1 << 28);
    terminal_free(t);
}
END_TEST

/* With an age the files take turns after half of it, so that no output stays longer than that. */
START_TEST(test_age)
{
    struct recording recording;
    struct recording_header header;
    struct bytes kept = {0};
    uint64_t good;
    struct terminal *t = screen_new(4, 20, 0, NULL);
    open_recording(&recording, 1 << 20);
    recording.age = 100;
    recording_begin(&recording, t, epoch, 0);
    ck_assert_int_eq(recording_flush(&recording, t, false, NULL), 0);
    give(&recording, t, (const uint8_t *)"old", 3);
    ck_assert_int_eq(recording.active, 0);
    recording.start -= 51;
    give(&recording, t, (const uint8_t *)"er", 2);
    ck_assert_int_eq(recording.active, 1);
    give(&recording, t, (const uint8_t *)"new", 3);
    ck_assert_int_eq(recording.active, 1);
    recording.start -= 51;
    give(&recording, t, (const uint8_t *)"er", 2);
    ck_assert_int_eq(recording.active, 0);
    read_file(0, &kept, &header, &good);
    ck_assert_uint_eq(kept.size, 0); /* what it had is gone */
    read_file(1, &kept, &header, &good);
    ck_assert_uint_eq(kept.size, 5);
    ck_assert_int_eq(memcmp(kept.data, "newer", 5), 0);
    bytes_free(&kept);
    recording_close(&recording);
    terminal_free(t);
}
END_TEST

START_TEST(test_off)
{
    struct recording recording;
    struct stat info;
    char path[128];
    struct terminal *t = screen_new(4, 20, 0, NULL);
    open_recording(&recording, 0);
    recording_begin(&recording, t, epoch, 0);
    give(&recording, t, (const uint8_t *)"text\xc3", 5);
    ck_assert_uint_eq(recording.safe, 5);
    file_path(path, 0);
    ck_assert_int_lt(stat(path, &info), 0);
    recording_close(&recording);
    terminal_free(t);
}
END_TEST

START_TEST(test_base64)
{
    uint8_t bytes[64] = {0}, back[64] = {0};
    char text[128];
    for (size_t size = 0; size < sizeof(bytes); size++) {
        for (size_t i = 0; i < size; i++)
            bytes[i] = (uint8_t)(i * 37 + size);
        base64_encode(text, bytes, size);
        ck_assert_int_eq(base64_decode(back, text, BASE64_SIZE(size)), (ptrdiff_t)size);
        ck_assert_mem_eq(size ? back : bytes, bytes, size);
    }
    ck_assert_int_eq(base64_decode(back, "abc", 3), -1);
    ck_assert_int_eq(base64_decode(back, "a===", 4), -1);
    ck_assert_int_eq(base64_decode(back, "ab=c", 4), -1);
    ck_assert_int_eq(base64_decode(back, "ab==abcd", 8), -1);
    ck_assert_int_eq(base64_decode(back, "ab\ncd===", 8), -1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("recording");
    TCase *tcase = tcase_create("recording");
    tcase_set_timeout(tcase, 120);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, test_exact, 0, 4);
    tcase_add_loop_test(tcase, test_begins_in_the_middle, 0, 4);
    tcase_add_test(tcase, test_cut_short);
    tcase_add_test(tcase, test_restore);
    tcase_add_loop_test(tcase, test_damage, 0, 6);
    tcase_add_test(tcase, test_disk_full);
    tcase_add_test(tcase, test_disk_full_at_the_turn);
    tcase_add_test(tcase, test_large_screen);
    tcase_add_test(tcase, test_age);
    tcase_add_test(tcase, test_off);
    tcase_add_test(tcase, test_base64);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}

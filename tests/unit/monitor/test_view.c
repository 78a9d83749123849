/*
 * Frames, applied by a model client, give the very screen that the monitor has; a client that does
 * not read delays nobody.
 */
#include <check.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness.h"
#include "screen.h"
#include "transport/pack.h"

static struct world world;
static struct shim shim;

static void setup(void)
{
    world = (struct world){.record_limit = 0};
    shim = (struct shim){.fd = -1};
    memcpy(shim.epoch, "sixteen bytes ok", 16);
    world_begin(&world);
    shim_up(&shim, &world);
}

static void teardown(void)
{
    shim_close(&shim);
    world_end(&world);
}

struct model_cell {
    char text[4 * CLUSTER_POINTS_MAX + 1];
    struct attribute look; /* by value; link 1 when there is a target */
};

struct model {
    int rows, cols, row, col;
    bool visible;
    uint64_t modes, frame, offset;
    char title[256];
    struct model_cell *cells;
    struct attribute looks[ATTRIBUTES_MAX];
};

static void apply_line(struct model *model, const msgpack_object *event)
{
    int row = (int)event[1].via.i64, col = (int)event[2].via.i64;
    const msgpack_object_array *items = &event[3].via.array;
    struct attribute look = {0};
    ck_assert_int_lt(row, model->rows);
    for (uint32_t i = 0; i < items->size; i++) {
        const msgpack_object_array *item = &items->ptr[i].via.array;
        uint64_t repeat = item->size > 2 ? item->ptr[2].via.u64 : 1;
        ck_assert(i > 0 || item->size > 1);
        if (item->size > 1)
            look = model->looks[item->ptr[1].via.u64];
        for (; repeat > 0; repeat--, col++) {
            ck_assert_int_lt(col, model->cols);
            struct model_cell *cell = &model->cells[row * model->cols + col];
            uint32_t size = item->ptr[0].via.str.size;
            ck_assert_uint_lt(size, sizeof(cell->text));
            memcpy(cell->text, item->ptr[0].via.str.ptr, size);
            cell->text[size] = '\0';
            cell->look = look;
        }
    }
}

static void blank(struct model *model, int from, int to)
{
    for (int i = from * model->cols; i < to * model->cols; i++)
        model->cells[i] = (struct model_cell){.text = " "};
}

static void apply_event(struct model *model, const msgpack_object_array *array)
{
    const msgpack_object *event = array->ptr;
    if (bj_is_str(event, "resize")) {
        model->cols = (int)event[1].via.u64;
        model->rows = (int)event[2].via.u64;
        free(model->cells);
        model->cells = calloc((size_t)(model->rows * model->cols), sizeof(*model->cells));
        ck_assert_ptr_nonnull(model->cells);
        blank(model, 0, model->rows);
    } else if (bj_is_str(event, "attr")) {
        ck_assert_uint_eq(array->size, 6);
        model->looks[event[1].via.u64] =
            (struct attribute){(uint32_t)event[2].via.u64, (uint32_t)event[3].via.u64,
                               event[5].via.u64 != 0, (uint32_t)event[4].via.u64};
    } else if (bj_is_str(event, "line")) {
        apply_line(model, event);
    } else if (bj_is_str(event, "scroll")) {
        int top = (int)event[1].via.i64, bottom = (int)event[2].via.i64, up = (int)event[3].via.i64;
        memmove(model->cells + top * model->cols, model->cells + (top + up) * model->cols,
                (size_t)((bottom - top - up) * model->cols) * sizeof(*model->cells));
        blank(model, bottom - up, bottom);
    } else if (bj_is_str(event, "cursor")) {
        model->row = (int)event[1].via.i64;
        model->col = (int)event[2].via.i64;
        model->visible = event[3].via.boolean;
    } else if (bj_is_str(event, "mode")) {
        model->modes = event[1].via.u64;
    } else if (bj_is_str(event, "title")) {
        snprintf(model->title, sizeof(model->title), "%.*s", (int)event[1].via.str.size,
                 event[1].via.str.ptr);
    } else if (bj_is_str(event, "view")) {
        model->offset = event[1].via.u64;
    }
}

/* Takes one frame and acknowledges it. */
static void take_frame(struct peer *client, struct model *model)
{
    const msgpack_object *frame = peer_event(client, "redraw");
    ck_assert_uint_eq(frame->via.array.size, 2);
    uint64_t number = frame->via.array.ptr[0].via.u64;
    ck_assert_uint_eq(number, model->frame + 1);
    model->frame = number;
    const msgpack_object_array *events = &frame->via.array.ptr[1].via.array;
    for (uint32_t i = 0; i < events->size; i++)
        apply_event(model, &events->ptr[i].via.array);
    peer_call(client, "view.ack", "u", "frame", number);
}

/* NULL when the client sees what the terminal holds. */
static const char *model_difference(struct model *model, struct terminal *t)
{
    static char text[256];
    if (model->rows != t->rows || model->cols != t->cols)
        return "size";
    for (int row = 0; row < t->rows; row++) {
        for (int col = 0; col < t->cols; col++) {
            const struct model_cell *seen = &model->cells[row * t->cols + col];
            const struct cell *cell = screen_cell(t, row, col);
            const struct attribute *look = screen_look(t, row, col);
            struct bytes glyph = {0};
            capture_glyph(&t->styles, cell->glyph, &glyph);
            bytes_add(&glyph, "", 1);
            const char *expected =
                cell->glyph == 0 || cell->glyph == GLYPH_PAD ? " " : (const char *)glyph.data;
            bool link = hyperlinks_get(&t->styles.links, look->link) != NULL;
            bool same = strcmp(expected, seen->text) == 0 && look->fg == seen->look.fg &&
                        look->bg == seen->look.bg && look->flags == seen->look.flags &&
                        link == (seen->look.link != 0);
            snprintf(text, sizeof(text), "row %d col %d: '%s' and '%s'", row, col, expected,
                     seen->text);
            bytes_free(&glyph);
            if (!same)
                return text;
        }
    }
    snprintf(text, sizeof(text), "cursor, title or modes");
    return model->row == t->row && model->col == t->col && strcmp(model->title, t->title) == 0 &&
                   model->modes == terminal_mode_bits(t)
               ? NULL
               : text;
}

static void settle(struct peer *client, struct model *model, struct terminal *t)
{
    while (model_difference(model, t)) {
        struct pollfd waiting = {.fd = client->fd, .events = POLLIN};
        bool more = client->kept.size > 0 || client->in.off < client->in.used ||
                    poll(&waiting, 1, 5000) > 0;
        ck_assert_msg(more, "no frame mends: %s", model_difference(model, t));
        take_frame(client, model);
    }
}

START_TEST(test_model)
{
    struct peer client;
    struct model *model = calloc(1, sizeof(*model));
    struct terminal *t = screen_new(24, 80, 1000, NULL);
    uint8_t noise[6000];
    uint64_t sent = 0;
    ck_assert_ptr_nonnull(model);
    peer_connect(&client, &world, "view.sock");
    peer_call(&client, "view.attach", "");
    for (uint32_t round = 0; round < 60; round++) {
        size_t size = 1 + round * 97 % sizeof(noise);
        screen_noise(round + 5, noise, size - 1);
        noise[size - 1] = 0x18; /* nothing half read, no update left open */
        terminal_write(t, noise, size);
        shim_data(&shim, sent, noise, size);
        sent += size;
        shim_wait_acked(&shim, sent);
        settle(&client, model, t);
    }
    free(model->cells);
    free(model);
    terminal_free(t);
    peer_close(&client);
}
END_TEST

START_TEST(test_scrolled_view_stays)
{
    struct peer client;
    struct model *model = calloc(1, sizeof(*model));
    char text[64];
    uint64_t sent = 0;
    ck_assert_ptr_nonnull(model);
    peer_connect(&client, &world, "view.sock");
    for (int i = 0; i < 500; i++) {
        int size = snprintf(text, sizeof(text), "line %d\r\n", i);
        shim_data(&shim, sent, text, (size_t)size);
        sent += (uint64_t)size;
    }
    shim_wait_acked(&shim, sent);
    peer_call(&client, "view.attach", "");
    take_frame(&client, model);
    ck_assert_str_eq(model->cells[0].text, "l");
    const msgpack_object *result = peer_call(&client, "view.scroll", "u", "offset", (uint64_t)100);
    ck_assert_uint_eq(bj_get_uint(result, "offset", 0), 100);
    take_frame(&client, model);
    char first[5] = {0};
    for (int i = 0; i < 4; i++)
        first[i] = model->cells[5 + i].text[0];
    ck_assert_str_eq(first, "377 ");
    for (int i = 0; i < 50; i++) {
        shim_data(&shim, sent, "more\r\n", 6);
        sent += 6;
    }
    shim_wait_acked(&shim, sent);
    while (model->offset < 150)
        take_frame(&client, model);
    for (int i = 0; i < 4; i++)
        first[i] = model->cells[5 + i].text[0];
    ck_assert_str_eq(first, "377 ");
    ck_assert(!model->visible);
    result = peer_call(&client, "view.scroll", "u", "offset", (uint64_t)1000000);
    ck_assert_uint_lt(bj_get_uint(result, "offset", 0), 1000000);
    peer_call(&client, "view.scroll", "u", "offset", (uint64_t)0);
    while (model->offset != 0)
        take_frame(&client, model);
    ck_assert_str_eq(model->cells[0].text, "m");
    free(model->cells);
    free(model);
    peer_close(&client);
}
END_TEST

START_TEST(test_stopped_client_delays_nobody)
{
    struct peer client, stopped;
    uint64_t sent = 0;
    static char block[32768];
    memset(block, 'x', sizeof(block));
    peer_connect(&stopped, &world, "view.sock");
    peer_connect(&client, &world, "view.sock");
    peer_call(&stopped, "view.attach", "");
    peer_call(&client, "view.attach", "");
    /* `stopped` reads nothing from here on, and acknowledges nothing. */
    struct model *model = calloc(1, sizeof(*model));
    ck_assert_ptr_nonnull(model);
    for (int i = 0; i < 300; i++) {
        memset(block, 'a' + i % 26, sizeof(block));
        shim_output(&shim, (const uint8_t *)block - sent, sent, sent + sizeof(block));
        sent += sizeof(block);
        if (i % 20 == 0)
            take_frame(&client, model);
    }
    shim_wait_acked(&shim, sent);
    while (model->cells[0].text[0] != 'a' + 299 % 26)
        take_frame(&client, model);
    /* It got at most two frames, and then the newest state. */
    struct model *late = calloc(1, sizeof(*late));
    ck_assert_ptr_nonnull(late);
    while (late->frame < 3)
        take_frame(&stopped, late);
    ck_assert_int_eq(late->cells[0].text[0], 'a' + 299 % 26);
    free(late->cells);
    free(late);
    free(model->cells);
    free(model);
    peer_close(&client);
    peer_close(&stopped);
}
END_TEST

START_TEST(test_synchronized_update)
{
    struct peer client;
    struct model *model = calloc(1, sizeof(*model));
    ck_assert_ptr_nonnull(model);
    peer_connect(&client, &world, "view.sock");
    peer_call(&client, "view.attach", "");
    take_frame(&client, model);
    shim_data(&shim, 0, "\x1b[?2026hhalf", 12);
    shim_wait_acked(&shim, 12);
    shim_data(&shim, 12, "\x1b[Hwhole\x1b[?2026l", 16);
    shim_wait_acked(&shim, 28);
    do {
        take_frame(&client, model);
        ck_assert_str_ne(model->cells[0].text, "h");
    } while (model->cells[0].text[0] != 'w');
    /* One that is never closed is shown after a moment. */
    shim_data(&shim, 28, "\x1b[?2026h\x1b[Hopen", 15);
    shim_wait_acked(&shim, 43);
    while (model->cells[0].text[0] != 'o')
        take_frame(&client, model);
    free(model->cells);
    free(model);
    peer_close(&client);
}
END_TEST

START_TEST(test_hidden)
{
    struct peer client;
    struct model *model = calloc(1, sizeof(*model));
    ck_assert_ptr_nonnull(model);
    peer_connect(&client, &world, "view.sock");
    peer_call(&client, "view.attach", "");
    take_frame(&client, model);
    peer_call(&client, "view.hide", "");
    shim_data(&shim, 0, "unseen", 6);
    shim_wait_acked(&shim, 6);
    peer_call(&client, "view.capture", "");
    ck_assert_uint_eq(client.kept.size, 0);
    peer_call(&client, "view.show", "");
    take_frame(&client, model);
    ck_assert_str_eq(model->cells[0].text, "u");
    ck_assert_int_eq(peer_refused(&client, "view.ack", "u", "frame", (uint64_t)99), -22);
    free(model->cells);
    free(model);
    peer_close(&client);
}
END_TEST

static void size_is(struct peer *peer, int rows, int cols)
{
    const msgpack_object *text = peer_call(peer, "view.capture", "");
    ck_assert_int_eq(bj_get_int(text, "rows", 0), rows);
    ck_assert_int_eq(bj_get_int(text, "cols", 0), cols);
}

#define ROOM(rows_, cols_) "uu", "rows", (uint64_t)(rows_), "cols", (uint64_t)(cols_)

/* The pty has the size of who acted last; who only comes, or lays out anew, takes it from nobody.
 */
START_TEST(test_sizes)
{
    struct peer large, small, third;
    peer_connect(&large, &world, "view.sock");
    peer_call(&large, "view.attach", ROOM(47, 158));
    size_is(&large, 47, 158);
    peer_connect(&small, &world, "view.sock");
    peer_call(&small, "view.attach", ROOM(7, 38));
    size_is(&small, 47, 158);
    peer_call(&small, "view.size", ROOM(8, 38));
    size_is(&small, 47, 158);
    peer_call(&small, "view.focus", "b", "focused", 0); /* to leave is not to act */
    size_is(&small, 47, 158);
    peer_call(&large, "view.size", ROOM(40, 120)); /* whose it is */
    size_is(&small, 40, 120);

    peer_call(&small, "view.take", "");
    size_is(&large, 8, 38);
    peer_call(&large, "view.size", ROOM(47, 158));
    size_is(&large, 8, 38);
    peer_call(&large, "view.focus", "b", "focused", 1);
    size_is(&large, 47, 158);
    peer_call(&small, "view.input", "x", "bytes", "x", (size_t)1);
    size_is(&large, 8, 38);

    /* Of those who show it. */
    peer_call(&small, "view.hide", "");
    size_is(&large, 47, 158);
    peer_call(&small, "view.show", "");
    size_is(&large, 8, 38);
    peer_connect(&third, &world, "view.sock");
    peer_call(&third, "view.attach", "uub", "rows", (uint64_t)20, "cols", (uint64_t)70, "readonly",
              1);
    peer_call(&third, "view.take", "");
    size_is(&large, 8, 38);
    peer_close(&third);
    peer_close(&small);
    peer_connect(&third, &world, "view.sock");
    peer_call(&third, "view.attach", ROOM(10, 10));
    for (int i = 0; i < 1000 && bj_get_int(peer_call(&large, "view.capture", ""), "rows", 0) != 47;
         i++)
        usleep(10000); /* the monitor sees the end by itself */
    size_is(&large, 47, 158);

    /* Nobody has acted: it stays with who has it. */
    peer_call(&third, "view.hide", "");
    peer_close(&large);
    peer_call(&third, "view.show", "");
    peer_connect(&small, &world, "view.sock");
    peer_call(&small, "view.attach", ROOM(7, 38));
    for (int i = 0; i < 1000 && bj_get_int(peer_call(&third, "view.capture", ""), "rows", 0) != 10;
         i++)
        usleep(10000);
    size_is(&third, 10, 10);
    peer_call(&third, "view.hide", "");
    size_is(&third, 7, 38);
    peer_call(&third, "view.show", "");
    size_is(&third, 7, 38);
    peer_close(&third);
    peer_close(&small);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("view");
    TCase *tcase = tcase_create("view");
    tcase_set_timeout(tcase, 120);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, test_model);
    tcase_add_test(tcase, test_scrolled_view_stays);
    tcase_add_test(tcase, test_stopped_client_delays_nobody);
    tcase_add_test(tcase, test_synchronized_update);
    tcase_add_test(tcase, test_hidden);
    tcase_add_test(tcase, test_sizes);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}

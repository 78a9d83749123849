#include "suite.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "transport/api.h"
#include "transport/pack.h"
#include "transport/rpc.h"

static const struct {
    const struct bj_method *methods;
    const struct bj_notification *events;
} apis[] = {
    {bj_api_server, bj_events_server},
    {bj_api_view, bj_events_view},
    {bj_api_control, bj_events_control},
};

static msgpack_sbuffer buffer;
static msgpack_packer packer;
static msgpack_unpacked unpacked;

static void setup(void)
{
    msgpack_sbuffer_init(&buffer);
    msgpack_packer_init(&packer, &buffer, msgpack_sbuffer_write);
    msgpack_unpacked_init(&unpacked);
}

static void teardown(void)
{
    msgpack_unpacked_destroy(&unpacked);
    msgpack_sbuffer_destroy(&buffer);
}

/* What was packed so far, as an object; the buffer is empty for the next one. */
static const msgpack_object *packed(void)
{
    size_t offset = 0;
    msgpack_unpacked_destroy(&unpacked);
    static char *kept;
    free(kept);
    kept = malloc(buffer.size);
    memcpy(kept, buffer.data, buffer.size);
    ck_assert_int_eq(msgpack_unpack_next(&unpacked, kept, buffer.size, &offset),
                     MSGPACK_UNPACK_SUCCESS);
    ck_assert_uint_eq(offset, buffer.size);
    msgpack_sbuffer_clear(&buffer);
    return &unpacked.data;
}

static size_t params_of(const struct bj_method *method)
{
    size_t count = 0;
    while (count < BJ_PARAMS_MAX && method->params[count].name)
        count++;
    return count;
}

START_TEST(tables_are_sound)
{
    const struct bj_method *methods = apis[_i].methods;
    ck_assert_str_eq(methods[0].name, "api.info");
    for (const struct bj_method *method = methods; method->name; method++) {
        ck_assert(method->doc && method->doc[0] && method->result && method->result[0]);
        ck_assert_ptr_eq(bj_method_find(methods, method->name, strlen(method->name)), method);
        for (size_t i = 0; i < params_of(method); i++) {
            const struct bj_param *param = &method->params[i];
            ck_assert_msg(param->type >= BJ_PARAM_STR && param->type <= BJ_PARAM_STRS, "%s.%s",
                          method->name, param->name);
            ck_assert_ptr_nonnull(param->doc);
            ck_assert_msg(param->type == BJ_PARAM_BOOL || param->limit > 0, "%s.%s has no limit",
                          method->name, param->name);
            for (size_t j = 0; j < i; j++)
                ck_assert_str_ne(param->name, method->params[j].name);
        }
    }
    for (const struct bj_notification *event = apis[_i].events; event->name; event++)
        ck_assert(event->doc && event->fields);
}
END_TEST

START_TEST(find)
{
    ck_assert_ptr_null(bj_method_find(NULL, "api.info", 8));
    ck_assert_ptr_null(bj_method_find(bj_api_server, "", 0));
    ck_assert_ptr_null(bj_method_find(bj_api_server, "sandbox.li", 10));
    ck_assert_ptr_null(bj_method_find(bj_api_server, "sandbox.list2", 13));
    ck_assert_ptr_null(bj_method_find(bj_api_server, "sandbox.list\0", 13));
    ck_assert_ptr_nonnull(bj_method_find(bj_api_server, "sandbox.list2", 12));
    ck_assert_ptr_null(bj_method_find(bj_api_view, "sandbox.run", 11));
}
END_TEST

/* A value of the type, with `measure` as its number, bytes or strings. */
static void pack_value(enum bj_param_type type, uint64_t measure)
{
    char *bytes = calloc(1, type == BJ_PARAM_STR || type == BJ_PARAM_BIN ? measure + 1 : 1);
    switch (type) {
    case BJ_PARAM_STR:
        memset(bytes, 'a', measure);
        bj_pack_strn(&packer, bytes, measure);
        break;
    case BJ_PARAM_UINT:
        msgpack_pack_uint64(&packer, measure);
        break;
    case BJ_PARAM_BOOL:
        msgpack_pack_true(&packer);
        break;
    case BJ_PARAM_BIN:
        bj_pack_bin(&packer, bytes, measure);
        break;
    case BJ_PARAM_STRS:
        msgpack_pack_array(&packer, measure);
        for (uint64_t i = 0; i < measure; i++)
            bj_pack_str(&packer, "s");
        break;
    }
    free(bytes);
}

enum change { AS_IT_IS, AT_LIMIT, OVER_LIMIT, WRONG_TYPE, NIL, MISSING, CHANGES };

static void pack_params(const struct bj_method *method, size_t changed, enum change change)
{
    size_t count = params_of(method);
    msgpack_pack_map(&packer, count - (change == MISSING));
    for (size_t i = 0; i < count; i++) {
        const struct bj_param *param = &method->params[i];
        enum change now = i == changed ? change : AS_IT_IS;
        if (now == MISSING)
            continue;
        bj_pack_str(&packer, param->name);
        if (now == NIL)
            msgpack_pack_nil(&packer);
        else if (now == WRONG_TYPE && param->type == BJ_PARAM_UINT)
            msgpack_pack_int(&packer, -1);
        else if (now == WRONG_TYPE)
            msgpack_pack_uint64(&packer, 1);
        else
            pack_value(param->type, now == AT_LIMIT     ? param->limit
                                    : now == OVER_LIMIT ? param->limit + 1
                                                        : 1);
    }
}

START_TEST(every_parameter)
{
    for (const struct bj_method *method = apis[_i].methods; method->name; method++)
        for (size_t i = 0; i < params_of(method); i++)
            for (enum change change = AS_IT_IS; change < CHANGES; change++) {
                const struct bj_param *param = &method->params[i];
                if ((change == OVER_LIMIT || change == AT_LIMIT) &&
                    (param->type == BJ_PARAM_BOOL || param->limit == UINT64_MAX))
                    continue;
                struct bj_error error = {0};
                pack_params(method, i, change);
                int status = bj_method_check(method, packed(), &error);
                bool fits = change <= AT_LIMIT || (change == MISSING && !param->required);
                ck_assert_msg(status == (fits ? 0 : -EINVAL), "%s.%s change %d: %s", method->name,
                              param->name, change, error.text);
                if (!fits) /* the sentence names what is wrong */
                    ck_assert_msg(strstr(error.text, param->name) != NULL, "%s", error.text);
            }
}
END_TEST

START_TEST(odd_parameters)
{
    const struct bj_method *kill = bj_method_find(bj_api_server, "sandbox.kill", 12);
    struct bj_error error = {0};
    ck_assert_int_eq(bj_method_check(kill, NULL, &error), -EINVAL);
    msgpack_pack_array(&packer, 0);
    ck_assert_int_eq(bj_method_check(kill, packed(), &error), -EINVAL);

    msgpack_pack_map(&packer, 1);
    bj_pack_key_bool(&packer, "unknown", true);
    ck_assert_int_eq(bj_method_check(kill, packed(), &error), -EINVAL);
    ck_assert_ptr_nonnull(strstr(error.text, "api.info"));

    msgpack_pack_map(&packer, 1); /* a key that is no text */
    msgpack_pack_int(&packer, 3);
    msgpack_pack_int(&packer, 4);
    ck_assert_int_eq(bj_method_check(kill, packed(), &error), -EINVAL);

    msgpack_pack_map(&packer, 1); /* a list with something that is no text */
    bj_pack_str(&packer, "names");
    msgpack_pack_array(&packer, 2);
    bj_pack_str(&packer, "a");
    msgpack_pack_int(&packer, 1);
    ck_assert_int_eq(bj_method_check(kill, packed(), &error), -EINVAL);

    const struct bj_method *rename = bj_method_find(bj_api_server, "sandbox.rename", 14);
    msgpack_pack_map(&packer, 2);
    bj_pack_key_str(&packer, "name", "a");
    bj_pack_str(&packer, "new_name");
    bj_pack_strn(&packer, "b\0c", 3);
    ck_assert_int_eq(bj_method_check(rename, packed(), &error), -EINVAL);
    ck_assert_ptr_nonnull(strstr(error.text, "NUL"));
}
END_TEST

/* A NUL byte would cut the string where C code reads it: refused in lists as well. */
START_TEST(nul_in_a_list)
{
    const struct bj_method *kill = bj_method_find(bj_api_server, "sandbox.kill", 12);
    struct bj_error error = {0};
    msgpack_pack_map(&packer, 1);
    bj_pack_str(&packer, "names");
    msgpack_pack_array(&packer, 1);
    bj_pack_strn(&packer, "a\0b", 3);
    ck_assert_int_eq(bj_method_check(kill, packed(), &error), -EINVAL);
}
END_TEST

START_TEST(info_names_everything)
{
    bj_api_pack(&packer, apis[_i].methods, apis[_i].events);
    ck_assert_uint_lt(buffer.size, bj_frame_limits_rpc.bytes);
    const msgpack_object *info = packed();
    const msgpack_object *methods = bj_get(info, "methods");
    size_t count = 0;
    for (; apis[_i].methods[count].name; count++) {
        const msgpack_object *method = &methods->via.array.ptr[count];
        ck_assert(bj_is_str(bj_get(method, "name"), apis[_i].methods[count].name));
        ck_assert_uint_eq(bj_get(method, "params")->via.array.size,
                          params_of(&apis[_i].methods[count]));
    }
    ck_assert_uint_eq(methods->via.array.size, count);
    const msgpack_object *events = bj_get(info, "events");
    for (count = 0; apis[_i].events[count].name; count++)
        ck_assert(
            bj_is_str(bj_get(&events->via.array.ptr[count], "name"), apis[_i].events[count].name));
    ck_assert_uint_eq(events->via.array.size, count);
    ck_assert_uint_gt(bj_get_uint(info, "version", 0), 0);
}
END_TEST

START_TEST(readers_believe_nothing)
{
    msgpack_pack_map(&packer, 9);
    bj_pack_key_uint(&packer, "u", UINT64_MAX);
    bj_pack_key_int(&packer, "i", -5);
    bj_pack_key_double(&packer, "d", 1.5);
    bj_pack_key_bool(&packer, "b", true);
    bj_pack_key_str(&packer, "s", "gr\xc3\xbc\xc3\x9f");
    bj_pack_key_bin(&packer, "x", "\0\1", 2);
    bj_pack_key_str(&packer, "n", NULL);
    bj_pack_key_uint(&packer, "p", 7);
    bj_pack_key_uint(&packer, "p", 8); /* twice: the first counts */
    const msgpack_object *map = packed();

    ck_assert_uint_eq(bj_get_uint(map, "u", 0), UINT64_MAX);
    ck_assert_uint_eq(bj_get_uint(map, "i", 3), 3);
    ck_assert_uint_eq(bj_get_uint(map, "none", 3), 3);
    ck_assert_int_eq(bj_get_int(map, "i", 0), -5);
    ck_assert_int_eq(bj_get_int(map, "p", 0), 7);
    ck_assert_int_eq(bj_get_int(map, "u", 9), 9); /* does not fit */
    ck_assert_int_eq(bj_get_int(map, "s", 9), 9);
    ck_assert(bj_get_double(map, "d", 0) == 1.5);
    ck_assert(bj_get_double(map, "p", 0) == 7);
    ck_assert(bj_get_double(map, "s", 2) == 2);
    ck_assert(bj_get_bool(map, "b", false));
    ck_assert(bj_get_bool(map, "p", true));
    ck_assert_ptr_null(bj_get(NULL, "u"));
    ck_assert_ptr_null(bj_get(bj_get(map, "u"), "u"));

    size_t size;
    ck_assert_ptr_nonnull(bj_get_bytes(map, "x", &size));
    ck_assert_uint_eq(size, 2);
    ck_assert_ptr_nonnull(bj_get_bytes(map, "s", &size));
    ck_assert_uint_eq(size, 6);
    ck_assert_ptr_null(bj_get_bytes(map, "n", &size));
    ck_assert_uint_eq(size, 0);

    char out[8];
    ck_assert_uint_eq(bj_get_copy(map, "s", out, sizeof(out)), 6);
    ck_assert_str_eq(out, "gr\xc3\xbc\xc3\x9f");
    ck_assert_uint_eq(bj_get_copy(map, "s", out, 6), 6); /* cut before the last character */
    ck_assert_str_eq(out, "gr\xc3\xbc");
    bj_get_copy(map, "s", out, 4);
    ck_assert_str_eq(out, "gr");
    bj_get_copy(map, "s", out, 1);
    ck_assert_str_eq(out, "");
    ck_assert_uint_eq(bj_get_copy(map, "s", out, 0), 0);
    ck_assert_uint_eq(bj_get_copy(map, "x", out, sizeof(out)), 0);
    ck_assert_str_eq(out, "");
    ck_assert(!bj_is_str(NULL, "") && !bj_is_str(bj_get(map, "s"), "gr"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("api");
    TCase *cases = tcase_create("api");
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_set_timeout(cases, 60);
    tcase_add_loop_test(cases, tables_are_sound, 0, 3);
    tcase_add_test(cases, find);
    tcase_add_loop_test(cases, every_parameter, 0, 3);
    tcase_add_test(cases, odd_parameters);
    tcase_add_test(cases, nul_in_a_list);
    tcase_add_loop_test(cases, info_names_everything, 0, 3);
    tcase_add_test(cases, readers_believe_nothing);
    suite_add_tcase(suite, cases);
    return suite_run(suite);
}

#include "transport/pack.h"

#include <string.h>

void bj_pack_strn(msgpack_packer *packer, const char *text, size_t size)
{
    msgpack_pack_str_with_body(packer, text, size);
}

void bj_pack_str(msgpack_packer *packer, const char *text)
{
    if (text)
        bj_pack_strn(packer, text, strlen(text));
    else
        msgpack_pack_nil(packer);
}

void bj_pack_bin(msgpack_packer *packer, const void *bytes, size_t size)
{
    msgpack_pack_bin_with_body(packer, bytes, size);
}

void bj_pack_key_str(msgpack_packer *packer, const char *key, const char *text)
{
    bj_pack_str(packer, key);
    bj_pack_str(packer, text);
}

void bj_pack_key_uint(msgpack_packer *packer, const char *key, uint64_t value)
{
    bj_pack_str(packer, key);
    msgpack_pack_uint64(packer, value);
}

void bj_pack_key_int(msgpack_packer *packer, const char *key, int64_t value)
{
    bj_pack_str(packer, key);
    msgpack_pack_int64(packer, value);
}

void bj_pack_key_bool(msgpack_packer *packer, const char *key, bool value)
{
    bj_pack_str(packer, key);
    if (value)
        msgpack_pack_true(packer);
    else
        msgpack_pack_false(packer);
}

void bj_pack_key_double(msgpack_packer *packer, const char *key, double value)
{
    bj_pack_str(packer, key);
    msgpack_pack_double(packer, value);
}

void bj_pack_key_bin(msgpack_packer *packer, const char *key, const void *bytes, size_t size)
{
    bj_pack_str(packer, key);
    bj_pack_bin(packer, bytes, size);
}

bool bj_is_str(const msgpack_object *object, const char *text)
{
    size_t size = strlen(text);
    return object && object->type == MSGPACK_OBJECT_STR && object->via.str.size == size &&
           memcmp(object->via.str.ptr, text, size) == 0;
}

const msgpack_object *bj_get(const msgpack_object *map, const char *key)
{
    if (!map || map->type != MSGPACK_OBJECT_MAP)
        return NULL;
    for (uint32_t i = 0; i < map->via.map.size; i++)
        if (bj_is_str(&map->via.map.ptr[i].key, key))
            return &map->via.map.ptr[i].val;
    return NULL;
}

uint64_t bj_get_uint(const msgpack_object *map, const char *key, uint64_t fallback)
{
    const msgpack_object *value = bj_get(map, key);
    return value && value->type == MSGPACK_OBJECT_POSITIVE_INTEGER ? value->via.u64 : fallback;
}

int64_t bj_get_int(const msgpack_object *map, const char *key, int64_t fallback)
{
    const msgpack_object *value = bj_get(map, key);
    if (value && value->type == MSGPACK_OBJECT_NEGATIVE_INTEGER)
        return value->via.i64;
    if (value && value->type == MSGPACK_OBJECT_POSITIVE_INTEGER && value->via.u64 <= INT64_MAX)
        return (int64_t)value->via.u64;
    return fallback;
}

double bj_get_double(const msgpack_object *map, const char *key, double fallback)
{
    const msgpack_object *value = bj_get(map, key);
    if (value && (value->type == MSGPACK_OBJECT_FLOAT32 || value->type == MSGPACK_OBJECT_FLOAT64))
        return value->via.f64;
    if (value && value->type == MSGPACK_OBJECT_POSITIVE_INTEGER)
        return (double)value->via.u64;
    return fallback;
}

bool bj_get_bool(const msgpack_object *map, const char *key, bool fallback)
{
    const msgpack_object *value = bj_get(map, key);
    return value && value->type == MSGPACK_OBJECT_BOOLEAN ? value->via.boolean : fallback;
}

const char *bj_get_bytes(const msgpack_object *map, const char *key, size_t *size)
{
    const msgpack_object *value = bj_get(map, key);
    *size = 0;
    if (value && value->type == MSGPACK_OBJECT_STR) {
        *size = value->via.str.size;
        return value->via.str.ptr;
    }
    if (value && value->type == MSGPACK_OBJECT_BIN) {
        *size = value->via.bin.size;
        return value->via.bin.ptr;
    }
    return NULL;
}

size_t bj_get_copy(const msgpack_object *map, const char *key, char *out, size_t size)
{
    const msgpack_object *value = bj_get(map, key);
    if (size > 0)
        out[0] = '\0';
    if (!value || value->type != MSGPACK_OBJECT_STR || size == 0)
        return 0;
    size_t length = value->via.str.size;
    size_t kept = length < size - 1 ? length : size - 1;
    while (kept < length && kept > 0 && ((unsigned char)value->via.str.ptr[kept] & 0xc0) == 0x80)
        kept--;
    memcpy(out, value->via.str.ptr, kept);
    out[kept] = '\0';
    return length;
}

/*
 * Writing and reading msgpack maps with named fields, as the client API uses them.
 *
 * Readers never trust the object: a missing field or one of another type gives the fallback.
 * Strings point into the object and are not NUL-terminated; bj_get_copy makes a C string.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <msgpack.h>

void bj_pack_str(msgpack_packer *packer, const char *text); /* NULL packs nil */
void bj_pack_strn(msgpack_packer *packer, const char *text, size_t size);
void bj_pack_bin(msgpack_packer *packer, const void *bytes, size_t size);

/* A key and its value, inside a map whose size the caller has packed. */
void bj_pack_key_str(msgpack_packer *packer, const char *key, const char *text);
void bj_pack_key_uint(msgpack_packer *packer, const char *key, uint64_t value);
void bj_pack_key_int(msgpack_packer *packer, const char *key, int64_t value);
void bj_pack_key_bool(msgpack_packer *packer, const char *key, bool value);
void bj_pack_key_double(msgpack_packer *packer, const char *key, double value);
void bj_pack_key_bin(msgpack_packer *packer, const char *key, const void *bytes, size_t size);

/* The value of `key` in a map; NULL when `map` is NULL, no map, or has no such key. */
const msgpack_object *bj_get(const msgpack_object *map, const char *key);

uint64_t bj_get_uint(const msgpack_object *map, const char *key, uint64_t fallback);
int64_t bj_get_int(const msgpack_object *map, const char *key, int64_t fallback);
double bj_get_double(const msgpack_object *map, const char *key, double fallback);
bool bj_get_bool(const msgpack_object *map, const char *key, bool fallback);

/* A STR or BIN: returns its bytes and sets *size, or NULL. */
const char *bj_get_bytes(const msgpack_object *map, const char *key, size_t *size);

/* Copies a STR into out[size], cut at a character boundary, NUL-terminated ("" when missing).
 * Returns the length of the whole string. */
size_t bj_get_copy(const msgpack_object *map, const char *key, char *out, size_t size);

bool bj_is_str(const msgpack_object *object, const char *text);

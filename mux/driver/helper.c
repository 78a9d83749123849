#include "mux/driver/helper.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

extern char **environ;

/* A name that ends in _ stands for all that begin so. */
static const char *const wanted[] = {
    "PATH",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "TZ",
    "BELLJAR_",
    /* How names are resolved and certificates found. */
    "RES_OPTIONS",
    "LOCALDOMAIN",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "CURL_CA_BUNDLE",
    /* Builds with sanitizers or coverage. */
    "ASAN_OPTIONS",
    "UBSAN_OPTIONS",
    "LSAN_OPTIONS",
    "TSAN_OPTIONS",
    "GCOV_PREFIX",
    "GCOV_PREFIX_STRIP",
};

static bool is_wanted(const char *variable)
{
    size_t length = strcspn(variable, "=");
    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
        size_t size = strlen(wanted[i]);
        bool all = wanted[i][size - 1] == '_';
        if (strncmp(variable, wanted[i], size) == 0 && (all ? length > size : length == size))
            return true;
    }
    return false;
}

void helper_environment(char *out[HELPER_ENVIRONMENT_MAX + 1])
{
    size_t count = 0;
    for (char **at = environ; at && *at && count < HELPER_ENVIRONMENT_MAX; at++)
        if (is_wanted(*at))
            out[count++] = *at;
    out[count] = NULL;
}

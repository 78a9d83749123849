/*
 * Fuzz target: theme files. A theme is whole or refused with file and line.
 */
#include <string.h>

#include "tests/fuzz/fuzz.h"
#include "transport/api.h"
#include "tui/model/theme.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct theme theme;
    struct bj_error error = {0};
    char *text = malloc(size + 1);
    require(text != NULL);
    memcpy(text, data, size);
    text[size] = '\0';
    if (theme_parse(&theme, text, "f", &error) < 0)
        require(strncmp(error.text, "f:", 2) == 0 || strncmp(error.text, "f ", 2) == 0);
    else
        for (int role = 0; role < THEME_ROLES; role++)
            require(theme_contrast(theme_rgb(theme.role[role]), 0) >= 1.0);
    free(text);
    return 0;
}

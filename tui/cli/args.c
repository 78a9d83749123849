#include "tui/cli/args.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tui/model/units.h"

#define NAME_MAX_COMPARED 32

size_t args_distance(const char *a, const char *b)
{
    size_t rows = strnlen(a, NAME_MAX_COMPARED), cols = strnlen(b, NAME_MAX_COMPARED);
    size_t cost[NAME_MAX_COMPARED + 1][NAME_MAX_COMPARED + 1];
    for (size_t i = 0; i <= rows; i++)
        cost[i][0] = i;
    for (size_t j = 0; j <= cols; j++)
        cost[0][j] = j;
    for (size_t i = 1; i <= rows; i++)
        for (size_t j = 1; j <= cols; j++) {
            size_t best = cost[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
            if (cost[i - 1][j] + 1 < best)
                best = cost[i - 1][j] + 1;
            if (cost[i][j - 1] + 1 < best)
                best = cost[i][j - 1] + 1;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                cost[i - 2][j - 2] + 1 < best)
                best = cost[i - 2][j - 2] + 1;
            cost[i][j] = best;
        }
    return cost[rows][cols];
}

bool args_choice(const char *choices, const char *text)
{
    size_t size = strlen(text);
    for (const char *at = choices; at; at = strchr(at, '|'), at = at ? at + 1 : NULL)
        if (size > 0 && !strchr(text, '|') && strncmp(at, text, size) == 0 &&
            (at[size] == '|' || at[size] == '\0'))
            return true;
    return false;
}

static int find(const struct args *args, const char *name)
{
    const struct option_spec *options = args->command->options;
    for (int i = 0; i < COMMAND_OPTIONS_MAX && options[i].name; i++)
        if (strcmp(options[i].name, name) == 0)
            return i;
    return -1;
}

static int find_letter(const struct args *args, char letter)
{
    const struct option_spec *options = args->command->options;
    for (int i = 0; i < COMMAND_OPTIONS_MAX && options[i].name; i++)
        if (options[i].letter == letter)
            return i;
    return -1;
}

static int unknown_option(const struct args *args, const char *name, struct bj_error *error)
{
    const struct option_spec *options = args->command->options;
    const char *nearest = args_distance(name, "help") <= 2 ? "help" : NULL;
    size_t best = 3;
    for (int i = 0; i < COMMAND_OPTIONS_MAX && options[i].name; i++) {
        size_t distance = args_distance(name, options[i].name);
        if (distance < best && distance < strlen(name)) {
            best = distance;
            nearest = options[i].name;
        }
    }
    if (nearest)
        return bj_fail(error, -EINVAL, "unknown option --%.64s: did you mean --%s?", name, nearest);
    return bj_fail(error, -EINVAL, "unknown option --%.64s: see belljar %s --help", name,
                   args->command->name);
}

static int add_to_list(struct args *args, int index, const char *value, struct bj_error *error)
{
    size_t count = args->option[index].count;
    const char **grown = realloc(args->option[index].list, (count + 1) * sizeof(*grown));
    if (!grown)
        return bj_fail(error, -ENOMEM, "out of memory");
    grown[count] = value;
    args->option[index].list = grown;
    args->option[index].count = count + 1;
    return 0;
}

static int take_value(struct args *args, int index, const char *value, struct bj_error *error)
{
    const struct option_spec *spec = &args->command->options[index];
    uint64_t *number = &args->option[index].number;
    struct bj_error why = {0};
    int status = 0;
    if (args->option[index].set && spec->type != OPTION_LIST && spec->type != OPTION_FLAG)
        return bj_fail(error, -EINVAL, "--%s is given twice", spec->name);
    args->option[index].set = true;
    args->option[index].text = value;
    switch (spec->type) {
    case OPTION_FLAG:
        break;
    case OPTION_LIST:
        break;
    case OPTION_TEXT:
        if (!*value)
            status = bj_fail(&why, -EINVAL, "the value is empty");
        break;
    case OPTION_SIZE:
        status = unit_size(value, spec->limit, number, &why);
        break;
    case OPTION_COUNT:
        status = unit_count(value, spec->limit, number, &why);
        break;
    case OPTION_MILLI:
        status = unit_milli(value, spec->limit, number, &why);
        break;
    case OPTION_DURATION:
        status = unit_duration(value, spec->limit, number, &why);
        break;
    }
    if (status == 0 && spec->choices && !args_choice(spec->choices, value))
        status = bj_fail(&why, -EINVAL, "'%.64s' is not one of %s", value, spec->choices);
    if (status < 0)
        return bj_fail(error, -EINVAL, "--%s: %s", spec->name, why.text);
    return spec->type == OPTION_LIST ? add_to_list(args, index, value, error) : 0;
}

static int missing_value(const struct option_spec *spec, struct bj_error *error)
{
    return bj_fail(error, -EINVAL, "--%s needs a value: --%s %s", spec->name, spec->name,
                   spec->value);
}

/* argv[*at] begins with "--" and a name. */
static int parse_long(struct args *args, int argc, char **argv, int *at, struct bj_error *error)
{
    char name[NAME_MAX_COMPARED + 1];
    const char *text = argv[*at] + 2;
    const char *equals = strchr(text, '=');
    size_t size = equals ? (size_t)(equals - text) : strlen(text);
    size = size > NAME_MAX_COMPARED ? NAME_MAX_COMPARED : size;
    memcpy(name, text, size);
    name[size] = '\0';
    int index = find(args, name);
    if (index < 0) {
        args->help = strcmp(name, "help") == 0;
        return args->help ? 0 : unknown_option(args, name, error);
    }
    const struct option_spec *spec = &args->command->options[index];
    if (spec->type == OPTION_FLAG)
        return equals ? bj_fail(error, -EINVAL, "--%s takes no value", spec->name)
                      : take_value(args, index, NULL, error);
    if (equals)
        return take_value(args, index, equals + 1, error);
    if (*at + 1 >= argc)
        return missing_value(spec, error);
    return take_value(args, index, argv[++*at], error);
}

static int parse_short(struct args *args, int argc, char **argv, int *at, struct bj_error *error)
{
    for (const char *letter = argv[*at] + 1; *letter; letter++) {
        int index = find_letter(args, *letter);
        if (index < 0) {
            args->help = *letter == 'h';
            return args->help ? 0
                              : bj_fail(error, -EINVAL, "unknown option -%c: see belljar %s --help",
                                        *letter >= ' ' && *letter < 127 ? *letter : '?',
                                        args->command->name);
        }
        const struct option_spec *spec = &args->command->options[index];
        if (spec->type == OPTION_FLAG) {
            int status = take_value(args, index, NULL, error);
            if (status < 0)
                return status;
            continue;
        }
        if (letter[1])
            return take_value(args, index, letter + 1, error);
        if (*at + 1 >= argc)
            return missing_value(spec, error);
        return take_value(args, index, argv[++*at], error);
    }
    return 0;
}

static int check_words(const struct args *args, struct bj_error *error)
{
    const struct command_spec *command = args->command;
    if (args->word_count > command->max && command->trailing)
        return bj_fail(error, -EINVAL, "unexpected '%.64s': put the command after --",
                       args->words[command->max]);
    if (args->word_count > command->max)
        return bj_fail(error, -EINVAL, "unexpected '%.64s': usage is belljar %s%s%s",
                       args->words[command->max], command->name, *command->arguments ? " " : "",
                       command->arguments);
    if (args->word_count < command->min)
        return bj_fail(error, -EINVAL, "missing argument: usage is belljar %s %s", command->name,
                       command->arguments);
    if (command->choices && args->word_count && !args_choice(command->choices, args->words[0]))
        return bj_fail(error, -EINVAL, "'%.64s' is not one of %s", args->words[0],
                       command->choices);
    return 0;
}

int args_parse(struct args *args, const struct command_spec *command, int argc, char **argv,
               struct bj_error *error)
{
    *args = (struct args){.command = command};
    args->words = calloc((size_t)argc + 1, sizeof(*args->words));
    if (!args->words)
        return bj_fail(error, -ENOMEM, "out of memory");
    bool plain = false;
    for (int i = 0; i < argc; i++) {
        int status = 0;
        if (!plain && strcmp(argv[i], "--") == 0) {
            plain = true;
            if (command->trailing) {
                args->trailing = argv + i + 1;
                args->trailing_count = (size_t)(argc - i - 1);
                break;
            }
        } else if (!plain && strncmp(argv[i], "--", 2) == 0) {
            status = parse_long(args, argc, argv, &i, error);
        } else if (!plain && argv[i][0] == '-' && argv[i][1]) {
            status = parse_short(args, argc, argv, &i, error);
        } else {
            args->words[args->word_count++] = argv[i];
        }
        if (status < 0 || args->help)
            return status;
    }
    return check_words(args, error);
}

void args_free(struct args *args)
{
    free(args->words);
    for (size_t i = 0; i < COMMAND_OPTIONS_MAX; i++)
        free(args->option[i].list);
    *args = (struct args){0};
}

bool args_set(const struct args *args, const char *option)
{
    int index = find(args, option);
    return index >= 0 && args->option[index].set;
}

const char *args_text(const struct args *args, const char *option)
{
    int index = find(args, option);
    return index >= 0 ? args->option[index].text : NULL;
}

uint64_t args_number(const struct args *args, const char *option, uint64_t fallback)
{
    int index = find(args, option);
    return index >= 0 && args->option[index].set ? args->option[index].number : fallback;
}

const char *const *args_list(const struct args *args, const char *option, size_t *count)
{
    int index = find(args, option);
    *count = index >= 0 ? args->option[index].count : 0;
    return index >= 0 ? args->option[index].list : NULL;
}

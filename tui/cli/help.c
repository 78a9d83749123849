#include "tui/cli/help.h"

#include <string.h>

#define HELP_COLUMN 28
#define HELP_WIDTH  80

/* Words of `text`, broken at HELP_WIDTH, each line after `indent` spaces; "\n" keeps a break. */
static void print_wrapped(FILE *out, const char *text, size_t indent)
{
    size_t column = indent;
    fprintf(out, "%*s", (int)indent, "");
    while (*text) {
        size_t word = strcspn(text, " \n");
        if (column > indent && column + word + 1 > HELP_WIDTH) {
            fprintf(out, "\n%*s", (int)indent, "");
            column = indent;
        }
        if (column > indent) {
            fputc(' ', out);
            column++;
        }
        fwrite(text, 1, word, out);
        column += word;
        text += word;
        if (*text == '\n') {
            fprintf(out, "\n%*s", (int)indent, "");
            column = indent;
        }
        if (*text)
            text++;
    }
    fputc('\n', out);
}

static void print_synopsis(FILE *out, const struct command_spec *command)
{
    fprintf(out, "belljar %s", command->name);
    for (const struct option_spec *option = command->options;
         option < command->options + COMMAND_OPTIONS_MAX && option->name; option++) {
        if (option->letter)
            fprintf(out, " [-%c", option->letter);
        else
            fprintf(out, " [--%s", option->name);
        fprintf(out, "%s%s]%s", option->value ? " " : "", option->value ? option->value : "",
                option->type == OPTION_LIST ? "..." : "");
    }
    if (*command->arguments)
        fprintf(out, " %s", command->arguments);
    fputs(command->trailing ? " [-- COMMAND...]\n" : "\n", out);
}

void help_overview(FILE *out)
{
    fputs("belljar: a terminal multiplexer whose panes are windows into sealed agent sandboxes\n\n"
          "usage: belljar [COMMAND] [OPTION...]\n"
          "Without a command the dashboard opens.\n\n",
          out);
    for (const struct command_spec *command = command_table; command->name; command++)
        if (!command->hidden)
            fprintf(out, "  %-10s %s\n", command->name, command->summary);
    fputs("\n  belljar COMMAND --help says more; belljar --version; man belljar\n", out);
}

static void print_option(FILE *out, const struct option_spec *option)
{
    char head[64];
    int size = snprintf(head, sizeof(head), "  %c%c%s --%s%s%s", option->letter ? '-' : ' ',
                        option->letter ? option->letter : ' ', option->letter ? "," : " ",
                        option->name, option->value ? " " : "", option->value ? option->value : "");
    fprintf(out, "%-*s", HELP_COLUMN, head);
    if (size >= HELP_COLUMN)
        fprintf(out, "\n%*s", HELP_COLUMN, "");
    fprintf(out, "%s\n", option->help);
}

void help_command(FILE *out, const struct command_spec *command)
{
    fprintf(out, "belljar %s: %s\n\nusage: ", command->name, command->summary);
    print_synopsis(out, command);
    if (command->text) {
        fputc('\n', out);
        print_wrapped(out, command->text, 0);
    }
    fputc('\n', out);
    for (const struct option_spec *option = command->options;
         option < command->options + COMMAND_OPTIONS_MAX && option->name; option++)
        print_option(out, option);
    static const struct option_spec help = {.letter = 'h', .name = "help", .help = "this text"};
    print_option(out, &help);
}

/* scdoc takes _ and * for markup, and others at certain places: escape what is no letter. */
void help_escaped(FILE *out, const char *text)
{
    for (; *text; text++) {
        if (strchr("_*\\~<>#[]|`", *text))
            fputc('\\', out);
        fputc(*text, out);
        if (*text == '\n')
            fputc('\n', out);
    }
}

void help_scdoc(FILE *out)
{
    fputs("# COMMANDS\n", out);
    for (const struct command_spec *command = command_table; command->name; command++) {
        if (command->hidden)
            continue;
        fprintf(out, "\n## %s\n\n*belljar %s*", command->name, command->name);
        if (command->options[0].name)
            fputs(" [_OPTION_...]", out);
        if (*command->arguments) {
            fputc(' ', out);
            help_escaped(out, command->arguments);
        }
        fputs(command->trailing ? " [-- _COMMAND_...]\n\n" : "\n\n", out);
        help_escaped(out, command->summary);
        fputs(".\n", out);
        if (command->text) {
            fputc('\n', out);
            help_escaped(out, command->text);
            fputc('\n', out);
        }
        for (const struct option_spec *option = command->options;
             option < command->options + COMMAND_OPTIONS_MAX && option->name; option++) {
            fputc('\n', out);
            if (option->letter)
                fprintf(out, "*-%c*, ", option->letter);
            fprintf(out, "*--%s*", option->name);
            if (option->value) {
                fputs(" ", out);
                help_escaped(out, option->value);
            }
            fputs("\n\t", out);
            help_escaped(out, option->help);
            fputc('\n', out);
        }
    }
}

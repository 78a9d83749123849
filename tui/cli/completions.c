#include "tui/cli/help.h"

#include <dirent.h>
#include <string.h>

#include "tui/cli/config.h"
#include "tui/cli/keyhelp.h"
#include "tui/cli/peer.h"
#include "tui/cli/plain.h"
#include "tui/cli/report.h"
#include "tui/cli/sandbox.h"
#include "tui/model/theme.h"

/* Words that a running server knows; see completions_command. */
static const char *dynamic_list(enum word_kind kind)
{
    switch (kind) {
    case WORD_SANDBOX:
        return "sandboxes";
    case WORD_SESSION:
        return "sessions";
    case WORD_REQUEST:
        return "requests";
    case WORD_THEME:
        return "themes";
    case WORD_AGENT:
        return "agents";
    case WORD_DRIVER:
        return "drivers";
    default:
        return NULL;
    }
}

static void print_choices(FILE *out, const char *choices)
{
    for (; *choices; choices++)
        fputc(*choices == '|' ? ' ' : *choices, out);
}

static const struct option_spec *next_option(const struct command_spec *command,
                                             const struct option_spec *before)
{
    const struct option_spec *option = before ? before + 1 : command->options;
    return option < command->options + COMMAND_OPTIONS_MAX && option->name ? option : NULL;
}

static void bash_reply(FILE *out, enum word_kind kind, const char *choices)
{
    const char *list = dynamic_list(kind);
    if (choices) {
        fputs("COMPREPLY=($(compgen -W '", out);
        print_choices(out, choices);
        fputs("' -- \"$word\"))", out);
    } else if (kind == WORD_DIRECTORY) {
        fputs("COMPREPLY=($(compgen -d -- \"$word\"))", out);
    } else if (kind == WORD_FILE) {
        fputs("COMPREPLY=($(compgen -f -- \"$word\"))", out);
    } else if (list) {
        fprintf(out,
                "COMPREPLY=($(compgen -W \"$(belljar completions %s 2>/dev/null)\" -- \"$word\"))",
                list);
    } else {
        fputs("COMPREPLY=()", out);
    }
}

static void bash_command(FILE *out, const struct command_spec *command)
{
    const struct option_spec *option = NULL;
    fprintf(out, "    %s)\n        case \"$before\" in\n", command->name);
    while ((option = next_option(command, option))) {
        if (!option->value)
            continue;
        fputs("        ", out);
        if (option->letter)
            fprintf(out, "-%c|", option->letter);
        fprintf(out, "--%s) ", option->name);
        bash_reply(out, option->kind, option->choices);
        fputs("; return ;;\n", out);
    }
    fputs("        esac\n        if [[ $word == -* ]]; then\n"
          "            COMPREPLY=($(compgen -W '--help",
          out);
    while ((option = next_option(command, option)))
        fprintf(out, " --%s", option->name);
    fputs("' -- \"$word\"))\n        else\n            ", out);
    bash_reply(out, command->kind, command->choices);
    fputs("\n        fi ;;\n", out);
}

void completions_bash(FILE *out)
{
    fputs("# bash completion for belljar, made from its command table\n"
          "_belljar() {\n"
          "    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} i\n"
          "    if ((COMP_CWORD == 1)); then\n"
          "        COMPREPLY=($(compgen -W '--help --version",
          out);
    for (const struct command_spec *command = command_table; command->name; command++)
        if (!command->hidden)
            fprintf(out, " %s", command->name);
    fputs("' -- \"$word\"))\n        return\n    fi\n"
          "    for ((i = 2; i < COMP_CWORD; i++)); do\n"
          "        if [[ ${COMP_WORDS[i]} == -- ]]; then\n"
          "            COMPREPLY=($(compgen -c -- \"$word\"))\n"
          "            return\n        fi\n    done\n"
          "    case \"${COMP_WORDS[1]}\" in\n",
          out);
    for (const struct command_spec *command = command_table; command->name; command++)
        if (!command->hidden)
            bash_command(out, command);
    fputs("    esac\n}\ncomplete -F _belljar belljar\n", out);
}

/* Text inside '...' of an _arguments specification: quotes and what _arguments itself reads. */
static void zsh_escaped(FILE *out, const char *text)
{
    for (; *text; text++)
        if (*text == '\'')
            fputs("'\\''", out);
        else if (strchr(":[]", *text))
            fprintf(out, "\\%c", *text);
        else
            fputc(*text, out);
}

static void zsh_action(FILE *out, enum word_kind kind, const char *choices)
{
    const char *list = dynamic_list(kind);
    if (choices) {
        fputc('(', out);
        print_choices(out, choices);
        fputc(')', out);
    } else if (kind == WORD_DIRECTORY) {
        fputs("_files -/", out);
    } else if (kind == WORD_FILE) {
        fputs("_files", out);
    } else if (list) {
        fprintf(out, "_belljar_words %s", list);
    } else {
        fputc(' ', out);
    }
}

static void zsh_option(FILE *out, const struct option_spec *option)
{
    const char *repeat = option->type == OPTION_LIST ? "*" : "";
    for (int form = option->letter ? 0 : 1; form < 2; form++) {
        if (form == 0)
            fprintf(out, " \\\n            '%s-%c[", repeat, option->letter);
        else
            fprintf(out, " \\\n            '%s--%s[", repeat, option->name);
        zsh_escaped(out, option->help);
        fputc(']', out);
        if (option->value) {
            fputc(':', out);
            zsh_escaped(out, option->value);
            fputc(':', out);
            zsh_action(out, option->kind, option->choices);
        }
        fputc('\'', out);
    }
}

static void zsh_command(FILE *out, const struct command_spec *command)
{
    const struct option_spec *option = NULL;
    fprintf(out, "        %s)\n            _arguments '(- *)'{-h,--help}'[help]'", command->name);
    while ((option = next_option(command, option)))
        zsh_option(out, option);
    if (command->trailing) {
        fputs(" \\\n            '*::command:_normal'", out);
    } else if (command->max > 0) {
        fprintf(out, " \\\n            '%s:", command->max == COMMAND_MANY ? "*" : "1");
        zsh_escaped(out, command->arguments);
        fputc(':', out);
        zsh_action(out, command->kind, command->choices);
        fputc('\'', out);
    }
    fputs(" ;;\n", out);
}

void completions_zsh(FILE *out)
{
    fputs("#compdef belljar\n# zsh completion for belljar, made from its command table\n"
          "_belljar_words() {\n"
          "    local -a words\n"
          "    words=(${(f)\"$(belljar completions $1 2>/dev/null)\"})\n"
          "    compadd -a words\n}\n"
          "_belljar() {\n"
          "    local -a commands\n"
          "    local curcontext=\"$curcontext\" state line\n"
          "    commands=(\n",
          out);
    for (const struct command_spec *command = command_table; command->name; command++) {
        if (command->hidden)
            continue;
        fprintf(out, "        '%s:", command->name);
        zsh_escaped(out, command->summary);
        fputs("'\n", out);
    }
    fputs("    )\n"
          "    _arguments -C '--version[version]' '--help[help]' '1: :->command' '*:: :->rest'\n"
          "    case $state in\n"
          "    command) _describe command commands ;;\n"
          "    rest)\n        case $line[1] in\n",
          out);
    for (const struct command_spec *command = command_table; command->name; command++)
        if (!command->hidden)
            zsh_command(out, command);
    fputs("        esac ;;\n    esac\n}\n_belljar \"$@\"\n", out);
}

/* What completions ask a running server for: a list that a method returns, or a member of that. */
static const struct {
    const char *what, *method, *member, *key;
} lists[] = {{"sandboxes", "sandbox.list", NULL, "name"},
             {"sessions", "session.list", NULL, "name"},
             {"requests", "request.list", NULL, "id"},
             {"drivers", "server.status", "drivers", "name"}};

static int print_members(const struct bj_paths *paths, const char *what)
{
    struct bj_error error = {0};
    struct peer server;
    json_t *answer, *item;
    size_t index = 0, at = 0;
    while (at + 1 < sizeof(lists) / sizeof(lists[0]) && strcmp(lists[at].what, what) != 0)
        at++;
    if (sandbox_server(paths, false, &server, &error) < 0)
        return report_error(&error);
    int status = peer_call(&server, lists[at].method, NULL, PEER_TIMEOUT_MS, &answer, &error);
    peer_close(&server);
    if (status < 0)
        return report_error(&error);
    const char *member = lists[at].member;
    json_array_foreach(member ? json_object_get(answer, member) : answer, index, item)
    {
        const char *name = report_text(item, lists[at].key);
        plain_write(stdout, name, strlen(name), 0);
        putchar('\n');
    }
    json_decref(answer);
    return report_end();
}

/* Names of DIRECTORY/NAME.ENDING, but not of a file with a further dot in its name. */
static void print_files(const char *base, const char *name, const char *ending)
{
    char path[BJ_PATH_MAX];
    if (bj_path(path, sizeof(path), NULL, "%s/%s", base, name) < 0)
        return;
    DIR *directory = opendir(path);
    if (!directory)
        return;
    for (struct dirent *entry; (entry = readdir(directory));) {
        const char *dot = strchr(entry->d_name, '.');
        if (dot && dot > entry->d_name && strcmp(dot, ending) == 0)
            printf("%.*s\n", (int)(dot - entry->d_name), entry->d_name);
    }
    closedir(directory);
}

int completions_command(const struct args *args, const struct bj_paths *paths)
{
    const char *what = args->words[0];
    if (strcmp(what, "bash") == 0) {
        completions_bash(stdout);
    } else if (strcmp(what, "zsh") == 0) {
        completions_zsh(stdout);
    } else if (strcmp(what, "scdoc") == 0) {
        help_scdoc(stdout);
    } else if (strcmp(what, "keys") == 0) {
        keyhelp_scdoc(stdout);
    } else if (strcmp(what, "options") == 0) {
        config_scdoc(stdout);
    } else if (strcmp(what, "roles") == 0) {
        for (int role = 0; role < THEME_ROLES; role++) {
            fputs(role ? ",\n\t" : "\t", stdout);
            help_escaped(stdout, theme_role_name((enum theme_role)role));
        }
        putchar('\n');
    } else if (strcmp(what, "themes") == 0) {
        print_files(paths->config, "themes", ".theme");
        print_files(paths->data, "themes", ".theme");
    } else if (strcmp(what, "agents") == 0) {
        print_files(paths->config, "profiles", ".conf");
        print_files(paths->data, "profiles", ".conf");
    } else {
        return print_members(paths, what);
    }
    return report_end();
}

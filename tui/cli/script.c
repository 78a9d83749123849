#include "tui/cli/script.h"

/* $1 is the user's current commit, or empty. Sets $base (the commit the copy started from: the ref
 * that the server made, else the user's current commit when the copy has it, else empty) and $tree
 * (everything that is there now, without what is ignored). */
#define SNAPSHOT                                                                                   \
    "set -eu\n"                                                                                    \
    "export GIT_OPTIONAL_LOCKS=0 LC_ALL=C\n"                                                       \
    "dir=$(git rev-parse --absolute-git-dir)\n"                                                    \
    "objects=$(git rev-parse --path-format=absolute --git-path objects)\n"                         \
    "base=$(git rev-parse -q --verify 'refs/belljar/start^{commit}' ||\n"                          \
    "    git rev-parse -q --verify \"${1:-none}^{commit}\" || :)\n"                                \
    "head=$(git rev-parse -q --verify 'HEAD^{commit}' || :)\n"                                     \
    "cd \"$(git rev-parse --show-toplevel)\"\n"                                                    \
    "tmp=$(mktemp -d \"$dir/belljar-XXXXXX\")\n"                                                   \
    "trap 'rm -rf \"$tmp\"' EXIT\n"                                                                \
    "trap 'exit 1' HUP INT TERM PIPE\n"                                                            \
    "mkdir \"$tmp/objects\"\n"                                                                     \
    "if [ -f \"$dir/index\" ]; then cp \"$dir/index\" \"$tmp/index\"; fi\n"                        \
    "export GIT_INDEX_FILE=\"$tmp/index\" GIT_OBJECT_DIRECTORY=\"$tmp/objects\"\n"                 \
    "export GIT_ALTERNATE_OBJECT_DIRECTORIES=\"$objects\"\n"                                       \
    "git -c advice.addEmbeddedRepo=false -c core.safecrlf=false add -A .\n"                        \
    "tree=$(git write-tree)\n"

const char script_diff[] =
    SNAPSHOT "[ -n \"$base\" ] || base=$(git hash-object -t tree /dev/null)\n"
             "git -c core.quotePath=false diff --no-color --no-ext-diff --no-textconv \\\n"
             "    --src-prefix=a/ --dst-prefix=b/ \"$2\" \"$base\" \"$tree\" --\n";

const char script_pack[] =
    SNAPSHOT "commit=$head\n"
             "if [ -z \"$head\" ] || [ \"$(git rev-parse \"$head^{tree}\")\" != \"$tree\" ]; then\n"
             "    if ! git config user.email >/dev/null; then\n"
             "        export GIT_AUTHOR_NAME=\"$4\" GIT_AUTHOR_EMAIL=\"$4@belljar.invalid\"\n"
             "        export GIT_COMMITTER_NAME=\"$4\" GIT_COMMITTER_EMAIL=\"$4@belljar.invalid\"\n"
             "    fi\n"
             "    commit=$(git commit-tree \"$tree\" ${head:+-p \"$head\"} -m \"$2\")\n"
             "fi\n"
             "echo \"$commit\"\n"
             "if [ \"$3\" = thin ] && [ -n \"$base\" ]; then\n"
             "    printf '%s\\n' \"$commit\" --not \"$base\"\n"
             "else\n"
             "    echo \"$commit\"\n"
             "fi | git pack-objects --revs --thin --stdout --delta-base-offset -q\n";

const char script_tree[] =
    "set -eu\n"
    "exec tar --create --file=- --format=pax --numeric-owner --no-xattrs --no-acls --no-selinux "
    "\\\n"
    "    --pax-option=delete=atime,delete=ctime,delete=mtime --warning=no-file-changed .\n";

const char script_unpack[] =
    "set -eu\n"
    "mkdir -p -- \"$1\"\n"
    "cd -- \"$1\"\n"
    "exec tar --extract --file=- --no-same-owner --keep-directory-symlink\n";

/*
 * Attacks from inside a real sandbox on files, processes and the network: rows of the attack list
 * by number. Every row runs tests/attack/probe.c (or a shell) inside, and asserts that it was
 * refused and, where it could have left a trace, that the host is unchanged.
 */
#include "attack.h"

#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define WRITABLE_KERNEL                                                                            \
    "/proc/sys/kernel/core_pattern:/proc/sys/kernel/modprobe:/proc/sys/kernel/hotplug:"            \
    "/proc/sys/vm/drop_caches:/proc/sys/fs/binfmt_misc/register:/proc/sysrq-trigger:"              \
    "/proc/sys/net/ipv4/ip_forward:/sys/kernel/uevent_helper:/sys/power/state:"                    \
    "/sys/kernel/mm/ksm/run:/sys/fs/cgroup/cgroup.procs:/proc/1/oom_score_adj:/proc/1/mem"

/* the number in the attack list, what it is, and the probe's name and argument. */
static const struct row {
    int number;
    const char *name;
    const char *attempt;
    const char *argument;
} rows[] = {
    {1, "read /etc/shadow and keys", "read",
     "/etc/shadow:/etc/gshadow:/root/.ssh/id_rsa:/root/.netrc:/etc/ssh/ssh_host_rsa_key:/etc/"
     "sudoers"},
    {1, "list home directories", "list",
     "/root:/home/belljar-test:/var/lib:/var/log:/mnt:/srv:/opt"},
    {2, "write to system directories", "create",
     "/usr:/usr/bin:/etc:/bin:/lib:/sbin:/belljar:/belljar/bin:/belljar/link:/:/proc:/sys:/dev"},
    {6, "bind mount", "bind", ""},
    {6, "remount read-write", "remount", ""},
    {6, "mount a tmpfs", "tmpfs", ""},
    {6, "mount a proc", "proc", ""},
    {6, "umount", "umount", ""},
    {6, "pivot_root", "pivot_root", ""},
    {6, "chroot", "chroot", ""},
    {6, "fsopen", "fsopen", ""},
    {6, "open_tree", "open_tree", ""},
    {6, "mount_setattr", "mount_setattr", ""},
    {6, "unshare a user namespace", "unshare", "0x10000000"},
    {6, "unshare a mount namespace", "unshare", "0x00020000"},
    {6, "unshare a network namespace", "unshare", "0x40000000"},
    {6, "clone into a user namespace", "clone", "0x10000000"},
    {6, "clone into a pid namespace", "clone", "0x20000000"},
    {6, "clone3 into a user namespace", "clone3", ""},
    {6, "setns", "setns", ""},
    {7, "the root of pid 1", "list", "/proc/1/root:/proc/1/cwd"},
    {7, "descriptors of pid 1", "list", "/proc/1/fd:/proc/1/map_files"},
    {7, "memory and environment of pid 1", "read", "/proc/1/mem:/proc/1/environ:/proc/1/maps"},
    {7, "process_vm_readv of pid 1", "read_memory", ""},
    {7, "write to /proc/sys and /sys", "write", WRITABLE_KERNEL},
    {7, "kernel memory", "read", "/dev/mem:/dev/kmem:/proc/kcore:/dev/port:/proc/kallsyms.none"},
    {8, "open_by_handle_at", "open_by_handle", ""},
    {9, "core_pattern, binfmt and modprobe", "write", WRITABLE_KERNEL},
    {5, "device nodes", "mknod", ""},
    {5, "devices of the host", "read",
     "/dev/sda:/dev/vda:/dev/nvme0n1:/dev/fuse:/dev/kvm:/dev/kmsg"},
    {12, "ptrace pid 1", "ptrace", ""},
    {12, "take a descriptor of pid 1", "pidfd_getfd", ""},
    {13, "see host processes", "see_host", ""},
    {18, "keyctl", "keyctl", ""},
    {18, "add_key", "add_key", ""},
    {18, "request_key", "request_key", ""},
    {18, "bpf", "bpf", ""},
    {18, "perf_event_open", "perf", ""},
    {18, "userfaultfd", "userfaultfd", ""},
    {18, "io_uring", "io_uring", ""},
    {18, "kexec", "kexec", ""},
    {18, "kernel modules", "module", ""},
    {18, "swap", "swap", ""},
    {18, "reboot", "reboot", ""},
    {18, "set the clock", "clock", ""},
    {18, "set the host name", "hostname", ""},
    {18, "read the kernel's log", "syslog", ""},
    {18, "fanotify", "fanotify", ""},
    {18, "personality", "personality", ""},
    {18, "become root", "setuid", ""},
    {18, "capabilities, no_new_privs, seccomp", "privileges", ""},
    {18, "mapped users", "uid_map", ""},
    {19, "TIOCSTI", "tiocsti", ""},
    {19, "TIOCSTI with high bits", "tiocsti_high", ""},
    {19, "TIOCLINUX", "tioclinux", ""},
    {21, "inherited descriptors", "descriptors", ""},
    {22, "interfaces beside lo", "interfaces", ""},
    {22, "connect over IPv4", "inet", ""},
    {22, "connect over IPv6", "inet6", ""},
    {22, "raw IPv4 socket", "socket", "2,3,255"},
    {22, "ICMP socket", "socket", "2,3,1"},
    {22, "raw IPv6 socket", "socket", "10,3,58"},
    {22, "packet socket", "socket", "17,3,768"},
    {22, "old packet socket", "socket", "2,10,768"},
    {22, "netlink audit", "socket", "16,3,9"},
    {22, "netlink netfilter", "socket", "16,3,12"},
    {22, "bluetooth socket", "socket", "31,3,0"},
    {22, "XDP socket", "socket", "44,3,0"},
    {22, "kernel crypto socket", "socket", "38,5,0"},
    {22, "vsock to the host", "vsock", ""},
    {23, "sockets of docker, D-Bus, X11, Wayland", "unix", "/var/run/docker.sock"},
    {23, "system bus", "unix", "/run/dbus/system_bus_socket"},
    {23, "X11 path", "unix", "/tmp/.X11-unix/X0"},
    {23, "X11 abstract", "unix", "@/tmp/.X11-unix/X0"},
    {46, "a second shim on the same link", "second_link", ""},
};

START_TEST(refused)
{
    const struct row *row = &rows[_i];
    char name[32];
    snprintf(name, sizeof(name), "row%d", row->number);
    attack_refused(name, row->name, row->attempt, row->argument);
}
END_TEST

/* Rows 1 and 2 with what this host really has: the secret of a home directory, the state and the
 * runtime directory of Belljar itself, and the sockets in it. */
START_TEST(files_of_this_host)
{
    char argument[512];
    world_file(&attack_world, "home/.ssh/id_rsa", "a secret key", 0644);
    snprintf(argument, sizeof(argument), "%s:%s:%s:%s", attack_world.base, attack_world.home,
             attack_world.state, attack_world.runtime);
    attack_refused("list", "row 1: list", "list", argument);
    snprintf(argument, sizeof(argument), "%s/.ssh/id_rsa:/proc/1/root%s/.ssh/id_rsa",
             attack_world.home, attack_world.home);
    attack_refused("read", "row 1: read", "read", argument);
    snprintf(argument, sizeof(argument), "%s/server.sock", attack_world.runtime);
    attack_refused("server", "row 32: the server's socket", "unix", argument);
    snprintf(argument, sizeof(argument), "%s/%s/control.sock", attack_world.runtime,
             world_field(&attack_world, "list", "id"));
    attack_refused("control", "row 32: another one's control socket", "unix", argument);
}
END_TEST

/* Row 2: what is written inside stays inside; the project of the host is unchanged. */
START_TEST(writes_stay_inside)
{
    static const char script[] =
        "cd /work; echo changed > kept.txt; rm -f gone.txt; ln -sf /etc/passwd link; "
        "for d in /tmp /var/tmp /dev/shm /run /home/agent /work; do echo x > $d/belljar-mark-$$ "
        "2>/dev/null; done; echo done; cat";
    world_file(&attack_world, "project/kept.txt", "original", 0644);
    world_file(&attack_world, "project/gone.txt", "original", 0644);
    attack_start("w", script);
    WAIT_FOR(world_shows(&attack_world, "w", "done"));
    char path[256];
    snprintf(path, sizeof(path), "%s/project/kept.txt", attack_world.base);
    ck_assert_str_eq(world_read(path), "original");
    snprintf(path, sizeof(path), "%s/project/gone.txt", attack_world.base);
    ck_assert_str_eq(world_read(path), "original");
    struct result result;
    world_run(&attack_world, &result, NULL,
              (const char *const[]){"sh", "-c",
                                    "ls -d /tmp/belljar-mark-* /var/tmp/belljar-mark-* "
                                    "/dev/shm/belljar-mark-* /run/belljar-mark-* 2>/dev/null",
                                    NULL});
    ck_assert_str_eq(result.out, "");
    result_free(&result);
}
END_TEST

/* Row 12: the numbers of host processes mean nothing inside. */
START_TEST(host_processes_cannot_be_signalled)
{
    pid_t bystander = fork();
    if (bystander == 0) {
        pause();
        _exit(0);
    }
    char number[16];
    snprintf(number, sizeof(number), "%d", (int)bystander);
    attack_refused("k", "row 12: signal a host process", "signal_outside", number);
    snprintf(number, sizeof(number), "%d", (int)world_server(&attack_world));
    attack_refused("k2", "row 12: signal the server", "signal_outside", number);
    ck_assert(world_alive(bystander));
    ck_assert_int_gt(world_server(&attack_world), 0);
    kill(bystander, SIGKILL);
    WAIT_FOR(!world_alive(bystander));
}
END_TEST

/* Row 14: the limit holds, and the human is told. */
START_TEST(fork_bomb)
{
    pid_t inside[2048];
    BELLJAR_OK(
        &attack_world, "run", "-d", "-n", "bomb", "--pids", "64", "--", "bash", "-c",
        "b() { while :; do (sleep 1000 &) 2>/dev/null; done; }; b & b & b & exec sleep 1000");
    pid_t init = (pid_t)world_number(&attack_world, "bomb", "init_pid");
    WAIT_FOR(world_inside(init, inside, 2048) > 50);
    for (int i = 0; i < 25; i++) {
        ck_assert_uint_le(world_inside(init, inside, 2048), 66);
        world_breathe();
    }
    WAIT_FOR(attack_alerted("processes, its limit is 64"));
    BELLJAR_OK(&attack_world, "kill", "bomb");
    ck_assert(!world_alive(init));
}
END_TEST

/* Row 15: where a controller enforces the limit, the bomb ends; where none does, the sandbox is
 * paused soon after it has gone past it. The human is told in both cases. */
START_TEST(memory_bomb)
{
    attack_project();
    BELLJAR_OK(&attack_world, "run", "-d", "-n", "other", "--", "cat");
    BELLJAR_OK(&attack_world, "run", "-d", "-n", "hungry", "--memory", "64M", "--project",
               attack_project_path, "--", "sh", "-c",
               "./probe memory_kept 130000000; echo code $?; cat");
    WAIT_FOR(world_shows(&attack_world, "hungry", "code") ||
             world_state_is(&attack_world, "hungry", "exited") ||
             world_state_is(&attack_world, "hungry", "paused"));
    ck_assert_msg(!world_shows(&attack_world, "hungry", "SUCCEEDED"), "130 MB went past 64 MB");
    WAIT_FOR(attack_alerted("memory"));
    ck_assert(world_state_is(&attack_world, "other", "running"));
}
END_TEST

/* Row 11: files of the project copy and of the home directory, with a name or without. */
static void fill_disk(const char *script, const char *alert)
{
    attack_project();
    BELLJAR_OK(&attack_world, "run", "-d", "-n", "other", "--", "cat");
    BELLJAR_OK(&attack_world, "run", "-d", "-n", "full", "--disk", "16M", "--project",
               attack_project_path, "--", "sh", "-c", script);
    WAIT_FOR(world_state_is(&attack_world, "full", "paused"));
    ck_assert(attack_alerted(alert));
    ck_assert(world_state_is(&attack_world, "other", "running"));
    BELLJAR_OK(&attack_world, "kill", "full");
}

#define OVER   "paused: its files take"
#define HIDDEN "paused: its files cannot be counted"

START_TEST(disk_filled)
{
    fill_disk("head -c 12M /dev/zero >a; head -c 12M /dev/zero >~/b; echo done; cat", OVER);
}
END_TEST

START_TEST(disk_filled_by_small_files)
{
    fill_disk("i=0; while [ $i -lt 5000 ]; do i=$((i+1)); echo x >f$i; done; echo done; cat", OVER);
}
END_TEST

START_TEST(disk_filled_without_names)
{
    fill_disk("exec 3>a; rm a; head -c 32M /dev/zero >&3; echo done; cat", OVER);
}
END_TEST

/* Deeper than any path that the kernel takes, or where nobody may look. */
START_TEST(disk_filled_out_of_sight)
{
    fill_disk("i=0; while [ $i -lt 300 ]; do mkdir 12345678901234567890; "
              "cd 12345678901234567890; i=$((i+1)); done; head -c 32M /dev/zero >f; cat",
              HIDDEN);
    if (geteuid() != 0) { /* root reads it all the same */
        BELLJAR_OK(&attack_world, "rm", "other", "full");
        fill_disk("mkdir d; chmod 300 d; head -c 32M /dev/zero >d/f; cat", HIDDEN);
        BELLJAR_OK(&attack_world, "rm", "other", "full");
    }
}
END_TEST

/* Row 20: from inside nothing happens to pid 1; from outside the host notices its end. */
START_TEST(shim_cannot_be_killed_from_inside)
{
    attack_start("s", "trap '' TERM; ./probe signal_all; echo still here; cat");
    WAIT_FOR(world_shows(&attack_world, "s", "still here"));
    ck_assert(!world_shows(&attack_world, "s", "SUCCEEDED"));
    ck_assert(world_state_is(&attack_world, "s", "running"));
    kill((pid_t)world_number(&attack_world, "s", "init_pid"), SIGKILL);
    WAIT_FOR(!world_state_is(&attack_world, "s", "running"));
    WAIT_FOR(attack_alerted("the agent was ended by signal 9"));
    ck_assert(attack_audited("exit", "\"s\""));
}
END_TEST

/* Row 23: a listener in the host's abstract name space. */
START_TEST(abstract_socket_of_the_host)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    char name[100];
    snprintf(name, sizeof(name), "@%s", attack_world.base);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    memcpy(address.sun_path + 1, attack_world.base, strlen(attack_world.base));
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&address,
                          (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name))),
                     0);
    ck_assert_int_eq(listen(fd, 1), 0);
    attack_refused("x", "row 23: abstract socket of the host", "unix", name);
    close(fd);
}
END_TEST

/* Row 58: the server's environment stays on the host. */
START_TEST(secrets_of_the_environment)
{
    setenv("AWS_SECRET_ACCESS_KEY", "aGVsbG8gc2VjcmV0", 1);
    setenv("SSH_AUTH_SOCK", "/tmp/agent-aGVsbG8gc2VjcmV0", 1);
    setenv("LC_SECRET", "aGVsbG8gc2VjcmV0", 1);
    attack_refused("e", "row 58: a secret of the environment", "environment", "aGVsbG8gc2VjcmV0");
    attack_start("e2", "env; echo end of env; cat");
    WAIT_FOR(world_shows(&attack_world, "e2", "end of env"));
    ck_assert_msg(!world_shows(&attack_world, "e2", "aGVsbG8"), "%s",
                  world_capture(&attack_world, "e2"));
}
END_TEST

/* Where the profiles that come with Belljar have what tells their agents to ask. */
#define HOOK_FILES                                                                                 \
    "/etc/claude-code/managed-settings.json /etc/codex/config.toml /etc/codex/requirements.toml "  \
    "/etc/opencode/opencode.json /etc/opencode/plugin/belljar.js ~/.gemini/settings.json "         \
    "~/.hookrc"

/* Row 2: an agent cannot write, remove, replace or move away the hooks that ask outside, nor the
 * directories they are in; not in a second run either, on what it left in the first. */
START_TEST(hooks_cannot_be_changed)
{
    static const char profile[] =
        "command = [bash]\n"
        "files { \"/etc/claude-code/managed-settings.json\" = hooked.txt\n"
        "\"/etc/codex/config.toml\" = hooked.txt\n\"/etc/codex/requirements.toml\" = hooked.txt\n"
        "\"/etc/opencode/opencode.json\" = hooked.txt\n"
        "\"/etc/opencode/plugin/belljar.js\" = hooked.txt }\n"
        "fixed_home { \".gemini/settings.json\" = hooked.txt; \".hookrc\" = hooked.txt }\n";
    static const char script[] =
        "exec 2>/dev/null; [ -f ~/first ] && echo again; echo mine >/tmp/mine; bad=0; all=0; for f "
        "in " HOOK_FILES "; do "
        "d=$(dirname $f); all=$((all + 1)); [ \"$(cat $f)\" = hooks ] || bad=$((bad + 1)); "
        "echo mine >$f && bad=$((bad + 1)); echo mine >>$f && bad=$((bad + 1)); "
        "chmod 666 $f && bad=$((bad + 1)); cp --remove-destination /tmp/mine $f && bad=$((bad + "
        "1)); "
        "mv -f /tmp/mine $f && bad=$((bad + 1)); ln -sf /tmp/mine $f && bad=$((bad + 1)); "
        "ln -f /tmp/mine $f && bad=$((bad + 1)); mv $f $f.away && bad=$((bad + 1)); "
        "rm -f $f && bad=$((bad + 1)); mv $d $d.away && bad=$((bad + 1)); "
        "rm -rf $d && bad=$((bad + 1)); umount $f && bad=$((bad + 1)); "
        "[ -f $f ] && [ \"$(cat $f)\" = hooks ] || bad=$((bad + 1)); done; "
        "touch ~/.gemini/own; [ -f ~/.gemini/own ] || bad=$((bad + 1)); "
        "touch ~/first; echo \"files $all bad $bad\"; read end";
    world_file(&attack_world, "home/.config/belljar/profiles/hooked.conf", profile, 0644);
    world_file(&attack_world, "home/.config/belljar/profiles/hooked.txt", "hooks\n", 0644);
    BELLJAR_OK(&attack_world, "run", "-d", "-n", "hooked", "--agent", "hooked", "--", "-c", script);
    WAIT_FOR(world_shows(&attack_world, "hooked", "files "));
    ck_assert_msg(world_shows(&attack_world, "hooked", "files 7 bad 0"), "%s",
                  world_capture(&attack_world, "hooked"));
    BELLJAR_OK(&attack_world, "kill", "hooked");
    BELLJAR_OK(&attack_world, "restart", "hooked");
    WAIT_FOR(world_shows(&attack_world, "hooked", "again"));
    WAIT_FOR(world_shows(&attack_world, "hooked", "files "));
    ck_assert_msg(world_shows(&attack_world, "hooked", "files 7 bad 0"), "%s",
                  world_capture(&attack_world, "hooked"));
}
END_TEST

int main(void)
{
    static char names[sizeof(rows) / sizeof(rows[0])][128]; /* Check keeps the pointers */
    Suite *suite = suite_create("inside");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char *name = names[i];
        snprintf(name, sizeof(names[i]), "row %d: %s", rows[i].number, rows[i].name);
        TCase *row = tcase_create(name);
        tcase_add_checked_fixture(row, attack_open, attack_close);
        tcase_set_timeout(row, 120);
        tcase_add_loop_test(row, refused, (int)i, (int)i + 1);
        suite_add_tcase(suite, row);
    }
    TCase *cases = tcase_create("whole host");
    tcase_add_checked_fixture(cases, attack_open, attack_close);
    tcase_set_timeout(cases, 300);
    tcase_add_test(cases, files_of_this_host);
    tcase_add_test(cases, writes_stay_inside);
    tcase_add_test(cases, host_processes_cannot_be_signalled);
    tcase_add_test(cases, fork_bomb);
    tcase_add_test(cases, memory_bomb);
    tcase_add_test(cases, disk_filled);
    tcase_add_test(cases, disk_filled_by_small_files);
    tcase_add_test(cases, disk_filled_without_names);
    tcase_add_test(cases, disk_filled_out_of_sight);
    tcase_add_test(cases, shim_cannot_be_killed_from_inside);
    tcase_add_test(cases, abstract_socket_of_the_host);
    tcase_add_test(cases, secrets_of_the_environment);
    suite_add_tcase(suite, cases);
    TCase *hooks = tcase_create("hooks");
    tcase_add_checked_fixture(hooks, attack_open, attack_close);
    tcase_set_timeout(hooks, 300);
    tcase_add_test(hooks, hooks_cannot_be_changed);
    suite_add_tcase(suite, hooks);
    return world_main(suite);
}

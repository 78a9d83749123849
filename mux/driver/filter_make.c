/* Makes the filter around a sandbox (filter.h). */
#include <errno.h>
#include <sched.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "mux/filter/print.h"

#define SOCKET_TYPE_MASK 0xfU /* beside the flags SOCK_CLOEXEC and SOCK_NONBLOCK */

/* Calls refused whatever their arguments. By name, so that those unknown to this architecture or
 * this libseccomp are skipped. */
static const struct {
    const char *name;
    int code;
} refused[] = {
    /* the file system's shape */
    {"mount", EPERM},
    {"umount", EPERM},
    {"umount2", EPERM},
    {"pivot_root", EPERM},
    {"chroot", EPERM},
    {"open_tree", EPERM},
    {"open_tree_attr", EPERM},
    {"move_mount", EPERM},
    {"fsopen", EPERM},
    {"fsconfig", EPERM},
    {"fsmount", EPERM},
    {"fspick", EPERM},
    {"mount_setattr", EPERM},
    {"statmount", EPERM},
    {"listmount", EPERM},
    {"quotactl", EPERM},
    {"quotactl_fd", EPERM},
    /* files by handle, around every directory */
    {"open_by_handle_at", EPERM},
    {"name_to_handle_at", EPERM},
    /* namespaces; clone3's arguments are out of a filter's sight, so programs fall back to clone */
    {"unshare", EPERM},
    {"setns", EPERM},
    {"clone3", ENOSYS},
    /* kernel keys, programs, counters, memory faults, asynchronous rings */
    {"keyctl", EPERM},
    {"add_key", EPERM},
    {"request_key", EPERM},
    {"bpf", EPERM},
    {"perf_event_open", EPERM},
    {"userfaultfd", EPERM},
    {"io_uring_setup", ENOSYS},
    {"io_uring_enter", ENOSYS},
    {"io_uring_register", ENOSYS},
    /* the machine */
    {"kexec_load", EPERM},
    {"kexec_file_load", EPERM},
    {"init_module", EPERM},
    {"finit_module", EPERM},
    {"delete_module", EPERM},
    {"create_module", EPERM},
    {"get_kernel_syms", EPERM},
    {"query_module", EPERM},
    {"acct", EPERM},
    {"swapon", EPERM},
    {"swapoff", EPERM},
    {"reboot", EPERM},
    {"settimeofday", EPERM},
    {"stime", EPERM},
    {"clock_settime", EPERM},
    {"clock_settime64", EPERM},
    {"clock_adjtime", EPERM},
    {"clock_adjtime64", EPERM},
    {"adjtimex", EPERM},
    {"sethostname", EPERM},
    {"setdomainname", EPERM},
    {"syslog", EPERM},
    {"lookup_dcookie", EPERM},
    {"vhangup", EPERM},
    {"iopl", EPERM},
    {"ioperm", EPERM},
    {"nfsservctl", EPERM},
    {"vm86", EPERM},
    {"vm86old", EPERM},
    {"uselib", EPERM},
    {"ustat", EPERM},
    {"sysfs", EPERM},
    {"_sysctl", EPERM},
    {"vserver", EPERM},
    {"fanotify_init", EPERM},
    {"move_pages", EPERM},
    {"migrate_pages", EPERM},
    {"mbind", EPERM},
    {"set_mempolicy", EPERM},
    {"kcmp", EPERM},
    {"lsm_set_self_attr", EPERM},
};

/* Calls refused for one masked value of one argument. */
static const struct {
    const char *name;
    unsigned argument;
    enum scmp_compare compare;
    uint64_t mask, value;
    int code;
} refused_when[] = {
    {"clone", 0, SCMP_CMP_MASKED_EQ, CLONE_NEWNS, CLONE_NEWNS, EPERM},
    {"clone", 0, SCMP_CMP_MASKED_EQ, CLONE_NEWCGROUP, CLONE_NEWCGROUP, EPERM},
    {"clone", 0, SCMP_CMP_MASKED_EQ, CLONE_NEWUTS, CLONE_NEWUTS, EPERM},
    {"clone", 0, SCMP_CMP_MASKED_EQ, CLONE_NEWIPC, CLONE_NEWIPC, EPERM},
    {"clone", 0, SCMP_CMP_MASKED_EQ, CLONE_NEWUSER, CLONE_NEWUSER, EPERM},
    {"clone", 0, SCMP_CMP_MASKED_EQ, CLONE_NEWPID, CLONE_NEWPID, EPERM},
    {"clone", 0, SCMP_CMP_MASKED_EQ, CLONE_NEWNET, CLONE_NEWNET, EPERM},
    /* keys put into a terminal's input; the kernel looks at 32 bits of the request only */
    {"ioctl", 1, SCMP_CMP_MASKED_EQ, 0xffffffffU, TIOCSTI, EPERM},
    {"ioctl", 1, SCMP_CMP_MASKED_EQ, 0xffffffffU, TIOCLINUX, EPERM},
};

/* Socket families that a program inside may use; with no interface but lo they reach nobody. */
static const unsigned families[] = {AF_UNIX, AF_INET, AF_INET6, AF_NETLINK};

static int add_refused(scmp_filter_ctx filter)
{
    int status = 0;
    for (size_t i = 0; status == 0 && i < sizeof(refused) / sizeof(*refused); i++) {
        int call = seccomp_syscall_resolve_name(refused[i].name);
        if (call != __NR_SCMP_ERROR)
            status = seccomp_rule_add(filter, SCMP_ACT_ERRNO((uint16_t)refused[i].code), call, 0);
        if (status == -EDOM || status == -EACCES)
            status = 0; /* not on this architecture */
    }
    for (size_t i = 0; status == 0 && i < sizeof(refused_when) / sizeof(*refused_when); i++)
        status = seccomp_rule_add(
            filter, SCMP_ACT_ERRNO((uint16_t)refused_when[i].code),
            seccomp_syscall_resolve_name(refused_when[i].name), 1,
            (struct scmp_arg_cmp){refused_when[i].argument, refused_when[i].compare,
                                  refused_when[i].mask, refused_when[i].value});
    return status;
}

/* The kernel takes family, type and protocol as int, so the upper half of the register may hold
 * anything: every comparison is masked to 32 bits. */
static struct scmp_arg_cmp equals(unsigned argument, uint64_t mask, uint64_t value)
{
    return (struct scmp_arg_cmp){argument, SCMP_CMP_MASKED_EQ, mask, value};
}

/* Every family up to the highest that exists but the four is refused by its number, all higher
 * ones by a comparison. Raw and packet sockets, and netlink but for the routing table, too. */
static int add_sockets(scmp_filter_ctx filter)
{
    const uint32_t act = SCMP_ACT_ERRNO(EPERM);
    static const char *const calls[] = {"socket", "socketpair"};
    int status = 0;
    for (size_t c = 0; c < sizeof(calls) / sizeof(*calls); c++) {
        int call = seccomp_syscall_resolve_name(calls[c]);
        for (unsigned family = 0; status == 0 && family < 64; family++) {
            bool allowed = false;
            for (size_t i = 0; i < sizeof(families) / sizeof(*families); i++)
                allowed = allowed || families[i] == family;
            if (!allowed)
                status = seccomp_rule_add(filter, act, call, 1, equals(0, 0xffffffffU, family));
        }
        for (unsigned bit = 6; status == 0 && bit < 32; bit++)
            status = seccomp_rule_add(filter, act, call, 1, equals(0, 1ULL << bit, 1ULL << bit));
        /* SOCK_RAW, SOCK_RDM, SOCK_SEQPACKET of the internet families and SOCK_PACKET */
        static const unsigned internet[] = {AF_INET, AF_INET6};
        static const unsigned types[] = {SOCK_RAW, SOCK_RDM, SOCK_PACKET};
        for (size_t f = 0; f < sizeof(internet) / sizeof(*internet); f++)
            for (size_t t = 0; status == 0 && t < sizeof(types) / sizeof(*types); t++)
                status = seccomp_rule_add(filter, act, call, 2, equals(0, 0xffffffffU, internet[f]),
                                          equals(1, SOCKET_TYPE_MASK, types[t]));
        for (unsigned bit = 0; status == 0 && bit < 32; bit++)
            status = seccomp_rule_add(filter, act, call, 2, equals(0, 0xffffffffU, AF_NETLINK),
                                      equals(2, 1ULL << bit, 1ULL << bit));
    }
    return status;
}

/* personality(2) may be asked, and set to what it is on every Linux anyway; the rest switches
 * protections off (ADDR_NO_RANDOMIZE stays out, READ_IMPLIES_EXEC even more so). */
static int add_personality(scmp_filter_ctx filter)
{
    int call = seccomp_syscall_resolve_name("personality");
    int status = 0;
    /* Refused: any value with a bit set and one clear. Left over: 0, and the query (all set). */
    for (unsigned bit = 0; status == 0 && bit < 31; bit++) {
        uint64_t pair = 0x80000000U | 1U << bit;
        status =
            seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), call, 1, equals(0, pair, 1U << bit));
        if (status == 0)
            status = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), call, 1,
                                      equals(0, pair, 0x80000000U));
    }
    return status;
}

static int build(scmp_filter_ctx filter)
{
    int status = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
    if (status == 0)
        status = add_refused(filter);
    if (status == 0)
        status = add_sockets(filter);
    if (status == 0)
        status = add_personality(filter);
    return status;
}

int main(void)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    return filter_print(filter, filter ? build(filter) : -ENOMEM, "sandbox_filter");
}

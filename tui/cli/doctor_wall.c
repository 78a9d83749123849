/* The wall: the programs of Belljar, bubblewrap, and what the kernel lets them do. */
#include "tui/cli/doctor.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "mux/driver/bwrap.h"
#include "tui/cli/probe.h"
#include "tui/model/units.h"

#define SHIM_SIZE_MAX (1024 * 1024)
#define HEADERS_MAX   64

static const char *const programs[] = {"belljar-server", "belljar-monitor", "belljar-shim"};

static void check_programs(const struct doctor *doctor, struct doctor_finding *finding)
{
    char path[BJ_PATH_MAX + 32];
    for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++) {
        snprintf(path, sizeof(path), "%s/%s", doctor->paths->libexec, programs[i]);
        if (access(path, X_OK) < 0) {
            doctor_say(finding, DOCTOR_FAIL,
                       "install Belljar completely, or set BELLJAR_LIBEXEC_DIR", "%.300s: %s", path,
                       strerror(errno));
            return;
        }
    }
    doctor_say(finding, DOCTOR_OK, NULL, "server, monitor and shim in %.300s",
               doctor->paths->libexec);
}

/* A program with an interpreter (PT_INTERP, elf(5)) is not static: it needs libraries inside. */
static int is_static(int file)
{
    Elf64_Ehdr header;
    Elf64_Phdr part;
    if (pread(file, &header, sizeof(header), 0) != (ssize_t)sizeof(header) ||
        memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_phnum > HEADERS_MAX)
        return -EINVAL;
    if (header.e_ident[EI_CLASS] != ELFCLASS64)
        return -ENOTSUP;
    for (unsigned i = 0; i < header.e_phnum; i++) {
        off_t at = (off_t)(header.e_phoff + (Elf64_Off)i * sizeof(part));
        if (pread(file, &part, sizeof(part), at) != (ssize_t)sizeof(part))
            return -EINVAL;
        if (part.p_type == PT_INTERP)
            return 0;
    }
    return 1;
}

static void check_shim(const struct doctor *doctor, struct doctor_finding *finding)
{
    char path[BJ_PATH_MAX + 32], size[UNIT_TEXT_MAX];
    struct stat info;
    snprintf(path, sizeof(path), "%s/belljar-shim", doctor->paths->libexec);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0 || fstat(file, &info) < 0) {
        doctor_say(finding, DOCTOR_FAIL, "install Belljar completely", "%.300s: %s", path,
                   strerror(errno));
        if (file >= 0)
            close(file);
        return;
    }
    int alone = is_static(file);
    close(file);
    unit_size_text((uint64_t)info.st_size, size);
    if (alone == 0)
        doctor_say(finding, DOCTOR_FAIL, "build it static: link with -static",
                   "belljar-shim needs libraries that a sandbox may not have");
    else if (alone == -EINVAL)
        doctor_say(finding, DOCTOR_FAIL, "install Belljar again", "%.300s is not a program", path);
    else if (info.st_size > SHIM_SIZE_MAX)
        doctor_say(finding, DOCTOR_WARN, "strip it: it is mapped into every sandbox",
                   "static, but %s large", size);
    else
        doctor_say(finding, DOCTOR_OK, NULL, "static, %s", size);
}

static void check_bwrap(const struct doctor *doctor, struct doctor_finding *finding)
{
    (void)doctor;
    char out[256];
    char *argv[] = {(char *)"bwrap", (char *)"--version", NULL};
    int code = probe_run(argv, out, sizeof(out));
    if (code == -ENOENT)
        doctor_say(finding, DOCTOR_FAIL, "apt install bubblewrap", "bwrap is not installed");
    else if (code != 0)
        doctor_say(finding, DOCTOR_FAIL, "apt install --reinstall bubblewrap",
                   "bwrap --version fails: %s", code < 0 ? strerror(-code) : out);
    else
        doctor_say(finding, DOCTOR_OK, NULL, "%s", out);
}

static const char *namespace_advice(void)
{
    const char *remedy = bwrap_remedy();
    return remedy ? remedy
                  : "in a container: allow user namespaces and mounts (docker: --security-opt "
                    "seccomp=unconfined --cap-add SYS_ADMIN)";
}

static void check_namespaces(const struct doctor *doctor, struct doctor_finding *finding)
{
    (void)doctor;
    char out[256];
    char *argv[] = {(char *)"bwrap",
                    (char *)"--unshare-user",
                    (char *)"--unshare-all",
                    (char *)"--ro-bind",
                    (char *)"/",
                    (char *)"/",
                    (char *)"--proc",
                    (char *)"/proc",
                    (char *)"--dev",
                    (char *)"/dev",
                    (char *)"--",
                    (char *)"true",
                    NULL};
    int code = probe_run(argv, out, sizeof(out));
    if (code == 0)
        doctor_say(finding, DOCTOR_OK, NULL,
                   "user, pid, net, ipc, uts, cgroup and mount namespaces work");
    else if (code == -ENOENT)
        doctor_say(finding, DOCTOR_FAIL, "apt install bubblewrap",
                   "not tried: bwrap is not installed");
    else
        doctor_say(finding, DOCTOR_FAIL, namespace_advice(), "bwrap cannot make them: %s",
                   code < 0 ? strerror(-code) : out);
}

static void check_nesting(const struct doctor *doctor, struct doctor_finding *finding)
{
    (void)doctor;
    char out[256];
    char *argv[] = {(char *)"bwrap",
                    (char *)"--unshare-user",
                    (char *)"--disable-userns",
                    (char *)"--ro-bind",
                    (char *)"/",
                    (char *)"/",
                    (char *)"--proc",
                    (char *)"/proc",
                    (char *)"--",
                    (char *)"true",
                    NULL};
    int code = probe_run(argv, out, sizeof(out));
    if (code == 0)
        doctor_say(finding, DOCTOR_OK, NULL, "no user namespace can be made inside a sandbox");
    else
        doctor_say(finding, DOCTOR_WARN, "install bubblewrap 0.8 or later",
                   "bwrap --disable-userns does not work; a system call filter forbids them "
                   "instead");
}

static void check_kernel(const struct doctor *doctor, struct doctor_finding *finding)
{
    (void)doctor;
    struct utsname name;
    if (uname(&name) < 0)
        doctor_say(finding, DOCTOR_WARN, NULL, "%s", strerror(errno));
    else
        doctor_say(finding, DOCTOR_OK, NULL, "%s %s on %s, user %u", name.sysname, name.release,
                   name.machine, (unsigned)geteuid());
}

const struct doctor_check doctor_wall_checks[] = {
    {"kernel", check_kernel},
    {"programs", check_programs},
    {"shim", check_shim},
    {"bwrap", check_bwrap},
    {"namespaces", check_namespaces},
    {"nesting", check_nesting},
    {NULL, NULL},
};

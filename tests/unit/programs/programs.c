/*
 * How the programs are linked: what a defect in one of them leaves to who finds it. The arguments
 * are their paths; those that run inside a sandbox, where no library is, come after "--static".
 */
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <check.h>

#include "tests/unit/transport/suite.h"

typedef ElfW(Ehdr) elf_header;
typedef ElfW(Phdr) elf_segment;
typedef ElfW(Dyn) elf_dynamic;

static char **paths;

struct program {
    const char *bytes;
    size_t size;
    const elf_header *header;
    const elf_segment *segments;
};

static struct program program_open(const char *path)
{
    struct program program = {0};
    struct stat info;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ck_assert_msg(fd >= 0 && fstat(fd, &info) == 0, "%s", path);
    program.size = (size_t)info.st_size;
    program.bytes = mmap(NULL, program.size, PROT_READ, MAP_PRIVATE, fd, 0);
    ck_assert_ptr_ne(program.bytes, MAP_FAILED);
    close(fd);
    program.header = (const void *)program.bytes;
    ck_assert_mem_eq(program.header->e_ident, ELFMAG, SELFMAG);
    program.segments = (const void *)(program.bytes + program.header->e_phoff);
    return program;
}

static void program_close(struct program *program)
{
    munmap((void *)program->bytes, program->size);
}

static const elf_segment *segment(const struct program *program, unsigned type)
{
    for (size_t i = 0; i < program->header->e_phnum; i++)
        if (program->segments[i].p_type == type)
            return &program->segments[i];
    return NULL;
}

static bool binds_now(const struct program *program)
{
    const elf_segment *dynamic = segment(program, PT_DYNAMIC);
    if (!dynamic)
        return false;
    const elf_dynamic *entry = (const void *)(program->bytes + dynamic->p_offset);
    for (size_t left = dynamic->p_filesz / sizeof(*entry); left > 0; left--, entry++)
        if ((entry->d_tag == DT_FLAGS && (entry->d_un.d_val & DF_BIND_NOW)) ||
            (entry->d_tag == DT_FLAGS_1 && (entry->d_un.d_val & DF_1_NOW)))
            return true;
    return false;
}

static void check_links(const char *path, const struct program *program)
{
    const elf_segment *stack = segment(program, PT_GNU_STACK);
    ck_assert_msg(program->header->e_type == ET_DYN, "%s: where it is loaded is known", path);
    ck_assert_msg(stack && !(stack->p_flags & PF_X), "%s: its stack can be executed", path);
    ck_assert_msg(segment(program, PT_GNU_RELRO) && binds_now(program),
                  "%s: where its calls go can be written", path);
}

START_TEST(is_hardened)
{
    static const char guard[] = "__stack_chk_fail";
    struct program program = program_open(paths[_i]);
    check_links(paths[_i], &program);
    ck_assert_msg(memmem(program.bytes, program.size, guard, strlen(guard)) != NULL,
                  "%s: its stack is not guarded", paths[_i]);
    program_close(&program);
}
END_TEST

/* The static C library has a guard of its own: nothing is seen of the program's. */
START_TEST(inside_is_hardened)
{
    struct program program = program_open(paths[_i]);
    check_links(paths[_i], &program);
    ck_assert_msg(!segment(&program, PT_INTERP), "%s is not static", paths[_i]);
    program_close(&program);
}
END_TEST

int main(int argc, char *argv[])
{
    int outside = 0;
    paths = argv + 1;
    while (paths[outside] && strcmp(paths[outside], "--static") != 0)
        outside++;
    Suite *suite = suite_create("programs");
    TCase *tests = tcase_create("linked");
    tcase_add_loop_test(tests, is_hardened, 0, outside);
    tcase_add_loop_test(tests, inside_is_hardened, outside + 1, argc - 1);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}

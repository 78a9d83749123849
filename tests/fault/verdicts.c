/*
 * No verdict is lost, doubled or given to another, whatever is killed or cut while it is given.
 *
 * In each of many sandboxes an agent (asker.c) has up to 64 numbered questions open at a time; some
 * are asked by all of them in the same words, so that one verdict is for many. A client of the API
 * lists them and answers each with the answer that belongs to its number and, as the reason, with
 * the question's own words and the verdict's number, while the server and monitors are killed and
 * stopped and links and the client's own connection are cut, most often while verdicts are on their
 * way. At last each question of each asker must have got one verdict, and that one its own, and
 * none that the server refused.
 *
 * $BELLJAR_FAULT_VERDICTS (questions in all, 800) and $BELLJAR_FAULT_SEED (printed) repeat a run.
 */
#include <dirent.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "tests/e2e/world.h"
#include "tests/fault/harness.h"
#include "transport/socket.h"
#include "tui/cli/peer.h"

#define SANDBOXES 16
#define WIDTH     "64"
#define BATCH_MAX 128 /* verdicts on their way at a time */
#define VIEW_MS   320 /* a little longer than a request must be in view */

static struct world world;
static char asker[4096]; /* the program */
static long of_each;     /* questions */
static uint64_t seed;    /* as in fault.c */
static struct peer peer; /* the client */
static bool connected;

struct place {
    char name[8];
    pid_t init, monitor;
};

static struct place places[SANDBOXES];

struct tally {
    long verdicts, lost, doubled, wrong; /* of the askers */
    long passed;                         /* told that they are too many, and asked again */
    long undecided;                      /* told for another reason that nobody decided */
};

enum fate { UNHEARD, TAKEN, REFUSED, UNDELIVERED };

static enum fate *fates; /* of the verdicts that the client gave, by their numbers */
static long given, given_room;
static unsigned char *taken[SANDBOXES]; /* how often, of each question that only one asks */

static struct {
    long taken, refused, unheard; /* verdicts; unheard: the connection ended first */
    long twice; /* taken for a question for which one was taken before, which was lost on its way */
    long servers, monitors, stops, links, clients;
} happened;

static unsigned below(unsigned limit)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (unsigned)(seed % limit);
}

static void pause_ms(unsigned ms)
{
    struct timespec wait = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
    nanosleep(&wait, NULL);
}

/* --- the client --- */

static void disconnect(void)
{
    if (connected)
        peer_close(&peer);
    connected = false;
}

/* To the server, which is started where none runs. */
static bool connect_client(void)
{
    struct bj_error error = {0};
    struct result result;
    char path[128];
    if (connected && peer.connected)
        return true;
    disconnect();
    BELLJAR(&world, &result, "ls");
    result_free(&result);
    snprintf(path, sizeof(path), "%s/server.sock", world.runtime);
    int fd = bj_socket_connect(path, &error);
    connected = fd >= 0 && peer_open(&peer, fd, "the server", &error) == 0;
    return connected;
}

static json_t *list(const char *method)
{
    struct bj_error error = {0};
    json_t *result = NULL;
    if (!connect_client() || peer_call(&peer, method, NULL, PEER_TIMEOUT_MS, &result, &error) < 0 ||
        !result)
        return json_array();
    return result;
}

/* --- what is asked, and what belongs to it --- */

/* Which answer belongs to a question: without a pattern that its neighbour's would fit, too. */
static bool allows(const char *who, long number)
{
    uint64_t mixed = (uint64_t)number * 0x9e3779b97f4a7c15U;
    for (; *who; who++)
        mixed = (mixed ^ (uint64_t)*who) * 0x100000001b3U;
    return mixed >> 33 & 1;
}

static long next_verdict(void)
{
    if (given == given_room) {
        given_room = given_room ? given_room * 2 : 1024;
        fates = realloc(fates, (size_t)given_room * sizeof(*fates));
        ck_assert_ptr_nonnull(fates);
    }
    fates[given] = UNHEARD;
    return given++;
}

static long question_of(const json_t *request, char who[16])
{
    const char *title = json_string_value(json_object_get(request, "title"));
    long number;
    ck_assert_msg(title && sscanf(title, "question %15s %ld", who, &number) == 2,
                  "somebody asks: %s", title ? title : "nothing");
    return number;
}

static json_t *verdict_on(const json_t *request, long verdict)
{
    char who[16], words[64];
    long number = question_of(request, who);
    bool yes = allows(who, number);
    snprintf(words, sizeof(words), "%s %ld %s %ld", who, number, yes ? "yes" : "no", verdict);
    return json_pack("{s:O, s:s, s:s}", "id", json_object_get(request, "id"), "answer",
                     yes ? "allow" : "deny", "reason", words);
}

/* --- faults --- */

static void look_for_monitors(void)
{
    json_t *sandboxes = list("sandbox.list"), *sandbox;
    size_t index;
    json_array_foreach(sandboxes, index, sandbox)
    {
        const char *name = json_string_value(json_object_get(sandbox, "name"));
        for (size_t i = 0; name && i < SANDBOXES; i++)
            if (strcmp(places[i].name, name) == 0)
                places[i].monitor =
                    (pid_t)json_integer_value(json_object_get(sandbox, "monitor_pid"));
    }
    json_decref(sandboxes);
}

/* It may have ended since it was seen, and its number be that of somebody else's process. */
static bool is_monitor(pid_t pid)
{
    static pid_t ours[8192];
    char path[64];
    size_t count = world_processes(ours, sizeof(ours) / sizeof(ours[0]));
    snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
    for (size_t i = 0; i < count; i++)
        if (ours[i] == pid)
            return strstr(world_read(path), "belljar-monitor") != NULL;
    return false;
}

static pid_t some_monitor(void)
{
    pid_t pid = places[below(SANDBOXES)].monitor;
    return is_monitor(pid) ? pid : 0;
}

static void kill_server(void)
{
    pid_t server = world_server(&world);
    if (server > 0)
        happened.servers += kill(server, SIGKILL) == 0;
}

static void kill_monitors(void)
{
    for (unsigned left = 1 + below(3); left > 0; left--) {
        pid_t monitor = some_monitor();
        if (monitor > 0)
            happened.monitors += kill(monitor, SIGKILL) == 0;
    }
}

static void kill_both(void)
{
    kill_server();
    kill_monitors();
}

static void stop_one(void)
{
    pid_t victim = below(2) ? world_server(&world) : some_monitor();
    if (victim <= 0 || kill(victim, SIGSTOP) < 0)
        return;
    happened.stops++;
    pause_ms(below(400));
    if (below(4) == 0)
        kill(victim, SIGKILL);
    kill(victim, SIGCONT);
}

/* Whether the other end of this socket is that process. */
static bool leads_to(int fd, pid_t pid)
{
    struct ucred peer;
    socklen_t size = sizeof(peer);
    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.pid == pid;
}

/* Ends the connections of another process, which keeps their descriptors, to that one. */
static long shut(pid_t from, pid_t to)
{
    char path[64];
    long count = 0;
    snprintf(path, sizeof(path), "/proc/%d/fd", (int)from);
    DIR *directory = opendir(path);
    int process = (int)syscall(SYS_pidfd_open, from, 0);
    for (struct dirent *entry; directory && process >= 0 && (entry = readdir(directory));) {
        int fd = (int)syscall(SYS_pidfd_getfd, process, atoi(entry->d_name), 0);
        if (fd < 0)
            continue;
        if (leads_to(fd, to))
            count += shutdown(fd, SHUT_RDWR) == 0;
        close(fd);
    }
    if (directory)
        closedir(directory);
    if (process >= 0)
        close(process);
    return count;
}

/* Between monitor and shim: of one sandbox, or of several. */
static void cut_links(void)
{
    for (unsigned left = 1 + below(SANDBOXES); left > 0; left--) {
        const struct place *place = &places[below(SANDBOXES)];
        if (is_monitor(place->monitor))
            happened.links += shut(place->monitor, place->init);
    }
}

static void cut_client(void)
{
    happened.clients += connected;
    disconnect();
}

static void (*const faults[])(void) = {kill_server, kill_monitors, kill_both, stop_one,
                                       cut_links,   cut_links,     cut_client};

static void perhaps_a_fault(void)
{
    if (below(2) == 0)
        faults[below(sizeof(faults) / sizeof(faults[0]))]();
}

/* --- verdicts --- */

struct sent {
    const json_t *request;
    long verdict; /* its number */
};

static void note_taken(const json_t *request)
{
    char who[16];
    long number = question_of(request, who);
    happened.taken++;
    for (size_t i = 0; i < SANDBOXES; i++)
        if (strcmp(places[i].name, who) == 0 && number <= of_each && taken[i][number] < 255)
            happened.twice += taken[i][number]++ > 0;
}

/* An error may be the connection's, unless that still stands. */
static void note(const struct sent *sent, const struct peer_reply *reply, bool stands)
{
    if (reply->done && reply->error.code == 0) {
        fates[sent->verdict] = TAKEN;
        note_taken(sent->request);
    } else if (reply->done && stands) {
        bool on_its_way = strstr(reply->error.text, "the verdict was not delivered") != NULL;
        fates[sent->verdict] = on_its_way ? UNDELIVERED : REFUSED;
        happened.refused++;
    } else {
        happened.unheard++;
    }
    json_decref(reply->result);
}

/* Those that are listed get theirs, some only the next time. */
static void answer(const json_t *requests)
{
    static struct sent sent[BATCH_MAX];
    static struct peer_reply replies[BATCH_MAX];
    struct bj_error error = {0};
    size_t index, count = 0;
    json_t *request;
    unsigned patience = 1 + below(4); /* so that sometimes many wait */
    if (!connect_client())
        return;
    json_array_foreach(requests, index, request)
    {
        if (count == BATCH_MAX || below(4) >= patience)
            continue;
        sent[count] = (struct sent){request, next_verdict()};
        peer_send(&peer, "request.resolve", verdict_on(request, sent[count].verdict),
                  &replies[count]);
        count++;
    }
    perhaps_a_fault();
    if (connected)
        peer_wait(&peer, replies, count, PEER_TIMEOUT_MS, &error);
    bool stands = connected && peer.connected && !peer.rpc.closing;
    for (size_t i = 0; i < count; i++)
        note(&sent[i], &replies[i], stands);
}

static bool all_have_ended(void)
{
    for (size_t i = 0; i < SANDBOXES; i++)
        if (!world_shows(&world, places[i].name, "end"))
            return false;
    return true;
}

static void answer_all(void)
{
    long long began = world_now(), told = began, last = began;
    long before = 0;
    for (;;) {
        json_t *requests = list("request.list");
        size_t open = json_array_size(requests);
        pause_ms(VIEW_MS);
        perhaps_a_fault();
        answer(requests);
        json_decref(requests);
        if (open == 0 && all_have_ended())
            return;
        look_for_monitors();
        if (happened.taken != before)
            last = world_now();
        before = happened.taken;
        ck_assert_msg(world_now() - last < 3LL * world_patience(), "no verdict is taken any more");
        if (world_now() - told > 10000) {
            told = world_now();
            printf("%lld s: %ld verdicts were taken, %zu requests are open\n",
                   (told - began) / 1000, happened.taken, open);
            fflush(stdout);
        }
    }
}

/* --- what must hold --- */

static void check_verdict(const struct place *place, long number, long code, const char *words,
                          char *got, struct tally *tally)
{
    char own[80];
    long verdict = -1;
    const char *who = number % 8 == 0 ? "all" : place->name;
    bool yes = allows(who, number);
    size_t size = (size_t)snprintf(own, sizeof(own), "%s: %s %ld %s ", yes ? "allowed" : "denied",
                                   who, number, yes ? "yes" : "no");
    ck_assert_msg(number >= 1 && number <= of_each, "%s asks %ld", place->name, number);
    bool right = code == !yes && strncmp(words, own, size) == 0 &&
                 sscanf(words + size, "%ld", &verdict) == 1 && verdict >= 0 && verdict < given &&
                 fates[verdict] != REFUSED;
    if (!right)
        printf("%s: question %ld got %ld, %s\n", place->name, number, code, words);
    if (got[number])
        printf("%s: question %ld got a second verdict\n", place->name, number);
    tally->wrong += !right;
    tally->doubled += got[number];
    got[number] = 1;
}

static void check_line(const struct place *place, const char *line, char *got, struct tally *tally)
{
    long number, code;
    int at = 0;
    if (sscanf(line, "verdict %ld %ld %n", &number, &code, &at) == 2 && at > 0) {
        check_verdict(place, number, code, line + at, got, tally);
    } else if (sscanf(line, "again %ld %n", &number, &at) == 1 && at > 0) {
        bool flood = strstr(line + at, "too many questions") != NULL;
        if (!flood)
            printf("%s: question %ld: %s\n", place->name, number, line + at);
        tally->passed += flood;
        tally->undecided += !flood;
    } else {
        ck_assert_msg(strcmp(line, "end") == 0, "%s printed: %s", place->name, line);
    }
}

static void check_place(const struct place *place, struct tally *tally)
{
    struct result result;
    char *save = NULL, *got = calloc(1, (size_t)of_each + 1);
    BELLJAR(&world, &result, "replay", place->name, "--export", "raw");
    ck_assert_msg(result.code == 0 && got, "%s", result.err);
    for (char *line = strtok_r(result.out, "\r\n", &save); line;
         line = strtok_r(NULL, "\r\n", &save))
        check_line(place, line, got, tally);
    for (long number = 1; number <= of_each; number++) {
        tally->verdicts += got[number];
        tally->lost += !got[number];
    }
    free(got);
    result_free(&result);
}

static void start(struct place *place, int number)
{
    char project[160], count[24];
    snprintf(place->name, sizeof(place->name), "a%d", number);
    snprintf(project, sizeof(project), "%s/asker", world.base);
    snprintf(count, sizeof(count), "%ld", of_each);
    BELLJAR_OK(&world, "run", "-d", "-n", place->name, "--project", project, "--record-limit", "1G",
               "--", "/work/asker", place->name, count, WIDTH);
    WAIT_FOR((place->init = (pid_t)world_number(&world, place->name, "init_pid")) > 0);
}

static void put_asker(void)
{
    char command[9000];
    snprintf(command, sizeof(command), "mkdir %s/asker && cp '%s' %s/asker/asker", world.base,
             asker, world.base);
    world_run_ok(&world, (const char *const[]){"sh", "-c", command, NULL});
}

START_TEST(each_gets_its_own)
{
    struct tally tally = {0};
    struct result result;
    long questions = fault_number("BELLJAR_FAULT_VERDICTS", 800);
    of_each = (questions + SANDBOXES - 1) / SANDBOXES;
    seed = (uint64_t)fault_number("BELLJAR_FAULT_SEED", (long)time(NULL) ^ getpid());
    printf("BELLJAR_FAULT_SEED=%" PRIu64 " BELLJAR_FAULT_VERDICTS=%ld\n", seed,
           of_each * SANDBOXES);
    seed = seed * 0x9e3779b97f4a7c15U + 1;
    snprintf(asker, sizeof(asker), "%s", getenv("BELLJAR_TEST_ASKER"));
    world_open(&world);
    signal(SIGPIPE, SIG_IGN); /* the server may be gone when the client writes */
    put_asker();
    long long began = world_now();
    for (int i = 0; i < SANDBOXES; i++) {
        ck_assert_ptr_nonnull(taken[i] = calloc((size_t)of_each + 1, 1));
        start(&places[i], i);
    }
    look_for_monitors();
    answer_all();
    disconnect();
    for (size_t i = 0; i < SANDBOXES; i++)
        check_place(&places[i], &tally);
    printf("%ld questions, %ld verdicts in %lld s: %ld lost, %ld doubled, %ld wrong, %ld undecided "
           "(%ld were too many at once, and asked again)\n",
           of_each * SANDBOXES, tally.verdicts, (world_now() - began) / 1000, tally.lost,
           tally.doubled, tally.wrong, tally.undecided, tally.passed);
    printf(
        "killed: %ld servers, %ld monitors; stopped: %ld; cut: %ld links, %ld clients; verdicts "
        "of the client: %ld taken (%ld of them for one that was lost on its way), %ld refused, %ld "
        "of which it heard nothing\n",
        happened.servers, happened.monitors, happened.stops, happened.links, happened.clients,
        happened.taken, happened.twice, happened.refused, happened.unheard);
    ck_assert_int_eq(tally.verdicts, of_each * SANDBOXES);
    ck_assert_int_eq(tally.lost + tally.doubled + tally.wrong + tally.undecided, 0);
    BELLJAR(&world, &result, "audit", "verify");
    ck_assert_msg(result.code == 0, "%s%s", result.out, result.err);
    result_free(&result);
    world_close(&world);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("fault-verdicts");
    TCase *cases = tcase_create("verdicts");
    tcase_set_timeout(cases, 0);
    tcase_add_test(cases, each_gets_its_own);
    suite_add_tcase(suite, cases);
    return world_main(suite);
}

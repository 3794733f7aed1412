/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs a command and measures the whole tree of processes that it starts: wall clock, user and system time of all of
 * them, the most memory they had together, the command's exit status. Prints one JSON object.
 *
 * It makes itself the reaper of every orphan below it, so the tree has ended when wait() finds no child, and the kernel
 * has then added up everybody's times. Memory is the proportional set size (pages that are shared count once), summed
 * over the tree each 100 ms, in the first two seconds each 20 ms so that a short run shows its peak too. SIGINT and
 * SIGTERM are handed on to the command.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { tree_max = 4096, sample_ms = 100, sample_early_ms = 20, early_s = 2 };

struct process {
    int id, parent;
};

static void die(const char *what)
{
    fprintf(stderr, "measure: %s: %s\n", what, strerror(errno));
    exit(125);
}

static double now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* Reads a small file of /proc whole; false when the process is gone. */
static bool proc_read(int id, const char *name, char *text, size_t size)
{
    char path[64];
    ssize_t got;
    int file;

    snprintf(path, sizeof(path), "/proc/%d/%s", id, name);
    file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return false;
    got = read(file, text, size - 1);
    close(file);
    if (got <= 0)
        return false;
    text[got] = '\0';
    return true;
}

static unsigned processes_list(struct process *list)
{
    DIR *folder = opendir("/proc");
    struct dirent *entry;
    unsigned count = 0;
    char text[1024];

    if (folder == NULL)
        die("/proc");
    while ((entry = readdir(folder)) != NULL && count < tree_max) {
        int id = (int)strtol(entry->d_name, NULL, 10);
        const char *after;

        if (id <= 0 || !proc_read(id, "stat", text, sizeof(text)) || (after = strrchr(text, ')')) == NULL)
            continue;
        /* "PID (name) S PPID ..." */
        list[count++] = (struct process){id, (int)strtol(after + 4, NULL, 10)};
    }
    closedir(folder);
    return count;
}

static uint64_t pss_bytes(int id)
{
    char text[2048], *line;

    if (!proc_read(id, "smaps_rollup", text, sizeof(text)) || (line = strstr(text, "\nPss:")) == NULL)
        return 0;
    return strtoull(line + 5, NULL, 10) * 1024;
}

/* The sum over all processes below this one. */
static uint64_t tree_pss(unsigned *processes)
{
    static struct process list[tree_max];
    static bool ours[tree_max];
    unsigned count = processes_list(list);
    bool grew = true;
    uint64_t sum = 0;

    memset(ours, 0, sizeof(ours));
    *processes = 0;
    while (grew) {
        grew = false;
        for (unsigned i = 0; i < count; i++) {
            if (ours[i])
                continue;
            ours[i] = list[i].parent == getpid();
            for (unsigned j = 0; j < count && !ours[i]; j++)
                ours[i] = ours[j] && list[j].id == list[i].parent;
            if (ours[i]) {
                grew = true;
                ++*processes;
                sum += pss_bytes(list[i].id);
            }
        }
    }
    return sum;
}

struct result {
    uint64_t peak;
    unsigned processes;
    int status;
};

/* Waits for the end of the whole tree. */
static void watch(int child, int signals, struct result *result)
{
    const double start = now();
    struct pollfd entry = {.fd = signals, .events = POLLIN};

    for (;;) {
        struct signalfd_siginfo info;
        unsigned processes;
        uint64_t memory;
        int status, id;

        while ((id = waitpid(-1, &status, WNOHANG)) > 0)
            if (id == child)
                result->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        if (id < 0 && errno == ECHILD)
            return;
        memory = tree_pss(&processes);
        if (memory > result->peak)
            result->peak = memory;
        if (processes > result->processes)
            result->processes = processes;
        if (poll(&entry, 1, now() - start < early_s ? sample_early_ms : sample_ms) > 0 &&
            read(signals, &info, sizeof(info)) == sizeof(info) && info.ssi_signo != SIGCHLD)
            kill(child, (int)info.ssi_signo);
    }
}

int main(int argc, char **argv)
{
    struct result result = {0};
    const char *path = NULL;
    struct rusage usage;
    sigset_t set, before;
    double start, wall;
    int first = 1, child, signals;
    FILE *out;

    if (argc > 2 && strcmp(argv[1], "-o") == 0) {
        path = argv[2];
        first = 3;
    }
    if (first >= argc) {
        fputs("usage: measure [-o RESULT.json] COMMAND [ARGUMENT...]\n", stderr);
        return 125;
    }
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_BLOCK, &set, &before);
    signals = signalfd(-1, &set, SFD_CLOEXEC);
    if (signals < 0 || prctl(PR_SET_CHILD_SUBREAPER, 1) != 0)
        die("start");
    start = now();
    child = fork();
    if (child < 0)
        die("fork");
    if (child == 0) {
        sigprocmask(SIG_SETMASK, &before, NULL);
        setsid(); /* a signal to the terminal's group must not reach it twice */
        execvp(argv[first], argv + first);
        fprintf(stderr, "measure: %s: %s\n", argv[first], strerror(errno));
        _exit(127);
    }
    watch(child, signals, &result);
    wall = now() - start;
    getrusage(RUSAGE_CHILDREN, &usage);
    out = path == NULL ? stdout : fopen(path, "w");
    if (out == NULL)
        die(path);
    fprintf(out, "{\"status\": %d, \"wall\": %.4f, \"user\": %ld.%06ld, \"system\": %ld.%06ld, \"peak_pss\": %" PRIu64
            ", \"processes\": %u}\n", result.status, wall, (long)usage.ru_utime.tv_sec, (long)usage.ru_utime.tv_usec,
            (long)usage.ru_stime.tv_sec, (long)usage.ru_stime.tv_usec, result.peak, result.processes);
    return result.status;
}

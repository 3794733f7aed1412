/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Running the trigger with posix_spawn, from whatever thread. The child is a process group of its own, so that the
 * time limit also ends what a script has started. Waiting is by polling with growing pauses: there is no signal
 * handler here and somebody else may own SIGCHLD.
 */
#include "plugins/common/trigger.h"

#include "base/time.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define trigger_limit_seconds 60
#define pause_first_ns 1000000L
#define pause_last_ns 50000000L

int trigger_init(struct trigger *trigger, const char *path, bool async, struct error *error)
{
    *trigger = (struct trigger){.path = path, .async = async, .limit_seconds = trigger_limit_seconds};
    if (!path)
        return 0;
    if (path[0] != '/')
        return error_set(error, "trigger_exec: '%s' is no absolute path", path);
    if (access(path, X_OK) != 0)
        return error_errno(error, errno, "trigger_exec: cannot execute '%s'", path);
    return 0;
}

/* How a child ended, as an error unless it is status 0. */
static int judge(const struct trigger *trigger, int status, struct error *error)
{
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return 0;
    if (WIFSIGNALED(status))
        return error_set(error, "trigger '%s' died of signal %d", trigger->path, WTERMSIG(status));
    return error_set(error, "trigger '%s' ended with status %d", trigger->path, WEXITSTATUS(status));
}

/* 1: still runs; 0: ended well; -1: ended otherwise or was killed for its time. */
static int look_after(const struct trigger *trigger, const struct trigger_child *child, struct error *error)
{
    int status;
    pid_t got = waitpid(child->pid, &status, WNOHANG);

    if (got == child->pid)
        return judge(trigger, status, error);
    if (got < 0 && errno != EINTR) /* SIGCHLD is ignored in this process: it has ended, nobody knows how */
        return 0;
    if (time_monotonic_ns() - child->started_ns < (int64_t)trigger->limit_seconds * time_second_ns)
        return 1;
    kill(-child->pid, SIGKILL);
    kill(child->pid, SIGKILL);
    while (waitpid(child->pid, &status, 0) < 0 && errno == EINTR)
        ;
    return error_set(error, "trigger '%s' ran for more than %u s and was killed", trigger->path,
                     trigger->limit_seconds);
}

/* Takes in the async ones that have ended; the last failure is the one told. */
static int reap(struct trigger *trigger, struct error *error)
{
    int result = 0;

    for (unsigned i = 0; i < trigger->count;) {
        int state = look_after(trigger, &trigger->children[i], error);
        if (state > 0) {
            i++;
            continue;
        }
        if (state < 0)
            result = -1;
        trigger->children[i] = trigger->children[--trigger->count];
    }
    return result;
}

static int spawn(const struct trigger *trigger, char *const environment[], pid_t *pid)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, all;
    char *arguments[] = {(char *)(uintptr_t)trigger->path, NULL};

    sigemptyset(&none);
    sigfillset(&all);
    int code = posix_spawn_file_actions_init(&actions);
    if (code != 0)
        return code;
    code = posix_spawnattr_init(&attributes);
    if (code != 0) {
        posix_spawn_file_actions_destroy(&actions);
        return code;
    }
    (void)(code || (code = posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)) ||
           (code = posix_spawn_file_actions_adddup2(&actions, 2, 1)) ||
           (code = posix_spawn_file_actions_addclosefrom_np(&actions, 3)) ||
           (code = posix_spawnattr_setsigmask(&attributes, &none)) ||
           (code = posix_spawnattr_setsigdefault(&attributes, &all)) ||
           (code = posix_spawnattr_setpgroup(&attributes, 0)) ||
           (code = posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
                                                             POSIX_SPAWN_SETPGROUP)) ||
           (code = posix_spawn(pid, trigger->path, &actions, &attributes, arguments, environment)));
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return code;
}

#define environment_max 12
#define variable_max 64

struct environment {
    char *list[environment_max + 1];
    char numbers[environment_max][variable_max];
    unsigned count;
};

static void add_number(struct environment *environment, const char *name, int64_t value)
{
    if (value < 0 || environment->count == environment_max)
        return;
    char *text = environment->numbers[environment->count];
    snprintf(text, variable_max, "%s=%" PRId64, name, value);
    environment->list[environment->count++] = text;
}

int trigger_run(struct trigger *trigger, const struct trigger_facts *facts, struct error *error)
{
    struct environment environment = {.count = 0};
    struct trigger_child child = {.started_ns = time_monotonic_ns()};
    char *file = NULL;

    if (!trigger->path)
        return 0;
    int result = reap(trigger, error);
    if (trigger->count == trigger_running_max)
        return error_set(error, "trigger '%s' was left out: %d of them still run", trigger->path,
                         trigger_running_max);
    /* A script wants to find its programs; nothing else of ours is its business. */
    environment.list[environment.count++] = (char *)(uintptr_t) "PATH=/usr/local/bin:/usr/bin:/bin";
    add_number(&environment, "SQL_REFRESH_TIME", facts->refresh_seconds);
    add_number(&environment, "SQL_HISTORY_BASETIME", facts->bin_start);
    add_number(&environment, "SQL_HISTORY_TIMESLOT", facts->bin_seconds);
    add_number(&environment, "TOTAL_ELEM_NUMBER", (int64_t)facts->rows_total);
    add_number(&environment, "EFFECTIVE_ELEM_NUMBER", (int64_t)facts->rows_delivered);
    add_number(&environment, "ELAPSED_TIME", facts->elapsed_seconds);
    if (facts->output_file && asprintf(&file, "OUTPUT_FILE=%s", facts->output_file) >= 0)
        environment.list[environment.count++] = file;

    int code = spawn(trigger, environment.list, &child.pid);
    free(file);
    if (code != 0)
        return error_errno(error, code, "cannot run the trigger '%s'", trigger->path);
    if (trigger->async) {
        trigger->children[trigger->count++] = child;
        return result;
    }
    for (long pause = pause_first_ns;; pause = pause * 2 < pause_last_ns ? pause * 2 : pause_last_ns) {
        int state = look_after(trigger, &child, error);
        if (state <= 0)
            return state < 0 ? -1 : result;
        nanosleep(&(struct timespec){.tv_nsec = pause}, NULL);
    }
}

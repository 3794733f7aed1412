/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/supervisor.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "base/loop.h"
#include "base/process.h"
#include "base/server.h"
#include "base/time.h"
#include "core/child.h"
#include "core/collector.h"
#include "core/losses.h"
#include "core/plan.h"
#include "core/roles.h"
#include "plugins/plugin.h"

#define start_limit_ns (INT64_C(30) * time_second_ns)
#define describe_wait_ns time_second_ns /* for lanes that are busy, all of them together */
#define kill_grace_ns (INT64_C(2) * time_second_ns) /* beyond shutdown_timeout, before SIGKILL */

#define children_max (ledger_plugins_max + ledger_lanes_max)

enum phase { PHASE_STARTING, PHASE_UP, PHASE_STOPPING_COLLECTOR, PHASE_STOPPING_PLUGINS, PHASE_DONE };

struct supervisor {
    const struct daemon *daemon;
    struct config *config;
    struct plan plan;
    struct ledger *ledger;
    struct loop *loop;
    struct server *control;
    struct losses losses;
    struct child plugins[ledger_plugins_max];
    struct child lanes[ledger_lanes_max];     /* the collectors */
    uint64_t asked[ledger_lanes_max];         /* the number of the description that a lane was last told to write */
    struct child *all[children_max];          /* plugins, then lanes */
    unsigned child_count;
    struct loop_handler *watches[children_max];
    struct loop_handler *timer; /* restarts, and the deadline of the phase */
    int64_t deadline_ns;
    enum phase phase;
    int signal_fd;
    bool dry_run, failed, input_broken;
};

static void on_control(void *context, unsigned events);

static bool is_lane(const struct supervisor *supervisor, const struct child *child)
{
    return child->index >= supervisor->plan.count;
}

static unsigned lane_of(const struct supervisor *supervisor, const struct child *child)
{
    return child->index - supervisor->plan.count;
}

static bool is_active(const struct child *child)
{
    return child->state == CHILD_STARTING || child->state == CHILD_RUNNING;
}

/* The ledger's public view of a plugin process. */
static void publish_state(struct supervisor *supervisor, unsigned plugin)
{
    static const uint32_t states[] = {
        [CHILD_IDLE] = LEDGER_PLUGIN_STARTING,    [CHILD_STARTING] = LEDGER_PLUGIN_STARTING,
        [CHILD_RUNNING] = LEDGER_PLUGIN_RUNNING,  [CHILD_WAITING] = LEDGER_PLUGIN_DEAD,
        [CHILD_GIVEN_UP] = LEDGER_PLUGIN_GIVEN_UP, [CHILD_ENDED] = LEDGER_PLUGIN_ENDED,
    };
    struct ledger_plugin *block = &supervisor->ledger->plugins[plugin];

    block->pid = (uint32_t)supervisor->plugins[plugin].pid;
    __atomic_store_n(&block->state, states[supervisor->plugins[plugin].state], __ATOMIC_RELAXED);
}

static int start_child(struct supervisor *supervisor, struct child *child, struct error *error)
{
    bool lane = is_lane(supervisor, child);
    struct role role = {
        .daemon = supervisor->daemon,
        .config = supervisor->config,
        .plan = &supervisor->plan,
        .ledger = supervisor->ledger,
        .loop = supervisor->loop,
        .control = supervisor->control,
        .signal_fd = supervisor->signal_fd,
        .number = lane ? lane_of(supervisor, child) : child->index,
    };
    struct loop_handler **watch = &supervisor->watches[child->index];

    loop_unwatch(*watch);
    *watch = NULL;
    if (child_start(child, lane ? role_collector : role_plugin, &role, supervisor->all, supervisor->child_count,
                    error) < 0)
        return -1;
    *watch = loop_watch(supervisor->loop, child->control_fd, loop_readable, on_control, child);
    if (lane) {
        supervisor->ledger->lanes[role.number].pid = (uint32_t)child->pid;
        supervisor->asked[role.number] = 0; /* its predecessor took the order with it */
    } else {
        publish_state(supervisor, child->index);
    }
    return *watch == NULL ? error_set(error, "cannot watch a process") : 0;
}

static bool all_running(const struct supervisor *supervisor)
{
    for (unsigned i = 0; i < supervisor->child_count; i++)
        if (supervisor->all[i]->state != CHILD_RUNNING && supervisor->all[i]->state != CHILD_ENDED)
            return false;
    return true;
}

/* Each collector has written its END. */
static bool lanes_ended(const struct supervisor *supervisor)
{
    for (unsigned i = 0; i < supervisor->plan.lane_count; i++)
        if (supervisor->lanes[i].state != CHILD_ENDED)
            return false;
    return true;
}

static bool lanes_active(const struct supervisor *supervisor)
{
    for (unsigned i = 0; i < supervisor->plan.lane_count; i++)
        if (is_active(&supervisor->lanes[i]))
            return true;
    return false;
}

static bool plugins_gone(const struct supervisor *supervisor)
{
    for (unsigned i = 0; i < supervisor->plan.count; i++)
        if (supervisor->plugins[i].state != CHILD_ENDED && supervisor->plugins[i].state != CHILD_GIVEN_UP)
            return false;
    return true;
}

/* The one timer fires at the nearest of: a restart that is due, the deadline of the phase, the next look at losses. */
static void set_timer(struct supervisor *supervisor)
{
    int64_t nearest = supervisor->losses.next_ns;

    if (supervisor->deadline_ns != 0 && supervisor->deadline_ns < nearest)
        nearest = supervisor->deadline_ns;
    for (unsigned i = 0; i < supervisor->child_count; i++)
        if (supervisor->phase == PHASE_UP && supervisor->all[i]->state == CHILD_WAITING &&
            supervisor->all[i]->restart_ns < nearest)
            nearest = supervisor->all[i]->restart_ns;
    loop_timer_set(supervisor->timer, nearest);
}

static void enter_phase(struct supervisor *supervisor, enum phase phase)
{
    int64_t limit_ns = (int64_t)supervisor->config->core.shutdown_timeout * time_second_ns + kill_grace_ns;

    supervisor->phase = phase;
    supervisor->deadline_ns = phase == PHASE_UP ? 0 : time_monotonic_ns() + limit_ns;
    if (phase == PHASE_DONE)
        loop_stop(supervisor->loop);
    set_timer(supervisor);
}

static void stop_plugins(struct supervisor *supervisor)
{
    enter_phase(supervisor, PHASE_STOPPING_PLUGINS);
    for (unsigned i = 0; i < supervisor->plan.count; i++) {
        struct child *child = &supervisor->plugins[i];

        if (child->state == CHILD_WAITING || child->state == CHILD_IDLE) {
            child->state = CHILD_GIVEN_UP; /* it will not be started again; its ring is booked as lost */
            publish_state(supervisor, i);
        }
        child_order(child, PLUGIN_COMMAND_STOP);
    }
    if (plugins_gone(supervisor))
        enter_phase(supervisor, PHASE_DONE);
}

static void order_lanes(struct supervisor *supervisor, char order)
{
    for (unsigned i = 0; i < supervisor->plan.lane_count; i++)
        child_order(&supervisor->lanes[i], order);
}

static void stop(struct supervisor *supervisor)
{
    if (supervisor->phase >= PHASE_STOPPING_COLLECTOR)
        return;
    __atomic_store_n(&supervisor->ledger->stopping, 1, __ATOMIC_RELAXED);
    if (!lanes_active(supervisor)) {
        stop_plugins(supervisor);
        return;
    }
    enter_phase(supervisor, PHASE_STOPPING_COLLECTOR);
    order_lanes(supervisor, PLUGIN_COMMAND_STOP);
}

static void fail(struct supervisor *supervisor)
{
    supervisor->failed = true;
    stop(supervisor);
}

static const char *describe_end(int status, char *out, size_t size)
{
    if (WIFSIGNALED(status))
        snprintf(out, size, "was killed by signal %d (%s)", WTERMSIG(status), strsignal(WTERMSIG(status)));
    else
        snprintf(out, size, "ended with status %d", WEXITSTATUS(status));
    return out;
}

/* It is started again after a while, or given up; without it there may be no work left. `what` happened to it. */
static void put_off(struct supervisor *supervisor, struct child *child, const char *who, const char *what)
{
    int64_t now = time_monotonic_ns();

    child_died(child, now);
    if (supervisor->config->core.plugin_exit_any && !is_lane(supervisor, child))
        child->state = CHILD_GIVEN_UP;
    if (child->state == CHILD_WAITING) {
        log_error("%s %s%s%s; starting it again in %d ms", who, what, child->phrase[0] ? ": " : "", child->phrase,
                  (int)((child->restart_ns - now) / 1000000));
        set_timer(supervisor);
        return;
    }
    log_error("%s %s and is not started again", who, what);
    if (is_lane(supervisor, child) || supervisor->config->core.plugin_exit_any || plugins_gone(supervisor)) {
        log_error("no more work is possible. Shutting down.");
        fail(supervisor);
    }
}

/* A process is gone that should not be. */
static void handle_crash(struct supervisor *supervisor, struct child *child, const char *who)
{
    char how[96];

    describe_end(child->status, how, sizeof(how));
    if (supervisor->phase == PHASE_STARTING) {
        log_error("%s could not start: %s", who, child->phrase[0] ? child->phrase : how);
        child->state = CHILD_GIVEN_UP;
        fail(supervisor);
        return;
    }
    if (supervisor->phase >= PHASE_STOPPING_COLLECTOR) {
        /* A start that fails tells of all that is wrong, not only of what was first. */
        if (child->phrase[0] != '\0')
            log_error("%s could not start: %s", who, child->phrase);
        else
            log_error("%s %s while stopping", who, how);
        child->state = CHILD_GIVEN_UP;
        return;
    }
    put_off(supervisor, child, who, how);
}

#define child_name_max (ledger_name_max + 32)

static void name_child(const struct supervisor *supervisor, const struct child *child, char out[child_name_max])
{
    if (!is_lane(supervisor, child)) {
        const struct settings *settings = &supervisor->config->plugins[child->index];

        snprintf(out, child_name_max, "the plugin %s[%s]", settings->type, settings->name);
    } else if (supervisor->plan.lane_count == 1) {
        snprintf(out, child_name_max, "the collector");
    } else {
        snprintf(out, child_name_max, "the collector of lane %u", lane_of(supervisor, child));
    }
}

static bool ended_well(const struct child *child, int worst)
{
    return child->state == CHILD_RUNNING && WIFEXITED(child->status) && WEXITSTATUS(child->status) <= worst;
}

static void collector_ended(struct supervisor *supervisor, struct child *child)
{
    char who[child_name_max];

    name_child(supervisor, child, who);
    if (ended_well(child, collector_exit_broken) && WEXITSTATUS(child->status) == collector_exit_broken) {
        supervisor->input_broken = true;
        child->state = CHILD_ENDED;
    } else if (ended_well(child, 0)) {
        child->state = CHILD_ENDED;
    } else {
        ledger_settle_collector(supervisor->ledger, lane_of(supervisor, child));
        handle_crash(supervisor, child, who);
    }
    if (supervisor->phase == PHASE_STOPPING_COLLECTOR && !lanes_active(supervisor))
        stop_plugins(supervisor);
    else if (supervisor->phase == PHASE_UP && lanes_ended(supervisor) && plugins_gone(supervisor))
        enter_phase(supervisor, PHASE_DONE);
}

static void plugin_ended(struct supervisor *supervisor, struct child *child)
{
    /* The collector of a file writes its END and may be reaped after those who have read it. */
    bool over = supervisor->phase >= PHASE_STOPPING_COLLECTOR || lanes_ended(supervisor) ||
                supervisor->config->core.pcap_savefile != NULL;
    char who[child_name_max];

    name_child(supervisor, child, who);
    /* A plugin ends by itself only after the END of its rings: 0, or 1 when it could not deliver all. */
    if (ended_well(child, 1) && over) {
        child->state = CHILD_ENDED;
    } else {
        ledger_settle_plugin(supervisor->ledger, child->index);
        handle_crash(supervisor, child, who);
    }
    publish_state(supervisor, child->index);
    if (plugins_gone(supervisor) && (supervisor->phase == PHASE_STOPPING_PLUGINS || lanes_ended(supervisor)))
        enter_phase(supervisor, PHASE_DONE);
}

static void on_report(struct supervisor *supervisor, struct child *child)
{
    char what;

    while (child_report(child, &what)) {
        if (what == PLUGIN_REPORT_ASKED_TO_STOP) {
            stop(supervisor);
        } else if (what == PLUGIN_REPORT_READY && child->state == CHILD_STARTING) {
            child->state = CHILD_RUNNING;
            if (!is_lane(supervisor, child)) {
                publish_state(supervisor, child->index);
                if (lanes_ended(supervisor)) /* its predecessor may have read the END */
                    child_order(child, PLUGIN_COMMAND_STOP);
            } else if (supervisor->phase == PHASE_UP) { /* a successor: the others are there already */
                child_order(child, PLUGIN_COMMAND_START);
            }
        }
    }
}

/* Where input comes from, for people. */
static void describe_input(const struct supervisor *supervisor, char *out, size_t size)
{
    const struct settings *core = &supervisor->config->core;

    if (core->pcap_savefile != NULL)
        snprintf(out, size, "reading %s data from '%s'", supervisor->daemon->traffic, core->pcap_savefile);
    else if (supervisor->daemon->port != 0)
        snprintf(out, size, "waiting for %s data on interface=%s ip=%s port=%u/udp", supervisor->daemon->traffic,
                 core->listen_interface ? core->listen_interface : "all", core->listen_ip ? core->listen_ip : "all",
                 supervisor->plan.port);
    else
        snprintf(out, size, "waiting for %s data", supervisor->daemon->traffic);
}

static void say_up(struct supervisor *supervisor)
{
    char input[4200], lanes[24] = "";

    if (supervisor->plan.lane_count > 1)
        snprintf(lanes, sizeof(lanes), " in %u lanes", supervisor->plan.lane_count);
    enter_phase(supervisor, PHASE_UP);
    if (supervisor->dry_run) {
        log_info("everything starts; ending, as asked");
        stop(supervisor);
        return;
    }
    order_lanes(supervisor, PLUGIN_COMMAND_START);
    describe_input(supervisor, input, sizeof(input));
    log_info("%s%s", input, lanes);
    log_started();
    process_detached(0);
}

static void on_control(void *context, unsigned events)
{
    struct child *child = context;
    struct supervisor *supervisor = child->owner;

    on_report(supervisor, child);
    if (events & loop_hangup) { /* SIGCHLD tells how it ended */
        loop_unwatch(supervisor->watches[child->index]);
        supervisor->watches[child->index] = NULL;
    }
    if (supervisor->phase == PHASE_STARTING && all_running(supervisor))
        say_up(supervisor);
}

static void reap(struct supervisor *supervisor)
{
    int status;
    pid_t pid;

    /* What everybody said comes before the end of anybody: a short replay may be over in one turn of the loop. */
    for (unsigned i = 0; i < supervisor->child_count; i++)
        on_report(supervisor, supervisor->all[i]);
    if (supervisor->phase == PHASE_STARTING && all_running(supervisor))
        say_up(supervisor);
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        for (unsigned i = 0; i < supervisor->child_count; i++) {
            struct child *child = supervisor->all[i];

            if (child->pid != pid)
                continue;
            on_report(supervisor, child); /* what it said last */
            child->status = status;
            child->pid = 0;
            if (is_lane(supervisor, child))
                collector_ended(supervisor, child);
            else
                plugin_ended(supervisor, child);
            break;
        }
    }
}

static void log_line(void *context, const char *text)
{
    (void)context;
    log_notice("%s", text);
}

static void log_ledger(struct supervisor *supervisor)
{
    log_notice("+++");
    ledger_report(supervisor->ledger, time_wall_ns(), log_line, NULL);
    log_notice("---");
}

static void order_all(struct supervisor *supervisor, char order)
{
    for (unsigned i = 0; i < supervisor->child_count; i++)
        child_order(supervisor->all[i], order);
}

static void on_signal(void *context, unsigned events)
{
    struct supervisor *supervisor = context;
    struct signalfd_siginfo info;

    (void)events;
    while (read(supervisor->signal_fd, &info, sizeof(info)) == sizeof(info)) {
        switch (info.ssi_signo) {
        case SIGCHLD:
            reap(supervisor);
            break;
        case SIGINT:
        case SIGTERM:
            if (supervisor->phase < PHASE_STOPPING_COLLECTOR)
                log_info("%s received. Exiting ...", info.ssi_signo == SIGINT ? "SIGINT" : "SIGTERM");
            stop(supervisor);
            break;
        case SIGHUP:
            log_reopen();
            order_all(supervisor, PLUGIN_COMMAND_REOPEN);
            break;
        case SIGUSR1:
            log_ledger(supervisor);
            break;
        case SIGUSR2:
            order_all(supervisor, PLUGIN_COMMAND_RELOAD);
            break;
        default:
            break;
        }
    }
}

/* The phase took too long: whoever is left is killed, and what it held is booked as lost. */
static void deadline_passed(struct supervisor *supervisor)
{
    supervisor->deadline_ns = 0;
    if (supervisor->phase == PHASE_STARTING) {
        log_error("not all processes were ready after %d s", (int)(start_limit_ns / time_second_ns));
        fail(supervisor);
        return;
    }
    for (unsigned i = 0; i < supervisor->child_count; i++) {
        struct child *child = supervisor->all[i];
        bool due = supervisor->phase == PHASE_STOPPING_PLUGINS || is_lane(supervisor, child);

        if (due && child->pid > 0) {
            log_error("process %ld did not end in time and is killed", (long)child->pid);
            kill(child->pid, SIGKILL);
        }
    }
}

static void restart(struct supervisor *supervisor, struct child *child)
{
    char who[child_name_max];
    struct error error;

    if (start_child(supervisor, child, &error) < 0) {
        name_child(supervisor, child, who);
        snprintf(child->phrase, sizeof(child->phrase), "%s", error.text);
        put_off(supervisor, child, who, "cannot be started");
        if (!is_lane(supervisor, child))
            publish_state(supervisor, child->index);
    } else if (is_lane(supervisor, child)) {
        supervisor->ledger->collector_restarts++;
        supervisor->ledger->lanes[lane_of(supervisor, child)].restarts++;
    } else {
        counter_add(&supervisor->ledger->plugins[child->index].watch[WATCH_plugin_restarts], 1);
    }
}

static void on_timer(void *context, unsigned events)
{
    struct supervisor *supervisor = context;
    int64_t now = time_monotonic_ns();

    (void)events;
    if (now >= supervisor->losses.next_ns)
        losses_tell(&supervisor->losses, supervisor->ledger, now);
    if (supervisor->deadline_ns != 0 && now >= supervisor->deadline_ns)
        deadline_passed(supervisor);
    for (unsigned i = 0; i < supervisor->child_count; i++) {
        struct child *child = supervisor->all[i];

        if (child->state == CHILD_WAITING && child->restart_ns <= now && supervisor->phase == PHASE_UP)
            restart(supervisor, child);
    }
    set_timer(supervisor);
}

/*
 * Tells a lane to write what it knows. One that was told and has not answered in its time is neither told again, since
 * it would write while its text is read, nor waited for again. False when there is nothing to wait for.
 */
static bool ask_lane(struct supervisor *supervisor, unsigned lane)
{
    uint64_t shown = board_number(supervisor->plan.boards[lane]);

    if (supervisor->lanes[lane].state != CHILD_RUNNING || supervisor->asked[lane] > shown ||
        !child_order(&supervisor->lanes[lane], PLUGIN_COMMAND_DESCRIBE))
        return false;
    supervisor->asked[lane] = shown + 1;
    return true;
}

static const char *await_lane(const struct supervisor *supervisor, unsigned lane, int64_t limit_ns, size_t *length)
{
    int64_t left_ns = limit_ns - time_monotonic_ns();

    return board_wait(supervisor->plan.boards[lane], supervisor->asked[lane] - 1,
                      left_ns > 0 ? (int)(left_ns / 1000000) : 0, length);
}

/* {"lanes": [...], "silent": 0}: what each lane knows, and how many did not tell in time. */
static void answer_description(struct supervisor *supervisor, struct answer *answer)
{
    const struct plan *plan = &supervisor->plan;
    int64_t limit_ns = time_monotonic_ns() + describe_wait_ns;
    bool asked[ledger_lanes_max];
    const char *text, *separator = "";
    unsigned silent = 0;
    char end[40];
    size_t length;

    if (plan->boards[0] == NULL) {
        answer_error(answer, "%s has no templates to tell of", supervisor->daemon->name);
        return;
    }
    for (unsigned lane = 0; lane < plan->lane_count; lane++)
        asked[lane] = ask_lane(supervisor, lane);
    answer_text(answer, "{\"lanes\": [", strlen("{\"lanes\": ["));
    for (unsigned lane = 0; lane < plan->lane_count; lane++) {
        text = asked[lane] ? await_lane(supervisor, lane, limit_ns, &length) : NULL;
        silent += text == NULL;
        if (text == NULL)
            continue;
        answer_text(answer, separator, strlen(separator));
        answer_text(answer, text, length);
        separator = ", ";
    }
    snprintf(end, sizeof(end), "], \"silent\": %u}", silent);
    answer_text(answer, end, strlen(end));
    server_answer_end(answer, NULL, 0);
}

/* The books of before tell the client from where on to count. The same as SIGUSR2, which needs no socket. */
static void answer_reload(struct supervisor *supervisor, struct answer *answer, const struct frame_request *request,
                          enum server_right right)
{
    if (right != SERVER_RIGHT_OWNER) {
        answer_error(answer, "only the user that %s runs as, and root, may make it read maps again",
                     supervisor->daemon->name);
        return;
    }
    server_answer_ledger(answer, request, supervisor->ledger);
    order_all(supervisor, PLUGIN_COMMAND_RELOAD);
}

static void on_request(void *context, struct answer *answer, const struct frame_request *request, const uint8_t *body,
                       enum server_right right)
{
    struct supervisor *supervisor = context;

    (void)body;
    if (request->command == FRAME_COMMAND_LEDGER)
        server_answer_ledger(answer, request, supervisor->ledger);
    else if (request->command == FRAME_COMMAND_DESCRIBE)
        answer_description(supervisor, answer);
    else if (request->command == FRAME_COMMAND_RELOAD)
        answer_reload(supervisor, answer, request, right);
    else
        answer_error(answer, "this is the control socket of %s, which does not know command %u; rows are asked of a "
                             "memory plugin's socket (imt_path)",
                     supervisor->daemon->name, request->command);
}

/* A replay is over in a moment and has no control socket unless it is given a path. */
static int open_control(struct supervisor *supervisor, struct error *error)
{
    const struct settings *core = &supervisor->config->core;
    char path[128];
    struct server_options options = {.path = path, .group = core->imt_group};

    if (core->control_path != NULL)
        options.path = core->control_path;
    else if (core->pcap_savefile != NULL)
        return 0;
    else
        snprintf(path, sizeof(path), "/tmp/%s.control", supervisor->daemon->name);
    supervisor->control = server_new(supervisor->loop, &options, on_request, supervisor, error);
    if (supervisor->control != NULL)
        return 0;
    if (core->control_path != NULL)
        return -1;
    log_warn("%s; going on without a control socket (set control_path to another place)", error->text);
    return 0;
}

static sigset_t watched_signals(void)
{
    static const int watched[] = {SIGCHLD, SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2};
    sigset_t set;

    sigemptyset(&set);
    for (unsigned i = 0; i < array_length(watched); i++)
        sigaddset(&set, watched[i]);
    return set;
}

/* Whoever starts us may have left signals ignored or blocked; an ignored SIGCHLD would hide the end of every child. */
void supervisor_hold_signals(void)
{
    sigset_t set = watched_signals();

    for (int number = 1; number < NSIG; number++)
        if (sigismember(&set, number) == 1)
            signal(number, SIG_DFL);
    sigprocmask(SIG_SETMASK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
}

static int watch_signals(struct supervisor *supervisor, struct error *error)
{
    sigset_t set = watched_signals();

    supervisor->signal_fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    if (supervisor->signal_fd < 0 ||
        loop_watch(supervisor->loop, supervisor->signal_fd, loop_readable, on_signal, supervisor) == NULL)
        return error_set(error, "cannot watch signals");
    return 0;
}

static void list_children(struct supervisor *supervisor)
{
    for (unsigned i = 0; i < supervisor->plan.count; i++)
        supervisor->all[supervisor->child_count++] = &supervisor->plugins[i];
    for (unsigned i = 0; i < supervisor->plan.lane_count; i++)
        supervisor->all[supervisor->child_count++] = &supervisor->lanes[i];
    for (unsigned i = 0; i < supervisor->child_count; i++) {
        supervisor->all[i]->control_fd = -1;
        supervisor->all[i]->index = i;
        supervisor->all[i]->owner = supervisor;
    }
}

static int prepare(struct supervisor *supervisor, struct error *error)
{
    struct error warning = {""};

    supervisor->ledger = ledger_create(error);
    supervisor->loop = loop_new(error);
    if (supervisor->ledger == NULL || supervisor->loop == NULL)
        return -1;
    if (plan_make(&supervisor->plan, supervisor->daemon, supervisor->config, supervisor->ledger, error) < 0)
        return -1;
    list_children(supervisor);
    supervisor->timer = loop_timer(supervisor->loop, on_timer, supervisor);
    if (supervisor->timer == NULL)
        return error_set(error, "out of memory");
    losses_init(&supervisor->losses);
    if (plan_listen(&supervisor->plan, &supervisor->config->core, &warning, error) < 0)
        return -1;
    if (warning.text[0] != '\0')
        log_warn("%s", warning.text);
    if (watch_signals(supervisor, error) < 0)
        return -1;
    return open_control(supervisor, error);
}

static int start_all(struct supervisor *supervisor, struct error *error)
{
    supervisor->phase = PHASE_STARTING;
    supervisor->deadline_ns = time_monotonic_ns() + start_limit_ns;
    set_timer(supervisor);
    for (unsigned i = 0; i < supervisor->child_count; i++)
        if (start_child(supervisor, supervisor->all[i], error) < 0)
            return -1;
    return 0;
}

/* The books are closed: what no process will read any more is booked, then the last lines are written. */
static int finish(struct supervisor *supervisor)
{
    /*
     * A collector that died may have counted a batch that it had not published, a plugin may have taken a run that it
     * had not counted: both show as the difference between what was written to the ring and what was read.
     */
    bool crashed = !lanes_ended(supervisor) || supervisor->ledger->collector_restarts > 0;
    uint64_t lost;

    for (unsigned i = 0; i < supervisor->plan.count; i++) {
        const uint64_t *watch = supervisor->ledger->plugins[i].watch;

        if (supervisor->plugins[i].state != CHILD_ENDED || crashed || counter_get(&watch[WATCH_plugin_restarts]) > 0)
            ledger_settle_ring(supervisor->ledger, i);
    }
    for (unsigned lane = 0; lane < supervisor->plan.lane_count; lane++)
        if (supervisor->lanes[lane].state != CHILD_ENDED)
            plan_count_rest(&supervisor->plan, lane, supervisor->ledger->lanes[lane].input);
    losses_tell(&supervisor->losses, supervisor->ledger, time_monotonic_ns());
    lost = ledger_lost(supervisor->ledger);
    log_ledger(supervisor);
    if (supervisor->failed)
        return SUPERVISOR_EXIT_FAILED;
    return lost > 0 || supervisor->input_broken ? SUPERVISOR_EXIT_LOSS : SUPERVISOR_EXIT_OK;
}

int supervisor_run(const struct daemon *daemon, struct config *config, bool dry_run)
{
    struct supervisor *supervisor = calloc(1, sizeof(*supervisor));
    struct error error = {""};
    int status = SUPERVISOR_EXIT_FAILED;

    if (supervisor == NULL)
        return SUPERVISOR_EXIT_FAILED;
    supervisor->daemon = daemon;
    supervisor->config = config;
    supervisor->dry_run = dry_run;
    if (prepare(supervisor, &error) < 0) {
        log_error("%s", error.text);
    } else {
        process_title("%s: supervisor [%s]", daemon->name, config->core.name);
        if (start_all(supervisor, &error) < 0) {
            log_error("%s", error.text);
            fail(supervisor);
        }
        if (supervisor->phase != PHASE_DONE)
            loop_run(supervisor->loop);
        status = finish(supervisor);
    }
    server_free(supervisor->control);
    plan_free(&supervisor->plan);
    loop_free(supervisor->loop);
    ledger_free(supervisor->ledger);
    free(supervisor);
    return status;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/sessions.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/time.h"
#include "core/session_table.h"
#include "net/stream.h"

#define handshake_ns (10 * time_second_ns)
#define idle_ns (600 * time_second_ns)
#define tick_ns (time_second_ns / 4) /* also how fast lost datagrams of a handshake are noticed */
#define drain_ns (time_second_ns / 2)
#define turn_accepts 16     /* connections before the others have their turn */
#define turn_datagrams 256  /* of DTLS, the same */
#define lines_a_second 10   /* of the log: peers that are refused may be many */
#define descriptors_wanted (session_table_max + 512)

struct listener {
    struct sessions *owner;
    enum session_kind kind;
    int fd;
    struct loop_handler *handler;
};

struct sessions {
    struct loop *loop;
    struct sessions_calls calls;
    void *context;
    uint64_t *counters;
    struct tls_options tls_options;
    struct tls_identity *identity;
    struct listener listeners[SESSION_KINDS];
    bool paused; /* no descriptor was left for a connection: listen again with the next tick */
    struct session_table table;
    uint32_t last_number;
    struct loop_handler *timer;
    bool ticking; /* the timer is set */
    struct session_sink sink;
    uint64_t published; /* messages at the last turn() */
    struct log_limit limit, stray_limit;
    uint8_t datagram[socket_datagram_max], record[socket_datagram_max];
};

static const char no_memory[] = "out of memory";
static const char too_many[] = "there are too many sessions";
static const char not_allowed[] = "its address is not in the allow file";
static const char *const kind_names[SESSION_KINDS] = {"TCP", "TLS", "DTLS"};

static void refuse(struct sessions *sessions, enum session_kind kind, const struct address *peer, uint16_t port,
                   const char *reason)
{
    char who[session_peer_max];

    counter_add(&sessions->counters[INPUT_sessions_refused], 1);
    if (log_allowed(&sessions->limit, lines_a_second))
        log_warn("%s session from %s refused: %s", kind_names[kind], session_peer(peer, port, who), reason);
}

static void forget(struct sessions *sessions, struct session *session)
{
    loop_unwatch(session->handler);
    session_table_remove(&sessions->table, session);
    session_free(session);
}

/* Counts, logs and clears away a session that came to its end. */
static void end_session(struct sessions *sessions, struct session *session, enum session_result result,
                        const char *reason)
{
    const char *kind = kind_names[session->kind];
    char who[session_peer_max];
    uint32_t number = session->number;
    bool was_open = session->open;

    session_peer(&session->peer, session->port, who);
    if (!was_open) {
        refuse(sessions, session->kind, &session->peer, session->port, reason);
    } else if (result == SESSION_BROKEN) {
        counter_add(&sessions->counters[INPUT_sessions_broken], 1);
        log_warn("%s session %u from %s broken: %s", kind, number, who, reason);
    } else {
        counter_add(&sessions->counters[INPUT_sessions_closed], 1);
        log_info("%s session %u from %s closed: %s; it brought %llu messages", kind, number, who, reason,
                 (unsigned long long)session->messages);
    }
    forget(sessions, session);
    if (was_open && sessions->calls.closed != NULL)
        sessions->calls.closed(sessions->context, number);
}

static void say_opened(struct sessions *sessions, const struct session *session)
{
    const char *name = session->tls != NULL ? tls_peer_name(session->tls) : "";
    char who[session_peer_max];

    counter_add(&sessions->counters[INPUT_sessions_opened], 1);
    log_info("%s session %u from %s opened%s%s%s", kind_names[session->kind], session->number,
             session_peer(&session->peer, session->port, who), *name != '\0' ? " by '" : "", name,
             *name != '\0' ? "'" : "");
}

/* A new DTLS session of a peer takes the place of its old one (RFC 6347 section 4.2.8). */
static void replace_old(struct sessions *sessions, struct session *fresh)
{
    struct session *old;

    if (fresh->kind != SESSION_DTLS)
        return;
    fresh->open = false; /* out of the way of the search */
    old = session_table_find(&sessions->table, &fresh->peer, fresh->port, true);
    fresh->open = true;
    if (old != NULL)
        end_session(sessions, old, SESSION_CLOSED, "the peer began another one");
}

/* One step of one session. Returns false when it is gone. */
static bool step(struct sessions *sessions, struct session *session)
{
    struct error error = {""};
    bool was_open = session->open;
    enum session_result result = session_handshake(session, &error);

    if (result == SESSION_GOES_ON && session->open && !was_open) {
        session->heard_ns = time_monotonic_ns();
        say_opened(sessions, session);
        replace_old(sessions, session);
    }
    if (result == SESSION_GOES_ON && session->open)
        result = session_receive(session, &sessions->sink, sessions->record, sizeof(sessions->record), &error);
    if (result != SESSION_GOES_ON) {
        end_session(sessions, session, result, error.text);
        return false;
    }
    if (session->kind == SESSION_TLS)
        loop_rewatch(session->handler, loop_readable | (!session->open && tls_wants_write(session->tls)
                                                            ? loop_writable : 0u));
    return true;
}

static void end_turn(struct sessions *sessions)
{
    if (sessions->sink.count == sessions->published)
        return;
    sessions->published = sessions->sink.count;
    if (sessions->calls.turn != NULL)
        sessions->calls.turn(sessions->context);
}

static void on_session(void *context, unsigned events)
{
    struct session *session = context;
    struct sessions *sessions = session->owner;

    (void)events;
    step(sessions, session);
    end_turn(sessions);
}

/* When all places are taken, a peer that has brought nothing so far makes room, the oldest one first. */
static bool make_room(struct sessions *sessions)
{
    struct session *victim;

    if (sessions->table.count < session_table_max)
        return true;
    victim = session_table_oldest_silent(&sessions->table);
    if (victim == NULL)
        return false;
    end_session(sessions, victim, SESSION_BROKEN, "it brought no message so far and its place was needed");
    return true;
}

static bool is_allowed(struct sessions *sessions, const struct address *peer)
{
    return sessions->calls.allowed == NULL || sessions->calls.allowed(sessions->context, peer);
}

/* Never put off: else a stream of newcomers would keep the others from being looked at. */
static void want_tick(struct sessions *sessions)
{
    if (!sessions->ticking)
        loop_timer_set(sessions->timer, time_monotonic_ns() + tick_ns);
    sessions->ticking = true;
}

/* Puts a session into the list; `fd` and `tls` are its own from here on, also on failure. */
static struct session *add_session(struct sessions *sessions, enum session_kind kind, const struct address *peer,
                                   uint16_t port, int fd, struct tls *tls)
{
    struct session *session = calloc(1, sizeof(*session));

    if (session == NULL) {
        tls_free(tls);
        if (fd >= 0)
            close(fd);
        return NULL;
    }
    if (++sessions->last_number == 0) /* which stands for datagrams */
        sessions->last_number = 1;
    *session = (struct session){.owner = sessions,
                                .kind = kind,
                                .number = sessions->last_number,
                                .fd = fd,
                                .peer = *peer,
                                .port = port,
                                .since_ns = time_monotonic_ns(),
                                .tls = tls};
    session->heard_ns = session->since_ns;
    session_table_add(&sessions->table, session);
    want_tick(sessions);
    return session;
}

static void take_connection(struct sessions *sessions, enum session_kind kind, int fd, const struct address *peer,
                            uint16_t port)
{
    struct tls *tls = NULL;
    struct session *session;
    struct error error;
    bool allowed = is_allowed(sessions, peer);

    if (!allowed || !make_room(sessions)) {
        refuse(sessions, kind, peer, port, allowed ? too_many : not_allowed);
        close(fd);
        return;
    }
    if (kind == SESSION_TLS) {
        tls = tls_stream_new(sessions->identity, fd, &error);
        if (tls == NULL) {
            refuse(sessions, kind, peer, port, error.text);
            close(fd);
            return;
        }
    }
    session = add_session(sessions, kind, peer, port, fd, tls);
    if (session == NULL) {
        refuse(sessions, kind, peer, port, no_memory);
        return;
    }
    session->handler = loop_watch(sessions->loop, fd, loop_readable, on_session, session);
    if (session->handler == NULL)
        end_session(sessions, session, SESSION_REFUSED, no_memory);
    else
        step(sessions, session);
}

/* Without descriptors a waiting connection would wake us for ever: look away until the next tick. */
static void pause_listening(struct sessions *sessions, bool pause)
{
    sessions->paused = pause;
    for (unsigned i = 0; i < SESSION_DTLS; i++)
        if (sessions->listeners[i].handler != NULL)
            loop_rewatch(sessions->listeners[i].handler, pause ? 0 : loop_readable);
    if (pause)
        want_tick(sessions);
}

static void on_connection(void *context, unsigned events)
{
    struct listener *listener = context;
    struct sessions *sessions = listener->owner;

    (void)events;
    for (unsigned i = 0; i < turn_accepts; i++) {
        struct address peer;
        struct error error;
        uint16_t port;
        int fd = stream_accept(listener->fd, &peer, &port, &error);

        if (fd == -2) {
            if (log_allowed(&sessions->limit, 1))
                log_error("%s", error.text);
            pause_listening(sessions, true);
            break;
        }
        if (fd < 0)
            break;
        take_connection(sessions, listener->kind, fd, &peer, port);
    }
    end_turn(sessions);
}

/*
 * Something for the DTLS port that belongs to no session: it was no greeting, or its sender may not come in. What is
 * still on its way when a session ends comes here too, so it gets a line a second, besides those of the sessions.
 */
static void drop_datagram(struct sessions *sessions, const struct address *peer, uint16_t port, const uint8_t *bytes,
                          size_t size, bool allowed)
{
    bool record = size > 2 && bytes[0] >= 20 && bytes[0] <= 63 && bytes[1] == 0xfe; /* RFC 6347 section 4.1 */
    enum input_counter why = allowed ? INPUT_datagrams_bad_version : INPUT_datagrams_denied;
    char opening[stream_opening_max], who[session_peer_max];

    counter_add(&sessions->counters[INPUT_datagrams_received], 1);
    counter_add(&sessions->counters[INPUT_bytes_received], size);
    counter_add(&sessions->counters[why], 1);
    if (!log_allowed(&sessions->stray_limit, 1))
        return;
    session_peer(peer, port, who);
    if (!allowed)
        log_warn("DTLS session from %s refused: %s", who, not_allowed);
    else
        log_warn("DTLS datagram from %s dropped: %s begins with %s", who,
                 record ? "it belongs to no session:" : "not DTLS:", stream_opening(bytes, size, opening));
}

/* A datagram of a peer without a session, or of one that begins anew. */
static void greet(struct sessions *sessions, const struct sockaddr *from, socklen_t from_bytes, const uint8_t *bytes,
                  size_t size)
{
    int fd = sessions->listeners[SESSION_DTLS].fd;
    struct session *session;
    struct error error = {""};
    struct address peer;
    uint16_t port;
    struct tls *tls;
    bool allowed;

    address_from_socket(&peer, &port, from);
    allowed = is_allowed(sessions, &peer);
    if (!allowed || !tls_is_greeting(bytes, size)) {
        drop_datagram(sessions, &peer, port, bytes, size, allowed);
        return;
    }
    tls = tls_datagram_accept(sessions->identity, fd, from, from_bytes, bytes, size, &error);
    if (tls == NULL) {
        if (error.text[0] != '\0')
            refuse(sessions, SESSION_DTLS, &peer, port, error.text);
        return;
    }
    if (!make_room(sessions)) {
        tls_free(tls);
        refuse(sessions, SESSION_DTLS, &peer, port, too_many);
        return;
    }
    session = add_session(sessions, SESSION_DTLS, &peer, port, -1, tls);
    if (session == NULL)
        refuse(sessions, SESSION_DTLS, &peer, port, no_memory);
    else if (step(sessions, session))
        tls_datagram_input(session->tls, NULL, 0);
}

/*
 * Finds the session of a datagram. Of a peer with two, the one in its handshake sees it first; what it leaves, records
 * under the keys of the other one, it cannot read, and each discards what it cannot read.
 */
static void take_datagram(struct sessions *sessions, const struct sockaddr *from, socklen_t from_bytes,
                          const uint8_t *bytes, size_t size)
{
    struct session *fresh, *open;
    struct address peer;
    uint16_t port;

    address_from_socket(&peer, &port, from);
    fresh = session_table_find(&sessions->table, &peer, port, false);
    open = session_table_find(&sessions->table, &peer, port, true);
    if (fresh == NULL && (open == NULL || tls_is_greeting(bytes, size))) {
        greet(sessions, from, from_bytes, bytes, size);
        return;
    }
    if (fresh != NULL) {
        tls_datagram_input(fresh->tls, bytes, size);
        if (!step(sessions, fresh))
            fresh = NULL;
        else
            tls_datagram_input(fresh->tls, NULL, 0);
        /* if it has opened, the old one is gone, even when it ended within the same datagram */
        open = session_table_find(&sessions->table, &peer, port, true);
    }
    if (open == NULL || open == fresh)
        return;
    tls_datagram_input(open->tls, bytes, size);
    if (step(sessions, open))
        tls_datagram_input(open->tls, NULL, 0);
}

/* Takes what has come by the DTLS port. Returns whether there may be more. */
static bool read_datagrams(struct sessions *sessions)
{
    int fd = sessions->listeners[SESSION_DTLS].fd;
    unsigned i;

    for (i = 0; i < turn_datagrams; i++) {
        struct sockaddr_storage from = {0};
        socklen_t length = sizeof(from);
        ssize_t size = recvfrom(fd, sessions->datagram, sizeof(sessions->datagram), MSG_DONTWAIT,
                                (struct sockaddr *)&from, &length);

        if (size < 0 && errno != ECONNREFUSED && errno != EHOSTUNREACH && errno != ENETUNREACH)
            break; /* the others tell of what we sent to someone who is gone */
        if (size <= 0)
            continue;
        take_datagram(sessions, (const struct sockaddr *)&from, length, sessions->datagram, (size_t)size);
    }
    return i == turn_datagrams;
}

static void on_datagram(void *context, unsigned events)
{
    struct listener *listener = context;

    (void)events;
    read_datagrams(listener->owner);
    end_turn(listener->owner);
}

/* Ends what takes too long, and lets handshakes send again what was lost. */
static void on_tick(void *context, unsigned events)
{
    struct sessions *sessions = context;
    int64_t now = time_monotonic_ns();

    (void)events;
    sessions->ticking = false;
    if (sessions->paused)
        pause_listening(sessions, false);
    /* from the end: a place that falls free is taken by a later one */
    for (unsigned i = sessions->table.count; i-- > 0;) {
        struct session *session;

        if (i >= sessions->table.count)
            continue;
        session = sessions->table.list[i];
        if (!session->open && now - session->since_ns > handshake_ns)
            end_session(sessions, session, SESSION_REFUSED, "its handshake was not done within 10 seconds");
        else if (session->open && now - session->heard_ns > idle_ns)
            end_session(sessions, session, SESSION_BROKEN, "no message came for 10 minutes");
        else if (!session->open && session->kind == SESSION_DTLS)
            step(sessions, session);
    }
    end_turn(sessions);
    if (sessions->table.count > 0)
        want_tick(sessions);
}

static int open_listener(struct sessions *sessions, enum session_kind kind, const struct settings *settings,
                         struct error *error)
{
    const uint64_t ports[SESSION_KINDS] = {settings->tcp_port, settings->tls_port, settings->dtls_port};
    struct listener *listener = &sessions->listeners[kind];
    struct socket_options options = {.address = settings->listen_ip,
                                     .port = (uint16_t)ports[kind],
                                     .interface = settings->listen_interface,
                                     .ipv6_only = settings->ipv6_only};
    uint64_t buffer_bytes;

    *listener = (struct listener){.owner = sessions, .kind = kind, .fd = -1};
    if (ports[kind] == 0)
        return 0;
    if (kind != SESSION_TCP && sessions->identity == NULL) {
        sessions->tls_options = (struct tls_options){
            .path = settings->tls_path, .verify_peer = settings->tls_verify, .peer_names = settings->tls_peer_names};
        if (settings->tls_path == NULL)
            return error_set(error, "TLS and DTLS need tls_path");
        sessions->identity = tls_identity_load(&sessions->tls_options, error);
        if (sessions->identity == NULL)
            return -1;
    }
    listener->fd = kind == SESSION_DTLS ? socket_listen(&options, &buffer_bytes, error)
                                        : stream_listen(&options, error);
    if (listener->fd < 0)
        return error_wrap(error, "%s", kind_names[kind]);
    listener->handler = loop_watch(sessions->loop, listener->fd, loop_readable,
                                   kind == SESSION_DTLS ? on_datagram : on_connection, listener);
    return listener->handler == NULL ? error_set(error, "%s", no_memory) : 0;
}

/* Many systems let a process open 1024 descriptors unless it asks for more. */
static void raise_descriptors(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= descriptors_wanted)
        return;
    limit.rlim_cur = limit.rlim_max < descriptors_wanted ? limit.rlim_max : descriptors_wanted;
    setrlimit(RLIMIT_NOFILE, &limit);
}

struct sessions *sessions_new(struct loop *loop, const struct settings *settings, const struct sessions_calls *calls,
                              void *context, uint64_t *counters, struct error *error)
{
    struct sessions *sessions;
    struct error doubt;

    error->text[0] = '\0';
    if (settings->tcp_port == 0 && settings->tls_port == 0 && settings->dtls_port == 0)
        return NULL;
    sessions = calloc(1, sizeof(*sessions));
    if (sessions == NULL) {
        error_set(error, "%s", no_memory);
        return NULL;
    }
    session_table_init(&sessions->table);
    sessions->loop = loop;
    sessions->calls = *calls;
    sessions->context = context;
    sessions->counters = counters;
    sessions->sink = (struct session_sink){.message = calls->message, .context = context};
    for (unsigned kind = 0; kind < SESSION_KINDS; kind++)
        sessions->listeners[kind].fd = -1;
    sessions->timer = loop_timer(loop, on_tick, sessions);
    if (sessions->timer == NULL)
        error_set(error, "%s", no_memory);
    for (unsigned kind = 0; kind < SESSION_KINDS && error->text[0] == '\0'; kind++)
        open_listener(sessions, kind, settings, error);
    if (error->text[0] != '\0') {
        sessions_free(sessions);
        return NULL;
    }
    raise_descriptors();
    if (sessions->identity != NULL && tls_identity_doubtful(sessions->identity, &doubt))
        log_warn("peers will refuse our certificate in '%s': it %s", settings->tls_path, doubt.text);
    return sessions;
}

static void close_listeners(struct sessions *sessions)
{
    for (unsigned kind = 0; kind < SESSION_KINDS; kind++) {
        struct listener *listener = &sessions->listeners[kind];

        if (listener->fd < 0)
            continue;
        loop_unwatch(listener->handler);
        listener->handler = NULL;
        close(listener->fd);
        listener->fd = -1;
    }
}

void sessions_stop(struct sessions *sessions)
{
    int64_t limit = time_monotonic_ns() + drain_ns;
    bool more = true;

    while (more && time_monotonic_ns() < limit) {
        more = sessions->listeners[SESSION_DTLS].fd >= 0 && read_datagrams(sessions);
        for (unsigned i = sessions->table.count; i-- > 0;) {
            struct session *session = i < sessions->table.count ? sessions->table.list[i] : NULL;

            if (session != NULL && session->kind != SESSION_DTLS && step(sessions, session))
                more = more || session->more;
        }
    }
    end_turn(sessions);
    while (sessions->table.count > 0)
        end_session(sessions, sessions->table.list[sessions->table.count - 1], SESSION_CLOSED, "the collector stops");
    close_listeners(sessions);
}

void sessions_free(struct sessions *sessions)
{
    if (sessions == NULL)
        return;
    while (sessions->table.count > 0)
        forget(sessions, sessions->table.list[sessions->table.count - 1]);
    close_listeners(sessions);
    loop_unwatch(sessions->timer);
    tls_identity_free(sessions->identity);
    free(sessions);
}

unsigned sessions_count(const struct sessions *sessions)
{
    return sessions->table.count;
}

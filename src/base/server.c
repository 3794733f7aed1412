/* SPDX-License-Identifier: BSD-2-Clause */
/* The server of server.h: a listening socket, up to 64 clients, each a small state: reads, answers, gone. */
#include "base/server.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/time.h"

#define answers_default (UINT64_C(2) << 30)
#define peer_groups_max 256

struct client {
    struct server *server;
    int fd; /* -1: this place is free */
    enum server_right right;
    bool answering;
    struct loop_handler *watch, *timer;
    uint8_t header[frame_request_header_bytes];
    struct frame_request request;
    uint8_t *body;   /* request.body_bytes, or NULL */
    size_t received; /* header and body */
    struct answer answer;
};

struct server {
    struct loop *loop;
    struct loop_handler *watch;
    int fd;
    char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
    char group_name[64];
    gid_t group;
    uint64_t answer_bytes_max;
    uint64_t *served, *refused;
    server_fn *fn;
    void *context;
    struct client clients[server_clients_max];
};

enum server_right server_right_of(uid_t peer, const gid_t *groups, unsigned group_count, uid_t owner, gid_t group)
{
    if (peer == 0 || peer == owner)
        return SERVER_RIGHT_OWNER;
    if (group == (gid_t)-1)
        return SERVER_RIGHT_NONE;
    for (unsigned i = 0; i < group_count; i++)
        if (groups[i] == group)
            return SERVER_RIGHT_READ;
    return SERVER_RIGHT_NONE;
}

static enum server_right peer_right(const struct server *server, int fd)
{
    gid_t groups[peer_groups_max + 1];
    int count = peer_groups_max;
    struct ucred peer;
    socklen_t length = sizeof(peer);
    const struct passwd *user;

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) < 0)
        return SERVER_RIGHT_NONE;
    groups[0] = peer.gid;
    user = server->group != (gid_t)-1 && peer.uid != 0 ? getpwuid(peer.uid) : NULL;
    /* More groups than fit: getgrouplist fails and fills what fits, which is as good as it gets. */
    if (user == NULL)
        count = 0;
    else if (getgrouplist(user->pw_name, peer.gid, groups + 1, &count) < 0)
        count = peer_groups_max;
    return server_right_of(peer.uid, groups, (unsigned)count + 1, geteuid(), server->group);
}

static void count_up(uint64_t *counter)
{
    if (counter != NULL)
        counter_add(counter, 1);
}

static void client_close(struct client *client)
{
    loop_unwatch(client->watch);
    loop_unwatch(client->timer);
    close(client->fd);
    free(client->body);
    answer_discard(&client->answer);
    *client = (struct client){.server = client->server, .fd = -1};
}

static void client_patience(struct client *client, int64_t seconds)
{
    loop_timer_set(client->timer, time_monotonic_ns() + seconds * time_second_ns);
}

static void client_send(struct client *client)
{
    uint64_t before = client->answer.bytes;
    int sent = answer_send(&client->answer, client->fd);

    if (sent != 0) {
        client_close(client);
        return;
    }
    if (client->answer.bytes != before || !client->answering)
        client_patience(client, server_stall_seconds);
    client->answering = true;
    loop_rewatch(client->watch, loop_writable);
}

static void client_refuse(struct client *client, const char *phrase)
{
    count_up(client->server->refused);
    answer_error(&client->answer, "%s", phrase);
    client_send(client);
}

static uint64_t waiting_bytes(const struct server *server)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < server_clients_max; i++)
        sum += server->clients[i].answer.bytes;
    return sum;
}

static void client_answer(struct client *client)
{
    struct server *server = client->server;
    uint64_t waiting = waiting_bytes(server);

    answer_init(&client->answer, server->answer_bytes_max - min_u64(waiting, server->answer_bytes_max));
    server->fn(server->context, &client->answer, &client->request, client->body, client->right);
    if (client->answer.failed)
        answer_error(&client->answer, "no memory for the answer: too large, or too many clients that read slowly");
    count_up(client->answer.refused ? server->refused : server->served);
    client_send(client);
}

/* Takes what has come of the request. 1: whole; 0: more to come; -1: closed or refused. */
static int client_receive(struct client *client)
{
    size_t want = frame_request_header_bytes;
    struct error error = {""};

    for (;;) {
        uint8_t *into = client->header + client->received;
        ssize_t got;

        if (client->received >= frame_request_header_bytes) {
            want = frame_request_header_bytes + (size_t)client->request.body_bytes;
            if (client->received == want)
                return 1;
            into = client->body + (client->received - frame_request_header_bytes);
        }
        got = recv(client->fd, into, want - client->received, MSG_DONTWAIT);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            return 0;
        if (got <= 0) {
            client_close(client);
            return -1;
        }
        client->received += (size_t)got;
        if (client->received != frame_request_header_bytes || client->body != NULL)
            continue;
        if (frame_request_read(client->header, &client->request, &error) < 0 ||
            (client->body = malloc(max_u64(client->request.body_bytes, 1))) == NULL) {
            client_refuse(client, error.text[0] ? error.text : "no memory for the request");
            return -1;
        }
    }
}

static void on_client(void *context, unsigned events)
{
    struct client *client = context;

    if (client->answering)
        client_send(client);
    else if (client_receive(client) > 0)
        client_answer(client);
    (void)events; /* a hang-up shows in recv and send */
}

static void on_patience(void *context, unsigned events)
{
    struct client *client = context;

    (void)events;
    if (!client->answering && client->received > 0)
        count_up(client->server->refused);
    client_close(client);
}

static struct client *free_place(struct server *server)
{
    for (unsigned i = 0; i < server_clients_max; i++)
        if (server->clients[i].fd < 0)
            return &server->clients[i];
    return NULL;
}

static void on_connection(void *context, unsigned events)
{
    struct server *server = context;
    struct client *client;
    char phrase[256];
    int fd = accept4(server->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

    (void)events;
    if (fd < 0)
        return;
    client = free_place(server);
    if (client == NULL) {
        count_up(server->refused);
        close(fd);
        return;
    }
    client->fd = fd;
    client->right = peer_right(server, fd);
    answer_init(&client->answer, 0);
    client->watch = loop_watch(server->loop, fd, loop_readable, on_client, client);
    client->timer = loop_timer(server->loop, on_patience, client);
    if (client->watch == NULL || client->timer == NULL) {
        client_close(client);
        return;
    }
    client_patience(client, server_request_seconds);
    if (client->right == SERVER_RIGHT_NONE) {
        if (server->group == (gid_t)-1)
            snprintf(phrase, sizeof(phrase), "not permitted: only root and the daemon's user may ask; imt_group names "
                                             "a group that may read");
        else
            snprintf(phrase, sizeof(phrase), "not permitted: only root, the daemon's user and members of group '%s' "
                                             "(imt_group) may ask", server->group_name);
        client_refuse(client, phrase);
    }
}

static int find_group(struct server *server, const char *name, struct error *error)
{
    const struct group *group;
    char *end;
    unsigned long number;

    server->group = (gid_t)-1;
    if (name == NULL)
        return 0;
    snprintf(server->group_name, sizeof(server->group_name), "%s", name);
    group = getgrnam(name);
    if (group != NULL) {
        server->group = group->gr_gid;
        return 0;
    }
    errno = 0;
    number = strtoul(name, &end, 10);
    if (name[0] < '0' || name[0] > '9' || *end != '\0' || errno != 0 || number >= UINT32_MAX)
        return error_set(error, "there is no group '%s'", name);
    server->group = (gid_t)number;
    return 0;
}

/* Makes room for the socket: removes a dead one of ours. */
static int clear_path(const struct sockaddr_un *address, struct error *error)
{
    struct stat status;
    int fd, connected;

    if (lstat(address->sun_path, &status) < 0)
        return errno == ENOENT ? 0 : error_errno(error, errno, "cannot look at '%s'", address->sun_path);
    if (!S_ISSOCK(status.st_mode))
        return error_set(error, "'%s' is in the way and is no socket", address->sun_path);
    if (status.st_uid != geteuid())
        return error_set(error, "'%s' is a socket of another user (uid %u)", address->sun_path, status.st_uid);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return error_errno(error, errno, "cannot make a socket");
    connected = connect(fd, (const struct sockaddr *)address, sizeof(*address));
    if (connected < 0 && errno != ECONNREFUSED)
        connected = errno == ENOENT ? -1 : 0; /* EAGAIN: somebody listens and is busy */
    close(fd);
    if (connected == 0)
        return error_set(error, "another process answers on '%s'", address->sun_path);
    if (unlink(address->sun_path) < 0 && errno != ENOENT)
        return error_errno(error, errno, "cannot remove the old socket '%s'", address->sun_path);
    return 0;
}

static int bind_path(struct server *server, const char *path, struct error *error)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    mode_t before;
    int bound;

    if (strlen(path) >= sizeof(address.sun_path))
        return error_set(error, "the path '%s' is too long for a socket (at most %zu bytes)", path,
                         sizeof(address.sun_path) - 1);
    memcpy(address.sun_path, path, strlen(path) + 1);
    if (clear_path(&address, error) < 0)
        return -1;
    server->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (server->fd < 0)
        return error_errno(error, errno, "cannot make a socket");
    before = umask(0177);
    bound = bind(server->fd, (struct sockaddr *)&address, sizeof(address));
    umask(before);
    if (bound < 0)
        return error_errno(error, errno, "cannot bind to '%s'", path);
    memcpy(server->path, address.sun_path, sizeof(server->path));
    if (server->group != (gid_t)-1) {
        /* First whose it is, then what they may: the group that it was born with never gets in. */
        if (lchown(path, (uid_t)-1, server->group) < 0)
            return error_errno(error, errno, "cannot give '%s' to group '%s'", path, server->group_name);
        if (chmod(path, 0660) < 0)
            return error_errno(error, errno, "cannot set the mode of '%s'", path);
    }
    if (listen(server->fd, server_clients_max) < 0)
        return error_errno(error, errno, "cannot listen on '%s'", path);
    return 0;
}

struct server *server_new(struct loop *loop, const struct server_options *options, server_fn *fn, void *context,
                          struct error *error)
{
    struct server *server = calloc(1, sizeof(*server));

    if (server == NULL) {
        error_set(error, "out of memory");
        return NULL;
    }
    server->loop = loop;
    server->fd = -1;
    server->fn = fn;
    server->context = context;
    server->served = options->served;
    server->refused = options->refused;
    server->answer_bytes_max = options->answer_bytes_max ? options->answer_bytes_max : answers_default;
    for (unsigned i = 0; i < server_clients_max; i++)
        server->clients[i] = (struct client){.server = server, .fd = -1};
    if (find_group(server, options->group, error) < 0 || bind_path(server, options->path, error) < 0)
        goto fail;
    server->watch = loop_watch(loop, server->fd, loop_readable, on_connection, server);
    if (server->watch == NULL) {
        error_set(error, "cannot watch '%s'", options->path);
        goto fail;
    }
    return server;

fail:
    server_free(server);
    return NULL;
}

void server_leave(struct server *server)
{
    if (server == NULL)
        return;
    for (unsigned i = 0; i < server_clients_max; i++)
        if (server->clients[i].fd >= 0)
            close(server->clients[i].fd);
    close(server->fd);
}

void server_free(struct server *server)
{
    if (server == NULL)
        return;
    for (unsigned i = 0; i < server_clients_max; i++)
        if (server->clients[i].fd >= 0)
            client_close(&server->clients[i]);
    loop_unwatch(server->watch);
    if (server->fd >= 0)
        close(server->fd);
    if (server->path[0] != '\0')
        unlink(server->path);
    free(server);
}

struct report {
    struct answer *answer;
    char text[8192];
    size_t length;
};

static void report_line(void *context, const char *line)
{
    struct report *report = context;
    size_t length = min_u64(strlen(line), sizeof(report->text) - 1);

    if (report->length + length + 1 > sizeof(report->text)) {
        answer_text(report->answer, report->text, report->length);
        report->length = 0;
    }
    memcpy(report->text + report->length, line, length);
    report->length += length;
    report->text[report->length++] = '\n';
}

void server_answer_ledger(struct answer *answer, const struct frame_request *request, const struct ledger *ledger)
{
    if (request->flags & frame_ledger_report) {
        struct report report = {.answer = answer, .length = 0};

        ledger_report(ledger, time_wall_ns(), report_line, &report);
        answer_text(answer, report.text, report.length);
    } else {
        char *json = ledger_json(ledger, time_wall_ns());

        if (json == NULL) {
            answer_error(answer, "no memory for the ledger");
            return;
        }
        answer_text(answer, json, strlen(json));
        free(json);
    }
    server_answer_end(answer, NULL, 0);
}

void server_answer_end(struct answer *answer, const uint8_t *body, size_t bytes)
{
    uint8_t *room = answer_reserve(answer, bytes);

    if (room == NULL)
        return;
    if (bytes > 0)
        memcpy(room, body, bytes);
    answer_commit(answer, FRAME_END, 0, bytes);
}

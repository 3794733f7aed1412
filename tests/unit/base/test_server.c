/* SPDX-License-Identifier: BSD-2-Clause */
/* The request server: who may ask, what may be in the socket's place, hostile and slow clients. */
#include "base/server.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/time.h"
#include "tests/lib/tap.h"

static struct loop *loop;
static char directory[] = "/tmp/test_server.XXXXXX";
static char path[100];
static uint64_t served, refused;
static bool stop;

static void answer_echo(void *context, struct answer *answer, const struct frame_request *request, const uint8_t *body,
                        enum server_right right)
{
    (void)context;
    (void)right;
    if (request->command == 77)
        answer_error(answer, "no such thing");
    else {
        answer_text(answer, (const char *)body, request->body_bytes);
        server_answer_end(answer, NULL, 0);
    }
}

static void on_stop(void *context, unsigned events)
{
    struct loop_handler **timer = context;

    (void)events;
    if (__atomic_load_n(&stop, __ATOMIC_ACQUIRE))
        loop_stop(loop);
    loop_timer_set(*timer, time_monotonic_ns() + 5000000);
}

static void *serve(void *context)
{
    (void)context;
    loop_run(loop);
    return NULL;
}

static int dial(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    memcpy(address.sun_path, path, sizeof(path));
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
        close(fd);
        return -1;
    }
    return fd;
}

/* Sends bytes, reads all that comes until the end, returns the type of the last frame; 0 when there was none. */
static uint16_t talk(const void *bytes, size_t size, uint64_t *text_bytes)
{
    uint8_t buffer[16384], kept[16384 + 8];
    size_t have = 0;
    uint16_t last = 0;
    int fd = dial();
    ssize_t got;

    *text_bytes = 0;
    if (fd < 0)
        return 0;
    if (send(fd, bytes, size, MSG_NOSIGNAL) < 0)
        last = 0;
    while ((got = recv(fd, buffer, sizeof(buffer) - have, 0)) > 0) {
        struct answer_frame frame;
        size_t at = 0;
        int64_t taken;

        memcpy(kept + have, buffer, (size_t)got);
        have += (size_t)got;
        while ((taken = frame_read(kept + at, have - at, &frame, NULL)) > 0) {
            last = frame.type;
            *text_bytes += frame.type == FRAME_TEXT ? frame.body_bytes : 0;
            at += (size_t)taken;
        }
        memmove(kept, kept + at, have - at);
        have -= at;
    }
    close(fd);
    return last;
}

static void test_rights(void)
{
    static const gid_t groups[] = {1000, 20, 30};
    static const struct {
        uid_t peer, owner;
        unsigned group_count;
        gid_t group;
        enum server_right want;
    } rows[] = {
        {0, 500, 3, (gid_t)-1, SERVER_RIGHT_OWNER},   {500, 500, 3, (gid_t)-1, SERVER_RIGHT_OWNER},
        {501, 500, 3, (gid_t)-1, SERVER_RIGHT_NONE},  {501, 500, 3, 1000, SERVER_RIGHT_READ},
        {501, 500, 3, 30, SERVER_RIGHT_READ},         {501, 500, 3, 31, SERVER_RIGHT_NONE},
        {501, 500, 0, 1000, SERVER_RIGHT_NONE},       {0, 500, 0, 30, SERVER_RIGHT_OWNER},
        {501, 0, 3, (gid_t)-1, SERVER_RIGHT_NONE},
    };

    for (unsigned i = 0; i < array_length(rows); i++)
        is_u64(server_right_of(rows[i].peer, groups, rows[i].group_count, rows[i].owner, rows[i].group), rows[i].want,
               "uid %u asks uid %u with group %d", rows[i].peer, rows[i].owner, (int)rows[i].group);
}

static struct server *open_at(const char *group, struct error *error)
{
    struct server_options options = {.path = path, .group = group, .served = &served, .refused = &refused};

    return server_new(loop, &options, answer_echo, NULL, error);
}

static void test_places(void)
{
    struct error error = {""};
    struct server *server, *second;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct stat status;
    char long_path[200];
    int fd;

    snprintf(path, sizeof(path), "%s/socket", directory);
    fd = open(path, O_CREAT | O_WRONLY, 0600);
    close(fd);
    ok(open_at(NULL, &error) == NULL && access(path, F_OK) == 0, "a file is in the way and stays: %s", error.text);
    unlink(path);
    server = open_at(NULL, &error);
    ok(server != NULL && stat(path, &status) == 0 && (status.st_mode & 0777) == 0600, "made with mode 0600");
    second = open_at(NULL, &error);
    ok(second == NULL && access(path, F_OK) == 0, "one that answers is left alone: %s", error.text);
    server_free(server);
    ok(access(path, F_OK) < 0, "removed in the end");
    fd = socket(AF_UNIX, SOCK_STREAM, 0);
    memcpy(address.sun_path, path, sizeof(path));
    ok(bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0, "a dead socket");
    close(fd);
    error.text[0] = '\0';
    server = open_at(NULL, &error);
    ok(server != NULL, "is replaced: %s", error.text);
    server_free(server);
    ok(open_at("no-such-group-here", &error) == NULL, "an unknown group: %s", error.text);
    server = open_at("12345", &error);
    if (geteuid() == 0)
        ok(server != NULL && stat(path, &status) == 0 && (status.st_mode & 0777) == 0660 && status.st_gid == 12345,
           "with a group: 0660 and given to it");
    server_free(server);
    memset(long_path, 'a', sizeof(long_path));
    long_path[0] = '/';
    long_path[sizeof(long_path) - 1] = '\0';
    second = server_new(loop, &(struct server_options){.path = long_path}, answer_echo, NULL, &error);
    ok(second == NULL, "a path that is too long: %.60s", error.text);
}

static void test_clients(void)
{
    uint8_t request[frame_request_header_bytes + 5000];
    struct loop_handler *timer;
    struct error error = {""};
    struct server *server = open_at(NULL, &error);
    int slow[server_clients_max], fd;
    uint64_t text;
    pthread_t thread;
    char byte;

    memset(request, 'x', sizeof(request));
    timer = loop_timer(loop, on_stop, &timer);
    loop_timer_set(timer, 1);
    pthread_create(&thread, NULL, serve, NULL);
    frame_request_put(request, 5, 0, 5000);
    is_u64(talk(request, sizeof(request), &text), FRAME_END, "a request is answered to its end");
    is_u64(text, 5000, "with its text");
    frame_request_put(request, 77, 0, 0);
    is_u64(talk(request, frame_request_header_bytes, &text), FRAME_ERROR, "a handler may refuse");
    is_u64(talk("GET / HTTP/1.0\r\n\r\n", 18, &text), FRAME_ERROR, "what is no request is refused");
    frame_request_put(request, 5, 0, frame_request_max + 1);
    is_u64(talk(request, frame_request_header_bytes, &text), FRAME_ERROR, "a request that is too long is refused");
    request[5]++;
    is_u64(talk(request, frame_request_header_bytes, &text), FRAME_ERROR, "and one of another version");
    is_u64(served, 1, "answers are counted");
    is_u64(refused, 4, "refusals are counted");
    for (unsigned i = 0; i < server_clients_max - 1; i++)
        slow[i] = dial();
    frame_request_put(request, 5, 0, 10);
    is_u64(talk(request, frame_request_header_bytes + 10, &text), FRAME_END, "63 silent clients hinder nobody");
    slow[server_clients_max - 1] = dial();
    usleep(50000);
    fd = dial();
    ok(recv(fd, &byte, 1, 0) == 0, "a client too many is turned away");
    close(fd);
    ok(recv(slow[0], &byte, 1, 0) == 0, "who says nothing for %d seconds is turned away", server_request_seconds);
    for (unsigned i = 0; i < server_clients_max; i++)
        close(slow[i]);
    __atomic_store_n(&stop, true, __ATOMIC_RELEASE);
    pthread_join(thread, NULL);
    server_free(server);
}

int main(void)
{
    struct error error = {""};

    plan_none();
    if (mkdtemp(directory) == NULL)
        skip_all("no directory in /tmp");
    loop = loop_new(&error);
    test_rights();
    test_places();
    test_clients();
    loop_free(loop);
    rmdir(directory);
    return done_testing();
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* links: src/client */
/*
 * `pmacct reload` against a daemon that says what this test wants it to: how long the client asks, what it tells, with
 * which status it ends; and daemons that refuse, break off, or are not there.
 */
#include "client/reload.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/frame.h"
#include "lib/tap.h"

#define answers_max 5

/* The ledger of a daemon as far as the client reads it. */
struct moment {
    unsigned lanes, held, old, orders, done;
    const char *instead; /* "ERROR ..." is an ERROR frame, "" breaks off, all else is the text; NULL: the ledger */
};

struct scene {
    const char *name;
    struct moment moments[answers_max]; /* an answer each; the last one is given again and again */
    unsigned count;
    int status;
    const char *out, *err; /* what is printed; of the second a part */
    unsigned asked;        /* requests that there must be */
};

static char path[] = "/tmp/test_reload.XXXXXX";
static char socket_path[64];

static struct daemon {
    int fd;
    const struct scene *scene;
    unsigned asked;
    bool wrong; /* a request that was not expected */
} played;

/* -- the daemon -- */

static bool read_request(int fd, struct frame_request *request)
{
    uint8_t header[frame_request_header_bytes];
    struct error error;

    return recv(fd, header, sizeof(header), MSG_WAITALL) == sizeof(header) &&
           frame_request_read(header, request, &error) == 0;
}

static void send_frame(int fd, enum frame_type type, const char *text)
{
    uint8_t frame[1024] = {0};
    size_t size = strlen(text);

    frame_header_put(frame, (uint16_t)type, 0, (uint32_t)size);
    memcpy(frame + frame_header_bytes, text, size);
    if (send(fd, frame, frame_bytes(size), MSG_NOSIGNAL) < 0)
        played.wrong = true;
}

static void answer(int fd, const struct moment *moment)
{
    char text[512];

    if (moment->instead != NULL && strncmp(moment->instead, "ERROR", 5) == 0) {
        send_frame(fd, FRAME_ERROR, moment->instead);
        return;
    }
    snprintf(text, sizeof(text),
             "{\"daemon\": \"nfacctd\", \"lanes\": %u, \"input\": {\"maps_held\": %u, \"maps_old\": %u,"
             " \"maps_orders\": %u, \"maps_orders_done\": %u}}",
             moment->lanes, moment->held, moment->old, moment->orders, moment->done);
    if (moment->instead != NULL && moment->instead[0] == '\0')
        return; /* neither text nor end */
    send_frame(fd, FRAME_TEXT, moment->instead != NULL ? moment->instead : text);
    send_frame(fd, FRAME_END, "");
}

/* Ends when the socket is shut down. The first request is the order, all others are looks at the ledger. */
static void *play(void *context)
{
    int fd;

    (void)context;
    while ((fd = accept(played.fd, NULL, NULL)) >= 0) {
        const struct scene *scene = played.scene;
        struct frame_request request;

        if (read_request(fd, &request)) {
            played.wrong |= request.command != (played.asked == 0 ? FRAME_COMMAND_RELOAD : FRAME_COMMAND_LEDGER);
            answer(fd, &scene->moments[min_u64(played.asked, scene->count - 1)]);
            played.asked++;
        }
        close(fd);
    }
    return NULL;
}

static int listen_at(const char *where)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    snprintf(address.sun_path, sizeof(address.sun_path), "%s", where);
    unlink(where);
    return bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0 && listen(fd, 8) == 0 ? fd : -1;
}

/* -- the client -- */

/* What is written to a descriptor while the client runs goes to a file. */
struct capture {
    int fd, kept, file;
};

static void capture_begin(struct capture *capture, int fd)
{
    char name[] = "/tmp/test_reload_out.XXXXXX";

    fflush(NULL);
    capture->fd = fd;
    capture->file = mkstemp(name);
    unlink(name);
    capture->kept = dup(fd);
    dup2(capture->file, fd);
}

static void capture_end(struct capture *capture, char *text, size_t size)
{
    ssize_t got;

    fflush(NULL);
    dup2(capture->kept, capture->fd);
    got = pread(capture->file, text, size - 1, 0);
    text[got > 0 ? got : 0] = '\0';
    close(capture->file);
    close(capture->kept);
}

static int run_client(const char *where, char out[512], char err[512])
{
    struct client_options options = {.action = CLIENT_RELOAD, .path = where, .path_given = true};
    struct capture of_out, of_err;
    int status;

    capture_begin(&of_out, STDOUT_FILENO);
    capture_begin(&of_err, STDERR_FILENO);
    status = reload_maps(&options);
    capture_end(&of_err, err, 512);
    capture_end(&of_out, out, 512);
    return status;
}

static void run_scene(const struct scene *scene)
{
    char out[512], err[512];
    pthread_t thread;
    int status;

    played = (struct daemon){.fd = listen_at(socket_path), .scene = scene};
    if (!ok(played.fd >= 0 && pthread_create(&thread, NULL, play, NULL) == 0, "%s", scene->name))
        return;
    status = run_client(socket_path, out, err);
    shutdown(played.fd, SHUT_RDWR);
    pthread_join(thread, NULL);
    close(played.fd);
    is_u64((uint64_t)status, (uint64_t)scene->status, "its status");
    is_text(out, scene->out, "what it says");
    ok((scene->err[0] == '\0') == (err[0] == '\0') && strstr(err, scene->err) != NULL, "and complains: %.*s",
       (int)strcspn(err, "\n"), err);
    is_u64(played.asked, scene->asked, "it has asked so often");
    ok(!played.wrong, "the order first, and once");
}

static const struct scene scenes[] = {
    {"no maps", {{1, 0, 0, 0, 0, NULL}}, 1, 0, "no maps: nothing to read again\n", "", 1},
    {"done at once", {{1, 5, 0, 3, 3, NULL}, {1, 5, 0, 4, 4, NULL}}, 2, 0, "5 of 5 maps read again\n", "", 2},
    {"some time",
     {{1, 5, 0, 3, 3, NULL}, {1, 5, 0, 3, 3, NULL}, {1, 5, 0, 4, 3, NULL}, {1, 5, 0, 4, 4, NULL}},
     4, 0, "5 of 5 maps read again\n", "", 4},
    {"two lanes, one of them late",
     {{2, 6, 0, 2, 2, NULL}, {2, 6, 0, 4, 3, NULL}, {2, 6, 0, 4, 3, NULL}, {2, 6, 0, 4, 4, NULL}},
     4, 0, "6 of 6 maps read again\n", "", 4},
    {"another one's order under way is not ours",
     {{1, 2, 0, 4, 3, NULL}, {1, 2, 0, 5, 4, NULL}, {1, 2, 0, 5, 5, NULL}}, 3, 0, "2 of 2 maps read again\n", "", 3},
    {"a map is refused", {{1, 5, 0, 3, 3, NULL}, {1, 5, 2, 4, 4, NULL}}, 2, 1, "3 of 5 maps read again\n",
     "2 refused, the old ones stay", 2},
    {"it was refused before, and is good now", {{1, 5, 1, 3, 3, NULL}, {1, 5, 0, 4, 4, NULL}}, 2, 0,
     "5 of 5 maps read again\n", "", 2},
    {"all are refused", {{1, 1, 0, 0, 0, NULL}, {1, 1, 1, 1, 1, NULL}}, 2, 1, "0 of 1 maps read again\n",
     "1 refused", 2},
    {"no right to it", {{.instead = "ERROR: not permitted"}}, 1, 1, "", "not permitted", 1},
    {"it breaks off", {{.instead = ""}}, 1, 1, "", "ERROR", 1},
    {"it breaks off later", {{1, 5, 0, 3, 3, NULL}, {.instead = ""}}, 2, 1, "", "ERROR", 2},
    {"no JSON", {{.instead = "hello"}}, 1, 1, "", "JSON", 1},
    {"no JSON later", {{1, 5, 0, 3, 3, NULL}, {.instead = "[]"}}, 2, 1, "", "JSON", 2},
    {"numbers that are none", {{.instead = "{\"input\": {\"maps_held\": \"7\"}}"}}, 1, 0,
     "no maps: nothing to read again\n", "", 1},
};

int main(void)
{
    char out[512], err[512];

    plan_none();
    if (!ok(mkdtemp(path) != NULL, "a folder"))
        return done_testing();
    snprintf(socket_path, sizeof(socket_path), "%s/control", path);
    for (unsigned i = 0; i < array_length(scenes); i++)
        run_scene(&scenes[i]);
    unlink(socket_path);
    ok(run_client(socket_path, out, err) == 1 && out[0] == '\0' && strstr(err, socket_path) != NULL,
       "no daemon is told by the socket's path: %.*s", (int)strcspn(err, "\n"), err);
    rmdir(path);
    return done_testing();
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A UNIX stream socket on the event loop that answers requests of frame.h: the memory plugin's socket and the
 * supervisor's control socket. Several clients at once, none of them waited for.
 *
 * Who may ask: root and the daemon's own user may do everything; members of the group that was named may read; all
 * others get an ERROR. The kernel tells who asks (SO_PEERCRED), so that the file's mode is the first lock and not the
 * only one. The socket is made under a umask of 0177 (0117 with a group), so it is never open wider, not even for a
 * moment. A file in its place is removed only if it is a socket of ours on which nobody answers.
 */
#ifndef BASE_SERVER_H
#define BASE_SERVER_H

#include <sys/types.h>

#include "base/answer.h"
#include "base/ledger.h"
#include "base/loop.h"

#define server_clients_max 64
#define server_request_seconds 5 /* to send the whole request */
#define server_stall_seconds 30  /* without taking a byte of the answer */

enum server_right { SERVER_RIGHT_NONE, SERVER_RIGHT_READ, SERVER_RIGHT_OWNER };

/* The rule above. `group` is (gid_t)-1 when none was named; `groups` are the peer's, supplementary ones included. */
enum server_right server_right_of(uid_t peer, const gid_t *groups, unsigned group_count, uid_t owner, gid_t group);

/* Answers one request: writes frames to `answer`, or answer_error. Called on the loop; must not wait. The answer's END
 * is the handler's too. An answer that ends `failed` is replaced by an ERROR that says there was no room. */
typedef void server_fn(void *context, struct answer *answer, const struct frame_request *request, const uint8_t *body,
                       enum server_right right);

struct server_options {
    const char *path;
    const char *group;          /* name or number; NULL: nobody but the owner */
    uint64_t answer_bytes_max;  /* of all answers that wait; 0 is 2 GiB */
    uint64_t *served, *refused; /* counters of the ledger, or NULL */
};

struct server;

/* Binds and watches. NULL with a phrase on failure; what was in the way is untouched then. */
struct server *server_new(struct loop *loop, const struct server_options *options, server_fn *fn, void *context,
                          struct error *error);
/* Closes all clients and removes the socket. NULL is fine. */
void server_free(struct server *server);
/* In a process forked from the server's: closes its copies of the sockets and leaves all else to the parent. */
void server_leave(struct server *server);

/* The answer to FRAME_COMMAND_LEDGER, which every server gives alike. */
void server_answer_ledger(struct answer *answer, const struct frame_request *request, const struct ledger *ledger);
/* An END frame with `bytes` of body. */
void server_answer_end(struct answer *answer, const uint8_t *body, size_t bytes);

#endif

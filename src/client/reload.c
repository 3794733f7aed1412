/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `pmacct reload`: the order goes over the control socket, and the ledger tells when every map of every lane has been
 * read again or refused.
 */
#include "client/reload.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/frame.h"
#include "base/time.h"
#include "client/fetch.h"
#include "client/json.h"
#include "client/show.h"

#define look_every_ms 50
#define wait_ns (INT64_C(60) * time_second_ns) /* the largest tables take some seconds */

struct maps_state {
    uint64_t lanes, held, old, orders, done; /* summed over the lanes */
};

static int ask(const char *path, uint16_t command, struct maps_state *state, struct error *error)
{
    size_t length;
    char *text = fetch_text(path, command, &length, error);
    json_t *root = text != NULL ? json_read(text, length, error) : NULL;
    const json_t *input = json_object_get(root, "input");

    state->lanes = json_number(root, "lanes");
    state->held = json_number(input, "maps_held");
    state->old = json_number(input, "maps_old");
    state->orders = json_number(input, "maps_orders");
    state->done = json_number(input, "maps_orders_done");
    json_decref(root);
    if (text != NULL && root == NULL)
        error_wrap(error, "ERROR");
    free(text);
    return root != NULL ? 0 : -1;
}

/* Our order is done when each lane has carried out one more than it had heard before. */
int reload_maps(const struct client_options *options)
{
    const char *path = fetch_path(options);
    int64_t limit = time_monotonic_ns() + wait_ns;
    struct maps_state before, now;
    struct error error = {""};

    if (ask(path, FRAME_COMMAND_RELOAD, &before, &error) < 0)
        return show_failure(error.text);
    if (before.held == 0) {
        puts("no maps: nothing to read again");
        return 0;
    }
    do {
        poll(NULL, 0, look_every_ms);
        if (ask(path, FRAME_COMMAND_LEDGER, &now, &error) < 0)
            return show_failure(error.text);
    } while (now.done < before.orders + before.lanes && time_monotonic_ns() < limit);
    if (now.done < before.orders + before.lanes)
        return show_failure("ERROR: the maps are still being read; see the log of the daemon");
    printf("%" PRIu64 " of %" PRIu64 " maps read again\n", now.held - now.old, now.held);
    if (now.old == 0)
        return 0;
    fprintf(stderr, "%" PRIu64 " refused, the old ones stay: see the log of the daemon\n", now.old);
    return 1;
}

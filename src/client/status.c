/* SPDX-License-Identifier: BSD-2-Clause */
/* The ledger of a control socket or of a memory plugin's; status_report.c makes it readable. */
#include "client/status.h"

#include "base/frame.h"
#include "client/fetch.h"

static int report(const struct client_options *options, const char *text, size_t length, struct output *output,
                  struct error *error)
{
    (void)options;
    return status_report(text, length, output, error);
}

int status_show(const struct client_options *options)
{
    return fetch_show(options, FRAME_COMMAND_LEDGER, report);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* The ledger of a control socket or of a memory plugin's; status_report.c makes it readable. */
#include "client/status.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/frame.h"
#include "client/fetch.h"
#include "client/show.h"

int status_show(const struct client_options *options)
{
    struct error error = {""};
    struct output output;
    size_t length;
    char *text = fetch_text(fetch_path(options), FRAME_COMMAND_LEDGER, &length, &error);

    if (text == NULL)
        return show_failure(error.text);
    if (output_open(&output, STDOUT_FILENO, 4096) < 0) {
        free(text);
        return show_failure("ERROR: out of memory");
    }
    if (options->json_asked) {
        output_text(&output, text, length);
        output_text(&output, "\n", 1);
    } else if (status_report(text, length, &output, &error) < 0) {
        error_wrap(&error, "ERROR");
    }
    if (output_close(&output) < 0 && error.text[0] == '\0')
        error_set(&error, "ERROR: cannot write the answer");
    free(text);
    return error.text[0] != '\0' ? show_failure(error.text) : 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Fetches the ledger from a control socket or from a memory plugin's; status_report.c makes it readable. */
#include "client/status.h"

#include <stdlib.h>
#include <unistd.h>

#include "client/connection.h"
#include "client/show.h"

#define control_path "/tmp/sfacctd.control"
#define memory_path "/tmp/collect.pipe"
/* The largest ledger, all exporters of all lanes with long numbers, has a fifth of this. */
#define ledger_bytes_max (16u * 1024 * 1024)

/* The socket named, else the first that is there. */
static const char *status_path(const struct client_options *options)
{
    const char *named = getenv("FLOWLEDGER_CONTROL");

    if (options->path_given)
        return options->path;
    if (named != NULL && named[0] != '\0')
        return named;
    return access(control_path, F_OK) == 0 ? control_path : memory_path;
}

/* The whole text of the answer, from malloc. */
static char *read_ledger(const char *path, size_t *length, struct error *error)
{
    struct connection connection = {.fd = -1};
    struct frame frame;
    char *text = NULL;
    int more = connection_open(&connection, path, error);

    *length = 0;
    if (more == 0)
        more = connection_ask(&connection, FRAME_COMMAND_LEDGER, 0, NULL, 0, error);
    while (more == 0 && (more = connection_next(&connection, &frame, error)) > 0) {
        char *longer;

        more = 0;
        if (frame.type != FRAME_TEXT)
            continue;
        longer = *length + frame.body_bytes > ledger_bytes_max ? NULL : realloc(text, *length + frame.body_bytes + 1);
        if (longer == NULL) {
            more = error_set(error, "ERROR: no memory for the ledger");
            break;
        }
        text = longer;
        memcpy(text + *length, frame.body, frame.body_bytes);
        *length += frame.body_bytes;
    }
    connection_close(&connection);
    if (more == 0 && text != NULL)
        return text;
    if (more == 0)
        error_set(error, "ERROR: the answer is empty");
    free(text);
    return NULL;
}

int status_show(const struct client_options *options)
{
    struct error error = {""};
    struct output output;
    size_t length;
    char *text = read_ledger(status_path(options), &length, &error);

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

/* SPDX-License-Identifier: BSD-2-Clause */
#include "client/fetch.h"

#include <stdlib.h>
#include <unistd.h>

#include "client/connection.h"
#include "client/show.h"

/* The largest answer, every place for an exporter taken and all its templates told, has less than this. */
#define answer_bytes_max ((size_t)1 << 30)

/* The socket named, else the first that is there of the daemons' and a memory plugin's. Only nfacctd has templates. */
const char *fetch_path(const struct client_options *options)
{
    static const char *const paths[] = {"/tmp/nfacctd.control", "/tmp/sfacctd.control", "/tmp/pmacctd.control",
                                        "/tmp/uacctd.control", "/tmp/collect.pipe"};
    const char *named = getenv("FLOWLEDGER_CONTROL");
    bool of_nfacctd = options->action == CLIENT_EXPORTERS || options->action == CLIENT_TEMPLATES;
    bool of_control = of_nfacctd || options->action == CLIENT_RELOAD;
    unsigned last = of_nfacctd ? 0 : array_length(paths) - 1 - of_control;

    if (options->path_given)
        return options->path;
    if (named != NULL && named[0] != '\0')
        return named;
    for (unsigned i = 0; i < last; i++)
        if (access(paths[i], F_OK) == 0)
            return paths[i];
    return paths[last];
}

char *fetch_text(const char *path, uint16_t command, size_t *length, struct error *error)
{
    struct connection connection = {.fd = -1};
    struct answer_frame frame;
    char *text = NULL;
    int more = connection_open(&connection, path, error);

    *length = 0;
    if (more == 0)
        more = connection_ask(&connection, command, 0, NULL, 0, error);
    while (more == 0 && (more = connection_next(&connection, &frame, error)) > 0) {
        char *longer;

        more = 0;
        if (frame.type != FRAME_TEXT)
            continue;
        longer = *length + frame.body_bytes > answer_bytes_max ? NULL : realloc(text, *length + frame.body_bytes + 1);
        if (longer == NULL) {
            more = error_set(error, "ERROR: no memory for the answer");
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

int fetch_show(const struct client_options *options, uint16_t command, fetch_report_fn *report)
{
    struct error error = {""};
    struct output output;
    size_t length;
    char *text = fetch_text(fetch_path(options), command, &length, &error);

    if (text == NULL)
        return show_failure(error.text);
    if (output_open(&output, STDOUT_FILENO, 4096) < 0) {
        free(text);
        return show_failure("ERROR: out of memory");
    }
    if (options->json_asked) {
        output_text(&output, text, length);
        output_text(&output, "\n", 1);
    } else if (report(options, text, length, &output, &error) < 0) {
        error_wrap(&error, "ERROR");
    }
    if (output_close(&output) < 0 && error.text[0] == '\0')
        error_set(&error, "ERROR: cannot write the answer");
    free(text);
    return error.text[0] != '\0' ? show_failure(error.text) : 0;
}

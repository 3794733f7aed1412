/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any text as a configuration: loading ends, and what it accepts without an error, dumped, is accepted again.
 * The first byte chooses the daemon.
 */
#include "config/config.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum daemon_mask daemons[] = {DAEMON_SFACCTD, DAEMON_NFACCTD, DAEMON_PMACCTD, DAEMON_UACCTD};
    static const char *const extra[] = {"debug: true", "print_refresh_time: 30"};
    struct config_source source = {.path = "fuzz", .extra = extra};
    struct config *config, *again;
    char *text = NULL;
    size_t text_size;
    FILE *out;

    if (size == 0 || size > 65536)
        return 0;
    source.daemon = daemons[data[0] % 4];
    source.extra_count = (data[0] >> 2) % 3;
    config = config_parse_text(&source, (const char *)data + 1, size - 1);
    if (config == NULL)
        return 0;
    out = open_memstream(&text, &text_size);
    config_dump(config, out);
    fclose(out);
    source.extra_count = 0;
    again = config_parse_text(&source, text, text_size);
    if (config->error_count == 0 && (again->error_count != 0 || again->plugin_count != config->plugin_count))
        abort();
    config_free(again);
    config_free(config);
    free(text);
    return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any octets as a templates file: reading ends with or without an error, and what was taken is written and read again
 * to the same number of templates. The decoder around it is large and slow to make, so it is made only for a file whose
 * first line can be read.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/file.h"
#include "decode/netflow/templates_line.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void take_flow(void *context, struct flow *flow)
{
    (void)context;
    (void)flow;
}

static struct netflow *open_decoder(struct ledger *ledger, uint64_t *counters)
{
    struct netflow_options options = {.template_bytes_max = 1 << 20};
    struct decode_output output = {.record = take_flow, .ledger = ledger, .counters = counters};

    return netflow_new(&options, &output, NULL);
}

static unsigned count_templates(const struct netflow *netflow)
{
    unsigned count = 0;

    for (const struct domain *domain = netflow->domains; domain != NULL; domain = domain->next)
        count += domain->template_count;
    return count;
}

/* The first line, alone, in memory of just its size. */
static bool first_line_is_good(const uint8_t *data, size_t size)
{
    static struct templates_line line;
    const uint8_t *end = memchr(data, '\n', size);
    size_t length = end == NULL ? size : (size_t)(end - data);
    char *text = malloc(length == 0 ? 1 : length);
    struct error error;
    bool good;

    if (text == NULL)
        abort();
    memcpy(text, data, length);
    good = templates_line_read(&line, text, length, &error) == 0;
    free(text);
    return good || length == 0;
}

static void load_and_save(const uint8_t *data, size_t size)
{
    static uint64_t counters[INPUT_COUNTERS];
    struct ledger *ledger = ledger_create(NULL);
    struct netflow *netflow = open_decoder(ledger, counters), *again;
    int fd = memfd_create("templates", MFD_CLOEXEC);
    char path[64], copy[64];
    struct error error;

    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    snprintf(copy, sizeof(copy), "/tmp/fuzz_templates_file.%ld", (long)getpid());
    if (ledger == NULL || netflow == NULL || fd < 0 || file_write_all(fd, data, size, NULL) != 0)
        abort();
    if (persist_load(netflow, path, &error) == 0 && count_templates(netflow) > 0) {
        if (persist_save(netflow, copy, &error) != 0)
            abort();
        again = open_decoder(ledger, counters);
        if (again == NULL || persist_load(again, copy, &error) != 0 ||
            count_templates(again) != count_templates(netflow))
            abort();
        netflow_free(again);
        unlink(copy);
    }
    close(fd);
    netflow_free(netflow);
    ledger_free(ledger);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 0 && first_line_is_good(data, size))
        load_and_save(data, size);
    return 0;
}

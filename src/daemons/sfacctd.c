/* SPDX-License-Identifier: BSD-2-Clause */
/* sfacctd: the sFlow collector. What is its own is the decoder and the counter file. */
#include <stdio.h>
#include <stdlib.h>

#include "core/agent_log.h"
#include "core/daemon.h"
#include "decode/sflow/sflow.h"

struct decoder {
    struct sflow *sflow;
    struct agent_log *counter_log;
    uint64_t *counters;
};

static bool on_counter_line(void *context, const struct address *agent, const char *text, size_t length)
{
    return agent_log_line(context, agent, text, length);
}

/* tunnel_0: vxlan,PORT is what sfacctd knows. Returns 0 or -1. */
static int parse_tunnel(const char *value, uint16_t *port, struct error *error)
{
    unsigned long number;
    char *end;

    if (value == NULL)
        return 0;
    if (strncmp(value, "vxlan", 5) != 0)
        return error_set(error, "tunnel_0: sfacctd knows 'vxlan,PORT', not '%.60s'", value);
    value += 5 + strspn(value + 5, ", ");
    number = strtoul(value, &end, 10);
    if (end == value || *end != '\0' || number == 0 || number > UINT16_MAX)
        return error_set(error, "tunnel_0: '%.60s' is not a port", value);
    *port = (uint16_t)number;
    return 0;
}

/* A line that the disk refused is no longer written: it moves from one counter to the other. */
static void decoder_flush(void *context)
{
    struct decoder *decoder = context;
    uint64_t lost;

    if (decoder->counter_log == NULL)
        return;
    lost = agent_log_flush(decoder->counter_log);
    counter_add(&decoder->counters[INPUT_counter_records_written], -lost);
    counter_add(&decoder->counters[INPUT_counter_records_failed], lost);
}

static void decoder_close(void *context)
{
    struct decoder *decoder = context;

    if (decoder == NULL)
        return;
    decoder_flush(decoder);
    sflow_free(decoder->sflow);
    agent_log_free(decoder->counter_log);
    free(decoder);
}

static void *decoder_open(const struct settings *settings, const struct decode_output *output, struct error *error)
{
    struct decoder *decoder = calloc(1, sizeof(*decoder));
    struct sflow_options options = {
        .byte_count = (enum sflow_byte_count)settings->byte_count,
        .raw_interfaces = settings->raw_interfaces,
        .unknown_etype = settings->aggregate_unknown_etype,
        .ignore_agent = settings->ignore_exporter_address,
        .use_ip_next_hop = settings->use_ip_next_hop,
        .innermost_tunnel = settings->tunnel_place == 1,
        .discards = field_set_has(&output->wants, FIELD_DROP_REASON),
    };

    if (decoder == NULL) {
        error_set(error, "out of memory");
        return NULL;
    }
    decoder->counters = output->counters;
    if (parse_tunnel(settings->tunnel_0, &options.vxlan_replace_port, error) < 0)
        goto failed;
    if (settings->counter_file != NULL) {
        decoder->counter_log = agent_log_new(settings->counter_file, (unsigned)settings->files_umask, error);
        if (decoder->counter_log == NULL)
            goto failed;
        options.counter_line = on_counter_line;
        options.counter_context = decoder->counter_log;
    }
    decoder->sflow = sflow_new(&options, output, error);
    if (decoder->sflow == NULL)
        goto failed;
    return decoder;
failed:
    decoder_close(decoder);
    return NULL;
}

static void decoder_datagram(void *context, const uint8_t *bytes, size_t size, const struct origin *origin)
{
    struct decoder *decoder = context;

    sflow_datagram(decoder->sflow, bytes, size, origin);
}

static void decoder_reopen(void *context)
{
    struct decoder *decoder = context;

    if (decoder->counter_log != NULL)
        agent_log_reopen(decoder->counter_log);
}

static const struct decoder_ops sflow_ops = {
    .open = decoder_open,
    .datagram = decoder_datagram,
    .flush = decoder_flush,
    .reopen = decoder_reopen,
    .close = decoder_close,
};

static const struct daemon sfacctd = {
    .name = "sfacctd",
    .title = "sFlow Accounting Daemon",
    .traffic = "sFlow",
    .mask = DAEMON_SFACCTD,
    .port = 6343,
    .input = &input_socket,
    .decoder = &sflow_ops,
};

int main(int argc, char **argv)
{
    return daemon_main(&sfacctd, argc, argv);
}

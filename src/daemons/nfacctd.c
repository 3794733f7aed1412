/* SPDX-License-Identifier: BSD-2-Clause */
/* nfacctd: the NetFlow and IPFIX collector. What is its own is the decoder, its settings, and --decode. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "base/time.h"
#include "core/daemon.h"
#include "daemons/nfacctd_decode.h"
#include "decode/netflow/netflow.h"

static void say_template(void *context, const char *text, size_t length)
{
    (void)context;
    log_debug("%.*s", (int)length, text);
}

static void say_trouble(void *context, const char *text, size_t length)
{
    (void)context;
    log_error("%.*s", (int)length, text);
}

static int lane_path(const char *path, unsigned lane, char out[PATH_MAX], struct error *error)
{
    int length = lane == 0 ? snprintf(out, PATH_MAX, "%s", path) : snprintf(out, PATH_MAX, "%s.%u", path, lane);

    return length < PATH_MAX ? 0 : error_set(error, "the path of the templates file is too long");
}

/*
 * Each lane keeps a file of its own, PATH of the first and PATH.N of the others, and reads them all at the start: with
 * another number of lanes an exporter may come to another one, and a template too many does no harm.
 */
static int load_all(struct netflow *netflow, const char *path, unsigned lane, struct error *error)
{
    char other[PATH_MAX];

    for (unsigned i = 0; i < ledger_lanes_max; i++) {
        if (i == lane || lane_path(path, i, other, error) < 0 || access(other, F_OK) != 0)
            continue;
        if (netflow_load_templates(netflow, other, error) < 0)
            return -1;
    }
    return 0;
}

static void *decoder_open(const struct settings *settings, const struct decode_output *output, struct error *error)
{
    struct netflow_options options = {
        .templates_key = (enum netflow_template_key)settings->templates_key,
        .biflow = (enum netflow_biflow)settings->biflow,
        .template_bytes_max = settings->template_memory_limit,
        .exporter_templates_max = (uint32_t)settings->exporter_templates_max,
        .template_lifetime_ns = (int64_t)settings->template_lifetime * time_second_ns,
        .hold_bytes_max = settings->hold_bytes,
        .hold_ns = (int64_t)settings->hold_seconds * time_second_ns,
        .ignore_exporter_address = settings->ignore_exporter_address,
        .disable_scope_check = settings->disable_opt_scope_check,
        .account_options = settings->account_options,
        .asa_bi_flow = settings->asa_bi_flow,
        .drop_unknown_rate = settings->unknown_sampling_rate == 1,
        .time_secs = settings->time_secs,
        .check_padding = settings->check_padding,
        .use_ip_next_hop = settings->use_ip_next_hop,
        .on_template = settings->debug ? say_template : NULL,
        .on_trouble = say_trouble,
    };

    struct netflow *netflow;
    char path[PATH_MAX];

    if (settings->templates_file != NULL) {
        if (lane_path(settings->templates_file, output->lane, path, error) < 0)
            return NULL;
        options.templates_file = path;
    }
    netflow = netflow_new(&options, output, error);
    if (netflow != NULL && settings->templates_file != NULL &&
        load_all(netflow, settings->templates_file, output->lane, error) < 0) {
        netflow_free(netflow);
        return NULL;
    }
    return netflow;
}

static void decoder_datagram(void *decoder, const uint8_t *bytes, size_t size, const struct origin *origin)
{
    netflow_datagram(decoder, bytes, size, origin);
}

static void decoder_tick(void *decoder, int64_t now_ns)
{
    netflow_tick(decoder, now_ns);
}

static void decoder_session_closed(void *decoder, uint32_t session)
{
    netflow_session_closed(decoder, session);
}

static void decoder_end(void *decoder)
{
    netflow_end(decoder);
}

static size_t decoder_describe(void *decoder, int64_t now_ns, char *out, size_t size)
{
    return netflow_describe(decoder, now_ns, out, size);
}

static void decoder_close(void *decoder)
{
    netflow_free(decoder);
}

static const struct decoder_ops netflow_ops = {
    .open = decoder_open,
    .datagram = decoder_datagram,
    .tick = decoder_tick,
    .session_closed = decoder_session_closed,
    .end = decoder_end,
    .describe = decoder_describe,
    .close = decoder_close,
};

static const struct daemon nfacctd = {
    .name = "nfacctd",
    .title = "NetFlow Accounting Daemon",
    .traffic = "NetFlow/IPFIX",
    .mask = DAEMON_NFACCTD,
    .port = 2100,
    .input = &input_socket,
    .decoder = &netflow_ops,
    .decode = nfacctd_decode,
};

int main(int argc, char **argv)
{
    return daemon_main(&nfacctd, argc, argv);
}

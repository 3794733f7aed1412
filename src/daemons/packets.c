/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemons/packets.h"

#include <stdlib.h>

#include "base/time.h"
#include "classify/open.h"
#include "decode/capture/capture.h"

#define flow_lifetime_default 60
#define tcp_lifetime_classified 432000 /* five days: an idle connection keeps its class */

struct packet_daemon {
    struct capture *capture;
    const struct classifier_ops *classifier_ops;
    struct classifier *classifier; /* or NULL */
    struct dissection *dissection; /* or NULL */
};

static void packets_close(void *context)
{
    struct packet_daemon *daemon = context;

    if (daemon == NULL)
        return;
    capture_free(daemon->capture);
    if (daemon->classifier != NULL)
        daemon->classifier_ops->close(daemon->classifier);
    dissection_free(daemon->dissection);
    free(daemon);
}

static int open_classifier(struct packet_daemon *daemon, const struct settings *settings, struct error *error)
{
    struct classifier_options options = {
        .flows_max = settings->classifier_max_flows,
        .guess = settings->classifier_guess,
        .idle_ns = (int64_t)settings->classifier_idle_ms * 1000000,
        .giveup_tcp = (unsigned)settings->classifier_giveup_tcp,
        .giveup_udp = (unsigned)settings->classifier_giveup_udp,
        .giveup_other = (unsigned)settings->classifier_giveup_other,
    };

    daemon->classifier_ops = classifier_module_open(settings->plugin_directory, error);
    if (daemon->classifier_ops == NULL)
        return -1;
    daemon->classifier = daemon->classifier_ops->open(&options, error);
    return daemon->classifier == NULL ? -1 : 0;
}

/* Each lane dissects its own conversations, into a file of its own: PATH of the first, PATH.N of the others. */
static int open_dissection(struct packet_daemon *daemon, const struct settings *settings,
                           const struct decode_output *output, struct error *error)
{
    char path[4096];
    struct dissection_options options = {
        .output_file = settings->proto_output_file,
        .dissectors = settings->proto_dissectors,
        .modules = settings->proto_modules,
        .ports = settings->proto_ports,
        .stream_bytes = settings->proto_stream_bytes,
        .memory_bytes = settings->proto_memory_limit,
        .umask_bits = (unsigned)settings->files_umask,
        .timestamps_utc = settings->timestamps_utc,
        .want_tls_sni = field_set_has(&output->wants, FIELD_TLS_SNI),
        .want_dns_name = field_set_has(&output->wants, FIELD_DNS_NAME),
    };

    if (options.output_file != NULL && output->lane > 0) {
        if (snprintf(path, sizeof(path), "%s.%u", options.output_file, output->lane) >= (int)sizeof(path))
            return error_set(error, "the path of proto_output_file is too long");
        options.output_file = path;
    }
    daemon->dissection = dissection_new(&options, error);
    return daemon->dissection == NULL ? -1 : 0;
}

static bool wants_class(const struct decode_output *output)
{
    return field_set_has(&output->wants, FIELD_CLASS);
}

static bool wants_dissection(const struct settings *settings, const struct decode_output *output)
{
    return settings->proto_output_file != NULL || field_set_has(&output->wants, FIELD_TLS_SNI) ||
           field_set_has(&output->wants, FIELD_DNS_NAME);
}

static void *packets_open(const struct settings *settings, const struct decode_output *output, struct error *error)
{
    struct packet_daemon *daemon = calloc(1, sizeof(*daemon));
    uint64_t tcp_lifetime = settings->flow_tcp_lifetime != 0 ? settings->flow_tcp_lifetime
                            : wants_class(output)            ? tcp_lifetime_classified
                                                             : flow_lifetime_default;
    struct capture_options options = {
        .unknown_etype = settings->aggregate_unknown_etype,
        .all_fragments = settings->force_frag_handling,
        .drop_orphans = settings->fragments_orphans == 1,
        .fragment_bytes = settings->frag_buffer_size,
        .flow_bytes = settings->flow_buffer_size,
        .flow_lifetime_ns = (int64_t)settings->flow_lifetime * time_second_ns,
        .flow_tcp_lifetime_ns = (int64_t)tcp_lifetime * time_second_ns,
        .innermost = settings->tunnel_place == 1,
        .link_interfaces = true,
    };

    if (daemon == NULL) {
        error_set(error, "out of memory");
        return NULL;
    }
    if (settings->tunnel_0 != NULL && packet_unwrap_parse(&options.unwrap, settings->tunnel_0, error) < 0) {
        error_wrap(error, "tunnel_0");
        goto failed;
    }
    if ((wants_class(output) && open_classifier(daemon, settings, error) < 0) ||
        (wants_dissection(settings, output) && open_dissection(daemon, settings, output, error) < 0))
        goto failed;
    options.classifier_ops = daemon->classifier_ops;
    options.classifier = daemon->classifier;
    options.dissection = daemon->dissection;
    daemon->capture = capture_new(&options, output, error);
    if (daemon->capture == NULL)
        goto failed;
    return daemon;
failed:
    packets_close(daemon);
    return NULL;
}

static void packets_frame(void *context, const struct frame *frame)
{
    struct packet_daemon *daemon = context;

    capture_frame(daemon->capture, frame);
}

static void packets_flush(void *context)
{
    struct packet_daemon *daemon = context;

    capture_flush(daemon->capture);
}

static void packets_reopen(void *context)
{
    struct packet_daemon *daemon = context;

    if (daemon->dissection != NULL)
        dissection_reopen(daemon->dissection);
}

static void packets_tick(void *context, int64_t now_ns)
{
    struct packet_daemon *daemon = context;

    capture_tick(daemon->capture, now_ns);
}

static void packets_end(void *context)
{
    struct packet_daemon *daemon = context;

    capture_end(daemon->capture);
}

const struct decoder_ops packet_decoder = {
    .open = packets_open,
    .frame = packets_frame,
    .flush = packets_flush,
    .reopen = packets_reopen,
    .tick = packets_tick,
    .end = packets_end,
    .close = packets_close,
};

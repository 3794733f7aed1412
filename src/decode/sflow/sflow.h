/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sFlow versions 2, 4 and 5 (sflow.org, RFC 3176): datagram -> samples -> one flow record for each flow sample.
 * Unknown samples and records are skipped by their length and counted; a bad length costs its own sample, not the
 * datagram's rest where the version allows it.
 */
#ifndef DECODE_SFLOW_SFLOW_H
#define DECODE_SFLOW_SFLOW_H

#include "decode/decode.h"

enum sflow_byte_count { SFLOW_BYTES_FRAME, SFLOW_BYTES_FRAME_WITHOUT_FCS, SFLOW_BYTES_IP };

struct sflow_options {
    enum sflow_byte_count byte_count; /* what `bytes` counts */
    bool unknown_etype;               /* packets that are not IP give records too */
    bool ignore_agent;                /* peer_src_ip is the socket's address */
    bool raw_interfaces;              /* in_iface, out_iface are the unmasked words, as pmacct prints them */
    bool use_ip_next_hop;             /* peer_dst_ip is the router's next hop when there is no BGP next hop */
    bool discards;                    /* discarded-packet samples give records (drop_reason is asked for) */
    uint16_t vxlan_replace_port;      /* tunnel_0: vxlan,PORT: account the inner packet; 0 is off */
    bool innermost_tunnel; /* tunnel_* tell of the innermost packet, not of the first inner one */
    /*
     * Counter records as JSON lines; NULL when nobody asks. `text` is one object without a newline. False = not
     * written.
     */
    bool (*counter_line)(void *context, const struct address *agent, const char *text, size_t length);
    void *counter_context;
};

struct sflow;

struct sflow *sflow_new(const struct sflow_options *options, const struct decode_output *output, struct error *error);
void sflow_free(struct sflow *sflow);

/* Decodes one datagram. All results go to the output and the counters. */
void sflow_datagram(struct sflow *sflow, const uint8_t *bytes, size_t size, const struct origin *origin);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
#include "decode/capture/capture.h"

#include <stdlib.h>

#include "decode/capture/fragments.h"
#include "decode/capture/track.h"

#define ethernet_bytes 14 /* not counted of a frame that is not IP, as its header is not counted of one that is */

enum { PROTO_TCP = 6, PROTO_UDP = 17, PROTO_SCTP = 132, PROTO_UDPLITE = 136 };
enum { OWNER_CLASSIFIER, OWNER_DISSECTION }; /* of a track_entry's pointers */

#define gather_max 32 /* records that go to the rings together: their bodies stay in the first-level cache */

struct capture {
    struct capture_options options;
    struct decode_output output;
    uint16_t link_number; /* of the last frame, and what it means */
    enum packet_link link;
    uint8_t *bodies[decode_targets_max]; /* gathered for each plugin, where output->bodies takes them */
    unsigned gathered;
    uint64_t booked[INPUT_COUNTERS]; /* of counts that others keep: how much is on the ledger */
    struct fragments *fragments; /* or NULL: nobody asks for ports */
    struct track *track;         /* or NULL: nobody asks for flows, classes or transactions */
    bool wants_flows, wants_origin;
    struct packet_info info;
    struct flow flow, late; /* of the frame at hand; of one that waited and is let go while another is at hand */
};

static void count(struct capture *capture, enum input_counter id)
{
    counter_add(&capture->output.counters[id], 1);
}

/* -- conversations -- */

static void release_owners(void *context, void *const owners[2])
{
    struct capture *capture = context;

    if (capture->options.classifier != NULL)
        capture->options.classifier_ops->release(capture->options.classifier, owners[OWNER_CLASSIFIER]);
    if (capture->options.dissection != NULL)
        dissection_release(capture->options.dissection, owners[OWNER_DISSECTION]);
}

/* What TCP or UDP carries in a packet of `ip_bytes`: false when the header was cut, or lies about its length. */
static bool find_payload(const struct packet_info *info, const struct flow *flow, uint64_t ip_bytes,
                         struct dissect_packet *packet)
{
    const uint8_t *header = info->transport;
    const uint32_t least = flow->proto == PROTO_TCP ? 20 : 8;
    uint32_t header_bytes, before;

    if (header == NULL || info->transport_captured < least)
        return false;
    header_bytes = flow->proto == PROTO_TCP ? (header[12] >> 4) * 4u : 8;
    before = (uint32_t)(header - info->ip) + header_bytes;
    if (header_bytes < least || header_bytes > info->transport_captured || before > ip_bytes)
        return false;
    packet->payload = header + header_bytes;
    packet->captured = info->transport_captured - header_bytes;
    packet->length = (uint32_t)ip_bytes - before;
    packet->sequence = 0;
    packet->tcp_flags = 0;
    if (flow->proto == PROTO_TCP) {
        packet->sequence = host_be32(load_u32(header + 4));
        packet->tcp_flags = (uint16_t)(host_be16(load_u16(header + 12)) & 0x1ff);
    }
    return true;
}

static void dissect(struct capture *capture, const struct packet_info *info, struct flow *flow,
                    const struct track_hit *hit, int64_t when_ns)
{
    struct dissection *dissection = capture->options.dissection;
    struct dissect_packet packet = {.backwards = hit->backwards, .when_ns = when_ns};
    void **state = &hit->entry->owners[OWNER_DISSECTION];

    if ((flow->proto != PROTO_TCP && flow->proto != PROTO_UDP) || !dissection_looks(dissection, *state, flow) ||
        !find_payload(info, flow, flow->bytes, &packet))
        return;
    dissection_packet(dissection, state, &packet, flow);
}

static void classify(struct capture *capture, const struct packet_info *info, struct flow *flow,
                     const struct track_hit *hit, int64_t when_ns)
{
    const struct classifier_ops *ops = capture->options.classifier_ops;

    if (info->ip == NULL)
        return;
    flow_set_class_name(flow, ops->packet(capture->options.classifier, &hit->entry->owners[OWNER_CLASSIFIER],
                                          info->ip, info->ip_captured, hit->backwards, flow->proto, when_ns));
}

static void follow(struct capture *capture, const struct packet_info *info, struct flow *flow, int64_t when_ns)
{
    struct track_hit hit = track_packet(capture->track, flow, when_ns);

    if (capture->wants_flows)
        flow_set_flows(flow, hit.begins);
    if (hit.entry == NULL)
        return;
    if (capture->options.classifier != NULL)
        classify(capture, info, flow, &hit, when_ns);
    if (capture->options.dissection != NULL && !info->fragment)
        dissect(capture, info, flow, &hit, when_ns);
}

/* -- records -- */

/* What the frame itself tells, beside the packet in it. */
static inline void set_origin(struct capture *capture, const struct frame *frame, const struct packet_info *info,
                              struct flow *flow)
{
    uint8_t direction = frame->direction != FRAME_UNKNOWN ? frame->direction : info->direction;
    uint32_t in = frame->in_iface, out = frame->out_iface;

    if (capture->options.link_interfaces && info->interface != 0) {
        if (direction == FRAME_OUT && out == 0)
            out = info->interface;
        else if (direction != FRAME_OUT && in == 0)
            in = info->interface;
    }
    if (capture->options.link_interfaces && info->out_interface != 0 && out == 0)
        out = info->out_interface;
    if (in != 0)
        flow_set_in_iface(flow, in);
    if (out != 0)
        flow_set_out_iface(flow, out);
    if (direction != FRAME_UNKNOWN)
        flow_set_sampling_direction(flow, direction == FRAME_IN ? 'i' : 'e');
}

/* Where no step stands between us and the rings, records go there many at once, as the plugins' bodies. */
static void flush_bodies(struct capture *capture)
{
    if (capture->gathered == 0)
        return;
    for (unsigned i = 0; i < capture->output.target_count; i++)
        capture->output.bodies(capture->output.context, i, capture->bodies[i], capture->gathered);
    capture->gathered = 0;
}

static inline void hand_over(struct capture *capture, struct flow *flow)
{
    if (capture->output.target_count == 0) {
        capture->output.record(capture->output.context, flow);
        return;
    }
    for (unsigned i = 0; i < capture->output.target_count; i++) {
        const struct layout *layout = capture->output.targets[i];

        layout_project(layout, flow, 0, capture->bodies[i] + (size_t)capture->gathered * layout->body_bytes);
    }
    if (++capture->gathered == gather_max)
        flush_bodies(capture);
}

/* The packet is whole, or as whole as it gets: makes the record and hands it over. */
static inline void account(struct capture *capture, const struct frame *frame, const struct packet_info *info,
                           uint64_t bytes, struct flow *flow)
{
    flow->frame = frame;
    flow_set_timestamp_arrival(flow, frame->when_ns);
    flow_set_packets(flow, 1);
    flow_set_bytes(flow, bytes);
    if (capture->wants_origin)
        set_origin(capture, frame, info, flow);
    if (capture->track != NULL && flow_has(flow, FIELD_SRC_HOST))
        follow(capture, info, flow, frame->when_ns);
    count(capture, INPUT_frames_accounted);
    count(capture, INPUT_records_decoded);
    hand_over(capture, flow);
}

/* The bytes of the IP packet; where its header leaves them open, what the frame had. */
static uint64_t bytes_of(const struct packet_info *info, uint64_t length)
{
    return info->ip_bytes != 0 ? info->ip_bytes : length - min_u64(info->l2_bytes, length);
}

/* The first bytes, without tunnels that tunnel_0 takes off. *length gets what is left of the frame as it was. */
static inline struct cursor unwrap(struct capture *capture, const struct frame *frame, enum packet_link *link,
                                   uint64_t *length, bool again)
{
    struct cursor rest = cursor_over(frame->bytes, frame->captured);

    if (unlikely(frame->link != capture->link_number)) {
        capture->link_number = frame->link;
        capture->link = packet_link_of(frame->link);
    }
    *link = capture->link;
    *length = max_u64(frame->length, frame->captured);
    if (likely(capture->options.unwrap.count == 0))
        return rest;
    if (packet_unwrap(&capture->options.unwrap, &rest, link))
        *length -= (uint64_t)(rest.at - frame->bytes);
    else if (!again)
        count(capture, INPUT_tunnels_kept);
    return rest;
}

static void set_ports(struct flow *flow, const struct fragment_ports *ports)
{
    flow_set_src_port(flow, ports->source);
    flow_set_dst_port(flow, ports->destination);
}

static void key_of(const struct flow *flow, const struct packet_info *info, struct fragment_key *key)
{
    *key = (struct fragment_key){.source = flow->src_host,
                                 .destination = flow->dst_host,
                                 .id = info->fragment_id,
                                 .proto = flow->proto,
                                 .version = address_is_ipv4(&flow->src_host) ? 4 : 6};
}

static void show_waiting(struct capture *capture)
{
    counter_set(&capture->output.counters[INPUT_frames_waiting], fragments_counts(capture->fragments).waiting);
}

/*
 * A first fragment. It is accounted before those that waited for it are decoded, which ends the texts of its own; and
 * what is remembered of it is taken before that, since whoever takes a record may change it.
 */
static void account_first(struct capture *capture, const struct frame *frame, uint64_t bytes, struct flow *flow)
{
    bool has_both = flow_has(flow, FIELD_SRC_PORT) && flow_has(flow, FIELD_DST_PORT);
    uint16_t source_port = flow->src_port, destination_port = flow->dst_port;
    struct fragment_key key;

    key_of(flow, &capture->info, &key);
    account(capture, frame, &capture->info, bytes, flow);
    if (!has_both)
        return;
    fragments_first(capture->fragments, &key, source_port, destination_port, frame->when_ns);
    show_waiting(capture);
}

/* A later one. Whether to go on with it now; else it waits, or has been accounted as an orphan by now. */
static bool pass_later(struct capture *capture, const struct frame *frame, struct flow *flow)
{
    struct fragment_ports ports = {0, 0, false};
    struct fragment_key key;
    bool now;

    key_of(flow, &capture->info, &key);
    now = fragments_later(capture->fragments, &key, frame, &ports);
    if (now && ports.known)
        set_ports(flow, &ports);
    show_waiting(capture);
    return now;
}

/* Only these have ports; of others each fragment stands for itself. */
static bool has_ports(const struct flow *flow)
{
    return flow->proto == PROTO_TCP || flow->proto == PROTO_UDP || flow->proto == PROTO_SCTP ||
           flow->proto == PROTO_UDPLITE;
}

void capture_frame(struct capture *capture, const struct frame *frame)
{
    struct flow *flow = &capture->flow;
    struct packet_info *info = &capture->info;
    enum packet_link link;
    uint64_t length;
    struct cursor rest = unwrap(capture, frame, &link, &length, false);
    enum packet_verdict verdict;

    count(capture, INPUT_frames_received);
    counter_add(&capture->output.counters[INPUT_frames_bytes], frame->length);
    if (unlikely(link == PACKET_LINK_UNKNOWN)) {
        count(capture, INPUT_frames_link_unknown);
        return;
    }
    flow_clear(flow);
    verdict = packet_decode(rest, link, &capture->output.wants, flow, info);
    if (likely(verdict == PACKET_IP)) {
        bool follow_fragments = unlikely(info->fragment | info->fragment_first) && capture->fragments != NULL &&
                                has_ports(flow);

        if (follow_fragments && info->fragment && !pass_later(capture, frame, flow))
            return;
        if (follow_fragments && info->fragment_first)
            account_first(capture, frame, bytes_of(info, length), flow);
        else
            account(capture, frame, info, bytes_of(info, length), flow);
    } else if (verdict == PACKET_MALFORMED) {
        count(capture, INPUT_frames_malformed);
    } else if (capture->options.unknown_etype) {
        account(capture, frame, info, length - min_u64(ethernet_bytes, length), flow);
    } else {
        count(capture, INPUT_frames_not_ip);
    }
}

/* A fragment that waited: decoded once more, since only its bytes were kept. */
static void on_release(void *context, const struct frame *frame, const struct fragment_ports *ports)
{
    struct capture *capture = context;
    struct packet_info info = {.vxlan_port = capture->info.vxlan_port, .innermost = capture->info.innermost};
    struct flow *flow = &capture->late;
    enum packet_link link;
    uint64_t length;
    struct cursor rest = unwrap(capture, frame, &link, &length, true);

    if (!ports->known && capture->options.drop_orphans) {
        count(capture, INPUT_frames_orphans_dropped);
        return;
    }
    flow_clear(flow);
    if (packet_decode(rest, link, &capture->output.wants, flow, &info) != PACKET_IP) {
        count(capture, INPUT_frames_malformed); /* it was none before: cannot be */
        return;
    }
    if (ports->known)
        set_ports(flow, ports);
    else
        count(capture, INPUT_fragments_orphans);
    account(capture, frame, &info, bytes_of(&info, length), flow);
}

/* -- life -- */

/* What an entry of the table of flows is for, if for anything. */
static bool wants_track(const struct capture *capture)
{
    return capture->wants_flows || capture->options.classifier != NULL || capture->options.dissection != NULL;
}

static int open_tables(struct capture *capture, struct error *error)
{
    const struct capture_options *options = &capture->options;
    const struct field_set *wants = &capture->output.wants;
    struct track_options track = {
        .bytes = options->flow_bytes,
        .lifetime_ns = options->flow_lifetime_ns,
        .tcp_lifetime_ns = options->flow_tcp_lifetime_ns,
        .vlan = field_set_has(wants, FIELD_VLAN),
        .release = release_owners,
        .context = capture,
    };

    if (wants_track(capture) && (capture->track = track_new(&track, error)) == NULL)
        return -1;
    if (!options->all_fragments && capture->track == NULL && !field_set_has(wants, FIELD_SRC_PORT) &&
        !field_set_has(wants, FIELD_DST_PORT))
        return 0;
    capture->fragments = fragments_new(options->fragment_bytes, on_release, capture, error);
    return capture->fragments == NULL ? -1 : 0;
}

static int open_bodies(struct capture *capture, struct error *error)
{
    for (unsigned i = 0; i < capture->output.target_count; i++) {
        capture->bodies[i] = aligned_alloc(64, align_up(gather_max * (size_t)capture->output.targets[i]->body_bytes,
                                                        (size_t)64));
        if (capture->bodies[i] == NULL)
            return error_set(error, "out of memory");
    }
    return 0;
}

struct capture *capture_new(const struct capture_options *options, const struct decode_output *output,
                            struct error *error)
{
    struct capture *capture = calloc(1, sizeof(*capture));

    if (capture == NULL) {
        error_set(error, "out of memory");
        return NULL;
    }
    capture->options = *options;
    capture->output = *output;
    capture->info.innermost = options->innermost;
    capture->wants_flows = field_set_has(&output->wants, FIELD_FLOWS);
    capture->wants_origin = field_set_has(&output->wants, FIELD_IN_IFACE) ||
                            field_set_has(&output->wants, FIELD_OUT_IFACE) ||
                            field_set_has(&output->wants, FIELD_SAMPLING_DIRECTION);
    capture->link = packet_link_of(capture->link_number);
    if (open_tables(capture, error) < 0 || open_bodies(capture, error) < 0) {
        capture_free(capture);
        return NULL;
    }
    return capture;
}

void capture_free(struct capture *capture)
{
    if (capture == NULL)
        return;
    fragments_free(capture->fragments);
    track_free(capture->track);
    for (unsigned i = 0; i < decode_targets_max; i++)
        free(capture->bodies[i]);
    free(capture);
}

/* What others have counted since they began. A predecessor of this process may have counted, too. */
static void book(struct capture *capture, enum input_counter id, uint64_t now)
{
    counter_add(&capture->output.counters[id], now - capture->booked[id]);
    capture->booked[id] = now;
}

static void book_counts(struct capture *capture)
{
    uint64_t *counters = capture->output.counters;

    if (capture->fragments != NULL) {
        struct fragment_counts counts = fragments_counts(capture->fragments);

        counter_set(&counters[INPUT_frames_waiting], counts.waiting);
        book(capture, INPUT_fragments_no_room, counts.no_room);
    }
    if (capture->track != NULL) {
        struct track_counts counts = track_counts(capture->track);

        counter_set(&counters[INPUT_flows_tracked], counts.flows);
        book(capture, INPUT_flows_evicted, counts.evicted);
    }
    if (capture->options.classifier != NULL)
        book(capture, INPUT_class_no_room,
             capture->options.classifier_ops->counts(capture->options.classifier).no_room);
    if (capture->options.dissection != NULL) {
        struct dissection_counts counts = dissection_counts(capture->options.dissection);

        book(capture, INPUT_transactions_told, counts.lines);
        book(capture, INPUT_transactions_failed, counts.lines_lost);
        book(capture, INPUT_transactions_given_up, counts.given_up);
        book(capture, INPUT_streams_gaps, counts.gaps);
    }
}

void capture_flush(struct capture *capture)
{
    flush_bodies(capture);
    if (capture->options.dissection != NULL)
        dissection_flush(capture->options.dissection);
    book_counts(capture);
}

void capture_tick(struct capture *capture, int64_t now_ns)
{
    if (capture->fragments != NULL)
        fragments_tick(capture->fragments, now_ns);
    if (capture->track != NULL)
        track_tick(capture->track, now_ns);
    if (capture->options.dissection != NULL)
        dissection_tick(capture->options.dissection, now_ns);
}

void capture_end(struct capture *capture)
{
    if (capture->fragments != NULL)
        fragments_end(capture->fragments);
    book_counts(capture); /* with what that has evicted from the table that goes now */
    track_free(capture->track);
    capture->track = NULL;
    counter_set(&capture->output.counters[INPUT_flows_tracked], 0);
    capture_flush(capture);
}

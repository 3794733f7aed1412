/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * classify_ndpi.so: libndpi behind classify.h. A conversation is a *subject* as long as it is looked at: nDPI's own
 * state of it, from a pool of at most flows_max, and its place in the order of last packets. As soon as nDPI has
 * nothing to add, or has seen enough packets, the subject goes, and the conversation points to a verdict that many
 * share. nDPI mallocs for some protocols inside its state; that goes with the state.
 */
#include <stdio.h>
#include <stdlib.h>

#include "classify/classify.h"
#include "classify/ndpi/pieces.h"
#include "classify/ndpi/verdict.h"

#define expire_at_once 4 /* idle subjects that one packet looks for: more than can come */
#define ipv4_header 20
#define ipv6_header 40
#define ipv4_offset 0x1fff /* of a fragment */

enum { PROTO_TCP = 6, PROTO_UDP = 17 };

struct subject {
    struct verdict verdict;         /* first: `state` points to it */
    struct subject *older, *newer;  /* in the order of last packets */
    int64_t last_ns;
    uint32_t packets;
    uint8_t proto;
    struct ndpi_flow_struct *ndpi_flow; /* NULL: was idle, the verdict is final */
};

struct classifier {
    struct classifier_options options;
    struct classifier_counts counts;
    struct ndpi_detection_module_struct *ndpi;
    struct verdicts *verdicts;
    struct verdict *unknown;
    struct verdict no_room; /* of conversations that came when flows_max were looked at */
    struct pieces subjects, ndpi_flows;
    struct subject *oldest, *newest;
};

/* -- order -- */

static void unlink_subject(struct classifier *classifier, struct subject *subject)
{
    *(subject->older != NULL ? &subject->older->newer : &classifier->oldest) = subject->newer;
    *(subject->newer != NULL ? &subject->newer->older : &classifier->newest) = subject->older;
}

static void link_newest(struct classifier *classifier, struct subject *subject)
{
    subject->newer = NULL;
    subject->older = classifier->newest;
    *(classifier->newest != NULL ? &classifier->newest->newer : &classifier->oldest) = subject;
    classifier->newest = subject;
}

/* -- subjects -- */

static struct subject *new_subject(struct classifier *classifier, uint8_t proto)
{
    struct subject *subject;

    if (classifier->counts.flows >= classifier->options.flows_max)
        return NULL;
    subject = pieces_take(&classifier->subjects);
    if (subject == NULL)
        return NULL;
    subject->ndpi_flow = pieces_take(&classifier->ndpi_flows);
    if (subject->ndpi_flow == NULL) {
        pieces_give(&classifier->subjects, subject);
        return NULL;
    }
    subject->proto = proto;
    subject->verdict.name = classifier->unknown->name;
    classifier->counts.flows++;
    link_newest(classifier, subject);
    return subject;
}

/*
 * No more packets of it are looked at: nDPI's state goes. It frees what TCP or UDP needed by the protocol of the last
 * packet, which is none when that was cut (seen with libndpi 4.2): the protocol is told again, or memory would leak.
 */
static void stop_looking(struct classifier *classifier, struct subject *subject)
{
    subject->ndpi_flow->l4_proto = subject->proto;
    ndpi_free_flow_data(subject->ndpi_flow);
    pieces_give(&classifier->ndpi_flows, subject->ndpi_flow);
    subject->ndpi_flow = NULL;
    unlink_subject(classifier, subject);
    classifier->counts.flows--;
}

static ndpi_protocol give_up(struct classifier *classifier, struct subject *subject)
{
    uint8_t guessed;

    return ndpi_detection_giveup(classifier->ndpi, subject->ndpi_flow, classifier->options.guess, &guessed);
}

static struct verdict *decide(struct classifier *classifier, struct subject *subject, ndpi_protocol protocol)
{
    if (verdict_known(protocol))
        classifier->counts.classified++;
    else
        classifier->counts.unknown++;
    stop_looking(classifier, subject);
    return verdict_of(classifier->verdicts, protocol);
}

/* Those that had no packet for long. Their conversations still point to them, so what is left is small and waits. */
static void expire(struct classifier *classifier, int64_t now_ns)
{
    for (unsigned i = 0; i < expire_at_once; i++) {
        struct subject *subject = classifier->oldest;

        if (subject == NULL || now_ns - subject->last_ns < classifier->options.idle_ns)
            return;
        subject->verdict = *decide(classifier, subject, give_up(classifier, subject));
        subject->verdict.shared = false;
    }
}

static unsigned packets_enough(const struct classifier_options *options, uint8_t proto)
{
    return proto == PROTO_TCP ? options->giveup_tcp : proto == PROTO_UDP ? options->giveup_udp : options->giveup_other;
}

/*
 * nDPI keeps TCP's and UDP's state in one place, and believes each packet which of them it is: only packets of which it
 * cannot have another opinion than the conversation are for it. Others are fragments, and IPv6 with further headers.
 */
static bool is_plain(const uint8_t *ip, size_t size, uint8_t proto)
{
    if (size >= ipv4_header && ip[0] >> 4 == 4)
        return ip[9] == proto && (host_be16(load_u16(ip + 6)) & ipv4_offset) == 0;
    return size >= ipv6_header && ip[0] >> 4 == 6 && ip[6] == proto;
}

/* The packet without what stands behind it, such as the padding of a short Ethernet frame. */
static uint16_t packet_bytes(const uint8_t *ip, size_t size)
{
    uint32_t told = 0;

    if (ip[0] >> 4 == 4)
        told = host_be16(load_u16(ip + 2));
    else
        told = host_be16(load_u16(ip + 4)) > 0 ? ipv6_header + host_be16(load_u16(ip + 4)) : 0;
    if (told > 0 && told < size)
        size = told;
    return (uint16_t)min_u64(size, UINT16_MAX);
}

/* Shows nDPI a packet. Returns the final verdict, or NULL when it wants more; the subject's name is as of now. */
static struct verdict *look(struct classifier *classifier, struct subject *subject, const uint8_t *ip, size_t size,
                            int64_t now_ns)
{
    ndpi_protocol protocol = {.app_protocol = NDPI_PROTOCOL_UNKNOWN};
    bool enough = ++subject->packets >= packets_enough(&classifier->options, subject->proto);

    if (is_plain(ip, size, subject->proto))
        protocol = ndpi_detection_process_packet(classifier->ndpi, subject->ndpi_flow, ip, packet_bytes(ip, size),
                                                 (uint64_t)now_ns / 1000000);
    if (!verdict_known(protocol) && !enough)
        return NULL;
    if (verdict_known(protocol) && !enough && ndpi_extra_dissection_possible(classifier->ndpi, subject->ndpi_flow)) {
        subject->verdict.name = verdict_of(classifier->verdicts, protocol)->name;
        return NULL;
    }
    if (!verdict_known(protocol))
        protocol = give_up(classifier, subject);
    return decide(classifier, subject, protocol);
}

/* -- the module -- */

static struct span take_packet(struct classifier *classifier, void **state, const uint8_t *ip, size_t size,
                               bool backwards, uint8_t proto, int64_t now_ns)
{
    struct verdict *verdict = *state;
    struct subject *subject;

    (void)backwards; /* nDPI finds out by itself */
    if (verdict != NULL && verdict->final)
        return verdict->name;
    expire(classifier, now_ns);
    if (verdict != NULL && verdict->final)
        return verdict->name;
    subject = (struct subject *)verdict;
    if (subject == NULL) {
        subject = new_subject(classifier, proto);
        if (subject == NULL) {
            classifier->counts.no_room++;
            *state = &classifier->no_room;
            return classifier->no_room.name;
        }
        *state = &subject->verdict;
    }
    subject->last_ns = now_ns;
    if (subject != classifier->newest) {
        unlink_subject(classifier, subject);
        link_newest(classifier, subject);
    }
    verdict = look(classifier, subject, ip, size, now_ns);
    if (verdict == NULL)
        return subject->verdict.name;
    pieces_give(&classifier->subjects, subject);
    *state = verdict;
    return verdict->name;
}

static void release(struct classifier *classifier, void *state)
{
    struct verdict *verdict = state;
    struct subject *subject = state;

    if (verdict == NULL || verdict->shared)
        return;
    if (subject->ndpi_flow != NULL)
        decide(classifier, subject, give_up(classifier, subject));
    pieces_give(&classifier->subjects, subject);
}

static struct classifier_counts get_counts(const struct classifier *classifier)
{
    return classifier->counts;
}

static void close_classifier(struct classifier *classifier)
{
    if (classifier == NULL)
        return;
    while (classifier->oldest != NULL)
        stop_looking(classifier, classifier->oldest);
    verdicts_free(classifier->verdicts);
    if (classifier->ndpi != NULL)
        ndpi_exit_detection_module(classifier->ndpi);
    pieces_free(&classifier->subjects);
    pieces_free(&classifier->ndpi_flows);
    free(classifier);
}

/* Without error_set: the module needs no symbol of the program that opens it, so that any program can. */
static struct classifier *refuse(struct classifier *classifier, struct error *error, const char *phrase)
{
    snprintf(error->text, sizeof(error->text), "libndpi cannot be started: %s", phrase);
    close_classifier(classifier);
    return NULL;
}

static struct classifier *open_classifier(const struct classifier_options *options, struct error *error)
{
    struct classifier *classifier;
    NDPI_PROTOCOL_BITMASK all;

    if (ndpi_get_api_version() != NDPI_API_VERSION)
        return refuse(NULL, error, "it is not of the version that the module was built with");
    classifier = calloc(1, sizeof(*classifier));
    if (classifier == NULL)
        return refuse(NULL, error, "out of memory");
    classifier->options = *options;
    pieces_init(&classifier->subjects, sizeof(struct subject));
    pieces_init(&classifier->ndpi_flows, ndpi_detection_get_sizeof_ndpi_flow_struct());
    classifier->ndpi = ndpi_init_detection_module(ndpi_no_prefs);
    if (classifier->ndpi != NULL) {
        NDPI_BITMASK_SET_ALL(all);
        ndpi_set_protocol_detection_bitmask2(classifier->ndpi, &all);
        ndpi_finalize_initialization(classifier->ndpi);
        classifier->verdicts = verdicts_new(classifier->ndpi);
    }
    if (classifier->verdicts == NULL)
        return refuse(classifier, error, "out of memory");
    classifier->unknown = verdict_of(classifier->verdicts, (ndpi_protocol){.app_protocol = NDPI_PROTOCOL_UNKNOWN});
    classifier->no_room = *classifier->unknown;
    return classifier;
}

const struct classifier_ops classifier_module = {
    .abi = classifier_abi,
    .open = open_classifier,
    .packet = take_packet,
    .release = release,
    .counts = get_counts,
    .close = close_classifier,
};

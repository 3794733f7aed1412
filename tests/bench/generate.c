/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Makes sFlow version 5 traffic whose sums are known: the same options and seed give the same bytes everywhere. Writes
 * a capture file (--out) or sends the datagrams over UDP (--udp), and tells what an exact collector must print for the
 * 5-tuple (--expect).
 *
 * A "full" sample is a raw header (Ethernet, one 802.1Q tag, IP, TCP or UDP; up to 128 octets) with the extended
 * switch, router and gateway records, about 308 octets, so that four or five of them fill a datagram; a "minimal" one
 * is the raw header without a tag and nothing else. Every agent numbers its datagrams, every data source its samples,
 * as the specification wants; nothing is lost, doubled or reordered here.
 */
#include "traffic.h"

#include <getopt.h>
#include <unistd.h>

enum {
    agents_max = 250,
    interfaces = 8,       /* data sources of an agent */
    payload_max = 1400,   /* octets of a datagram, less than an Ethernet MTU with its headers */
    header_max = 128,     /* octets of the sampled header */
    frame_check = 4       /* stripped octets: the frame check sequence */
};

struct options {
    uint64_t samples, rate, counter_every;
    uint32_t agents;
    bool minimal, renormalized, numeric;
    const char *out, *expect, *udp;
};

struct agent {
    uint32_t datagrams; /* sequence number of the last one */
    uint32_t samples[interfaces], pool[interfaces], counters[interfaces];
};

struct batch {
    uint8_t octets[batch_size][wire_headers + payload_max];
    size_t sizes[batch_size]; /* of the payload */
    unsigned used;
};

struct output {
    FILE *capture;
    struct sender sender;
    uint64_t datagrams, bytes, flow_samples, counter_samples;
    struct batch batch;
};

struct generator {
    struct options options;
    struct keys keys;
    struct agent agents[agents_max];
    struct output output;
};

/* The head of the sampled frame: `frame` octets long on the wire, of which `size` are put. */
static uint8_t *put_frame(uint8_t *at, const struct options *options, const struct key *key, uint32_t frame,
                          size_t size)
{
    uint8_t *start = at;
    uint32_t link = options->minimal ? 14 : 18;

    memset(at, 0x5a, size);
    at = put64(at, UINT64_C(0x0200000000020200));
    at = put32(at, 0x00000001);
    if (!options->minimal)
        at = put32(at, 0x81000000 | (100 + key->source[key->ipv6 ? 15 : 3] % 64u));
    at = put16(at, key->ipv6 ? 0x86dd : 0x0800);
    if (key->ipv6) {
        at = put32(at, 0x60000000);
        at = put16(at, frame - frame_check - link - 40);
        *at++ = key->protocol;
        *at++ = 64;
        at = put_octets(at, key->source, 16);
        at = put_octets(at, key->destination, 16);
    } else {
        at = put_ipv4(at, key->source, key->destination, key->protocol, frame - frame_check - link);
    }
    at = put16(at, key->source_port);
    at = put16(at, key->destination_port);
    if (key->protocol == 6) {
        at = put64(at, 0x0000000100000001);
        at = put32(at, 0x50180200); /* data offset 5, PSH ACK */
        put32(at, 0);
    } else {
        at = put16(at, frame - frame_check - link - (key->ipv6 ? 40 : 20));
        put16(at, 0);
    }
    return start + size;
}

static uint8_t *put_extensions(uint8_t *at, const struct key *key)
{
    uint32_t network = key->source_port, peer = 64512 + key->destination_port % 16u;

    at = put32(put32(at, 1001), 16); /* extended switch: VLAN and priority, in and out */
    at = put32(put32(put32(put32(at, 100 + key->source[key->ipv6 ? 15 : 3] % 64u), 0), 200), 0);
    at = put32(put32(at, 1002), 16); /* extended router: next hop, mask lengths */
    at = put32(put32(put32(put32(at, 1), 0xc6336401), 24), 20);
    at = put32(put32(at, 1003), 60); /* extended gateway */
    at = put32(put32(at, 1), 0xc6336402);
    at = put32(put32(put32(at, 64500), 65000 + network % 500), peer);
    at = put32(put32(put32(at, 1), 2), 3); /* one sequence of three */
    at = put32(put32(put32(at, peer), 64600), 64700 + network % 100);
    at = put32(put32(put32(at, 2), 0xfde80001), 0xfde80002); /* two communities */
    return put32(at, 100);
}

/* One flow sample with all its records; the most it takes is 40 + 24 + 128 + 24 + 24 + 68 octets. */
static uint8_t *put_flow_sample(struct generator *g, uint8_t *at, struct agent *agent)
{
    const struct options *options = &g->options;
    uint32_t number_of_key = keys_draw(&g->keys), frame, interface;
    uint64_t factor;
    uint8_t *length;
    struct key key;
    size_t size;

    key_make(&g->keys, number_of_key, &key);
    /* One in three packets is small, one in three full, the rest between. */
    frame = (uint32_t)(next_random(&g->keys) >> 40);
    frame = frame % 3 == 0 ? 90 + frame / 3 % 40 : frame % 3 == 1 ? 1518 : 130 + frame / 3 % 1388;
    size = frame - frame_check < header_max ? frame - frame_check : header_max;
    interface = key.source_port % (uint32_t)interfaces;
    agent->pool[interface] += (uint32_t)options->rate;

    at = put32(at, 1);
    length = at;
    at = put32(at + 4, ++agent->samples[interface]);
    at = put32(put32(put32(put32(at, interface + 1), (uint32_t)options->rate), agent->pool[interface]), 0);
    at = put32(put32(at, interface + 1), 1 + key.destination_port % (uint32_t)interfaces);
    at = put32(at, options->minimal ? 1 : 4);
    at = put32(put32(at, 1), (uint32_t)(16 + (size + 3) / 4 * 4));
    at = put32(put32(put32(put32(at, 1), frame), frame_check), (uint32_t)size);
    at = put_frame(at, options, &key, frame, size);
    for (; size % 4 != 0; size++)
        *at++ = 0;
    if (!options->minimal)
        at = put_extensions(at, &key);
    put32(length, (uint32_t)(at - length - 4));

    factor = options->renormalized ? options->rate : 1;
    keys_tally(&g->keys, number_of_key, factor, factor * frame);
    g->output.flow_samples++;
    return at;
}

/* One counter sample: the generic interface counters of one interface. */
static uint8_t *put_counter_sample(struct generator *g, uint8_t *at, struct agent *agent, uint32_t interface)
{
    uint32_t packets = agent->pool[interface];

    at = put32(put32(at, 2), 12 + 8 + 88);
    at = put32(put32(put32(at, ++agent->counters[interface]), interface + 1), 1);
    at = put32(put32(at, 1), 88);
    at = put64(put32(put32(at, interface + 1), 6), 10000000000u);
    at = put32(put32(at, 1), 3);
    at = put64(at, packets * UINT64_C(700));
    for (uint32_t i = 0; i < 6; i++)
        at = put32(at, i == 0 ? packets : 0);
    at = put64(at, packets * UINT64_C(500));
    for (uint32_t i = 0; i < 6; i++)
        at = put32(at, i == 0 ? packets : 0);
    g->output.counter_samples++;
    return at;
}

/* A datagram of one agent with as many samples as fit, but not more than `left`. Returns its size. */
static size_t make_datagram(struct generator *g, uint8_t *payload, uint32_t agent_number, uint64_t *left)
{
    const size_t sample_max = g->options.minimal ? 40 + 24 + header_max : 40 + 24 + header_max + 24 + 24 + 68;
    struct agent *agent = &g->agents[agent_number];
    uint8_t *at = payload, *count;
    uint32_t samples = 0;

    agent->datagrams++;
    at = put32(put32(put32(at, 5), 1), 0xc0000201 + agent_number);
    at = put32(put32(put32(at, 0), agent->datagrams), agent->datagrams * 10);
    count = at;
    at += 4;
    if (g->options.counter_every != 0 && agent->datagrams % g->options.counter_every == 0) {
        for (; samples < interfaces; samples++)
            at = put_counter_sample(g, at, agent, samples);
    } else {
        for (; *left > 0 && (size_t)(at - payload) + sample_max <= payload_max; samples++, --*left)
            at = put_flow_sample(g, at, agent);
    }
    put32(count, samples);
    return (size_t)(at - payload);
}

static void batch_send(struct generator *g)
{
    struct output *output = &g->output;
    struct batch *batch = &output->batch;
    struct mmsghdr messages[batch_size];
    struct iovec parts[batch_size];

    memset(messages, 0, sizeof(messages));
    for (unsigned i = 0; i < batch->used; i++) {
        parts[i] = (struct iovec){batch->octets[i] + wire_headers, batch->sizes[i]};
        messages[i].msg_hdr.msg_iov = &parts[i];
        messages[i].msg_hdr.msg_iovlen = 1;
        messages[i].msg_hdr.msg_name = &output->sender.to;
        messages[i].msg_hdr.msg_namelen = output->sender.to_size;
    }
    sender_send(&output->sender, messages, batch->used);
    batch->used = 0;
    sender_pace(&output->sender, output->flow_samples);
}

static void generate(struct generator *g)
{
    /* With a pace, smaller batches keep the flow even. */
    const unsigned batch_limit = g->output.sender.pace == 0 ? batch_size : 4;
    struct output *output = &g->output;
    struct batch *batch = &output->batch;
    uint64_t left = g->options.samples;

    clock_gettime(CLOCK_MONOTONIC, &output->sender.started);
    while (left > 0) {
        uint32_t agent = (uint32_t)(output->datagrams % g->options.agents);
        uint8_t *packet = batch->octets[batch->used];
        size_t size = make_datagram(g, packet + wire_headers, agent, &left);

        if (output->capture != NULL)
            capture_write(output->capture, packet, size, output->datagrams * 10, 0xc0000201 + agent,
                          50000 + agent, 6343);
        output->datagrams++;
        output->bytes += size;
        if (output->sender.socket >= 0) {
            batch->sizes[batch->used++] = size;
            if (batch->used == batch_limit)
                batch_send(g);
        }
    }
    if (output->sender.socket >= 0)
        batch_send(g);
}

static void usage(FILE *to)
{
    fputs("usage: generate [--out FILE.pcap] [--udp HOST:PORT [--rate SAMPLES_PER_SECOND]] [--expect FILE.csv]\n"
          "  --samples N         flow samples, default 100000\n"
          "  --keys K            different 5-tuples to draw from, default 1000, at most 16777216\n"
          "  --zipf EXPONENT     a few keys have most of the traffic; default: all alike\n"
          "  --seed S            default 1\n"
          "  --sampling-rate R   what the samples say, default 1\n"
          "  --renormalized      --expect multiplies by the sampling rate\n"
          "  --numeric           --expect writes protocol numbers\n"
          "  --minimal           raw headers without VLAN and without extended records\n"
          "  --ipv6 PERCENT      of the keys, default 0\n"
          "  --agents A          exporters, default 4, at most 250\n"
          "  --counter-every N   each Nth datagram of an agent has counter samples instead\n",
          to);
}

static void options_parse(struct generator *g, int argc, char **argv)
{
    static const struct option table[] = {
        {"out", required_argument, NULL, 'o'},      {"udp", required_argument, NULL, 'u'},
        {"rate", required_argument, NULL, 'p'},     {"expect", required_argument, NULL, 'e'},
        {"samples", required_argument, NULL, 'n'},  {"keys", required_argument, NULL, 'k'},
        {"zipf", required_argument, NULL, 'z'},     {"seed", required_argument, NULL, 's'},
        {"sampling-rate", required_argument, NULL, 'r'}, {"renormalized", no_argument, NULL, 'R'},
        {"numeric", no_argument, NULL, 'N'},        {"minimal", no_argument, NULL, 'm'},
        {"ipv6", required_argument, NULL, '6'},     {"agents", required_argument, NULL, 'a'},
        {"counter-every", required_argument, NULL, 'c'}, {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0}};
    struct options *options = &g->options;
    struct keys *keys = &g->keys;
    int option;

    *options = (struct options){.samples = 100000, .rate = 1, .agents = 4};
    *keys = (struct keys){.count = 1000, .seed = 1};
    while ((option = getopt_long(argc, argv, "h", table, NULL)) != -1) {
        switch (option) {
        case 'o': options->out = optarg; break;
        case 'u': options->udp = optarg; break;
        case 'p': g->output.sender.pace = number(optarg, 0, UINT32_MAX); break;
        case 'e': options->expect = optarg; break;
        case 'n': options->samples = number(optarg, 1, UINT64_C(1) << 40); break;
        case 'k': keys->count = (uint32_t)number(optarg, 1, keys_max); break;
        case 'z': keys->zipf = strtod(optarg, NULL); break;
        case 's': keys->seed = number(optarg, 0, UINT32_MAX); break;
        case 'r': options->rate = number(optarg, 1, UINT32_MAX); break;
        case 'R': options->renormalized = true; break;
        case 'N': options->numeric = true; break;
        case 'm': options->minimal = true; break;
        case '6': keys->ipv6_percent = (uint32_t)number(optarg, 0, 100); break;
        case 'a': options->agents = (uint32_t)number(optarg, 1, agents_max); break;
        case 'c': options->counter_every = number(optarg, 2, UINT32_MAX); break;
        case 'h': usage(stdout); exit(0);
        default: usage(stderr); exit(1);
        }
    }
    if (optind != argc || (options->out == NULL && options->udp == NULL && options->expect == NULL)) {
        usage(stderr);
        exit(1);
    }
}

int main(int argc, char **argv)
{
    static struct generator g;
    struct output *output = &g.output;
    double seconds;

    program_name = "generate";
    options_parse(&g, argc, argv);
    output->sender.socket = -1;
    keys_start(&g.keys, g.options.expect != NULL);
    if (g.options.out != NULL)
        output->capture = capture_open(g.options.out);
    if (g.options.udp != NULL)
        sender_open(&output->sender, g.options.udp);
    generate(&g);
    seconds = seconds_since(&output->sender.started);
    if (output->capture != NULL && (fflush(output->capture) != 0 || ferror(output->capture)))
        die(g.options.out);
    if (g.options.expect != NULL)
        expect_write(&g.keys, 1, g.options.numeric, g.options.expect);
    fprintf(stderr, "datagrams=%" PRIu64 " bytes=%" PRIu64 " flow_samples=%" PRIu64 " counter_samples=%" PRIu64
            " seconds=%.6f\n",
            output->datagrams, output->bytes, output->flow_samples, output->counter_samples, seconds);
    return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Makes NetFlow version 5 and 9 and IPFIX traffic whose sums are known: the same options and seed give the same bytes
 * everywhere. Writes a capture file (--out) or sends the datagrams over UDP (--udp), and tells what an exact collector
 * must print for the 5-tuple (--expect).
 *
 * Formats: what a small exporter sends (5-tuple, packets, bytes, first and last), what a router sends (28 fields, VLAN,
 * MPLS labels, IPv6 in a template of its own), and records full of variable-length elements, one of them of an
 * enterprise, with both forms of a length (RFC 7011, section 7). Datagrams are filled up to an Ethernet MTU.
 *
 * Exporters are source addresses, or with --domains observation domains of one address. Each announces its templates
 * in datagrams of their own, before its first record and again every --template-every datagrams; the N-th template of a
 * kind has the same elements as the first, turned by N places, so that no two are alike. Sequence numbers follow each
 * version's own rule: v5 counts records, v9 datagrams, IPFIX the data records of a domain.
 *
 * For UDP everything is made before the first datagram goes out, then sent --rounds times: only header fields change,
 * so that the sender is not the limit.
 */
#include "netflow_formats.h"

#include <getopt.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <unistd.h>

enum {
    payload_max = 1472, /* an Ethernet MTU without the IPv4 and UDP headers */
    records_v5 = 30,
    exporters_max = 65536,
    templates_max = 1000,
    batches_per_second = 5000 /* with a pace: small batches keep the flow even */
};

struct exporter {
    uint32_t sequence, datagrams; /* datagrams with records */
};

struct datagram { /* made, to be sent */
    uint64_t offset; /* in the pool, of the payload */
    uint32_t exporter;
    uint16_t size, records;
};

struct options {
    uint64_t records, rounds, template_every;
    uint32_t exporters, templates, port;
    bool domains, numeric;
    const char *out, *expect, *udp;
};

struct generator {
    struct options options;
    const struct format *format;
    struct keys keys;
    struct sender sender;
    FILE *capture;
    struct exporter *exporters;
    size_t record_longest;
    int64_t start_s;
    uint64_t datagrams, bytes, records; /* made */
    uint64_t sent_datagrams, sent_records;
    uint8_t *pool;
    size_t pool_used, pool_room, list_room;
    struct datagram *list;
};

/* ---- datagrams ---- */

static struct record record_draw(struct generator *g)
{
    uint32_t number_of_key = keys_draw(&g->keys);
    struct record record = {.noise = next_random(&g->keys), .now_ms = g->datagrams / 100,
                            .start_ms = (uint64_t)g->start_s * 1000};

    key_make(&g->keys, number_of_key, &record.key);
    record.packets = 1 + (uint32_t)(record.noise >> 48) % 1000;
    record.bytes = record.packets * (40 + (uint32_t)(record.noise >> 32 & 0xffff) % 1461);
    record.milliseconds = (uint32_t)(record.noise & 0xffff);
    keys_tally(&g->keys, number_of_key, record.packets, record.bytes);
    g->records++;
    return record;
}

/* The header fields that change from datagram to datagram. The record count or length is in its place already. */
static void patch_header(const struct generator *g, uint8_t *payload, uint64_t now_ms, uint32_t sequence)
{
    const uint32_t now_s = (uint32_t)(g->start_s + (int64_t)(now_ms / 1000));

    if (g->format->version == 10) {
        put32(put32(payload + 4, now_s), sequence);
    } else {
        put32(put32(payload + 4, (uint32_t)(uptime_start_ms + now_ms)), now_s);
        put32(payload + (g->format->version == 5 ? 16 : 12), sequence);
    }
}

/* What is counted by the sequence number of a header, that of the datagram after this one. */
static uint32_t sequence_step(const struct generator *g, uint32_t records)
{
    return g->format->version == 9 ? 1 : records;
}

static uint8_t *header_end(const struct generator *g, uint8_t *payload)
{
    return payload + (g->format->version == 5 ? 24 : g->format->version == 9 ? 20 : 16);
}

/* A room for one datagram with wire_headers before its payload; in the pool when it is for later. */
static uint8_t *payload_begin(struct generator *g)
{
    if (g->sender.socket < 0)
        g->pool_used = 0;
    if (g->pool_used + wire_headers + payload_max > g->pool_room) {
        g->pool_room = g->pool_room * 2 + (1 << 20);
        g->pool = realloc(g->pool, g->pool_room);
        if (g->pool == NULL)
            die("out of memory");
    }
    memset(g->pool + g->pool_used, 0, wire_headers + 24);
    return g->pool + g->pool_used + wire_headers;
}

/* Writes the header and hands the datagram on. `items`: what version 9 counts, templates and records. */
static void payload_end(struct generator *g, uint8_t *payload, const uint8_t *end, uint32_t exporter_number,
                        uint32_t records, uint32_t items)
{
    const size_t size = (size_t)(end - payload);
    const uint32_t domain = g->options.domains ? exporter_number + 1 : 1;
    const uint32_t from = g->options.domains ? 0 : exporter_number;
    struct exporter *exporter = &g->exporters[exporter_number];

    put16(put16(payload, g->format->version), g->format->version == 10 ? (uint32_t)size : items);
    if (g->format->version == 5)
        put16(payload + 20, domain); /* type and number of the engine */
    else
        put32(header_end(g, payload) - 4, domain);
    if (g->capture != NULL) {
        patch_header(g, payload, g->datagrams / 100, exporter->sequence);
        exporter->sequence += sequence_step(g, records);
        /* Exporters live in 198.18.0.0/15, the network for benchmarks (RFC 2544). */
        capture_write(g->capture, payload - wire_headers, size, g->datagrams * 10, 0xc6120001 + from, 50000,
                      g->options.port);
    }
    if (g->sender.socket >= 0) {
        if (g->datagrams == g->list_room) {
            g->list_room = g->list_room * 2 + 1024;
            g->list = realloc(g->list, g->list_room * sizeof(*g->list));
            if (g->list == NULL)
                die("out of memory");
        }
        g->list[g->datagrams] = (struct datagram){g->pool_used + wire_headers, exporter_number, (uint16_t)size,
                                                  (uint16_t)records};
        g->pool_used += wire_headers + size;
    }
    g->datagrams++;
    g->bytes += size;
}

/* All templates of an exporter, in as many datagrams as they need. */
static void make_templates(struct generator *g, uint32_t exporter_number)
{
    const uint32_t kinds = g->keys.ipv6_percent == 0 ? 1 : 2, count = g->options.templates * kinds;

    for (uint32_t done = 0; done < count;) {
        uint8_t *payload = payload_begin(g), *set = header_end(g, payload), *at = set + 4;
        const uint32_t before = done;

        while (done < count && at + 4 + g->format->count * 8 <= payload + payload_max) {
            at = put_template(at, g->format, done / kinds, done % kinds == 1);
            done++;
        }
        put16(put16(set, g->format->version == 10 ? 2 : 0), (uint32_t)(at - set));
        payload_end(g, payload, at, exporter_number, 0, done - before);
    }
}

static void make_v5(struct generator *g, uint32_t exporter_number, uint64_t *left)
{
    uint8_t *payload = payload_begin(g), *at = header_end(g, payload);
    uint32_t count = 0;

    for (; count < records_v5 && *left > 0; count++, --*left) {
        const struct record record = record_draw(g);
        const uint32_t last = (uint32_t)(uptime_start_ms + record.now_ms);

        at = put_octets(put_octets(at, record.key.source, 4), record.key.destination, 4);
        at = put_octets(at, record.key.destination, 4);
        at = put16(put16(at, 1 + (uint32_t)(record.noise & 63)), 100);
        at = put32(put32(at, record.packets), record.bytes);
        at = put32(put32(at, last - record.milliseconds), last);
        at = put16(put16(at, record.key.source_port), record.key.destination_port);
        at = put16(at, (uint32_t)(record.noise & 0x1f)); /* a pad octet, TCP flags */
        at = put16(at, (uint32_t)record.key.protocol << 8);
        at = put16(put16(at, 64512 + (uint32_t)(record.noise & 15)), 65000);
        at = put32(at, 24u << 24 | 20u << 16); /* mask lengths */
    }
    payload_end(g, payload, at, exporter_number, count, count);
}

/* One set of IPv4 records, one of IPv6 records, as many as fit. */
static void make_data(struct generator *g, uint32_t exporter_number, uint64_t *left)
{
    const uint32_t template_number = g->exporters[exporter_number].datagrams % g->options.templates;
    uint8_t *payload = payload_begin(g), *at = header_end(g, payload), sets[2][payload_max];
    size_t used[2] = {0, 0}, room = (size_t)(payload + payload_max - at) - 2 * (4 + 3);
    uint32_t count = 0;

    for (; *left > 0 && used[0] + used[1] + g->record_longest <= room; count++, --*left) {
        const struct record record = record_draw(g);
        uint8_t *start = sets[record.key.ipv6] + used[record.key.ipv6];
        used[record.key.ipv6] += (size_t)(put_record(start, g->format, &record, template_number) - start);
    }
    for (unsigned ipv6 = 0; ipv6 < 2; ipv6++) {
        size_t padding = g->format->version == 9 ? (4 - used[ipv6] % 4) % 4 : 0;

        if (used[ipv6] == 0)
            continue;
        at = put16(at, template_id(template_number, ipv6 == 1));
        at = put16(at, (uint32_t)(4 + used[ipv6] + padding));
        at = put_octets(at, sets[ipv6], used[ipv6]);
        memset(at, 0, padding);
        at += padding;
    }
    payload_end(g, payload, at, exporter_number, count, count);
}

static void make_all(struct generator *g)
{
    uint64_t left = g->options.records;

    for (uint32_t turn = 0; left > 0; turn = (turn + 1) % g->options.exporters) {
        struct exporter *exporter = &g->exporters[turn];

        if (g->format->version != 5 &&
            (exporter->datagrams == 0 ||
             (g->options.template_every != 0 && exporter->datagrams % g->options.template_every == 0)))
            make_templates(g, turn);
        if (g->format->version == 5)
            make_v5(g, turn, &left);
        else
            make_data(g, turn, &left);
        exporter->datagrams++;
    }
}

/* ---- sending ---- */

struct batch {
    struct mmsghdr messages[batch_size];
    struct iovec parts[batch_size];
    union {
        struct cmsghdr header;
        uint8_t octets[CMSG_SPACE(sizeof(struct in_pktinfo))];
    } from[batch_size];
};

/* Exporter N sends from 127.1.0.1 + N: the whole network is this machine's, and no socket of its own is needed. */
static void set_source(struct batch *batch, unsigned place, uint32_t exporter_number)
{
    struct msghdr *message = &batch->messages[place].msg_hdr;
    struct in_pktinfo info = {.ipi_spec_dst.s_addr = htonl(0x7f010001 + exporter_number)};

    message->msg_control = batch->from[place].octets;
    message->msg_controllen = sizeof(batch->from[place].octets);
    batch->from[place].header = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof(info)), .cmsg_level = IPPROTO_IP,
                                                 .cmsg_type = IP_PKTINFO};
    memcpy(CMSG_DATA(&batch->from[place].header), &info, sizeof(info));
}

static unsigned batch_limit(const struct generator *g)
{
    const uint64_t limit = g->sender.pace * g->datagrams / (g->records + 1) / batches_per_second;

    return g->sender.pace == 0 || limit > batch_size ? batch_size : limit == 0 ? 1 : (unsigned)limit;
}

static void send_all(struct generator *g)
{
    static struct batch batch;
    const bool sources = g->options.exporters > 1 && !g->options.domains && g->sender.to.ss_family == AF_INET;
    const unsigned limit = batch_limit(g);
    unsigned used = 0;

    prctl(PR_SET_TIMERSLACK, 1);
    clock_gettime(CLOCK_MONOTONIC, &g->sender.started);
    for (uint64_t round = 0; round < g->options.rounds; round++) {
        for (uint64_t i = 0; i < g->datagrams; i++) {
            const struct datagram *datagram = &g->list[i];
            struct exporter *exporter = &g->exporters[datagram->exporter];

            patch_header(g, g->pool + datagram->offset, i / 100, exporter->sequence);
            exporter->sequence += sequence_step(g, datagram->records);
            batch.parts[used] = (struct iovec){g->pool + datagram->offset, datagram->size};
            batch.messages[used].msg_hdr = (struct msghdr){.msg_iov = &batch.parts[used], .msg_iovlen = 1,
                                                           .msg_name = &g->sender.to,
                                                           .msg_namelen = g->sender.to_size};
            if (sources)
                set_source(&batch, used, datagram->exporter);
            used++;
            g->sent_records += datagram->records;
            if (used == limit || i + 1 == g->datagrams) {
                sender_send(&g->sender, batch.messages, used);
                g->sent_datagrams += used;
                used = 0;
                sender_pace(&g->sender, g->sent_records);
            }
        }
    }
}

/* ---- options ---- */

static void usage(FILE *to)
{
    fputs("usage: generate_netflow [--out FILE.pcap] [--udp HOST:PORT [--rate RECORDS_PER_SECOND] [--rounds N]]\n"
          "                        [--expect FILE.csv]\n"
          "  --format F          v5, v9, v9-router, ipfix (default), ipfix-router, ipfix-variable\n"
          "  --records N         default 100000\n"
          "  --keys K            different 5-tuples to draw from, default 1000, at most 16777216\n"
          "  --in-turn           one key after the other instead of at random: N = K means each once\n"
          "  --zipf EXPONENT     a few keys have most of the traffic; default: all alike\n"
          "  --seed S            default 1\n"
          "  --numeric           --expect writes protocol numbers\n"
          "  --ipv6 PERCENT      of the keys; default 30 for routers, else 0\n"
          "  --exporters E       default 1, at most 65536: source addresses, taking turns by datagram\n"
          "  --domains           they are observation domains of one address instead\n"
          "  --templates T       of each exporter and address family, default 1\n"
          "  --template-every N  datagrams of an exporter between announcements, default 1000, 0: only once\n"
          "  --port P            destination in the capture file, default 2100\n"
          "  --rounds N          sends everything N times; --expect tells the sum\n",
          to);
}

static const struct format *format_find(const char *name)
{
    for (const struct format *format = formats; format->name != NULL; format++)
        if (strcmp(format->name, name) == 0)
            return format;
    usage(stderr);
    exit(1);
}

static void options_parse(struct generator *g, int argc, char **argv)
{
    static const struct option table[] = {
        {"out", required_argument, NULL, 'o'},       {"udp", required_argument, NULL, 'u'},
        {"rate", required_argument, NULL, 'p'},      {"expect", required_argument, NULL, 'e'},
        {"records", required_argument, NULL, 'n'},   {"keys", required_argument, NULL, 'k'},
        {"zipf", required_argument, NULL, 'z'},      {"seed", required_argument, NULL, 's'},
        {"numeric", no_argument, NULL, 'N'},         {"ipv6", required_argument, NULL, '6'},
        {"exporters", required_argument, NULL, 'E'}, {"domains", no_argument, NULL, 'D'},
        {"templates", required_argument, NULL, 'T'}, {"template-every", required_argument, NULL, 'V'},
        {"port", required_argument, NULL, 'P'},      {"rounds", required_argument, NULL, 'R'},
        {"format", required_argument, NULL, 'f'},    {"in-turn", no_argument, NULL, 't'},
        {"help", no_argument, NULL, 'h'},            {NULL, 0, NULL, 0}};
    struct options *options = &g->options;
    struct keys *keys = &g->keys;
    int option;

    *options = (struct options){.records = 100000, .rounds = 1, .template_every = 1000, .exporters = 1, .templates = 1,
                                .port = 2100};
    *keys = (struct keys){.count = 1000, .seed = 1, .ipv6_percent = UINT32_MAX};
    g->format = format_find("ipfix");
    while ((option = getopt_long(argc, argv, "h", table, NULL)) != -1) {
        switch (option) {
        case 'o': options->out = optarg; break;
        case 'u': options->udp = optarg; break;
        case 'p': g->sender.pace = number(optarg, 0, UINT32_MAX); break;
        case 'e': options->expect = optarg; break;
        case 'n': options->records = number(optarg, 1, UINT64_C(1) << 40); break;
        case 'k': keys->count = (uint32_t)number(optarg, 1, keys_max); break;
        case 'z': keys->zipf = strtod(optarg, NULL); break;
        case 's': keys->seed = number(optarg, 0, UINT32_MAX); break;
        case 'N': options->numeric = true; break;
        case '6': keys->ipv6_percent = (uint32_t)number(optarg, 0, 100); break;
        case 'E': options->exporters = (uint32_t)number(optarg, 1, exporters_max); break;
        case 'D': options->domains = true; break;
        case 'T': options->templates = (uint32_t)number(optarg, 1, templates_max); break;
        case 'V': options->template_every = number(optarg, 0, UINT32_MAX); break;
        case 'P': options->port = (uint32_t)number(optarg, 1, 65535); break;
        case 'R': options->rounds = number(optarg, 1, UINT32_MAX); break;
        case 'f': g->format = format_find(optarg); break;
        case 't': keys->in_turn = true; break;
        case 'h': usage(stdout); exit(0);
        default: usage(stderr); exit(1);
        }
    }
    if (keys->ipv6_percent == UINT32_MAX)
        keys->ipv6_percent = g->format->ipv6_percent;
    if (optind != argc || (options->out == NULL && options->udp == NULL) ||
        (options->out != NULL && (options->udp != NULL || options->rounds > 1)) ||
        (g->format->version == 5 && keys->ipv6_percent != 0)) {
        usage(stderr);
        exit(1);
    }
}

int main(int argc, char **argv)
{
    static struct generator g;
    double seconds = 0;

    program_name = "generate_netflow";
    options_parse(&g, argc, argv);
    g.sender.socket = -1;
    g.start_s = g.options.udp == NULL ? capture_start_s : time(NULL);
    g.exporters = calloc(g.options.exporters, sizeof(*g.exporters));
    if (g.exporters == NULL)
        die("out of memory");
    keys_start(&g.keys, g.options.expect != NULL);
    g.record_longest = record_longest(g.format, g.keys.ipv6_percent != 0);
    if (g.options.out != NULL)
        g.capture = capture_open(g.options.out);
    if (g.options.udp != NULL)
        sender_open(&g.sender, g.options.udp);
    make_all(&g);
    if (g.capture != NULL && (fflush(g.capture) != 0 || ferror(g.capture)))
        die(g.options.out);
    if (g.options.udp != NULL) {
        send_all(&g);
        seconds = seconds_since(&g.sender.started);
    }
    if (g.options.expect != NULL)
        expect_write(&g.keys, g.options.rounds, g.options.numeric, g.options.expect);
    fprintf(stderr, "datagrams=%" PRIu64 " bytes=%" PRIu64 " records=%" PRIu64 " seconds=%.6f\n",
            g.options.udp != NULL ? g.sent_datagrams : g.datagrams, g.bytes * g.options.rounds,
            g.options.udp != NULL ? g.sent_records : g.records, seconds);
    return 0;
}

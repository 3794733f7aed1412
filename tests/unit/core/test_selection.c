/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which records a plugin takes: each filter alone, all of them together, its sampling, whose mean, bounds and counts
 * are checked over a million records; what is said at the start, and which key a bad list is told of.
 */
#include "core/selection.h"

#include <math.h>
#include <stdio.h>

#include "lib/tap.h"

#define records UINT64_C(1000000)

static struct flow_image image;

static void set_text(struct settings *settings, const char **member, const char *text)
{
    settings_init(settings);
    snprintf(settings->name, sizeof(settings->name), "one");
    if (member != NULL)
        *member = text;
}

static struct selection *open_for(const struct settings *settings, enum daemon_mask daemon)
{
    struct selection *selection;
    struct error error = {""};

    ok(selection_new(&selection, settings, daemon, &error) == 0, "a selection: %s", error.text);
    return selection;
}

static enum selection_verdict ask(struct selection *selection, const struct flow *flow)
{
    image.made = false;
    return selection_ask(selection, flow, &image);
}

/* A TCP packet from 192.0.2.1:1000 to 192.0.2.2:443, with these tags, 0: none. */
static struct flow a_flow(uint64_t tag, uint64_t tag2, const char *label, const char *source)
{
    static struct flow flow;
    struct address address;

    flow_clear(&flow);
    address_parse(source, &address);
    flow_set_src_host(&flow, address);
    address_parse("192.0.2.2", &address);
    flow_set_dst_host(&flow, address);
    flow_set_proto(&flow, 6);
    flow_set_src_port(&flow, 1000);
    flow_set_dst_port(&flow, 443);
    flow_set_packets(&flow, 2);
    flow_set_bytes(&flow, 300);
    if (tag != 0)
        flow_set_tag(&flow, tag);
    if (tag2 != 0)
        flow_set_tag2(&flow, tag2);
    if (label != NULL)
        flow_set_label(&flow, (struct span){label, (uint32_t)strlen(label)});
    return flow;
}

/* -- nothing to select -- */

static void test_none(void)
{
    static const struct {
        uint64_t rate;
        enum daemon_mask daemon;
        uint32_t want; /* selection_rate */
    } rows[] = {{0, DAEMON_PMACCTD, 0},   {1, DAEMON_PMACCTD, 0},  {100, DAEMON_NFACCTD, 0}, {100, DAEMON_SFACCTD, 0},
                {2, DAEMON_PMACCTD, 2},   {100, DAEMON_UACCTD, 100}};
    const char *phrase = "";
    struct settings settings;
    struct field_set needs = {{0}};

    for (unsigned i = 0; i < array_length(rows); i++) {
        struct selection *selection;

        set_text(&settings, NULL, NULL);
        settings.sampling_rate = rows[i].rate;
        selection = open_for(&settings, rows[i].daemon);
        ok((selection == NULL) == (rows[i].want == 0), "case %u: sampling is for packets, and one of one is all", i);
        is_u64(selection_rate(selection), rows[i].want, "the rate is told");
        selection_free(selection);
    }
    ok(selection_notice(NULL, 0) == NULL && selection_misfits(NULL, &phrase) == 0 && phrase == NULL,
       "who takes everything has nothing to say");
    selection_needs(NULL, &needs);
    ok(field_set_is_empty(&needs), "and needs nothing");
    selection_free(NULL);
}

/* -- one filter at a time -- */

static void test_each(void)
{
    static struct settings settings;
    static const struct {
        const char **member;
        const char *text;
        uint64_t tag, tag2;
        const char *label, *source;
        enum selection_verdict verdict;
    } rows[] = {
        {&settings.pre_tag_filter, "7", 7, 0, NULL, "192.0.2.1", SELECTION_TAKEN},
        {&settings.pre_tag_filter, "7", 8, 7, "7", "192.0.2.1", SELECTION_FILTERED},
        {&settings.pre_tag_filter, "7", 0, 0, NULL, "192.0.2.1", SELECTION_FILTERED},
        {&settings.pre_tag_filter, "0", 0, 5, NULL, "192.0.2.1", SELECTION_TAKEN},
        {&settings.pre_tag_filter, "-7", 7, 0, NULL, "192.0.2.1", SELECTION_FILTERED},
        {&settings.pre_tag_filter, "-7", 0, 0, NULL, "192.0.2.1", SELECTION_TAKEN},
        {&settings.pre_tag2_filter, "10-20", 0, 15, NULL, "192.0.2.1", SELECTION_TAKEN},
        {&settings.pre_tag2_filter, "10-20", 15, 0, NULL, "192.0.2.1", SELECTION_FILTERED},
        {&settings.pre_tag2_filter, "0", 15, 0, NULL, "192.0.2.1", SELECTION_TAKEN},
        {&settings.pre_tag_label_filter, "web", 0, 0, "dns,web", "192.0.2.1", SELECTION_TAKEN},
        {&settings.pre_tag_label_filter, "web", 0, 0, "dns", "192.0.2.1", SELECTION_FILTERED},
        {&settings.pre_tag_label_filter, "web", 0, 0, NULL, "192.0.2.1", SELECTION_FILTERED},
        {&settings.pre_tag_label_filter, "null", 0, 0, NULL, "192.0.2.1", SELECTION_TAKEN},
        {&settings.aggregate_filter, "src host 192.0.2.1", 0, 0, NULL, "192.0.2.1", SELECTION_TAKEN},
        {&settings.aggregate_filter, "src host 192.0.2.1", 0, 0, NULL, "192.0.2.9", SELECTION_FILTERED},
        {&settings.aggregate_filter, "tcp dst port 443", 0, 0, NULL, "192.0.2.9", SELECTION_TAKEN},
        {&settings.aggregate_filter, "udp", 0, 0, NULL, "192.0.2.9", SELECTION_FILTERED},
    };

    for (unsigned i = 0; i < array_length(rows); i++) {
        struct flow flow = a_flow(rows[i].tag, rows[i].tag2, rows[i].label, rows[i].source), as_it_was;
        struct selection *selection;

        set_text(&settings, rows[i].member, rows[i].text);
        selection = open_for(&settings, DAEMON_NFACCTD);
        as_it_was = flow;
        ok(selection != NULL && ask(selection, &flow) == rows[i].verdict, "filter '%s' on tags %u, %u, label %s, %s",
           rows[i].text, (unsigned)rows[i].tag, (unsigned)rows[i].tag2, rows[i].label != NULL ? rows[i].label : "-",
           rows[i].source);
        ok(memcmp(&as_it_was, &flow, sizeof(flow)) == 0, "who only asks changes nothing");
        selection_free(selection);
    }
}

/* All must let a record in; and of those that they let in, one of so many is taken. */
static void test_together(void)
{
    struct selection *selection;
    struct settings settings;
    uint64_t wrong = 0, passed = 0, taken = 0;

    set_text(&settings, NULL, NULL);
    settings.pre_tag_filter = "7";
    settings.pre_tag2_filter = "8";
    settings.pre_tag_label_filter = "web";
    settings.aggregate_filter = "src host 192.0.2.1";
    settings.sampling_rate = 2;
    selection = open_for(&settings, DAEMON_PMACCTD);
    for (unsigned i = 0; i < 16 * 1000; i++) {
        struct flow flow = a_flow(i & 1 ? 7 : 6, i & 2 ? 8 : 7, i & 4 ? "web" : "dns",
                                  i & 8 ? "192.0.2.1" : "192.0.2.9");
        enum selection_verdict verdict = ask(selection, &flow);

        wrong += ((i & 15) != 15) != (verdict == SELECTION_FILTERED);
        passed += (i & 15) == 15;
        taken += verdict == SELECTION_TAKEN;
    }
    is_u64(wrong, 0, "a record that one filter refuses is filtered, whatever the others say");
    ok(passed == 1000 && taken > 400 && taken < 600, "sampling is of what the filters let in: %u of 1000",
       (unsigned)taken);
    selection_free(selection);
}

/* -- sampling -- */

/*
 * Distances are 1 to 2 * rate - 1, all alike: the mean is the rate and the variance (rate^2 - rate) / 3. Bounds are six
 * standard deviations.
 */
static void test_rate(uint32_t rate)
{
    struct selection *selection;
    struct settings settings;
    struct flow flow = a_flow(0, 0, NULL, "192.0.2.1");
    uint64_t taken = 0, skipped = 0, other = 0, since = 0, longest = 0, distances[32] = {0};
    double mean = (double)records / rate, deviation = sqrt((double)records * ((double)rate - 1) / 3) / rate;

    set_text(&settings, NULL, NULL);
    settings.sampling_rate = rate;
    selection = open_for(&settings, DAEMON_PMACCTD);
    for (uint64_t i = 0; i < records; i++) {
        enum selection_verdict verdict = ask(selection, &flow);

        since++;
        taken += verdict == SELECTION_TAKEN;
        skipped += verdict == SELECTION_SAMPLED_OUT;
        other += verdict == SELECTION_FILTERED;
        if (verdict != SELECTION_TAKEN)
            continue;
        longest = max_u64(longest, since);
        if (since < array_length(distances))
            distances[since]++;
        since = 0;
    }
    ok(fabs((double)taken - mean) <= 6 * deviation + 1, "1 of %u: %u of %u are taken, %.0f +- %.0f is right", rate,
       (unsigned)taken, (unsigned)records, mean, 6 * deviation);
    ok(taken + skipped == records && other == 0, "each one is taken or sampled out, to the record");
    ok(longest <= 2 * (uint64_t)rate - 1 && since < 2 * (uint64_t)rate, "no distance is longer than %u",
       2 * rate - 1);
    for (unsigned i = 1; 2 * rate - 1 < array_length(distances) && i <= 2 * rate - 1; i++) {
        double each = (double)taken / (2 * rate - 1);

        ok(fabs((double)distances[i] - each) < 6 * sqrt(each), "distance %u is as frequent as the others", i);
    }
    selection_free(selection);
}

/* Every second record of a pattern in the traffic: it must not be met each time, nor never. */
static void test_pattern(void)
{
    struct selection *selection;
    struct settings settings;
    struct flow flow = a_flow(0, 0, NULL, "192.0.2.1");
    uint64_t even = 0, odd = 0;

    set_text(&settings, NULL, NULL);
    settings.sampling_rate = 4;
    selection = open_for(&settings, DAEMON_UACCTD);
    for (uint64_t i = 0; i < records; i++)
        if (ask(selection, &flow) == SELECTION_TAKEN)
            *(i & 1 ? &odd : &even) += 1;
    ok(even > records / 8 - 5000 && even < records / 8 + 5000 && odd > records / 8 - 5000 && odd < records / 8 + 5000,
       "even and odd ones are met alike: %u, %u", (unsigned)even, (unsigned)odd);
    selection_free(selection);
}

static void test_largest(void)
{
    struct selection *selection;
    struct settings settings;
    struct flow flow = a_flow(0, 0, NULL, "192.0.2.1");
    unsigned taken = 0;

    set_text(&settings, NULL, NULL);
    settings.sampling_rate = UINT32_MAX;
    selection = open_for(&settings, DAEMON_PMACCTD);
    for (unsigned i = 0; i < 1000; i++)
        taken += ask(selection, &flow) == SELECTION_TAKEN;
    ok(taken <= 1 && selection_rate(selection) == UINT32_MAX, "the largest rate");
    selection_free(selection);
}

/* -- what is said, and needed -- */

static void test_notices(void)
{
    static const struct {
        const char *tag, *tag2, *label;
        unsigned count;
        const char *first;
    } rows[] = {{"7", "8", "web", 0, NULL},
                {"-7,9", "8", "web", 1, "9"},
                {"7", "-8,10", "web", 1, "10"},
                {"7", "8", "-web,dns", 1, "dns"},
                {NULL, NULL, "-web,dns", 1, "dns"},
                {"-7,9", "-8,10", "-web,dns", 3, "9"}};

    for (unsigned i = 0; i < array_length(rows); i++) {
        struct selection *selection;
        struct settings settings;
        unsigned count = 0;

        set_text(&settings, NULL, NULL);
        settings.pre_tag_filter = rows[i].tag;
        settings.pre_tag2_filter = rows[i].tag2;
        settings.pre_tag_label_filter = rows[i].label;
        selection = open_for(&settings, DAEMON_NFACCTD);
        while (count < 10 && selection_notice(selection, count) != NULL)
            count++;
        is_u64(count, rows[i].count, "case %u has so many notices", i);
        ok(rows[i].first == NULL || strstr(selection_notice(selection, 0), rows[i].first) != NULL,
           "the first one names the entry: %s", rows[i].first != NULL ? selection_notice(selection, 0) : "");
        selection_free(selection);
    }
}

/* A filter by VLAN on what has no link layer to have one. */
static void test_misfits(void)
{
    static const uint8_t bytes[40] = {0x45};
    struct frame frame = {.bytes = bytes, .captured = 40, .length = 40, .link = 101};
    struct flow flow = a_flow(0, 0, NULL, "192.0.2.1");
    struct selection *selection;
    struct settings settings;
    const char *phrase;

    set_text(&settings, &settings.aggregate_filter, "ether host 02:00:00:00:00:01");
    selection = open_for(&settings, DAEMON_PMACCTD);
    ok(selection_misfits(selection, &phrase) == 0 && phrase == NULL, "no misfit yet");
    flow.frame = &frame;
    ok(ask(selection, &flow) == SELECTION_FILTERED, "what cannot be asked is not let in");
    is_u64(selection_misfits(selection, &phrase), 1, "it is counted");
    ok(phrase != NULL && strstr(phrase, "101") != NULL, "and told: %s", phrase);
    selection_free(selection);
}

static void test_needs(void)
{
    struct selection *selection;
    struct settings settings;
    struct field_set needs = {{0}}, of_image = {{0}}, tags = {{0}};

    flow_image_fields(&of_image);
    field_set_add(&tags, FIELD_TAG);
    field_set_add(&tags, FIELD_TAG2);
    field_set_add(&tags, FIELD_LABEL);
    set_text(&settings, NULL, NULL);
    settings.pre_tag_filter = "1";
    settings.pre_tag2_filter = "1";
    settings.pre_tag_label_filter = "a";
    settings.aggregate_filter = "tcp";
    selection = open_for(&settings, DAEMON_PMACCTD);
    selection_needs(selection, &needs);
    ok(memcmp(&needs, &tags, sizeof(needs)) == 0, "of packets, filters look at the tags alone");
    selection_free(selection);
    selection = open_for(&settings, DAEMON_NFACCTD);
    selection_needs(selection, &needs);
    field_set_merge(&of_image, &tags);
    ok(memcmp(&needs, &of_image, sizeof(needs)) == 0, "of flows, at what a packet is made of, too");
    selection_free(selection);
}

static void test_refused(void)
{
    static struct settings settings;
    static const struct {
        const char **member, *text, *key;
    } rows[] = {{&settings.pre_tag_filter, "x", "pre_tag_filter of plugin 'one'"},
                {&settings.pre_tag2_filter, "9-1", "pre_tag2_filter of plugin 'one'"},
                {&settings.pre_tag_label_filter, "-", "pre_tag_label_filter of plugin 'one'"},
                {&settings.aggregate_filter, "tpc", "aggregate_filter of plugin 'one'"}};

    for (unsigned i = 0; i < array_length(rows); i++) {
        struct selection *selection = (struct selection *)&settings;
        struct error error = {""};

        set_text(&settings, rows[i].member, rows[i].text);
        settings.sampling_rate = 10;
        ok(selection_new(&selection, &settings, DAEMON_PMACCTD, &error) < 0 && selection == NULL, "'%s' is refused",
           rows[i].text);
        ok(strncmp(error.text, rows[i].key, strlen(rows[i].key)) == 0, "and the key named: %s", error.text);
    }
}

int main(void)
{
    plan_none();
    test_none();
    test_each();
    test_together();
    test_rate(2);
    test_rate(10);
    test_rate(1000);
    test_pattern();
    test_largest();
    test_notices();
    test_misfits();
    test_needs();
    test_refused();
    return done_testing();
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A decoder without a network for the tests of the finishing steps: one domain, one message, one record that the test
 * fills in, and options data that are made up here.
 */
#ifndef TESTS_UNIT_DECODE_TEST_NETFLOW_FINISH_WORLD_H
#define TESTS_UNIT_DECODE_TEST_NETFLOW_FINISH_WORLD_H

#include "decode/netflow/finish.h"

#include <stdlib.h>

#include "base/time.h"
#include "lib/tap.h"

#define seconds_2026 INT64_C(1795217431) /* of the exports here */
#define export_time (seconds_2026 * time_second_ns)
#define ms INT64_C(1000000)
#define emitted_max 4

static struct {
    struct netflow netflow;
    struct domain domain;
    struct origin origin;
    uint64_t counters[INPUT_COUNTERS];
    struct definition *definition;
    struct flow emitted[emitted_max];
    unsigned emitted_count;
    double rate;
} world;

#define put(part, value) (world.netflow.record.parts.part = (value), have_part(PART_##part))
#define field_wanted(id) field_set_add(&world.netflow.output.wants, FIELD_##id)

static inline void have_part(enum part_id part)
{
    world.netflow.record.parts_have[part / 64] |= UINT64_C(1) << (part % 64);
}

/* ---- options data ------------------------------------------------------------------------------------------------ */

double options_sampling_rate(const struct netflow *netflow, const struct record *record)
{
    (void)netflow;
    (void)record;
    return world.rate;
}

struct span options_interface_name(const struct domain *domain, uint64_t interface)
{
    (void)domain;
    return interface == 7 ? (struct span){"Gi0/7", 5} : (struct span){NULL, 0};
}

struct span options_vrf_name(const struct domain *domain, uint64_t vrf)
{
    (void)domain;
    if (vrf == 1)
        return (struct span){"red", 3};
    return vrf == 2 ? (struct span){"blue", 4} : (struct span){NULL, 0};
}

bool options_vrf_distinguisher(const struct domain *domain, uint64_t vrf, uint64_t *distinguisher)
{
    (void)domain;
    *distinguisher = 0x100640001 + vrf;
    return vrf == 1 || vrf == 2;
}

struct span options_application_name(const struct domain *domain, const uint8_t *id, uint32_t size)
{
    (void)domain;
    return size == 4 && id[3] == 80 ? (struct span){"http", 4} : (struct span){NULL, 0};
}

/* ---- the world --------------------------------------------------------------------------------------------------- */

static inline void take(void *context, struct flow *flow)
{
    (void)context;
    if (world.emitted_count < emitted_max)
        world.emitted[world.emitted_count] = *flow;
    world.emitted_count++;
    flow->packets *= 1000; /* as renormalising does: the next record must not show it */
    flow->bytes *= 1000;
    flow_set_sampling_rate(flow, 1);
}

static inline struct address address(const char *text)
{
    struct address result = {{0}};

    if (!address_parse(text, &result))
        ok(false, "%s is an address", text);
    return result;
}

/* Everything anew; the version is the protocol's. Options and wants are to be set before open_world(). */
static inline void clear_world(uint16_t version)
{
    finish_close(&world.netflow);
    free(world.definition);
    memset(&world, 0, sizeof(world));
    world.definition = calloc(1, sizeof(*world.definition) + 4 * sizeof(struct template_field));
    world.origin.arrival_ns = export_time + 5 * time_second_ns;
    world.origin.source = address("192.0.2.9");
    world.domain.agent = address("192.0.2.1");
    world.netflow.domain = &world.domain;
    world.netflow.counters = world.counters;
    world.netflow.output.record = take;
    world.netflow.message.origin = &world.origin;
    world.netflow.message.version = version;
    world.netflow.message.export_ns = export_time;
    world.netflow.message.uptime_ms = 100000;
    world.netflow.record.definition = world.definition;
    world.rate = 1;
}

static inline struct record *open_world(void)
{
    struct error error;
    struct record *record = &world.netflow.record;

    if (finish_open(&world.netflow, &error) < 0)
        ok(false, "finish_open");
    finish_message(&world.netflow);
    record->flow.have = *finish_constant(&world.netflow);
    return record;
}

static inline struct record *fresh(uint16_t version)
{
    clear_world(version);
    return open_world();
}

static inline void run(const char *name)
{
    for (unsigned i = 0; i < finish_count; i++) {
        if (strcmp(finish_table[i].name, name) == 0) {
            finish_table[i].run(&world.netflow, &world.netflow.record);
            return;
        }
    }
    ok(false, "there is a step %s", name);
}

static inline void is_address(const struct address *got, const char *want, const char *name)
{
    char text[address_text_max + 1];

    text[address_format(got, text)] = 0;
    is_text(text, want, "%s", name);
}

static inline void is_span(struct span got, const char *want, const char *name)
{
    char text[flow_string_max + 1];

    memcpy(text, got.length > 0 ? got.data : "", got.length);
    text[got.length] = 0;
    is_text(text, want, "%s", name);
}

static inline struct span text_span(const char *text)
{
    return (struct span){text, (uint32_t)strlen(text)};
}

static inline int end_of_world(void)
{
    clear_world(9);
    free(world.definition);
    return done_testing();
}

#endif

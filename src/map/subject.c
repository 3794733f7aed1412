/* SPDX-License-Identifier: BSD-2-Clause */
/* The subjects as one table, and how a number of any field is read from a record by the bytes of its member. */
#include "map/subject.h"

#define first_own FIELD_COUNT

static const struct {
    uint8_t bits;
    uint8_t daemons; /* who sets the trait */
    uint8_t field_count;
    uint16_t fields[4];
} subjects[SUBJECT_COUNT - first_own] = {
    [SUBJECT_SET_ID - first_own] = {16, DAEMON_NFACCTD, 0, {0}},
    [SUBJECT_ENGINE_TYPE - first_own] = {8, DAEMON_NFACCTD, 0, {0}},
    [SUBJECT_SAMPLE_TYPE - first_own] = {32, DAEMON_SFACCTD, 0, {0}},
    [SUBJECT_SORT - first_own] = {2, DAEMON_NFACCTD, 1, {FIELD_NAT_EVENT}},
    [SUBJECT_KIND - first_own] =
        {3, DAEMON_NFACCTD, 4, {FIELD_SRC_HOST, FIELD_DST_HOST, FIELD_MPLS_LABEL_TOP, FIELD_NAT_EVENT}},
    [SUBJECT_TWO_WAY - first_own] = {1, DAEMON_NFACCTD, 0, {0}},
    [SUBJECT_HAS_NAT_EVENT - first_own] = {1, DAEMON_NFACCTD, 1, {FIELD_NAT_EVENT}},
    [SUBJECT_HAS_FW_EVENT - first_own] = {1, DAEMON_NFACCTD, 1, {FIELD_FW_EVENT}},
    [SUBJECT_MULTICAST - first_own] = {1, DAEMON_ALL, 1, {FIELD_DST_MAC}},
    [SUBJECT_DIRECTION - first_own] = {1, DAEMON_ALL, 1, {FIELD_SAMPLING_DIRECTION}},
};

bool subject_is_address(unsigned subject)
{
    return subject < FIELD_COUNT && field_table[subject].type == FIELD_TYPE_ADDRESS;
}

unsigned subject_bits(unsigned subject)
{
    if (subject >= FIELD_COUNT)
        return subjects[subject - first_own].bits;
    if (field_table[subject].type == FIELD_TYPE_MAC)
        return 48;
    return field_table[subject].flow_bytes <= 8 ? field_table[subject].flow_bytes * 8u : 0;
}

void subject_fields(unsigned subject, struct field_set *fields)
{
    if (subject < FIELD_COUNT) {
        field_set_add(fields, (enum field_id)subject);
        return;
    }
    for (unsigned i = 0; i < subjects[subject - first_own].field_count; i++)
        field_set_add(fields, (enum field_id)subjects[subject - first_own].fields[i]);
}

bool subject_is_known(unsigned subject, enum daemon_mask daemon)
{
    if (subject < FIELD_COUNT)
        return (field_table[subject].sources & daemon) != 0;
    return (subjects[subject - first_own].daemons & daemon) != 0;
}

static uint64_t sort_of(const struct flow *flow)
{
    if (flow->traits.options)
        return SUBJECT_SORT_OPTION;
    return flow_has(flow, FIELD_NAT_EVENT) ? SUBJECT_SORT_EVENT : SUBJECT_SORT_FLOW;
}

/* A record without addresses is of neither family. */
static uint64_t kind_of(const struct flow *flow)
{
    const struct address *address = NULL;
    bool labelled = flow_has(flow, FIELD_MPLS_LABEL_TOP), ipv4;

    if (flow_has(flow, FIELD_SRC_HOST))
        address = &flow->src_host;
    else if (flow_has(flow, FIELD_DST_HOST))
        address = &flow->dst_host;
    if (address == NULL || address_is_absent(address) || sort_of(flow) != SUBJECT_SORT_FLOW)
        return SUBJECT_KIND_OTHER;
    ipv4 = address_is_ipv4(address);
    if (labelled)
        return ipv4 ? SUBJECT_KIND_MPLS_IPV4 : SUBJECT_KIND_MPLS_IPV6;
    return ipv4 ? SUBJECT_KIND_IPV4 : SUBJECT_KIND_IPV6;
}

/* The lowest bit of the first octet makes a MAC address that of a group (IEEE 802, section 8.2). */
static bool multicast_of(const struct flow *flow, uint64_t *number)
{
    if (!flow_has(flow, FIELD_DST_MAC))
        return false;
    *number = flow->dst_mac >> 40 & 1;
    return true;
}

static bool direction_of(const struct flow *flow, uint64_t *number)
{
    if (!flow_has(flow, FIELD_SAMPLING_DIRECTION))
        return false;
    *number = flow->sampling_direction == 'e';
    return flow->sampling_direction == 'i' || flow->sampling_direction == 'e';
}

static bool own_number(unsigned subject, const struct flow *flow, uint64_t *number)
{
    switch ((enum subject)subject) {
    case SUBJECT_SET_ID:
        *number = flow->traits.set_id;
        return flow->traits.set_id != 0;
    case SUBJECT_ENGINE_TYPE:
        *number = flow->traits.engine_type & UINT8_MAX;
        return (flow->traits.engine_type & flow_engine_told) != 0;
    case SUBJECT_SAMPLE_TYPE:
        *number = flow->traits.sample_type;
        return true;
    case SUBJECT_SORT:
        *number = sort_of(flow);
        return true;
    case SUBJECT_KIND:
        *number = kind_of(flow);
        return true;
    case SUBJECT_TWO_WAY:
        *number = flow->traits.two_way;
        return true;
    case SUBJECT_HAS_NAT_EVENT:
        *number = flow_has(flow, FIELD_NAT_EVENT);
        return true;
    case SUBJECT_HAS_FW_EVENT:
        *number = flow_has(flow, FIELD_FW_EVENT);
        return true;
    case SUBJECT_MULTICAST:
        return multicast_of(flow, number);
    case SUBJECT_DIRECTION:
        return direction_of(flow, number);
    case SUBJECT_COUNT:
        break;
    }
    return false;
}

bool subject_number(unsigned subject, const struct flow *flow, uint64_t *number)
{
    const void *member;

    if (subject >= FIELD_COUNT)
        return own_number(subject, flow, number);
    if (!flow_has(flow, (enum field_id)subject))
        return false;
    member = (const uint8_t *)flow + field_table[subject].flow_offset;
    switch (field_table[subject].flow_bytes) {
    case 1:
        *number = *(const uint8_t *)member;
        return true;
    case 2:
        *number = load_u16(member);
        return true;
    case 4:
        *number = load_u32(member);
        return true;
    case 8:
        *number = load_u64(member);
        return true;
    default:
        return false;
    }
}

bool subject_address(unsigned subject, const struct flow *flow, struct address *address)
{
    if (!subject_is_address(subject) || !flow_has(flow, (enum field_id)subject))
        return false;
    memcpy(address, (const uint8_t *)flow + field_table[subject].flow_offset, sizeof(*address));
    return !address_is_absent(address);
}

bool subject_text(unsigned subject, const struct flow *flow, struct span *text)
{
    if (subject >= FIELD_COUNT || field_table[subject].type != FIELD_TYPE_STRING ||
        !flow_has(flow, (enum field_id)subject))
        return false;
    memcpy(text, (const uint8_t *)flow + field_table[subject].flow_offset, sizeof(*text));
    return true;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The extended gateway record: AS numbers, AS path, communities, local preference, in the layouts of versions 2, 4
 * and 5. The destination's AS is the last of the path, the neighbour towards it the first; with an empty path the
 * destination lies in the agent's own AS. The texts are made only when a plugin wants them.
 */
#include "decode/sflow/private.h"

/* A text of items joined by '_' in a buffer of flow_string_max; one that does not fit whole is left out. */
struct joined {
    char *text;
    uint32_t length;
    bool cut;
};

static size_t decimal(char out[10], uint32_t value)
{
    char digits[10];
    size_t count = 0;

    do {
        digits[count++] = (char)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    for (size_t i = 0; i < count; i++)
        out[i] = digits[count - 1 - i];
    return count;
}

static void join(struct joined *joined, const char *item, size_t length)
{
    size_t separator = joined->length > 0;

    if (joined->cut || joined->length + separator + length > flow_string_max) {
        joined->cut = true;
        return;
    }
    if (separator)
        joined->text[joined->length++] = '_';
    memcpy(joined->text + joined->length, item, length);
    joined->length += (uint32_t)length;
}

static struct span joined_span(struct sflow *sflow, const struct joined *joined)
{
    if (joined->cut)
        sflow_count(sflow, INPUT_texts_cut);
    return (struct span){joined->text, joined->length};
}

static void join_numbers(struct joined *joined, const struct sflow_words *words)
{
    char item[10];

    for (uint32_t i = 0; i < words->count && !joined->cut; i++)
        join(joined, item, decimal(item, load_be32(words->at + (size_t)i * 4)));
}

/* Version 2 has one plain list, later ones counted segments (1 set, 2 sequence) of counted lists. */
static bool read_path(struct sflow *sflow, struct cursor *cursor, uint32_t version, uint32_t own_as)
{
    struct flow *flow = &sflow->flow;
    struct joined path = {sflow->as_path, 0, false};
    struct sflow_words list;
    uint32_t segments = version == 2 ? 1 : cursor_be32(cursor);
    uint32_t last = own_as;
    bool empty = true;

    for (uint32_t i = 0; i < segments && !cursor->failed; i++) {
        if (version != 2)
            cursor_skip(cursor, 4);
        if (!sflow_read_words(cursor, &list))
            break;
        if (list.count == 0)
            continue;
        if (empty)
            flow_set_peer_dst_as(flow, load_be32(list.at));
        empty = false;
        last = load_be32(list.at + (size_t)(list.count - 1) * 4);
        if (sflow->wants_as_path)
            join_numbers(&path, &list);
    }
    if (!empty || !cursor->failed)
        flow_set_dst_as(flow, last);
    if (sflow->wants_as_path)
        flow_set_as_path(flow, joined_span(sflow, &path));
    return !cursor->failed;
}

static void set_communities(struct sflow *sflow, const struct sflow_words *words)
{
    struct joined joined = {sflow->communities, 0, false};
    char item[21];

    for (uint32_t i = 0; i < words->count && !joined.cut; i++) {
        uint32_t community = load_be32(words->at + (size_t)i * 4);
        size_t length = decimal(item, community >> 16);
        item[length++] = ':';
        length += decimal(item + length, community & 0xffff);
        join(&joined, item, length);
    }
    flow_set_std_comm(&sflow->flow, joined_span(sflow, &joined));
}

bool sflow_read_gateway(struct sflow *sflow, struct cursor *cursor, uint32_t version)
{
    struct flow *flow = &sflow->flow;
    struct sflow_words communities;

    if (version == 5 && sflow_read_address(cursor, &flow->peer_dst_ip)) /* in place: only its bit is missing */
        flow_set_peer_dst_ip(flow, flow->peer_dst_ip);
    const uint8_t *p = cursor_take(cursor, 12);
    if (unlikely(p == NULL))
        return false;
    flow_set_src_as(flow, load_be32(p + 4));
    flow_set_peer_src_as(flow, load_be32(p + 8));
    if (unlikely(!read_path(sflow, cursor, version, load_be32(p))))
        return false;
    if (version == 2)
        return true;
    if (unlikely(!sflow_read_words(cursor, &communities)))
        return false;
    if (sflow->wants_communities)
        set_communities(sflow, &communities);
    uint32_t local_preference = cursor_be32(cursor);
    if (unlikely(cursor->failed))
        return false;
    flow_set_local_pref(flow, local_preference);
    return true;
}

/* The stack of settle.c, here because it is joined the same way: 20-bit labels, outermost first (RFC 3032). */
void sflow_set_labels(struct sflow *sflow, const struct sflow_words *shims)
{
    struct joined joined = {sflow->mpls_stack, 0, false};
    char item[10];

    flow_set_mpls_label_top(&sflow->flow, load_be32(shims->at) >> 12);
    flow_set_mpls_label_bottom(&sflow->flow, load_be32(shims->at + (size_t)(shims->count - 1) * 4) >> 12);
    if (!sflow->wants_mpls_stack)
        return;
    for (uint32_t i = 0; i < shims->count && !joined.cut; i++)
        join(&joined, item, decimal(item, load_be32(shims->at + (size_t)i * 4) >> 12));
    flow_set_mpls_label_stack(&sflow->flow, joined_span(sflow, &joined));
}

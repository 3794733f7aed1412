/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/emit.h"

#include <stdlib.h>
#include <unistd.h>

#include "core/pro_rate.h"
#include "core/selection.h"
#include "enrich/view.h"

struct target {
    struct ring_writer writer;
    const struct layout *layout;
    const struct settings *settings;
    struct ledger_plugin *block;
    uint64_t *counters; /* its EMIT part, of this lane */
    size_t record_max;
    unsigned passes;
    bool takes_discards; /* packets that a switch has dropped are no traffic, unless the plugin asks why */
    bool tags, pro_rated;
    bool plain; /* neither of them, and no sampling */
    struct pro_rate pro_rate;
    struct selection *selection; /* or NULL: it takes everything */
    uint32_t rate;               /* of its own sampling, 0: none */
    bool renormalize;
    unsigned view;               /* number of it */
    uint64_t emitted, packets, bytes, doubled, split, filtered, sampled_out, dropped, dropped_packets, dropped_bytes;
};

struct emitter {
    unsigned count;
    bool wait;
    pid_t parent; /* the supervisor */
    struct view *views;
    unsigned view_count;
    bool by_views; /* some view has something to do, or some plugin selects: else records go straight on */
    struct flow_image image;
    struct field_set needs;
    struct target targets[];
};

#define wait_slice_ms 1000

/* Flows are spread over bins only where a bin is made from when the flow began: in nfacctd without nfacctd_time_new. */
static bool is_pro_rated(const struct settings *settings, const struct layout *layout)
{
    if (!settings->pro_rating || layout->bin_offset < 0)
        return false;
    for (unsigned i = 0; i < layout->slot_count; i++)
        if (layout->copies[0][i].to == layout->bin_offset && layout->copies[0][i].bit == FIELD_TIMESTAMP_START)
            return true;
    return false;
}

static int open_target(struct target *target, const struct emit_target *start, const struct emit_options *options,
                       struct error *error)
{
    target->layout = start->layout;
    target->settings = start->settings;
    target->block = start->block;
    target->counters = start->block->emit[options->lane];
    target->record_max = layout_record_max(target->layout);
    target->passes = target->layout->sum ? 2 : 1;
    target->takes_discards = field_set_has(&target->layout->fields, FIELD_DROP_REASON);
    if (selection_new(&target->selection, target->settings, options->daemon, error) < 0)
        return -1;
    target->rate = selection_rate(target->selection);
    target->renormalize = options->core != NULL && options->core->renormalize;
    target->tags = target->settings->post_tag != 0 || target->settings->post_tag2 != 0;
    target->pro_rated = is_pro_rated(target->settings, target->layout);
    if (target->pro_rated)
        pro_rate_init(&target->pro_rate, &target->settings->history, start->started_ns);
    target->plain = !target->tags && !target->pro_rated && target->rate == 0;
    return ring_attach_writer(&target->writer, start->rings[options->lane], target->layout->fingerprint, error);
}

/* What the plugins of a view ask for together; the view of a plugin is that of the first one with such settings. */
static struct field_set wants_of_view(const struct emitter *emitter, unsigned view)
{
    struct field_set wants = {{0}};

    for (unsigned i = 0; i < emitter->count; i++)
        if (emitter->targets[i].view == view)
            field_set_merge(&wants, &emitter->targets[i].layout->needs);
    return wants;
}

static int open_views(struct emitter *emitter, const struct emit_options *options, struct error *error)
{
    emitter->views = calloc(emitter->count, sizeof(*emitter->views));
    if (emitter->views == NULL)
        return error_set(error, "out of memory");
    for (unsigned i = 0; i < emitter->count; i++) {
        struct target *target = &emitter->targets[i];
        unsigned other = 0;

        while (other < i && !view_same(emitter->targets[other].settings, target->settings))
            other++;
        target->view = other < i ? emitter->targets[other].view : emitter->view_count++;
        emitter->by_views |= target->selection != NULL;
    }
    for (unsigned i = 0, next = 0; i < emitter->count; i++) {
        struct field_set wants;

        if (emitter->targets[i].view != next)
            continue;
        wants = wants_of_view(emitter, next);
        if (view_init(&emitter->views[next], emitter->targets[i].settings, options->core, options->daemon, &wants,
                      options->maps, &emitter->needs, error) < 0)
            return error_wrap(error, "plugin %s[%s]", emitter->targets[i].settings->type,
                              emitter->targets[i].settings->name);
        emitter->by_views |= !view_is_empty(&emitter->views[next]);
        next++;
    }
    return 0;
}

struct emitter *emitter_new(const struct emit_target *targets, unsigned count, const struct emit_options *options,
                            struct error *error)
{
    struct emitter *emitter = calloc(1, sizeof(*emitter) + count * sizeof(emitter->targets[0]));

    if (emitter == NULL) {
        error_set(error, "out of memory");
        return NULL;
    }
    emitter->count = count;
    emitter->wait = options->wait;
    emitter->parent = getppid();
    for (unsigned i = 0; i < count; i++)
        if (open_target(&emitter->targets[i], &targets[i], options, error) < 0)
            goto failed;
    if (open_views(emitter, options, error) < 0)
        goto failed;
    return emitter;
failed:
    emitter_free(emitter);
    return NULL;
}

void emitter_free(struct emitter *emitter)
{
    if (emitter == NULL)
        return;
    for (unsigned i = 0; i < emitter->count; i++)
        selection_free(emitter->targets[i].selection);
    free(emitter->views);
    free(emitter);
}

struct field_set emitter_needs(const struct emitter *emitter)
{
    struct field_set needs = emitter->needs;

    for (unsigned i = 0; i < emitter->count; i++) {
        const struct target *target = &emitter->targets[i];

        field_set_merge(&needs, &target->layout->needs);
        selection_needs(target->selection, &needs);
        if (target->pro_rated)
            field_set_add(&needs, FIELD_TIMESTAMP_END);
        if (target->renormalize && target->rate != 0)
            field_set_add(&needs, FIELD_SAMPLING_RATE);
    }
    return needs;
}

static void count_drop(struct target *target, const struct flow *flow)
{
    target->dropped++;
    target->dropped_packets += flow->packets;
    target->dropped_bytes += flow->bytes;
}

/* A full ring: for a file the writer waits as long as there is a reader, or one to come and somebody to start it. */
static uint8_t *wait_for_room(struct emitter *emitter, struct target *target)
{
    uint8_t *body;

    if (!emitter->wait)
        return NULL;
    emit_publish(emitter);
    do {
        ring_wait_room(&target->writer, target->record_max, wait_slice_ms);
        body = ring_reserve(&target->writer, target->record_max);
    } while (body == NULL && getppid() == emitter->parent &&
             __atomic_load_n(&target->block->state, __ATOMIC_RELAXED) != LEDGER_PLUGIN_GIVEN_UP);
    return body;
}

/* Returns the record in the ring, the caller's until the next call of emit_; NULL when it was dropped. */
static uint8_t *emit_pass(struct emitter *emitter, struct target *target, const struct flow *flow, unsigned pass)
{
    uint8_t *body = ring_reserve(&target->writer, target->record_max);

    if (unlikely(body == NULL)) {
        body = wait_for_room(emitter, target);
        if (body == NULL) {
            count_drop(target, flow);
            return NULL;
        }
    }
    ring_commit(&target->writer, RING_FLOW, layout_project(target->layout, flow, pass, body));
    target->emitted++;
    target->packets += flow->packets;
    target->bytes += flow->bytes;
    return body;
}

/* One of `rate` packets was taken: it stands for all of them, or says so. */
static void apply_rate(const struct target *target, struct flow *flow)
{
    flow_set_sampling_rate(flow, target->renormalize ? 1 : target->rate);
    if (!target->renormalize)
        return;
    flow->packets = product_u64(flow->packets, target->rate);
    flow->bytes = product_u64(flow->bytes, target->rate);
}

/* post_tag, post_tag2 and the plugin's own sampling are for one plugin only: the next one sees the flow as it was. */
static uint8_t *emit_tagged(struct emitter *emitter, struct target *target, struct flow *flow, unsigned pass)
{
    struct field_set have = flow->have;
    uint64_t tag = flow->tag, tag2 = flow->tag2, packets = flow->packets, bytes = flow->bytes;
    uint32_t rate = flow->sampling_rate;
    uint8_t *body;

    if (target->settings->post_tag != 0)
        flow_set_tag(flow, target->settings->post_tag);
    if (target->settings->post_tag2 != 0)
        flow_set_tag2(flow, target->settings->post_tag2);
    if (target->rate != 0)
        apply_rate(target, flow);
    body = emit_pass(emitter, target, flow, pass);
    flow->have = have;
    flow->tag = tag;
    flow->tag2 = tag2;
    flow->packets = packets;
    flow->bytes = bytes;
    flow->sampling_rate = rate;
    return body;
}

/* A plugin that wants more than the flow as it is. Of a piece, only the counters and the bin differ from the flow. */
static void emit_changed(struct emitter *emitter, struct target *target, struct flow *flow, unsigned pass)
{
    struct pro_rate_walk walk;
    int64_t base_ns;
    uint8_t *body;

    if (!target->pro_rated || !pro_rate_begin(&target->pro_rate, flow, &walk)) {
        emit_tagged(emitter, target, flow, pass);
        return;
    }
    for (unsigned pieces = 0; pro_rate_next(&walk, flow, &base_ns); pieces++) {
        target->split += pieces > 0;
        body = emit_tagged(emitter, target, flow, pass);
        if (body != NULL)
            store_u64(body + target->layout->bin_offset, (uint64_t)base_ns);
    }
}

static inline void emit_to(struct emitter *emitter, struct target *target, struct flow *flow)
{
    if (unlikely(target->passes == 2))
        target->doubled++;
    for (unsigned pass = 0; pass < target->passes; pass++) {
        if (likely(target->plain))
            emit_pass(emitter, target, flow, pass);
        else
            emit_changed(emitter, target, flow, pass);
    }
}

/* Whether the plugin takes the record; else it is counted. */
static bool takes(struct emitter *emitter, struct target *target, const struct flow *flow)
{
    enum selection_verdict verdict = SELECTION_TAKEN;

    if (unlikely(flow->discard && !target->takes_discards))
        verdict = SELECTION_FILTERED;
    else if (target->selection != NULL)
        verdict = selection_ask(target->selection, flow, &emitter->image);
    target->filtered += verdict == SELECTION_FILTERED;
    target->sampled_out += verdict == SELECTION_SAMPLED_OUT;
    return verdict == SELECTION_TAKEN;
}

/*
 * The record as one view sees it, to the plugins of that view. All filters are asked before networks and lists change
 * the record, and these are looked up only when some plugin takes it.
 */
static void emit_view(struct emitter *emitter, unsigned number, struct flow *flow)
{
    const struct view *view = &emitter->views[number];
    uint64_t taken = 0;

    emitter->image.made = false; /* the view before may have set the ToS */
    view_tag(view, flow, &emitter->image);
    for (unsigned i = 0; i < emitter->count; i++)
        if (emitter->targets[i].view == number && takes(emitter, &emitter->targets[i], flow))
            taken |= UINT64_C(1) << i;
    if (taken == 0)
        return;
    view_finish(view, flow);
    for (; taken != 0; taken &= taken - 1)
        emit_to(emitter, &emitter->targets[__builtin_ctzll(taken)], flow);
}

_Static_assert(ledger_plugins_max <= 64, "a bit for each plugin");

/* With one view there is nothing to put back. */
static void emit_by_views(struct emitter *emitter, struct flow *flow)
{
    struct view_saved saved;

    if (emitter->view_count == 1) {
        emit_view(emitter, 0, flow);
        return;
    }
    view_save(flow, &saved);
    for (unsigned i = 0; i < emitter->view_count; i++) {
        emit_view(emitter, i, flow);
        view_restore(&saved, flow);
    }
}

void emit_flow(struct emitter *emitter, struct flow *flow)
{
    if (unlikely(emitter->by_views)) {
        emit_by_views(emitter, flow);
        return;
    }
    for (unsigned i = 0; i < emitter->count; i++) {
        struct target *target = &emitter->targets[i];

        if (unlikely(flow->discard && !target->takes_discards))
            target->filtered++;
        else
            emit_to(emitter, target, flow);
    }
}

void emitter_tell(const struct emitter *emitter, bool start, void (*say)(const char *plugin, const char *text))
{
    char trouble[600];

    for (unsigned i = 0; !start && i < emitter->view_count; i++)
        if (view_trouble(&emitter->views[i], trouble, sizeof(trouble)))
            say(emitter->views[i].plugin->name, trouble);
    for (unsigned i = 0; i < emitter->count; i++) {
        const struct target *target = &emitter->targets[i];
        const char *text;

        for (unsigned n = 0; start && (text = selection_notice(target->selection, n)) != NULL; n++)
            say(target->settings->name, text);
        if (!start && selection_misfits(target->selection, &text) > 0 && text != NULL)
            say(target->settings->name, text);
    }
}

bool emitter_is_plain(const struct emitter *emitter)
{
    if (emitter->by_views)
        return false;
    for (unsigned i = 0; i < emitter->count; i++) {
        const struct target *target = &emitter->targets[i];

        if (target->passes != 1 || !target->plain || target->takes_discards || target->layout->string_count > 0)
            return false;
    }
    return true;
}

const struct layout *emitter_layout(const struct emitter *emitter, unsigned target)
{
    return emitter->targets[target].layout;
}

/* Words: a call of memcpy costs more than they do. Bodies are whole words (layout.h). */
static inline void copy_body(uint8_t *restrict to, const uint8_t *restrict from, unsigned bytes)
{
    for (unsigned at = 0; at < bytes; at += 8)
        store_u64(to + at, load_u64(from + at));
}

/* One at a time: the end of the ring is near, or it is full. */
static void emit_one_body(struct emitter *emitter, struct target *target, const uint8_t *body)
{
    const unsigned body_bytes = target->layout->body_bytes, key_bytes = target->layout->key_bytes;
    uint64_t packets = load_u64(body + key_bytes), bytes = load_u64(body + key_bytes + 8);
    uint8_t *out = ring_reserve(&target->writer, body_bytes);

    if (unlikely(out == NULL) && (out = wait_for_room(emitter, target)) == NULL) {
        target->dropped++;
        target->dropped_packets += packets;
        target->dropped_bytes += bytes;
        return;
    }
    copy_body(out, body, body_bytes);
    ring_commit(&target->writer, RING_FLOW, body_bytes);
    target->emitted++;
    target->packets += packets;
    target->bytes += bytes;
}

void emit_bodies(struct emitter *emitter, unsigned number, const uint8_t *bodies, unsigned count)
{
    struct target *target = &emitter->targets[number];
    const unsigned body_bytes = target->layout->body_bytes, key_bytes = target->layout->key_bytes;
    const uint8_t *const end = bodies + (size_t)count * body_bytes;
    uint8_t *out = ring_reserve_many(&target->writer, count, body_bytes);
    uint64_t packets = 0, bytes = 0;

    if (unlikely(out == NULL)) {
        for (; bodies < end; bodies += body_bytes)
            emit_one_body(emitter, target, bodies);
        return;
    }
    for (; bodies < end; bodies += body_bytes, out += body_bytes + sizeof(struct ring_header)) {
        copy_body(out, bodies, body_bytes);
        packets += load_u64(bodies + key_bytes);
        bytes += load_u64(bodies + key_bytes + 8);
    }
    ring_commit_many(&target->writer, RING_FLOW, count, body_bytes);
    target->emitted += count;
    target->packets += packets;
    target->bytes += bytes;
}

void emit_publish(struct emitter *emitter)
{
    for (unsigned i = 0; i < emitter->count; i++) {
        struct target *target = &emitter->targets[i];

        /* Doubled and split first: a collector that dies between two of these has emitted too little, not too much. */
        counter_add(&target->counters[EMIT_records_doubled], target->doubled);
        counter_add(&target->counters[EMIT_records_split], target->split);
        counter_add(&target->counters[EMIT_records_emitted], target->emitted);
        counter_add(&target->counters[EMIT_packets_emitted], target->packets);
        counter_add(&target->counters[EMIT_bytes_emitted], target->bytes);
        counter_add(&target->counters[EMIT_records_filtered], target->filtered);
        counter_add(&target->counters[EMIT_records_sampled_out], target->sampled_out);
        counter_add(&target->counters[EMIT_records_dropped_ring_full], target->dropped);
        counter_add(&target->counters[EMIT_packets_dropped_ring_full], target->dropped_packets);
        counter_add(&target->counters[EMIT_bytes_dropped_ring_full], target->dropped_bytes);
        target->emitted = target->packets = target->bytes = target->doubled = target->split = target->filtered = 0;
        target->sampled_out = 0;
        target->dropped = target->dropped_packets = target->dropped_bytes = 0;
        ring_publish(&target->writer);
    }
}

void emit_end(struct emitter *emitter, int timeout_ms)
{
    emit_publish(emitter);
    for (unsigned i = 0; i < emitter->count; i++) {
        struct ring_writer *writer = &emitter->targets[i].writer;

        if (ring_reserve(writer, 8) == NULL &&
            (!ring_wait_room(writer, 8, timeout_ms) || ring_reserve(writer, 8) == NULL))
            continue; /* the supervisor's order to stop ends that plugin */
        ring_commit(writer, RING_END, 8);
        ring_publish(writer);
    }
}

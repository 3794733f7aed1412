/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/losses.h"

#include <inttypes.h>

#include "base/log.h"
#include "base/time.h"

#define look_every_ns (INT64_C(10) * time_second_ns)

/* The counters that tell of a loss, and what an operator can do about it. */
static const struct {
    enum input_counter id;
    const char *remedy;
} input_losses[] = {
    {INPUT_datagrams_kernel_dropped, "the kernel's receive buffer was full: raise *_pipe_size and net.core.rmem_max"},
    {INPUT_datagrams_malformed, "see `pmacct status` for the exporters"},
    {INPUT_datagrams_bad_version, "something that is not for this port is sent to it"},
    {INPUT_datagrams_no_exporter, "the table of exporters is full"},
    {INPUT_datagrams_lost, "exporters' sequence numbers have gaps: lost on the way"},
    {INPUT_records_lost, "exporters' sequence numbers have gaps: lost on the way"},
    {INPUT_sets_unknown, "data whose template did not come: see `pmacct status` for the exporters"},
    {INPUT_templates_refused, "a limit keeps templates out, and their data is lost"},
    {INPUT_frames_kernel_dropped, "the capture buffer was full: raise pmacctd_pipe_size (uacctd_nl_size)"},
    {INPUT_frames_interface_dropped, "the device itself had no room: see ethtool -S"},
    {INPUT_frames_link_unknown, "a device or file of a link type that is not supported"},
    {INPUT_frames_orphans_dropped, "fragments whose first one never came (fragments_orphans)"},
    {INPUT_flows_evicted, "the flow table is full: raise *_flow_buffer_size"},
    {INPUT_class_no_room, "raise classifier_max_flows"},
    {INPUT_transactions_failed, "proto_output_file cannot be written"},
    {INPUT_transactions_given_up, "raise proto_memory_limit"},
    {INPUT_counter_records_failed, "the counter file cannot be written"},
};

static const struct {
    enum emit_counter id;
    const char *remedy;
} emit_losses[] = {
    {EMIT_records_dropped_ring_full, "the plugin is too slow for the input: raise plugin_pipe_size for bursts"},
};

static const struct {
    enum plugin_counter id;
    const char *remedy;
} plugin_losses[] = {
    {PLUGIN_records_failed, "the back-end failed"},
    {PLUGIN_records_merged, "table_memory_limit is reached: new keys go to the row 'others', totals stay right"},
};

void losses_init(struct losses *losses)
{
    memset(losses, 0, sizeof(*losses));
    losses->next_ns = time_monotonic_ns() + look_every_ns;
}

static void tell(uint64_t *seen, uint64_t now, const struct counter_row *row, const char *plugin, const char *remedy)
{
    if (now > *seen)
        log_warn("%s%s%" PRIu64 " %s (%" PRIu64 " in all): %s", plugin ? plugin : "", plugin ? ": " : "", now - *seen,
                 row->name, now, remedy);
    *seen = now;
}

void losses_tell(struct losses *losses, const struct ledger *ledger, int64_t now_ns)
{
    for (unsigned i = 0; i < array_length(input_losses); i++)
        tell(&losses->input[input_losses[i].id], ledger_input(ledger, input_losses[i].id),
             &input_counter_table[input_losses[i].id], NULL, input_losses[i].remedy);
    for (unsigned p = 0; p < ledger->plugin_count; p++) {
        const struct ledger_plugin *plugin = &ledger->plugins[p];

        for (unsigned i = 0; i < array_length(emit_losses); i++)
            tell(&losses->emit[p][emit_losses[i].id], ledger_emit(ledger, p, emit_losses[i].id),
                 &emit_counter_table[emit_losses[i].id], plugin->name, emit_losses[i].remedy);
        for (unsigned i = 0; i < array_length(plugin_losses); i++)
            tell(&losses->plugin[p][plugin_losses[i].id], counter_get(&plugin->plugin[plugin_losses[i].id]),
                 &plugin_counter_table[plugin_losses[i].id], plugin->name, plugin_losses[i].remedy);
    }
    losses->next_ns = now_ns + look_every_ns;
}

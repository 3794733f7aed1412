/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/plan.h"

#include <stdio.h>
#include <unistd.h>

#include "base/time.h"

#define ring_bytes_default (4 * 1024 * 1024) /* stays in the cache, and holds some 10 ms of the highest rates seen */

int plan_layouts(struct plan *plan, const struct config *config, struct error *error)
{
    plan->count = config->plugin_count;
    for (unsigned i = 0; i < plan->count; i++) {
        const struct settings *settings = &config->plugins[i];
        struct layout_options options = {
            .history = settings->history.count > 0,
            .stitching = settings->stitching,
            .base_time = FIELD_TIMESTAMP_ARRIVAL,
        };

        if (layout_compile(&plan->layouts[i], &settings->aggregate, &options, error) < 0)
            return error_wrap(error, "plugin %s[%s]", settings->type, settings->name);
    }
    return 0;
}

static void name_on_ledger(struct ledger_plugin *block, const struct settings *settings)
{
    snprintf(block->name, sizeof(block->name), "%s", settings->name);
    snprintf(block->type, sizeof(block->type), "%s", settings->type);
}

int plan_make(struct plan *plan, const struct daemon *daemon, const struct config *config, struct ledger *ledger,
              struct error *error)
{
    snprintf(ledger->daemon, sizeof(ledger->daemon), "%s", daemon->name);
    snprintf(ledger->name, sizeof(ledger->name), "%s", config->core.name);
    ledger->supervisor_pid = (uint32_t)getpid();
    ledger->started_ns = time_wall_ns();
    ledger->lane_count = 1;
    plan->port = config->core.port != 0 ? (uint16_t)config->core.port : daemon->port;
    if (plan_layouts(plan, config, error) < 0)
        return -1;
    ledger->plugin_count = plan->count;
    for (unsigned i = 0; i < plan->count; i++) {
        const struct settings *settings = &config->plugins[i];
        bool given = settings_is_set(settings, KEY_plugin_pipe_size);
        size_t bytes = given ? settings->plugin_pipe_size : ring_bytes_default;

        name_on_ledger(&ledger->plugins[i], settings);
        plan->rings[i] = ring_create(max_u64(bytes, 4 * layout_record_max(&plan->layouts[i])),
                                     plan->layouts[i].fingerprint, error);
        if (plan->rings[i] == NULL)
            return error_wrap(error, "plugin %s[%s]", settings->type, settings->name);
        plan->targets[i] = (struct emit_target){settings, &plan->layouts[i], plan->rings[i], &ledger->plugins[i]};
    }
    return 0;
}

void plan_free(struct plan *plan)
{
    for (unsigned i = 0; i < plan->count; i++)
        ring_free(plan->rings[i]);
}

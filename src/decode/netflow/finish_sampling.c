/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The sampling rate of a record: options.c knows all that was told of it; here it becomes the number that every plugin
 * sees, rounded once. 0 is a rate that is not known yet; such a record is accounted as it is, or, if the configuration
 * says so, not at all. Renormalising is not done here but in enrich/, for all protocols alike.
 */
#include "decode/netflow/finish.h"

static bool known_elsewhere(const struct netflow *netflow, const struct record *record)
{
    const struct decode_output *output = &netflow->output;

    return output->knows_rate != NULL && output->knows_rate(output->context, &record->flow);
}

void finish_rate(struct netflow *netflow, struct record *record)
{
    double rate = options_sampling_rate(netflow, record);
    uint32_t rounded;

    if (!(rate > 0)) { /* not a number is not known either */
        rounded = 0;
        if (netflow->options.drop_unknown_rate && !known_elsewhere(netflow, record)) {
            netflow->finish->dropped = true;
            netflow_count(netflow, INPUT_data_records_no_rate);
        }
    } else if (rate >= (double)UINT32_MAX) {
        rounded = UINT32_MAX;
    } else {
        rounded = rate < 1 ? 1 : (uint32_t)(rate + 0.5);
    }
    flow_set_sampling_rate(&record->flow, rounded);
}

/* For a template that tells nothing of sampling: the other step runs only where there are parts. */
void finish_rate_without_parts(struct netflow *netflow, struct record *record)
{
    if (!flow_has(&record->flow, FIELD_SAMPLING_RATE))
        finish_rate(netflow, record);
}

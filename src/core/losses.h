/* SPDX-License-Identifier: BSD-2-Clause */
/* Says in the log, now and then, what has been lost since it last said so: never in silence, never in a flood. */
#ifndef CORE_LOSSES_H
#define CORE_LOSSES_H

#include "base/ledger.h"

struct losses {
    int64_t next_ns; /* monotonic time of the next look */
    uint64_t input[INPUT_COUNTERS];
    uint64_t emit[ledger_plugins_max][EMIT_COUNTERS];
    uint64_t plugin[ledger_plugins_max][PLUGIN_COUNTERS];
};

void losses_init(struct losses *losses);
/* One WARN line for each kind of loss that has grown; sets next_ns. */
void losses_tell(struct losses *losses, const struct ledger *ledger, int64_t now_ns);

#endif

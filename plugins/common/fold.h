/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What happens to a record between the ring and the table: strings of the tail become intern ids, the base time
 * becomes the start of its bin, times are cut to the precision they are printed with. The record in the ring stays as
 * it is, since a plugin that dies in the middle of a run leaves it to its successor. Nothing configured:
 * fold_is_empty, the runner skips it.
 */
#ifndef PLUGINS_COMMON_FOLD_H
#define PLUGINS_COMMON_FOLD_H

#include "base/time.h"
#include "flow/layout.h"
#include "plugins/common/intern.h"

#define fold_times_max 40 /* fields of time in a key: ours, and custom ones */

struct fold {
    const struct layout *layout;
    const struct time_bins *bins; /* NULL without history */
    int64_t bin_start, bin_end;   /* the last bin found, seconds */
    bool dscp;                    /* tos_encode_as_dscp */
    uint16_t tos_offset;
    int64_t time_unit_ns;         /* keys of time are cut to what is printed, so that rows that look alike are one */
    uint16_t time_count;
    uint16_t time_offsets[fold_times_max];
};

struct fold_options {
    const struct time_bins *bins; /* NULL without history */
    bool dscp;                    /* tos_encode_as_dscp */
    bool seconds;                 /* timestamps_secs: whole seconds, else microseconds */
};

void fold_init(struct fold *fold, const struct layout *layout, const struct fold_options *options);
bool fold_is_empty(const struct fold *fold);
/*
 * Writes the folded body of `record` to `body`, layout body_bytes long. `bytes` is the length of the record's body
 * and tail, at least body_bytes; a tail that does not fit gives empty strings.
 */
void fold_run(struct fold *fold, const uint8_t *record, size_t bytes, struct intern *intern, uint8_t *body);

#endif

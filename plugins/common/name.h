/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Dynamic names of files (later topics and tables): a text with strftime's % and with $variables, compiled once.
 *
 *   %Y %m %d %H %M ...     time of the bin (with history), else of the purge
 *   $tzone $ref $hst       the zone as +HH:MM, that time as seconds since 1970, seconds of the bin (0 without)
 *   $peer_src_ip $tag $tag2       of the row: rows of a batch go to different files
 *   $post_tag $post_tag2          of the configuration
 *
 * What comes from a row can never leave its place in a path: only letters, digits, '-' and '_' get through.
 */
#ifndef PLUGINS_COMMON_NAME_H
#define PLUGINS_COMMON_NAME_H

#include "base/error.h"
#include "base/time.h"
#include "flow/layout.h"

struct name;

struct name_options {
    const struct layout *layout;
    const struct time_bins *bins; /* started (time_bins_start); NULL without history; outlives the name */
    bool utc;
    uint64_t post_tag, post_tag2;
};

/* Compiles `text`, which outlives the name. NULL when out of memory or when it has too many variables. */
struct name *name_new(const char *text, const struct name_options *options, struct error *error);
void name_free(struct name *name);

bool name_is_dynamic(const struct name *name);   /* has any variable at all */
bool name_uses_time(const struct name *name);

/* The slots of a row's key on which the name depends, at most name_slots_max. Returns how many. */
#define name_slots_max 4
unsigned name_slots(const struct name *name, const struct layout_slot *slots[name_slots_max]);

/* The time that a row's name is made from: of its bin, or `otherwise` for a row without bin, or NULL. */
int64_t name_seconds(const struct name *name, const uint8_t *body, int64_t otherwise);

/* Writes the name with its NUL. `body` NULL: values of the row are "null". -1 when it does not fit or is empty. */
int name_format(const struct name *name, const uint8_t *body, int64_t seconds, char *out, size_t size,
                struct error *error);

/* Text from outside as a part of a name: [A-Za-z0-9-] stay, others become '_'; nothing becomes "null". Cut to fit. */
size_t name_put_text(const char *bytes, size_t length, char *out, size_t size);

#endif

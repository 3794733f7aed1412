/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which records one plugin takes: those that its filters by tag, label and packet let through, and of these, in the
 * packet daemons, one of so many by its sampling_rate.
 */
#ifndef CORE_SELECTION_H
#define CORE_SELECTION_H

#include "config/settings.h"
#include "flow/flow.h"
#include "flow/image.h"

struct selection;

enum selection_verdict { SELECTION_TAKEN, SELECTION_FILTERED, SELECTION_SAMPLED_OUT };

/*
 * From the settings of a plugin. *selection is NULL when it takes every record. Returns 0, or -1 with a phrase that
 * names the key.
 */
int selection_new(struct selection **selection, const struct settings *plugin, enum daemon_mask daemon,
                  struct error *error);
void selection_free(struct selection *selection);

/* What is wrong with the filters of a plugin, if anything: the key that is to blame, with a phrase; else -1. */
int selection_check(const struct settings *plugin, struct error *error);

/* `image` is that of this record, made when a filter first needs it. */
enum selection_verdict selection_ask(struct selection *selection, const struct flow *flow, struct flow_image *image);

/* What is to be said of its filters at the start, numbered from 0; NULL: no more. Valid as long as the selection. */
const char *selection_notice(const struct selection *selection, unsigned number);

/* Packets so far that aggregate_filter does not fit to, by their link type; *phrase tells why, or is NULL. */
uint64_t selection_misfits(const struct selection *selection, const char **phrase);

/* One of how many records is taken; 0: all of them. */
uint32_t selection_rate(const struct selection *selection);

/* The fields that its filters look at. */
void selection_needs(const struct selection *selection, struct field_set *needs);

#endif

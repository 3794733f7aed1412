/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which records a plugin takes by their tag (pre_tag_filter, pre_tag2_filter) or by their labels
 * (pre_tag_label_filter): a list separated by commas, read from the left.
 *
 *   7       lets that tag in; 0 is a record without a tag
 *   10-20   lets these in, both ends too
 *   -7      decides: all other tags are let in, this one is not; -10-20 alike
 *   dns     lets records in that have this label among theirs; null is a record without one
 *   -dns    decides: records with this label are not let in, all others are
 *
 * What stands after an entry with a minus is never asked, which is how pmacct reads these lists. At the end of a list
 * without one nothing more is let in.
 */
#ifndef MAP_TAG_FILTER_H
#define MAP_TAG_FILTER_H

#include "base/error.h"
#include "flow/flow.h"

struct tag_filter;
struct label_filter;

/* The caller frees them. NULL with a phrase that names the entry which is wrong. */
struct tag_filter *tag_filter_new(const char *list, struct error *error);
struct label_filter *label_filter_new(const char *list, struct error *error);
void tag_filter_free(struct tag_filter *filter);
void label_filter_free(struct label_filter *filter);

/* The same without a filter to keep: 0, or -1 with the phrase. */
int tag_filter_check(const char *list, struct error *error);
int label_filter_check(const char *list, struct error *error);

/* One phrase on entries that can have no effect, valid as long as the filter, or NULL. */
const char *tag_filter_notice(const struct tag_filter *filter);
const char *label_filter_notice(const struct label_filter *filter);

/* Whether a record is let in. `labels` are separated by commas; of length 0 where the record has none. */
bool tag_filter_match(const struct tag_filter *filter, uint64_t tag);
bool label_filter_match(const struct label_filter *filter, const struct span *labels);

#endif

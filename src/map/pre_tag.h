/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tagging maps (pre_tag_map): what numbers and labels records get, by what they are. A row a line, blank-separated
 * key=value words in any order; what a row asks for must all hold, and the first row that fits wins:
 *
 *   set_tag (id), set_tag2 (id2)   the number; N++ counts up from N with each record
 *   set_label                      a text; those of several rows are joined by commas
 *   set_tos                        another tos (nfacctd, sfacctd)
 *   label, jeq                     a row that fits and has jeq goes on at the first later row with that label, and
 *                                  with jeq=next at the next row
 *   stack                          sum (+) or or: the row's numbers are added to those gathered so far
 *   all others                     what to ask of a record: pre_tag_keys.c
 *
 * All of a file or nothing of it. Rows are indexed (rules.h).
 */
#ifndef MAP_PRE_TAG_H
#define MAP_PRE_TAG_H

#include "base/error.h"
#include "flow/flow.h"
#include "flow/image.h"

struct pre_tag_map;

/*
 * Reads the file, or `size` bytes of text that `name` stands for in phrases, for one of the daemons. The caller frees
 * the map. NULL with a phrase that names file and line when it cannot be used.
 */
struct pre_tag_map *pre_tag_map_load(const char *path, enum daemon_mask daemon, struct error *error);
struct pre_tag_map *pre_tag_map_parse(const char *name, const char *text, size_t size, enum daemon_mask daemon,
                                      struct error *error);
void pre_tag_map_free(struct pre_tag_map *map);
unsigned pre_tag_map_count(const struct pre_tag_map *map);

/*
 * Adds all fields that rows of any such map may ask for in this daemon. A map with filters on records that are no
 * packets needs those of flow_image_fields, too.
 */
void pre_tag_map_fields(enum daemon_mask daemon, struct field_set *fields);
bool pre_tag_map_uses_filter(const struct pre_tag_map *map);

/* What the operator should know of a map that is used all the same, one phrase for the log; or NULL. */
const char *pre_tag_map_notice(const struct pre_tag_map *map);

/*
 * Sets tag, tag2, label and tos of the record where rows that fit say so, and leaves them as they are where none does.
 * The label's text lives in the map until its next run. Returns whether any row fitted. For one thread: counting tags
 * count on. The image is as flow_filter_match has it.
 */
bool pre_tag_map_run(struct pre_tag_map *map, struct flow *flow, struct flow_image *image);

/* Labels that found no room in the 1024 bytes that a record may have of them. */
uint64_t pre_tag_map_labels_cut(const struct pre_tag_map *map);

/* Records that filters could not be asked for, and why (or NULL): see flow_filter_misfits. */
uint64_t pre_tag_map_misfits(const struct pre_tag_map *map, const char **phrase);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rows of one batch by the file they go to, when the name of the file depends on the row. Rows that share the values
 * of the slots in the name are a group. Written group by group, one file is open at a time however many there are.
 * Rows are remembered by address: they stay where they are until the batch has ended.
 */
#ifndef PLUGINS_PRINT_GROUPS_H
#define PLUGINS_PRINT_GROUPS_H

#include "base/error.h"
#include "flow/layout.h"

struct groups;

/* `slots` are copied. NULL when out of memory. */
struct groups *groups_new(const struct layout_slot *const slots[], unsigned slot_count);
void groups_free(struct groups *groups);
void groups_clear(struct groups *groups);

/* The group of a row, from 0 in order of first sight; -1 when out of memory. */
int64_t groups_find(struct groups *groups, const uint8_t *body);
/* Remembers a row for its group. 0 or -1. */
int groups_add(struct groups *groups, uint32_t group, const uint8_t *body);

/* Sorts what was added, in order of arrival inside a group. 0 or -1. */
int groups_sort(struct groups *groups);
/* After groups_sort: the rows of a group, *count of them. */
const uint8_t *const *groups_rows(const struct groups *groups, uint32_t group, uint64_t *count);
uint32_t groups_count(const struct groups *groups);

#endif

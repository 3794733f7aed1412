/* SPDX-License-Identifier: BSD-2-Clause */
/* The rows of a tagging map as its file has them: conditions go to the rules, what a row does stays here. */
#ifndef MAP_PRE_TAG_ROWS_H
#define MAP_PRE_TAG_ROWS_H

#include "map/condition.h"
#include "map/jumps.h"

enum {
    PRE_TAG_TAG = 1,
    PRE_TAG_TAG2 = 2,
    PRE_TAG_LABEL = 4,
    PRE_TAG_TOS = 8,
    PRE_TAG_GROW = 16, /* tag goes up with each record */
    PRE_TAG_GROW2 = 32,
    PRE_TAG_SUM = 64, /* how tags join those gathered so far; without one they take their place */
    PRE_TAG_OR = 128
};

struct pre_tag_action {
    uint64_t tag, tag2;
    uint32_t label; /* among the texts */
    uint32_t target; /* row to go on at, or jumps_none */
    uint16_t label_bytes;
    uint8_t does; /* PRE_TAG_... */
    uint8_t tos;
};

/* Kinds of rows in the rules. */
enum {
    PRE_TAG_LOOK_UP, /* what it does stands in its action */
    PRE_TAG_SET,     /* sets tag to the value and ends */
    PRE_TAG_STEP     /* sets tag to the lower half of the value and goes on at the row in the upper one */
};

_Static_assert(sizeof(struct pre_tag_action) == 32, "an action is half a cache line");

struct pre_tag_rows {
    struct rules *rules;
    struct pre_tag_action *actions;
    uint32_t action_room;
    char *texts;
    size_t text_bytes, text_room;
    bool uses_filter;
    char notice[480]; /* a phrase, or empty */
};

/* Fills in all members; the caller gives them back by pre_tag_rows_free, also after a failure (-1 with a phrase). */
int pre_tag_rows_load(struct pre_tag_rows *rows, const char *path, enum daemon_mask daemon, struct error *error);
int pre_tag_rows_parse(struct pre_tag_rows *rows, const char *name, const char *text, size_t size,
                       enum daemon_mask daemon, struct error *error);
void pre_tag_rows_free(struct pre_tag_rows *rows);

/* The match keys: pre_tag_keys.c. */
extern const struct condition_key pre_tag_keys[];
extern const unsigned pre_tag_key_count;

#endif

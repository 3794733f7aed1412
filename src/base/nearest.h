/* SPDX-License-Identifier: BSD-2-Clause */
/* "Did you mean ...?": the candidate with the smallest edit distance to a word, if it is near enough to be meant. */
#ifndef BASE_NEAREST_H
#define BASE_NEAREST_H

#include "base/base.h"

struct nearest {
    const char *word;
    const char *best;
    unsigned distance;
};

void nearest_start(struct nearest *nearest, const char *word);
/* The candidate must live as long as the result is used. */
void nearest_offer(struct nearest *nearest, const char *candidate);
/* NULL when no candidate is near. */
const char *nearest_result(const struct nearest *nearest);

#endif

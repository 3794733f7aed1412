/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/nearest.h"

#define word_max 63

/* Levenshtein's distance, one row at a time; words longer than word_max are compared by their beginning. */
static unsigned edit_distance(const char *a, const char *b)
{
    unsigned row[word_max + 1];
    size_t rows = strnlen(a, word_max), columns = strnlen(b, word_max);

    for (size_t j = 0; j <= columns; j++)
        row[j] = (unsigned)j;
    for (size_t i = 1; i <= rows; i++) {
        unsigned diagonal = row[0];

        row[0] = (unsigned)i;
        for (size_t j = 1; j <= columns; j++) {
            unsigned replace = diagonal + (a[i - 1] != b[j - 1]);
            unsigned add = row[j - 1] + 1, drop = row[j] + 1;

            diagonal = row[j];
            row[j] = replace < add ? replace : add;
            row[j] = row[j] < drop ? row[j] : drop;
        }
    }
    return row[columns];
}

void nearest_start(struct nearest *nearest, const char *word)
{
    size_t length = strlen(word);

    nearest->word = word;
    nearest->best = NULL;
    nearest->distance = (unsigned)(length / 3 + 1); /* a third of the letters may be wrong */
}

void nearest_offer(struct nearest *nearest, const char *candidate)
{
    unsigned distance;

    if (candidate[0] == '\0')
        return;
    distance = edit_distance(nearest->word, candidate);
    if (distance < nearest->distance || (distance == nearest->distance && nearest->best == NULL)) {
        nearest->distance = distance;
        nearest->best = candidate;
    }
}

const char *nearest_result(const struct nearest *nearest)
{
    return nearest->best;
}

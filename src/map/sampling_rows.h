/* SPDX-License-Identifier: BSD-2-Clause */
/* The rows of a sampling map as its file has them; what they mean is in sampling.h, where they are indexed. */
#ifndef MAP_SAMPLING_ROWS_H
#define MAP_SAMPLING_ROWS_H

#include "base/error.h"
#include "net/address.h"

/* What a row asks of one interface. */
struct sampling_interface {
    uint32_t number;
    bool asked, other; /* other: any but this number */
};

struct sampling_row {
    struct address net; /* masked */
    uint8_t length;     /* of the prefix, bits of its family */
    uint32_t rate;
    struct sampling_interface in, out;
};

struct sampling_rows {
    struct sampling_row *rows; /* the caller frees them, also after a failure */
    uint32_t count, room;
};

/* Adds the rows of a file, or of `size` bytes that `name` stands for. 0, or -1 with a phrase: file, line and reason. */
int sampling_rows_load(struct sampling_rows *rows, const char *path, struct error *error);
int sampling_rows_parse(struct sampling_rows *rows, const char *name, const char *text, size_t size,
                        struct error *error);

#endif

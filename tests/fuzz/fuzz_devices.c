/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any octets as a map of interfaces: reading ends with rows or with a phrase, and every row has a name that the kernel
 * could have, once for each direction.
 */
#include "map/devices.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_row(const struct device_rows *rows, unsigned number)
{
    const struct device_row *row = &rows->rows[number];

    if (row->name[0] == '\0' || memchr(row->name, '\0', sizeof(row->name)) == NULL || row->direction > FRAME_OUT)
        abort();
    for (unsigned i = 0; i < number; i++)
        if (strcmp(rows->rows[i].name, row->name) == 0 &&
            (row->direction == FRAME_UNKNOWN || rows->rows[i].direction != FRAME_IN + FRAME_OUT - row->direction))
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct error error = {""};
    struct device_rows rows;

    if (device_rows_parse(&rows, "fuzz", (const char *)data, size, &error) < 0) {
        if (error.text[0] == '\0')
            abort();
        return 0;
    }
    if (rows.count == 0 || rows.count > devices_max)
        abort();
    for (unsigned i = 0; i < rows.count; i++)
        check_row(&rows, i);
    return 0;
}

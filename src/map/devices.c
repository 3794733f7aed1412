/* SPDX-License-Identifier: BSD-2-Clause */
#include "map/devices.h"

#include <stdio.h>

#include "base/rows.h"

static const struct rows_kind kind = {.what = "interfaces map", .file_bytes_max = 1u << 20, .line_bytes_max = 1024};

static int read_name(struct device_row *row, const char *value, struct error *error)
{
    if (value[0] == '\0' || strlen(value) >= device_name_max)
        return error_set(error, "'ifname' is '%.40s', expected the name of a device, up to %u characters", value,
                         device_name_max - 1);
    snprintf(row->name, sizeof(row->name), "%s", value);
    return 0;
}

static int read_number(struct device_row *row, const char *value, struct error *error)
{
    uint64_t number;

    if (!rows_number(value, UINT32_MAX, &number) || number == 0)
        return error_set(error, "'ifindex' is '%.40s', expected 1 to 4294967295", value);
    row->number = (uint32_t)number;
    return 0;
}

static int read_direction(struct device_row *row, const char *value, struct error *error)
{
    if (strcmp(value, "in") == 0)
        row->direction = FRAME_IN;
    else if (strcmp(value, "out") == 0)
        row->direction = FRAME_OUT;
    else
        return error_set(error, "'direction' is '%.40s', expected in or out", value);
    return 0;
}

static const struct key {
    const char *name;
    int (*read)(struct device_row *row, const char *value, struct error *error);
} keys[] = {{"ifname", read_name}, {"ifindex", read_number}, {"direction", read_direction}};

static int read_row(struct device_row *row, char *line, struct error *error)
{
    unsigned seen = 0;
    char *word, *value;
    int key, got;

    memset(row, 0, sizeof(*row));
    while ((got = rows_word(&line, &word, error)) > 0) {
        if (rows_pair(word, &value, error) < 0)
            return -1;
        key = rows_key(word, keys, array_length(keys), sizeof(keys[0]), "ifname, ifindex or direction", error);
        if (key < 0)
            return -1;
        if (seen & 1u << key)
            return error_set(error, "'%s' comes twice in this line", word);
        seen |= 1u << key;
        if (keys[key].read(row, value, error) < 0)
            return -1;
    }
    if (got < 0)
        return -1;
    return (seen & 1) != 0 ? 0 : error_set(error, "'ifname' is missing, expected ifname=DEVICE [ifindex=NUMBER] "
                                                  "[direction=in|out]");
}

static int add_row(struct device_rows *rows, char *line, struct error *error)
{
    struct device_row *row = &rows->rows[rows->count];

    if (rows->count == devices_max)
        return error_set(error, "more than %u rows", devices_max);
    if (read_row(row, line, error) < 0)
        return -1;
    for (unsigned i = 0; i < rows->count; i++)
        if (strcmp(rows->rows[i].name, row->name) == 0 &&
            (rows->rows[i].direction == row->direction || rows->rows[i].direction == FRAME_UNKNOWN ||
             row->direction == FRAME_UNKNOWN))
            return error_set(error, "device '%s' comes twice for one direction", row->name);
    rows->count++;
    return 0;
}

/* Ends the reader that begins here, also one that could not be begun. */
static int read_rows(struct device_rows *rows, struct rows_reader *reader, int begun, struct error *error)
{
    int got = begun;
    char *line;

    rows->count = 0;
    while (got == 0 && (got = rows_line(reader, &line, error)) > 0)
        got = add_row(rows, line, error) < 0 ? rows_fail(reader, error) : 0;
    if (got == 0 && rows->count == 0)
        got = error_set(error, "%s: no device in it", reader->name);
    rows_free(reader);
    return got;
}

int device_rows_load(struct device_rows *rows, const char *path, struct error *error)
{
    struct rows_reader reader;

    return read_rows(rows, &reader, rows_load(&reader, path, &kind, error), error);
}

int device_rows_parse(struct device_rows *rows, const char *name, const char *text, size_t size, struct error *error)
{
    struct rows_reader reader;

    return read_rows(rows, &reader, rows_parse(&reader, name, text, size, &kind, error), error);
}

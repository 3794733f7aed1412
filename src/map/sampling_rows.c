/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From the text of a sampling map to its rows. The grammar is that of all of pmacct's key=value maps; what is wrong in
 * a line ends the reading.
 */
#include "map/sampling_rows.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/nearest.h"

#define line_max 2048 /* bytes of a line, without its end */
#define file_bytes_max (16u << 20)
#define blanks " \t\r\f\v"

enum key { KEY_ID, KEY_IP, KEY_IN, KEY_OUT, KEY_COUNT };

struct line {
    struct sampling_row row;
    bool seen[KEY_COUNT];
};

/* Decimal digits only: strtoul alone would take signs and blanks, too. */
static bool read_number(const char *text, unsigned long most, unsigned long *number)
{
    char *end;

    if (!isdigit((unsigned char)*text))
        return false;
    errno = 0;
    *number = strtoul(text, &end, 10);
    return errno == 0 && *end == '\0' && *number <= most;
}

static int read_rate(struct line *line, char *value, struct error *error)
{
    unsigned long rate;

    if (!read_number(value, UINT32_MAX, &rate) || rate == 0)
        return error_set(error, "'id' is '%.40s', expected a sampling rate of 1 to 4294967295", value);
    line->row.rate = (uint32_t)rate;
    return 0;
}

static int read_exporter(struct line *line, char *value, struct error *error)
{
    char *slash = strchr(value, '/');
    unsigned long length, most;

    if (slash != NULL)
        *slash++ = '\0';
    if (!address_parse(value, &line->row.net))
        return error_set(error, "'ip' is '%.60s', expected an address or a prefix", value);
    most = length = address_is_ipv4(&line->row.net) ? 32 : 128;
    if (slash != NULL && !read_number(slash, most, &length))
        return error_set(error, "'ip' has the prefix length '%.20s', expected 0 to %lu", slash, most);
    line->row.length = (uint8_t)length;
    address_mask(&line->row.net, line->row.length);
    return 0;
}

static int read_interface(struct sampling_interface *interface, const char *key, const char *value, struct error *error)
{
    unsigned long number;

    interface->other = *value == '-';
    if (!read_number(value + interface->other, UINT32_MAX, &number))
        return error_set(error, "'%s' is '%.40s', expected an interface number, or one with a minus before it", key,
                         value);
    interface->number = (uint32_t)number;
    interface->asked = true;
    return 0;
}

static int read_in(struct line *line, char *value, struct error *error)
{
    return read_interface(&line->row.in, "in", value, error);
}

static int read_out(struct line *line, char *value, struct error *error)
{
    return read_interface(&line->row.out, "out", value, error);
}

static const struct {
    const char *name;
    int (*read)(struct line *line, char *value, struct error *error);
} keys[KEY_COUNT] = {
    [KEY_ID] = {"id", read_rate},
    [KEY_IP] = {"ip", read_exporter},
    [KEY_IN] = {"in", read_in},
    [KEY_OUT] = {"out", read_out},
};

static int read_pair(struct line *line, char *pair, struct error *error)
{
    char *value = strchr(pair, '=');
    struct nearest nearest;

    if (value == NULL)
        return error_set(error, "'%.60s' is not of the form key=value", pair);
    *value++ = '\0';
    nearest_start(&nearest, pair);
    for (unsigned i = 0; i < KEY_COUNT; i++) {
        nearest_offer(&nearest, keys[i].name);
        if (strcmp(keys[i].name, pair) != 0)
            continue;
        if (line->seen[i])
            return error_set(error, "'%s' comes twice in this line", pair);
        line->seen[i] = true;
        return keys[i].read(line, value, error);
    }
    if (nearest_result(&nearest) != NULL)
        return error_set(error, "unknown key '%.40s', did you mean '%s'?", pair, nearest_result(&nearest));
    return error_set(error, "unknown key '%.40s', expected id, ip, in or out", pair);
}

/* The next word, without the single quotes that keep blanks together in all of pmacct's maps. NULL: no more. */
static char *next_word(char **at)
{
    char *word = *at + strspn(*at, blanks), *in = word, *out = word;
    bool quoted = false;

    if (*word == '\0')
        return NULL;
    for (; *in != '\0' && (quoted || strchr(blanks, *in) == NULL); in++) {
        if (*in == '\'')
            quoted = !quoted;
        else
            *out++ = *in;
    }
    *at = *in == '\0' ? in : in + 1;
    *out = '\0';
    return word;
}

/* Returns 1 when there is a row, 0 for a line without one, -1 for a bad one. */
static int read_line(struct line *line, char *text, struct error *error)
{
    bool empty = true;
    char *pair;

    while ((pair = next_word(&text)) != NULL && *pair != '!' && *pair != '#') {
        empty = false;
        if (read_pair(line, pair, error) < 0)
            return -1;
    }
    for (unsigned i = KEY_ID; i <= KEY_IP; i++)
        if (!empty && !line->seen[i])
            return error_set(error, "'%s' is missing, expected id=RATE ip=ADDRESS [in=NUMBER] [out=NUMBER]",
                             keys[i].name);
    return !empty;
}

static int add_row(struct sampling_rows *rows, const struct sampling_row *row, struct error *error)
{
    if (rows->count == rows->room) {
        uint32_t room = rows->room == 0 ? 64 : rows->room * 2;
        struct sampling_row *grown = realloc(rows->rows, room * sizeof(*grown));

        if (grown == NULL)
            return error_set(error, "out of memory for the sampling map");
        rows->rows = grown;
        rows->room = room;
    }
    rows->rows[rows->count++] = *row;
    return 0;
}

int sampling_rows_parse(struct sampling_rows *rows, const char *name, const char *text, size_t size,
                        struct error *error)
{
    char copy[line_max + 1];
    unsigned long number = 0;

    while (size > 0) {
        const char *newline = memchr(text, '\n', size);
        size_t length = newline == NULL ? size : (size_t)(newline - text);
        size_t step = newline == NULL ? length : length + 1;
        struct line line = {.seen = {false}};
        int got;

        number++;
        if (length > line_max)
            return error_set(error, "%s:%lu: the line is longer than %u bytes", name, number, line_max);
        if (memchr(text, '\0', length) != NULL)
            return error_set(error, "%s:%lu: the line holds a NUL", name, number);
        memcpy(copy, text, length);
        copy[length] = '\0';
        got = read_line(&line, copy, error);
        if (got < 0 || (got > 0 && add_row(rows, &line.row, error) < 0))
            return error_wrap(error, "%s:%lu", name, number);
        text += step;
        size -= step;
    }
    return 0;
}

/* The whole file into memory. O_NONBLOCK: a pipe that nobody writes to is refused instead of waited for. */
static char *read_file(const char *path, size_t *size, struct error *error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    char *text = NULL;
    struct stat status;
    ssize_t got = 1;

    *size = 0;
    if (fd < 0 || fstat(fd, &status) < 0)
        error_errno(error, errno, "cannot read the sampling map '%.200s'", path);
    else if (!S_ISREG(status.st_mode) && !S_ISCHR(status.st_mode))
        error_set(error, "the sampling map '%.200s' is not a regular file", path);
    else if (status.st_size > (off_t)file_bytes_max)
        error_set(error, "the sampling map '%.200s' is larger than %u bytes", path, file_bytes_max);
    else if ((text = malloc((size_t)status.st_size + 1)) == NULL)
        error_set(error, "out of memory for the sampling map");
    while (text != NULL && got > 0 && *size < (size_t)status.st_size) {
        got = read(fd, text + *size, (size_t)status.st_size - *size);
        if (got < 0) {
            error_errno(error, errno, "cannot read the sampling map '%.200s' to its end", path);
            free(text);
            text = NULL;
        } else {
            *size += (size_t)got;
        }
    }
    if (fd >= 0)
        close(fd);
    return text;
}

int sampling_rows_load(struct sampling_rows *rows, const char *path, struct error *error)
{
    size_t size;
    char *text = read_file(path, &size, error);
    int result;

    if (text == NULL)
        return -1;
    result = sampling_rows_parse(rows, path, text, size, error);
    free(text);
    return result;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From a file to its lines and words, in place: a word whose quotes are taken away is never longer than before, so one
 * copy of the text is all the memory that is used.
 */
#include "base/rows.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/nearest.h"

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_comment(char c)
{
    return c == '!' || c == '#';
}

/* -- the text -- */

static int start(struct rows_reader *reader, size_t size, struct error *error)
{
    if (size > reader->kind->file_bytes_max)
        return error_set(error, "the %s '%.200s' is larger than %zu bytes", reader->kind->what, reader->name,
                         reader->kind->file_bytes_max);
    reader->text = malloc(size + 1);
    if (reader->text == NULL)
        return error_set(error, "out of memory for the %s '%.200s'", reader->kind->what, reader->name);
    reader->text[0] = '\0';
    reader->at = reader->end = reader->text;
    return 0;
}

/* Up to `size` bytes: a file that others cut meanwhile has less. */
static int read_text(struct rows_reader *reader, int fd, size_t size, struct error *error)
{
    ssize_t got = 1;

    while (got != 0 && size > 0) {
        got = read(fd, reader->end, size);
        if (got < 0 && errno != EINTR)
            return error_errno(error, errno, "cannot read the %s '%.200s' to its end", reader->kind->what,
                               reader->name);
        if (got > 0) {
            reader->end += got;
            size -= (size_t)got;
        }
    }
    *reader->end = '\0';
    return 0;
}

/* Editors of other systems begin a file with a byte order mark, which nobody sees. */
static void skip_mark(struct rows_reader *reader)
{
    if (reader->end - reader->at >= 3 && memcmp(reader->at, "\xef\xbb\xbf", 3) == 0)
        reader->at += 3;
}

/* O_NONBLOCK: a pipe that nobody writes to is refused instead of waited for. /dev/null is an empty file. */
int rows_load(struct rows_reader *reader, const char *path, const struct rows_kind *kind, struct error *error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), result = -1;
    struct stat status;

    *reader = (struct rows_reader){.kind = kind, .name = path};
    if (fd < 0 || fstat(fd, &status) < 0)
        error_errno(error, errno, "cannot read the %s '%.200s'", kind->what, path);
    else if (!S_ISREG(status.st_mode) && !S_ISCHR(status.st_mode))
        error_set(error, "the %s '%.200s' is not a regular file", kind->what, path);
    else if (start(reader, (size_t)status.st_size, error) == 0)
        result = read_text(reader, fd, (size_t)status.st_size, error);
    if (result == 0)
        skip_mark(reader);
    if (fd >= 0)
        close(fd);
    return result;
}

int rows_parse(struct rows_reader *reader, const char *name, const char *text, size_t size,
               const struct rows_kind *kind, struct error *error)
{
    *reader = (struct rows_reader){.kind = kind, .name = name};
    if (start(reader, size, error) < 0)
        return -1;
    if (size > 0)
        memcpy(reader->text, text, size);
    reader->end = reader->text + size;
    *reader->end = '\0';
    skip_mark(reader);
    return 0;
}

void rows_free(struct rows_reader *reader)
{
    free(reader->text);
    reader->text = reader->at = reader->end = NULL;
}

size_t rows_left(const struct rows_reader *reader)
{
    return (size_t)(reader->end - reader->at);
}

/* -- lines -- */

int rows_fail(const struct rows_reader *reader, struct error *error)
{
    return error_wrap(error, "%.180s:%lu", reader->name, reader->line);
}

int rows_line(struct rows_reader *reader, char **line, struct error *error)
{
    while (reader->at < reader->end) {
        char *first = reader->at, *newline = memchr(first, '\n', rows_left(reader));
        char *last = newline == NULL ? reader->end : newline;

        reader->at = newline == NULL ? reader->end : newline + 1;
        reader->line++;
        if ((size_t)(last - first) > reader->kind->line_bytes_max) {
            error_set(error, "the line is longer than %zu bytes", reader->kind->line_bytes_max);
            return rows_fail(reader, error);
        }
        if (memchr(first, '\0', (size_t)(last - first)) != NULL) {
            error_set(error, "the line holds a NUL");
            return rows_fail(reader, error);
        }
        while (first < last && is_blank(*first))
            first++;
        while (last > first && is_blank(last[-1]))
            last--;
        if (first == last || is_comment(*first))
            continue;
        *last = '\0';
        *line = first;
        return 1;
    }
    return 0;
}

/* -- words -- */

int rows_word(char **at, char **word, struct error *error)
{
    char *in, *out;
    bool quoted = false;

    while (is_blank(**at))
        ++*at;
    *word = *at;
    if (**word == '\0' || is_comment(**word))
        return 0;
    for (in = out = *word; *in != '\0' && (quoted || !is_blank(*in)); in++) {
        if (*in == '\'')
            quoted = !quoted;
        else
            *out++ = *in;
    }
    *at = *in == '\0' ? in : in + 1;
    *out = '\0';
    return quoted ? error_set(error, "the quote in \"%.60s\" is not closed", *word) : 1;
}

int rows_pair(char *word, char **value, struct error *error)
{
    char *equal = strchr(word, '=');

    if (equal == NULL)
        return error_set(error, "'%.60s' is not of the form key=value", word);
    *equal = '\0';
    *value = equal + 1;
    return 0;
}

int rows_key(const char *key, const void *table, unsigned count, size_t stride, const char *expected,
             struct error *error)
{
    const char *at = table, *name;
    struct nearest nearest;

    nearest_start(&nearest, key);
    for (unsigned i = 0; i < count; i++) {
        memcpy(&name, at + i * stride, sizeof(name));
        if (strcmp(name, key) == 0)
            return (int)i;
        nearest_offer(&nearest, name);
    }
    if (nearest_result(&nearest) != NULL)
        return error_set(error, "unknown key '%.40s', did you mean '%s'?", key, nearest_result(&nearest));
    return error_set(error, "unknown key '%.40s', expected %s", key, expected);
}

bool rows_number(const char *text, uint64_t most, uint64_t *number)
{
    uint64_t value = 0;

    if (*text == '\0')
        return false;
    for (; *text != '\0'; text++) {
        unsigned digit = (unsigned)(unsigned char)*text - '0';

        if (digit > 9 || value > (UINT64_MAX - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    *number = value;
    return value <= most;
}

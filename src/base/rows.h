/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The one reader of text files that are made of lines: maps of key=value words and plain lists. The whole file comes
 * into memory, regular and bounded, and is then taken apart in place: lines, words, pairs. What every such file has
 * in common is here: a line that begins with ! or # is a comment, in words the comment may also follow them; single
 * quotes keep blanks inside a word; a line that is too long or holds a NUL is refused; CR before the end of a line
 * and blanks around it do not count. What is wrong is told as NAME:LINE: phrase.
 *
 *     struct rows_reader reader;
 *     char *line;
 *     int got = rows_load(&reader, path, &kind, error);
 *
 *     while (got == 0 && (got = rows_line(&reader, &line, error)) > 0)
 *         got = use(line, error) < 0 ? rows_fail(&reader, error) : 0;
 *     rows_free(&reader);
 *     return got;
 */
#ifndef BASE_ROWS_H
#define BASE_ROWS_H

#include "base/error.h"

/* A kind of file: how phrases call it, and its limits. */
struct rows_kind {
    const char *what;       /* "sampling map": phrases put "the" before it */
    size_t file_bytes_max;
    size_t line_bytes_max;  /* without the end of the line */
};

struct rows_reader {
    const struct rows_kind *kind;
    const char *name;       /* borrowed, of the file */
    char *text;             /* owned, with a NUL behind it */
    char *at, *end;
    unsigned long line;     /* number of the line last given, from 1 on */
};

/*
 * The reader of a file, or of a copy of `size` bytes that `name` stands for in phrases. `name`, `path` and `kind` must
 * live as long as the reader. 0, or -1 with a phrase. rows_free is right after a failure, too.
 */
int rows_load(struct rows_reader *reader, const char *path, const struct rows_kind *kind, struct error *error);
int rows_parse(struct rows_reader *reader, const char *name, const char *text, size_t size,
               const struct rows_kind *kind, struct error *error);
void rows_free(struct rows_reader *reader);

/* Bytes of text that are left: a bound for what the caller has to make room for. */
size_t rows_left(const struct rows_reader *reader);

/*
 * The next line that is neither empty nor a comment, without blanks around it, with a NUL behind it; the caller may
 * write into it until rows_free. 1 when there is one, 0 at the end, -1 with a phrase (NAME:LINE is in it).
 */
int rows_line(struct rows_reader *reader, char **line, struct error *error);

/* Puts NAME:LINE of the line last given before the phrase. Returns -1. */
int rows_fail(const struct rows_reader *reader, struct error *error);

/*
 * The next word of a line, its quotes taken away, with a NUL behind it; moves *at. 1 when there is one, 0 when there is
 * no more or only a comment, -1 with a phrase when a quote is not closed.
 */
int rows_word(char **at, char **word, struct error *error);

/* Cuts a word at its first '='. -1 with a phrase when it has none. */
int rows_pair(char *word, char **value, struct error *error);

/*
 * The number of a key among `count` names. They stand at the beginning of the rows of a table, `stride` bytes apart.
 * -1 with a phrase that names the nearest key, or those in `expected` ("id, ip, in or out") when none is near.
 */
int rows_key(const char *key, const void *table, unsigned count, size_t stride, const char *expected,
             struct error *error);

/* Decimal digits and nothing else, up to `most`. */
bool rows_number(const char *text, uint64_t most, uint64_t *number);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
#include "dissect/output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/time.h"

#define buffer_bytes (256 * 1024)
#define retry_ns time_second_ns

struct output {
    struct file_owner owner;
    int fd; /* -1: not open */
    int64_t tried_ns; /* monotonic, of the last try to open it */
    uint64_t lines, lost;
    uint64_t gathered; /* lines in the buffer */
    size_t used;
    char *path;
    char buffer[buffer_bytes];
};

static int open_file(struct output *output, struct error *error)
{
    struct file_facts facts;

    output->tried_ns = time_monotonic_ns();
    if (file_look(output->path, &facts, error) < 0)
        return -1;
    if (facts.kind != FILE_KIND_MISSING && facts.kind != FILE_KIND_REGULAR)
        return error_set(error, "'%s' is not a regular file", output->path);
    if (file_make_parents(output->path, &output->owner, error) < 0)
        return -1;
    output->fd = open(output->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK,
                      output->owner.file_mode);
    if (output->fd < 0)
        return error_errno(error, errno, "cannot open '%s'", output->path);
    return 0;
}

struct output *output_new(const char *path, unsigned umask_bits, struct error *error)
{
    struct output *output = calloc(1, sizeof(*output));

    if (output == NULL || (output->path = strdup(path)) == NULL) {
        error_set(error, "out of memory");
        free(output);
        return NULL;
    }
    output->fd = -1;
    if (file_owner_set(&output->owner, umask_bits, NULL, NULL, error) < 0 || open_file(output, error) < 0) {
        output_free(output);
        return NULL;
    }
    return output;
}

void output_free(struct output *output)
{
    if (output == NULL)
        return;
    output_flush(output);
    if (output->fd >= 0)
        close(output->fd);
    free(output->path);
    free(output);
}

/*
 * Half a line at the end of the file would spoil the next one, too: it is cut off, if nobody has written behind it.
 * Returns how many of the `done` bytes are in the file then.
 */
static size_t cut_half_line(const struct output *output, size_t done)
{
    size_t whole = done;
    struct stat status;
    off_t end = lseek(output->fd, 0, SEEK_CUR);

    while (whole > 0 && output->buffer[whole - 1] != '\n')
        whole--;
    if (whole < done && fstat(output->fd, &status) == 0 && status.st_size == end &&
        ftruncate(output->fd, end - (off_t)(done - whole)) == 0)
        return whole;
    return done;
}

void output_flush(struct output *output)
{
    uint64_t done = 0, refused = 0;

    if (output->used == 0)
        return;
    if (output->fd < 0 && time_monotonic_ns() - output->tried_ns >= retry_ns)
        (void)open_file(output, NULL);
    if (output->fd < 0) {
        output->lost += output->gathered;
        output->lines -= output->gathered;
    } else if (file_write_all(output->fd, output->buffer, output->used, &done) < 0) {
        for (size_t i = cut_half_line(output, (size_t)done); i < output->used; i++)
            refused += output->buffer[i] == '\n';
        output->lost += refused;
        output->lines -= refused;
    }
    output->used = 0;
    output->gathered = 0;
}

void output_line(struct output *output, const char *text, size_t length)
{
    if (length > output_line_max) {
        output->lost++;
        return;
    }
    if (output->used + length + 1 > buffer_bytes)
        output_flush(output);
    memcpy(output->buffer + output->used, text, length);
    output->buffer[output->used + length] = '\n';
    output->used += length + 1;
    output->gathered++;
    output->lines++;
}

void output_reopen(struct output *output)
{
    output_flush(output);
    if (output->fd >= 0)
        close(output->fd);
    output->fd = -1;
    (void)open_file(output, NULL); /* if it fails, the next lines try again */
}

uint64_t output_lines(const struct output *output)
{
    return output->lines;
}

uint64_t output_lost(const struct output *output)
{
    return output->lost;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A configuration file must be a regular file: a device or a pipe has no end that one can wait for. It may grow while
 * it is read, so the limit is kept by what is read, not by what fstat says.
 */
#include "config/source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static int read_all(int fd, char *text, size_t *used, const char *path, struct error *error)
{
    ssize_t n;

    *used = 0;
    do {
        n = read(fd, text + *used, source_bytes_max + 1 - *used);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return error_errno(error, errno, "cannot read '%.200s'", path);
        *used += (size_t)n;
        if (*used > source_bytes_max)
            return error_set(error, "'%.200s' is larger than %u bytes", path, source_bytes_max);
    } while (n != 0);
    return 0;
}

char *source_read(const char *path, size_t *size, unsigned *mode, struct error *error)
{
    struct stat status;
    char *text = NULL, *shorter;
    size_t used = 0;
    /* O_NONBLOCK: opening a pipe without a writer must fail the check below, not wait. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    if (fd < 0) {
        if (errno == ENOENT)
            error_set(error, "file '%.200s' not found", path);
        else
            error_errno(error, errno, "cannot open '%.200s'", path);
        return NULL;
    }
    if (fstat(fd, &status) < 0) {
        error_errno(error, errno, "cannot stat '%.200s'", path);
        goto out;
    }
    if (!S_ISREG(status.st_mode)) {
        error_set(error, "'%.200s' is not a regular file", path);
        goto out;
    }
    *mode = status.st_mode & 07777;
    text = malloc(source_bytes_max + 2);
    if (text == NULL) {
        error_set(error, "out of memory");
        goto out;
    }
    if (read_all(fd, text, &used, path, error) < 0) {
        free(text);
        text = NULL;
        goto out;
    }
    text[used] = '\0';
    *size = used;
    shorter = realloc(text, used + 1);
    if (shorter != NULL)
        text = shorter;
out:
    close(fd);
    return text;
}

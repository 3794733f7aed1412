/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/compressed.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#define input_bytes (128 * 1024)
#define head_bytes 16
#define gzip_window (15 + 16) /* the largest window; + 16: with gzip's header and trailer (zlib.h) */

enum packing { PACKING_NONE, PACKING_GZIP, PACKING_ZSTD };

struct compressed {
    int fd;
    bool waits; /* a read may: a pipe, a terminal */
    compressed_wait_fn *wait; /* or NULL */
    void *wait_context;
    enum packing packing;
    bool end;    /* of the file */
    bool inside; /* a member (gzip) or frame (zstd) that has begun and not ended */
    size_t at, size; /* of what is in `input` */
    size_t head_at, head_size;
    uint64_t taken, total;
    z_stream zlib;
    ZSTD_DStream *zstd;
    struct error trouble;
    uint8_t head[head_bytes]; /* unpacked already, to look at */
    uint8_t input[input_bytes];
};

static int fail(struct compressed *file, const char *what)
{
    return error_set(&file->trouble, "the %s data is broken: %s", file->packing == PACKING_GZIP ? "gzip" : "zstd",
                     what);
}

/* Bytes of the file itself: how many, 0 at its end, -1 with its trouble told. */
static ssize_t read_file(struct compressed *file, uint8_t *out, size_t size)
{
    ssize_t count;

    if (file->waits && file->wait != NULL && !file->wait(file->wait_context, file->fd))
        return 0;
    do
        count = read(file->fd, out, size);
    while (count < 0 && errno == EINTR);
    if (count < 0)
        return error_errno(&file->trouble, errno, "the file cannot be read");
    file->taken += (size_t)count;
    return count;
}

/* Reads more of the file behind what is in the buffer. Returns 0, at the end too, or -1. */
static int fill(struct compressed *file)
{
    ssize_t count;

    if (file->at > 0) {
        memmove(file->input, file->input + file->at, file->size - file->at);
        file->size -= file->at;
        file->at = 0;
    }
    if (file->end || file->size == input_bytes)
        return 0;
    count = read_file(file, file->input + file->size, input_bytes - file->size);
    if (count < 0)
        return -1;
    file->end = count == 0;
    file->size += (size_t)count;
    return 0;
}

/* What the buffer still has, then straight from the file into the reader's buffer. */
static ssize_t produce_plain(struct compressed *file, uint8_t *out, size_t size)
{
    size_t left = min_u64(file->size - file->at, size);

    if (left > 0) {
        memcpy(out, file->input + file->at, left);
        file->at += left;
        return (ssize_t)left;
    }
    return read_file(file, out, size);
}

/* One step of inflate. Returns bytes made (0: go on), or -1. RFC 1952: members may follow each other. */
static ssize_t step_gzip(struct compressed *file, uint8_t *out, size_t size)
{
    int code;

    file->zlib.next_in = file->input + file->at;
    file->zlib.avail_in = (unsigned)(file->size - file->at);
    file->zlib.next_out = out;
    file->zlib.avail_out = (unsigned)min_u64(size, UINT32_MAX);
    code = inflate(&file->zlib, Z_NO_FLUSH);
    file->at = file->size - file->zlib.avail_in;
    file->inside = code != Z_STREAM_END;
    if (code == Z_STREAM_END)
        inflateReset(&file->zlib);
    else if (code != Z_OK && code != Z_BUF_ERROR)
        return fail(file, file->zlib.msg != NULL ? file->zlib.msg : "it cannot be unpacked");
    return file->zlib.next_out - out;
}

static ssize_t step_zstd(struct compressed *file, uint8_t *out, size_t size)
{
    ZSTD_inBuffer input = {file->input, file->size, file->at};
    ZSTD_outBuffer output = {out, size, 0};
    size_t code = ZSTD_decompressStream(file->zstd, &output, &input);

    file->at = input.pos;
    if (ZSTD_isError(code))
        return fail(file, ZSTD_getErrorName(code));
    file->inside = code != 0;
    return (ssize_t)output.pos;
}

/* Bytes of the content: how many, 0 at its end, -1 when it is broken. */
static ssize_t produce(struct compressed *file, uint8_t *out, size_t size)
{
    if (file->trouble.text[0] != '\0')
        return -1;
    if (file->packing == PACKING_NONE)
        return produce_plain(file, out, size);
    for (;;) { /* each round takes input, makes output or ends */
        size_t before;
        ssize_t made;

        if (file->at == file->size && fill(file) < 0)
            return -1;
        before = file->at;
        if (file->at == file->size && !file->inside)
            return 0;
        if (file->packing == PACKING_GZIP && !file->inside && file->input[file->at] == 0) { /* tapes pad with zeros */
            file->at++;
            continue;
        }
        made = file->packing == PACKING_GZIP ? step_gzip(file, out, size) : step_zstd(file, out, size);
        if (made != 0)
            return made;
        if (file->at == before && file->end)
            return fail(file, "the file ends within it");
    }
}

static int recognise(struct compressed *file, struct error *error)
{
    static const uint8_t gzip[] = {0x1f, 0x8b}, zstd[] = {0x28, 0xb5, 0x2f, 0xfd}; /* RFC 1952, RFC 8878 */

    while (file->size < sizeof(zstd) && !file->end)
        if (fill(file) < 0)
            return error_set(error, "%s", file->trouble.text);
    if (file->size >= sizeof(gzip) && memcmp(file->input, gzip, sizeof(gzip)) == 0) {
        if (inflateInit2(&file->zlib, gzip_window) != Z_OK)
            return error_set(error, "out of memory");
        file->packing = PACKING_GZIP;
    } else if (file->size >= sizeof(zstd) && memcmp(file->input, zstd, sizeof(zstd)) == 0) {
        file->zstd = ZSTD_createDStream();
        if (file->zstd == NULL)
            return error_set(error, "out of memory");
        file->packing = PACKING_ZSTD;
    }
    return 0;
}

struct compressed *compressed_open(const char *path, struct error *error)
{
    struct compressed *file = calloc(1, sizeof(*file));
    bool input = strcmp(path, "-") == 0;
    struct stat status;

    if (file == NULL) {
        error_set(error, "out of memory");
        return NULL;
    }
    file->fd = input ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3) : open(path, O_RDONLY | O_CLOEXEC);
    if (file->fd < 0) {
        error_errno(error, errno, "cannot read the capture '%s'", path);
        free(file);
        return NULL;
    }
    file->waits = fstat(file->fd, &status) < 0 || !S_ISREG(status.st_mode);
    if (!file->waits)
        file->total = (uint64_t)status.st_size;
    if (recognise(file, error) < 0) {
        error_wrap(error, "cannot read the capture '%s'", path);
        compressed_close(file);
        return NULL;
    }
    return file;
}

void compressed_close(struct compressed *file)
{
    if (file == NULL)
        return;
    if (file->packing == PACKING_GZIP)
        inflateEnd(&file->zlib);
    ZSTD_freeDStream(file->zstd);
    close(file->fd);
    free(file);
}

void compressed_on_wait(struct compressed *file, compressed_wait_fn *fn, void *context)
{
    file->wait = fn;
    file->wait_context = context;
}

int compressed_peek(struct compressed *file, uint8_t *out, size_t size, struct error *error)
{
    size = min_u64(size, head_bytes);
    while (file->head_size < size) {
        ssize_t made = produce(file, file->head + file->head_size, size - file->head_size);

        if (made < 0)
            return error_set(error, "%s", file->trouble.text);
        if (made == 0)
            break;
        file->head_size += (size_t)made;
    }
    size = min_u64(size, file->head_size);
    memcpy(out, file->head, size);
    return (int)size;
}

ssize_t compressed_read(struct compressed *file, uint8_t *out, size_t size)
{
    size_t left = min_u64(file->head_size - file->head_at, size);

    if (unlikely(left > 0)) {
        memcpy(out, file->head + file->head_at, left);
        file->head_at += left;
        return (ssize_t)left;
    }
    return produce(file, out, size);
}

static ssize_t read_stream(void *cookie, char *out, size_t size)
{
    ssize_t made = compressed_read(cookie, (uint8_t *)out, size);

    if (made < 0)
        errno = EIO;
    return made;
}

FILE *compressed_stream(struct compressed *file)
{
    return fopencookie(file, "r", (cookie_io_functions_t){.read = read_stream});
}

const char *compressed_trouble(const struct compressed *file)
{
    return file->trouble.text;
}

uint64_t compressed_taken(const struct compressed *file)
{
    return file->taken;
}

uint64_t compressed_total(const struct compressed *file)
{
    return file->total;
}

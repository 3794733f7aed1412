/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Frames from a capture file: pcap or pcapng, plain or compressed with gzip or zstd, from a disk or a pipe. What it is
 * shows by how it begins; its name says nothing. A frame is not copied: it lies where the file was read to.
 */
#ifndef NET_FRAME_FILE_H
#define NET_FRAME_FILE_H

#include "base/error.h"
#include "net/compressed.h"
#include "net/frame.h"

struct frame_file;

struct frame_file_counts {
    uint64_t frames;      /* given so far */
    uint64_t bytes_read;  /* of the file, compressed as it is, for progress */
    uint64_t bytes_total; /* 0: not known */
};

/* Opens the file, or standard input for "-". NULL with a phrase that names it. */
struct frame_file *frame_file_open(const char *path, struct error *error);

/*
 * The same of content that somebody has opened, and not taken anything of. It is closed with the frame file, not when
 * this fails: NULL with a phrase that does not name the file.
 */
struct frame_file *frame_file_over(struct compressed *content, struct error *error);
void frame_file_close(struct frame_file *file); /* NULL is fine */

/* Of a pipe: before frame_file_next waits for more of it, `fn` is called; see net/compressed.h. */
void frame_file_on_wait(struct frame_file *file, compressed_wait_fn *fn, void *context);

/*
 * The next frame: 1; 0 at the end; -1 with a phrase when the file is broken there, and nothing more can be read. The
 * link is of the file, in pcapng of the frame's interface; the direction is set where a pcapng tells it; interface
 * numbers are those of no device, and 0. Bytes are valid until the next call.
 */
int frame_file_next(struct frame_file *file, struct frame *frame, struct error *error);

struct frame_file_counts frame_file_counts(const struct frame_file *file);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any bytes as a capture or an IPFIX file, packed or not: reading ends, each datagram lies in readable memory, and the
 * counts fit. The last byte cuts the size, so that packed seeds are cut too.
 */
#include "net/capture_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int fd = memfd_create("input", MFD_CLOEXEC);
    struct socket_datagram datagram;
    struct capture_file *file;
    struct error error;
    uint64_t count = 0;
    uint8_t sum = 0;
    char path[32];
    int64_t ns;

    if (fd < 0 || write(fd, data, size) != (ssize_t)size)
        abort();
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    file = capture_file_open(path, &error);
    while (file != NULL && capture_file_next(file, &datagram, &ns, &error) == 1 && count < 100000) {
        for (size_t i = 0; i < datagram.size; i++)
            sum ^= datagram.bytes[i];
        count++;
    }
    if (file != NULL && (capture_file_counts(file).frames < count || capture_file_counts(file).cut > count))
        abort();
    capture_file_close(file);
    close(fd);
    return sum == 1 && count == UINT64_MAX; /* never: keeps the reads */
}

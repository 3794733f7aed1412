/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads a configuration file whole, within a limit. */
#ifndef CONFIG_SOURCE_H
#define CONFIG_SOURCE_H

#include "base/error.h"

#define source_bytes_max (4u << 20)

/*
 * The text, ended by a NUL that does not count, to be freed with free(); or NULL. *mode gets the rights of the file.
 */
char *source_read(const char *path, size_t *size, unsigned *mode, struct error *error);

#endif

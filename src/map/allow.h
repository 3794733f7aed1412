/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Allow files: one address or prefix a line, IPv4 and IPv6; comments begin with ! or #. A source is let in when a row
 * holds it; an empty file lets nobody in. Loaded whole or not at all: a broken new file keeps the old list.
 */
#ifndef MAP_ALLOW_H
#define MAP_ALLOW_H

#include "base/error.h"
#include "net/address.h"

struct allow;

/* Reads the file. NULL with a phrase that names file and line when it cannot be used. */
struct allow *allow_load(const char *path, struct error *error);
void allow_free(struct allow *allow);
unsigned allow_count(const struct allow *allow);

/* Verdicts of the last sources are remembered, since exporters are few and datagrams many. */
bool allow_has(struct allow *allow, const struct address *source);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names of the wire's small numbers. The protocol names are a fixed table, not the machine's /etc/protocols: the same
 * flow gives the same row on every machine, and the names are those that pmacct writes.
 */
#ifndef NET_NAMES_H
#define NET_NAMES_H

#include "base/base.h"

#define names_protocol_max 11 /* bytes of the longest text, with its NUL */
#define names_tcp_flags 9     /* flags that have a name: bits 0 to 8 */

/* The name of an IP protocol, or NULL when it has none and is written as a number. */
const char *names_protocol(uint8_t number);

/* The number of a protocol given by name (any case) or as a decimal number; -1 when it is neither. */
int names_protocol_number(const char *text);

/* The name of the TCP flag of this bit (0 is FIN), or NULL from names_tcp_flags on. RFC 9293 section 3.1, RFC 3540. */
const char *names_tcp_flag(unsigned bit);

#endif

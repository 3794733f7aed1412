/* SPDX-License-Identifier: BSD-2-Clause */
/* nfacctd --decode: every data record with every element by name, as JSON lines on standard output; no aggregation. */
#ifndef DAEMONS_NFACCTD_DECODE_H
#define DAEMONS_NFACCTD_DECODE_H

/* `what` is a capture or IPFIX file ("-": standard input), or a UDP port to listen on. Returns the exit status. */
int nfacctd_decode(const char *what);

#endif

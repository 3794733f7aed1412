/* SPDX-License-Identifier: BSD-2-Clause */
/* The dissectors that every daemon has. */
#ifndef DISSECT_BUILTIN_H
#define DISSECT_BUILTIN_H

#include "dissect/dissector.h"

extern const struct dissector_ops dns_dissector;
extern const struct dissector_ops http_dissector;
extern const struct dissector_ops tls_dissector;

#endif

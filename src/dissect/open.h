/* SPDX-License-Identifier: BSD-2-Clause */
/* Opens a module of a dissector: a shared object with the symbol dissector_module. It stays loaded. */
#ifndef DISSECT_OPEN_H
#define DISSECT_OPEN_H

#include "dissect/dissector.h"

/*
 * `module` is a path, or, when it has no slash, NAME of dissect_NAME.so in the build tree or where `make install`
 * puts it. NULL with a phrase.
 */
const struct dissector_ops *open_dissector(const char *module, struct error *error);

#endif

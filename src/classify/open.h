/* SPDX-License-Identifier: BSD-2-Clause */
/* Opens the module that knows applications: in the collector's process only, and when somebody asks for `class`. */
#ifndef CLASSIFY_OPEN_H
#define CLASSIFY_OPEN_H

#include "classify/classify.h"

/*
 * Finds classify_ndpi.so in `directory` (key plugin_directory), or, when that is NULL, in the build tree that the
 * program lies in, or where `make install` puts it. It stays loaded. NULL with a phrase that names the package.
 */
const struct classifier_ops *classifier_module_open(const char *directory, struct error *error);

#endif

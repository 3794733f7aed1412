/* SPDX-License-Identifier: BSD-2-Clause */
/* Opens a plugin's shared object. In the plugin's own process only, after the fork. */
#ifndef CORE_MODULE_H
#define CORE_MODULE_H

#include "plugins/plugin.h"

/*
 * Finds TYPE.so in `directory` (key plugin_directory), or, when that is NULL, beside the program in a build tree, or
 * where `make install` puts it. NULL with a phrase that names the places.
 */
const struct plugin_descriptor *module_open(const char *type, const char *directory, struct error *error);

#endif

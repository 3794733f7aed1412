/* SPDX-License-Identifier: BSD-2-Clause */
/* The three functions of the memory plugin, apart from its descriptor so that tests can call them. */
#ifndef PLUGINS_MEMORY_MEMORY_H
#define PLUGINS_MEMORY_MEMORY_H

#include "base/server.h"
#include "plugins/plugin.h"

int memory_open(struct plugin *plugin, struct error *error);
void memory_close(struct plugin *plugin);

/* A server_fn; its context is the plugin. */
void memory_answer(void *context, struct answer *answer, const struct frame_request *request, const uint8_t *body,
                   enum server_right right);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* From the configuration of an instance to the options of its encoder: the one place that knows both. */
#ifndef PLUGINS_COMMON_ENCODE_SETTINGS_H
#define PLUGINS_COMMON_ENCODE_SETTINGS_H

#include "config/settings.h"
#include "plugins/common/encode.h"

/*
 * Texts in the options are borrowed from the settings or constant. writer_id is left NULL: print has no such member.
 */
void encode_settings(const struct settings *settings, struct encode_options *options);

/*
 * What writer_id says: `template` (writer_id_string) with $proc_name, $writer_pid and $pmacct_build put in; NULL
 * gives NAME/PID of the instance. Safe inside a JSON string without escaping. Cut to fit; returns `out`.
 */
char *encode_settings_writer_id(const struct settings *settings, const char *template, char *out, size_t size);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* What a load has to say, and about which line: used by all that take part in one (load.c, plugins.c, check.c). */
#include "config/load.h"

#include <stdarg.h>

void load_message(struct config *config, enum log_level level, const struct load_line *line, const char *format, ...)
{
    struct config_store *store = config->store;
    struct config_message *message;
    va_list args;

    config->error_count += level == LOG_LEVEL_ERROR;
    if (config->message_count == load_messages_max) {
        store->messages_left_out++;
        return;
    }
    message = &config->messages[config->message_count];
    va_start(args, format);
    if (vasprintf(&message->text, format, args) < 0)
        message->text = NULL;
    va_end(args);
    if (message->text == NULL)
        return;
    message->level = level;
    message->file = line != NULL ? line->file : store->file;
    message->line = line != NULL ? line->number : 0;
    config->message_count++;
}

const struct load_line *load_writer(const struct config *config, unsigned index, enum key_id id)
{
    uint32_t writer = config->store->writer[index][id];

    return writer == 0 ? NULL : &config->store->lines[writer - 1];
}

void config_blame(struct config *config, unsigned plugin, enum key_id id, const char *text)
{
    const struct load_line *line = load_writer(config, plugin + 1, id);

    if (line != NULL)
        load_message(config, LOG_LEVEL_ERROR, line, "key '%s': %s", line->parsed.key, text);
    else
        load_message(config, LOG_LEVEL_ERROR, NULL, "%s", text);
}

const char *config_message_text(const struct config_message *message, char *out, size_t size)
{
    if (message->line > 0)
        snprintf(out, size, "%s:%u: %s", message->file, message->line, message->text);
    else
        snprintf(out, size, "%s: %s", message->file, message->text);
    return out;
}

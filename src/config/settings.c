/* SPDX-License-Identifier: BSD-2-Clause */
/* A fresh struct settings, what must be known before values are read, and what several keys make together. */
#include "config/settings.h"

#include "config/keys.h"
#include "config/load.h"
#include "config/value.h"
#include "flow/custom.h"

bool settings_is_set(const struct settings *settings, enum key_id id)
{
    return settings->set[id];
}

/* Defaults are read by the same code as values. A test proves that each of them can be; here a failure leaves zero. */
void settings_init(struct settings *settings)
{
    memset(settings, 0, sizeof(*settings));
    for (unsigned i = 0; i < key_count; i++) {
        const struct key *key = &key_table[i];

        if (key->setting >= 0 && key->default_text != NULL)
            value_parse(key, key->default_text, (char *)settings + key->offset, NULL);
    }
}

/* Custom primitives are words of `aggregate`, wherever it stands, so their file comes before all values. The last line
 * counts, as for every global key. */
void settings_load_primitives(struct config *config)
{
    const struct load_line *last = NULL;
    struct error error;

    custom_fields_start(config->store->daemon);
    for (unsigned i = 0; i < config->store->line_count; i++)
        if (config->store->lines[i].key != NULL && config->store->lines[i].key->setting == KEY_aggregate_primitives)
            last = &config->store->lines[i];
    if (last != NULL && last->parsed.value[0] != '\0' && custom_fields_load(last->parsed.value, &error) < 0)
        load_message(config, LOG_LEVEL_ERROR, last, "key '%s': %s", last->parsed.key, error.text);
}

void settings_resolve(struct settings *settings)
{
    struct time_bins *bins = &settings->history;
    const char *letters = settings->history_roundoff;

    bins->utc = settings->timestamps_utc;
    bins->offset_seconds = (int64_t)settings->history_offset;
    bins->round_minutes = letters != NULL && strchr(letters, 'm') != NULL;
    bins->round_hours = letters != NULL && strchr(letters, 'h') != NULL;
    bins->round_month_day = letters != NULL && strchr(letters, 'd') != NULL;
    bins->round_week = letters != NULL && strchr(letters, 'w') != NULL;
    bins->round_months = letters != NULL && strchr(letters, 'M') != NULL;
}

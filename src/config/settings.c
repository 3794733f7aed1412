/* SPDX-License-Identifier: BSD-2-Clause */
/* A fresh struct settings, and the one value that several keys make together: the time bins. */
#include "config/settings.h"

#include "config/keys.h"
#include "config/value.h"

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

/* SPDX-License-Identifier: BSD-2-Clause */
/* Settings to encoder options, and the writer's name in brokers' rows and in markers. */
#include "plugins/common/encode_settings.h"

#include <stdio.h>
#include <unistd.h>

void encode_settings(const struct settings *settings, struct encode_options *options)
{
    *options = (struct encode_options){
        .format = (enum encode_format)settings->print_output,
        .dialect = ENCODE_PLUGIN,
        .separator = settings->print_output_separator,
        .protocols_as_numbers = settings->num_protos,
        .tcp_flags_array = settings->tcpflags_encode_as_array,
        .tcp_flags_string = settings->tcp_flags_as_string,
        .as_path_array = settings->as_path_encode_as_array,
        .communities_array = settings->bgp_comms_encode_as_array,
        .mpls_stack_array = settings->mpls_label_stack_encode_as_array,
        .label_map = settings->pre_tag_label_encode_as_map,
        .fwd_status_text = settings->fwd_status_encode_as_string,
        .time_style = settings->timestamps_since_epoch ? TIME_STYLE_EPOCH
                      : settings->timestamps_rfc9557   ? TIME_STYLE_RFC3339
                                                       : TIME_STYLE_PLAIN,
        .utc = settings->timestamps_utc,
        .seconds_only = settings->timestamps_secs,
        .history = settings->history.count > 0,
        .event_type = "purge",
    };
}

static size_t put(char *out, size_t used, size_t size, const char *text)
{
    for (; *text && used + 1 < size; text++) {
        unsigned char c = (unsigned char)*text;
        out[used++] = c < 0x20 || c >= 0x7f || c == '"' || c == '\\' ? '_' : *text;
    }
    return used;
}

char *encode_settings_writer_id(const struct settings *settings, const char *template, char *out, size_t size)
{
    char pid[24];
    size_t used = 0;

    snprintf(pid, sizeof(pid), "%ld", (long)getpid());
    const struct {
        const char *variable, *value;
    } values[] = {
        {"$proc_name", settings->proc_name ? settings->proc_name : "default"},
        {"$writer_pid", pid},
        {"$pmacct_build", "flowledger"},
    };
    if (!template) {
        used = put(out, used, size, settings->name);
        used = put(out, used, size, "/");
        template = "$writer_pid";
    }
    while (*template) {
        bool known = false;
        for (unsigned i = 0; i < array_length(values) && !known; i++) {
            size_t length = strlen(values[i].variable);
            known = strncmp(template, values[i].variable, length) == 0;
            if (known) {
                used = put(out, used, size, values[i].value);
                template += length;
            }
        }
        if (!known)
            used = put(out, used, size, (const char[]){*template++, '\0'});
    }
    if (size > 0)
        out[used] = '\0';
    return out;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* An instance of print, from its configuration: names, encoder options, owner of files. */
#include "plugins/print/writer.h"

#include "base/log.h"
#include "plugins/common/encode_settings.h"

#include <signal.h>
#include <stdlib.h>

/* A writer that hangs in a FIFO at the stop outlives the plugin and keeps what it uses. */
void print_release(struct print *print)
{
    if (!print || --print->users > 0)
        return;
    name_free(print->file);
    name_free(print->latest);
    delivery_shared_free(&print->shared);
    free(print);
}

static int open_names(struct print *print, struct error *error)
{
    const struct settings *settings = print->settings;
    const char *file = settings->print_output_file;
    struct name_options options = {
        .layout = print->layout,
        .bins = print->bins.count > 0 ? &print->bins : NULL,
        .utc = settings->timestamps_utc,
        .post_tag = settings->post_tag,
        .post_tag2 = settings->post_tag2,
    };

    if (file && strcmp(file, "/dev/stdout") == 0)
        file = NULL;
    if (file && !(print->file = name_new(file, &options, error)))
        return error_wrap(error, "print_output_file");
    if (!settings->print_latest_file)
        return 0;
    if (!file || !name_is_dynamic(print->file)) {
        log_warn("Disabling print_latest_file due to non-dynamic print_output_file");
        return 0;
    }
    if (!(print->latest = name_new(settings->print_latest_file, &options, error)))
        return error_wrap(error, "print_latest_file");
    return 0;
}

int print_instance(struct plugin *plugin, struct error *error)
{
    const struct settings *settings = plugin->settings;
    struct print *print = calloc(1, sizeof(*print));
    struct file_owner owner;

    if (!print)
        return error_set(error, "out of memory");
    print->users = 1;
    print->settings = settings;
    print->layout = plugin->layout;
    print->bins = settings->history;
    if (print->bins.count > 0)
        time_bins_start(&print->bins, plugin->start->started_ns / time_second_ns);
    encode_settings(settings, &print->options);
    encode_settings_writer_id(settings, NULL, print->marker_id, sizeof(print->marker_id));
    if (file_owner_set(&owner, (unsigned)settings->files_umask & 0777, settings->files_uid, settings->files_gid,
                       error) != 0) {
        free(print);
        return -1;
    }
    delivery_shared_init(&print->shared, &owner, settings->print_output_file_append, plugin->start->started_ns,
                         settings->print_output_lock_file);
    if (open_names(print, error) != 0) {
        print_release(print);
        return -1;
    }
    /*
     * A reader that went away or a file size limit is an error of write, told and counted, not the end of the
     * process.
     */
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    plugin->state = print;
    return 0;
}

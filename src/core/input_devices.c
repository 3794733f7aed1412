/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Frames from network devices: one (pcap_interface) or those of a map (pcap_interfaces_map). A device that is not there
 * is waited for where the configuration says so, and so is one that goes away; drops of all of them are counted.
 */
#include <poll.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/time.h"
#include "core/input.h"
#include "map/devices.h"
#include "net/device.h"

#define turn_frames 4096           /* of one device before the loop has its turn */
#define try_again_ns time_second_ns
#define drain_ns (INT64_C(150) * 1000000)       /* the kernel hands over its last block within 50 ms */
#define drain_limit_ns (INT64_C(2000) * 1000000) /* a full ring takes some time to read */
#define drain_pause_ms 10
#define last_block_ms 100
#define buffer_default (UINT64_C(32) << 20)      /* a twentieth of a second of 10 Gbit/s */
#define snap_default 128
#define snap_whole 65535 /* for those who look into packets */

struct source {
    struct device_row row;
    struct devices_input *input;
    struct device *device; /* or NULL: it is waited for */
    struct loop_handler *handler;
    uint32_t in_iface, out_iface;
    bool told; /* that it is waited for */
};

struct devices_input {
    struct input_start start;
    struct source *sources[devices_max];
    unsigned count;
    struct loop_handler *timer;
    bool started, failing;
};

/* FNV-1a: a number for a name that is the same everywhere and at every start. */
static uint32_t hash_name(const char *name)
{
    uint32_t hash = 2166136261u;

    for (; *name != '\0'; name++)
        hash = (hash ^ (uint8_t)*name) * 16777619u;
    return hash;
}

enum { IFINDEX_NONE, IFINDEX_SYSTEM, IFINDEX_HASH, IFINDEX_MAP }; /* pcap_ifindex */

static uint32_t number_of(const struct source *source)
{
    switch (source->input->start.settings->pcap_ifindex) {
    case IFINDEX_SYSTEM:
        return device_number(source->device);
    case IFINDEX_HASH:
        return hash_name(device_name(source->device));
    case IFINDEX_MAP:
        return source->row.number;
    default:
        return 0;
    }
}

/* Not 0, the same in all lanes, and another one for each row: those of one device differ in their direction. */
static uint16_t fanout_group(const struct source *source)
{
    uint32_t number = hash_name(source->row.name) * 31 + source->input->start.group * 8 + source->row.direction;

    return (uint16_t)(number % UINT16_MAX + 1);
}

/* Decimal or 0x...; 0 is all. */
static int read_protocol(const char *text, uint16_t *protocol, struct error *error)
{
    char *end;
    unsigned long number;

    *protocol = 0;
    if (text == NULL)
        return 0;
    number = strtoul(text, &end, 0);
    if (*text < '0' || *text > '9' || *end != '\0' || number > UINT16_MAX)
        return error_set(error, "pcap_protocol: '%.40s' is no EtherType, expected 0 to 65535 or 0x0 to 0xffff", text);
    *protocol = (uint16_t)number;
    return 0;
}

static int open_source(struct source *source, bool *absent, struct error *error)
{
    const struct input_start *start = &source->input->start;
    const struct settings *settings = start->settings;
    struct device_options options = {
        .name = source->row.name[0] != '\0' ? source->row.name : NULL,
        .filter = settings->pcap_filter,
        .snap_bytes = settings->snaplen != 0 ? (uint32_t)settings->snaplen
                      : start->whole_frames    ? snap_whole
                                               : snap_default,
        .buffer_bytes = settings->pipe_size != 0 ? settings->pipe_size : buffer_default,
        .promiscuous = settings->promisc,
        .direction = source->row.direction,
        .fanout_group = start->lane_count > 1 ? fanout_group(source) : 0,
    };

    *absent = false;
    if (read_protocol(settings->pcap_protocol, &options.protocol, error) < 0)
        return -1;
    source->device = device_open(&options, absent, error);
    if (source->device == NULL)
        return -1;
    source->in_iface = source->row.direction == FRAME_IN ? number_of(source) : 0;
    source->out_iface = source->row.direction == FRAME_OUT ? number_of(source) : 0;
    return 0;
}

static void take_drops(struct source *source)
{
    struct device_drops drops = device_take_drops(source->device);
    uint64_t *counters = source->input->start.counters;

    counter_add(&counters[INPUT_frames_kernel_dropped], drops.kernel);
    if (source->input->start.lane == 0) /* the device's own are those of all lanes */
        counter_add(&counters[INPUT_frames_interface_dropped], drops.interface);
}

static void close_source(struct source *source)
{
    loop_unwatch(source->handler);
    source->handler = NULL;
    if (source->device == NULL)
        return;
    take_drops(source);
    device_close(source->device);
    source->device = NULL;
}

static void on_frame(void *context, struct frame *frame)
{
    struct source *source = context;
    const struct input_start *start = &source->input->start;

    frame->direction = (uint8_t)source->row.direction;
    frame->in_iface = source->in_iface;
    frame->out_iface = source->out_iface;
    start->calls->frame(start->context, frame);
}

/* A device is gone. It is waited for, or done without, as long as there is another one. */
static void lose(struct source *source, const struct error *error)
{
    struct devices_input *input = source->input;
    const struct input_start *start = &input->start;
    bool any = false;

    close_source(source);
    if (start->settings->pcap_interface_wait) {
        log_warn("%s; waiting for it", error->text);
        source->told = true;
        return;
    }
    log_error("%s", error->text);
    for (unsigned i = 0; i < input->count; i++)
        any |= input->sources[i]->device != NULL;
    if (!any && !input->failing) {
        input->failing = true;
        start->calls->failed(start->context);
    }
}

static void on_readable(void *context, unsigned events)
{
    struct source *source = context;
    const struct input_start *start = &source->input->start;
    struct error error;
    int got;

    (void)events;
    got = device_read(source->device, turn_frames, on_frame, source, &error);
    start->calls->end_batch(start->context);
    if (got < 0)
        lose(source, &error);
}

static int start_source(struct source *source, struct error *error)
{
    const struct input_start *start = &source->input->start;

    if (device_start(source->device, error) < 0)
        return -1;
    source->handler = loop_watch(start->loop, device_fd(source->device), loop_readable, on_readable, source);
    if (source->handler == NULL)
        return error_set(error, "cannot watch device '%s'", device_name(source->device));
    log_info("capturing from '%s', link type %u", device_name(source->device), device_link(source->device));
    return 0;
}

/* Tries those that are not there. */
static void try_again(struct devices_input *input)
{
    for (unsigned i = 0; i < input->count; i++) {
        struct source *source = input->sources[i];
        struct error error;
        bool absent;

        if (source->device != NULL || !input->start.settings->pcap_interface_wait)
            continue;
        if (open_source(source, &absent, &error) == 0 && (!input->started || start_source(source, &error) == 0)) {
            source->told = false;
            continue;
        }
        close_source(source);
        if (!source->told)
            log_warn("%s; waiting for it", error.text);
        source->told = true;
    }
}

static void on_timer(void *context, unsigned events)
{
    struct devices_input *input = context;

    (void)events;
    loop_timer_set(input->timer, time_monotonic_ns() + try_again_ns);
    for (unsigned i = 0; i < input->count; i++) {
        /* A device that goes is first down: libpcap then looks whether it is still there when it is asked again. */
        if (input->sources[i]->handler != NULL)
            on_readable(input->sources[i], loop_readable);
        if (input->sources[i]->device != NULL)
            take_drops(input->sources[i]);
    }
    try_again(input);
}

static struct source *add_source(struct devices_input *input, const struct device_row *row, struct error *error)
{
    struct source *source = calloc(1, sizeof(*source));

    if (source == NULL) {
        error_set(error, "out of memory");
        return NULL;
    }
    source->row = *row;
    source->input = input;
    input->sources[input->count++] = source;
    return source;
}

static void remove_source(struct devices_input *input, unsigned place)
{
    close_source(input->sources[place]);
    free(input->sources[place]);
    memmove(&input->sources[place], &input->sources[place + 1],
            (input->count - place - 1) * sizeof(input->sources[0]));
    input->count--;
}

static int list_rows(const struct settings *settings, struct device_rows *rows, struct error *error)
{
    static const enum frame_direction directions[] = {FRAME_UNKNOWN, FRAME_IN, FRAME_OUT}; /* as capture_direction */

    if (settings->pcap_interfaces_map != NULL)
        return device_rows_load(rows, settings->pcap_interfaces_map, error);
    memset(rows, 0, sizeof(*rows));
    rows->count = 1;
    rows->rows[0].direction = directions[settings->capture_direction];
    if (settings->pcap_interface == NULL)
        return 0;
    if (strlen(settings->pcap_interface) >= device_name_max)
        return error_set(error, "pcap_interface: '%.40s' is longer than the name of a device can be",
                         settings->pcap_interface);
    memcpy(rows->rows[0].name, settings->pcap_interface, strlen(settings->pcap_interface) + 1);
    return 0;
}

static void close_devices(void *context)
{
    struct devices_input *input = context;

    if (input == NULL)
        return;
    while (input->count > 0)
        remove_source(input, input->count - 1);
    free(input);
}

static int open_all(struct devices_input *input, struct error *error)
{
    struct device_rows rows;

    if (list_rows(input->start.settings, &rows, error) < 0)
        return -1;
    for (unsigned i = 0; i < rows.count; i++) {
        struct source *source = add_source(input, &rows.rows[i], error);
        bool absent;

        if (source == NULL)
            return -1;
        if (open_source(source, &absent, error) == 0)
            continue;
        if (!absent || !input->start.settings->pcap_interface_wait)
            return -1;
        close_source(source);
        log_warn("%s; waiting for it", error->text);
        source->told = true;
    }
    input->timer = loop_timer(input->start.loop, on_timer, input);
    return input->timer == NULL ? error_set(error, "out of memory") : 0;
}

static void *open_devices(const struct input_start *start, struct error *error)
{
    struct devices_input *input = calloc(1, sizeof(*input));

    if (input == NULL) {
        error_set(error, "out of memory");
        return NULL;
    }
    input->start = *start;
    if (open_all(input, error) < 0) {
        close_devices(input);
        return NULL;
    }
    return input;
}

static int start_devices(void *context, struct error *error)
{
    struct devices_input *input = context;

    input->started = true;
    for (unsigned i = 0; i < input->count; i++)
        if (input->sources[i]->device != NULL && start_source(input->sources[i], error) < 0)
            return -1;
    loop_timer_set(input->timer, time_monotonic_ns() + try_again_ns);
    return 0;
}

/* Nothing new is taken from a device that left the map; what its ring holds is, its last block within its time. */
static void finish_source(struct source *source)
{
    const struct input_start *start = &source->input->start;
    struct pollfd waiting = {.fd = device_fd(source->device), .events = POLLIN};
    struct error error;

    device_stop(source->device);
    while (poll(&waiting, 1, last_block_ms) > 0 &&
           device_read(source->device, turn_frames, on_frame, source, &error) > 0)
        start->calls->end_batch(start->context);
}

static bool same_row(const struct device_row *a, const struct device_row *b)
{
    return strcmp(a->name, b->name) == 0 && a->direction == b->direction && a->number == b->number;
}

/* The map again: devices that left it are closed, new ones opened, the others go on without a break. */
static int reload_devices(void *context)
{
    struct devices_input *input = context;
    const char *path = input->start.settings->pcap_interfaces_map;
    struct device_rows rows;
    struct error error;

    if (path == NULL)
        return 0;
    log_info("[%s] (re)loading map.", path);
    if (device_rows_load(&rows, path, &error) < 0) {
        counter_add(&input->start.counters[INPUT_maps_refused], 1);
        log_error("%s. Rolling back old map.", error.text);
        return -1;
    }
    for (unsigned i = input->count; i-- > 0;) {
        unsigned row = 0;

        while (row < rows.count && !same_row(&rows.rows[row], &input->sources[i]->row))
            row++;
        if (row < rows.count && input->sources[i]->device != NULL) {
            rows.rows[row] = rows.rows[--rows.count]; /* is there already, and open */
            continue;
        }
        if (input->started && input->sources[i]->device != NULL)
            finish_source(input->sources[i]);
        remove_source(input, i);
    }
    for (unsigned i = 0; i < rows.count; i++) {
        struct source *source = add_source(input, &rows.rows[i], &error);
        bool absent;

        if (source != NULL &&
            (open_source(source, &absent, &error) < 0 || (input->started && start_source(source, &error) < 0))) {
            close_source(source);
            log_warn("%s%s", error.text, input->start.settings->pcap_interface_wait ? "; waiting for it" : "");
            source->told = true;
        }
    }
    counter_add(&input->start.counters[INPUT_maps_loaded], 1);
    log_info("[%s] map successfully (re)loaded with %u entries.", path, input->count);
    return 0;
}

static void count_late(void *context, struct frame *frame)
{
    const struct source *source = context;

    (void)frame;
    counter_add(&source->input->start.counters[INPUT_frames_at_stop], 1);
}

/* One round over all devices. Returns whether there was anything. */
static bool read_all(struct devices_input *input, device_frame_fn *fn)
{
    struct error error;
    bool any = false;

    for (unsigned i = 0; i < input->count; i++)
        if (input->sources[i]->device != NULL)
            any |= device_read(input->sources[i]->device, turn_frames, fn, input->sources[i], &error) > 0;
    return any;
}

/*
 * Takes nothing new, and all that the rings hold: the last block of each comes within its time. What is left when time
 * is up is counted.
 */
static void drain_devices(void *context)
{
    struct devices_input *input = context;
    const struct input_start *start = &input->start;
    int64_t begun = time_monotonic_ns(), quiet_since = begun, now = begun;

    for (unsigned i = 0; i < input->count; i++)
        if (input->sources[i]->device != NULL)
            device_stop(input->sources[i]->device);
    while (now - quiet_since < drain_ns && now - begun < drain_limit_ns) {
        bool any = read_all(input, on_frame);

        start->calls->end_batch(start->context);
        now = time_monotonic_ns();
        if (any)
            quiet_since = now;
        else
            poll(NULL, 0, drain_pause_ms);
    }
    while (read_all(input, count_late))
        ;
    for (unsigned i = 0; i < input->count; i++)
        if (input->sources[i]->device != NULL)
            take_drops(input->sources[i]);
}

const struct input_ops input_devices = {
    .open = open_devices,
    .start = start_devices,
    .reload = reload_devices,
    .drain = drain_devices,
    .close = close_devices,
};

/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/device.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <pcap/pcap.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/time.h"

#define block_wait_ms 50 /* after which the kernel hands over a block that is not full yet */

struct device {
    char name[IFNAMSIZ];
    pcap_t *pcap;
    struct bpf_program program; /* of the operator's filter */
    uint16_t link;
    uint32_t kernel_drops, interface_drops; /* as last told; they wrap */
    device_frame_fn *fn;
    void *context;
    int64_t started_ns;   /* wall clock: what was captured before is not ours */
    int64_t settled_ns;   /* monotonic clock: all of that has been read by then */
    bool fresh;           /* such frames may come yet; the ring is in order of time: the first of ours ends it */
};

/* LINKTYPE_ of the registry for a DLT_ of this machine, where the two differ (pcap-linktype(7)). */
static uint16_t linktype_of(int dlt)
{
    switch (dlt) {
    case DLT_RAW:
        return 101;
    case DLT_PPP_SERIAL:
        return 50;
    default:
        return (uint16_t)dlt;
    }
}

static int find_first(struct device *device, struct error *error)
{
    char text[PCAP_ERRBUF_SIZE];
    pcap_if_t *all = NULL;

    if (pcap_findalldevs(&all, text) < 0)
        return error_set(error, "cannot list the devices: %.200s", text);
    if (all == NULL)
        return error_set(error, "there is no device that may be captured from; is the right missing (CAP_NET_RAW)?");
    snprintf(device->name, sizeof(device->name), "%s", all->name);
    pcap_freealldevs(all);
    return 0;
}

/* Settings that libpcap takes before it opens the socket; it refuses none of these values. */
static void set_options(pcap_t *pcap, const struct device_options *options)
{
    pcap_set_snaplen(pcap, (int)options->snap_bytes);
    pcap_set_promisc(pcap, options->promiscuous && strcmp(options->name != NULL ? options->name : "", "any") != 0);
    pcap_set_timeout(pcap, block_wait_ms);
    pcap_set_buffer_size(pcap, (int)min_u64(options->buffer_bytes, INT32_MAX));
    pcap_set_tstamp_precision(pcap, PCAP_TSTAMP_PRECISION_NANO);
    if (options->protocol != 0)
        pcap_set_protocol_linux(pcap, options->protocol);
}

static const char *remedy(int status)
{
    switch (status) {
    case PCAP_ERROR_PERM_DENIED:
        return "; capturing needs root or CAP_NET_RAW";
    case PCAP_ERROR_NO_SUCH_DEVICE:
        return "; `ip link` lists the devices, pcap_interface_wait waits for one";
    case PCAP_ERROR_IFACE_NOT_UP:
        return "; bring it up, or set pcap_interface_wait";
    default:
        return "";
    }
}

static int activate(struct device *device, const struct device_options *options, bool *absent, struct error *error)
{
    char text[PCAP_ERRBUF_SIZE] = "";
    int status;

    device->pcap = pcap_create(device->name, text);
    if (device->pcap == NULL)
        return error_set(error, "cannot capture from '%s': %.200s", device->name, text);
    set_options(device->pcap, options);
    status = pcap_activate(device->pcap);
    if (status < 0) {
        const char *why = pcap_geterr(device->pcap), *what = pcap_statustostr(status);

        *absent = status == PCAP_ERROR_NO_SUCH_DEVICE || status == PCAP_ERROR_IFACE_NOT_UP;
        if (strncmp(why, what, strlen(what)) == 0) /* it says the same, and more */
            what = "";
        return error_set(error, "cannot capture from '%s': %s%s%.150s%s", device->name, what,
                         *what != '\0' && *why != '\0' ? ": " : "", why, remedy(status));
    }
    /* "any": with the number of the device in each frame, where libpcap can (LINKTYPE_LINUX_SLL2). */
    if (strcmp(device->name, "any") == 0)
        pcap_set_datalink(device->pcap, DLT_LINUX_SLL2);
    device->link = linktype_of(pcap_datalink(device->pcap));
    if (pcap_setnonblock(device->pcap, 1, text) < 0)
        return error_set(error, "cannot capture from '%s': %.200s", device->name, text);
    if (options->direction != FRAME_UNKNOWN &&
        pcap_setdirection(device->pcap, options->direction == FRAME_IN ? PCAP_D_IN : PCAP_D_OUT) < 0)
        return error_set(error, "device '%s' cannot tell directions: %.200s", device->name, pcap_geterr(device->pcap));
    return 0;
}

static int compile(struct device *device, const char *expression, struct bpf_program *program, struct error *error)
{
    if (pcap_compile(device->pcap, program, expression, 1, PCAP_NETMASK_UNKNOWN) < 0)
        return error_set(error, "the filter '%.200s' does not fit device '%s': %.200s", expression, device->name,
                         pcap_geterr(device->pcap));
    return 0;
}

/*
 * Past libpcap, which would also throw away what lies in the ring already. The name of the number of BPF_RET | BPF_K is
 * the same in the headers of both.
 */
static int take_nothing(struct device *device)
{
    struct sock_filter nothing = {.code = BPF_RET | BPF_K, .k = 0};
    struct sock_fprog program = {.len = 1, .filter = &nothing};

    return setsockopt(device_fd(device), SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));
}

/* A hash of both ends of a conversation chooses the process (packet(7), PACKET_FANOUT_HASH). */
static int join_group(struct device *device, uint16_t group, struct error *error)
{
    int option = group | PACKET_FANOUT_HASH << 16;

    if (setsockopt(pcap_get_selectable_fd(device->pcap), SOL_PACKET, PACKET_FANOUT, &option, sizeof(option)) < 0)
        return error_errno(error, errno, "cannot share device '%s' between lanes", device->name);
    return 0;
}

struct device *device_open(const struct device_options *options, bool *absent, struct error *error)
{
    struct device *device = calloc(1, sizeof(*device));

    *absent = false;
    if (device == NULL) {
        error_set(error, "out of memory");
        return NULL;
    }
    if (options->name != NULL && strlen(options->name) >= sizeof(device->name)) {
        error_set(error, "'%.40s' is longer than the name of a device can be", options->name);
        goto failed;
    }
    if (options->name != NULL)
        snprintf(device->name, sizeof(device->name), "%s", options->name);
    else if (find_first(device, error) < 0)
        goto failed;
    if (activate(device, options, absent, error) < 0 ||
        compile(device, options->filter != NULL ? options->filter : "", &device->program, error) < 0)
        goto failed;
    if (take_nothing(device) < 0) {
        error_errno(error, errno, "cannot set a filter on '%s'", device->name);
        goto failed;
    }
    if (options->fanout_group != 0 && join_group(device, options->fanout_group, error) < 0)
        goto failed;
    return device;
failed:
    device_close(device);
    return NULL;
}

void device_close(struct device *device)
{
    if (device == NULL)
        return;
    pcap_freecode(&device->program);
    if (device->pcap != NULL)
        pcap_close(device->pcap);
    free(device);
}

const char *device_name(const struct device *device)
{
    return device->name;
}

uint32_t device_number(const struct device *device)
{
    return if_nametoindex(device->name);
}

uint16_t device_link(const struct device *device)
{
    return device->link;
}

int device_fd(const struct device *device)
{
    return pcap_get_selectable_fd(device->pcap);
}

int device_start(struct device *device, struct error *error)
{
    device_take_drops(device); /* of the time before */
    device->started_ns = time_wall_ns();
    device->settled_ns = time_monotonic_ns() + time_second_ns;
    device->fresh = true;
    if (pcap_setfilter(device->pcap, &device->program) < 0)
        return error_set(error, "cannot set the filter on '%s': %.200s", device->name, pcap_geterr(device->pcap));
    return 0;
}

static void on_packet(u_char *context, const struct pcap_pkthdr *header, const u_char *bytes)
{
    struct device *device = (struct device *)context;
    struct frame frame = {
        .bytes = bytes,
        .captured = header->caplen,
        .length = header->len,
        .link = device->link,
        .when_ns = (int64_t)header->ts.tv_sec * 1000000000 + header->ts.tv_usec, /* nanoseconds, as was asked */
    };

    if (unlikely(device->fresh)) { /* a clock that is set back must not hide all that comes */
        if (frame.when_ns < device->started_ns && time_monotonic_ns() < device->settled_ns)
            return;
        device->fresh = false;
    }
    device->fn(device->context, &frame);
}

int device_read(struct device *device, unsigned most, device_frame_fn *fn, void *context, struct error *error)
{
    int got;

    device->fn = fn;
    device->context = context;
    got = pcap_dispatch(device->pcap, (int)most, on_packet, (u_char *)device);
    return got >= 0 ? got : error_set(error, "device '%s': %.200s", device->name, pcap_geterr(device->pcap));
}

void device_stop(struct device *device)
{
    take_nothing(device);
}

struct device_drops device_take_drops(struct device *device)
{
    struct device_drops drops = {0, 0};
    struct pcap_stat stat;

    if (pcap_stats(device->pcap, &stat) < 0)
        return drops;
    drops.kernel = stat.ps_drop - device->kernel_drops;
    if ((int32_t)(stat.ps_ifdrop - device->interface_drops) > 0) /* else the device's own counters began again */
        drops.interface = stat.ps_ifdrop - device->interface_drops;
    device->kernel_drops = stat.ps_drop;
    device->interface_drops = stat.ps_ifdrop;
    return drops;
}

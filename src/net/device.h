/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A network device to capture from, through libpcap, which on Linux maps a ring of blocks that the kernel fills
 * (TPACKET_V3). A device is opened deaf, so that nothing is captured before everybody is ready, then started. Several
 * processes can share the frames of one device, dealt by conversation (PACKET_FANOUT).
 */
#ifndef NET_DEVICE_H
#define NET_DEVICE_H

#include "base/error.h"
#include "net/frame.h"

struct device_options {
    const char *name;              /* "any" is all devices; NULL: the first that libpcap offers */
    const char *filter;            /* tcpdump's language; or NULL */
    uint32_t snap_bytes;           /* captured of each frame */
    uint64_t buffer_bytes;         /* of the ring */
    bool promiscuous;
    enum frame_direction direction; /* FRAME_UNKNOWN: both */
    uint16_t protocol;             /* EtherType of the socket, 0: all */
    uint16_t fanout_group;         /* of the processes that share the device; 0: none */
};

struct device;

/*
 * NULL with a phrase. *absent is set when the device is not there or not up, so that waiting for it makes sense.
 */
struct device *device_open(const struct device_options *options, bool *absent, struct error *error);
void device_close(struct device *device); /* NULL is fine */

const char *device_name(const struct device *device);
uint32_t device_number(const struct device *device); /* of the interface, by the system; 0 of "any" */
uint16_t device_link(const struct device *device);   /* LINKTYPE_ */
int device_fd(const struct device *device);          /* readable when there are frames */

/* Frames are taken from now on. 0, or -1 with a phrase. */
int device_start(struct device *device, struct error *error);

/* `frame` has the bytes, the link and the time; the rest is the callee's to know. Borrowed for the call. */
typedef void device_frame_fn(void *context, struct frame *frame);

/*
 * Hands over up to about `most` frames that are there now. Returns how many; -1 with a phrase when the device is gone
 * or down.
 */
int device_read(struct device *device, unsigned most, device_frame_fn *fn, void *context, struct error *error);

/* Nothing new is taken from now on; what the ring holds can be read yet. */
void device_stop(struct device *device);

struct device_drops {
    uint64_t kernel;    /* the ring was full */
    uint64_t interface; /* the device had no room, as far as it tells */
};

/* Since the last call. */
struct device_drops device_take_drops(struct device *device);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pcap_interfaces_map: the devices that pmacctd captures from. A row a line, blank-separated key=value pairs:
 *
 *   ifname     the device
 *   ifindex    optional: its number in in_iface and out_iface, with pcap_ifindex: map
 *   direction  optional: in or out. A device may come twice, once for each
 */
#ifndef MAP_DEVICES_H
#define MAP_DEVICES_H

#include "base/error.h"
#include "net/frame.h"

#define devices_max 64
#define device_name_max 16 /* with its NUL, as the kernel has it */

struct device_row {
    char name[device_name_max];
    uint32_t number; /* 0: not told */
    enum frame_direction direction;
};

struct device_rows {
    unsigned count;
    struct device_row rows[devices_max];
};

/* 0, or -1 with a phrase that names file and line. A map without a row is an error. */
int device_rows_load(struct device_rows *rows, const char *path, struct error *error);
int device_rows_parse(struct device_rows *rows, const char *name, const char *text, size_t size, struct error *error);

#endif

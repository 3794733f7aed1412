/* SPDX-License-Identifier: BSD-2-Clause */
/* A captured frame, as files, devices and NFLOG give it to the packet decoder. */
#ifndef NET_FRAME_H
#define NET_FRAME_H

#include "base/base.h"

enum frame_direction { FRAME_UNKNOWN, FRAME_IN, FRAME_OUT };

/* Borrowed from who captured it, valid until that takes the next one. */
struct frame {
    const uint8_t *bytes;
    uint32_t captured;  /* bytes that are there */
    uint32_t length;    /* bytes of the frame as it was */
    uint16_t link;      /* what the bytes begin with: a number of libpcap's registry (LINKTYPE_), 1 is Ethernet */
    uint8_t direction;  /* enum frame_direction */
    uint32_t in_iface;  /* numbers of interfaces, 0: not known */
    uint32_t out_iface;
    int64_t when_ns;    /* wall clock at the capture */
};

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What application a conversation is of. The library that knows (libndpi) is in a module of its own, classify_ndpi.so,
 * opened by the collector only when somebody asks for `class`: so the daemons do not link it, and its package is
 * optional. This header is all that both sides share.
 */
#ifndef CLASSIFY_CLASSIFY_H
#define CLASSIFY_CLASSIFY_H

#include "base/error.h"
#include "flow/flow.h"

#define classifier_abi 1u

struct classifier_options {
    uint64_t flows_max;           /* being classified at once */
    bool guess;                   /* by port and address, when the packets have not told */
    int64_t idle_ns;              /* state of a flow is freed after so long without packets */
    unsigned giveup_tcp, giveup_udp, giveup_other; /* packets */
};

struct classifier_counts {
    uint64_t flows;     /* being classified now */
    uint64_t classified, unknown; /* so far */
    uint64_t no_room;   /* flows that were not classified because flows_max were */
};

struct classifier;

/* What a module is; its one symbol is `classifier_module`. */
struct classifier_ops {
    unsigned abi;
    struct classifier *(*open)(const struct classifier_options *options, struct error *error);
    /*
     * A packet of a conversation: `ip` is the captured IP packet from its header on. *state is the conversation's,
     * NULL at its first packet; `backwards` tells the direction. Returns the class as a text that lives as long as
     * the classifier ("unknown" as long as it is not known).
     */
    struct span (*packet)(struct classifier *classifier, void **state, const uint8_t *ip, size_t size,
                          bool backwards, uint8_t proto, int64_t now_ns);
    /* The conversation has ended. NULL is allowed. */
    void (*release)(struct classifier *classifier, void *state);
    struct classifier_counts (*counts)(const struct classifier *classifier);
    void (*close)(struct classifier *classifier);
};

extern const struct classifier_ops classifier_module;

#endif

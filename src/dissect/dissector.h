/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a dissector is: a struct dissector_ops, built in or the one symbol `dissector_module` of a shared object.
 * README.md of this folder writes one step by step.
 *
 * Life. init once, before the first packet. A conversation (a TCP connection, or the datagrams between two UDP ports)
 * begins with its first packet that has a port of the dissector; its state is state_bytes zero bytes, aligned for any
 * type. Then tcp_data, tcp_gap and tcp_fin, or udp_data, as packets come. expire is the last call of a conversation:
 * what is open there is told now or never. All calls are on one thread, for one conversation after the other.
 *
 * Bytes. tcp_data gets the bytes of one side in their order, each once, at most stream_bytes of them. It returns how
 * many it is done with. Fewer than there were: the rest comes again, with more behind it. More than there were: so
 * many of the next bytes are passed over without being looked at, even if they were not captured; when they are over,
 * a call without bytes says so. 0 is "this is too little". When `last` is set there will be no more behind these
 * bytes (no room to keep them, a hole behind them, the end): what can be understood should be, the others are lost.
 * tcp_gap tells how many bytes are missing then; false: the dissector cannot go on. tcp_fin: the side sends nothing
 * more.
 *
 * Ownership. Bytes given are valid during the call. The state and what `allocate` gave belong to the conversation:
 * freed after expire, or earlier by `release`. A dissector has no other memory, no files, no locks, and does not log.
 *
 * Bounds. Bytes are hostile: cursors, no loop without progress, no recursion. A dissector bounds what it keeps of a
 * conversation; `allocate` returns NULL when there is no memory, and then the transaction is given up, not the
 * conversation. Lines are bounded by us: texts are cut, what does not fit is left out and the line says so.
 */
#ifndef DISSECT_DISSECTOR_H
#define DISSECT_DISSECTOR_H

#include "base/error.h"
#include "net/address.h"

#define dissector_abi 1u
#define dissector_answer_ns (INT64_C(10) * 1000000000) /* a usual idle_ns: so long an answer is waited for */

enum dissector_side { DISSECTOR_CLIENT, DISSECTOR_SERVER };

/* What has been found out beside the lines. */
enum dissector_name {
    DISSECTOR_NAME_TLS_SNI, /* of the conversation, from now on */
    DISSECTOR_NAME_DNS      /* of the packet in hand */
};

enum dissector_reason { /* of expire */
    DISSECTOR_ENDED,    /* the connection was closed, or the flow table let it go */
    DISSECTOR_IDLE,     /* nothing came for idle_ns */
    DISSECTOR_NO_MEMORY /* others need the memory, and this one is the oldest */
};

struct dissector_calls;

struct dissector_conversation {
    const struct dissector_calls *calls;
    void *state;                 /* the dissector's own */
    struct address hosts[2];     /* by enum dissector_side: the client has sent first, or sends to the port */
    uint16_t ports[2];
    uint8_t proto;               /* 6 or 17 */
    bool whole[2];               /* TCP: the side is known from its SYN on, not from the middle */
    bool tells;                  /* lines are wanted, not only names */
};

/* The members that all lines have. A transaction is a question and its answer, whatever these are. */
struct dissector_transaction {
    enum dissector_side asker;   /* nearly always the client */
    int64_t start_ns;            /* of the question, wall clock; 0: not seen */
    int64_t end_ns;              /* of the answer; 0: none */
    uint64_t question_bytes;     /* of the protocol's messages, without headers of lower layers */
    uint64_t answer_bytes;
    const char *status;          /* "ok", "error", "no answer", "no question" */
    const char *note;            /* why something is missing: "gap", "cut", ...; or NULL */
};

struct dissector_calls {
    /*
     * A line: begin, members in any order, end. False: nobody wants it, or it is no time for it; no members then. The
     * members are in an object that is named like the dissector. In a list, `name` is NULL.
     */
    bool (*begin)(struct dissector_conversation *conversation, const struct dissector_transaction *transaction);
    void (*text)(struct dissector_conversation *conversation, const char *name, const char *text, size_t length);
    void (*number)(struct dissector_conversation *conversation, const char *name, uint64_t number);
    void (*flag)(struct dissector_conversation *conversation, const char *name, bool flag);
    void (*open)(struct dissector_conversation *conversation, const char *name, char bracket); /* '[' or '{' */
    void (*close)(struct dissector_conversation *conversation);
    void (*end)(struct dissector_conversation *conversation);

    /* Zeroed memory, aligned for any type, or NULL. */
    void *(*allocate)(struct dissector_conversation *conversation, size_t bytes);
    void (*release)(struct dissector_conversation *conversation, void *memory); /* NULL is allowed */

    /* For the primitives; cut at 255 bytes. */
    void (*name)(struct dissector_conversation *conversation, enum dissector_name name, const char *text,
                 size_t length);
    /*
     * Nothing of this conversation is of interest any more. Expire comes when the call in hand returns. With UDP the
     * next packet begins another one, with TCP the next connection.
     */
    void (*finish)(struct dissector_conversation *conversation);
};

struct dissector_data {
    const uint8_t *bytes;
    size_t size;
    size_t fresh;      /* offset of the first byte that no call had before; from here on is news */
    int64_t first_ns;  /* when the packet of the first byte was captured */
    int64_t when_ns;   /* when that of the last one was */
    uint64_t length;   /* UDP: of the payload as it was; more than size: the capture has cut it */
    bool last;
};

struct dissector_ops {
    unsigned abi;             /* dissector_abi */
    const char *name;         /* small letters, digits and _: of the configuration, and "type" of its lines */
    const uint16_t *tcp_ports; /* ends with 0; the configuration may choose others. NULL: not over TCP */
    const uint16_t *udp_ports; /* the same; NULL: not over UDP */
    size_t state_bytes;
    int64_t idle_ns;          /* a conversation without packets for so long is ended */
    int (*init)(struct error *error); /* may be NULL; -1 and a phrase: the daemon does not start */
    uint64_t (*tcp_data)(struct dissector_conversation *conversation, enum dissector_side side,
                         const struct dissector_data *data);
    bool (*tcp_gap)(struct dissector_conversation *conversation, enum dissector_side side, uint64_t missing_bytes);
    void (*tcp_fin)(struct dissector_conversation *conversation, enum dissector_side side, int64_t when_ns);
    void (*udp_data)(struct dissector_conversation *conversation, enum dissector_side side,
                     const struct dissector_data *data);
    void (*expire)(struct dissector_conversation *conversation, enum dissector_reason reason);
};

/* Of a module. */
extern const struct dissector_ops dissector_module;

#endif

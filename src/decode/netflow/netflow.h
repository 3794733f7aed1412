/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * NetFlow v1, v5, v6, v7, v8, v9 and IPFIX (RFC 3954, RFC 7011): datagrams and stream messages in, flow records out.
 *
 * A template is compiled when it arrives: a list of moves with bounds proved once, shared by all exporters that send
 * the same one. The fixed versions are templates known in advance and run on the same engine.
 */
#ifndef DECODE_NETFLOW_NETFLOW_H
#define DECODE_NETFLOW_NETFLOW_H

#include "decode/decode.h"

enum netflow_template_key { /* what tells two exporting processes behind one address apart, for datagrams */
    NETFLOW_TEMPLATES_BY_ADDRESS,
    NETFLOW_TEMPLATES_BY_ADDRESS_AND_PORT
};

enum netflow_biflow { /* RFC 5103 records: the reverse direction is ... */
    NETFLOW_BIFLOW_SPLIT,  /* a record of its own */
    NETFLOW_BIFLOW_SINGLE, /* added to the forward one */
    NETFLOW_BIFLOW_IGNORE
};

/* Takes one line of text without a newline; what it does with it is its own affair. */
typedef void netflow_text_fn(void *context, const char *text, size_t length);

struct netflow_options {
    enum netflow_template_key templates_key;
    enum netflow_biflow biflow;
    uint64_t template_bytes_max;    /* all templates of this lane, 0: 64 MiB */
    uint32_t exporter_templates_max; /* of one exporter and domain, 0: 1024 */
    int64_t template_lifetime_ns;   /* of datagram templates neither refreshed nor used, 0: for ever */
    uint64_t hold_bytes_max;        /* data that waits for its template, 0: none may wait */
    int64_t hold_ns;                /* for how long, 0: 300 s */
    bool ignore_exporter_address;   /* elements 130, 131 do not name the exporter */
    bool disable_scope_check;       /* options data of any scope hold for the whole exporter */
    bool account_options;           /* options records are handed on as flows too */
    bool asa_bi_flow;               /* 231/232 and 298/299 are the two directions of a connection */
    bool drop_unknown_rate;         /* records of an exporter that samples and has not told its rate are dropped */
    bool check_padding;             /* a data set whose padding is not zero is malformed */
    bool use_ip_next_hop;           /* elements 15 and 62 too name the next hop */
    bool time_secs;                 /* v5 and its kin: uptime and flow times are in seconds */
    const char *templates_file;     /* kept up to date, read at the start; NULL: none */
    netflow_text_fn *on_record;     /* every data record as a JSON object, for --decode; NULL: not asked for */
    netflow_text_fn *on_template;   /* every new template, lines for a person; NULL: not asked for */
    netflow_text_fn *on_trouble;     /* one phrase: the templates file cannot be written; NULL: nobody hears it */
    void *text_context;
};

struct netflow;

/* NULL with a phrase on failure (out of memory, a templates file that cannot be used). */
struct netflow *netflow_new(const struct netflow_options *options, const struct decode_output *output,
                            struct error *error);
void netflow_free(struct netflow *netflow);

/* Templates and rates of one more file, of another lane or of before. Returns 0 or -1 with file, line and reason. */
int netflow_load_templates(struct netflow *netflow, const char *path, struct error *error);

/* One UDP datagram, or one message of a stream (origin->session is not 0). Never fails: what is wrong is counted. */
void netflow_datagram(struct netflow *netflow, const uint8_t *bytes, size_t size, const struct origin *origin);

/* A stream has ended: its templates die with it (RFC 7011 section 10.2, 10.4). */
void netflow_session_closed(struct netflow *netflow, uint32_t session);

/* About once a second: expiry of templates and of what waits for them, and the templates file. */
void netflow_tick(struct netflow *netflow, int64_t now_ns);

/* At the stop: what still waits for a template is booked as lost, the templates file is written. */
void netflow_end(struct netflow *netflow);

/*
 * Exporters, domains, templates, sampling and other option tables as one JSON document, written into `out` (size
 * bytes, NUL-terminated); returns its length. What does not fit is left out, and "truncated": true says so.
 */
size_t netflow_describe(const struct netflow *netflow, int64_t now_ns, char *out, size_t size);

#endif

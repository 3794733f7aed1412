/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of decode/netflow share. Data flow of one datagram:
 *
 *   netflow.c    headers of v9 and IPFIX, walks the sets by their length         fixed.c  v1 v5 v6 v7 v8
 *   domain.c     who sends        loss.c  what is missing by sequence numbers
 *   template.c   definitions (what a template says, shared), templates (an id of a domain)
 *   compile.c    definition -> program: mapping.def says which element gives which field or part
 *   direct.c     the same for each plugin, from the wire to the body of its layout, where nothing stands between
 *   run.c        program over the records of a data set -> struct record -> finish -> output
 *   finish.c     table of finishing steps: times, sampling, names, directions, sections ...; each {parts, gives, run}
 *   options.c    what options records teach of a domain: samplers, interfaces, VRFs, applications
 *   hold.c       data sets that wait for their template
 *   persist.c    the templates file
 *   show.c       records and templates as text
 */
#ifndef DECODE_NETFLOW_PRIVATE_H
#define DECODE_NETFLOW_PRIVATE_H

#include "base/cursor.h"
#include "decode/exporter.h"
#include "decode/netflow/netflow.h"
#include "decode/sequence.h"

/* ---- templates ---------------------------------------------------------------------------------------------- */

#define template_variable 0xffffu    /* a field's length: told in each record */
#define template_fields_max 512
#define fixed_definitions_max 24
#define domains_max (2 * ledger_exporters_max)
#define definition_slots 4096 /* chains of the hash of definitions */
#define enterprise_scope 0xffffffffu /* scope fields of NetFlow v9 have numbers of their own: 1 system, 2 interface,
                                        3 line card, 4 cache, 5 template (RFC 3954 section 6.1) */
#define enterprise_reverse 29305u    /* RFC 5103 section 6.1 */
#define told_ms_max (UINT64_C(1) << 43) /* ms since 1970 that are kept: the year 2248; fits int64 ns */

struct template_field {
    uint32_t enterprise; /* 0: IANA's; NetFlow v9 has only these */
    uint16_t id;
    uint16_t length; /* octets, or template_variable */
};

enum template_kind { TEMPLATE_DATA, TEMPLATE_OPTIONS };

enum op_kind {
    OP_U8,       /* 1 octet to 1 byte */
    OP_U16,      /* 2 octets to 2 bytes, and so on */
    OP_U32,
    OP_U64,
    OP_U32_U64,  /* 4 octets to 8 bytes */
    OP_U16_U32,
    OP_NUMBER,   /* `size` octets to `width` bytes: too large a value is saturated */
    OP_SIGNED,
    OP_REAL,     /* 4 or 8 octets to double */
    OP_IPV4,
    OP_IPV6,
    OP_MAC,
    OP_TEXT,     /* to a span, cut at the first NUL, trailing blanks off */
    OP_BYTES,    /* to a span, as it is */
    OP_TIME,     /* an element of a time type to int64 ns: `width` is its enum element_type */
    OP_U16_TWICE, /* two moves of one kind in one: `from`, `to` and `from_2`, `to_2` */
    OP_U32_TWICE,
    OP_U64_TWICE,
    OP_U32_U64_TWICE,
    OP_IPV4_TWICE,
    OP_IPV6_TWICE,
    OP_FLAGS,    /* the last octet of `size` to 8 bytes */
    OP_VARIABLE_LOOK, /* a field of variable length: does `inner` with its octets */
    OP_VARIABLE, /* the same field, always last: moves the base to its end */
    OP_END
};

struct op {
    uint8_t kind;  /* enum op_kind */
    uint8_t inner; /* OP_VARIABLE_LOOK: what to do with the octets */
    uint8_t width; /* bytes of the destination */
    uint8_t pad;
    uint16_t size; /* octets in the record; OP_VARIABLE*: least octets of the fields after it; OP_END: to the end */
    uint16_t from; /* offset from the base: the record's start or the end of the last variable field */
    uint16_t to;   /* offset in struct record */
    uint16_t from_2, to_2;
};

#define direct_batch 32 /* bodies handed on at a time */

/* The same program for one plugin, writing straight to a body of its layout; see direct.c. */
struct direct {
    struct op *ops;
    bool covers;           /* the ops write all of the body but the padding of its key */
    bool checks_ports;
    uint16_t ports[2];     /* offsets in the body of 2-byte ports; no_port: none */
};
#define no_port UINT16_MAX

/* What a template says and the program made of it. Immutable and shared: exporters of one make send the same ones. */
struct definition {
    struct definition *next; /* of its hash chain */
    uint64_t hash;
    uint32_t references;
    uint32_t bytes;       /* memory it takes, with its programs; of the fixed versions 0: they are not limited */
    uint8_t version;      /* of the protocol: 9, 10, or a fixed one */
    uint8_t kind;         /* enum template_kind */
    uint16_t field_count; /* scope fields first */
    uint16_t scope_count;
    uint16_t op_count;    /* without OP_END */
    uint32_t record_min;  /* octets of the shortest record, never 0 */
    bool variable;        /* some field is of variable length */
    bool event;           /* no counter of traffic in it: an event (notes in finish.c) */
    bool checks_ports;    /* ports count only for protocols that have them */
    bool two_way;         /* its records count both directions of a flow */
    uint32_t finishers;   /* bit i: row i of finish_table is to be run */
    struct field_set have; /* the fields that the ops fill in */
    uint64_t parts_have[2];
    struct direct *direct;  /* one for each target of the output; NULL: records go through struct record */
    unsigned direct_count;
    uint16_t proto_at;      /* direct: where the protocol stands in the record, one octet */
    struct op *ops;
    struct template_field fields[];
};

struct template {
    uint16_t id;      /* 0: a free place */
    uint32_t refreshes, changes;
    int64_t first_ns, last_ns; /* arrival of its first and its newest template record */
    int64_t used_ns;  /* of the last data set */
    uint64_t records; /* decoded by it */
    struct definition *definition;
};

/* ---- a record being decoded ----------------------------------------------------------------------------------- */

enum part_id {
#define PART(id, kind) PART_##id,
#include "decode/netflow/parts.def"
#undef PART
    PART_COUNT
};

typedef uint64_t part_type_NUMBER;
typedef struct address part_type_ADDRESS;
typedef struct span part_type_BYTES;

struct parts {
#define PART(id, kind) part_type_##kind id;
#include "decode/netflow/parts.def"
#undef PART
};

struct record {
    struct flow flow;
    struct parts parts; /* valid where parts_have says so */
    uint64_t parts_have[2];
    const struct definition *definition;
    const struct template *template; /* NULL for the fixed versions */
    const uint8_t *bytes;            /* the record on the wire */
    uint32_t size;
};

static inline bool record_has(const struct record *record, enum part_id part)
{
    return record->parts_have[part / 64] >> (part % 64) & 1;
}

/* ---- who sends ------------------------------------------------------------------------------------------------ */

struct option_tables; /* options.c */
struct held_set;      /* hold.c */

/* One observation domain (IPFIX), source id (v9) or engine (v5, v7, v8) of one exporter. */
struct domain {
    struct domain *next;    /* of all */
    struct domain *sibling; /* same exporter and id, another port or session */
    struct exporter *exporter;
    struct address agent;   /* the socket's address; rows may show the address that options data tell, see `told` */
    struct address told;    /* elements 130, 131 of an options record; absent: none */
    uint32_t id, session;
    uint16_t port;
    uint8_t version;
    struct {                /* loss.c */
        bool started;
        bool resync;        /* a data set without template came: the next sequence number is taken as it is */
        bool odd_count;     /* v9: it counts records, against RFC 3954; IPFIX: those of the message are in its number */
        uint8_t suspicion;  /* how often in a row a gap had the size that tells so */
        uint32_t sequence, last_records, uptime_ms; /* of the message that leads */
        uint64_t doubtful_lost, doubtful_late;      /* counted under suspicion */
        struct sequence datagrams;                  /* v9 */
    } loss;
    bool samples;           /* it has told that it samples (options, header), or a record named a sampler */
    uint32_t template_count, template_room; /* room: a power of two */
    struct template *templates;             /* hashed by id */
    struct option_tables *options;          /* NULL until an options record has come */
    bool options_refused;                   /* there was no memory for them; asked again after the next tick */
    struct held_set *held, *held_last;      /* in order of arrival */
    uint64_t held_bytes;
    int64_t init_ns;        /* system init time, element 160; 0: not told */
    int64_t last_ns;        /* arrival of the last message */
};

/* The message whose sets are being read. */
struct message {
    const struct origin *origin;
    uint16_t version;
    uint32_t sequence, domain_id;
    uint32_t uptime_ms;      /* v1 to v9 */
    int64_t export_ns;       /* of the header, plausible or replaced by the arrival */
    uint32_t sampling_rate;  /* v5: of the header, 0 when it does not tell */
    uint16_t engine_type;    /* as in struct flow_traits */
};

struct netflow {
    struct netflow_options options;
    struct decode_output output;
    uint64_t *counters;
    struct exporter_table *exporters;
    struct domain *domains, *domain; /* all; the current one */
    struct message message;
    struct record record;
    struct field_set wants;          /* output.wants and what finishing steps need */
    struct definition **definitions; /* hash table of definition_slots */
    uint64_t template_bytes, held_bytes; /* memory in use */
    char *templates_path;            /* the templates file, or NULL */
    bool templates_changed;          /* since the templates file was written */
    int64_t saved_ns;
    struct definition *fixed[fixed_definitions_max]; /* fixed.c */
    uint64_t accounted, packets;     /* records handed on, and their packets, of this message: not yet counted */
    uint8_t *bodies;                 /* direct: direct_batch of them for each target */
    size_t body_offsets[decode_targets_max]; /* of a target's in it */
    uint64_t message_records;        /* in the data sets of this message */
    uint64_t message_options;        /* of them, options records */
    bool any_options;                /* some domain has tables of options data that may hold for others */
    bool unknown_set;                /* this message had a data set without template */
    unsigned domain_count;
    struct finish *finish;           /* finish.c: its own state */
    struct show *show;               /* show.c: its own state, NULL unless on_record or on_template */
};

static inline void netflow_count(struct netflow *netflow, enum input_counter id)
{
    counter_add(&netflow->counters[id], 1);
}

/* ---- walking a record field by field, for what is not hot: options data, --decode ------------------------------- */

struct field_walk {
    const struct definition *definition;
    struct cursor cursor;
    unsigned index; /* of the next field */
};

struct field_value {
    const struct template_field *field;
    unsigned index;
    const uint8_t *bytes;
    uint32_t size;
    bool scope; /* one of the scope fields of an options record */
};

static inline struct field_walk field_walk_over(const struct definition *definition, const uint8_t *bytes, size_t size)
{
    return (struct field_walk){definition, cursor_over(bytes, size), 0};
}

/* Octets of a variable-length field (RFC 7011 section 7); the cursor is failed when they are not all there. */
static inline uint32_t field_variable_length(struct cursor *cursor)
{
    uint32_t length = cursor_u8(cursor);

    return length < 255 ? length : cursor_be16(cursor);
}

/* The next field; false at the end, or when the record is cut (then walk->cursor.failed is set). */
static inline bool field_walk_next(struct field_walk *walk, struct field_value *value)
{
    if (walk->index >= walk->definition->field_count || walk->cursor.failed)
        return false;
    value->index = walk->index++;
    value->field = &walk->definition->fields[value->index];
    value->scope = value->index < walk->definition->scope_count;
    value->size = value->field->length;
    if (value->size == template_variable)
        value->size = field_variable_length(&walk->cursor);
    value->bytes = cursor_take(&walk->cursor, value->size);
    return !walk->cursor.failed;
}

/* A big-endian unsigned number of any size: the low 8 octets count, a larger value becomes UINT64_MAX. */
static inline uint64_t field_number(const uint8_t *bytes, uint32_t size)
{
    uint64_t value = 0;

    for (; size > 8; bytes++, size--)
        if (*bytes != 0)
            return UINT64_MAX;
    for (uint32_t i = 0; i < size; i++)
        value = value << 8 | bytes[i];
    return value;
}

/* ---- template.c ----------------------------------------------------------------------------------------------- */

/* Finds or makes the shared definition and takes a reference; NULL when memory (of the limit, or at all) is out. */
struct definition *definition_intern(struct netflow *netflow, uint8_t version, enum template_kind kind,
                                     unsigned scope_count, unsigned field_count, const struct template_field *fields);
void definition_release(struct netflow *netflow, struct definition *definition);

struct template *template_find(const struct domain *domain, unsigned id);
/* Stores or replaces; false when a limit forbids it (counted). Takes over the reference to `definition` either way. */
bool template_store(struct netflow *netflow, struct domain *domain, unsigned id, struct definition *definition,
                    int64_t now_ns);
/* id 0: all of `kind`. */
void template_forget(struct netflow *netflow, struct domain *domain, unsigned id, enum template_kind kind);
void templates_expire(struct netflow *netflow, struct domain *domain, int64_t now_ns);
void templates_free(struct netflow *netflow, struct domain *domain);

/* ---- compile.c, run.c ------------------------------------------------------------------------------------------- */

/* Makes the program of a definition: ops (malloc'ed), have, parts_have, finishers, event. Returns 0 or -1 (memory). */
int definition_compile(const struct netflow *netflow, struct definition *definition);

/*
 * direct.c: makes definition->direct of ops that are not joined yet, when the definition and the output allow it;
 * without memory, or when not, it stays NULL. `join` is compile.c's joining of moves.
 */
void direct_compile(const struct netflow *netflow, struct definition *definition,
                    unsigned (*join)(struct op *ops, unsigned count));
void direct_free(struct definition *definition);

/*
 * Decodes all records of a data set of the current domain and message. Returns how many; `*odd` gets true when octets
 * were left that are neither a record nor padding.
 */
uint64_t run_data_set(struct netflow *netflow, const struct definition *definition, struct template *template,
                      struct cursor set, bool *odd);

/* A data set with its template, in the current message and domain, with its counters. */
void run_template(struct netflow *netflow, struct template *template, struct cursor set);

/* Hands the current record on: what finish steps that make two records of one call for each. */
static inline void run_emit(struct netflow *netflow)
{
    netflow->accounted++;
    netflow->packets += netflow->record.flow.packets;
    netflow->output.record(netflow->output.context, &netflow->record.flow);
}

/* ---- domain.c ------------------------------------------------------------------------------------------------ */

/* The domain of an exporter: found, or made; NULL when there is no place. Used by persist.c too. */
struct domain *domain_find(struct netflow *netflow, const struct address *agent, uint32_t id, unsigned version,
                           const struct origin *origin);
/* Those of a session; those of ports that an exporter has left; all of them. */
void domains_close_session(struct netflow *netflow, uint32_t session);
void domains_expire(struct netflow *netflow, int64_t now_ns);
void domains_free(struct netflow *netflow);
/* Makes `domain` the one whose message is read: rows, constants of its records. */
void domain_begin_message(struct netflow *netflow, struct domain *domain, size_t size);

/* The header's clock, or the arrival when the exporter has no clock yet. */
static inline int64_t message_time(const struct message *message, uint32_t seconds, uint32_t nanoseconds)
{
    if (seconds < UINT32_C(946684800)) /* 2000: a clock before that has not been set */
        return message->origin->arrival_ns;
    return (int64_t)seconds * INT64_C(1000000000) + (nanoseconds < UINT32_C(1000000000) ? nanoseconds : 999999999);
}

/* ---- fixed.c ----------------------------------------------------------------------------------------------------- */

int fixed_open(struct netflow *netflow, struct error *error);
void fixed_close(struct netflow *netflow);
/* A datagram of version 1, 5, 6, 7 or 8 after its version. Returns what became of it. */
enum input_counter fixed_datagram(struct netflow *netflow, struct cursor cursor, unsigned version);

/* ---- loss.c ------------------------------------------------------------------------------------------------------ */

/* After a message with `records` data and options records, `options` of them the latter: what its number says. */
void loss_message(struct netflow *netflow, struct domain *domain, uint64_t records, uint64_t options);

/* ---- finish.c ------------------------------------------------------------------------------------------------- */

typedef void finish_fn(struct netflow *netflow, struct record *record);

#define finish_parts_max 24
#define finish_gives_max 12

/*
 * A finishing step: run when the template has one of `parts` (or always, when there are none) and some plugin wants one
 * of `gives` (or always, when there are none). All of `parts` that the template has are read for it, and the fields of
 * `needs` are decoded too.
 */
struct finish_row {
    const char *name;
    finish_fn *run;
    unsigned part_count, give_count, need_count;
    enum part_id parts[finish_parts_max];
    enum field_id gives[finish_gives_max];
    enum field_id needs[finish_gives_max];
    bool last; /* it calls run_emit itself, as often as there are records; the others run before it */
};

extern const struct finish_row finish_table[];
extern const unsigned finish_count; /* at most 32 */

/* Before the first template: options, state. Returns 0 or -1. */
int finish_open(struct netflow *netflow, struct error *error);
void finish_close(struct netflow *netflow);
/* Fields that are the same for all records of a set: exporter, versions, sequence, arrival ... into record->flow. */
void finish_message(struct netflow *netflow);

/* ---- options.c ------------------------------------------------------------------------------------------------ */

/* Learns from one options record of the current domain. */
void options_record(struct netflow *netflow, const struct definition *definition, const uint8_t *bytes, size_t size);
void option_tables_free(struct domain *domain);

/*
 * The sampling rate that holds for a record by all that is known: its own elements, sampler or selector id, template,
 * interface, domain, then the header's (v5). 0: the exporter samples and has not told a rate; 1: it does not sample.
 */
double options_sampling_rate(const struct netflow *netflow, const struct record *record);
/* Names; a span of length 0 when not known. They live as long as the domain's tables are not changed. */
struct span options_interface_name(const struct domain *domain, uint64_t interface);
struct span options_vrf_name(const struct domain *domain, uint64_t vrf);
bool options_vrf_distinguisher(const struct domain *domain, uint64_t vrf, uint64_t *distinguisher);
struct span options_application_name(const struct domain *domain, const uint8_t *id, uint32_t size);
/* Lines of the templates file that carry sampling over a restart: see persist.c. */
struct sampler_row {
    uint8_t scope;      /* enum sampler_scope of options.h */
    uint64_t id;        /* sampler, selector, template, interface ... by scope */
    double rate;
};
unsigned options_samplers(const struct domain *domain, struct sampler_row *rows, unsigned room);
void options_sampler_restore(struct netflow *netflow, struct domain *domain, const struct sampler_row *row);

/* ---- hold.c ------------------------------------------------------------------------------------------------------ */

/* Keeps a data set (octets after its header) of the current message until its template comes. False: no room. */
bool hold_set(struct netflow *netflow, unsigned template_id, struct cursor set);
/* The template has come: what waited for it goes through run_template, in order, with its own message. */
void hold_replay(struct netflow *netflow, struct domain *domain, struct template *template);
/* Discards what has waited too long (all of it with now_ns INT64_MAX), counted. */
void hold_expire(struct netflow *netflow, struct domain *domain, int64_t now_ns);

/* ---- persist.c --------------------------------------------------------------------------------------------------- */

/* Reads the templates file; a file that is not there is an empty one. Returns 0 or -1 with file, line and reason. */
int persist_load(struct netflow *netflow, const char *path, struct error *error);
/* Writes it anew beside the old one and renames. Returns 0 or -1. */
int persist_save(struct netflow *netflow, const char *path, struct error *error);

/* ---- show.c ------------------------------------------------------------------------------------------------------ */

int show_open(struct netflow *netflow, struct error *error);
void show_close(struct netflow *netflow);
/* A data or options record of the current domain and message, as one JSON object, to options.on_record. */
void show_record(struct netflow *netflow, const struct definition *definition, unsigned template_id,
                 const uint8_t *bytes, size_t size);
/* A template that is new or has changed, line by line, to options.on_template. */
void show_template(struct netflow *netflow, const struct domain *domain, const struct template *template);

#endif

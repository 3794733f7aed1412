/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A DNS message (RFC 1035 section 4) as texts. Names as in zone files (section 5.1): a dot or backslash inside a
 * label has a backslash before it, other bytes that are not printable are \DDD; the root is ".". Data of the usual
 * types as in zone files, too; of others as RFC 3597 section 5 has it, its first bytes.
 */
#ifndef DISSECT_DNS_MESSAGE_H
#define DISSECT_DNS_MESSAGE_H

#include "base/cursor.h"

#define dns_header_bytes 12
#define dns_name_max 1024 /* four bytes for each of a name's 255 */
#define dns_data_max 1024

struct dns_name {
    uint32_t length;
    char text[dns_name_max];
};

struct dns_message {
    const uint8_t *bytes;
    size_t size;
    struct cursor at;       /* what is read next */
    uint16_t id, flags;     /* section 4.1.1 */
    uint16_t questions, answers, authorities, additionals;
    bool has_question;      /* the first one: */
    struct dns_name name;
    uint16_t type, class;
};

#define dns_flag_response 0x8000
#define dns_flag_authoritative 0x0400
#define dns_flag_truncated 0x0200
#define dns_flag_recursion_desired 0x0100
#define dns_flag_recursion_available 0x0080
#define dns_flag_authentic 0x0020 /* RFC 4035 section 3.2 */
#define dns_flag_checking_disabled 0x0010
#define dns_opcode(flags) ((flags) >> 11 & 15)
#define dns_rcode(flags) ((flags) & 15)
#define dns_type_opt 41 /* RFC 6891 */

struct dns_record {
    struct dns_name name;
    uint16_t type, class;
    uint32_t ttl;
    uint32_t data_length;
    char data[dns_data_max];
};

/*
 * Reads header and questions. False: fewer bytes than a header has, or a question that is none; a message that is cut
 * in its questions has has_question when the first one was whole.
 */
bool dns_message_start(struct dns_message *message, const uint8_t *bytes, size_t size);
/* The next record of any section, to be called as often as the counts say. False: cut or broken, or there is none. */
bool dns_message_record(struct dns_message *message, struct dns_record *record);

struct dns_edns { /* of the OPT record, RFC 6891 section 6.1 */
    uint16_t udp_bytes;
    unsigned rcode_upper; /* to be put before the four bits of the header: already shifted */
    bool dnssec_ok;
};

/* What is ahead of the message's cursor stays there. False: there is none, or the message is cut before it. */
bool dns_message_edns(const struct dns_message *message, struct dns_edns *edns);

/* Names of numbers; NULL: not known. */
const char *dns_type_name(uint16_t type);
const char *dns_class_name(uint16_t class);
const char *dns_rcode_name(unsigned rcode);
const char *dns_opcode_name(unsigned opcode);

#endif

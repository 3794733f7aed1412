/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One field of a record as JSON, by its type (RFC 7011 section 6.1): numbers as numbers, addresses and times as texts,
 * octets in hexadecimal. A field whose size does not fit its type is shown as it is, in hexadecimal, since showing what
 * came is the whole purpose.
 */
#include <math.h>
#include <stdio.h>

#include "base/time.h"
#include "decode/netflow/options.h"
#include "decode/netflow/show.h"
#include "flow/element.h"

#define ntp_to_unix_s INT64_C(2208988800) /* from 1900 to 1970 */
#define ntp_era_s (INT64_C(1) << 32)
#define millisecond_ns INT64_C(1000000)

/* NetFlow v9's scopes, RFC 3954 section 6.1. */
static const char *const scope_names[] = {NULL, "system", "interface", "lineCard", "cache", "template"};

const char *show_kind(const struct definition *definition)
{
    return definition->kind == TEMPLATE_OPTIONS ? "options" : "data";
}

static void set_name(struct show_name *name, const char *text, size_t length, unsigned type)
{
    memcpy(name->text, text, length);
    name->length = length;
    name->type = type;
    name->known = true;
}

void show_name(const struct domain *domain, uint32_t enterprise, unsigned id, struct show_name *name)
{
    const struct element *element;
    struct span learnt;
    unsigned type = ELEMENT_OCTETS;

    if (enterprise == enterprise_scope && id < array_length(scope_names) && scope_names[id] != NULL) {
        set_name(name, scope_names[id], strlen(scope_names[id]), ELEMENT_U64);
        return;
    }
    element = enterprise == enterprise_scope ? NULL : element_find(enterprise, id);
    if (element != NULL) {
        set_name(name, element->name, strlen(element->name), element->type);
        return;
    }
    learnt = domain == NULL ? (struct span){NULL, 0} : options_element(domain, enterprise, id, &type);
    if (learnt.length > 0) {
        set_name(name, learnt.data, learnt.length, type);
        return;
    }
    if (enterprise == enterprise_scope)
        name->length = (size_t)snprintf(name->text, sizeof(name->text), "scope.%u", id);
    else
        name->length = (size_t)snprintf(name->text, sizeof(name->text), "%u.%u", (unsigned)enterprise, id);
    name->type = ELEMENT_OCTETS;
    name->known = false;
}

/* ---- values ---- */

static void show_signed(struct document *json, const uint8_t *bytes, uint32_t size)
{
    uint64_t value = field_number(bytes, size);

    if (size < 8 && bytes[0] & 0x80)
        value |= ~UINT64_C(0) << (8 * size);
    document_signed(json, (int64_t)value);
}

/* float64 may come as float32 (RFC 7011 section 6.2). JSON has no infinity and no "not a number". */
static void show_real(struct document *json, const uint8_t *bytes, uint32_t size)
{
    uint64_t bits = field_number(bytes, size);
    uint32_t narrow_bits = (uint32_t)bits;
    float narrow;
    double value;

    memcpy(&narrow, &narrow_bits, sizeof(narrow));
    memcpy(&value, &bits, sizeof(value));
    if (size == 4)
        value = (double)narrow;
    if (isfinite(value))
        document_real(json, value, size == 4 ? 9 : 17);
    else
        document_hex(json, bytes, size);
}

static void show_boolean(struct document *json, const uint8_t *bytes, uint32_t size)
{
    if (bytes[0] == 1)
        document_raw(json, "true", 4);
    else if (bytes[0] == 2)
        document_raw(json, "false", 5);
    else
        document_hex(json, bytes, size);
}

static void show_mac(struct document *json, const uint8_t *bytes, uint32_t size)
{
    char text[18];

    (void)size;
    snprintf(text, sizeof(text), "%02x:%02x:%02x:%02x:%02x:%02x", bytes[0], bytes[1], bytes[2], bytes[3], bytes[4],
             bytes[5]);
    document_string(json, text, sizeof(text) - 1);
}

static void show_ipv4(struct document *json, const uint8_t *bytes, uint32_t size)
{
    struct address address;

    (void)size;
    address_set_ipv4(&address, bytes);
    document_address(json, &address);
}

/* Not through address_set_ipv6, which changes :: and mapped addresses: here they are shown as they came. */
static void show_ipv6(struct document *json, const uint8_t *bytes, uint32_t size)
{
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    struct address address;
    char text[address_text_max + 8] = "::ffff:";
    size_t length;

    (void)size;
    memcpy(address.bytes, bytes, 16);
    if (address_is_absent(&address)) {
        document_string(json, "::", 2);
    } else if (memcmp(bytes, mapped, sizeof(mapped)) == 0) {
        length = address_format(&address, text + 7);
        document_string(json, text, 7 + length);
    } else {
        document_address(json, &address);
    }
}

static void show_text(struct document *json, const uint8_t *bytes, uint32_t size)
{
    document_string(json, (const char *)bytes, size);
}

static void show_number(struct document *json, const uint8_t *bytes, uint32_t size)
{
    document_number(json, field_number(bytes, size));
}

static void show_seconds(struct document *json, const uint8_t *bytes, uint32_t size)
{
    uint64_t seconds = field_number(bytes, size);

    if (seconds > INT64_MAX / time_second_ns)
        document_hex(json, bytes, size);
    else
        document_time(json, (int64_t)seconds * time_second_ns, 0);
}

static void show_milliseconds(struct document *json, const uint8_t *bytes, uint32_t size)
{
    uint64_t ms = field_number(bytes, size);

    if (ms > INT64_MAX / millisecond_ns)
        document_hex(json, bytes, size);
    else
        document_time(json, (int64_t)ms * millisecond_ns, 3);
}

/*
 * NTP's form: seconds since 1900 and a fraction of 2^32 (RFC 7011 sections 6.1.9, 6.1.10). Without the top bit it is
 * of the era after 2036 (RFC 4330 section 3). The fraction is rounded to the digits shown: what was made of 1 ms comes
 * back as 1 ms.
 */
static void show_ntp(struct document *json, const uint8_t *bytes, unsigned digits)
{
    uint64_t units = digits == 6 ? 1000000 : 1000000000, value = field_number(bytes, 8);
    int64_t seconds = (int64_t)(value >> 32) - ntp_to_unix_s;
    uint64_t fraction = ((value & UINT32_MAX) * units + (UINT64_C(1) << 31)) >> 32;

    if (value >> 63 == 0)
        seconds += ntp_era_s;
    document_time(json, seconds * time_second_ns + (int64_t)(fraction * (1000000000 / units)), digits);
}

static void show_microseconds(struct document *json, const uint8_t *bytes, uint32_t size)
{
    (void)size;
    show_ntp(json, bytes, 6);
}

static void show_nanoseconds(struct document *json, const uint8_t *bytes, uint32_t size)
{
    (void)size;
    show_ntp(json, bytes, 9);
}

/*
 * Numbers come in any size up to 8 octets: smaller ones by RFC 7011 section 6.2, larger ones because exporters do so (a
 * samplerId of two). The others have their own size, or one of two.
 */
static const struct {
    void (*show)(struct document *json, const uint8_t *bytes, uint32_t size);
    uint8_t least, most, other;
} types[ELEMENT_TYPE_COUNT] = {
    [ELEMENT_OCTETS] = {NULL, 0, 0, 0},
    [ELEMENT_U8] = {show_number, 1, 8, 0},
    [ELEMENT_U16] = {show_number, 1, 8, 0},
    [ELEMENT_U32] = {show_number, 1, 8, 0},
    [ELEMENT_U64] = {show_number, 1, 8, 0},
    [ELEMENT_I8] = {show_signed, 1, 8, 0},
    [ELEMENT_I16] = {show_signed, 1, 8, 0},
    [ELEMENT_I32] = {show_signed, 1, 8, 0},
    [ELEMENT_I64] = {show_signed, 1, 8, 0},
    [ELEMENT_F32] = {show_real, 4, 4, 0},
    [ELEMENT_F64] = {show_real, 4, 4, 8},
    [ELEMENT_BOOLEAN] = {show_boolean, 1, 1, 0},
    [ELEMENT_MAC] = {show_mac, 6, 6, 0},
    [ELEMENT_SECONDS] = {show_seconds, 4, 4, 8},
    [ELEMENT_MILLISECONDS] = {show_milliseconds, 8, 8, 0},
    [ELEMENT_MICROSECONDS] = {show_microseconds, 8, 8, 0},
    [ELEMENT_NANOSECONDS] = {show_nanoseconds, 8, 8, 0},
    [ELEMENT_IPV4] = {show_ipv4, 4, 4, 0},
    [ELEMENT_IPV6] = {show_ipv6, 16, 16, 0},
};

void show_value(struct document *json, unsigned type, const uint8_t *bytes, uint32_t size)
{
    if (type == ELEMENT_STRING)
        show_text(json, bytes, size);
    else if (type < ELEMENT_TYPE_COUNT && types[type].show != NULL && size > 0 &&
             ((size >= types[type].least && size <= types[type].most) || size == types[type].other))
        types[type].show(json, bytes, size);
    else
        document_hex(json, bytes, size);
}

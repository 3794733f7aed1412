/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any octets as a GeoIP database: reading ends with a database or with a phrase, and a database answers for any address
 * with texts whose every octet can be read, a country of two letters and a place on this planet.
 */
#include "enrich/geoip.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The library keeps some octets of metadata that it refuses; that is not ours to mend. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libmaxminddb";
}

static unsigned char sum; /* so that the reading is not left out */

static void read_text(const struct flow *flow, enum field_id id, struct span text)
{
    if (!flow_has(flow, id))
        return;
    if (text.length == 0 || text.length > flow_string_max)
        abort();
    for (uint32_t i = 0; i < text.length; i++)
        sum = (unsigned char)(sum + (unsigned char)text.data[i]);
}

static void ask(struct geoip *geoip, const struct field_set *wants, const char *source, const char *destination)
{
    struct address address;
    struct flow flow;

    flow_clear(&flow);
    if (address_parse(source, &address))
        flow_set_src_host(&flow, address);
    if (address_parse(destination, &address))
        flow_set_dst_host(&flow, address);
    geoip_fill(geoip, geoip, wants, &flow);
    read_text(&flow, FIELD_SRC_HOST_COUNTRY, flow.src_host_country);
    read_text(&flow, FIELD_DST_HOST_COUNTRY, flow.dst_host_country);
    read_text(&flow, FIELD_SRC_HOST_POCODE, flow.src_host_pocode);
    read_text(&flow, FIELD_DST_HOST_POCODE, flow.dst_host_pocode);
    read_text(&flow, FIELD_SRC_AS_NAME, flow.src_as_name);
    read_text(&flow, FIELD_DST_AS_NAME, flow.dst_as_name);
    if (flow_has(&flow, FIELD_SRC_HOST_COUNTRY) && flow.src_host_country.length != 2)
        abort();
    if (flow_has(&flow, FIELD_SRC_HOST_LAT) && !(flow.src_host_lat >= -90 && flow.src_host_lat <= 90))
        abort();
    if (flow_has(&flow, FIELD_DST_HOST_LON) && !(flow.dst_host_lon >= -180 && flow.dst_host_lon <= 180))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct error error = {""};
    struct field_set wants;
    struct geoip *geoip = geoip_from_memory("fuzz", data, size, &error);
    char text[64];

    if (geoip == NULL && error.text[0] == '\0')
        abort();
    if (geoip == NULL)
        return 0;
    for (unsigned i = 0; i < FIELD_WORDS; i++)
        wants.words[i] = UINT64_MAX;
    for (unsigned i = 0; i < 2; i++) { /* found, and remembered */
        ask(geoip, &wants, "192.0.2.1", "198.51.100.77");
        ask(geoip, &wants, "198.51.100.200", "203.0.113.9");
        ask(geoip, &wants, "2001:db8::1", "2001:db8:0:1:2::9");
        ask(geoip, &wants, "::1", "0.0.0.0");
        ask(geoip, &wants, "ffff::", "255.255.255.255");
    }
    geoip_describe(geoip, text, sizeof(text));
    geoip_free(geoip);
    return 0;
}

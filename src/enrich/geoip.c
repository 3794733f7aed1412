/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two memories keep the cost of a record low. Places: the /24 of an IPv4 and the /48 of an IPv6 address, where the
 * database says that all of it has one record, else the address alone; so a walk in the tree is rare. Records: what
 * was read of them, as many places have the same one. Both are hash tables without chains: who comes later takes the
 * room of who was there, so they are bounded, and all that is forgotten is found again.
 *
 * The format: MaxMind DB File Format Specification 2.0. libmaxminddb walks it; all that comes out of it is checked here
 * once, when it is remembered.
 */
#include "enrich/geoip.h"

#include <errno.h>
#include <fcntl.h>
#include <maxminddb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/hash.h"

#define file_bytes_max (INT64_C(2) << 30)
#define place_count 131072 /* both are powers of two */
#define record_count 65536
#define common_ipv4 24
#define common_ipv6 48
#define path_words 3 /* of the longest path in a record, with the NULL that ends it */

#define no_record UINT32_MAX           /* an address that the database does not know */
#define many_records (UINT32_MAX - 1)  /* a network whose addresses differ */

struct place {
    struct address net;
    uint8_t length;  /* common_ipv4, common_ipv6, or 128 for an address alone; 0: free */
    uint32_t record; /* offset of its record in the database */
};

/* What a record may tell: items, as bits of a set. */
enum { item_country = 1, item_pocode = 2, item_latitude = 4, item_longitude = 8, item_as_name = 16 };
#define items_of_place (item_country | item_pocode | item_latitude | item_longitude)

struct record {
    const char *country, *pocode, *as_name; /* in the database's memory */
    double latitude, longitude;
    uint32_t offset;
    uint16_t pocode_length, as_name_length;
    uint8_t asked; /* items that were looked for; none: free */
    uint8_t has;   /* those that were found */
};

struct memory {
    struct place places[place_count];
    struct record records[record_count];
};

struct geoip {
    MMDB_s database;
    bool is_open;
    struct memory *memory; /* pages that come into being as they are used */
    struct hash_seed seed;
    char *path; /* NULL: not from a file */
    dev_t device;
    ino_t inode;
    off_t size;
    struct timespec modified;
};

/* -- what a record of the database says -- */

static bool find(MMDB_entry_s *entry, const char *const path[path_words], uint32_t type, MMDB_entry_data_s *data)
{
    return MMDB_aget_value(entry, data, path) == MMDB_SUCCESS && data->has_data && data->type == type;
}

static void learn_country(struct record *record, const MMDB_entry_data_s *data)
{
    const char *text = data->utf8_string;

    if (data->data_size != 2 || text[0] < 'A' || text[0] > 'Z' || text[1] < 'A' || text[1] > 'Z')
        return;
    record->country = text;
    record->has |= item_country;
}

static void learn_pocode(struct record *record, const MMDB_entry_data_s *data)
{
    if (data->data_size == 0 || data->data_size > flow_string_max)
        return;
    record->pocode = data->utf8_string;
    record->pocode_length = (uint16_t)data->data_size;
    record->has |= item_pocode;
}

static void learn_as_name(struct record *record, const MMDB_entry_data_s *data)
{
    if (data->data_size == 0 || data->data_size > flow_string_max)
        return;
    record->as_name = data->utf8_string;
    record->as_name_length = (uint16_t)data->data_size;
    record->has |= item_as_name;
}

/* The comparisons are false for what is no number. */
static void learn_latitude(struct record *record, const MMDB_entry_data_s *data)
{
    if (!(data->double_value >= -90 && data->double_value <= 90))
        return;
    record->latitude = data->double_value;
    record->has |= item_latitude;
}

static void learn_longitude(struct record *record, const MMDB_entry_data_s *data)
{
    if (!(data->double_value >= -180 && data->double_value <= 180))
        return;
    record->longitude = data->double_value;
    record->has |= item_longitude;
}

/* Where GeoIP2 and GeoLite2 (and who follows them) keep things; GeoIP2 Enterprise has the name of an AS in `traits`. */
static const struct {
    uint8_t gives;
    uint32_t type;
    const char *path[path_words];
    void (*learn)(struct record *record, const MMDB_entry_data_s *data);
} items[] = {
    {item_country, MMDB_DATA_TYPE_UTF8_STRING, {"country", "iso_code"}, learn_country},
    {item_pocode, MMDB_DATA_TYPE_UTF8_STRING, {"postal", "code"}, learn_pocode},
    {item_latitude, MMDB_DATA_TYPE_DOUBLE, {"location", "latitude"}, learn_latitude},
    {item_longitude, MMDB_DATA_TYPE_DOUBLE, {"location", "longitude"}, learn_longitude},
    {item_as_name, MMDB_DATA_TYPE_UTF8_STRING, {"autonomous_system_organization"}, learn_as_name},
    {item_as_name, MMDB_DATA_TYPE_UTF8_STRING, {"traits", "autonomous_system_organization"}, learn_as_name},
};

/* A record that the library finds broken has no such item. */
static void learn(struct record *record, unsigned wanted, MMDB_entry_s *entry)
{
    for (unsigned i = 0; i < array_length(items); i++) {
        MMDB_entry_data_s data;

        if ((items[i].gives & wanted & ~record->has) != 0 && find(entry, items[i].path, items[i].type, &data))
            items[i].learn(record, &data);
    }
}

/* -- an address -- */

/* Each item is looked for when it is wanted for the first time. */
static const struct record *read_record(struct geoip *geoip, uint32_t offset, unsigned wanted)
{
    struct record *record = &geoip->memory->records[hash_fold(offset, geoip->seed.b) & (record_count - 1)];
    MMDB_entry_s entry = {&geoip->database, offset};

    if (unlikely(record->offset != offset))
        *record = (struct record){.offset = offset};
    if (unlikely((wanted & ~record->asked) != 0)) {
        learn(record, wanted & ~record->asked, &entry);
        record->asked |= (uint8_t)wanted;
    }
    return record;
}

/*
 * Asks the database for the record of an address. Returns how many bits of the address, counted in its own family, have
 * the same. Trees of IPv6 hold IPv4 in ::/96.
 */
static unsigned ask(const struct geoip *geoip, const struct address *address, uint32_t *record)
{
    bool ipv4 = address_is_ipv4(address);
    struct sockaddr_in to_ipv4 = {.sin_family = AF_INET};
    struct sockaddr_in6 to_ipv6 = {.sin6_family = AF_INET6};
    MMDB_lookup_result_s result;
    unsigned above = ipv4 && geoip->database.depth == 128 ? 96 : 0;
    int code;

    memcpy(&to_ipv4.sin_addr, address->bytes + 12, 4);
    memcpy(&to_ipv6.sin6_addr, address->bytes, 16);
    result = MMDB_lookup_sockaddr(&geoip->database, ipv4 ? (struct sockaddr *)&to_ipv4 : (struct sockaddr *)&to_ipv6,
                                  &code);
    *record = no_record;
    if (code != MMDB_SUCCESS)
        return code == MMDB_IPV6_LOOKUP_IN_IPV4_DATABASE_ERROR ? 0 : 128;
    if (result.found_entry && result.entry.offset < many_records)
        *record = result.entry.offset;
    return result.netmask > above ? result.netmask - above : 0;
}

static struct place *place_of(const struct geoip *geoip, const struct address *net, uint8_t length)
{
    uint64_t hash = hash_words(net->bytes, 2, geoip->seed);

    return &geoip->memory->places[(hash + length) & (place_count - 1)];
}

static bool is_place(const struct place *place, const struct address *net, uint8_t length)
{
    return place->length == length && address_equal(&place->net, net);
}

/* The offset of an address's record. A network whose addresses differ costs two looks. */
static uint32_t look_up(struct geoip *geoip, const struct address *address)
{
    uint8_t common = address_is_ipv4(address) ? common_ipv4 : common_ipv6;
    struct address net = *address;
    struct place *place;
    uint32_t record;

    address_mask(&net, common);
    place = place_of(geoip, &net, common);
    if (likely(is_place(place, &net, common))) {
        if (likely(place->record != many_records))
            return place->record;
        place = place_of(geoip, address, 128);
        if (is_place(place, address, 128))
            return place->record;
    }
    if (ask(geoip, address, &record) <= common) {
        *place_of(geoip, &net, common) = (struct place){net, common, record};
    } else {
        *place_of(geoip, &net, common) = (struct place){net, common, many_records};
        *place_of(geoip, address, 128) = (struct place){*address, 128, record};
    }
    return record;
}

/* -- a flow -- */

struct end {
    enum field_id host, country, pocode, latitude, longitude, as_name;
};

static const struct end source = {FIELD_SRC_HOST,     FIELD_SRC_HOST_COUNTRY, FIELD_SRC_HOST_POCODE,
                                  FIELD_SRC_HOST_LAT, FIELD_SRC_HOST_LON,     FIELD_SRC_AS_NAME};
static const struct end destination = {FIELD_DST_HOST,     FIELD_DST_HOST_COUNTRY, FIELD_DST_HOST_POCODE,
                                       FIELD_DST_HOST_LAT, FIELD_DST_HOST_LON,     FIELD_DST_AS_NAME};

/* Which items of one end somebody asks for. */
static unsigned items_wanted(const struct end *end, const struct field_set *wants)
{
    return (field_set_has(wants, end->country) ? item_country : 0u) |
           (field_set_has(wants, end->pocode) ? item_pocode : 0u) |
           (field_set_has(wants, end->latitude) ? item_latitude : 0u) |
           (field_set_has(wants, end->longitude) ? item_longitude : 0u) |
           (field_set_has(wants, end->as_name) ? item_as_name : 0u);
}

/* A member of the flow, by its field. */
static void set(struct flow *flow, enum field_id id, const void *value, size_t bytes)
{
    memcpy((uint8_t *)flow + field_table[id].flow_offset, value, bytes);
    field_set_add(&flow->have, id);
}

static void set_text(struct flow *flow, enum field_id id, const char *text, uint32_t length)
{
    struct span span = {text, length};

    set(flow, id, &span, sizeof(span));
}

/* Those of the items in `wanted` that the record has. */
static void fill_items(const struct end *end, const struct record *record, unsigned wanted, struct flow *flow)
{
    unsigned items_there = record->has & wanted;

    if ((items_there & item_country) != 0)
        set_text(flow, end->country, record->country, 2);
    if ((items_there & item_pocode) != 0)
        set_text(flow, end->pocode, record->pocode, record->pocode_length);
    if ((items_there & item_latitude) != 0)
        set(flow, end->latitude, &record->latitude, sizeof(record->latitude));
    if ((items_there & item_longitude) != 0)
        set(flow, end->longitude, &record->longitude, sizeof(record->longitude));
    if ((items_there & item_as_name) != 0)
        set_text(flow, end->as_name, record->as_name, record->as_name_length);
}

static void fill_from(struct geoip *geoip, const struct end *end, const struct address *host, unsigned wanted,
                      struct flow *flow)
{
    uint32_t offset;

    if (geoip != NULL && wanted != 0 && (offset = look_up(geoip, host)) != no_record)
        fill_items(end, read_record(geoip, offset, wanted), wanted, flow);
}

/* Groups of receivers (ff00::/8) are nowhere; that also leaves out the two forms that address.h marks. */
static bool is_host(const struct address *host)
{
    return !address_is_absent(host) && host->bytes[0] != 0xff;
}

static void fill_end(const struct end *end, const struct address *host, struct geoip *places, struct geoip *as,
                     const struct field_set *wants, struct flow *flow)
{
    unsigned wanted = items_wanted(end, wants);

    if (wanted == 0 || !flow_has(flow, end->host) || !is_host(host))
        return;
    if (as == NULL) {
        fill_from(places, end, host, wanted, flow);
    } else {
        fill_from(places, end, host, wanted & items_of_place, flow);
        fill_from(as, end, host, wanted & item_as_name, flow);
    }
}

void geoip_fill(struct geoip *places, struct geoip *as, const struct field_set *wants, struct flow *flow)
{
    fill_end(&source, &flow->src_host, places, as, wants, flow);
    fill_end(&destination, &flow->dst_host, places, as, wants, flow);
}

void geoip_needs(struct field_set *wants)
{
    if (items_wanted(&source, wants) != 0)
        field_set_add(wants, source.host);
    if (items_wanted(&destination, wants) != 0)
        field_set_add(wants, destination.host);
}

/* -- a database -- */

/* Seals the copy: from here on nobody can change it. The library maps it. */
static int open_library(struct geoip *geoip, int copy, struct error *error)
{
    char path[64];
    void *pages;
    int code;

    if (fcntl(copy, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) < 0)
        return error_errno(error, errno, "cannot seal the copy of the database");
    snprintf(path, sizeof(path), "/proc/self/fd/%d", copy);
    code = MMDB_open(path, MMDB_MODE_MMAP, &geoip->database);
    if (code == MMDB_FILE_OPEN_ERROR)
        return error_set(error, "the copy of the database cannot be opened (is /proc mounted?)");
    if (code != MMDB_SUCCESS)
        return error_set(error, "not a database that can be used: %s", MMDB_strerror(code));
    geoip->is_open = true;
    geoip->seed = hash_seed_new();
    pages = mmap(NULL, sizeof(*geoip->memory), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED)
        return error_set(error, "out of memory");
    geoip->memory = pages;
    return 0;
}

static int write_copy(int copy, const uint8_t *bytes, size_t size, struct error *error)
{
    while (size > 0) {
        ssize_t written = write(copy, bytes, size);

        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return error_errno(error, errno, "cannot copy the database into memory");
        bytes += written;
        size -= (size_t)written;
    }
    return 0;
}

/* O_NONBLOCK: a pipe that nobody writes to is refused instead of waited for. */
static int open_file(struct geoip *geoip, struct error *error)
{
    int file = open(geoip->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat status;

    if (file < 0 || fstat(file, &status) < 0) {
        error_errno(error, errno, "cannot read");
    } else if (!S_ISREG(status.st_mode)) {
        error_set(error, "not a regular file");
    } else if (status.st_size > file_bytes_max) {
        error_set(error, "larger than %lld MiB", (long long)(file_bytes_max >> 20));
    } else {
        geoip->device = status.st_dev;
        geoip->inode = status.st_ino;
        geoip->size = status.st_size;
        geoip->modified = status.st_mtim;
        return file;
    }
    if (file >= 0)
        close(file);
    return -1;
}

static int copy_file(int copy, int file, struct error *error)
{
    static const size_t step = 1 << 20;
    uint8_t *buffer = malloc(step);
    int64_t total = 0;
    ssize_t got = 1;
    int result = 0;

    if (buffer == NULL)
        return error_set(error, "out of memory");
    while (result == 0 && got > 0) {
        got = read(file, buffer, step);
        total += got > 0 ? got : 0;
        if (got < 0)
            result = error_errno(error, errno, "cannot read to the end");
        else if (total > file_bytes_max)
            result = error_set(error, "growing while it is read");
        else
            result = write_copy(copy, buffer, (size_t)got, error);
    }
    free(buffer);
    return result;
}

/* From the file at geoip->path, or else from memory. */
static int load(struct geoip *geoip, const void *bytes, size_t size, struct error *error)
{
    int file = geoip->path == NULL ? -1 : open_file(geoip, error);
    int copy = -1, result = -1;

    if (geoip->path != NULL && file < 0)
        return -1;
    copy = memfd_create("geoip", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (copy < 0)
        error_errno(error, errno, "cannot make a copy in memory");
    else if (file >= 0)
        result = copy_file(copy, file, error);
    else
        result = write_copy(copy, bytes, size, error);
    if (result == 0)
        result = open_library(geoip, copy, error);
    if (file >= 0)
        close(file);
    if (copy >= 0)
        close(copy); /* the mapping stays */
    return result;
}

static struct geoip *make(const char *name, bool is_path, const void *bytes, size_t size, struct error *error)
{
    struct geoip *geoip = calloc(1, sizeof(*geoip));

    if (geoip == NULL || (is_path && (geoip->path = strdup(name)) == NULL)) {
        error_set(error, "out of memory for the GeoIP database '%.200s'", name);
    } else if (load(geoip, bytes, size, error) < 0) {
        error_wrap(error, "GeoIP database '%.200s'", name);
    } else {
        return geoip;
    }
    geoip_free(geoip);
    return NULL;
}

struct geoip *geoip_open(const char *path, struct error *error)
{
    return make(path, true, NULL, 0, error);
}

struct geoip *geoip_from_memory(const char *name, const void *bytes, size_t size, struct error *error)
{
    return make(name, false, bytes, size, error);
}

void geoip_free(struct geoip *geoip)
{
    if (geoip == NULL)
        return;
    if (geoip->is_open)
        MMDB_close(&geoip->database);
    if (geoip->memory != NULL)
        munmap(geoip->memory, sizeof(*geoip->memory));
    free(geoip->path);
    free(geoip);
}

bool geoip_changed(const struct geoip *geoip)
{
    struct stat status;

    if (geoip->path == NULL || stat(geoip->path, &status) < 0)
        return false;
    return status.st_dev != geoip->device || status.st_ino != geoip->inode || status.st_size != geoip->size ||
           status.st_mtim.tv_sec != geoip->modified.tv_sec || status.st_mtim.tv_nsec != geoip->modified.tv_nsec;
}

void geoip_describe(const struct geoip *geoip, char *out, size_t size)
{
    const MMDB_metadata_s *about = &geoip->database.metadata;
    time_t when = (time_t)about->build_epoch;
    char date[32] = "an unknown day";
    struct tm parts;

    if (gmtime_r(&when, &parts) != NULL && parts.tm_year >= 0 && parts.tm_year < 8100)
        strftime(date, sizeof(date), "%Y-%m-%d", &parts);
    snprintf(out, size, "%.80s of %s, IPv%u, %u nodes", about->database_type, date, (unsigned)about->ip_version,
             (unsigned)about->node_count);
}

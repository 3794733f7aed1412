/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The aggregate table of table.h.
 *
 * Rows lie in segments of 2 MiB that never move. A row's number in the index is {segment, place in the segment}, so
 * that finding its address takes no division; the first segment is touched page by page, later ones are huge pages.
 *
 * The index is extendible hashing: a directory, indexed by the top bits of the 32 stored bits of hash, of pages,
 * indexed by the low bits, with linear probing inside a page. While there is one page it doubles, from 4 to 64 KiB.
 * After that a page that is three quarters full splits into two, alone: growth never stops the world, whatever the
 * size of the table, and never looks at a row.
 *
 *      hash   | directory bits |    ...    | page bits |        place   | hash 32 bits | row number + 1 |  0: free
 *
 * Nothing is per record: the batch is walked three times, and memory is waited for once per batch (table.h).
 */
#include "plugins/common/table.h"

#include "base/hash.h"
#include "plugins/common/intern.h"

#include <stdlib.h>
#include <sys/mman.h>

#define huge_bytes ((size_t)2 << 20)
#define page_bits_first 9u                              /* 512 places, 4 KiB */
#define page_bits_full 13u                              /* 8192 places, 64 KiB */
#define directory_bits_max (32u - page_bits_full)       /* all bits of the hash are used up */
#define block_pages_first 2u
#define block_pages_full (huge_bytes / sizeof(struct index_page))

struct index_page {
    _Alignas(cache_line) uint32_t count;
    uint32_t depth; /* how many top bits of the hash all its places have in common */
    _Alignas(cache_line) uint64_t places[1u << page_bits_full];
};

/* Pages come in blocks, from one mapping each. */
struct index_block {
    struct index_page *pages;
    size_t bytes;
    unsigned page_count, used;
};

struct table {
    const struct layout *layout;
    struct intern *intern;
    uint64_t budget_bytes;
    struct hash_seed seed;
    uint32_t key_bytes, body_bytes, value_count;
    bool all_sum;
    bool closed; /* over the budget or out of memory: no new keys until it is cleared */

    struct index_page **directory;
    uint32_t directory_bits;
    uint32_t page_mask;
    struct index_block *blocks;
    unsigned block_count;
    struct index_page *scratch; /* where a page is copied while it splits */
    uint64_t page_count;

    uint8_t **segments;
    uint32_t segment_count; /* mapped; some may be kept from before the last clear */
    uint32_t segment_room;  /* of the array */
    uint32_t segment_now;   /* the one that is being filled */
    uint32_t segment_rows;  /* rows in it */
    uint32_t rows_per_segment, row_bits;
    uint64_t first_touched; /* rows of the first segment that ever were in use */

    uint64_t records, merged;
    uint8_t roles[layout_values_max]; /* enum field_role of each value */
    _Alignas(16) uint8_t others[];    /* body_bytes */
};

/* `bytes` of zeroes, on huge pages (a multiple of 2 MiB) or on small ones. NULL when there is no memory. */
static void *map_memory(size_t bytes, bool huge)
{
    size_t slack = huge ? huge_bytes : 0;
    uint8_t *memory = mmap(NULL, bytes + slack, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    size_t before;

    if (memory == MAP_FAILED)
        return NULL;
    if (!huge)
        return memory;
    before = -(uintptr_t)memory & (huge_bytes - 1);
    if (before != 0)
        munmap(memory, before);
    if (before != slack)
        munmap(memory + before + bytes, slack - before);
    madvise(memory + before, bytes, MADV_HUGEPAGE);
    return memory + before;
}

/* -- the index -- */

static struct index_page **directory_at(const struct table *table, uint32_t hash)
{
    return &table->directory[(uint64_t)hash >> (32 - table->directory_bits)];
}

static bool in_budget(const struct table *table, uint64_t more_bytes)
{
    return table->budget_bytes == 0 || table_bytes(table) + more_bytes <= table->budget_bytes;
}

/* An empty page, from the last block or a new one of twice the size. NULL when out of memory or budget. */
static struct index_page *page_new(struct table *table)
{
    struct index_block *block = table->block_count == 0 ? NULL : &table->blocks[table->block_count - 1];

    if (table->block_count != 0 && !in_budget(table, sizeof(struct index_page)))
        return NULL;
    if (block == NULL || block->used == block->page_count) {
        unsigned pages = block == NULL ? block_pages_first : block->page_count * 2;
        bool huge = pages > block_pages_full;
        struct index_block *blocks;
        struct index_page *memory;
        size_t bytes;

        if (huge)
            pages = block_pages_full;
        bytes = huge ? huge_bytes : pages * sizeof(struct index_page);
        blocks = realloc(table->blocks, (table->block_count + 1) * sizeof(*blocks));
        if (blocks == NULL)
            return NULL;
        table->blocks = blocks;
        memory = map_memory(bytes, huge);
        if (memory == NULL)
            return NULL;
        block = &blocks[table->block_count++];
        *block = (struct index_block){.pages = memory, .bytes = bytes, .page_count = pages};
    }
    table->page_count++;
    return &block->pages[block->used++];
}

static void place_put(struct index_page *page, uint32_t mask, uint64_t place)
{
    uint32_t i = (uint32_t)(place >> 32) & mask;

    while (page->places[i] != 0)
        i = (i + 1) & mask;
    page->places[i] = place;
    page->count++;
}

/*
 * The small first page becomes twice as large in place: its memory is that of a full page, touched as it is used.
 * False when that is over the budget.
 */
static bool page_double(struct table *table, struct index_page *page)
{
    uint32_t old = table->page_mask + 1;

    if (!in_budget(table, (table->page_count + 1) * old * sizeof(uint64_t)))
        return false;
    memcpy(table->scratch->places, page->places, old * sizeof(uint64_t));
    memset(page->places, 0, old * sizeof(uint64_t));
    page->count = 0;
    table->page_mask = 2 * old - 1;
    for (uint32_t i = 0; i < old; i++)
        if (table->scratch->places[i] != 0)
            place_put(page, table->page_mask, table->scratch->places[i]);
    return true;
}

static bool directory_double(struct table *table)
{
    size_t count = (size_t)1 << table->directory_bits;
    struct index_page **directory;

    if (table->directory_bits == directory_bits_max)
        return false;
    directory = malloc(2 * count * sizeof(struct index_page *));
    if (directory == NULL)
        return false;
    for (size_t i = 0; i < count; i++)
        directory[2 * i] = directory[2 * i + 1] = table->directory[i];
    free(table->directory);
    table->directory = directory;
    table->directory_bits++;
    return true;
}

/* Gives the half of the page's places whose next bit of hash is 1 to a new page. */
static bool page_split(struct table *table, struct index_page *page, uint32_t hash)
{
    struct index_page *upper;
    uint64_t bit;
    size_t first, span;

    if (page->depth == table->directory_bits && !directory_double(table))
        return false;
    upper = page_new(table);
    if (upper == NULL)
        return false;
    bit = UINT64_C(1) << (63 - page->depth);
    span = (size_t)1 << (table->directory_bits - page->depth);
    first = ((uint64_t)hash >> (32 - table->directory_bits)) & ~(span - 1);
    for (size_t i = first + span / 2; i < first + span; i++)
        table->directory[i] = upper;
    upper->depth = ++page->depth;
    memcpy(table->scratch->places, page->places, sizeof(page->places));
    memset(page->places, 0, sizeof(page->places));
    page->count = 0;
    for (uint32_t i = 0; i <= table->page_mask; i++) {
        uint64_t place = table->scratch->places[i];

        if (place != 0)
            place_put((place & bit) != 0 ? upper : page, table->page_mask, place);
    }
    return true;
}

static void index_free(struct table *table)
{
    for (unsigned i = 0; i < table->block_count; i++)
        munmap(table->blocks[i].pages, table->blocks[i].bytes);
    free(table->blocks);
    free(table->directory);
    table->blocks = NULL;
    table->directory = NULL;
    table->block_count = 0;
    table->page_count = 0;
}

/* One small page. False when out of memory: then the table has no directory and is closed. */
static bool index_start(struct table *table)
{
    struct index_page *page;

    if (table->scratch == NULL)
        table->scratch = map_memory(sizeof(*table->scratch), false);
    table->directory = malloc(sizeof(struct index_page *));
    page = page_new(table);
    if (table->scratch == NULL || table->directory == NULL || page == NULL)
        return false;
    table->directory[0] = page;
    table->directory_bits = 0;
    table->page_mask = (1u << page_bits_first) - 1;
    return true;
}

/* -- rows -- */

static uint8_t *row_at(const struct table *table, uint32_t number, size_t body_bytes)
{
    return table->segments[number >> table->row_bits] + (number & ((1u << table->row_bits) - 1)) * body_bytes;
}

/* Makes segment_now + 1 the one to fill. */
static bool segment_next(struct table *table)
{
    uint32_t next = table->segment_count == 0 ? 0 : table->segment_now + 1;

    if (next >= table->segment_count) {
        uint8_t *memory;

        if (next >= (UINT32_MAX >> table->row_bits) || !in_budget(table, next == 0 ? 0 : huge_bytes))
            return false;
        if (next == table->segment_room) {
            uint32_t room = table->segment_room == 0 ? 8 : 2 * table->segment_room;
            uint8_t **segments = realloc(table->segments, room * sizeof(uint8_t *));

            if (segments == NULL)
                return false;
            table->segments = segments;
            table->segment_room = room;
        }
        memory = map_memory(huge_bytes, next != 0);
        if (memory == NULL)
            return false;
        table->segments[table->segment_count++] = memory;
    }
    table->segment_now = next;
    table->segment_rows = 0;
    return true;
}

/* A copy of the body in a new row; NULL when there is no room for new keys, now and until the table is cleared. */
static uint8_t *row_new(struct table *table, const uint8_t *body, uint32_t *number)
{
    bool counted = table->segment_count > 1 || table->segment_rows < table->first_touched;
    uint8_t *row;

    if (table->closed || !in_budget(table, counted ? 0 : table->body_bytes))
        return NULL;
    if ((table->segment_count == 0 || table->segment_rows == table->rows_per_segment) && !segment_next(table))
        return NULL;
    *number = table->segment_now << table->row_bits | table->segment_rows++;
    if (table->segment_now == 0)
        table->first_touched = max_u64(table->first_touched, table->segment_rows);
    row = row_at(table, *number, table->body_bytes);
    memcpy(row, body, table->body_bytes);
    return row;
}

/* -- values -- */

/*
 * MIN and LAST take 0 for "not there", as a value that the flow did not have is 0 in its record: it must not become
 * the first time of an aggregate. Times are signed.
 */
static void merge_by_role(const struct table *table, uint8_t *into, const uint8_t *from)
{
    for (uint32_t i = 0; i < table->value_count; i++, into += 8, from += 8) {
        uint64_t a = load_u64(into), b = load_u64(from);

        switch ((enum field_role)table->roles[i]) {
        case FIELD_ROLE_OR:
            store_u64(into, a | b);
            break;
        case FIELD_ROLE_MIN:
            if (b != 0 && (a == 0 || (int64_t)b < (int64_t)a))
                store_u64(into, b);
            break;
        case FIELD_ROLE_MAX:
            if ((int64_t)b > (int64_t)a)
                store_u64(into, b);
            break;
        case FIELD_ROLE_LAST:
            if (b != 0)
                store_u64(into, b);
            break;
        default:
            store_u64(into, a + b);
        }
    }
}

static inline void merge(const struct table *table, uint8_t *into, const uint8_t *from, uint32_t value_count)
{
    if (!table->all_sum) {
        merge_by_role(table, into, from);
        return;
    }
    for (uint32_t i = 0; i < value_count; i++)
        store_u64(into + 8 * (size_t)i, load_u64(into + 8 * (size_t)i) + load_u64(from + 8 * (size_t)i));
}

static inline bool same_key(const uint8_t *a, const uint8_t *b, size_t key_bytes)
{
    uint64_t difference = 0;

    for (size_t at = 0; at < key_bytes; at += 8)
        difference |= load_u64(a + at) ^ load_u64(b + at);
    return difference == 0;
}

/* -- adding -- */

/* The row with this key, or NULL; *free gets the place where it would go. */
static uint8_t *find(const struct table *table, const struct index_page *page, const uint8_t *key, uint32_t hash,
                     uint32_t *free_place)
{
    uint32_t i = hash & table->page_mask;
    uint64_t place;

    for (; (place = page->places[i]) != 0; i = (i + 1) & table->page_mask) {
        uint8_t *row;

        if (place >> 32 != hash)
            continue;
        row = row_at(table, (uint32_t)place - 1, table->body_bytes);
        if (same_key(row, key, table->key_bytes))
            return row;
    }
    *free_place = i;
    return NULL;
}

static void merge_others(struct table *table, const uint8_t *body)
{
    table->closed = true;
    intern_close(table->intern);
    if (table->merged++ == 0)
        memcpy(table->others + table->key_bytes, body + table->key_bytes, 8 * (size_t)table->value_count);
    else
        merge(table, table->others + table->key_bytes, body + table->key_bytes, table->value_count);
}

/* The record's key was not where the batch looked first: looks everywhere, and makes a row when it is new. */
static void add_slowly(struct table *table, const uint8_t *body, uint32_t hash)
{
    struct index_page *page = *directory_at(table, hash);
    uint32_t free_place, number;
    uint8_t *row = find(table, page, body, hash, &free_place);

    if (row != NULL) {
        merge(table, row + table->key_bytes, body + table->key_bytes, table->value_count);
        return;
    }
    while (!table->closed && page->count > table->page_mask - table->page_mask / 4) {
        bool small = table->page_mask + 1 < 1u << page_bits_full;

        if (!(small ? page_double(table, page) : page_split(table, page, hash)))
            break;
        page = *directory_at(table, hash);
        find(table, page, body, hash, &free_place);
    }
    /* A page that cannot split fills up to its last place but one: a search must end. */
    if (page->count >= table->page_mask || row_new(table, body, &number) == NULL) {
        merge_others(table, body);
        return;
    }
    page->places[free_place] = (uint64_t)hash << 32 | (number + 1);
    page->count++;
}

static inline __attribute__((always_inline)) void add_batch(struct table *table, uint8_t *const bodies[],
                                                            unsigned count, size_t key_bytes, uint32_t value_count)
{
    size_t body_bytes = key_bytes + 8 * (size_t)value_count;
    uint32_t hashes[table_batch_max];
    const uint64_t *at[table_batch_max];
    uint8_t *rows[table_batch_max];

    for (unsigned n = 0; n < count; n++) {
        hashes[n] = (uint32_t)hash_words(bodies[n], key_bytes / 8, table->seed);
        at[n] = (*directory_at(table, hashes[n]))->places;
        __builtin_prefetch(at[n] + (hashes[n] & table->page_mask));
    }
    for (unsigned n = 0; n < count; n++) {
        uint32_t i = hashes[n] & table->page_mask;
        uint64_t place;

        while ((place = at[n][i]) != 0 && place >> 32 != hashes[n])
            i = (i + 1) & table->page_mask;
        rows[n] = NULL;
        if (place == 0)
            continue;
        rows[n] = row_at(table, (uint32_t)place - 1, body_bytes);
        for (size_t line = 0; line < body_bytes; line += cache_line)
            __builtin_prefetch(rows[n] + line, 1);
        __builtin_prefetch(rows[n] + body_bytes - 1, 1);
    }
    for (unsigned n = 0; n < count; n++) {
        if (likely(rows[n] != NULL) && likely(same_key(rows[n], bodies[n], key_bytes)))
            merge(table, rows[n] + key_bytes, bodies[n] + key_bytes, value_count);
        else
            add_slowly(table, bodies[n], hashes[n]);
    }
}

void table_add(struct table *table, uint8_t *const bodies[], unsigned count)
{
    table->records += count;
    if (unlikely(table->directory == NULL)) {
        for (unsigned n = 0; n < count; n++)
            merge_others(table, bodies[n]);
        return;
    }
    /* The 5-tuple with packets and bytes: all loops unroll. */
    if (table->key_bytes == 40 && table->value_count == 2)
        add_batch(table, bodies, count, 40, 2);
    else
        add_batch(table, bodies, count, table->key_bytes, table->value_count);
}

/* -- life -- */

struct table *table_new(const struct layout *layout, uint64_t budget_bytes)
{
    struct table *table;
    size_t bytes = align_up(sizeof(*table) + layout->body_bytes, cache_line);

    table = aligned_alloc(cache_line, bytes);
    if (table == NULL)
        return NULL;
    memset(table, 0, bytes);
    table->layout = layout;
    table->budget_bytes = budget_bytes;
    table->seed = hash_seed_new();
    table->key_bytes = layout->key_bytes;
    table->body_bytes = layout->body_bytes;
    table->value_count = layout->value_count;
    table->rows_per_segment = (uint32_t)(huge_bytes / layout->body_bytes);
    while (1u << table->row_bits < table->rows_per_segment)
        table->row_bits++;
    table->all_sum = true;
    memset(table->roles, FIELD_ROLE_SUM, sizeof(table->roles));
    for (unsigned i = 0; i < layout->slot_count; i++) {
        const struct layout_slot *slot = &layout->slots[i];

        if (slot->offset < layout->key_bytes || slot->role == FIELD_ROLE_SUM)
            continue;
        table->roles[(slot->offset - layout->key_bytes) / 8] = slot->role;
        table->all_sum = false;
    }
    table->intern = intern_new();
    if (table->intern == NULL || !index_start(table)) {
        table_free(table);
        return NULL;
    }
    return table;
}

void table_free(struct table *table)
{
    if (table == NULL)
        return;
    index_free(table);
    if (table->scratch != NULL)
        munmap(table->scratch, sizeof(*table->scratch));
    for (uint32_t i = 0; i < table->segment_count; i++)
        munmap(table->segments[i], huge_bytes);
    free(table->segments);
    intern_free(table->intern);
    free(table);
}

/* An index that is nearly empty now was made for more keys than come: a small one is faster, and grows at need. */
static void index_clear(struct table *table)
{
    uint64_t places = ((uint64_t)table->page_mask + 1) << table->directory_bits;

    if (table->directory != NULL && table_rows(table) >= places / 8) {
        for (unsigned b = 0; b < table->block_count; b++)
            for (unsigned p = 0; p < table->blocks[b].used; p++) {
                table->blocks[b].pages[p].count = 0;
                memset(table->blocks[b].pages[p].places, 0, (table->page_mask + 1) * sizeof(uint64_t));
            }
        return;
    }
    index_free(table);
    if (!index_start(table))
        index_free(table);
}

static void segments_shrink(struct table *table, uint32_t keep)
{
    while (table->segment_count > keep)
        munmap(table->segments[--table->segment_count], huge_bytes);
}

/* Nothing is kept, not even for reuse: what strings had grown to would leave no room in the budget for rows. */
static void drop_memory(struct table *table)
{
    struct intern *intern = intern_new();

    segments_shrink(table, 0);
    table->first_touched = 0;
    index_free(table);
    if (!index_start(table))
        index_free(table);
    if (intern != NULL) {
        intern_free(table->intern);
        table->intern = intern;
    }
}

void table_clear(struct table *table)
{
    index_clear(table);
    segments_shrink(table, table->segment_now + 1);
    table->segment_now = 0;
    table->segment_rows = 0;
    table->records = table->merged = 0;
    table->closed = false;
    intern_clear(table->intern);
    if (!in_budget(table, 0))
        drop_memory(table);
}

/* -- looking -- */

struct intern *table_intern(struct table *table)
{
    return table->intern;
}

uint64_t table_rows(const struct table *table)
{
    return (uint64_t)table->segment_now * table->rows_per_segment + table->segment_rows;
}

uint64_t table_records(const struct table *table)
{
    return table->records;
}

uint64_t table_merged(const struct table *table)
{
    return table->merged;
}

uint64_t table_bytes(const struct table *table)
{
    uint64_t rows_bytes = table->segment_count > 1 ? table->segment_count * (uint64_t)huge_bytes
                                                   : table->first_touched * table->body_bytes;
    /* Of a page only its first places are touched while it is small. The copy for splits counts as one more. */
    uint64_t page_bytes = cache_line + (table->page_mask + 1) * sizeof(uint64_t);

    return (table->page_count + 1) * page_bytes + rows_bytes + intern_bytes(table->intern);
}

uint8_t *table_row(const struct table *table, uint64_t row)
{
    return table->segments[row / table->rows_per_segment] + row % table->rows_per_segment * table->body_bytes;
}

uint8_t *table_others(const struct table *table)
{
    return table->merged == 0 ? NULL : (uint8_t *)table->others;
}

uint64_t table_segment(const struct table *table, unsigned segment, uint8_t **first)
{
    uint64_t rows = table_rows(table), before = (uint64_t)segment * table->rows_per_segment;

    if (before >= rows)
        return 0;
    *first = table->segments[segment];
    return min_u64(rows - before, table->rows_per_segment);
}

uint8_t *table_find(const struct table *table, const uint8_t *key)
{
    uint32_t hash = (uint32_t)hash_words(key, table->key_bytes / 8, table->seed), free_place;

    return table->directory == NULL ? NULL : find(table, *directory_at(table, hash), key, hash, &free_place);
}

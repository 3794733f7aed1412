/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The rows of a set of prefixes: checked, masked, sorted, each once, and which row holds which. What is found with
 * them is in prefixes_index.h, one index for each family.
 */
#include "net/prefixes.h"

#include <stdlib.h>
#include <sys/mman.h>

#include "net/prefixes_index.h"

#define digits 18 /* octets that rows are sorted by */

/* -- memory -- */

#define huge_page (UINT64_C(2) << 20)

/* Asks for huge pages before rows are written: look-ups hop about in them. In vain where there are none. */
static void ask_huge_pages(void *memory, size_t bytes)
{
    uintptr_t begin = align_up((uintptr_t)memory, huge_page), end = ((uintptr_t)memory + bytes) & ~(huge_page - 1);

    if (begin < end)
        (void)madvise((void *)begin, end - begin, MADV_HUGEPAGE);
}

static struct prefix *new_rows(uint32_t count)
{
    struct prefix *rows = malloc(max_u64(count, 1) * sizeof(*rows));

    if (rows != NULL)
        ask_huge_pages(rows, count * sizeof(*rows));
    return rows;
}

/* -- order -- */

/* Below 0 when a comes first: by family, then by key, then by length. */
static int compare(const struct prefix *a, const struct prefix *b)
{
    prefix_key key_a, key_b;
    enum prefix_family family_a = prefix_key_of_net(&a->net, &key_a), family_b = prefix_key_of_net(&b->net, &key_b);

    if (family_a != family_b)
        return family_a < family_b ? -1 : 1;
    if (key_a != key_b)
        return key_a < key_b ? -1 : 1;
    return (int)a->length - (int)b->length;
}

static bool is_sorted(const struct prefix *rows, uint32_t count)
{
    for (uint32_t i = 1; i < count; i++)
        if (compare(&rows[i - 1], &rows[i]) > 0)
            return false;
    return true;
}

/* Digit `number` of what rows are sorted by, from the least: the length, the key from its end, the family. */
static unsigned digit_of(const struct prefix *row, unsigned number)
{
    prefix_key key;
    enum prefix_family family = prefix_key_of_net(&row->net, &key);

    if (number == 0)
        return row->length;
    return number == digits - 1 ? (unsigned)family : (uint8_t)(key >> 8 * (number - 1));
}

/* Moves rows to their places by one digit; rows with equal digits stay in order. False when all have the same. */
static bool sort_by(const struct prefix *from, struct prefix *to, uint32_t count, unsigned digit)
{
    uint32_t places[256] = {0}, next = 0;

    for (uint32_t i = 0; i < count; i++)
        places[digit_of(&from[i], digit)]++;
    if (places[digit_of(&from[0], digit)] == count)
        return false;
    for (unsigned i = 0; i < array_length(places); i++) {
        uint32_t of_digit = places[i];

        places[i] = next;
        next += of_digit;
    }
    for (uint32_t i = 0; i < count; i++)
        to[places[digit_of(&from[i], digit)]++] = from[i];
    return true;
}

/* By digits, the least first: the time hangs on the number of rows, not on their order. False: no memory. */
static bool sort(struct prefix **rows, uint32_t count)
{
    struct prefix *from = *rows, *to = new_rows(count);

    if (to == NULL)
        return false;
    for (unsigned digit = 0; digit < digits; digit++) {
        if (sort_by(from, to, count, digit)) {
            struct prefix *sorted = to;

            to = from;
            from = sorted;
        }
    }
    *rows = from;
    free(to);
    return true;
}

/* Of equal rows the first stays. Returns how many are left. */
static uint32_t drop_repeated(struct prefix *rows, uint32_t count)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < count; i++)
        if (kept == 0 || compare(&rows[kept - 1], &rows[i]) != 0)
            rows[kept++] = rows[i];
    return kept;
}

/* -- building -- */

static int copy_rows(struct prefix *rows, const struct prefix *given, uint32_t count, struct error *error)
{
    for (uint32_t i = 0; i < count; i++) {
        rows[i] = given[i];
        if (!prefix_settle(&rows[i]))
            return error_set(error, "prefix %lu has a length above %u", (unsigned long)i + 1,
                             prefix_bits(&rows[i].net));
    }
    return 0;
}

static int fill_rows(struct prefixes *prefixes, const struct prefix *given, uint32_t count, struct error *error)
{
    prefixes->rows = new_rows(count);
    if (prefixes->rows == NULL)
        return error_set(error, "out of memory for %lu prefixes", (unsigned long)count);
    if (copy_rows(prefixes->rows, given, count, error) < 0)
        return -1;
    if (!is_sorted(prefixes->rows, count) && !sort(&prefixes->rows, count))
        return error_set(error, "out of memory to sort %lu prefixes", (unsigned long)count);
    prefixes->count = drop_repeated(prefixes->rows, count);
    return 0;
}

/* What holds a row stands before it: the row before, or one of those that hold that one. */
static int fill_parents(struct prefixes *prefixes, struct error *error)
{
    prefixes->parents = malloc(max_u64(prefixes->count, 1) * sizeof(*prefixes->parents));
    if (prefixes->parents == NULL)
        return error_set(error, "out of memory for %lu prefixes", (unsigned long)prefixes->count);
    for (uint32_t i = 0; i < prefixes->count; i++) {
        uint32_t holder = i - 1; /* of the first row: none */
        prefix_key key;
        enum prefix_family family = prefix_key_of_net(&prefixes->rows[i].net, &key);

        while (holder != prefixes_none && !prefix_holds(&prefixes->rows[holder], family, key))
            holder = prefixes->parents[holder];
        prefixes->parents[i] = holder;
    }
    return 0;
}

static int fill_indexes(struct prefixes *prefixes, bool by_value, struct error *error)
{
    uint32_t border = 0;

    while (border < prefixes->count && address_is_ipv4(&prefixes->rows[border].net))
        border++;
    if (border > 0)
        prefixes->ipv4 = prefixes_index_build(prefixes->rows, prefixes->parents, 0, border, by_value, error);
    if (border > 0 && prefixes->ipv4 == NULL)
        return -1;
    if (border < prefixes->count)
        prefixes->ipv6 = prefixes_index_build(prefixes->rows, prefixes->parents, border, prefixes->count, by_value,
                                              error);
    return border < prefixes->count && prefixes->ipv6 == NULL ? -1 : 0;
}

static struct prefixes *build(const struct prefix *given, uint32_t count, bool by_value, struct error *error)
{
    struct prefixes *prefixes;

    if (count > prefixes_max) {
        error_set(error, "%lu prefixes are more than %lu", (unsigned long)count, (unsigned long)prefixes_max);
        return NULL;
    }
    prefixes = calloc(1, sizeof(*prefixes));
    if (prefixes == NULL)
        error_set(error, "out of memory for prefixes");
    else if (fill_rows(prefixes, given, count, error) == 0 && fill_parents(prefixes, error) == 0 &&
             fill_indexes(prefixes, by_value, error) == 0)
        return prefixes;
    prefixes_free(prefixes);
    return NULL;
}

struct prefixes *prefixes_build(const struct prefix *given, uint32_t count, struct error *error)
{
    return build(given, count, false, error);
}

struct prefixes *prefixes_build_values(const struct prefix *given, uint32_t count, struct error *error)
{
    for (uint32_t i = 0; i < count; i++)
        if (given[i].value >= prefixes_value_max) {
            error_set(error, "a value of %lu is too large", (unsigned long)given[i].value);
            return NULL;
        }
    return build(given, count, true, error);
}

void prefixes_free(struct prefixes *prefixes)
{
    if (prefixes == NULL)
        return;
    prefixes_index_free(prefixes->ipv4);
    prefixes_index_free(prefixes->ipv6);
    free(prefixes->rows);
    free(prefixes->parents);
    free(prefixes);
}

/* -- finding -- */

_Static_assert(prefixes_max == UINT32_C(1) << slot_row_bits, "rows to try are named by so many bits");

/* What a look-up in an index comes to: the label of a row plus one, 0 for none; or slot_try and the row's number. */
static __attribute__((noinline)) uint32_t settle(const struct prefixes *prefixes, const struct prefixes_index *index,
                                                 uint32_t slot, enum prefix_family family, prefix_key key)
{
    uint32_t row, first;

    slot = prefixes_index_below(index, slot, key);
    if (!(slot & slot_try))
        return slot;
    row = slot & (prefixes_max - 1);
    first = row - (slot >> slot_row_bits) % slot_few;
    for (;; row--) {
        if (prefix_holds(&prefixes->rows[row], family, key))
            return slot_try | row;
        if (row == first)
            break;
    }
    row = prefixes->parents[first];
    return row == prefixes_none ? 0 : slot_try | row;
}

static uint32_t find_key(const struct prefixes *prefixes, enum prefix_family family, prefix_key key)
{
    const struct prefixes_index *index = family == PREFIX_IPV4 ? prefixes->ipv4 : prefixes->ipv6;

    if (index == NULL || family == PREFIX_ABSENT)
        return 0;
    return settle(prefixes, index, prefixes_index_root(index, (uint32_t)(key >> 96)), family, key);
}

/*
 * A few instructions for what is usual, an IPv4 address whose slot in the root is a leaf: so that the processor gets
 * on with the next addresses while it waits for memory.
 */
static inline uint32_t find_slot(const struct prefixes *prefixes, const struct address *address)
{
    const struct prefixes_index *index = prefixes->ipv4;
    enum prefix_family family;
    prefix_key key;

    if (likely(address_is_ipv4(address) && index != NULL)) {
        uint32_t bits = host_be32(load_u32(address->bytes + 12)), slot = prefixes_index_root(index, bits);

        return likely(slot < slot_try) ? slot : settle(prefixes, index, slot, PREFIX_IPV4, (prefix_key)bits << 96);
    }
    family = prefix_key_of_address(address, &key);
    return find_key(prefixes, family, key);
}

static inline uint32_t number_of(uint32_t slot)
{
    return unlikely(slot & slot_try) ? slot & ~slot_try : slot - 1;
}

uint32_t prefixes_find(const struct prefixes *prefixes, const struct address *address)
{
    return number_of(find_slot(prefixes, address));
}

uint32_t prefixes_find_value(const struct prefixes *prefixes, const struct address *address)
{
    uint32_t slot = find_slot(prefixes, address);

    return unlikely(slot & slot_try) ? prefixes->rows[slot & ~slot_try].value : slot - 1;
}

uint32_t prefixes_exact(const struct prefixes *prefixes, const struct address *net, uint8_t length)
{
    struct prefix wanted = {.net = *net, .length = length};
    enum prefix_family family;
    prefix_key key;
    uint32_t number;

    if (!prefix_settle(&wanted))
        return prefixes_none;
    family = prefix_key_of_net(&wanted.net, &key);
    number = number_of(find_key(prefixes, family, key));
    while (number != prefixes_none && prefixes->rows[number].length > length)
        number = prefixes->parents[number];
    return number != prefixes_none && compare(&prefixes->rows[number], &wanted) == 0 ? number : prefixes_none;
}

size_t prefixes_bytes(const struct prefixes *prefixes)
{
    return sizeof(*prefixes) + prefixes->count * (sizeof(*prefixes->rows) + sizeof(*prefixes->parents)) +
           prefixes_index_bytes(prefixes->ipv4) + prefixes_index_bytes(prefixes->ipv6);
}

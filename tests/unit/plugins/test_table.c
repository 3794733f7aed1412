/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The aggregate table against a model that is too simple to be wrong: random layouts (keys of 0 to 64 bytes, every way
 * to merge), random records, budgets, clearing and use again; and growth over many index pages and segments.
 */
#include "plugins/common/table.h"

#include "plugins/common/intern.h"

#include "lib/tap.h"

#include <stdio.h>
#include <stdlib.h>

#define model_rows_max 20000u

static uint64_t random_next(void)
{
    static uint64_t state = UINT64_C(0x853c49e6748fea9b);

    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

/* The model: rows in a row, found through a chained hash of its own. */
struct model {
    const struct layout *layout;
    uint8_t *rows;
    uint32_t next[model_rows_max], heads[4096];
    uint32_t count;
};

static enum field_role role_of(const struct layout *layout, unsigned value)
{
    for (unsigned i = 0; i < layout->slot_count; i++)
        if (layout->slots[i].offset == layout->key_bytes + 8 * value)
            return (enum field_role)layout->slots[i].role;
    return FIELD_ROLE_SUM;
}

static uint64_t merge(enum field_role role, uint64_t a, uint64_t b)
{
    switch (role) {
    case FIELD_ROLE_OR:
        return a | b;
    case FIELD_ROLE_MIN:
        return a == 0 ? b : b == 0 ? a : (int64_t)a < (int64_t)b ? a : b;
    case FIELD_ROLE_MAX:
        return (int64_t)a > (int64_t)b ? a : b;
    case FIELD_ROLE_LAST:
        return b == 0 ? a : b;
    default:
        return a + b;
    }
}

static void model_merge(const struct layout *layout, uint8_t *row, const uint8_t *body)
{
    for (unsigned v = 0; v < layout->value_count; v++)
        store_u64(row + layout->key_bytes + 8 * v, merge(role_of(layout, v), layout_value(layout, row, v),
                                                         layout_value(layout, body, v)));
}

static uint8_t *model_find(struct model *model, const uint8_t *key, uint32_t *head)
{
    uint32_t sum = 17;

    for (unsigned i = 0; i < model->layout->key_bytes; i++)
        sum = sum * 33 + key[i];
    *head = sum % array_length(model->heads);
    for (uint32_t n = model->heads[*head]; n != 0; n = model->next[n - 1]) {
        uint8_t *row = model->rows + (n - 1) * (size_t)model->layout->body_bytes;

        if (memcmp(row, key, model->layout->key_bytes) == 0)
            return row;
    }
    return NULL;
}

static void model_add(struct model *model, const uint8_t *body)
{
    uint32_t head;
    uint8_t *row = model_find(model, body, &head);

    if (row != NULL) {
        model_merge(model->layout, row, body);
        return;
    }
    memcpy(model->rows + model->count * (size_t)model->layout->body_bytes, body, model->layout->body_bytes);
    model->next[model->count] = model->heads[head];
    model->heads[head] = ++model->count;
}

static void random_layout(struct layout *layout, unsigned key_words, bool sums_only)
{
    static const enum field_role roles[] = {FIELD_ROLE_SUM, FIELD_ROLE_OR, FIELD_ROLE_MIN, FIELD_ROLE_MAX,
                                            FIELD_ROLE_LAST};

    *layout = (struct layout){.key_bytes = (uint16_t)(8 * key_words),
                              .value_count = (uint16_t)(2 + (sums_only ? 0 : random_next() % 7)),
                              .bin_offset = -1};
    layout->body_bytes = (uint16_t)(layout->key_bytes + 8 * layout->value_count);
    for (unsigned i = 0; i < key_words; i++)
        layout->slots[layout->slot_count++] = (struct layout_slot){
            .field = (uint16_t)i, .offset = (uint16_t)(8 * i), .bytes = 8, .role = FIELD_ROLE_KEY};
    for (unsigned i = 2; i < layout->value_count; i++)
        layout->slots[layout->slot_count++] =
            (struct layout_slot){.field = (uint16_t)i, .offset = (uint16_t)(8 * (key_words + i)), .bytes = 8,
                                 .role = (uint8_t)roles[random_next() % array_length(roles)]};
}

/* Few different bits, so that keys resemble each other as addresses and ports do. */
static void random_body(const struct layout *layout, uint8_t *body, uint64_t keys)
{
    uint64_t key = random_next() % keys;

    for (unsigned i = 0; i < layout->key_bytes / 8u; i++)
        store_u64(body + 8 * i, i % 3 == 0 ? key << 20 : i % 3 == 1 ? key & 15 : 0);
    for (unsigned i = 0; i < layout->value_count; i++)
        store_u64(body + layout->key_bytes + 8 * i,
                  random_next() % 4 == 0 ? 0 : i == 0 ? 1 : random_next() >> (random_next() % 64));
}

static bool same_rows(const struct table *table, struct model *model)
{
    const struct layout *layout = model->layout;
    uint64_t seen = 0, count;
    uint8_t *first;

    if (table_rows(table) != model->count)
        return false;
    for (unsigned segment = 0; (count = table_segment(table, segment, &first)) > 0; segment++)
        for (uint64_t i = 0; i < count; i++, seen++, first += layout->body_bytes) {
            /* Order of arrival, so row by row. */
            if (memcmp(first, model->rows + seen * layout->body_bytes, layout->body_bytes) != 0 ||
                table_row(table, seen) != first || table_find(table, first) != first)
                return false;
        }
    return seen == model->count;
}

static void test_against_model(struct model *model, const struct layout *layout, uint64_t keys, unsigned operations)
{
    static _Alignas(8) uint8_t bodies[table_batch_max][128];
    struct table *table = table_new(layout, 0);
    uint8_t *pointers[table_batch_max], absent[64];
    bool good = table != NULL;

    model->layout = layout;
    for (unsigned life = 0; good && life < 3; life++) {
        uint64_t records = 0;
        uint32_t head;

        model->count = 0;
        memset(model->heads, 0, sizeof(model->heads));
        while (records < operations) {
            unsigned count = 1 + (unsigned)(random_next() % table_batch_max);

            for (unsigned i = 0; i < count; i++) {
                pointers[i] = bodies[i];
                random_body(layout, bodies[i], keys);
                model_add(model, bodies[i]);
            }
            table_add(table, pointers, count);
            records += count;
        }
        good = same_rows(table, model) && table_records(table) == records && table_merged(table) == 0 &&
               table_others(table) == NULL;
        memset(absent, 0xa5, sizeof(absent));
        good = good && (layout->key_bytes == 0 ||
                        (model_find(model, absent, &head) == NULL && table_find(table, absent) == NULL));
        table_clear(table);
        good = good && table_rows(table) == 0 && table_records(table) == 0 && table_segment(table, 0, pointers) == 0;
        keys = keys / 50 + 1; /* fewer: the index is made small again */
    }
    ok(good, "key of %u bytes, %u values%s: equals the model, three times", layout->key_bytes, layout->value_count,
       layout->slot_count > layout->key_bytes / 8 ? " of all kinds" : "");
    table_free(table);
}

/* Adds keys 0 .. count-1 in turn, each with 1 packet and its number as bytes. */
static void add_keys(struct table *table, uint64_t from, uint64_t count)
{
    static _Alignas(8) uint8_t bodies[table_batch_max][56];
    uint8_t *pointers[table_batch_max];
    unsigned used = 0;

    for (uint64_t key = from; key < from + count; key++) {
        memset(bodies[used], 0, sizeof(bodies[used]));
        store_u64(bodies[used] + 8, key);
        store_u64(bodies[used] + 40, 1);
        store_u64(bodies[used] + 48, key);
        pointers[used] = bodies[used];
        used++;
        if (used == table_batch_max || key + 1 == from + count) {
            table_add(table, pointers, used);
            used = 0;
        }
    }
}

static const struct layout plain = {.key_bytes = 40, .value_count = 2, .body_bytes = 56, .bin_offset = -1};

static uint64_t total(const struct table *table, unsigned value)
{
    uint64_t sum = 0, count;
    uint8_t *row;

    for (unsigned segment = 0; (count = table_segment(table, segment, &row)) > 0; segment++)
        for (; count > 0; count--, row += plain.body_bytes)
            sum += layout_value(&plain, row, value);
    if (table_others(table) != NULL)
        sum += layout_value(&plain, table_others(table), value);
    return sum;
}

static void test_growth(void)
{
    struct table *table = table_new(&plain, 0);
    uint64_t keys = 700000, wrong = 0, bytes;
    uint8_t key[40] = {0};

    ok(table_bytes(table) < 16384, "an empty table takes %llu bytes", (unsigned long long)table_bytes(table));
    add_keys(table, 0, 100000);
    ok(table_bytes(table) < 12000000, "100 k keys take %llu bytes", (unsigned long long)table_bytes(table));
    add_keys(table, 100000, keys - 100000);
    bytes = table_bytes(table);
    ok(bytes < keys * 100, "%llu keys take %llu bytes", (unsigned long long)keys, (unsigned long long)bytes);
    add_keys(table, 0, keys);
    is_u64(table_rows(table), keys, "all rows");
    is_u64(total(table, 0), 2 * keys, "all packets");
    is_u64(total(table, 1), keys * (keys - 1), "all bytes");
    for (uint64_t i = 0; i < keys; i++) {
        const uint8_t *row;

        store_u64(key + 8, i);
        row = table_find(table, key);
        wrong += row == NULL || row != table_row(table, i) || layout_value(&plain, row, 1) != 2 * i;
    }
    is_u64(wrong, 0, "each row is found, in order of arrival");
    table_clear(table);
    add_keys(table, 0, keys);
    is_u64(table_bytes(table), bytes, "cleared and filled again it takes the same memory");
    table_clear(table);
    add_keys(table, 0, 10);
    table_clear(table);
    ok(table_bytes(table) < 3000000, "after a quiet time it is small: %llu bytes",
       (unsigned long long)table_bytes(table));
    table_free(table);
    table_free(NULL);
}

static void test_budget(void)
{
    static const uint64_t budgets[] = {1, 50000, 500000, 5000000, 30000000};

    for (unsigned i = 0; i < array_length(budgets); i++) {
        struct table *table = table_new(&plain, budgets[i]);
        uint64_t keys = 600000, rows;

        add_keys(table, 0, keys);
        rows = table_rows(table);
        ok(table_bytes(table) <= max_u64(budgets[i], 16384) && rows < keys, "budget %llu: %llu bytes, %llu rows",
           (unsigned long long)budgets[i], (unsigned long long)table_bytes(table), (unsigned long long)rows);
        ok(i < 2 || rows * 100 > budgets[i] / 3, "which is used");
        add_keys(table, 0, keys);
        is_u64(table_rows(table), rows, "no new rows later");
        is_u64(table_merged(table), 2 * (keys - rows), "the other records are in the row others");
        is_u64(table_records(table), 2 * keys, "all are counted");
        ok(total(table, 0) == 2 * keys && total(table, 1) == keys * (keys - 1), "and the totals are right");
        table_clear(table);
        ok(table_others(table) == NULL && table_merged(table) == 0, "cleared");
        add_keys(table, 0, keys);
        ok(table_rows(table) >= rows - rows / 4 && table_rows(table) + table_merged(table) == keys, "as before");
        table_free(table);
    }
}

/* A table that was full is of use again when it is cleared, whatever its memory was taken for. */
static void test_budget_again(void)
{
    bool rows_each_time = true, strings_each_time = true, bounded = true;
    char text[200];

    for (uint64_t budget = 20000; budget < 400000; budget += 7000) {
        struct table *table = table_new(&plain, budget);
        uint64_t least = UINT64_MAX, most = 0;

        for (unsigned turn = 0; turn < 5; turn++) {
            add_keys(table, 0, 20000);
            least = min_u64(least, table_rows(table));
            most = max_u64(most, table_rows(table));
            bounded = bounded && table_bytes(table) <= budget;
            table_clear(table);
        }
        rows_each_time = rows_each_time && least > 0 && least >= most / 2;
        for (unsigned turn = 0; turn < 5; turn++) {
            for (unsigned n = 0; n < 5000; n++) {
                memset(text, 'a' + (int)turn, sizeof(text));
                memcpy(text, &n, sizeof(n));
                intern_put(table_intern(table), text, sizeof(text));
            }
            add_keys(table, 0, 100);
            table_clear(table);
            add_keys(table, 0, 50);
            strings_each_time = strings_each_time && table_rows(table) == 50;
            table_clear(table);
        }
        table_free(table);
    }
    ok(rows_each_time, "a table that was full has rows again after each clear");
    ok(bounded, "and stays within its budget");
    ok(strings_each_time, "also when strings had filled it");
}

static void test_strings_over_budget(void)
{
    struct table *table = table_new(&plain, 20000);
    struct intern *intern = table_intern(table);
    uint8_t known[56] = {0}, other[56] = {0}, *pointers[2] = {known, other};
    uint32_t id = intern_put(intern, "known", 5);

    store_u32(known, id);
    store_u64(known + 40, 1);
    store_u64(other + 40, 1);
    table_add(table, pointers, 1);
    add_keys(table, 0, 10000);
    is_u64(intern_put(intern, "known", 5), id, "over the budget a known string keeps its id");
    store_u32(other, intern_put(intern, "new", 3));
    is_u64(load_u32(other), intern_unknown, "a new one is not stored");
    table_add(table, pointers, 2);
    is_u64(layout_value(&plain, table_find(table, known), 0), 2, "the known row counts on");
    is_u64(table_rows(table) + table_merged(table), 10002, "the new one is among the others");
    table_free(table);
}

int main(void)
{
    static struct model model;
    struct layout layout;

    plan_none();
    model.rows = malloc(model_rows_max * 192);
    for (unsigned words = 0; words <= 8; words++) {
        random_layout(&layout, words, words == 5);
        test_against_model(&model, &layout, 1000, 40000);
        random_layout(&layout, words, words % 2 == 0);
        test_against_model(&model, &layout, model_rows_max - 1, 100000);
    }
    free(model.rows);
    test_growth();
    test_budget();
    test_budget_again();
    test_strings_over_budget();
    return done_testing();
}

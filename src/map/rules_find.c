/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The way of a record through the compiled rules. Shapes stand in the order of their first rows, so that the search
 * ends when all that is left comes after what was found. A dim is read from the record when the first shape needs it.
 */
#include "map/rules_index.h"

#define communities_blanks "_ ,"

/* -- conditions that are looked at -- */

/* Whether one community is like a pattern of `length` bytes: a dot in the pattern is any character. */
static bool community_like(const char *community, size_t size, const char *pattern, size_t length)
{
    if (size != length)
        return false;
    for (size_t i = 0; i < length; i++)
        if (pattern[i] != '.' && pattern[i] != community[i])
            return false;
    return true;
}

static bool has_community(const struct span *text, const char *pattern, size_t length)
{
    const char *at = text->data, *end = text->data + text->length;

    while (at < end) {
        const char *first = at;

        while (at < end && strchr(communities_blanks, *at) == NULL)
            at++;
        if (community_like(first, (size_t)(at - first), pattern, length))
            return true;
        at++;
    }
    return false;
}

static bool any_community(const struct span *text, const char *patterns)
{
    while (*patterns != '\0') {
        size_t length = strcspn(patterns, ",");

        if (length > 0 && has_community(text, patterns, length))
            return true;
        patterns += length + (patterns[length] == ',');
    }
    return false;
}

static bool equals(const struct rules_condition *condition, unsigned subject, const struct flow *flow, bool *told)
{
    uint64_t number = 0;

    if (subject_number(subject, flow, &number))
        *told = true;
    else if (condition->absent != RULES_ABSENT_ZERO)
        return false;
    return number == condition->number;
}

static bool holds_number(const struct rules_condition *condition, const struct flow *flow)
{
    bool told = condition->absent != RULES_ABSENT_NEVER;
    bool equal = equals(condition, condition->subject, flow, &told);

    if (!equal && condition->other_subject != SUBJECT_NONE)
        equal = equals(condition, condition->other_subject, flow, &told);
    return told && equal != condition->negated;
}

static bool holds_address(const struct rules_condition *condition, const struct flow *flow)
{
    struct address address;
    prefix_key key;
    enum prefix_family family;

    if (!subject_address(condition->subject, flow, &address))
        return condition->negated && condition->absent != RULES_ABSENT_NEVER;
    family = prefix_key_of_address(&address, &key);
    return prefix_holds(&condition->prefix, family, key) != condition->negated;
}

static bool holds_communities(const struct rules_condition *condition, const struct flow *flow)
{
    struct span text;

    if (!subject_text(condition->subject, flow, &text))
        return condition->negated && condition->absent != RULES_ABSENT_NEVER;
    return any_community(&text, condition->text) != condition->negated;
}

static bool holds(const struct rules *rules, const struct rules_condition *condition)
{
    switch ((enum rules_operator)condition->operator) {
    case RULES_EQUAL:
        return holds_number(condition, rules->flow);
    case RULES_PREFIX:
        return holds_address(condition, rules->flow);
    case RULES_COMMUNITIES:
        return holds_communities(condition, rules->flow);
    case RULES_FILTER:
        return flow_filter_match(condition->filter, rules->flow, rules->image) != condition->negated;
    case RULES_NEVER:
        break;
    }
    return false;
}

static bool holds_all(const struct rules *rules, uint32_t first, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        if (!holds(rules, &rules->checks[first + i]))
            return false;
    return true;
}

/* -- what the record tells -- */

/*
 * Exporters and next hops are few and records many, so that such an address is most often that of a record not long
 * ago. Hosts are many: to remember them would only take room in the cache.
 */
static inline uint32_t node_of(struct rules_dim *dim, const struct address *address)
{
    struct rules_memory *memory;
    uint64_t mix;

    if (dim->memory == NULL)
        return prefixes_find(dim->prefixes, address);
    mix = hash_fold(load_u64(address->bytes) ^ load_u64(address->bytes + 8), UINT64_C(0x9e3779b97f4a7c15));
    memory = &dim->memory[mix % rules_remembered];
    if (!address_equal(&memory->address, address)) {
        memory->address = *address;
        memory->node = prefixes_find(dim->prefixes, address);
    }
    return memory->node;
}

/* As subject_number, with what it would look up. */
static inline bool read_number(const struct rules_dim *dim, const struct flow *flow, uint64_t *value)
{
    const uint8_t *member = (const uint8_t *)flow + dim->flow_offset;

    if (dim->flow_bytes == 0)
        return subject_number(dim->subject, flow, value);
    if ((flow->have.words[dim->have_word] & dim->have_bit) == 0)
        return false;
    if (dim->flow_bytes == 4)
        *value = load_u32(member);
    else if (dim->flow_bytes == 2)
        *value = load_u16(member);
    else if (dim->flow_bytes == 8)
        *value = load_u64(member);
    else
        *value = *member;
    return true;
}

static inline bool read_dim(struct rules *rules, unsigned number)
{
    struct rules_dim *dim = &rules->dims[number];
    const struct flow *flow = rules->flow;
    uint64_t value = 0;

    if (dim->flow_bytes == sizeof(struct address)) {
        struct address address;

        memcpy(&address, (const uint8_t *)flow + dim->flow_offset, sizeof(address));
        if ((flow->have.words[dim->have_word] & dim->have_bit) == 0 || address_is_absent(&address))
            return false;
        rules->values[number] = value = node_of(dim, &address);
        return value != rules_none;
    }
    if (!read_number(dim, flow, &value) && dim->absent != RULES_ABSENT_ZERO)
        return false;
    rules->values[number] = value;
    return value <= dim->most;
}

static void read_dims(struct rules *rules, uint64_t dims)
{
    rules->ready |= dims;
    for (; dims != 0; dims &= dims - 1) {
        unsigned number = (unsigned)__builtin_ctzll(dims);

        if (read_dim(rules, number))
            rules->told |= UINT64_C(1) << number;
    }
}

void rules_start(struct rules *rules, const struct flow *flow, struct flow_image *image)
{
    rules->flow = flow;
    rules->image = image;
    rules->ready = rules->told = 0;
}

/* -- keys -- */

/* The first of a key's rows from `from` on that fits and comes before the hit. Those before `from` are jumped over. */
static bool search_members(const struct rules *rules, uint32_t head, uint32_t from, struct rules_hit *hit)
{
    const struct rules_member *member = &rules->members[head];
    uint64_t count = member->row; /* the first one is their head */
    uint64_t low = 1, high = count + 1;

    while (low < high) {
        uint64_t middle = low + (high - low) / 2;

        if (member[middle].row < from)
            low = middle + 1;
        else
            high = middle;
    }
    for (uint64_t i = low; i <= count && member[i].row < hit->row; i++) {
        if (!holds_all(rules, member[i].check, member[i].check_count))
            continue;
        *hit = (struct rules_hit){member[i].row, member[i].kind, member[i].value};
        return true;
    }
    return false;
}

/* What a slot without members says is a row that fits. */
static inline void take(const struct rules *rules, uint64_t slot, struct rules_hit *hit)
{
    hit->row = rules_slot_row(slot);
    hit->kind = (uint8_t)(rules_slot_kind(slot) - 1);
    hit->value = rules->uppers[(slot >> SLOT_UPPER_SHIFT) % rules_uppers_max] | (uint32_t)slot;
}

/* Inlined where nearly all records go; a call would cost them a tenth of the whole. */
static inline __attribute__((always_inline)) void search_key(const struct rules *rules, const struct rules_shape *shape,
                                                             uint64_t low, uint64_t high, uint32_t from,
                                                             struct rules_hit *hit)
{
    uint64_t slot = rules_find_slot(shape, low, high, rules->seed);

    if (slot == 0 || rules_slot_row(slot) >= hit->row)
        return;
    if (unlikely(rules_slot_kind(slot) == SLOT_MEMBERS))
        search_members(rules, (uint32_t)slot, from, hit);
    else if (rules_slot_row(slot) >= from)
        take(rules, slot, hit);
}

/* The table of places. False: it does not know, the prefixes are to be looked at one by one. */
static inline bool search_places(const struct rules *rules, const struct rules_shape *shape, uint32_t from,
                                 struct rules_hit *hit)
{
    const struct rules_dim *dim = &rules->dims[shape->prefix->dim];
    const struct rules_places *places;
    enum prefix_family family;
    struct address address;
    prefix_key key;
    uint64_t slot;

    memcpy(&address, (const uint8_t *)rules->flow + dim->flow_offset, sizeof(address));
    family = prefix_key_of_address(&address, &key);
    if ((rules->flow->have.words[dim->have_word] & dim->have_bit) == 0 || family == PREFIX_ABSENT)
        return true;
    places = &shape->places[family - 1];
    if (places->slots == NULL)
        return places->empty;
    if (places->skip_bits > 0 && (key ^ places->skipped) >> (128 - places->skip_bits) != 0)
        return true;
    slot = places->slots[(uint64_t)(key << places->skip_bits >> 64) >> (64 - places->bits)];
    if (slot == 0)
        return true;
    if (unlikely(rules_slot_kind(slot) == SLOT_MEMBERS || rules_slot_row(slot) < from))
        return false;
    if (rules_slot_row(slot) < hit->row)
        take(rules, slot, hit);
    return true;
}

/* The prefix of this number, or the next one around it, that keys of the shape have. */
static inline uint32_t usable(const struct rules_dim *dim, uint64_t number, uint64_t bit)
{
    uint32_t node = (uint32_t)number;

    if ((dim->whole_shapes & bit) != 0)
        return node;
    while (node != rules_none && (dim->nodes[node].shapes & bit) == 0)
        node = dim->nodes[node].parent;
    return node;
}

static void search_words(const struct rules *rules, const struct rules_shape *shape, const uint64_t *words,
                         uint32_t from, struct rules_hit *hit)
{
    uint64_t low = shape->hashed ? hash_words(words, shape->words, rules->seed) : words[0];

    search_key(rules, shape, low, shape->hashed ? 0 : words[1], from, hit);
}

/* The next combination: like a number whose digits go from the longest prefix outwards. False after the last one. */
static bool move_outwards(const struct rules *rules, const struct rules_shape *shape, uint64_t bit,
                          const uint32_t *first, uint32_t *at, uint64_t *words)
{
    for (unsigned i = 0; i < shape->prefix_count; i++) {
        const struct rules_place *place = &shape->prefix[i];
        const struct rules_dim *dim = &rules->dims[place->dim];
        uint32_t next = usable(dim, dim->nodes[at[i]].parent, bit);

        words[place->word] &= ~((uint64_t)at[i] << place->shift);
        at[i] = next == rules_none ? first[i] : next;
        words[place->word] |= (uint64_t)at[i] << place->shift;
        if (next != rules_none)
            return true;
    }
    return false;
}

/*
 * All combinations of the prefixes around the record's addresses. Their number was bounded when it was compiled, and
 * all but the first have a prefix with others inside: where such rows come later than what is found, it ends.
 */
static void search_prefixes(const struct rules *rules, const struct rules_shape *shape, unsigned number,
                            uint64_t *words, uint32_t from, struct rules_hit *hit)
{
    uint32_t first[rules_prefixes_max], at[rules_prefixes_max];
    uint64_t bit = UINT64_C(1) << number % 64;

    for (unsigned i = 0; i < shape->prefix_count; i++) {
        const struct rules_place *place = &shape->prefix[i];

        first[i] = at[i] = usable(&rules->dims[place->dim], rules->values[place->dim], bit);
        if (first[i] == rules_none)
            return;
        words[place->word] |= (uint64_t)at[i] << place->shift;
    }
    do
        search_words(rules, shape, words, from, hit);
    while (hit->row > shape->outer_first && move_outwards(rules, shape, bit, first, at, words));
}

static void search_wide_shape(struct rules *rules, unsigned number, uint32_t from, struct rules_hit *hit)
{
    const struct rules_shape *shape = &rules->shapes[number];
    uint64_t words[rules_words_max];

    for (unsigned i = 0; i < shape->words || i < 2; i++)
        words[i] = 0;
    for (unsigned i = 0; i < shape->exact_count; i++) {
        const struct rules_place *place = &shape->exact[i];

        words[place->word] |= rules->values[place->dim] << place->shift;
    }
    if (shape->prefix_count == 0)
        search_words(rules, shape, words, from, hit);
    else
        search_prefixes(rules, shape, number, words, from, hit);
}

/* Nearly all shapes: one address at most and a key of two words, which then stay in registers. */
static inline void search_shape(struct rules *rules, unsigned number, uint32_t from, struct rules_hit *hit)
{
    const struct rules_shape *shape = &rules->shapes[number];
    uint64_t bit = UINT64_C(1) << number % 64, low = 0, high = 0, value;
    const struct rules_place *place = shape->exact;
    const struct rules_dim *dim;
    uint32_t node;

    if (unlikely(shape->hashed || shape->prefix_count > 1)) {
        search_wide_shape(rules, number, from, hit);
        return;
    }
    for (unsigned i = 0; i < shape->exact_count; i++, place++) {
        value = rules->values[place->dim] << place->shift;
        low |= place->word == 0 ? value : 0;
        high |= place->word == 0 ? 0 : value;
    }
    place = shape->prefix;
    dim = &rules->dims[place->dim];
    node = shape->prefix_count == 0 ? 0 : usable(dim, rules->values[place->dim], bit);
    while (node != rules_none) {
        value = (uint64_t)node << place->shift;
        search_key(rules, shape, low | (place->word == 0 ? value : 0), high | (place->word == 0 ? 0 : value), from,
                   hit);
        if (hit->row <= shape->outer_first)
            return;
        node = usable(dim, dim->nodes[node].parent, bit);
    }
}

bool rules_find(struct rules *rules, uint32_t from, struct rules_hit *hit)
{
    *hit = (struct rules_hit){rules_none, 0, 0};
    for (unsigned i = 0; i < rules->shape_count && rules->shapes[i].first < hit->row; i++) {
        const struct rules_shape *shape = &rules->shapes[i];

        if (shape->last < from || (shape->places != NULL && search_places(rules, shape, from, hit)))
            continue;
        if ((shape->dims & ~rules->ready) != 0)
            read_dims(rules, shape->dims & ~rules->ready);
        if ((shape->dims & ~rules->told) == 0)
            search_shape(rules, i, from, hit);
    }
    return hit->row != rules_none;
}

uint64_t rules_misfits(const struct rules *rules, const char **phrase)
{
    uint64_t misfits = 0;

    *phrase = NULL;
    for (uint32_t i = 0; i < rules->check_total; i++) {
        const char *told = NULL;

        if (rules->checks[i].operator != RULES_FILTER)
            continue;
        misfits += flow_filter_misfits(rules->checks[i].filter, &told);
        if (*phrase == NULL)
            *phrase = told;
    }
    return misfits;
}

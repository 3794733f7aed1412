/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any text as a list of tags and as a list of labels: a filter or a phrase, and a filter answers for any tag and label.
 * The first octet says how many octets after it are the labels of a record; the rest is the list.
 */
#include "map/tag_filter.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A list that lets a tag in says so in words: some entry has its number, or one of them has a minus. */
static void ask_tags(const char *list)
{
    struct error error = {""};
    struct tag_filter *filter = tag_filter_new(list, &error);
    const char *notice;

    if (filter == NULL && error.text[0] == '\0')
        abort();
    if (filter == NULL)
        return;
    for (uint64_t tag = 0; tag < 300; tag++)
        if (tag_filter_match(filter, tag) != tag_filter_match(filter, tag))
            abort();
    tag_filter_match(filter, UINT64_MAX);
    notice = tag_filter_notice(filter);
    if (notice != NULL && strchr(list, '-') == NULL)
        abort();
    if (strpbrk(list, "0123456789") == NULL)
        abort();
    tag_filter_free(filter);
}

static void ask_labels(const char *list, const char *labels, size_t size)
{
    struct span span = {labels, (uint32_t)size}, none = {NULL, 0};
    struct error error = {""};
    struct label_filter *filter = label_filter_new(list, &error);
    bool empty_taken;

    if (filter == NULL && error.text[0] == '\0')
        abort();
    if (filter == NULL)
        return;
    label_filter_match(filter, &span);
    empty_taken = label_filter_match(filter, &none);
    if (empty_taken && strchr(list, '-') == NULL && strstr(list, "null") == NULL)
        abort();
    label_filter_free(filter);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t label_bytes;
    char *list, *labels;

    if (size < 1 || data[0] > size - 1 || size > 65536)
        return 0;
    label_bytes = data[0];
    list = malloc(size - label_bytes);
    labels = malloc(label_bytes > 0 ? label_bytes : 1);
    if (list != NULL && labels != NULL) {
        memcpy(labels, data + 1, label_bytes);
        memcpy(list, data + 1 + label_bytes, size - 1 - label_bytes);
        list[size - 1 - label_bytes] = '\0';
        ask_tags(list);
        ask_labels(list, labels, label_bytes);
    }
    free(labels);
    free(list);
    return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any octets as a list of ports, protocols or ToS, by the first octet: reading ends with a list or with a phrase, and a
 * list counts as many numbers as it has, none of them out of range.
 */
#include "map/lists.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum list_kind kinds[] = {LIST_PORTS, LIST_PROTOS, LIST_TOS};
    struct error error = {""};
    struct list *list;
    enum list_kind kind;
    unsigned count = 0;

    if (size < 1)
        return 0;
    kind = kinds[data[0] % 3];
    list = list_parse(kind, "fuzz", (const char *)data + 1, size - 1, &error);
    if (list == NULL && error.text[0] == '\0')
        abort();
    if (list == NULL)
        return 0;
    for (unsigned number = 0; number <= UINT16_MAX; number++)
        count += list_has(list, (uint16_t)number);
    if (count != list_count(list))
        abort();
    for (unsigned number = 256; kind != LIST_PORTS && number <= UINT16_MAX; number++)
        if (list_has(list, (uint16_t)number))
            abort();
    list_free(list);
    return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "map/flow_filter.h"

#include <ctype.h>
#include <stdlib.h>

#include "net/filter.h"

#define links_max 16 /* a device has one; a capture file of more than these is hostile */

struct link_program {
    uint16_t link;
    struct filter *filter; /* NULL: the expression does not fit to this link */
};

struct flow_filter {
    char *expression;
    unsigned vlans; /* how often it speaks of vlan, as far as there are tags */
    unsigned count;
    struct link_program links[links_max];
    uint64_t misfits;
    struct error misfit;
};

/*
 * Links whose packets know something that Ethernet does not: an expression that only one of them understands is good,
 * too. Linux' cooked capture with direction and interface, IEEE 802.11.
 */
static const uint16_t other_links[] = {276, 127};

/* Host names may have the word in them: only where it stands alone is it the qualifier. */
static bool is_of_word(char c)
{
    return isalnum((unsigned char)c) || (c != '\0' && strchr("._-\\", c) != NULL);
}

static unsigned count_words(const char *text, const char *word)
{
    size_t length = strlen(word);
    unsigned count = 0;

    for (const char *at = text; (at = strstr(at, word)) != NULL; at += length)
        count += (at == text || !is_of_word(at[-1])) && !is_of_word(at[length]);
    return count;
}

static struct link_program *find_link(struct flow_filter *filter, uint16_t link)
{
    for (unsigned i = 0; i < filter->count; i++)
        if (filter->links[i].link == link)
            return &filter->links[i];
    return NULL;
}

/* False with a phrase when there is no program for this link; that is remembered, too. */
static bool add_link(struct flow_filter *filter, uint16_t link, struct error *error)
{
    struct link_program *added;

    if (filter->count == links_max) {
        error_set(error, "the filter '%.200s' met more than %u link types", filter->expression, links_max);
        return false;
    }
    added = &filter->links[filter->count++];
    added->link = link;
    added->filter = filter_new(filter->expression, link, error);
    return added->filter != NULL;
}

struct flow_filter *flow_filter_new(const char *expression, struct error *error)
{
    struct flow_filter *filter = calloc(1, sizeof(*filter));
    bool good = false;

    if (filter != NULL)
        filter->expression = strdup(expression);
    if (filter == NULL || filter->expression == NULL) {
        error_set(error, "out of memory for the filter '%.200s'", expression);
        flow_filter_free(filter);
        return NULL;
    }
    filter->vlans = (unsigned)min_u64(count_words(expression, "vlan"), flow_image_all_tags);
    good = add_link(filter, filter_link_ethernet, error);
    if (!good && !filter_is_readable(expression, filter_link_ethernet))
        for (unsigned i = 0; i < array_length(other_links) && !good; i++)
            good = add_link(filter, other_links[i], NULL);
    if (!good) {
        flow_filter_free(filter);
        return NULL;
    }
    return filter;
}

void flow_filter_free(struct flow_filter *filter)
{
    if (filter == NULL)
        return;
    for (unsigned i = 0; i < filter->count; i++)
        filter_free(filter->links[i].filter);
    free(filter->expression);
    free(filter);
}

int flow_filter_check(const char *expression, struct error *error)
{
    struct flow_filter *filter = flow_filter_new(expression, error);

    flow_filter_free(filter);
    return filter == NULL ? -1 : 0;
}

int flow_filter_prepare(struct flow_filter *filter, uint16_t link, struct error *error)
{
    struct link_program *known = find_link(filter, link);

    if (known != NULL && known->filter != NULL)
        return 0;
    if (known == NULL)
        return add_link(filter, link, error) ? 0 : -1;
    return error_set(error, "the filter '%.200s' does not fit to link type %u", filter->expression, link);
}

/* The program for a link, compiled when the link is new. NULL: one more record could not be asked. */
static const struct filter *program_of(struct flow_filter *filter, uint16_t link)
{
    struct link_program *known = find_link(filter, link);
    struct error error = {""};

    if (likely(known != NULL && known->filter != NULL))
        return known->filter;
    if (known == NULL && filter->count < links_max && add_link(filter, link, &error))
        return filter->links[filter->count - 1].filter;
    if (filter->misfits++ == 0) {
        if (error.text[0] == '\0')
            error_set(&error, "the filter '%.200s' does not fit", filter->expression);
        error_wrap(&error, "records of link type %u match nothing", link);
        filter->misfit = error;
    }
    return NULL;
}

bool flow_filter_match(struct flow_filter *filter, const struct flow *flow, struct flow_image *image)
{
    const struct frame *frame = flow->frame;
    const struct filter *program = program_of(filter, frame != NULL ? frame->link : filter_link_ethernet);

    if (program == NULL)
        return false;
    if (frame != NULL)
        return filter_match(program, frame->bytes, frame->captured, frame->length);
    flow_image_make(image, flow, flow->traits.sample_type != 0 ? flow_image_all_tags : filter->vlans);
    return filter_match(program, image->bytes, image->size, image->length);
}

uint64_t flow_filter_misfits(const struct flow_filter *filter, const char **phrase)
{
    *phrase = filter->misfits > 0 ? filter->misfit.text : NULL;
    return filter->misfits;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* The three ways to fill a struct error; see error.h for who calls which. */
#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

int error_set(struct error *error, const char *format, ...)
{
    va_list args;

    if (error == NULL)
        return -1;
    va_start(args, format);
    vsnprintf(error->text, sizeof(error->text), format, args);
    va_end(args);
    return -1;
}

int error_errno(struct error *error, int code, const char *format, ...)
{
    char phrase[sizeof(error->text)];
    va_list args;

    if (error == NULL)
        return -1;
    va_start(args, format);
    vsnprintf(phrase, sizeof(phrase), format, args);
    va_end(args);
    return error_set(error, "%.300s: %s", phrase, strerror(code));
}

int error_wrap(struct error *error, const char *format, ...)
{
    char context[sizeof(error->text)];
    char phrase[sizeof(error->text)];
    va_list args;

    if (error == NULL)
        return -1;
    va_start(args, format);
    vsnprintf(context, sizeof(context), format, args);
    va_end(args);
    memcpy(phrase, error->text, sizeof(phrase));
    return error_set(error, "%.200s: %.300s", context, phrase);
}

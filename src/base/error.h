/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How a library function says what went wrong: it fills a struct error with one phrase and returns a negative
 * value (or NULL, or false). Libraries never log and never exit; the caller, who knows the file, the line or
 * the plugin instance, adds them with error_wrap() and decides.
 */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include "base/base.h"

struct error {
    char text[512]; /* one phrase, no newline; empty when nothing is wrong */
};

/* Sets the phrase. Returns -1, so that `return error_set(...)` reads well. `error` may be NULL. */
int error_set(struct error *error, const char *format, ...) printf_like(2, 3);

/* The same, and appends ": " and the text of the errno given. */
int error_errno(struct error *error, int code, const char *format, ...) printf_like(3, 4);

/* Puts context before the phrase: "context: phrase". Returns -1. */
int error_wrap(struct error *error, const char *format, ...) printf_like(2, 3);

#endif

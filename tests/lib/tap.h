/* SPDX-License-Identifier: BSD-2-Clause */
/* The few words of the Test Anything Protocol that the unit tests speak; automake's TAP driver reads them. */
#ifndef TESTS_LIB_TAP_H
#define TESTS_LIB_TAP_H

#include <stdbool.h>
#include <stdint.h>

/* Kept for symmetry with other TAP libraries: the plan is printed by done_testing. */
void plan_none(void);

/* One assertion; its name is the printf-style text. Returns `condition`. */
bool ok(bool condition, const char *format, ...) __attribute__((format(printf, 2, 3)));
bool is_u64(uint64_t got, uint64_t want, const char *format, ...) __attribute__((format(printf, 3, 4)));
bool is_text(const char *got, const char *want, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* The whole program cannot run here; says why and exits 0 in TAP's way. */
void skip_all(const char *reason) __attribute__((noreturn));

/* Prints the plan; returns the exit status for main: 0 when all passed and at least one ran. */
int done_testing(void);

#endif

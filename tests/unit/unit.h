/* SPDX-License-Identifier: GPL-2.0-only */
/* unit.h - what every unit test needs: cmocka with its prerequisites, and a name for the row of a table being tried. */
#ifndef SR_TESTS_UNIT_H
#define SR_TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* Before a row's assertions: a failure names only its line, which all rows share; the row printed last is the one. */
#define sr_case(...)                                                                                                   \
	do {                                                                                                           \
		print_message("  case: " __VA_ARGS__);                                                                 \
		print_message("\n");                                                                                   \
	} while (0)

#endif

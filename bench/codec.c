// SPDX-License-Identifier: GPL-2.0-only
/*
 * How long a port's value takes to decode: our decoder, addresses and all, against jansson building and freeing the
 * tree alone. Both in turn, many rounds, the best of each: what a busy machine adds is not theirs.
 */
#include "model/codec.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ROUNDS 40
#define PER_ROUND 20000

static double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static bool decode_ours(const char *text, size_t len)
{
	struct sr_port port;

	return sr_port_decode(text, len, &port, NULL) == 0;
}

static bool decode_tree(const char *text, size_t len)
{
	json_t *tree = json_loadb(text, len, 0, NULL);

	json_decref(tree);
	return tree != NULL;
}

/* ns for each of PER_ROUND decodes, or the best so far. */
static double measure(bool (*decode)(const char *text, size_t len), const char *text, size_t len, double best)
{
	double start = now_ns(), ns;

	for (int i = 0; i < PER_ROUND; i++)
		if (!decode(text, len)) {
			fprintf(stderr, "the example does not decode\n");
			exit(1);
		}
	ns = (now_ns() - start) / PER_ROUND;
	return ns < best ? ns : best;
}

int main(int argc, char **argv)
{
	double ours = 1e9, tree = 1e9;
	char text[4096];
	size_t len;
	FILE *f = argc == 2 ? fopen(argv[1], "rb") : NULL;

	if (!f) {
		fprintf(stderr, "usage: codec PORT.json\n");
		return 1;
	}
	len = fread(text, 1, sizeof(text), f);
	fclose(f);
	for (int i = 0; i < ROUNDS; i++) {
		ours = measure(decode_ours, text, len, ours);
		tree = measure(decode_tree, text, len, tree);
	}
	printf("port of %zu bytes: decoded in %.0f ns; jansson's tree alone %.0f ns; ratio %.1f\n", len, ours, tree,
	       tree / ours);
	return 0;
}

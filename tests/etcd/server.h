/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A real etcd for tests: its own processes, on ports of 127.0.0.1 that were free a moment ago, data in a temporary
 * folder. It dies with the test, however that ends. Failures end the test (cmocka).
 */
#ifndef SR_TESTS_ETCD_SERVER_H
#define SR_TESTS_ETCD_SERVER_H

#include <stdint.h>
#include <sys/types.h>

#define SERVER_MEMBERS_MAX 3
#define SERVER_ARGS_MAX 16

struct server_member {
	pid_t pid; /* 0: not running */
	uint16_t client_port, peer_port;
	char url[48]; /* for clients */
};

struct server {
	char dir[64];
	size_t n;
	struct server_member members[SERVER_MEMBERS_MAX];
	const char *scheme;
	const char *args[SERVER_ARGS_MAX + 1]; /* besides the usual ones; NULL-terminated */
};

/* Chooses ports and folder; starts nothing. args: more of etcd's options, NULL-terminated, or NULL. */
void server_init(struct server *server, size_t n, const char *scheme, const char *const *args);
void server_start(struct server *server, size_t member);
/* kill -9 and wait. */
void server_kill(struct server *server, size_t member);
/* Until the member takes connections. */
void server_wait(const struct server *server, size_t member);
/* server_init, all members started, and taking connections. */
void server_up(struct server *server, size_t n, const char *const *args);
/* Kills what runs and removes the data. */
void server_fini(struct server *server);
/* etcdctl with these arguments, NULL-terminated, against the first member; asserts that it succeeds. */
void server_ctl(const struct server *server, const char *const *args);

uint16_t server_free_port(void);
/* Runs a command (argv, NULL-terminated) quietly; asserts that it succeeds. */
void run_quietly(const char *const *argv);

#endif

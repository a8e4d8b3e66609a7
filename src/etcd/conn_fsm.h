/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * When to connect, to which endpoint, when to ask the peer whether it is alive, and when to give up on it. Pure: it is
 * told what happened and the time (milliseconds of any monotonic clock), and says what to do; it does no I/O.
 *
 *           run(): CONNECT              up()
 *   BACKOFF ──────────────> CONNECTING ──────> UP
 *      ^     down()  │ deadline: FAIL  │ down(), or no answer to a PING: FAIL
 *      └─────────────┴─────────────────┘
 *
 * After a failure the next endpoint is tried at once, until all have failed in a row; then after a pause that doubles
 * from 100 ms to 5 s, less up to a quarter by chance so that a thousand agents do not come back at the same moment.
 *
 * PINGs. Only while something is under way on the connection: gRPC servers count PINGs on an idle one as abuse, and
 * nothing is lost with it. One is due 10 s after the last sign of life (etcd tolerates one every 5 s); 5 s without any
 * sign of life after it, and the peer is taken for dead.
 */
#ifndef SR_ETCD_CONN_FSM_H
#define SR_ETCD_CONN_FSM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SR_CONN_NEVER UINT64_MAX
#define SR_CONN_SETUP_MS 3000 /* name, TCP, TLS and the peer's SETTINGS */
#define SR_CONN_BACKOFF_MIN_MS 100
#define SR_CONN_BACKOFF_MAX_MS 5000
#define SR_CONN_STABLE_MS 3000 /* up for so long: failures before it are forgotten */
#define SR_CONN_PING_MS 10000
#define SR_CONN_PING_WAIT_MS 5000

enum sr_conn_state { SR_CONN_BACKOFF, SR_CONN_CONNECTING, SR_CONN_UP };
enum sr_conn_action { SR_CONN_NOTHING, SR_CONN_CONNECT, SR_CONN_PING, SR_CONN_FAIL };

struct sr_conn_fsm {
	enum sr_conn_state state;
	size_t n_endpoints, endpoint; /* of the connection, or of the next one */
	unsigned int failures;	      /* in a row */
	uint64_t since;		      /* UP */
	uint64_t deadline;	      /* BACKOFF: connect then; CONNECTING: fail then */
	uint64_t last_rx, last_ping;
	bool pinged; /* and nothing was heard since */
	bool active;
};

/* Begins with that endpoint, at once. */
void sr_conn_fsm_init(struct sr_conn_fsm *fsm, size_t n_endpoints, size_t first, uint64_t now);
/* What to do now. CONNECT: to fsm->endpoint. FAIL: call down() when done. */
enum sr_conn_action sr_conn_fsm_run(struct sr_conn_fsm *fsm, uint64_t now);
/* When to call run() next, if nothing else happens. */
uint64_t sr_conn_fsm_deadline(const struct sr_conn_fsm *fsm);
void sr_conn_fsm_up(struct sr_conn_fsm *fsm, uint64_t now);
void sr_conn_fsm_rx(struct sr_conn_fsm *fsm, uint64_t now);
/* Something is under way on the connection, or no more. */
void sr_conn_fsm_active(struct sr_conn_fsm *fsm, bool active);
/* The connection, or the attempt, failed. random: any number. */
void sr_conn_fsm_down(struct sr_conn_fsm *fsm, uint64_t now, uint32_t random);

#endif

// SPDX-License-Identifier: GPL-2.0-only
#include "etcd/conn_fsm.h"

void sr_conn_fsm_init(struct sr_conn_fsm *fsm, size_t n_endpoints, size_t first, uint64_t now)
{
	*fsm = (struct sr_conn_fsm){
		.state = SR_CONN_BACKOFF, .n_endpoints = n_endpoints, .endpoint = first % n_endpoints, .deadline = now};
}

static uint64_t ping_due(const struct sr_conn_fsm *fsm)
{
	uint64_t last = fsm->last_rx > fsm->last_ping ? fsm->last_rx : fsm->last_ping;

	return last + (fsm->pinged ? SR_CONN_PING_WAIT_MS : SR_CONN_PING_MS);
}

uint64_t sr_conn_fsm_deadline(const struct sr_conn_fsm *fsm)
{
	if (fsm->state != SR_CONN_UP)
		return fsm->deadline;
	return fsm->active ? ping_due(fsm) : SR_CONN_NEVER;
}

enum sr_conn_action sr_conn_fsm_run(struct sr_conn_fsm *fsm, uint64_t now)
{
	if (now < sr_conn_fsm_deadline(fsm))
		return SR_CONN_NOTHING;
	if (fsm->state == SR_CONN_CONNECTING)
		return SR_CONN_FAIL;
	if (fsm->state == SR_CONN_BACKOFF) {
		fsm->state = SR_CONN_CONNECTING;
		fsm->deadline = now + SR_CONN_SETUP_MS;
		return SR_CONN_CONNECT;
	}
	if (fsm->pinged)
		return SR_CONN_FAIL;
	fsm->pinged = true;
	fsm->last_ping = now;
	return SR_CONN_PING;
}

void sr_conn_fsm_up(struct sr_conn_fsm *fsm, uint64_t now)
{
	fsm->state = SR_CONN_UP;
	fsm->since = fsm->last_rx = fsm->last_ping = now;
	fsm->pinged = false;
	fsm->active = false;
}

void sr_conn_fsm_rx(struct sr_conn_fsm *fsm, uint64_t now)
{
	fsm->last_rx = now;
	fsm->pinged = false;
}

void sr_conn_fsm_active(struct sr_conn_fsm *fsm, bool active)
{
	fsm->active = active;
	/* A PING on what has become idle may have been answered or not: nobody listened for it. */
	if (!active)
		fsm->pinged = false;
}

/* 0 while there are endpoints that have not failed in this row. */
static uint64_t backoff(const struct sr_conn_fsm *fsm, uint32_t random)
{
	size_t rounds = fsm->failures / fsm->n_endpoints;
	uint64_t ms = SR_CONN_BACKOFF_MIN_MS;

	if (fsm->failures % fsm->n_endpoints)
		return 0;
	while (--rounds && ms < SR_CONN_BACKOFF_MAX_MS)
		ms *= 2;
	if (ms > SR_CONN_BACKOFF_MAX_MS)
		ms = SR_CONN_BACKOFF_MAX_MS;
	return ms - random % (ms / 4 + 1);
}

void sr_conn_fsm_down(struct sr_conn_fsm *fsm, uint64_t now, uint32_t random)
{
	if (fsm->state == SR_CONN_UP && now - fsm->since >= SR_CONN_STABLE_MS)
		fsm->failures = 0;
	fsm->failures++;
	fsm->endpoint = (fsm->endpoint + 1) % fsm->n_endpoints;
	fsm->state = SR_CONN_BACKOFF;
	fsm->deadline = now + backoff(fsm, random);
}

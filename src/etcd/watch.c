// SPDX-License-Identifier: GPL-2.0-only
#include "etcd/client.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

/*
 * All watches are on one stream, each under an id that we choose. A watch knows the next revision that it wants; when
 * the stream breaks, it is created again from there, and whatever etcd sends of older revisions is left out.
 *
 * How far a watch has come. The last event's revision plus one: the header's revision may be ahead of the events when
 * etcd catches up in batches. Without events (etcd's periodic progress notification, asked for per watch) it is the
 * header's. Progress on request is not used: etcd 3.4 before 3.4.25 may send it ahead of events.
 *
 * Large revisions come in fragments, which are kept until the last one, so that revisions stay whole.
 *
 * A history that goes back (etcd restored, or wiped) shows as a header's revision before the wanted one when the watch
 * is created; so does, for a moment, a member that lags behind. The watch is created anew a few times, and if etcd does
 * not come up with what we have seen already, it ends like one whose revision was compacted: its owner reads all again.
 */
#define WATCH "/etcdserverpb.Watch/Watch"
#define RETRY_MS 500
#define BEHIND_TRIES 10
#define TOKEN_FRESH_MS 10000 /* etcd keeps tokens for much longer */
#define FRAGMENTS_MAX ((size_t)256 * 1024 * 1024)

enum watch_state { IDLE, ASKED, LIVE, DEAD };

struct sr_etcd_watch {
	struct sr_etcd *etcd;
	UT_hash_handle hh; /* in etcd->watches.by_id, unless DEAD */
	int64_t id;
	enum watch_state state;
	int64_t next; /* revision wanted; 0: from now */
	sr_etcd_watch_cb cb;
	void *ctx;
	unsigned int behind; /* times that etcd was behind */
	struct sr_arena fragments;
	struct sr_etcd_event *events; /* of fragments, [0, n_events) */
	size_t n_events, size;
	size_t key_len, end_len;
	uint8_t key[]; /* and end */
};

/* ---- Telling */

static void kill_watch(struct sr_etcd_watch *w)
{
	if (w->state == DEAD)
		return;
	HASH_DEL(w->etcd->watches.by_id, w);
	w->state = DEAD;
}

static void drop_fragments(struct sr_etcd_watch *w)
{
	sr_arena_fini(&w->fragments);
	free(w->events);
	w->events = NULL;
	w->n_events = w->size = 0;
}

/* The watch may be gone after this. */
static void tell(struct sr_etcd_watch *w, const struct sr_etcd_status *status, const struct sr_etcd_event *events,
		 size_t n)
{
	w->cb(w->ctx, status, events, n, w->next - 1);
}

static void end_watch(struct sr_etcd_watch *w, int err, const char *text)
{
	const struct sr_etcd_status status = {.err = err, .text = text};

	kill_watch(w);
	tell(w, &status, NULL, 0);
}

/* ---- The stream, our side */

static void later(struct sr_etcd *etcd)
{
	uint64_t at = sr_etcd_now(etcd) + RETRY_MS;

	if (etcd->watches.at > at)
		etcd->watches.at = at;
	sr_etcd_arm(etcd, at);
}

static int send_request(struct sr_etcd *etcd, const Pb__WatchRequest *request)
{
	uint8_t *buf;
	size_t len;
	int err = sr_grpc_pack(&request->base, &buf, &len);

	if (err)
		return err;
	err = sr_h2_send(etcd->watches.stream, buf, len);
	free(buf);
	sr_etcd_flush_soon(etcd);
	return err;
}

static void create(struct sr_etcd_watch *w)
{
	Pb__WatchCreateRequest create = PB__WATCH_CREATE_REQUEST__INIT;
	Pb__WatchRequest request = PB__WATCH_REQUEST__INIT;

	create.key = (ProtobufCBinaryData){w->key_len, w->key};
	create.range_end = (ProtobufCBinaryData){w->end_len, w->key + w->key_len};
	create.start_revision = w->next;
	create.progress_notify = true;
	create.watch_id = w->id;
	create.fragment = true;
	request.request_case = PB__WATCH_REQUEST__REQUEST_CREATE;
	request.create = &create;
	if (send_request(w->etcd, &request))
		later(w->etcd);
	else
		w->state = ASKED;
}

static void cancel(struct sr_etcd *etcd, int64_t id)
{
	Pb__WatchCancelRequest cancel = PB__WATCH_CANCEL_REQUEST__INIT;
	Pb__WatchRequest request = PB__WATCH_REQUEST__INIT;

	cancel.watch_id = id;
	request.request_case = PB__WATCH_REQUEST__REQUEST_CANCEL;
	request.cancel = &cancel;
	if (etcd->watches.stream)
		(void)send_request(etcd, &request); /* if not, its events are ignored */
}

/* To be created again, under a new id: answers to the old one may still be on their way. */
static void renew(struct sr_etcd_watch *w)
{
	struct sr_etcd *etcd = w->etcd;

	HASH_DEL(etcd->watches.by_id, w);
	w->id = ++etcd->watches.last_id;
	HASH_ADD(hh, etcd->watches.by_id, id, sizeof(w->id), w);
	w->state = IDLE;
	drop_fragments(w);
}

static void all_idle(struct sr_etcd *etcd)
{
	struct sr_etcd_watch *w, *tmp;

	HASH_ITER (hh, etcd->watches.by_id, w, tmp) {
		w->state = IDLE;
		drop_fragments(w);
	}
}

/* ---- The stream, etcd's side */

static void denied(struct sr_etcd_watch *w, const char *text)
{
	struct sr_etcd *etcd = w->etcd;

	/* etcd 3.4 says the same of a token that it forgot. */
	if (!etcd->auth.user || sr_etcd_now(etcd) - etcd->auth.since < TOKEN_FRESH_MS) {
		end_watch(w, -EACCES, text);
		return;
	}
	sr_h2_reset(etcd->watches.stream); /* the token goes with the stream */
	etcd->watches.stream = NULL;
	all_idle(etcd);
	sr_auth_expired(etcd, etcd->auth.generation);
	later(etcd);
}

static void on_canceled(struct sr_etcd_watch *w, const Pb__WatchResponse *response)
{
	char text[SR_GRPC_TEXT_SIZE];

	sr_grpc_text((const uint8_t *)response->cancel_reason, strlen(response->cancel_reason), text);
	if (response->compact_revision || strstr(text, "compacted")) {
		snprintf(text, sizeof(text), "revision %lld is compacted (up to %lld)", (long long)w->next,
			 (long long)response->compact_revision);
		end_watch(w, -EKEYEXPIRED, text);
	} else if (strstr(text, "permission denied") || strstr(text, "auth token")) {
		denied(w, text);
	} else if (response->created) {
		end_watch(w, -EINVAL, text);
	} else {
		renew(w);
		later(w->etcd);
	}
}

static void on_created(struct sr_etcd_watch *w, int64_t revision)
{
	w->state = LIVE;
	if (!w->next) {
		w->next = revision + 1;
		tell(w, &(struct sr_etcd_status){.revision = revision}, NULL, 0);
		return;
	}
	if (revision + 1 >= w->next) {
		w->behind = 0;
		return;
	}
	if (++w->behind >= BEHIND_TRIES) {
		end_watch(w, -EKEYEXPIRED, "etcd has lost revisions that it had");
		return;
	}
	cancel(w->etcd, w->id);
	renew(w);
	later(w->etcd);
}

static struct sr_bytes keep(struct sr_arena *arena, struct sr_bytes bytes, bool *ok)
{
	void *copy = sr_arena_alloc(arena, bytes.len);

	if (!copy)
		*ok = false;
	else if (bytes.len)
		memcpy(copy, bytes.data, bytes.len);
	return (struct sr_bytes){copy, bytes.len};
}

static bool keep_events(struct sr_etcd_watch *w, const struct sr_etcd_event *events, size_t n)
{
	bool ok = true;

	if (w->n_events + n > w->size) {
		size_t size = 2 * (w->n_events + n);
		struct sr_etcd_event *bigger = realloc(w->events, size * sizeof(*bigger));

		if (!bigger)
			return false;
		w->events = bigger;
		w->size = size;
	}
	for (size_t i = 0; i < n && ok; i++) {
		struct sr_etcd_event *event = &w->events[w->n_events++];

		*event = events[i];
		event->kv.key = keep(&w->fragments, event->kv.key, &ok);
		event->kv.value = keep(&w->fragments, event->kv.value, &ok);
	}
	return ok;
}

/* Decoded and not seen before. NULL: out of memory, or an event without its key. */
static struct sr_etcd_event *events_of(struct sr_etcd_watch *w, const Pb__WatchResponse *response, size_t *ret_n)
{
	struct sr_etcd_event *events = sr_arena_alloc(&w->etcd->arena, response->n_events * sizeof(*events));
	size_t n = 0;

	for (size_t i = 0; events && i < response->n_events; i++) {
		const Pb__Event *event = response->events[i];

		if (!event->kv)
			return NULL;
		if (event->kv->mod_revision < w->next)
			continue;
		events[n].deleted = event->type == 1;
		events[n++].kv = sr_etcd_kv(event->kv);
	}
	*ret_n = n;
	return events;
}

static void tell_events(struct sr_etcd_watch *w, const struct sr_etcd_event *events, size_t n, int64_t revision)
{
	w->next = events[n - 1].kv.mod_revision + 1;
	tell(w, &(struct sr_etcd_status){.revision = revision}, events, n);
}

static void on_events(struct sr_etcd_watch *w, const Pb__WatchResponse *response)
{
	struct sr_etcd *etcd = w->etcd;
	struct sr_etcd_event *events, *kept;
	struct sr_arena arena;
	size_t n;

	events = events_of(w, response, &n);
	if (!events || ((response->fragment || w->n_events) && !keep_events(w, events, n))) {
		sr_etcd_drop(etcd, -EBADMSG, "watch events that make no sense or are too large");
		return;
	}
	if (response->fragment)
		return;
	if (!w->n_events) {
		if (n)
			tell_events(w, events, n, sr_etcd_revision(response->header));
		return;
	}
	/* The watch may be freed by what it is told: take the fragments out of it. */
	kept = w->events;
	n = w->n_events;
	arena = w->fragments;
	w->events = NULL;
	w->n_events = w->size = 0;
	sr_arena_init(&w->fragments, FRAGMENTS_MAX);
	tell_events(w, kept, n, sr_etcd_revision(response->header));
	free(kept);
	sr_arena_fini(&arena);
}

static void on_progress(struct sr_etcd_watch *w, int64_t revision)
{
	if (revision < w->next)
		return;
	w->next = revision + 1;
	tell(w, &(struct sr_etcd_status){.revision = revision}, NULL, 0);
}

/* etcd answers to creations in their order; one that it refuses out of hand has no id (-1). */
static struct sr_etcd_watch *find(struct sr_etcd *etcd, const Pb__WatchResponse *response)
{
	struct sr_etcd_watch *w, *tmp;

	HASH_FIND(hh, etcd->watches.by_id, &response->watch_id, sizeof(response->watch_id), w);
	if (w || !response->created || !response->canceled)
		return w;
	HASH_ITER (hh, etcd->watches.by_id, w, tmp) {
		if (w->state == ASKED)
			return w;
	}
	return NULL;
}

static void on_response(struct sr_etcd *etcd, const Pb__WatchResponse *response)
{
	struct sr_etcd_watch *w = find(etcd, response);

	if (!w || w->state == IDLE)
		return;
	if (response->canceled)
		on_canceled(w, response);
	else if (response->created)
		on_created(w, sr_etcd_revision(response->header));
	else if (response->n_events || response->fragment || w->n_events)
		on_events(w, response);
	else
		on_progress(w, sr_etcd_revision(response->header));
}

static void on_message(void *ctx, const uint8_t *data, size_t len)
{
	struct sr_etcd *etcd = ctx;
	Pb__WatchResponse *response = pb__watch_response__unpack(&etcd->arena.allocator, len, data);

	if (response)
		on_response(etcd, response);
	else
		sr_etcd_drop(etcd, -EBADMSG, "an answer to Watch that cannot be parsed");
	sr_arena_reset(&etcd->arena, SR_ARENA_KEEP);
}

static void on_end(void *ctx, const struct sr_grpc_status *status, bool refused, const uint8_t *data, size_t len)
{
	struct sr_etcd *etcd = ctx;

	(void)refused;
	(void)data;
	(void)len;
	etcd->watches.stream = NULL;
	all_idle(etcd);
	if (sr_grpc_no_leader(status)) {
		sr_etcd_drop(etcd, -EAGAIN, "this etcd member has no leader");
		return;
	}
	if (sr_grpc_token_refused(status))
		sr_auth_expired(etcd, etcd->auth.generation);
	later(etcd);
}

static bool open_stream(struct sr_etcd *etcd)
{
	static const struct sr_h2_stream_ops ops = {.message = on_message, .end = on_end};

	if (sr_h2_open(etcd->h2, WATCH, etcd->auth.token, NULL, 0, false, &ops, etcd, &etcd->watches.stream)) {
		later(etcd);
		return false;
	}
	sr_etcd_flush_soon(etcd);
	return true;
}

void sr_watches_kick(struct sr_etcd *etcd)
{
	struct sr_etcd_watch *w, *tmp;

	if (!etcd->watches.by_id || !sr_etcd_ready(etcd) || (!etcd->watches.stream && !open_stream(etcd)))
		return;
	HASH_ITER (hh, etcd->watches.by_id, w, tmp) {
		if (w->state == IDLE)
			create(w);
	}
}

void sr_watches_lost(struct sr_etcd *etcd)
{
	etcd->watches.stream = NULL;
	etcd->watches.at = SR_ETCD_NEVER;
	all_idle(etcd);
}

uint64_t sr_watches_tick(struct sr_etcd *etcd, uint64_t now)
{
	if (etcd->watches.at <= now) {
		etcd->watches.at = SR_ETCD_NEVER;
		sr_watches_kick(etcd);
	}
	return etcd->watches.at;
}

/* ---- Life */

/* Does the range hold any key at all? etcd refuses others without saying whose they are. */
static bool range_valid(struct sr_bytes key, struct sr_bytes end)
{
	size_t n = key.len < end.len ? key.len : end.len;
	int cmp;

	if (!key.len)
		return false;
	if (!end.len || (end.len == 1 && !*(const uint8_t *)end.data))
		return true;
	cmp = memcmp(key.data, end.data, n);
	return cmp < 0 || (!cmp && key.len < end.len);
}

int sr_etcd_watch_new(struct sr_etcd *etcd, struct sr_bytes key, struct sr_bytes end, int64_t revision,
		      sr_etcd_watch_cb cb, void *ctx, struct sr_etcd_watch **ret)
{
	struct sr_etcd_watch *w;

	if (etcd->closing)
		return -ECANCELED;
	if (!range_valid(key, end) || revision < 0)
		return -EINVAL;
	w = calloc(1, sizeof(*w) + key.len + end.len);
	if (!w)
		return -ENOMEM;
	w->etcd = etcd;
	w->id = ++etcd->watches.last_id;
	w->next = revision;
	w->cb = cb;
	w->ctx = ctx;
	w->key_len = key.len;
	w->end_len = end.len;
	memcpy(w->key, key.data, key.len);
	if (end.len)
		memcpy(w->key + key.len, end.data, end.len);
	sr_arena_init(&w->fragments, FRAGMENTS_MAX);
	HASH_ADD(hh, etcd->watches.by_id, id, sizeof(w->id), w);
	if (etcd->watches.stream && sr_etcd_ready(etcd))
		create(w);
	else
		sr_watches_kick(etcd);
	*ret = w;
	return 0;
}

void sr_etcd_watch_free(struct sr_etcd_watch *w)
{
	if (!w)
		return;
	if (w->state == ASKED || w->state == LIVE)
		cancel(w->etcd, w->id);
	kill_watch(w);
	drop_fragments(w);
	free(w);
}

void sr_watches_fini(struct sr_etcd *etcd)
{
	struct sr_etcd_watch *w, *tmp;

	etcd->watches.stream = NULL;
	HASH_ITER (hh, etcd->watches.by_id, w, tmp)
		kill_watch(w);
}

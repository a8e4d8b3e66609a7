/* SPDX-License-Identifier: GPL-2.0-only */
#include "agent/agent.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <systemd/sd-daemon.h>
#include <time.h>
#include <uv.h>

#include "agent/announce.h"
#include "agent/links.h"
#include "agent/log.h"
#include "agent/status.h"
#include "store/write.h"

#define RETRY_MS 1000 /* after a reconcile or a registration that failed */

struct sr_agent {
	const struct sr_agent_config *config;
	struct sr_log log;
	enum sr_agent_exit exit;
	uv_loop_t loop;
	uv_timer_t reconcile, registration;
	uv_signal_t terminate, interrupt;
	struct sr_dp *dp;
	struct sr_engine *engine;
	struct sr_links *links;
	struct sr_etcd *etcd;
	struct sr_store *store;
	struct sr_status *status;
	struct sr_node_status said; /* of this node, under the lease */
	bool registered;	    /* the store says that the locator is ours */
	bool settled;		    /* as last logged */
	bool told;		    /* the service manager, that it is; once, it need not be listening */
	enum { ANNOUNCE_UNKNOWN, ANNOUNCE_ON, ANNOUNCE_OFF } announced;
};

static void stop(struct sr_agent *agent, enum sr_agent_exit code)
{
	agent->exit = code;
	uv_stop(&agent->loop);
}

/* ---- the locator's routes */

static void on_reconcile(uv_timer_t *timer);

/*
 * Told by the node's own record: announced unless it is to drain. Nothing changes before the store says that the
 * locator is ours and what is wished; what an earlier run left stays until then.
 */
static void announce(struct sr_agent *agent)
{
	const struct sr_node *self = sr_fabric_node(sr_engine_fabric(agent->engine), agent->config->node.name);
	char text[SR_LOCATOR_STRLEN];
	bool on;
	int r;

	if (!agent->registered || !self)
		return;
	on = !self->drain;
	if (agent->announced == (on ? ANNOUNCE_ON : ANNOUNCE_OFF))
		return;
	sr_locator_format(&agent->config->node.locator, text);
	r = sr_announce_sweep(&agent->config->node.locator);
	if (r == 0)
		r = sr_announce_local(&agent->config->node.locator, true);
	if (r == 0)
		r = sr_announce_route(&agent->config->node.locator, on);
	if (r < 0) {
		sr_log(&agent->log, SR_LOG_ERROR, "locator %s: cannot %s its routes (is lo up?): %s", text,
		       on ? "add" : "remove", strerror(-r));
		uv_timer_start(&agent->reconcile, on_reconcile, RETRY_MS, 0);
		return;
	}
	agent->announced = on ? ANNOUNCE_ON : ANNOUNCE_OFF;
	sr_log(&agent->log, SR_LOG_NOTICE, "locator %s: %s", text,
	       on ? "announced" : "withdrawn, this node drains; forwarding goes on");
	agent->said.draining = !on;
	sr_status_node(agent->status, &agent->said);
}

/* ---- the engine's callbacks */

static void wake(void *ctx)
{
	struct sr_agent *agent = ctx;

	if (!uv_is_active((uv_handle_t *)&agent->reconcile) || uv_timer_get_due_in(&agent->reconcile) > 0)
		uv_timer_start(&agent->reconcile, on_reconcile, 0, 0);
}

static void log_settled(struct sr_agent *agent)
{
	const struct sr_engine_stats *stats = sr_engine_stats(agent->engine);
	bool settled = sr_engine_settled(agent->engine);

	if (settled == agent->settled)
		return;
	agent->settled = settled;
	if (!settled)
		return;
	sr_log(&agent->log, SR_LOG_INFO,
	       "in step with the store: %zu ports known; written since the start: %llu routes, %llu next hops, "
	       "%llu ports, %llu VRFs",
	       sr_fabric_n_ports(sr_engine_fabric(agent->engine)), (unsigned long long)stats->route_writes,
	       (unsigned long long)stats->hop_writes, (unsigned long long)stats->port_writes,
	       (unsigned long long)stats->vrf_writes);
	if (!agent->told)
		sd_notify(0, "STATUS=Forwarding as the store says.");
	agent->told = true;
}

static void on_reconcile(uv_timer_t *timer)
{
	struct sr_agent *agent = timer->data;
	int r = sr_engine_reconcile(agent->engine);

	if (r < 0)
		uv_timer_start(timer, on_reconcile, RETRY_MS, 0);
	announce(agent);
	log_settled(agent);
}

static void subscribe(struct sr_agent *agent, enum sr_scope_kind kind, const char *name)
{
	struct sr_scope scope = {.kind = kind};
	int r;

	snprintf(scope.name, sizeof(scope.name), "%s", name);
	r = sr_store_subscribe(agent->store, &scope);
	if (r < 0)
		sr_log(&agent->log, SR_LOG_ERROR, "%s cannot be followed: %s", name, strerror(-r));
}

static void on_subscribe(void *ctx, const char *vrf)
{
	subscribe(ctx, SR_SCOPE_VRF, vrf);
}

static void on_unsubscribe(void *ctx, const char *vrf)
{
	struct sr_agent *agent = ctx;
	struct sr_scope scope = {.kind = SR_SCOPE_VRF};

	snprintf(scope.name, sizeof(scope.name), "%s", vrf);
	sr_store_unsubscribe(agent->store, &scope);
}

static void on_port_status(void *ctx, const struct sr_uuid *id, bool active, const char *reason)
{
	struct sr_agent *agent = ctx;
	char text[SR_UUID_STRLEN];

	sr_log(&agent->log, SR_LOG_INFO, "port %s: %s%s%s", sr_uuid_format(id, text), active ? "active" : "down",
	       active ? "" : ": ", reason);
	sr_status_port(agent->status, agent->config->node.name, id, active, reason);
}

static void on_port_gone(void *ctx, const struct sr_uuid *id)
{
	struct sr_agent *agent = ctx;

	sr_status_port_gone(agent->status, id);
}

static void on_log(void *ctx, enum sr_log_level level, const char *text)
{
	struct sr_agent *agent = ctx;

	sr_log(&agent->log, level, "%s", text);
}

static const struct sr_engine_ops engine_ops = {
	.subscribe = on_subscribe,
	.unsubscribe = on_unsubscribe,
	.port_status = on_port_status,
	.port_gone = on_port_gone,
	.wake = wake,
	.log = on_log,
};

/* ---- etcd */

static void on_etcd_state(void *ctx, int err, const char *text)
{
	struct sr_agent *agent = ctx;

	if (err)
		sr_log(&agent->log, SR_LOG_WARNING, "etcd: %s; forwarding goes on as it is", text);
	else
		sr_log(&agent->log, SR_LOG_INFO, "etcd: %s", text);
}

static void on_register(uv_timer_t *timer);

static void on_registered(void *ctx, const struct sr_write_result *result)
{
	struct sr_agent *agent = ctx;

	switch (result->err) {
	case 0:
		agent->registered = true;
		wake(agent);
		return;
	case -ECANCELED:
		return;
	case -EEXIST:
		sr_log(&agent->log, SR_LOG_ERROR, "%s", result->text);
		stop(agent, SR_EXIT_CONFIG);
		return;
	default:
		sr_log(&agent->log, result->err == -ETIMEDOUT ? SR_LOG_INFO : SR_LOG_WARNING,
		       "node not registered yet: %s", result->text);
		uv_timer_start(&agent->registration, on_register, RETRY_MS, 0);
	}
}

static void on_register(uv_timer_t *timer)
{
	struct sr_agent *agent = timer->data;
	const struct sr_agent_config *config = agent->config;

	if (sr_write_node(agent->etcd, config->cluster, &config->node, on_registered, agent) < 0)
		uv_timer_start(timer, on_register, RETRY_MS, 0);
}

/* The first line of a file, without its end. */
static int read_line(const char *path, char *ret, size_t size)
{
	FILE *file = fopen(path, "re");
	int r = 0;

	if (!file)
		return -errno;
	if (!fgets(ret, (int)size, file))
		r = -ENODATA;
	else
		ret[strcspn(ret, "\r\n")] = '\0';
	fclose(file);
	return r;
}

static enum sr_agent_exit open_etcd(struct sr_agent *agent)
{
	const struct sr_agent_config *config = agent->config;
	const char *endpoints[SR_ENDPOINTS_MAX];
	char password[256] = "", err[256];
	struct sr_etcd_config etcd = {
		.endpoints = endpoints,
		.n_endpoints = config->n_endpoints,
		.ca_file = config->ca_file[0] ? config->ca_file : NULL,
		.cert_file = config->cert_file[0] ? config->cert_file : NULL,
		.key_file = config->key_file[0] ? config->key_file : NULL,
		.on_state = on_etcd_state,
		.ctx = agent,
	};
	int r;

	for (size_t i = 0; i < config->n_endpoints; i++)
		endpoints[i] = config->endpoints[i];
	if (config->user[0]) {
		r = read_line(config->password_file, password, sizeof(password));
		if (r < 0) {
			sr_log(&agent->log, SR_LOG_ERROR, "[etcd] password_file %s: %s", config->password_file,
			       strerror(-r));
			return SR_EXIT_CONFIG;
		}
		etcd.user = config->user;
		etcd.password = password;
	}
	r = sr_etcd_new(&agent->loop, &etcd, &agent->etcd, err, sizeof(err));
	explicit_bzero(password, sizeof(password));
	if (r < 0) {
		sr_log(&agent->log, SR_LOG_ERROR, "etcd: %s", err);
		return SR_EXIT_CONFIG;
	}
	return SR_EXIT_OK;
}

/* Everything that follows and writes the store. */
static enum sr_agent_exit join_store(struct sr_agent *agent)
{
	const struct sr_agent_config *config = agent->config;
	enum sr_agent_exit code;
	int r;

	code = open_etcd(agent);
	if (code)
		return code;
	r = sr_status_new(agent->etcd, config->cluster, config->lease_ttl, &agent->status);
	if (r == 0)
		r = sr_store_new(agent->etcd, config->cluster, &sr_engine_reader, agent->engine, &agent->store);
	if (r < 0) {
		sr_log(&agent->log, SR_LOG_ERROR, "store: %s", strerror(-r));
		return SR_EXIT_SOFTWARE;
	}
	snprintf(agent->said.node, sizeof(agent->said.node), "%s", config->node.name);
	snprintf(agent->said.version, sizeof(agent->said.version), "%s", SR_VERSION);
	snprintf(agent->said.datapath, sizeof(agent->said.datapath), "%s", agent->dp->ops->name);
	agent->said.started = time(NULL);
	sr_status_node(agent->status, &agent->said);
	subscribe(agent, SR_SCOPE_NODES, "");
	subscribe(agent, SR_SCOPE_BINDINGS, config->node.name);
	on_register(&agent->registration);
	return SR_EXIT_OK;
}

/* ---- this node */

static enum sr_agent_exit exit_of(int err)
{
	if (err == -EPERM || err == -EACCES)
		return SR_EXIT_NOPERM;
	if (err == -EINVAL)
		return SR_EXIT_CONFIG;
	return err == -EOPNOTSUPP || err == -ENOSYS ? SR_EXIT_UNAVAILABLE : SR_EXIT_SOFTWARE;
}

static enum sr_agent_exit open_datapath(struct sr_agent *agent)
{
	bool linux_kind = strcmp(agent->config->datapath, "linux") == 0; /* auto is ebpf, the best that there is */
	char err[1024];
	int r = linux_kind ? sr_dp_linux_open(&agent->config->dp, &agent->dp, err, sizeof(err))
			   : sr_dp_ebpf_open(&agent->config->dp, &agent->dp, err, sizeof(err));

	if (r == 0)
		return SR_EXIT_OK;
	sr_log(&agent->log, SR_LOG_ERROR, "datapath: %s", err);
	return exit_of(r);
}

static enum sr_agent_exit new_engine(struct sr_agent *agent)
{
	const struct sr_agent_config *config = agent->config;
	struct sr_engine_config engine = {
		.self = config->node.name,
		.max_vrfs = config->dp.max_vrfs,
		.max_nexthops = config->dp.max_nexthops,
		.n_uplinks = config->n_uplinks,
		.mtu = config->mtu,
	};
	int r;

	if (getrandom(&engine.seed, sizeof(engine.seed), 0) != (ssize_t)sizeof(engine.seed))
		return SR_EXIT_SOFTWARE;
	for (size_t i = 0; i < config->n_uplinks; i++)
		engine.uplinks[i] = config->uplinks[i];
	r = sr_engine_new(&engine, agent->dp, &engine_ops, agent, &agent->engine);
	if (r < 0) {
		sr_log(&agent->log, SR_LOG_ERROR, "what the datapath has cannot be read back: %s", strerror(-r));
		return SR_EXIT_SOFTWARE;
	}
	return SR_EXIT_OK;
}

static void on_links_error(void *ctx, int err)
{
	struct sr_agent *agent = ctx;

	sr_log(&agent->log, SR_LOG_ERROR, "rtnetlink: %s", strerror(-err));
	stop(agent, SR_EXIT_SOFTWARE);
}

static enum sr_agent_exit take_in_node(struct sr_agent *agent)
{
	int r = sr_announce_forwarding("lo");

	if (r < 0) {
		sr_log(&agent->log, SR_LOG_ERROR, "IPv6 forwarding cannot be turned on for lo (is IPv6 off?): %s",
		       strerror(-r));
		return exit_of(r);
	}
	r = sr_links_new(&agent->loop, agent->engine, on_links_error, agent, &agent->links);
	if (r < 0) {
		sr_log(&agent->log, SR_LOG_ERROR, "rtnetlink: %s", strerror(-r));
		return exit_of(r);
	}
	return SR_EXIT_OK;
}

/* ---- life */

static void on_signal(uv_signal_t *handle, int signum)
{
	struct sr_agent *agent = handle->data;

	sr_log(&agent->log, SR_LOG_NOTICE, "%s: stopping; forwarding goes on",
	       signum == SIGTERM ? "SIGTERM" : "SIGINT");
	stop(agent, SR_EXIT_OK);
}

static void init_handles(struct sr_agent *agent)
{
	uv_timer_init(&agent->loop, &agent->reconcile);
	uv_timer_init(&agent->loop, &agent->registration);
	uv_signal_init(&agent->loop, &agent->terminate);
	uv_signal_init(&agent->loop, &agent->interrupt);
	agent->reconcile.data = agent;
	agent->registration.data = agent;
	agent->terminate.data = agent;
	agent->interrupt.data = agent;
	uv_signal_start(&agent->terminate, on_signal, SIGTERM);
	uv_signal_start(&agent->interrupt, on_signal, SIGINT);
}

/* The reverse of birth. etcd before what its callbacks refer to. */
static void tear_down(struct sr_agent *agent)
{
	sr_store_free(agent->store);
	sr_etcd_free(agent->etcd);
	sr_status_free(agent->status);
	sr_links_free(agent->links);
	uv_close((uv_handle_t *)&agent->reconcile, NULL);
	uv_close((uv_handle_t *)&agent->registration, NULL);
	uv_close((uv_handle_t *)&agent->terminate, NULL);
	uv_close((uv_handle_t *)&agent->interrupt, NULL);
	uv_run(&agent->loop, UV_RUN_DEFAULT);
	uv_loop_close(&agent->loop);
	sr_engine_free(agent->engine);
	if (agent->dp)
		agent->dp->ops->close(agent->dp);
}

enum sr_agent_exit sr_agent_run(const struct sr_agent_config *config)
{
	struct sr_agent agent = {.config = config};
	char locator[SR_LOCATOR_STRLEN];
	enum sr_agent_exit code;

	sr_log_init(&agent.log, config->log_level);
	if (uv_loop_init(&agent.loop) < 0)
		return SR_EXIT_SOFTWARE;
	init_handles(&agent);
	sr_log(&agent.log, SR_LOG_NOTICE, "sr-agent %s: node %s, cluster %s, locator %s", SR_VERSION, config->node.name,
	       config->cluster, sr_locator_format(&config->node.locator, locator));
	code = open_datapath(&agent);
	if (!code)
		code = new_engine(&agent);
	if (!code)
		code = take_in_node(&agent);
	if (!code)
		code = join_store(&agent);
	if (!code) {
		sd_notify(0, "READY=1\nSTATUS=Waiting for the store.");
		uv_run(&agent.loop, UV_RUN_DEFAULT);
		code = agent.exit;
		sd_notify(0, "STOPPING=1");
	}
	tear_down(&agent);
	return code;
}

enum sr_agent_exit sr_agent_cleanup(const struct sr_agent_config *config)
{
	struct sr_agent agent = {.config = config};
	enum sr_agent_exit code;
	int r;

	sr_log_init(&agent.log, config->log_level);
	code = open_datapath(&agent); /* first: it refuses while an agent runs, whose locator must stay */
	if (code)
		return code;
	r = sr_announce_sweep(NULL);
	if (r < 0) {
		sr_log(&agent.log, SR_LOG_ERROR, "locator: its routes cannot be removed: %s", strerror(-r));
		agent.dp->ops->close(agent.dp);
		return exit_of(r);
	}
	r = agent.dp->ops->destroy(agent.dp);
	if (r < 0) {
		sr_log(&agent.log, SR_LOG_ERROR, "datapath: not all could be removed: %s", strerror(-r));
		return exit_of(r);
	}
	return SR_EXIT_OK;
}

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bench/fill.c - fills an etcd, by the documented schema, with a fabric of any size.
 *
 *	fill ENDPOINT CLUSTER VRFS PORTS NODES SELF
 *
 * VRFS networks of PORTS ports each, spread over NODES nodes; the first port of each network is bound to SELF, so that
 *an agent of that name takes in all of them. Many keys a transaction, many transactions in flight.
 */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "etcd/etcd.h"
#include "model/codec.h"
#include "store/keys.h"

#define OPS 100 /* etcd takes 128 */
#define IN_FLIGHT 32

struct fill {
	uv_loop_t loop;
	struct sr_etcd *etcd;
	const char *cluster, *self;
	unsigned int vrfs, ports, nodes;
	unsigned int in_flight;
	struct sr_etcd_op ops[OPS];
	size_t n_ops;
	unsigned long keys;
};

static void on_done(void *ctx, const struct sr_etcd_status *status, bool succeeded,
		    const struct sr_etcd_op_result *results, size_t n)
{
	struct fill *fill = ctx;

	(void)succeeded, (void)results, (void)n;
	if (status->err) {
		fprintf(stderr, "fill: %s\n", status->text);
		exit(1);
	}
	fill->in_flight--;
}

static void flush(struct fill *fill)
{
	const struct sr_etcd_txn txn = {.success = fill->ops, .n_success = fill->n_ops};

	if (fill->n_ops == 0)
		return;
	while (fill->in_flight >= IN_FLIGHT)
		uv_run(&fill->loop, UV_RUN_ONCE);
	if (sr_etcd_txn(fill->etcd, &txn, on_done, fill) < 0)
		exit(1);
	fill->in_flight++;
	for (size_t i = 0; i < fill->n_ops; i++) {
		free((void *)fill->ops[i].key.data);
		free((void *)fill->ops[i].value.data);
	}
	fill->n_ops = 0;
}

/* Takes the value over. */
static void put(struct fill *fill, const struct sr_object_id *id, char *value)
{
	char key[SR_KEY_SIZE];
	int len = sr_key_object(fill->cluster, id, key);

	if (len < 0 || !value)
		exit(1);
	fill->ops[fill->n_ops++] = (struct sr_etcd_op){
		.kind = SR_ETCD_OP_PUT,
		.key = {memcpy(malloc((size_t)len), key, (size_t)len), (size_t)len},
		.value = {value, strlen(value)},
	};
	fill->keys++;
	if (fill->n_ops == OPS)
		flush(fill);
}

static struct sr_locator node_locator(unsigned int n)
{
	return (struct sr_locator){.b = {0x24, 0x00, 0xdc, 0xc0, [10] = (uint8_t)(n >> 8), [11] = (uint8_t)n}};
}

static void node_name(const struct fill *fill, unsigned int n, char ret[static SR_NAME_SIZE])
{
	if (n == 0)
		snprintf(ret, SR_NAME_SIZE, "%s", fill->self);
	else
		snprintf(ret, SR_NAME_SIZE, "node%u", n);
}

static struct sr_uuid nth_uuid(uint8_t kind, unsigned int vrf, unsigned int n)
{
	const uint32_t words[] = {htonl(vrf * 2654435761U + n), htonl(kind), htonl(vrf), htonl(n)};
	struct sr_uuid id;

	memcpy(id.b, words, sizeof(id.b));
	return id;
}

static void fill_port(struct fill *fill, const struct sr_vrf *vrf, unsigned int v, unsigned int n)
{
	struct sr_port port = {
		.id = nth_uuid(2, v, n),
		.network_id = vrf->network_id,
		.has_segment_node_id = true,
		.vrf_ip = vrf->vrf_ip,
		.vrf_cidr = vrf->vrf_cidr,
		.mac = {.b = {0xfa, 0x16, 0x3e, (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n}},
		.admin_state_up = true,
		.n_addrs = 1,
		.addrs = {sr_prefix_v4(htonl(0x0a000002U + n), 32).addr},
	};
	/* The first is bound to this node, the others to the rest. */
	unsigned int node = n == 0 || fill->nodes == 1 ? 0 : 1 + (v + n) % (fill->nodes - 1);
	struct sr_object_id id = {.kind = SR_OBJECT_PORT, .id = port.id};

	snprintf(port.project_id, sizeof(port.project_id), "%s", vrf->project_id);
	snprintf(port.vrf, sizeof(port.vrf), "%s", vrf->name);
	snprintf(id.vrf, sizeof(id.vrf), "%s", vrf->name);
	node_name(fill, node, port.node);
	port.segment_node_id = node_locator(node);
	put(fill, &id, sr_port_encode(&port));
	if (node == 0) {
		struct sr_object_id binding = {.kind = SR_OBJECT_BINDING, .id = port.id};
		struct sr_binding value;

		snprintf(binding.node, sizeof(binding.node), "%s", fill->self);
		snprintf(value.vrf, sizeof(value.vrf), "%s", vrf->name);
		put(fill, &binding, sr_binding_encode(&value));
	}
}

static void fill_vrf(struct fill *fill, unsigned int v)
{
	struct sr_vrf vrf = {
		.network_id = nth_uuid(1, v, 0),
		.vrf_ip = {htonl(0xa9fe0001U + v)},
		.vrf_cidr = sr_prefix_v4(htonl(0xa9fe0000U), 16),
		.n_subnets = 1,
		.subnets = {{.cidr = sr_prefix_v4(htonl(0x0a000000U), 8),
			     .gateway = sr_prefix_v4(htonl(0x0a000001U), 32).addr}},
	};
	struct sr_object_id id = {.kind = SR_OBJECT_VRF};

	snprintf(vrf.name, sizeof(vrf.name), "vrf%012x", v);
	snprintf(vrf.project_id, sizeof(vrf.project_id), "%032x", v);
	snprintf(vrf.network_name, sizeof(vrf.network_name), "net%u", v);
	snprintf(id.vrf, sizeof(id.vrf), "%s", vrf.name);
	put(fill, &id, sr_vrf_encode(&vrf));
	for (unsigned int n = 0; n < fill->ports; n++)
		fill_port(fill, &vrf, v, n);
}

int main(int argc, char **argv)
{
	struct fill fill = {0};
	char err[256];

	if (argc != 7) {
		fprintf(stderr, "Usage: fill ENDPOINT CLUSTER VRFS PORTS NODES SELF\n");
		return 2;
	}
	fill.cluster = argv[2];
	fill.vrfs = (unsigned int)atoi(argv[3]);
	fill.ports = (unsigned int)atoi(argv[4]);
	fill.nodes = (unsigned int)atoi(argv[5]);
	fill.self = argv[6];
	uv_loop_init(&fill.loop);
	const char *endpoints[] = {argv[1]};
	const struct sr_etcd_config config = {.endpoints = endpoints, .n_endpoints = 1, .timeout_ms = 60000};

	if (sr_etcd_new(&fill.loop, &config, &fill.etcd, err, sizeof(err)) < 0) {
		fprintf(stderr, "fill: %s\n", err);
		return 1;
	}
	for (unsigned int n = 0; n < fill.nodes; n++) {
		struct sr_object_id id = {.kind = SR_OBJECT_NODE};
		struct sr_node node = {.locator = node_locator(n)};

		node_name(&fill, n, node.name);
		memcpy(id.node, node.name, sizeof(id.node));
		put(&fill, &id, sr_node_encode(&node));
	}
	for (unsigned int v = 0; v < fill.vrfs; v++)
		fill_vrf(&fill, v);
	flush(&fill);
	while (fill.in_flight > 0)
		uv_run(&fill.loop, UV_RUN_ONCE);
	sr_etcd_free(fill.etcd);
	uv_run(&fill.loop, UV_RUN_DEFAULT);
	uv_loop_close(&fill.loop);
	printf("%lu keys\n", fill.keys);
	return 0;
}

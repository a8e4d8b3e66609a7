// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two nodes, two VMs, real TCP and UDP through both programs; each VM and node B in a network namespace of its own.
 *
 *	VM a  eth0 -- tap0  node A  up0 ========== up0  node B  tap0 -- eth0  VM b
 *	10.0.0.1            locator ...:4d8e            ...:4d8f              10.0.1.1
 *
 * The bytes received are compared with those sent. Super-packets (GSO) must go through the fabric whole, and reach a VM
 * behind a tap that offers no segmentation offload as right segments. Every frame that VM b gets is checked by itself:
 * the kernel trusts the checksums of a veth.
 */
#include "wire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define BYTES (16 << 20)
#define CHUNK (64 << 10)
#define WAIT_S 30   /* for what must come: longer than any machine takes */
#define VM_MTU 1436 /* what fits with an SRH into a fabric of 1500 */
#define NH_A NH_FREE

enum place { NODE_A, NODE_B, VM_A, VM_B_, PLACES };

struct live {
	int ns[PLACES];
	pid_t holders[PLACES]; /* a process that lives in each namespace but the first */
	struct node *a, *b;
};

static struct live *shared; /* the group's; a test's own state is its row */

/* Places */

static void enter(const struct live *l, enum place place)
{
	assert_int_equal(setns(l->ns[place], CLONE_NEWNET), 0);
}

/* A process in a new namespace, which is gone with it; it ends with this one. */
static pid_t holder(void)
{
	int ready[2];
	pid_t pid;
	char c;

	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (unshare(CLONE_NEWNET) || write(ready[1], "", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &c, 1), 1);
	close(ready[0]);
	return pid;
}

static void open_place(struct live *l, enum place place)
{
	char path[64];

	l->holders[place] = place == NODE_A ? getpid() : holder();
	snprintf(path, sizeof(path), "/proc/%d/ns/net", l->holders[place]);
	l->ns[place] = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(l->ns[place] >= 0);
}

static void ip_batch(const struct live *l, enum place place, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
static void ip_batch(const struct live *l, enum place place, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap); /* NOLINT(clang-analyzer-valist.Uninitialized): it is */
	va_end(ap);
	enter(l, place);
	assert_true(harness_ip(text));
}

static void make_vm(const struct live *l, enum place node, enum place vm, const char *v4, const char *v6)
{
	ip_batch(l, node, "link set vm1 netns %d\n", l->holders[vm]);
	ip_batch(l, vm,
		 "link set lo up\n"
		 "link set vm1 name eth0 address fa:16:3e:00:00:01 mtu %d\n"
		 "link set eth0 up\n"
		 "addr add %s/8 dev eth0\n"
		 "addr add %s/64 dev eth0 nodad\n",
		 VM_MTU, v4, v6);
}

static void connect_nodes(const struct live *l)
{
	static const char up[] = "link set up0 up\naddr add fe80::%s/64 dev up0 nodad\n"
				 "route add 2400:dcc0::/32 via fe80::%s dev up0\n";

	ip_batch(l, NODE_B, "link del up0\n");
	ip_batch(l, NODE_A, "link del up0\nlink add up0 type veth peer name up0 netns %d\n", l->holders[NODE_B]);
	ip_batch(l, NODE_A, up, "a", "b");
	ip_batch(l, NODE_B, up, "b", "a");
}

static int group_setup(void **state)
{
	static struct live l;

	(void)state; /* cmocka would hand it to the tests in place of their rows */
	for (enum place p = NODE_A; p < PLACES; p++)
		open_place(&l, p);
	enter(&l, NODE_B);
	assert_true(harness_world());
	connect_nodes(&l);
	make_vm(&l, NODE_A, VM_A, VM1, VM1_6);
	make_vm(&l, NODE_B, VM_B_, VM_B, VM_B_6);
	enter(&l, NODE_A);
	shared = &l;
	return 0;
}

static int group_teardown(void **state)
{
	(void)state;
	for (enum place p = NODE_B; p < PLACES; p++) {
		kill(shared->holders[p], SIGKILL);
		waitpid(shared->holders[p], NULL, 0);
	}
	return 0;
}

/* Both nodes anew, with this mode. B has VM b on its tap, and A's VM behind A. */
static void load(struct live *l, enum sr_encap_mode mode)
{
	struct sr_bpf_config config = config_default();

	config.encap_mode = (uint8_t)mode;
	enter(l, NODE_A);
	l->a = node_new(&config);
	wire_attach(l->a);
	config.source = ip6(PEER);
	config.locators[0] = ip6("2400:dcc0::a7a:4d8f:0:0");
	enter(l, NODE_B);
	l->b = node_new(&config);
	node_nexthop(l->b, NH_A, "2400:dcc0::a7a:4d8e:0:0");
	node_host4(l->b, BLUE, VM_B, 1 + TAP0);
	node_host6(l->b, BLUE, VM_B_6, 1 + TAP0);
	node_host4(l->b, BLUE, VM1, NH_A);
	node_host6(l->b, BLUE, VM1_6, NH_A);
	node_sid(l->b, SID_B_BLUE, SR_SID_END_DT46, BLUE, STATS_BLUE);
	wire_attach(l->b);
	enter(l, NODE_A);
}

static void unload(struct live *l)
{
	node_free(l->a);
	node_free(l->b);
}

/* What the tap of VM b takes off the kernel's hands. */
enum offloads {
	ALL,
	NO_TUNNELS, /* a tap's or a NIC's: TCP segmentation, but not of what is marked as tunnelled */
	NONE,
	OFFLOADS
};

static void set_offloads(const struct live *l, enum offloads which)
{
	static const char *const commands[OFFLOADS] = {
		[ALL] = "ethtool -K tap0 tx on sg on tso on gso on tx-ipxip4-segmentation on tx-ipxip6-segmentation on",
		[NO_TUNNELS] = "ethtool -K tap0 tx on sg on tso on gso on tx-ipxip4-segmentation off "
			       "tx-ipxip6-segmentation off tx-gre-segmentation off tx-udp_tnl-segmentation off",
		[NONE] = "ethtool -K tap0 tx off sg off tso off gso off",
	};
	char command[256];

	snprintf(command, sizeof(command), "%s >/dev/null 2>&1", commands[which]);
	enter(l, NODE_B);
	assert_int_equal(system(command), 0); /* NOLINT(cert-env33-c): from the table */
	enter(l, NODE_A);
}

/* Traffic */

static socklen_t address(struct sockaddr_storage *at, const char *text, uint16_t port)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)at;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)at;

	memset(at, 0, sizeof(*at));
	if (strchr(text, ':')) {
		*v6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = ip6(text)};
		return sizeof(*v6);
	}
	*v4 = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = ip4(text)};
	return sizeof(*v4);
}

/* A socket in a place, bound if there is an address. */
static int socket_at(const struct live *l, enum place place, int type, const char *text, uint16_t port)
{
	struct sockaddr_storage at;
	socklen_t len = address(&at, text, port);
	int fd;

	enter(l, place);
	fd = socket(at.ss_family, type | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
	if (port)
		assert_int_equal(bind(fd, (struct sockaddr *)&at, len), 0);
	enter(l, NODE_A);
	return fd;
}

static void connect_to(int fd, const char *text, uint16_t port)
{
	struct sockaddr_storage at;
	socklen_t len = address(&at, text, port);
	struct timeval timeout = {.tv_sec = WAIT_S};

	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
	if (connect(fd, (struct sockaddr *)&at, len))
		fail_msg("connect to %s: %s", text, strerror(errno));
}

/* Byte i of what is sent: no period that a lost or doubled segment could hide in. */
static uint8_t pattern(uint64_t i)
{
	uint64_t x = (i >> 3) * 0x9e3779b97f4a7c15ULL;

	return (uint8_t)(x >> (8 * (i & 7)));
}

static uint64_t send_some(int fd, uint64_t sent)
{
	static uint8_t buf[CHUNK];
	size_t n = BYTES - sent < sizeof(buf) ? (size_t)(BYTES - sent) : sizeof(buf);
	ssize_t r;

	for (size_t i = 0; i < n; i++)
		buf[i] = pattern(sent + i);
	r = send(fd, buf, n, MSG_DONTWAIT | MSG_NOSIGNAL);
	assert_true(r > 0 || errno == EAGAIN);
	return r > 0 ? (uint64_t)r : 0;
}

static uint64_t recv_some(int fd, uint64_t received)
{
	static uint8_t buf[CHUNK];
	ssize_t r = recv(fd, buf, sizeof(buf), MSG_DONTWAIT);

	assert_true(r > 0 || errno == EAGAIN);
	for (ssize_t i = 0; i < r; i++) {
		if (buf[i] != pattern(received + (uint64_t)i))
			fail_msg("byte %llu is wrong", (unsigned long long)(received + (uint64_t)i));
	}
	return r > 0 ? (uint64_t)r : 0;
}

/* What arrives at an interface: how large it is, and how many packets' checksums are not right (yet, with offloads). */
struct seen {
	size_t largest;
	unsigned int packets, bad;
};

static bool tcp_is_right(const uint8_t *frame, size_t len)
{
	const uint8_t *ip = frame + 14;

	if (frame[12] == 0x08 && ip[9] == 6)
		return !checksum(ip, 20, 0) &&
		       !checksum_pseudo(ip + 12, ip + 16, 4, 6, ip + 20, (size_t)(ip[2] << 8 | ip[3]) - 20);
	if (frame[12] == 0x86 && ip[6] == 6)
		return !checksum_pseudo(ip + 8, ip + 24, 16, 6, ip + 40, len - 54);
	return true;
}

static void look(int fd, struct seen *seen)
{
	static uint8_t frame[1 << 17];
	struct sockaddr_ll from = {0};
	socklen_t len = sizeof(from);
	ssize_t n;

	while ((n = recvfrom(fd, frame, sizeof(frame), MSG_DONTWAIT, (struct sockaddr *)&from, &len)) > 0) {
		if (from.sll_pkttype == PACKET_OUTGOING)
			continue;
		seen->packets++;
		if ((size_t)n > seen->largest)
			seen->largest = (size_t)n;
		if (!tcp_is_right(frame, (size_t)n))
			seen->bad++;
	}
}

static int watch(const struct live *l, enum place place, const char *ifname)
{
	int fd;

	enter(l, place);
	fd = wire_open(ifname);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &(int){64 << 20}, sizeof(int));
	enter(l, NODE_A);
	return fd;
}

/* BYTES from `client` to `server`, looking at the fabric and at VM b meanwhile. */
static void pump(int client, int server, int fabric, struct seen *in_fabric, int vm, struct seen *at_vm)
{
	uint64_t sent = 0, received = 0;
	time_t end = time(NULL) + 4L * WAIT_S;

	while (received < BYTES) {
		struct pollfd fds[2] = {{.fd = server, .events = POLLIN},
					{.fd = client, .events = sent < BYTES ? POLLOUT : 0}};

		if (time(NULL) > end)
			fail_msg("%llu bytes sent, %llu received in %d s", (unsigned long long)sent,
				 (unsigned long long)received, 4 * WAIT_S);
		poll(fds, 2, 100);
		if (fds[1].revents & POLLOUT)
			sent += send_some(client, sent);
		received += recv_some(server, received);
		look(fabric, in_fabric);
		look(vm, at_vm);
	}
}

static void transfer(struct live *l, const char *from, const char *to, struct seen *in_fabric, struct seen *at_vm)
{
	int fabric = watch(l, NODE_B, "up0"), vm = watch(l, VM_B_, "eth0");
	int listener = socket_at(l, VM_B_, SOCK_STREAM, to, 5001), client, server;

	assert_int_equal(listen(listener, 1), 0);
	client = socket_at(l, VM_A, SOCK_STREAM, from, 0);
	connect_to(client, to, 5001);
	server = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	assert_true(server >= 0);
	pump(client, server, fabric, in_fabric, vm, at_vm);
	close(server);
	close(client);
	close(listener);
	wire_close(fabric);
	wire_close(vm);
}

/* Tests */

static struct tcp_row {
	const char *name;
	const char *from, *to;
	enum sr_encap_mode mode;
	enum offloads offloads;
} tcps[] = {
	{"TCP over IPv4 with SRH", VM1, VM_B, SR_ENCAP_SRH, ALL},
	{"TCP over IPv6 with SRH", VM1_6, VM_B_6, SR_ENCAP_SRH, ALL},
	{"TCP over IPv4 reduced", VM1, VM_B, SR_ENCAP_REDUCED, ALL},
	{"TCP over IPv6 reduced", VM1_6, VM_B_6, SR_ENCAP_REDUCED, ALL},
	{"TCP over IPv4 with SRH to a tap without tunnel offloads", VM1, VM_B, SR_ENCAP_SRH, NO_TUNNELS},
	{"TCP over IPv6 with SRH to a tap without tunnel offloads", VM1_6, VM_B_6, SR_ENCAP_SRH, NO_TUNNELS},
	{"TCP over IPv4 with SRH to a tap without offloads", VM1, VM_B, SR_ENCAP_SRH, NONE},
	{"TCP over IPv6 with SRH to a tap without offloads", VM1_6, VM_B_6, SR_ENCAP_SRH, NONE},
	{"TCP over IPv4 reduced to a tap without offloads", VM1, VM_B, SR_ENCAP_REDUCED, NONE},
	{"TCP over IPv6 reduced to a tap without offloads", VM1_6, VM_B_6, SR_ENCAP_REDUCED, NONE},
};

/* Nothing was dropped but what VMs say to groups of themselves (MLD, router solicitations, DAD). */
static void assert_no_losses(struct node *node)
{
	for (int i = 0; i < DROPS; i++) {
		enum sr_drop_reason reason = i % SR_DROP_MAX;

		if (reason == SR_DROP_MULTICAST || reason == SR_DROP_OWN_ADDRESS || reason == SR_DROP_LINK_LOCAL)
			continue;
		if (node_drops(node, i / SR_DROP_MAX, reason).packets)
			fail_msg("dropped: direction %d, reason %d", i / SR_DROP_MAX, reason);
	}
}

static void test_tcp(void **state)
{
	const struct tcp_row *row = *state;
	struct seen in_fabric = {0}, at_vm = {0};

	load(shared, row->mode);
	set_offloads(shared, row->offloads);
	transfer(shared, row->from, row->to, &in_fabric, &at_vm);
	sr_case("largest in the fabric %zu, at the VM %zu; %u and %u packets, %u checksums not right",
		in_fabric.largest, at_vm.largest, in_fabric.packets, at_vm.packets, at_vm.bad);
	assert_true(in_fabric.largest > 10000); /* whole */
	if (row->offloads == ALL)
		assert_true(at_vm.largest > 10000);
	if (row->offloads == NONE) {
		assert_true(at_vm.largest <= VM_MTU + 14);
		assert_int_equal(at_vm.bad, 0);
	}
	assert_true(node_vrf_stats(shared->a, BLUE).encap.bytes >= BYTES);
	assert_true(node_vrf_stats(shared->b, BLUE).decap.bytes >= BYTES);
	assert_no_losses(shared->a);
	assert_no_losses(shared->b);
	unload(shared);
}

/* `n` bytes from VM a arrive as datagrams of `each`, one after the other. */
static void datagrams(struct live *l, const char *from, const char *to, size_t n, size_t each, bool segment)
{
	static uint8_t out[CHUNK], in[CHUNK];
	int server = socket_at(l, VM_B_, SOCK_DGRAM, to, 5002), client = socket_at(l, VM_A, SOCK_DGRAM, from, 0);
	struct timeval timeout = {.tv_sec = WAIT_S};

	setsockopt(server, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	connect_to(client, to, 5002);
	if (segment)
		assert_int_equal(setsockopt(client, SOL_UDP, UDP_SEGMENT, &(int){(int)each}, sizeof(int)), 0);
	for (size_t i = 0; i < n; i++)
		out[i] = pattern(i);
	assert_int_equal(send(client, out, n, 0), n);
	for (size_t at = 0; at < n; at += each) {
		size_t want = n - at < each ? n - at : each;

		assert_int_equal(recv(server, in, sizeof(in), 0), want);
		assert_memory_equal(in, out + at, want);
	}
	close(server);
	close(client);
}

/* The very first packet, with no neighbour known on any of the four links. */
static void test_first_packet_is_not_lost(void **state)
{
	(void)state;
	load(shared, SR_ENCAP_SRH);
	ip_batch(shared, NODE_A, "neigh flush dev up0\n");
	ip_batch(shared, NODE_B, "neigh flush dev up0\n");
	ip_batch(shared, VM_A, "neigh flush dev eth0\n");
	enter(shared, NODE_A);
	datagrams(shared, VM1, VM_B, 100, 100, false);
	datagrams(shared, VM1_6, VM_B_6, 100, 100, false);
	unload(shared);
}

/* Larger than the VM's MTU: fragments, which the receiving VM puts together. */
static void test_fragmented_datagrams(void **state)
{
	(void)state;
	load(shared, SR_ENCAP_SRH);
	datagrams(shared, VM1, VM_B, 8000, 8000, false);
	datagrams(shared, VM1_6, VM_B_6, 8000, 8000, false);
	unload(shared);
}

static void test_udp_segmentation(void **state)
{
	(void)state;
	for (enum offloads offloads = ALL; offloads < OFFLOADS; offloads++) {
		sr_case("offloads %d", offloads);
		load(shared, SR_ENCAP_SRH);
		set_offloads(shared, offloads);
		datagrams(shared, VM1, VM_B, 20 * 1000 + 10, 1000, true);
		datagrams(shared, VM1_6, VM_B_6, 20 * 1000 + 10, 1000, true);
		unload(shared);
	}
}

/* A VM that believes in an MTU of 1500 learns better from its gateway, and TCP goes on. */
static void test_path_mtu_discovery(void **state)
{
	struct seen in_fabric = {0}, at_vm = {0};

	(void)state;
	load(shared, SR_ENCAP_SRH);
	set_offloads(shared, ALL);
	ip_batch(shared, VM_A, "link set eth0 mtu 1500\n");
	ip_batch(shared, VM_B_, "link set eth0 mtu 1500\n");
	enter(shared, NODE_A);
	transfer(shared, VM1, VM_B, &in_fabric, &at_vm);
	transfer(shared, VM1_6, VM_B_6, &in_fabric, &at_vm);
	assert_true(node_drops(shared->a, SR_DIR_FROM_TAP, SR_DROP_TOO_BIG).packets > 0);
	ip_batch(shared, VM_A, "link set eth0 mtu %d\n", VM_MTU);
	ip_batch(shared, VM_B_, "link set eth0 mtu %d\n", VM_MTU);
	enter(shared, NODE_A);
	unload(shared);
}

int main(void)
{
	static const struct CMUnitTest others[] = {
		cmocka_unit_test(test_first_packet_is_not_lost),
		cmocka_unit_test(test_fragmented_datagrams),
		cmocka_unit_test(test_udp_segmentation),
		cmocka_unit_test(test_path_mtu_discovery),
	};
	struct CMUnitTest tests[ARRAY_SIZE(tcps) + ARRAY_SIZE(others)];
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		tests[n++] = others[i];
	for (size_t i = 0; i < ARRAY_SIZE(tcps); i++)
		tests[n++] = (struct CMUnitTest){tcps[i].name, test_tcp, NULL, NULL, &tcps[i]};
	return harness_main_group("live", tests, n, group_setup, group_teardown);
}

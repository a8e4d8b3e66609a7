/* SPDX-License-Identifier: GPL-2.0-only */
/* agent/config.h: every option read, every fault named with its line; the example file is what the table says. */
#include "unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/config.h"

#define NODE "[node]\nname = hv1\nlocator = 2400:dcc0::a7a:4d8e\ndomain = 2400:dcc0::/32\n"
#define FABRIC "[fabric]\nuplinks = eth0, eth1\n"

static int read_text(const char *text, struct sr_agent_config *ret, char err[static 512])
{
	char path[] = "/tmp/test_config.XXXXXX";
	int fd = mkstemp(path), r;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	err[0] = '\0';
	r = sr_agent_config_read(path, ret, err, 512);
	unlink(path);
	return r;
}

static void the_least_that_does(void **state)
{
	struct sr_agent_config c;
	char err[512], buf[64];

	(void)state;
	if (read_text(NODE FABRIC, &c, err) < 0)
		fail_msg("%s", err);
	assert_string_equal(c.node.name, "hv1");
	assert_string_equal(c.cluster, "default");
	assert_string_equal(sr_sid_format(&(struct sr_sid){c.dp.source}, buf), "2400:dcc0::a7a:4d8e:0:1");
	assert_int_equal(c.dp.n_locators, 1);
	assert_true(sr_locator_equal(&c.dp.locators[0], &c.node.locator));
	assert_int_equal(c.n_uplinks, 2);
	assert_string_equal(c.uplinks[1], "eth1");
	assert_int_equal(c.n_endpoints, 1);
	assert_string_equal(c.endpoints[0], "http://127.0.0.1:2379");
	assert_int_equal(c.dp.encap_mode, SR_ENCAP_SRH);
	assert_int_equal(c.dp.dscp_mode, SR_DSCP_COPY);
	assert_int_equal(c.dp.vrf_behavior, 0); /* the best that the datapath has */
	assert_string_equal(c.datapath, "auto");
	assert_string_equal(c.dp.state_dir, "/run/srfabric");
	assert_int_equal(c.dp.first_table, 1000);
	assert_int_equal(c.dp.hop_limit, 64);
	assert_int_equal(c.dp.end_function.v, 0);
	assert_int_equal(c.lease_ttl, 10);
	assert_int_equal(c.log_level, SR_LOG_INFO);
	assert_string_equal(c.dp.bpffs, "/sys/fs/bpf/srfabric");
	assert_ptr_equal(c.dp.bpffs, c.bpffs);
}

static void every_option_is_taken(void **state)
{
	struct sr_agent_config c;
	char err[512], buf[64];

	(void)state;
	if (read_text("[node]\nname = a.b\ncluster = c9\nlocator = c2::/96\nsource = 2001:db8::7\n"
		      "domain = c2::/16, 2001:db8::/32\n"
		      "[etcd]\nendpoints = https://[::1]:2379 https://e2:2379\nca = /a\ncert = /b\nkey = /c\n"
		      "user = u\npassword_file = /p\nlease_ttl = 3\n"
		      "[fabric]\nuplinks = x\nencapsulation = reduced\nmtu = 9000\ndscp = 46\nhop_limit = 9\n"
		      "[datapath]\nkind = linux\nbpffs = /sys/fs/bpf/n\nstate_dir = /run/n\nfirst_table = 12\n"
		      "vrf_behavior = end.dx4\nend_function = 0.0.0.2\n"
		      "max_vrfs = 5\nmax_nexthops = 6\nmax_routes = 7\nicmp_rate = 0\n[log]\nlevel = debug\n",
		      &c, err) < 0)
		fail_msg("%s", err);
	assert_string_equal(c.cluster, "c9");
	assert_string_equal(sr_sid_format(&(struct sr_sid){c.dp.source}, buf), "2001:db8::7");
	assert_int_equal(c.dp.n_domains, 2);
	assert_int_equal(c.n_endpoints, 2);
	assert_string_equal(c.ca_file, "/a");
	assert_string_equal(c.cert_file, "/b");
	assert_string_equal(c.key_file, "/c");
	assert_string_equal(c.user, "u");
	assert_string_equal(c.password_file, "/p");
	assert_int_equal(c.lease_ttl, 3);
	assert_int_equal(c.dp.encap_mode, SR_ENCAP_REDUCED);
	assert_int_equal(c.mtu, 9000);
	assert_int_equal(c.dp.dscp_mode, SR_DSCP_FIXED);
	assert_int_equal(c.dp.dscp, 46);
	assert_int_equal(c.dp.hop_limit, 9);
	assert_string_equal(c.dp.bpffs, "/sys/fs/bpf/n");
	assert_int_equal(c.dp.vrf_behavior, SR_SID_END_DX4);
	assert_string_equal(c.datapath, "linux");
	assert_string_equal(c.dp.state_dir, "/run/n");
	assert_int_equal(c.dp.first_table, 12);
	assert_int_equal(c.dp.end_function.v, htonl(2));
	assert_int_equal(c.dp.max_vrfs, 5);
	assert_int_equal(c.dp.max_nexthops, 6);
	assert_int_equal(c.dp.max_routes, 7);
	assert_int_equal(c.dp.icmp_rate, 0);
	assert_int_equal(c.log_level, SR_LOG_DEBUG);
}

static void faults_are_named(void **state)
{
	static const struct {
		const char *text, *says;
	} rows[] = {
		{FABRIC, "[node] locator is not set"},
		{"[node]\nname=a\nlocator=c2::/96\n" FABRIC, "[node] domain is not set"},
		{NODE, "[fabric] uplinks is not set"},
		{NODE FABRIC "mtu = 1279\n", ":7: [fabric] mtu = 1279: below 1280"},
		{NODE FABRIC "mtu = x\n", ":7: [fabric] mtu = x: not a whole number"},
		{NODE FABRIC "mtu = -1\n", "not a whole number"},
		{NODE FABRIC "mtu = 70000\n", "out of range"},
		{NODE FABRIC "mtu = 1500\nmtu = 1500\n", ":8: [fabric] mtu = 1500: given twice"},
		{NODE FABRIC "colour = red\n", ":7: [fabric] colour = red: there is no such option"},
		{NODE FABRIC "[fabrik]\nmtu = 1500\n", "[fabrik] mtu = 1500: there is no such option"},
		{NODE FABRIC "uplinks2\n", ":7: "},
		{NODE FABRIC "hop_limit = 0\n", "not 1 to 255"},
		{NODE FABRIC "dscp = 64\n", "neither copy nor 0 to 63"},
		{NODE FABRIC "encapsulation = vxlan\n", "neither srh nor reduced"},
		{NODE FABRIC "[datapath]\nkind = vpp\n", "none of auto, ebpf, linux"},
		{NODE FABRIC "[datapath]\nfirst_table = 0\n", "out of range"},
		{NODE FABRIC "[datapath]\nvrf_behavior = end\n", "none of auto, end.dt4"},
		{NODE FABRIC "[datapath]\nend_function = 2\n", "not a function"},
		{NODE FABRIC "[datapath]\nmax_vrfs = 0\n", "out of range"},
		{NODE FABRIC "[etcd]\nendpoints = localhost:2379\n", "begins with http"},
		{NODE FABRIC "[etcd]\ncert = /a\n", "cert and key go together"},
		{NODE FABRIC "[etcd]\nuser = a\n", "user and password_file go together"},
		{NODE FABRIC "[etcd]\nlease_ttl = 1\n", "not 2 to 3600 seconds"},
		{NODE FABRIC "[log]\nlevel = loud\n", "none of error"},
		{NODE "[fabric]\nuplinks = a-name-that-is-too-long\n", "at most 15 characters"},
		{NODE "source = 2001:db8::1\n" FABRIC, "source does not lie in [node] domain"},
		{NODE "source = 10.0.0.1\n" FABRIC, "not an IPv6 address"},
		{"[node]\nname = a b\n", "not a name"},
		{"[node]\nlocator = c2::1/96\n", "not a locator"},
		{"[node]\ndomain = 10.0.0.0/8\n", "not an IPv6 prefix"},
		{"[node]\ndomain = 2400:dcc0::1/32\n", "not an IPv6 prefix"},
	};
	struct sr_agent_config c;
	char err[512];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		sr_case("%s", rows[i].says);
		assert_int_equal(read_text(rows[i].text, &c, err), -EINVAL);
		if (!strstr(err, rows[i].says))
			fail_msg("said: %s", err);
	}
	assert_int_equal(sr_agent_config_read("/nonexistent", &c, err, sizeof(err)), -ENOENT);
	assert_string_equal(err, "/nonexistent: No such file or directory");
}

/* With every example put in force the example file is a configuration; and the one in conf/ is the same. */
static void the_example_is_true(void **state)
{
	char *text = NULL, *committed, err[512];
	struct sr_agent_config c;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size), *file;

	(void)state;
	sr_agent_config_example(out);
	fclose(out);
	if (!text)
		abort();
	file = fopen(SR_CONF_DIR "/sr-agent.conf", "r");
	assert_non_null(file);
	committed = calloc(1, size + 2);
	assert_int_equal(fread(committed, 1, size + 1, file), size);
	fclose(file);
	assert_string_equal(committed, text); /* else: sr-agent --example-config >conf/sr-agent.conf */
	free(committed);
	for (char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (*line == '#' && line[1] != ' ') /* an example: put it in force */
			memmove(line, line + 1, strlen(line));
	}
	if (read_text(text, &c, err) < 0)
		fail_msg("%s", err);
	assert_int_equal(c.dp.end_function.v, htonl(2));
	free(text);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_least_that_does),
		cmocka_unit_test(every_option_is_taken),
		cmocka_unit_test(faults_are_named),
		cmocka_unit_test(the_example_is_true),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-only */
#include "agent/config.h"

#include <errno.h>
#include <ini.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Each takes the whole value and returns NULL, or what is wrong with it. */
typedef const char *parse_fn(struct sr_agent_config *c, void *field, size_t size, const char *value);

static const char *parse_text(struct sr_agent_config *c, void *field, size_t size, const char *value)
{
	(void)c;
	return (size_t)snprintf(field, size, "%s", value) < size ? NULL : "too long";
}

static const char *parse_name(struct sr_agent_config *c, void *field, size_t size, const char *value)
{
	if (!sr_name_valid(value))
		return "not a name: up to 63 of letters, digits, '.', '_' and '-', no '.' first";
	return parse_text(c, field, size, value);
}

static const char *parse_u32(void *field, const char *value, unsigned long min, unsigned long max)
{
	char *end;
	unsigned long n;

	errno = 0;
	n = strtoul(value, &end, 10);
	if (!*value || *value == '-' || *end || errno)
		return "not a whole number";
	if (n < min || n > max)
		return "out of range";
	*(uint32_t *)field = (uint32_t)n;
	return NULL;
}

static const char *parse_count(struct sr_agent_config *c, void *field, size_t size, const char *value)
{
	(void)c, (void)size;
	return parse_u32(field, value, 1, 1U << 26);
}

static const char *parse_number(struct sr_agent_config *c, void *field, size_t size, const char *value)
{
	(void)c, (void)size;
	return parse_u32(field, value, 0, 1U << 30);
}

static const char *parse_table(struct sr_agent_config *c, void *field, size_t size, const char *value)
{
	(void)c, (void)size;
	return parse_u32(field, value, 1, 1U << 31);
}

static const char *parse_mtu(struct sr_agent_config *c, void *field, size_t size, const char *value)
{
	uint32_t mtu;
	const char *why = parse_u32(&mtu, value, 0, 65535);

	(void)c, (void)size;
	if (why)
		return why;
	if (mtu && mtu < 1280)
		return "below 1280, the least that IPv6 allows";
	*(uint32_t *)field = mtu;
	return NULL;
}

static const char *parse_ttl(struct sr_agent_config *c, void *field, size_t size, const char *value)
{
	(void)c, (void)size;
	return parse_u32(field, value, 2, 3600) ? "not 2 to 3600 seconds" : NULL;
}

static const char *parse_hop_limit(struct sr_agent_config *c, void *field, size_t size, const char *value)
{
	uint32_t n;

	(void)c, (void)size;
	if (parse_u32(&n, value, 1, 255))
		return "not 1 to 255";
	*(uint8_t *)field = (uint8_t)n;
	return NULL;
}

static const char *parse_locator(struct sr_agent_config *c, void *field, size_t size, const char *value)
{
	(void)size;
	if (sr_locator_parse(value, field) < 0)
		return "not a locator: write it as 2400:dcc0::a7a:4d8e or 2400:dcc0::a7a:4d8e:0:0/96";
	c->dp.locators[0] = *(struct sr_locator *)field;
	c->dp.n_locators = 1;
	return NULL;
}

static const char *parse_ipv6(struct sr_agent_config *c, void *field, size_t size, const char *value)
{
	struct sr_sid address;

	(void)c, (void)size;
	if (sr_sid_parse(value, &address) < 0)
		return "not an IPv6 address";
	*(struct in6_addr *)field = address.a;
	return NULL;
}

static const char *parse_function(struct sr_agent_config *c, void *field, size_t size, const char *value)
{
	(void)c, (void)size;
	return sr_function_parse(value, field) < 0 ? "not a function: write it as 0.0.0.2" : NULL;
}

/* Calls back for each word of a list separated by commas or white space. */
static const char *each_word(struct sr_agent_config *c, const char *value,
			     const char *(*take)(struct sr_agent_config *c, const char *word))
{
	char copy[2048], *save = NULL;

	if ((size_t)snprintf(copy, sizeof(copy), "%s", value) >= sizeof(copy))
		return "too long";
	for (char *word = strtok_r(copy, ", \t", &save); word; word = strtok_r(NULL, ", \t", &save)) {
		const char *why = take(c, word);

		if (why)
			return why;
	}
	return NULL;
}

static const char *take_domain(struct sr_agent_config *c, const char *word)
{
	struct sr_prefix p;

	if (c->dp.n_domains == SR_BPF_DOMAINS_MAX)
		return "more than 8 prefixes";
	if (sr_prefix_parse(word, &p) < 0 || sr_prefix_is_v4(&p))
		return "not an IPv6 prefix (bits beyond its length must be 0)";
	c->dp.domains[c->dp.n_domains++] = p;
	return NULL;
}

static const char *parse_domains(struct sr_agent_config *c, void *field, size_t size, const char *value)
{
	(void)field, (void)size;
	c->dp.n_domains = 0;
	return each_word(c, value, take_domain);
}

static const char *take_uplink(struct sr_agent_config *c, const char *word)
{
	if (c->n_uplinks == SR_UPLINKS_MAX)
		return "more than 16 interfaces";
	if (strlen(word) >= SR_IFNAME_MAX)
		return "an interface's name has at most 15 characters";
	snprintf(c->uplinks[c->n_uplinks++], SR_IFNAME_MAX, "%s", word);
	return NULL;
}

static const char *parse_uplinks(struct sr_agent_config *c, void *field, size_t size, const char *value)
{
	(void)field, (void)size;
	c->n_uplinks = 0;
	return each_word(c, value, take_uplink);
}

static const char *take_endpoint(struct sr_agent_config *c, const char *word)
{
	if (c->n_endpoints == SR_ENDPOINTS_MAX)
		return "more than 16 endpoints";
	if (strncmp(word, "http://", 7) != 0 && strncmp(word, "https://", 8) != 0)
		return "an endpoint begins with http:// or https://";
	if (strlen(word) >= sizeof(c->endpoints[0]))
		return "too long";
	snprintf(c->endpoints[c->n_endpoints++], sizeof(c->endpoints[0]), "%s", word);
	return NULL;
}

static const char *parse_endpoints(struct sr_agent_config *c, void *field, size_t size, const char *value)
{
	(void)field, (void)size;
	c->n_endpoints = 0;
	return each_word(c, value, take_endpoint);
}

/* Which of the words it is, or -1. */
static int word_of(const char *value, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (words[i] && strcmp(value, words[i]) == 0)
			return (int)i;
	return -1;
}

static const char *parse_encapsulation(struct sr_agent_config *c, void *field, size_t size, const char *value)
{
	static const char *const words[] = {[SR_ENCAP_SRH] = "srh", [SR_ENCAP_REDUCED] = "reduced"};
	int i = word_of(value, words, 2);

	(void)field, (void)size;
	if (i < 0)
		return "neither srh nor reduced";
	c->dp.encap_mode = (enum sr_encap_mode)i;
	return NULL;
}

static const char *parse_dscp(struct sr_agent_config *c, void *field, size_t size, const char *value)
{
	uint32_t n;

	(void)field, (void)size;
	if (strcmp(value, "copy") == 0) {
		c->dp.dscp_mode = SR_DSCP_COPY;
		return NULL;
	}
	if (parse_u32(&n, value, 0, 63))
		return "neither copy nor 0 to 63";
	c->dp.dscp_mode = SR_DSCP_FIXED;
	c->dp.dscp = (uint8_t)n;
	return NULL;
}

static const char *parse_behavior(struct sr_agent_config *c, void *field, size_t size, const char *value)
{
	static const char *const words[] = {
		"auto",
		[SR_SID_END_DT4] = "end.dt4",
		[SR_SID_END_DT6] = "end.dt6",
		[SR_SID_END_DT46] = "end.dt46",
		[SR_SID_END_DX4] = "end.dx4",
	};
	int i = word_of(value, words, sizeof(words) / sizeof(words[0]));

	(void)field, (void)size;
	if (i < 0)
		return "none of auto, end.dt4, end.dt6, end.dt46, end.dx4";
	c->dp.vrf_behavior = (enum sr_sid_behavior)i;
	return NULL;
}

static const char *parse_datapath(struct sr_agent_config *c, void *field, size_t size, const char *value)
{
	if (strcmp(value, "auto") != 0 && strcmp(value, "ebpf") != 0 && strcmp(value, "linux") != 0)
		return "none of auto, ebpf, linux";
	return parse_text(c, field, size, value);
}

static const char *parse_level(struct sr_agent_config *c, void *field, size_t size, const char *value)
{
	static const char *const words[] = {"error", "warning", "notice", "info", "debug"};
	int i = word_of(value, words, 5);

	(void)field, (void)size;
	if (i < 0)
		return "none of error, warning, notice, info, debug";
	c->log_level = (enum sr_log_level)(SR_LOG_ERROR + i);
	return NULL;
}

static const struct option {
	const char *section, *name;
	parse_fn *parse;
	size_t offset, size;
	const char *initial; /* NULL: none; the option may be left out */
	const char *example; /* shown where there is no default */
	const char *help;
} options[] = {
#define FIELD(member) offsetof(struct sr_agent_config, member), sizeof(((struct sr_agent_config *)0)->member)
	{"node", "name", parse_name, FIELD(node.name), NULL, "hv1",
	 "This node's name in the cluster, as Neutron's binding:host_id has it. Default: the machine's host name."},
	{"node", "cluster", parse_name, FIELD(cluster), "default", NULL,
	 "The cluster whose networks are served here: it names the keys in etcd."},
	{"node", "locator", parse_locator, FIELD(node.locator), NULL, "2400:dcc0::a7a:4d8e",
	 "The /96 that names this node; unique in the SR domain. Required."},
	{"node", "source", parse_ipv6, FIELD(dp.source), NULL, "2400:dcc0::a7a:4d8e:0:1",
	 "Source address of what is sent into the fabric. Default: the locator with function 0.0.0.1."},
	{"node", "domain", parse_domains, 0, 0, NULL, "2400:dcc0::/32",
	 "The SR domain: prefixes that hold all locators, all nodes' source addresses, and the routers' addresses. A "
	 "packet to a SID, or a router's Packet Too Big, is taken only from there, and a VM's packet from or to there "
	 "never leaves its tap. Required."},
	{"etcd", "endpoints", parse_endpoints, 0, 0, "http://127.0.0.1:2379", NULL, "etcd's endpoints, tried in turn."},
	{"etcd", "ca", parse_text, FIELD(ca_file), NULL, "/etc/srfabric/ca.pem",
	 "CA certificates for https, PEM. Default: the system's."},
	{"etcd", "cert", parse_text, FIELD(cert_file), NULL, "/etc/srfabric/cert.pem", "Client certificate, PEM."},
	{"etcd", "key", parse_text, FIELD(key_file), NULL, "/etc/srfabric/key.pem", "Its key, PEM."},
	{"etcd", "user", parse_text, FIELD(user), NULL, "agent", "User, where etcd has authentication on."},
	{"etcd", "password_file", parse_text, FIELD(password_file), NULL, "/etc/srfabric/etcd-password",
	 "File whose first line is the user's password."},
	{"etcd", "lease_ttl", parse_ttl, FIELD(lease_ttl), "10", NULL,
	 "Seconds without this agent until it, and its ports, are no longer reported alive. Forwarding goes on."},
	{"fabric", "uplinks", parse_uplinks, 0, 0, NULL, "eth0, eth1",
	 "Interfaces of the fabric: packets to SIDs are taken from these. Required."},
	{"fabric", "encapsulation", parse_encapsulation, 0, 0, "srh", NULL,
	 "srh: H.Encaps, always with a segment routing header; reduced: H.Encaps.Red, without one for a single "
	 "segment. "
	 "Both are understood on arrival."},
	{"fabric", "mtu", parse_mtu, FIELD(mtu), "0", NULL,
	 "MTU of the fabric, outer headers included. 0: that of the uplink with the smallest."},
	{"fabric", "dscp", parse_dscp, 0, 0, "copy", NULL,
	 "DSCP of the outer header: copy the inner one, or a number, 0 to 63. ECN is always copied."},
	{"fabric", "hop_limit", parse_hop_limit, FIELD(dp.hop_limit), "64", NULL, "Hop limit of the outer header."},
	{"datapath", "kind", parse_datapath, FIELD(datapath), "auto", NULL,
	 "ebpf: programs on taps and uplinks; linux: VRF devices and the kernel's own seg6 routes, which takes a "
	 "kernel "
	 "with the VRF driver; auto: ebpf."},
	{"datapath", "bpffs", parse_text, FIELD(bpffs), "/sys/fs/bpf/srfabric", NULL,
	 "Directory in a bpf file system where maps are pinned, so that forwarding goes on without the agent."},
	{"datapath", "state_dir", parse_text, FIELD(state_dir), "/run/srfabric", NULL,
	 "linux: directory for the record of what was changed of this node, so that `sr-agent cleanup` can give it "
	 "back."},
	{"datapath", "first_table", parse_table, FIELD(dp.first_table), "1000", NULL,
	 "linux: VRFs get the kernel's routing tables from this number on; those that hold anything are passed over."},
	{"datapath", "vrf_behavior", parse_behavior, 0, 0, "auto", NULL,
	 "Behaviour of the VRFs' SIDs: end.dt4, end.dt6, end.dt46; with linux also end.dx4, the reference's way for "
	 "old "
	 "kernels. auto: the best that the datapath has, end.dt46 if it can."},
	{"datapath", "end_function", parse_function, FIELD(dp.end_function), NULL, "0.0.0.2",
	 "Function of this node's End SID, for segment lists that pass through it. Default: none."},
	{"datapath", "max_vrfs", parse_count, FIELD(dp.max_vrfs), "4096", NULL, "Room for VRFs."},
	{"datapath", "max_nexthops", parse_count, FIELD(dp.max_nexthops), "65536", NULL,
	 "Room for next hops: nodes, local ports, distinct segment lists."},
	{"datapath", "max_routes", parse_count, FIELD(dp.max_routes), "1048576", NULL,
	 "Room for routes of each kind (IPv4 and IPv6; addresses and prefixes)."},
	{"datapath", "icmp_rate", parse_number, FIELD(dp.icmp_rate), "100", NULL,
	 "ICMP errors that the datapath sends at most, a second, CPU and kind."},
	{"log", "level", parse_level, 0, 0, "info", NULL, "error, warning, notice, info or debug. Goes to stderr."},
#undef FIELD
};

#define N_OPTIONS (sizeof(options) / sizeof(options[0]))

struct reading {
	struct sr_agent_config *config;
	bool seen[N_OPTIONS];
	char why[512]; /* the first thing that is wrong; inih knows in which line */
};

static const struct option *find_option(const char *section, const char *name)
{
	for (size_t i = 0; i < N_OPTIONS; i++)
		if (strcmp(options[i].section, section) == 0 && strcmp(options[i].name, name) == 0)
			return &options[i];
	return NULL;
}

static const char *set_option(struct sr_agent_config *config, const struct option *o, const char *value)
{
	return o->parse(config, (char *)config + o->offset, o->size, value);
}

static int on_option(void *user, const char *section, const char *name, const char *value)
{
	struct reading *reading = user;
	const struct option *o = find_option(section, name);
	const char *why = "there is no such option";

	if (reading->why[0])
		return 0;
	if (o && reading->seen[o - options]) {
		why = "given twice";
	} else if (o) {
		reading->seen[o - options] = true;
		why = set_option(reading->config, o, value);
	}
	if (!why)
		return 1;
	snprintf(reading->why, sizeof(reading->why), "[%s] %s = %s: %s", section, name, value, why);
	return 0;
}

static void set_defaults(struct sr_agent_config *c)
{
	*c = (struct sr_agent_config){0};
	for (size_t i = 0; i < N_OPTIONS; i++)
		if (options[i].initial)
			set_option(c, &options[i], options[i].initial);
	if (gethostname(c->node.name, sizeof(c->node.name) - 1) < 0 || !sr_name_valid(c->node.name))
		c->node.name[0] = '\0';
}

/* What no single option can say. Returns what is missing, or NULL. */
static const char *check(struct sr_agent_config *c)
{
	const struct in6_addr none = {0};
	struct sr_prefix source;
	bool inside = false;

	if (!c->node.name[0])
		return "[node] name is not set, and the host name does not do";
	if (!c->dp.n_locators)
		return "[node] locator is not set";
	if (!c->dp.n_domains)
		return "[node] domain is not set";
	if (!c->n_uplinks)
		return "[fabric] uplinks is not set";
	if (memcmp(&c->dp.source, &none, sizeof(none)) == 0)
		c->dp.source = sr_sid_make(&c->node.locator, (struct sr_function){htonl(1)}).a;
	source = sr_prefix_v6(&c->dp.source, 128);
	for (size_t i = 0; i < c->dp.n_domains; i++)
		inside |= sr_prefix_contains(&c->dp.domains[i], &source);
	if (!inside)
		return "[node] source does not lie in [node] domain: other nodes would drop what this one sends";
	if (!!c->cert_file[0] != !!c->key_file[0])
		return "[etcd] cert and key go together";
	if (!!c->user[0] != !!c->password_file[0])
		return "[etcd] user and password_file go together";
	return NULL;
}

int sr_agent_config_read(const char *path, struct sr_agent_config *ret, char *err, size_t err_len)
{
	struct sr_agent_config c;
	struct reading reading = {.config = &c};
	const char *why;
	FILE *file;
	int line;

	file = fopen(path, "re");
	if (!file) {
		int r = -errno;

		snprintf(err, err_len, "%s: %s", path, strerror(errno));
		return r;
	}
	set_defaults(&c);
	line = ini_parse_file(file, on_option, &reading);
	fclose(file);
	if (line) {
		snprintf(err, err_len, "%s:%d: %s", path, line,
			 reading.why[0] ? reading.why : "neither a [section] nor name = value");
		return -EINVAL;
	}
	why = check(&c);
	if (why) {
		snprintf(err, err_len, "%s: %s", path, why);
		return -EINVAL;
	}
	*ret = c;
	ret->dp.bpffs = ret->bpffs;
	ret->dp.state_dir = ret->state_dir;
	return 0;
}

/* Writes a comment in lines of at most 100 characters. */
static void write_help(FILE *out, const char *help)
{
	while (*help) {
		size_t len = strlen(help), cut = len;

		if (len > 98) {
			for (cut = 98; help[cut] != ' '; cut--)
				;
		}
		fprintf(out, "# %.*s\n", (int)cut, help);
		help += cut;
		while (*help == ' ')
			help++;
	}
}

void sr_agent_config_example(FILE *out)
{
	const char *section = "";

	fprintf(out, "# Configuration of sr-agent. Options that are commented out show an example; the others their\n"
		     "# default. See sr-agent(8).\n");
	for (size_t i = 0; i < N_OPTIONS; i++) {
		const struct option *o = &options[i];

		if (strcmp(section, o->section) != 0)
			fprintf(out, "\n[%s]\n", o->section);
		section = o->section;
		write_help(out, o->help);
		fprintf(out, "%s%s = %s\n", o->initial ? "" : "#", o->name, o->initial ? o->initial : o->example);
	}
}

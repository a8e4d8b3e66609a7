// SPDX-License-Identifier: GPL-2.0-only
#include "etcd/server.h"

#include "unit/unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define ARGV_MAX 64

struct argv {
	char text[ARGV_MAX][512];
	char *ptrs[ARGV_MAX + 1];
	size_t n;
};

__attribute__((format(printf, 2, 3))) static void add(struct argv *argv, const char *format, ...)
{
	va_list ap;

	assert_true(argv->n < ARGV_MAX);
	va_start(ap, format);
	vsnprintf(argv->text[argv->n], sizeof(argv->text[0]), format, ap);
	va_end(ap);
	argv->ptrs[argv->n] = argv->text[argv->n];
	argv->ptrs[++argv->n] = NULL;
}

/*
 * No other test gets the port while this process lives, whether its server runs or not: a name in the abstract
 * namespace of Unix sockets (unix(7)), which goes with its holder.
 */
static bool reserve(unsigned int port)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	int len = snprintf(name.sun_path + 1, sizeof(name.sun_path) - 1, "srfabric-test-port-%u", port);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	if (bind(fd, (struct sockaddr *)&name, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)len)) ==
	    0)
		return true; /* and stays open */
	close(fd);
	return false;
}

/*
 * Below the ports that the kernel gives to outgoing connections (ip_local_port_range): one of those could be in the way
 * when a member binds its port, the first time or after it was killed. Each process begins elsewhere.
 */
uint16_t server_free_port(void)
{
	enum { FIRST = 10000, N = 22000 };
	static unsigned int tried;
	struct sockaddr_in addr = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int err = -1;

	for (unsigned int i = 0; i < N && err; i++) {
		unsigned int port = FIRST + ((unsigned int)getpid() * 64 + tried++) % N;
		int fd;

		if (!reserve(port))
			continue;
		fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		assert_true(fd >= 0);
		addr.sin_port = htons((uint16_t)port);
		err = bind(fd, (struct sockaddr *)&addr, sizeof(addr));
		close(fd);
	}
	assert_return_code(err, errno);
	return ntohs(addr.sin_port);
}

void server_init(struct server *server, size_t n, const char *scheme, const char *const *args)
{
	*server = (struct server){.n = n, .scheme = scheme};
	snprintf(server->dir, sizeof(server->dir), "/tmp/srfabric-etcd-XXXXXX");
	assert_non_null(mkdtemp(server->dir));
	for (size_t i = 0; args && args[i]; i++)
		server->args[i] = args[i];
	for (size_t i = 0; i < n; i++) {
		struct server_member *m = &server->members[i];

		m->client_port = server_free_port();
		m->peer_port = server_free_port();
		snprintf(m->url, sizeof(m->url), "%s://127.0.0.1:%u", scheme, m->client_port);
	}
}

static void cluster(const struct server *server, char *buf, size_t size)
{
	size_t len = 0;

	for (size_t i = 0; i < server->n; i++)
		len += (size_t)snprintf(buf + len, size - len, "%sm%zu=http://127.0.0.1:%u", i ? "," : "", i,
					server->members[i].peer_port);
}

/* Quick elections, no fsync: what the tests kill is etcd, not the machine. */
static void command(const struct server *server, size_t i, struct argv *argv)
{
	const struct server_member *m = &server->members[i];
	char members[256];

	cluster(server, members, sizeof(members));
	add(argv, "etcd");
	add(argv, "--name=m%zu", i);
	add(argv, "--data-dir=%s/m%zu", server->dir, i);
	add(argv, "--listen-client-urls=%s", m->url);
	add(argv, "--advertise-client-urls=%s", m->url);
	add(argv, "--listen-peer-urls=http://127.0.0.1:%u", m->peer_port);
	add(argv, "--initial-advertise-peer-urls=http://127.0.0.1:%u", m->peer_port);
	add(argv, "--initial-cluster=%s", members);
	add(argv, "--heartbeat-interval=50");
	add(argv, "--election-timeout=300");
	add(argv, "--unsafe-no-fsync");
	add(argv, "--logger=zap");
	add(argv, "--log-outputs=%s/m%zu.log", server->dir, i);
	for (size_t j = 0; server->args[j]; j++)
		add(argv, "%s", server->args[j]);
}

static void silence(void)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	dup2(fd, STDIN_FILENO);
	dup2(fd, STDOUT_FILENO);
	dup2(fd, STDERR_FILENO);
}

static pid_t spawn(char *const *argv)
{
	pid_t parent = getpid();
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent) /* it died before we asked to be told */
		_exit(126);
	silence();
	execvp(argv[0], argv);
	_exit(127);
}

void server_start(struct server *server, size_t member)
{
	struct argv *argv = calloc(1, sizeof(*argv));

	assert_non_null(argv);
	command(server, member, argv);
	server->members[member].pid = spawn(argv->ptrs);
	free(argv);
}

void server_kill(struct server *server, size_t member)
{
	pid_t pid = server->members[member].pid;

	if (!pid)
		return;
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	server->members[member].pid = 0;
}

void server_wait(const struct server *server, size_t member)
{
	struct sockaddr_in addr = {.sin_family = AF_INET,
				   .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				   .sin_port = htons(server->members[member].client_port)};
	int err = -1;

	for (int i = 0; i < 12000 && err; i++) { /* a minute */
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

		err = connect(fd, (struct sockaddr *)&addr, sizeof(addr));
		close(fd);
		if (err)
			usleep(5000);
	}
	assert_return_code(err, errno);
}

void server_up(struct server *server, size_t n, const char *const *args)
{
	server_init(server, n, "http", args);
	for (size_t i = 0; i < n; i++)
		server_start(server, i);
	for (size_t i = 0; i < n; i++)
		server_wait(server, i);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

void server_fini(struct server *server)
{
	for (size_t i = 0; i < server->n; i++)
		server_kill(server, i);
	nftw(server->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

void run_quietly(const char *const *argv)
{
	pid_t pid = spawn((char *const *)argv);
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		print_error("%s %s: status %d\n", argv[0], argv[1] ? argv[1] : "", status);
	assert_true(WIFEXITED(status) && !WEXITSTATUS(status));
}

void server_ctl(const struct server *server, const char *const *args)
{
	struct argv *argv = calloc(1, sizeof(*argv));

	assert_non_null(argv);
	setenv("ETCDCTL_API", "3", 1);
	add(argv, "etcdctl");
	add(argv, "--endpoints=%s", server->members[0].url);
	for (size_t i = 0; args[i]; i++)
		add(argv, "%s", args[i]);
	run_quietly((const char *const *)argv->ptrs);
	free(argv);
}

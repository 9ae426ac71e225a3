/*
 * Attempts on the network: sockets that ordinary programs do not need, and ways to somebody else's
 * network. Nothing is sent to anybody but the host's own loopback: a route is asked for by
 * connecting UDP, which sends no packet.
 */
#include "selftest/attempt.h"
#include "selftest/attempts_doors.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/ethernet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum {
	FAMILIES_MAX = 46,
	PORT_OF_NOBODY = 47113, /* which no rule allows */
	NO_INTERFACE = 0x7ffffff0,
};

/* Some of these are not in older headers. */
enum { FAMILY_VSOCK = 40, FAMILY_XDP = 44 };

/* --- sockets --------------------------------------------------------------------------------- */

static void try_socket(struct attempt_result *result, int family, int type, int protocol)
{
	int fd = socket(family, type | SOCK_CLOEXEC, protocol);

	attempt_set(result, fd);
	if (fd >= 0)
		close(fd);
}

/* Refused only if all are; the first refusal is the answer. */
static void try_either(struct attempt_result *result, const int (*sockets)[3], size_t len)
{
	struct attempt_result first = { 0 };

	for (size_t i = 0; i < len; i++) {
		try_socket(result, sockets[i][0], sockets[i][1], sockets[i][2]);
		if (result->value >= 0)
			return;
		if (i == 0)
			first = *result;
	}
	*result = first;
}

static void raw_icmp(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	static const int sockets[][3] = { { AF_INET, SOCK_RAW, IPPROTO_ICMP },
					  { AF_INET6, SOCK_RAW, IPPROTO_ICMPV6 } };

	(void)decoys;
	try_either(result, sockets, 2);
}

/* IPPROTO_RAW: the sender writes the header, and so the sender's address. */
static void raw_header(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	static const int sockets[][3] = { { AF_INET, SOCK_RAW, IPPROTO_RAW },
					  { AF_INET, SOCK_RAW, IPPROTO_TCP },
					  { AF_INET6, SOCK_RAW, IPPROTO_RAW } };

	(void)decoys;
	try_either(result, sockets, 3);
}

static void packet_raw(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	(void)decoys;
	try_socket(result, AF_PACKET, SOCK_RAW, htons(ETH_P_ALL));
}

static void packet_dgram(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	(void)decoys;
	try_socket(result, AF_PACKET, SOCK_DGRAM, htons(ETH_P_ALL));
}

static void raw_i386(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	(void)decoys;
	attempt_set(result, door_i386_socket(AF_INET, SOCK_RAW, IPPROTO_ICMP));
}

/* Tells the families of which a socket of any type could be made. */
static void sweep(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	static const int types[] = { SOCK_STREAM, SOCK_DGRAM, SOCK_RAW, SOCK_SEQPACKET };
	char list[160] = "";
	int count = 0, refusal = EAFNOSUPPORT;

	(void)decoys;
	for (int family = 0; family < FAMILIES_MAX; family++) {
		int fd = -1;

		for (size_t i = 0; fd < 0 && i < sizeof(types) / sizeof(types[0]); i++) {
			fd = socket(family, types[i] | SOCK_CLOEXEC, 0);
			if (fd < 0 && errno != EAFNOSUPPORT && errno != ESOCKTNOSUPPORT &&
			    errno != EPROTONOSUPPORT)
				refusal = errno;
		}
		if (fd < 0)
			continue;
		close(fd);
		snprintf(list + strlen(list), sizeof(list) - strlen(list), "%s%d", count ? "," : "",
			 family);
		count++;
	}
	attempt_say(result, "families=%s", list);
	errno = refusal;
	attempt_set(result, count ? count : -1);
}

static void family_alg(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	(void)decoys;
	try_socket(result, AF_ALG, SOCK_SEQPACKET, 0);
}

static void family_vsock(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	(void)decoys;
	try_socket(result, FAMILY_VSOCK, SOCK_STREAM, 0);
}

static void family_xdp(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	(void)decoys;
	try_socket(result, FAMILY_XDP, SOCK_RAW, 0);
}

static void family_key(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	(void)decoys;
	try_socket(result, AF_KEY, SOCK_RAW, 2 /* PF_KEY_V2 */);
}

static void family_rds(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	(void)decoys;
	try_socket(result, AF_RDS, SOCK_SEQPACKET, 0);
}

static void family_tipc(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	(void)decoys;
	try_socket(result, AF_TIPC, SOCK_SEQPACKET, 0);
}

static void family_rxrpc(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	(void)decoys;
	try_socket(result, AF_RXRPC, SOCK_DGRAM, AF_INET);
}

static void ping(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	(void)decoys;
	try_socket(result, AF_INET, SOCK_DGRAM, IPPROTO_ICMP);
}

/* --- netlink --------------------------------------------------------------------------------- */

static void netlink(struct attempt_result *result, int protocol)
{
	try_socket(result, AF_NETLINK, SOCK_RAW, protocol);
}

static void netlink_route(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	(void)decoys;
	netlink(result, NETLINK_ROUTE);
}

static void netlink_audit(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	(void)decoys;
	netlink(result, NETLINK_AUDIT);
}

static void netlink_netfilter(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	(void)decoys;
	netlink(result, NETLINK_NETFILTER);
}

static void netlink_xfrm(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	(void)decoys;
	netlink(result, NETLINK_XFRM);
}

static void netlink_generic(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	(void)decoys;
	netlink(result, NETLINK_GENERIC);
}

/* Group 1 hears what the kernel says of the machine's devices. */
static void netlink_uevent(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	struct sockaddr_nl address = { .nl_family = AF_NETLINK, .nl_groups = 1 };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT);

	(void)decoys;
	attempt_set(result, fd < 0 ? fd : bind(fd, (struct sockaddr *)&address, sizeof(address)));
	if (fd >= 0)
		close(fd);
}

/* Changes a network device that does not exist: asked for before it is looked for is the right to.
 */
static void netlink_change(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	struct {
		struct nlmsghdr header;
		struct ifinfomsg link;
	} request = {
		.header = { .nlmsg_len = sizeof(request),
			    .nlmsg_type = RTM_NEWLINK,
			    .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK },
		.link = { .ifi_index = NO_INTERFACE },
	};
	struct {
		struct nlmsghdr header;
		struct nlmsgerr error;
		char rest[256];
	} answer;
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	(void)decoys;
	if (fd < 0 || send(fd, &request, sizeof(request), 0) < 0 ||
	    recv(fd, &answer, sizeof(answer), 0) < (ssize_t)sizeof(answer.header)) {
		attempt_set(result, -1);
	} else {
		errno = -answer.error.error;
		attempt_set(result, answer.error.error ? -1 : 0);
	}
	close(fd);
}

/* --- connections ----------------------------------------------------------------------------- */

/* Reads the nonce of the listener: only then was it the host's. One that says nothing may be. */
static int hears(int fd, const struct attempt_decoys *decoys)
{
	struct pollfd readable = { .fd = fd, .events = POLLIN };
	char text[64] = "";

	if (poll(&readable, 1, attempt_patience_ms(decoys)) <= 0) {
		errno = ETIMEDOUT;
		return -1;
	}
	if (recv(fd, text, sizeof(text) - 1, 0) > 0 && *decoys->nonce &&
	    strstr(text, decoys->nonce))
		return 0;
	errno = EHOSTUNREACH; /* somebody else's listener */
	return -1;
}

static int connect_to(const char *address, const struct attempt_decoys *decoys)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET,
				  .sin_port = htons((uint16_t)decoys->tcp_port) };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6,
				   .sin6_port = htons((uint16_t)decoys->tcp_port) };
	int patience_ms = attempt_patience_ms(decoys);
	struct timeval patience = { patience_ms / 1000, patience_ms % 1000 * 1000 };
	int family = strchr(address, ':') ? AF_INET6 : AF_INET;
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int returned = -1, error;

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (family == AF_INET && inet_pton(AF_INET, address, &v4.sin_addr) == 1)
		returned = connect(fd, (struct sockaddr *)&v4, sizeof(v4));
	else if (inet_pton(AF_INET6, address, &v6.sin6_addr) == 1)
		returned = connect(fd, (struct sockaddr *)&v6, sizeof(v6));
	if (returned == 0)
		returned = hears(fd, decoys);
	error = errno;
	close(fd);
	errno = error;
	return returned;
}

/* The host's listener by all names that its address has. */
static void tcp_decoy(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	static const char *const addresses[] = { "127.0.0.1", "0.0.0.0", "::ffff:127.0.0.1" };
	struct attempt_result first = { 0 };

	for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
		attempt_set(result, connect_to(addresses[i], decoys));
		if (result->value >= 0) {
			attempt_say(result, "address=%s", addresses[i]);
			return;
		}
		if (i == 0)
			first = *result;
	}
	*result = first;
}

/* A listener of our own, on a port that the kernel chose: listen(2) without bind(2), which Landlock
 * does not see. */
static int listen_unbound(struct sockaddr_in *address)
{
	socklen_t size = sizeof(*address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || listen(fd, 1) < 0 || getsockname(fd, (struct sockaddr *)address, &size) < 0)
		return -1;
	address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return fd;
}

static void autobind(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	struct sockaddr_in address = { 0 };

	(void)decoys;
	attempt_set(result, listen_unbound(&address));
}

static void landlock_connect(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	struct sockaddr_in address = { 0 };
	int listener = listen_unbound(&address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)decoys;
	attempt_set(result, listener < 0 || fd < 0
				    ? -1
				    : connect(fd, (struct sockaddr *)&address, sizeof(address)));
}

static void landlock_bind(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_port = htons(PORT_OF_NOBODY),
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)decoys;
	attempt_set(result, fd < 0 ? -1 : bind(fd, (struct sockaddr *)&address, sizeof(address)));
}

/* One datagram to the loopback, to a port where nobody listens. */
static void udp(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_port = htons(PORT_OF_NOBODY),
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	attempt_set(result, fd < 0 ? -1
				   : sendto(fd, decoys->nonce, sizeof(decoys->nonce), 0,
					    (struct sockaddr *)&address, sizeof(address)));
}

static void route_to(struct attempt_result *result, const char *to, uint16_t port)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port) };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	inet_pton(AF_INET, to, &address.sin_addr);
	attempt_set(result,
		    fd < 0 ? -1 : connect(fd, (struct sockaddr *)&address, sizeof(address)));
}

/* Where clouds tell a machine's credentials to whoever asks. */
static void route_to_metadata(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	(void)decoys;
	route_to(result, "169.254.169.254", 80);
}

/* An address of documentation (RFC 5737): stands for everybody outside. */
static void route_to_dns(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	(void)decoys;
	route_to(result, "192.0.2.53", 53);
}

const struct attempt attempts_network[] = {
	{ "net.raw-icmp", raw_icmp },
	{ "net.raw-tcp-hdrincl", raw_header },
	{ "net.packet-raw", packet_raw },
	{ "net.packet-dgram", packet_dgram },
	{ "net.raw-i386", raw_i386 },
	{ "net.raw-io-uring", attempt_io_uring_socket },
	{ "net.af-sweep", sweep },
	{ "net.af-alg", family_alg },
	{ "net.af-vsock", family_vsock },
	{ "net.af-xdp", family_xdp },
	{ "net.af-key", family_key },
	{ "net.af-rds", family_rds },
	{ "net.af-tipc", family_tipc },
	{ "net.af-rxrpc", family_rxrpc },
	{ "net.nl-route", netlink_route },
	{ "net.nl-audit", netlink_audit },
	{ "net.nl-netfilter", netlink_netfilter },
	{ "net.nl-xfrm", netlink_xfrm },
	{ "net.nl-generic", netlink_generic },
	{ "net.nl-uevent", netlink_uevent },
	{ "net.nl-newlink", netlink_change },
	{ "net.tcp-decoy", tcp_decoy },
	{ "net.ll-connect", landlock_connect },
	{ "net.ll-bind", landlock_bind },
	{ "net.udp", udp },
	{ "net.listen-autobind", autobind },
	{ "net.metadata", route_to_metadata },
	{ "net.dns", route_to_dns },
	{ "net.ping-dgram", ping },
	{ 0 },
};

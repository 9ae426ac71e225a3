/*
 * rtnetlink(7), see network.h. Runs in the child, so only those functions of libmnl are used that
 * work on memory given to them: mnl_socket_open() would allocate.
 */
#include "isolation/network.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>

#include "runtime/base/fd.h"

/* In every network namespace the loopback device is the first one made. */
#define LOOPBACK_INDEX 1

/* Sends one request and waits for its acknowledgement: 0, or -1 with errno. */
static int request_acknowledged(int fd, const struct nlmsghdr *request)
{
	_Alignas(struct nlmsghdr) char answer[1024];
	const struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	ssize_t got;

	if (sendto(fd, request, request->nlmsg_len, 0, (const struct sockaddr *)&kernel,
		   sizeof(kernel)) < 0)
		return -1;
	do
		got = recv(fd, answer, sizeof(answer), 0);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return -1;
	return mnl_cb_run(answer, (size_t)got, request->nlmsg_seq, 0, NULL, NULL) < 0 ? -1 : 0;
}

int network_loopback_up(struct err *err)
{
	_Alignas(struct nlmsghdr) char buffer[256];
	struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
	autoclose int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	struct ifinfomsg *link;

	if (fd < 0)
		return err_sys(err, "open a netlink socket");
	request->nlmsg_type = RTM_NEWLINK;
	request->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	request->nlmsg_seq = 1;
	link = mnl_nlmsg_put_extra_header(request, sizeof(*link));
	link->ifi_family = AF_UNSPEC;
	link->ifi_index = LOOPBACK_INDEX;
	link->ifi_flags = IFF_UP;
	link->ifi_change = IFF_UP;
	if (request_acknowledged(fd, request) < 0)
		return err_sys(err, "bring up the loopback device");
	return 0;
}

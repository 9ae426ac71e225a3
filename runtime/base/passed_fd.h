/*
 * A descriptor in a message to another process (unix(7), SCM_RIGHTS).
 */
#pragma once

#include <string.h>
#include <sys/socket.h>

/* The room for one, to send and to receive. */
union passed_fd {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(sizeof(int))];
};

/* Puts it into a message that is to be sent; `room` must live until then. */
static inline void passed_fd_put(union passed_fd *room, int fd, struct msghdr *message)
{
	struct cmsghdr *head;

	memset(room, 0, sizeof(*room));
	message->msg_control = room;
	message->msg_controllen = sizeof(*room);
	head = CMSG_FIRSTHDR(message);
	head->cmsg_level = SOL_SOCKET;
	head->cmsg_type = SCM_RIGHTS;
	head->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(head), &fd, sizeof(int));
}

/* The one that came with a message, which is the caller's now, or -1. */
static inline int passed_fd_get(struct msghdr *message)
{
	const struct cmsghdr *head = CMSG_FIRSTHDR(message);
	int fd = -1;

	if (head && head->cmsg_level == SOL_SOCKET && head->cmsg_type == SCM_RIGHTS)
		memcpy(&fd, CMSG_DATA(head), sizeof(int));
	return fd;
}

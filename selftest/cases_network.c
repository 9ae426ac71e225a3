/*
 * Rows of group 8: sockets that ordinary programs do not need, and ways to the host's network.
 */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "selftest/judge.h"
#include "selftest/judges.h"

#define LANDLOCK_ABI_TCP 4 /* Linux 6.7 */

/* --- what the configuration allows by name --------------------------------------------------- */

/* Whether the rule names this value of an argument, and does not merely let everything through. */
static bool names_value(const struct spec_seccomp_rule *rule, uint64_t index, uint64_t value)
{
	for (size_t i = 0; i < rule->args.len; i++) {
		const struct spec_seccomp_arg *arg = &rule->args.item[i];

		if (arg->index != index)
			continue;
		if (strcmp(arg->op, "SCMP_CMP_EQ") == 0)
			return arg->value == value;
		if (strcmp(arg->op, "SCMP_CMP_MASKED_EQ") == 0)
			return arg->value_two == value && (value & ~arg->value) == 0;
	}
	return false;
}

static bool names_call(const struct spec_strings *names, const char *name)
{
	for (size_t i = 0; i < names->len; i++)
		if (strcmp(names->item[i], name) == 0)
			return true;
	return false;
}

/* Whether the profile allows sockets of this family, and protocol unless it is -1, by number. */
static bool is_declared(const struct spec *spec, unsigned family, int protocol)
{
	const struct spec_seccomp_rules *rules = &spec->linux.seccomp.syscalls;

	for (size_t i = 0; i < rules->len; i++) {
		const struct spec_seccomp_rule *rule = &rules->item[i];

		if (names_call(&rule->names, "socket") &&
		    strcmp(rule->action, "SCMP_ACT_ALLOW") == 0 && names_value(rule, 0, family) &&
		    (protocol < 0 || names_value(rule, 2, (unsigned)protocol)))
			return true;
	}
	return false;
}

/* --- judgements ------------------------------------------------------------------------------ */

bool judge_families(const struct evidence *evidence, struct result *result)
{
	static const unsigned ordinary[] = { AF_UNIX, AF_INET, AF_INET6, AF_NETLINK };
	bool contained = true;
	char list[160], *at;

	if (!evidence->target->done || evidence->target->value < 0)
		return judge_errno(evidence, result);
	judge_fact(evidence->target, "families", list, sizeof(list));
	snprintf(result->observed, sizeof(result->observed), "families %s", list);
	if (!*list)
		return false;
	for (at = list; *at; at += *at == ',') {
		char *end;
		unsigned family = (unsigned)strtoul(at, &end, 10);
		bool known = is_declared(evidence->spec, family, -1);

		for (size_t i = 0; i < sizeof(ordinary) / sizeof(ordinary[0]); i++)
			known |= ordinary[i] == family;
		contained &= known;
		if (end == at)
			return false; /* not a list */
		at = end;
	}
	return contained;
}

/* Programs ask for their addresses there: a profile that says so by number means it. */
bool judge_netlink_route(const struct evidence *evidence, struct result *result)
{
	if (evidence->target->done && evidence->target->value >= 0 &&
	    is_declared(evidence->spec, AF_NETLINK, 0))
		return judge_undecided(result, VERDICT_NOT_APPLICABLE,
				       "linux.seccomp allows NETLINK_ROUTE by name");
	return judge_errno(evidence, result);
}

/* Landlock alone decides; a kernel that knows no rules for TCP cannot. */
bool judge_landlock(const struct evidence *evidence, struct result *result)
{
	if (evidence->host->landlock_abi < LANDLOCK_ABI_TCP)
		return judge_undecided(result, VERDICT_NOT_APPLICABLE,
				       "Landlock ABI %d has no rules for TCP; Linux 6.7 has them",
				       evidence->host->landlock_abi);
	return judge_errno(evidence, result);
}

/* Nothing refuses it; what it can reach is decided by where it is. */
bool judge_own_network(const struct evidence *evidence, struct result *result)
{
	const struct posture *posture = evidence->posture;

	if (!posture)
		return judge_undecided(result, VERDICT_INCONCLUSIVE,
				       "the namespaces of the process cannot be read");
	for (size_t i = 0; i < POSTURE_NAMESPACES; i++) {
		if (strcmp(posture_namespace_names[i], "net") != 0)
			continue;
		snprintf(result->observed, sizeof(result->observed), "in %s network namespace",
			 posture->namespaces[i] == posture->own[i] ? "the host's" : "another");
		return posture->namespaces[i] && posture->namespaces[i] != posture->own[i];
	}
	return false;
}

bool judge_route(const struct evidence *evidence, struct result *result)
{
	const struct spec_namespace *own = spec_find_namespace(evidence->spec, CLONE_NEWNET);

	if (evidence->target->done && evidence->target->value >= 0 && own)
		return judge_undecided(result, VERDICT_INCONCLUSIVE,
				       "the container's network has a route there; whether a "
				       "firewall stops it is not tried");
	return judge_errno(evidence, result);
}

bool judge_policy(const struct evidence *evidence, struct result *result)
{
	if (evidence->target->done && evidence->target->value >= 0)
		snprintf(result->observed, sizeof(result->observed), "allowed");
	else
		judge_errno(evidence, result);
	return evidence->target->ended;
}

/* --- the rows -------------------------------------------------------------------------------- */

/* clang-format off */
#define GROUP .group = "network"
#define RAW GROUP, .layers = LAYER_SECCOMP | LAYER_CAPABILITIES, .contained = { EPERM }, \
	.control = CONTROL_TWIN, .severity = SEVERITY_HIGH, \
	.remedy = "take CAP_NET_RAW away, and allow socket(2) in linux.seccomp by family and type"
#define FAMILY GROUP, .layers = LAYER_SECCOMP | LAYER_CAPABILITIES, .contained = { EPERM, EACCES }, \
	.remedy = "allow socket(2) in linux.seccomp by family, and not this one"
#define NETLINK GROUP, .layers = LAYER_SECCOMP, .contained = { EPERM, EACCES }, .control = CONTROL_HOST, \
	.profiles = PROFILE_FROM_STANDARD, \
	.remedy = "allow socket(2) for AF_NETLINK in linux.seccomp by its third argument, 0 alone"
#define ROUTE GROUP, .severity = SEVERITY_MEDIUM, .profiles = PROFILE_FROM_STANDARD, .layers = LAYER_NAMESPACES, \
	.contained = { ENETUNREACH, EHOSTUNREACH, EACCES, EPERM }, .control = CONTROL_HOST, .judge = JUDGE_route
#define MAY_LOAD "on the host, the control may load the module of the protocol"

const struct selftest_case cases_network[] = {
	{ RAW, .id = "net.raw-icmp", .profiles = PROFILE_ALL,
	  .attempt = "socket(AF_INET, SOCK_RAW, ICMP), and AF_INET6", .references = "C5.4 N4.4.2 T1040" },
	{ RAW, .id = "net.raw-tcp-hdrincl", .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "socket(AF_INET, SOCK_RAW, IPPROTO_RAW), with which senders are forged", .references = "C5.4 N4.4.2 T1040" },
	{ RAW, .id = "net.packet-raw", .profiles = PROFILE_ALL,
	  .attempt = "socket(AF_PACKET, SOCK_RAW, ETH_P_ALL)", .references = "T1040 T1068" },
	{ RAW, .id = "net.packet-dgram", .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "socket(AF_PACKET, SOCK_DGRAM, ETH_P_ALL)", .references = "T1040 T1068" },
	{ GROUP, .id = "net.raw-i386", .severity = SEVERITY_CRITICAL, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "a raw socket by socketcall(2) of the 32-bit entry", .contained = { EPERM },
	  .layers = LAYER_SECCOMP | LAYER_CAPABILITIES, .control = CONTROL_TWIN,
	  .remedy = "leave only the native architecture in linux.seccomp.architectures", .references = "N4.5.1" },
	{ GROUP, .id = "net.raw-io-uring", .severity = SEVERITY_CRITICAL, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "a raw socket by IORING_OP_SOCKET, which no filter sees", .contained = { EPERM, EACCES },
	  .layers = LAYER_SECCOMP | LAYER_CAPABILITIES | LAYER_KERNEL, .control = CONTROL_TWIN,
	  .remedy = "remove io_uring_setup from what linux.seccomp allows", .references = "N4.5.1" },
	{ FAMILY, .id = "net.af-sweep", .control = CONTROL_HOST, .severity = SEVERITY_MEDIUM, .profiles = PROFILE_COMPREHENSIVE,
	  .attempt = "sockets of every family from 0 to 45", .judge = JUDGE_families, .references = "N4.5.1",
	  .limitation = MAY_LOAD },
	{ FAMILY, .id = "net.af-alg", .control = CONTROL_HOST, .severity = SEVERITY_HIGH, .profiles = PROFILE_ALL,
	  .attempt = "socket(AF_ALG, SOCK_SEQPACKET), the kernel's cryptography", .references = "CVE-2026-31431",
	  .limitation = MAY_LOAD },
	{ FAMILY, .id = "net.af-vsock", .control = CONTROL_HOST, .severity = SEVERITY_HIGH, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "socket(AF_VSOCK, SOCK_STREAM), which a network namespace may not contain", .limitation = MAY_LOAD },
	{ FAMILY, .id = "net.af-xdp", .severity = SEVERITY_MEDIUM, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "socket(AF_XDP, SOCK_RAW)", .control = CONTROL_TWIN },
	{ FAMILY, .id = "net.af-key", .severity = SEVERITY_MEDIUM, .profiles = PROFILE_COMPREHENSIVE,
	  .attempt = "socket(AF_KEY, SOCK_RAW)", .control = CONTROL_TWIN, .limitation = MAY_LOAD },
	{ FAMILY, .id = "net.af-rds", .control = CONTROL_HOST, .severity = SEVERITY_MEDIUM, .profiles = PROFILE_COMPREHENSIVE,
	  .attempt = "socket(AF_RDS, SOCK_SEQPACKET)", .limitation = MAY_LOAD },
	{ FAMILY, .id = "net.af-tipc", .control = CONTROL_HOST, .severity = SEVERITY_MEDIUM, .profiles = PROFILE_COMPREHENSIVE,
	  .attempt = "socket(AF_TIPC, SOCK_SEQPACKET)", .limitation = MAY_LOAD },
	{ FAMILY, .id = "net.af-rxrpc", .control = CONTROL_HOST, .severity = SEVERITY_HIGH, .profiles = PROFILE_COMPREHENSIVE,
	  .attempt = "socket(AF_RXRPC, SOCK_DGRAM)", .references = "CVE-2026-43500", .limitation = MAY_LOAD },
	{ NETLINK, .id = "net.nl-route", .severity = SEVERITY_INFO, .judge = JUDGE_netlink_route,
	  .attempt = "socket(AF_NETLINK, NETLINK_ROUTE)" },
	{ NETLINK, .id = "net.nl-audit", .severity = SEVERITY_MEDIUM,
	  .attempt = "socket(AF_NETLINK, NETLINK_AUDIT)" },
	{ NETLINK, .id = "net.nl-netfilter", .severity = SEVERITY_MEDIUM,
	  .attempt = "socket(AF_NETLINK, NETLINK_NETFILTER)" },
	{ NETLINK, .id = "net.nl-xfrm", .severity = SEVERITY_HIGH,
	  .attempt = "socket(AF_NETLINK, NETLINK_XFRM)", .references = "CVE-2026-43284" },
	{ NETLINK, .id = "net.nl-generic", .severity = SEVERITY_LOW,
	  .attempt = "socket(AF_NETLINK, NETLINK_GENERIC)" },
	{ NETLINK, .id = "net.nl-uevent", .severity = SEVERITY_LOW,
	  .attempt = "listen to the kernel's words about devices (NETLINK_KOBJECT_UEVENT)" },
	{ GROUP, .id = "net.nl-newlink", .severity = SEVERITY_MEDIUM, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "RTM_NEWLINK for a network device that does not exist", .contained = { EPERM, EACCES },
	  .layers = LAYER_CAPABILITIES | LAYER_SECCOMP, .control = CONTROL_ORACLE, .through = { ENODEV },
	  .remedy = "take CAP_NET_ADMIN away" },
	{ GROUP, .id = "net.tcp-decoy", .severity = SEVERITY_HIGH, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "connect to the host's listener by each name of its address, and hear its nonce",
	  .contained = { ECONNREFUSED, ENETUNREACH, EHOSTUNREACH, EACCES, EPERM },
	  .layers = LAYER_NAMESPACES | LAYER_LANDLOCK, .control = CONTROL_DECOY,
	  .remedy = "add a network namespace to linux.namespaces", .references = "N4.4.2 T1046" },
	{ GROUP, .id = "net.ll-connect", .severity = SEVERITY_LOW, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "connect to a listener of its own, on a port that no rule allows", .contained = { EACCES },
	  .layers = LAYER_LANDLOCK, .needs = LAYER_LANDLOCK, .control = CONTROL_TWIN, .judge = JUDGE_landlock,
	  .remedy = "add connect_tcp to process.landlock.ruleset[].handledAccessNet", .references = "N4.4.2" },
	{ GROUP, .id = "net.ll-bind", .severity = SEVERITY_LOW, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "bind TCP to a port that no rule allows", .contained = { EACCES },
	  .layers = LAYER_LANDLOCK, .needs = LAYER_LANDLOCK, .control = CONTROL_TWIN, .judge = JUDGE_landlock,
	  .remedy = "add bind_tcp to process.landlock.ruleset[].handledAccessNet", .references = "N4.4.2" },
	{ GROUP, .id = "net.udp", .severity = SEVERITY_MEDIUM, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "send a datagram to the loopback, which Landlock does not stop",
	  .layers = LAYER_NAMESPACES, .control = CONTROL_HOST, .judge = JUDGE_own_network,
	  .remedy = "add a network namespace to linux.namespaces", .references = "N4.4.2" },
	{ GROUP, .id = "net.listen-autobind", .severity = SEVERITY_MEDIUM, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "listen without bind, which Landlock does not stop",
	  .layers = LAYER_NAMESPACES, .control = CONTROL_HOST, .judge = JUDGE_own_network,
	  .remedy = "add a network namespace to linux.namespaces", .references = "N4.4.2" },
	{ ROUTE, .id = "net.metadata",
	  .attempt = "ask for a route to 169.254.169.254, a cloud's metadata; nothing is sent",
	  .remedy = "add a network namespace to linux.namespaces, or block the address in a firewall", .references = "T1552.005" },
	{ ROUTE, .id = "net.dns",
	  .attempt = "ask for a route to a name server outside; nothing is sent",
	  .remedy = "add a network namespace to linux.namespaces, or restrict what its network reaches" },
	{ GROUP, .id = "net.ping-dgram", .severity = SEVERITY_INFO, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "socket(AF_INET, SOCK_DGRAM, ICMP): a matter of policy", .contained = { EPERM, EACCES },
	  .layers = LAYER_SECCOMP | LAYER_KERNEL, .control = CONTROL_NONE, .judge = JUDGE_policy,
	  .remedy = "linux.sysctl net.ipv4.ping_group_range says who may" },
	{ .id = "" },
};
/* clang-format on */

/*
 * agentd check-config: what this host offers and lacks, what a bundle asks that the host cannot
 * give, and what it leaves open. Nothing is launched and nothing is changed.
 *
 * A row is a question; its probe answers with what it found. Whether something holds is not shown
 * here but by `agentd selftest`, which tries it.
 */
#pragma once

#include "isolation/plan.h"
#include "selftest/bpf.h"
#include "selftest/cases.h"

struct check_context {
	const struct host *host;
	const struct spec *spec;	 /* NULL: the host alone */
	const struct sock_fprog *filter; /* of the spec; NULL: it has none */
	uint64_t own;			 /* CLONE_NEWX: namespaces that are not the host's */
	struct arena *arena;
};

struct check_row {
	const char *name;	/* "host.cgroup", "capabilities.administration" */
	enum severity severity; /* if it is so */
	/* What is lacking or left open, in some words; NULL: nothing. `*good`, if the probe sets
	 * it, is what there is instead. */
	const char *(*probe)(const struct check_context *context, const char **good);
	const char *remedy; /* one line */
};

/* Capabilities each of which is as good as being root on the host, or nearly so. */
extern const uint64_t check_ruling_capabilities;

/* Each ends with { 0 }. */
extern const struct check_row check_host_rows[], check_spec_rows[];

struct check_finding {
	const char *name, *found, *remedy; /* remedy NULL: it is in the text */
	enum severity severity;
	bool good;
};

struct check_findings {
	struct check_finding *item;
	size_t len;
};

/* All rows for a host and, if not NULL, a bundle's configuration. */
void check_make(const struct host *host, const struct spec *spec, const struct request *request,
		struct arena *arena, struct check_findings *findings);

void check_print(const struct check_findings *findings, struct arena *arena, FILE *to);
struct json *check_tree(const struct check_findings *findings, struct arena *arena);

/* Whether anything is at least SEVERITY_MEDIUM. */
bool check_failed(const struct check_findings *findings);

/* For the rows: appends ", TEXT" to a list of words that may be NULL; adds a finding; the questions
 * to the filter. */
const char *check_append(const char *list, const char *text, struct arena *arena);
void check_add(struct check_findings *findings, const struct check_finding *finding,
	       struct arena *arena);
void check_filter(const struct check_context *context, struct check_findings *findings);

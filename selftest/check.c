/*
 * All rows of a check, what the plan says, and the report, see check.h.
 */
#include "selftest/check.h"

#include <errno.h>
#include <string.h>

#include "runtime/base/sys.h"
#include "selftest/report_common.h"

#define NAME_COLUMN 29

const char *check_append(const char *list, const char *text, struct arena *arena)
{
	return list ? arena_format(arena, "%s, %s", list, text) : text;
}

void check_add(struct check_findings *findings, const struct check_finding *finding,
	       struct arena *arena)
{
	findings->item = arena_grow(arena, findings->item, findings->len, sizeof(*findings->item));
	findings->item[findings->len++] = *finding;
}

static void run_rows(const struct check_row *rows, const struct check_context *context,
		     struct check_findings *findings)
{
	for (const struct check_row *row = rows; row->name; row++) {
		const char *good = NULL, *bad = row->probe(context, &good);

		check_add(findings,
			  &(struct check_finding){ .name = row->name,
						   .found = bad ? bad : good,
						   .remedy = row->remedy,
						   .severity = row->severity,
						   .good = !bad },
			  context->arena);
	}
}

/* What the bundle asks and the host cannot give: the plan's error, and what only best effort would
 * leave out. */
static void run_plan(const struct check_context *context, const struct request *request,
		     struct check_findings *findings)
{
	struct request relaxed = *request;
	struct check_finding finding = { .name = "plan", .severity = SEVERITY_HIGH };
	struct plan *plan;
	struct err err;

	relaxed.best_effort_cgroup = true;
	if (plan_make(context->spec, context->host, &relaxed, context->arena, &plan, &err) < 0) {
		finding.found = arena_copy(context->arena, err.text, strlen(err.text));
		check_add(findings, &finding, context->arena);
		return;
	}
	finding.found = "can be carried out here";
	finding.good = true;
	check_add(findings, &finding, context->arena);
	finding = (struct check_finding){
		.name = "plan.limits",
		.remedy = "agentd run refuses this: have the controller, or --best-effort cgroup",
		.severity = SEVERITY_HIGH,
	};
	for (size_t i = 0; i < plan->cgroup.notes_len; i++) {
		finding.found = plan->cgroup.notes[i];
		check_add(findings, &finding, context->arena);
	}
	finding = (struct check_finding){ .name = "plan.landlock", .severity = SEVERITY_LOW };
	for (size_t i = 0; i < plan->landlock.notes_len; i++) {
		finding.found = plan->landlock.notes[i];
		check_add(findings, &finding, context->arena);
	}
}

/* Whatever else the plan of them may have to say, which run_plan() tells. */
static uint64_t own_namespaces(const struct check_context *context)
{
	struct namespaces_plan plan = { 0 };
	struct err ignored;

	namespaces_plan(context->spec, context->host, context->arena, &plan, &ignored);
	return plan.own;
}

/* Of a profile that is no profile the plan has told. */
static void run_filter(const struct check_context *context, struct check_findings *findings)
{
	struct check_context with_filter = *context;
	struct sock_fprog filter;
	struct seccomp_plan plan;
	struct err err;

	if (!context->spec->linux.seccomp.set ||
	    seccomp_plan(context->spec, context->host, context->arena, &plan, &err) < 0)
		return;
	if (seccomp_compile(&plan, context->arena, &filter, &err) == 0) {
		with_filter.filter = &filter;
		check_filter(&with_filter, findings);
		return;
	}
	check_add(findings,
		  &(struct check_finding){
			  .name = "seccomp.profile",
			  .found = arena_copy(context->arena, err.text, strlen(err.text)),
			  .severity = SEVERITY_HIGH },
		  context->arena);
}

void check_make(const struct host *host, const struct spec *spec, const struct request *request,
		struct arena *arena, struct check_findings *findings)
{
	struct check_context context = { .host = host, .spec = spec, .arena = arena };

	*findings = (struct check_findings){ 0 };
	run_rows(check_host_rows, &context, findings);
	if (!spec)
		return;
	context.own = own_namespaces(&context);
	run_plan(&context, request, findings);
	run_rows(check_spec_rows, &context, findings);
	run_filter(&context, findings);
}

bool check_failed(const struct check_findings *findings)
{
	for (size_t i = 0; i < findings->len; i++)
		if (!findings->item[i].good && findings->item[i].severity >= SEVERITY_MEDIUM)
			return true;
	return false;
}

/* The worst first, what is in order last. */
static void print_rows(const struct check_findings *findings, int severity, struct arena *arena,
		       FILE *to)
{
	for (size_t i = 0; i < findings->len; i++) {
		const struct check_finding *row = &findings->item[i];

		if (row->good != (severity < 0) || (!row->good && (int)row->severity != severity))
			continue;
		fprintf(to, "%-9s %-*s%s\n",
			row->good ? "ok" : name_text(severity_names, row->severity), NAME_COLUMN,
			row->name, report_clean(row->found, arena));
		if (!row->good && row->remedy)
			fprintf(to, "%-9s %-*s-> %s\n", "", NAME_COLUMN, "", row->remedy);
	}
}

void check_print(const struct check_findings *findings, struct arena *arena, FILE *to)
{
	size_t bad = 0;

	for (int severity = SEVERITY_CRITICAL; severity >= -1; severity--)
		print_rows(findings, severity, arena, to);
	for (size_t i = 0; i < findings->len; i++)
		bad += !findings->item[i].good;
	fprintf(to,
		"\n%zu of %zu rows to look at. Nothing was launched: agentd selftest tries what "
		"this only reads.\n",
		bad, findings->len);
}

struct json *check_tree(const struct check_findings *findings, struct arena *arena)
{
	struct json *tree = json_object(NULL, NULL, arena), *rows;

	json_boolean(tree, "failed", check_failed(findings), arena);
	rows = json_array(tree, "rows", arena);
	for (size_t i = 0; i < findings->len; i++) {
		const struct check_finding *finding = &findings->item[i];
		struct json *row = json_object(rows, NULL, arena);

		json_string(row, "name", finding->name, arena);
		json_boolean(row, "ok", finding->good, arena);
		json_string(row, "severity", name_text(severity_names, finding->severity), arena);
		json_string(row, "found", report_clean(finding->found, arena), arena);
		if (finding->remedy)
			json_string(row, "remedy", finding->remedy, arena);
	}
	return tree;
}

/*
 * The reports: nothing of a hostile text gets through, terminals and logs, the same status in every
 * format, comparing with an earlier report. What real parsers make of them:
 * integration/reports.bats.
 */
#include <fcntl.h>
#include <pty.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "selftest/report_common.h"
#include "tests/unit/made_up_run.h"

static struct arena *arena;

/* What a person's terminal says of itself. */
static void set_environment(void)
{
	unsetenv("NO_COLOR");
	setenv("TERM", "xterm", 1);
	setenv("LC_ALL", "C.UTF-8", 1);
}

static int setup(void **state)
{
	(void)state;
	arena = arena_new(ARENA_LIMIT);
	set_environment();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}

/* The report of a run in a format, as text. */
static const char *written(const struct selftest_run *run, const char *name)
{
	const struct report_format *format = report_find(name);
	struct err err = { 0 };
	char *buffer, *copy;
	size_t size;
	FILE *to = open_memstream(&buffer, &size);

	assert_non_null(format);
	if (format->write(run, to, arena, &err) < 0)
		fail_msg("%s: %s", name, err.text);
	fclose(to);
	assert_int_equal(strlen(buffer), size);
	copy = arena_copy(arena, buffer, size);
	free(buffer);
	return copy;
}

/* The text report as a terminal gets it. */
static const char *on_terminal(const struct selftest_run *run)
{
	static char text[65536];
	int master, slave, status;
	pid_t child;
	size_t len = 0;
	ssize_t got;
	FILE *to;
	struct err err = { 0 };

	assert_int_equal(openpty(&master, &slave, NULL, NULL, NULL), 0);
	to = fdopen(slave, "w");
	/* the buffer of a terminal is small: it is read while it is written to */
	child = fork();
	if (child == 0)
		_exit(report_text_write(run, to, arena, &err) < 0);
	fclose(to);
	while (len < sizeof(text) - 1 &&
	       (got = read(master, text + len, sizeof(text) - 1 - len)) > 0)
		len += (size_t)got;
	text[len] = '\0';
	close(master);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	return text;
}

static void has(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("no \"%s\" in:\n%s", part, text);
}

static void has_not(const char *text, const char *part)
{
	if (strcasestr(text, part))
		fail_msg("\"%s\" in:\n%s", part, text);
}

/* --- texts --- */

static void test_clean(void **state)
{
	/* clang-format off */
	static const char *const texts[][2] = {
		{ "",                             "" },
		{ "plain ~ text",                 "plain ~ text" },
		{ "a\tb\nc\rd\x1b[1m\x7f",        "a?b?c?d?[1m?" },
		{ "\xc3\xbc \xe2\x9c\x94 \xf0\x9f\xa7\xaa", "\xc3\xbc \xe2\x9c\x94 \xf0\x9f\xa7\xaa" },
		{ "\xc2\x80\xc2\x9f\xc2\xa0",     "????\xc2\xa0" },       /* C1, and what follows it */
		{ "\xc0\x80 \xc1\x81 \xe0\x81\x81 \xf0\x80\x81\x81", "?? ?? ??? ????" }, /* overlong */
		{ "\xed\xa0\x80 \xef\xbf\xbe \xf4\x90\x80\x80 \xf8\x88\x80\x80\x80", "??? ??? ???? ?????" },
		{ "\x80 \xe2\x82 \xf0\x9f\xa7",   "? ?? ???" },           /* cut off */
		{ "\xe2\x80\xae\xe2\x81\xa6",     "??????" },             /* turns the direction of writing */
		{ HOSTILE,                        NULL },
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_string_equal(report_clean(texts[i][0], arena),
				    texts[i][1] ? texts[i][1] : HOSTILE_CLEAN);
	assert_string_equal(report_escape("<a href='x'>\"&\"\x01", arena),
			    "&lt;a href=&#39;x&#39;&gt;&quot;&amp;&quot;?");
}

static void test_observations(void **state)
{
	/* clang-format off */
	static const struct {
		struct observation observation;
		const char *text;
	} rows[] = {
		{ { 0 },                                              "not tried" },
		{ { .tried = true },                                  "never began" },
		{ { .tried = true, .unknown = true },                 "the canary has no such attempt" },
		{ { .tried = true, .alive = true, .ended = true },    "gave no answer" },
		{ { .tried = true, .alive = true, .done = true, .flooded = true }, "the canary sent more than there is to say" },
		{ GOT_THROUGH(3),                                     "got through (3)" },
		{ REFUSED(EPERM),                                     "EPERM" },
		{ REFUSED(3927),                                      "errno 3927" },
		{ KILLED,                                             "killed by SIGSYS" },
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_string_equal(report_observation(&rows[i].observation, arena), rows[i].text);
}

static void test_references(void **state)
{
	/* clang-format off */
	static const struct {
		const char *framework, *version, *control;
	} expected[] = {
		{ NULL, NULL, "CVE-2019-7303" },
		{ "CIS Docker Benchmark", "1.6.0", "5.22" },
		{ "NIST SP 800-190", "", "4.4.3" },
		{ "MITRE ATT&CK", "", "T1055.008" },
		{ "PCI SSC Guidance for Containers and Container Orchestration Tools", "1.0", "9.1" },
		{ NULL, NULL, "Trick" },
	};
	/* clang-format on */
	const char *words = "CVE-2019-7303 C5.22  N4.4.3 T1055.008 P9.1 Trick ", *none = NULL;
	struct report_reference reference;

	(void)state;
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
		assert_true(report_reference(&words, arena, &reference));
		assert_string_equal(reference.control, expected[i].control);
		assert_true(!reference.framework == !expected[i].framework);
		if (!reference.framework)
			continue;
		assert_string_equal(reference.framework->name, expected[i].framework);
		assert_string_equal(reference.framework->version, expected[i].version);
	}
	assert_false(report_reference(&words, arena, &reference));
	assert_false(report_reference(&none, arena, &reference));
}

/* Only the numbers that were checked in these frameworks may stand in a row. */
static bool check_references(const struct selftest_case *row, void *context)
{
	static const char *const prefixes[] = { "5.", "4.4.", "4.5.", "T1", "3.1", "9.1", "11.1" };
	const char *words = row->references;
	struct report_reference reference;

	(void)context;
	while (report_reference(&words, arena, &reference)) {
		bool known = !reference.framework;

		for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
			known |= strncmp(reference.control, prefixes[i], strlen(prefixes[i])) == 0;
		if (!known)
			fail_msg("%s: %s %s", row->id, reference.framework->name,
				 reference.control);
	}
	return true;
}

static void test_catalogue_references(void **state)
{
	(void)state;
	cases_each(check_references, NULL);
}

static void test_find(void **state)
{
	/* clang-format off */
	static const char *const names[][2] = {
		{ "text", "text" }, { "json", "json" }, { "junit", "junit" }, { "tap", "tap" }, { "sarif", "sarif" },
		{ "html", "html" }, { "/tmp/a.b/report.xml", "junit" }, { "a.json", "json" }, { "a.sarif", "sarif" },
		{ "a.txt", "text" }, { "a.html", "html" }, { "a.tap", "tap" },
		{ "xml", NULL }, { "", NULL }, { "a.pdf", NULL }, { "report", NULL }, { "JSON", NULL },
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const struct report_format *format = report_find(names[i][0]);

		assert_true(!format == !names[i][1]);
		if (format)
			assert_string_equal(format->name, names[i][1]);
	}
}

/* --- writers --- */

/* No format lets a control byte or bad UTF-8 through; new lines are only its own. */
static void test_hostile(void **state)
{
	(void)state;
	for (const struct report_format *format = report_formats; format->name; format++) {
		const char *text = written(&made_up_run, format->name);

		has_not(text, "\033");
		has_not(text, "\xff");
		has_not(text, "\xe2\x80\xae");
		has_not(text, "\xc2\x9b");
		for (const char *at = text; *at; at++)
			if (((unsigned char)*at < ' ' && *at != '\n' && *at != '\t') || *at == 0x7f)
				fail_msg("%s: byte %#x", format->name, *at);
		has_not(text, "secure ");
		has_not(text, "production");
	}
	has_not(written(&made_up_run, "html"), "<b>");
	has_not(written(&made_up_run, "junit"), "<b>");
	has(written(&made_up_run, "text"), HOSTILE_CLEAN);
	has(written(&made_up_run, "html"), "/srv/b\xc3\xbc"
					   "cher &amp; &lt;co&gt;");
}

static void test_json(void **state)
{
	const char *json = written(&made_up_run, "json");

	(void)state;
	has(json, "\"limitation\": \"a terminal of its own only\"");
	has(json, "\"remedy\": null,\n\t\t\t\"limitation\": null");
}

static void test_text(void **state)
{
	const char *text = written(&made_up_run, "text");
	const char *last = strrchr(text, '\n');

	(void)state;
	has(text, "FAIL  sys.tiocsti-high (high): ioctl(pty, TIOCSTI | 1 << 32, \"x\")\n");
	has(text, "expected    EPERM or EIO or killed by SIGSYS\n");
	has(text, "observed    returned 0\n");
	has(text, "layers      expected seccomp, kernel; observed none\n");
	has(text, ": got through (0)\n");
	has(text, "fix         compare the request of ioctl with");
	has(text, "limitation  a terminal of its own only\n");
	/* one cause, told once */
	has(text, "skipped: no cgroup is delegated to this user; systemd-run --user --scope -p "
		  "Delegate=yes\n      cg.memory cg.fork-bomb\n");
	has(text, "not applicable: this kernel has no AF_ALG\n      net.af-alg\n");
	has(text, "inconclusive: refused even without the layers: ");
	has(text, "FAIL  kernel       1 failed, 1 undecided\n");
	has(text, "ok    tracing      1 passed\n");
	has(text, "-     limits       2 skipped\n");
	has(text, "limits: memory.max is not enforced here ");
	assert_true(strstr(text, "FAIL  sys") < strstr(text, "Undecided:"));
	assert_true(strstr(text, "Undecided:") < strstr(text, "ok    tracing"));
	assert_true(strstr(text, "ok    tracing") < strstr(text, "Not tested:"));
	/* the last line */
	assert_string_equal(last, "\n");
	has(text, "\nRESULT: NOT contained (");
	has(strstr(text, "\nRESULT: "), ": 2 of 8 attempts were shown to be contained, on Linux ");
	has(strstr(text, "\nRESULT: "), "; left out: 2 skipped, 1 not applicable, and what");
	assert_ptr_equal(strchr(strstr(text, "\nRESULT: ") + 1, '\n'), last);
}

static void test_terminal(void **state)
{
	(void)state;
	has(on_terminal(&made_up_run), "\033[1;31m\xe2\x9c\x98 FAIL");
	setenv("NO_COLOR", "1", 1);
	has_not(on_terminal(&made_up_run), "\033");
	has(on_terminal(&made_up_run), "\xe2\x9c\x98 FAIL");
	setenv("NO_COLOR", "", 1); /* as good as unset */
	has(on_terminal(&made_up_run), "\033[1;31m");
	setenv("LC_ALL", "C", 1);
	has_not(on_terminal(&made_up_run), "\xe2\x9c\x98");
	has(on_terminal(&made_up_run), "\033[1;31mFAIL");
	setenv("TERM", "dumb", 1);
	has_not(on_terminal(&made_up_run), "\033");
	/* not a terminal: words, whatever the environment says */
	set_environment();
	has_not(written(&made_up_run, "text"), "\xe2\x9c\x98");
}

/* What was asked of the run besides its attempts. */
static void test_demands(void **state)
{
	const char *unmet[] = { "userns", "landlock=" HOSTILE };
	struct selftest_run run = made_up_run;

	(void)state;
	run.unmet = unmet;
	run.unmet_len = 2;
	run.worse = "sys.a\nsys.b\n";
	has(written(&run, "text"), "\nFAIL  required and not there: userns\n");
	has(written(&run, "text"), "\nFAIL  required and not there: landlock=" HOSTILE_CLEAN "\n");
	has(written(&run, "text"), "\nFAIL  worse than the baseline: sys.a\n");
	has(written(&run, "text"), "\nFAIL  worse than the baseline: sys.b\n");
	has(written(&run, "html"), "<p>required and not there: userns</p>");
	has(written(&run, "html"), "<p>worse than the baseline: sys.b</p>");
	has(written(&run, "json"), "\"unmet\": [\n\t\t\t\"userns\",");
	has(written(&run, "json"), "\"worse\": [\n\t\t\t\"sys.a\",\n\t\t\t\"sys.b\"\n");
}

static void test_matrix(void **state)
{
	struct selftest_options options = made_up_options;
	struct selftest_run run = made_up_run;

	(void)state;
	has(written(&run, "text"), "\nWhich layer stops what       seccomp landlock caps");
	has(written(&run, "text"), "\nsys.ptrace-traceme                 A        .    .");
	has(written(&run, "text"), "\nsys.tiocsti-high                   X        .    .");
	has(written(&run, "text"), "\nsys.mount-tmpfs                    o        o    d");
	has(written(&run, "text"),
	    "\ncg.memory                          .        .    .   .  .      .      ?");
	has(written(&run, "html"), "class=\"matrix\"");
	has(written(&run, "json"), "\"matrix\"");
	options.profile = PROFILE_STANDARD;
	run.options = &options;
	has_not(written(&run, "text"), "which layer stops what");
	has_not(written(&run, "html"), "class=\"matrix\"");
	has_not(written(&run, "json"), "\"matrix\"");
}

/* An empty run is nobody's success. */
static void test_empty(void **state)
{
	struct selftest_run run = made_up_run;

	(void)state;
	run.results_len = 0;
	has_not(written(&run, "text"), "RESULT: contained");
	has(written(&run, "tap"), "1..1\n");
	has(written(&run, "tap"), "\nnot ok 1 - status ");
	has(written(&run, "junit"), "tests=\"1\" failures=\"1\" errors=\"0\" skipped=\"0\"");
	has(written(&run, "html"), "<div class=\"result bad\">");
	has_not(written(&run, "json"), "\"exit_code\": 0");
}

static void test_full(void **state)
{
	(void)state;
	for (const struct report_format *format = report_formats; format->name; format++) {
		FILE *to = fopen("/dev/full", "w");
		struct err err = { 0 };

		assert_int_equal(format->write(&made_up_run, to, arena, &err), -1);
		has(err.text, "No space left on device");
		fclose(to);
	}
}

/* --- comparing --- */

static char baseline[64];

static int write_baseline(const char *text)
{
	int fd;

	snprintf(baseline, sizeof(baseline), "/tmp/agentd-report.XXXXXX");
	fd = mkstemp(baseline);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	return 0;
}

static const char *worse(const struct selftest_run *run)
{
	struct err err = { 0 };
	const char *ids;

	if (report_compare(run, baseline, arena, &ids, &err) < 0)
		ids = arena_format(arena, "%s", err.text);
	return ids;
}

static void test_compare(void **state)
{
	struct result results[MADE_UP_LEN];
	struct selftest_options options = made_up_options;
	struct selftest_run run = made_up_run;

	(void)state;
	write_baseline(written(&made_up_run, "json"));
	memcpy(results, made_up_results, sizeof(results));
	run.results = results;
	assert_string_equal(worse(&run), "");
	results[1].verdict = VERDICT_SKIPPED; /* contained before */
	results[3].verdict = VERDICT_FAIL;
	results[4].verdict = VERDICT_PASS; /* the kernel has it now */
	results[2].verdict = VERDICT_PASS; /* mended */
	assert_string_equal(worse(&run), "sys.ptrace-traceme\nsys.mount-tmpfs\n");
	results[1].verdict = VERDICT_NOT_APPLICABLE;
	results[3].verdict = VERDICT_PASS;
	assert_string_equal(worse(&run), "");
	/* the last is gone: it was broken before, so nothing is lost; the first was contained */
	run.results_len--;
	assert_string_equal(worse(&run), "");
	run.results++;
	run.results_len--;
	assert_string_equal(worse(&run), "live.nonce\n");
	/* less was asked for */
	options.profile = PROFILE_QUICK;
	run.options = &options;
	assert_string_equal(worse(&run), "");
	unlink(baseline);
	has(worse(&run), "baseline");
	has(worse(&run), "No such file");
}

static void test_compare_refused(void **state)
{
	/* clang-format off */
	static const char *const texts[][2] = {
		{ "",                                        "premature EOF" },
		{ "[]",                                      "is not a report of selftest" },
		{ "{}",                                      "is not a report of selftest" },
		{ "{\"schema\":\"x\",\"canaries\":[]}",      "is not a report of selftest" },
		{ "{\"schema\":\"" REPORT_SCHEMA "\"}",      "is not a report of selftest" },
		{ "{\"schema\":\"" REPORT_SCHEMA "\",\"canaries\":[{\"id\":\"a\",\"verdict\":\"fine\"}]}",
		  "a has the unknown verdict \"fine\"" },
		{ "{\"schema\":\"" REPORT_SCHEMA "\",\"canaries\":[3]}", "unknown verdict" },
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		write_baseline(texts[i][0]);
		has(worse(&made_up_run), texts[i][1]);
		unlink(baseline);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_clean, setup, teardown),
		cmocka_unit_test_setup_teardown(test_observations, setup, teardown),
		cmocka_unit_test_setup_teardown(test_references, setup, teardown),
		cmocka_unit_test_setup_teardown(test_catalogue_references, setup, teardown),
		cmocka_unit_test_setup_teardown(test_find, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hostile, setup, teardown),
		cmocka_unit_test_setup_teardown(test_json, setup, teardown),
		cmocka_unit_test_setup_teardown(test_text, setup, teardown),
		cmocka_unit_test_setup_teardown(test_terminal, setup, teardown),
		cmocka_unit_test_setup_teardown(test_demands, setup, teardown),
		cmocka_unit_test_setup_teardown(test_matrix, setup, teardown),
		cmocka_unit_test_setup_teardown(test_empty, setup, teardown),
		cmocka_unit_test_setup_teardown(test_full, setup, teardown),
		cmocka_unit_test_setup_teardown(test_compare, setup, teardown),
		cmocka_unit_test_setup_teardown(test_compare_refused, setup, teardown),
	};

	return cmocka_run_group_tests_name("report", tests, NULL, NULL);
}

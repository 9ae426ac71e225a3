# The reports of selftest, read by programs that others wrote. The run is made up (tests/unit/made_up_run.h): it has one
# result of every verdict, and hostile bytes where a container could have put some.

bats_require_minimum_version 1.5.0

TOP=$(cd "${BATS_TEST_FILENAME%/*}/../.." && pwd)
REPORTS=${AGENTD_TOOLS:-$TOP/build/tests/integration}/reports

needs() {
	command -v "$1" >/dev/null || skip "no $1 on this machine"
}

# Debian's interpreter, which has Debian's packages.
python() { PYTHONDONTWRITEBYTECODE=1 PATH=/usr/bin:$PATH python3 "$@"; }

report() { "$REPORTS" "$1" >"$BATS_TEST_TMPDIR/report"; }

# holds FILTER: jq says true of the report
holds() {
	jq -e "$1" "$BATS_TEST_TMPDIR/report" >/dev/null && return
	echo "not so: $1"
	return 1
}

# counts NUMBER XPATH
counts() {
	local found
	found=$(xmllint --xpath "count($2)" "$BATS_TEST_TMPDIR/report")
	[ "$found" -eq "$1" ] && return
	echo "$found of $2"
	return 1
}

@test "json: is what the schema says, and the schema is one" {
	local schema=$TOP/contrib/schema/selftest-1.json
	[ -e "$schema" ] || skip "no schema beside the tests"
	python -c 'import jsonschema' 2>/dev/null || skip "no python3-jsonschema on this machine"
	report json
	cat >"$BATS_TEST_TMPDIR/validate.py" <<-'END'
		import copy, json, sys
		import jsonschema

		schema, report = (json.load(open(name)) for name in sys.argv[1:])
		jsonschema.Draft202012Validator.check_schema(schema)
		validator = jsonschema.Draft202012Validator(schema)
		validator.validate(report)

		# and it refuses what it should
		def broken(change):
		    other = copy.deepcopy(report)
		    change(other)
		    assert not validator.is_valid(other)

		failed = [i for i, canary in enumerate(report["canaries"]) if canary["verdict"] == "fail"][0]
		broken(lambda r: r.pop("summary"))
		broken(lambda r: r.update(schema="another"))
		broken(lambda r: r["canaries"][failed].update(verdict="fine"))
		broken(lambda r: r["canaries"][failed].update(reason=None))
		broken(lambda r: r["canaries"][failed]["layers"].update(observed=["hope"]))
		broken(lambda r: r["summary"]["layers"].pop("seccomp"))
	END
	python "$BATS_TEST_TMPDIR/validate.py" "$schema" "$BATS_TEST_TMPDIR/report"
}

@test "json: says what happened" {
	needs jq
	report json
	holds '.summary | .result == "escaped" and .exit_code == 1 and .fail == 1 and .pass == 3 and .skipped == 2'
	holds '[.canaries[].verdict] | unique == ["error", "fail", "inconclusive", "not_applicable", "pass", "skipped"]'
	holds '.canaries[] | select(.verdict == "fail") | .observed.value == 0 and .observed.errno == null and
		.expected.any_of == [{ errno: "EPERM", number: 1 }, { errno: "EIO", number: 5 }, { signal: "SIGSYS" }] and
		.references == ["CVE-2019-7303"] and .mappings[0] == { framework: "CIS Docker Benchmark", version: "1.6.0",
			control: "5.22", relation: "evidence-towards" }'
	holds '.canaries[] | select(.id == "sys.ptrace-traceme") | .observed.signal == "SIGSYS" and .layers.matrix.seccomp == "alone"'
	holds '.summary.layers.seccomp == { expected: 5, observed: 1, measured: 1 }'
	holds 'all(.. | strings; test("[\u0000-\u001f\u007f-\u009f]") | not)'
}

@test "junit: well-formed, and counts as it should" {
	needs xmllint
	report junit
	xmllint --noout "$BATS_TEST_TMPDIR/report"
	counts 8 '/testsuites/testsuite' # seven groups and the status
	counts 10 '//testcase'
	counts 1 '//testcase[@name="sys.tiocsti-high"]/failure[@type="containment"]'
	counts 1 '//testcase[@name="sys.reboot"]/error[@type="inconclusive"]'
	counts 1 '//testcase[@name="proc.pid1"]/error'
	counts 3 '//testcase/skipped[@message]'
	counts 1 '//testcase[@name="status"]/failure'
	counts 1 '/testsuites[@tests="10" and @failures="2" and @errors="2" and @skipped="3"]'
	counts 8 '//testsuite[@tests = count(testcase) and @failures = count(testcase/failure) and
		@errors = count(testcase/error) and @skipped = count(testcase/skipped)]'
}

@test "html: well-formed, with nothing from elsewhere and no script" {
	needs xmllint
	report html
	xmllint --noout "$BATS_TEST_TMPDIR/report"
	counts 0 '//*[local-name() = "script" or local-name() = "link" or local-name() = "img" or local-name() = "iframe"]'
	counts 0 '//@src | //@href | //@style | //@*[starts-with(name(), "on")]'
	counts 1 '//*[local-name() = "meta"][contains(@content, "none")]'
	run grep -ciE 'url\(|@import|https?://' "$BATS_TEST_TMPDIR/report"
	[ "$output" = 1 ] # the name space of XHTML
	grep -q 'This is not an attestation' "$BATS_TEST_TMPDIR/report"
	run grep -ciE 'compliant|production' "$BATS_TEST_TMPDIR/report"
	[ "$output" = 0 ]
}

@test "tap: as a parser of others reads it" {
	perl -MTAP::Parser -e 1 2>/dev/null || skip "no TAP::Parser on this machine"
	report tap
	run perl -MTAP::Parser -e '
		my $parser = TAP::Parser->new({ tap => do { local $/; <> } });
		$parser->run;
		printf "%s: %d planned, %d passed, %d failed, %d skipped, %d todo, %d errors\n", $parser->version, $parser->tests_planned,
			scalar $parser->passed, scalar $parser->failed, scalar $parser->skipped, scalar $parser->todo,
			scalar $parser->parse_errors' "$BATS_TEST_TMPDIR/report"
	echo "$output"
	[ "$output" = "13: 10 planned, 6 passed, 4 failed, 3 skipped, 0 todo, 0 errors" ]
}

@test "tap: the details are YAML" {
	python -c 'import yaml' 2>/dev/null || skip "no python3-yaml on this machine"
	report tap
	python -c '
import re, sys, yaml
blocks = re.findall(r"^  ---\n(.*?)^  \.\.\.$", sys.stdin.read(), re.S | re.M)
details = [yaml.safe_load(block) for block in blocks]
assert [d["verdict"] for d in details] == ["fail", "inconclusive", "error"], details
assert details[0]["fix"].startswith("compare the request of ioctl"), details
' <"$BATS_TEST_TMPDIR/report"
}

@test "sarif: only what got through, with the members that readers require" {
	needs jq
	report sarif
	holds '.version == "2.1.0" and (.["$schema"] | endswith("sarif-2.1.0.json")) and (.runs | length == 1)'
	holds '.runs[0] | .tool.driver.name == "agentd selftest" and (.results | length == 1) and (.tool.driver.rules | length == 1)'
	holds '.runs[0].results[0] | .ruleId == "sys.tiocsti-high" and .level == "error" and (.message.text | length > 20) and
		.locations[0].physicalLocation.artifactLocation.uri == "config.json" and
		.locations[0].physicalLocation.region.startLine == 1'
	holds '.runs[0] | [.tool.driver.rules[].id] == [.results[].ruleId]'
	holds '.runs[0].tool.driver.rules[0] | (.shortDescription.text | length > 0) and (.help.text | length > 0) and
		(.properties["security-severity"] | tonumber > 0)'
	holds '.runs[0].invocations[0] | .executionSuccessful == true and .exitCode == 1'
}

@test "every format is written, and none other" {
	local format
	for format in text json junit tap sarif html; do
		report "$format"
		[ -s "$BATS_TEST_TMPDIR/report" ]
	done
	run ! "$REPORTS" pdf
}

# Reports calls that the house does without. Comments and strings are not looked at.
#
# usage: awk -f calls.awk FILE.c...
#
# Unbounded or clumsy ones nowhere; memory comes from the arena, but for the canary, which has none, and what libseccomp gives
# is given back.

BEGIN {
	forbidden = "strcpy|stpcpy|strcat|sprintf|vsprintf|gets|fgets|alloca|strtok|system|popen|getpwnam|getpwuid|getgrnam"
	memory = "malloc|calloc|realloc|reallocarray|free|strdup|strndup|asprintf|vasprintf"
}

FNR == 1 { comment = 0 }

{
	line = $0
	gsub(/"([^"\\]|\\.)*"/, "\"\"", line)
	if (comment) {
		if (!sub(/^.*\*\//, "", line))
			next
		comment = 0
	}
	gsub(/\/\*([^*]|\*+[^*\/])*\*+\//, "", line)
	if (sub(/\/\*.*/, "", line))
		comment = 1
	sub(/\/\/.*/, "", line)
	calls(line, forbidden)
	if (FILENAME !~ /^(runtime\/base\/arena|isolation\/seccomp)\.c$/ && FILENAME !~ /^selftest\/canary/)
		calls(line, memory)
}

function calls(text, names) {
	if (match(text, "(^|[^A-Za-z0-9_.>])(" names ")\\(")) {
		print FILENAME ":" FNR ": " substr(text, RSTART, RLENGTH) "...) is not used here"
		failed = 1
	}
}

END { exit failed }

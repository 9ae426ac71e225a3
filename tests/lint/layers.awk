# Reports an #include that crosses a layer the wrong way, and a library used outside its one home.
#
# usage: awk -f layers.awk FILE.c FILE.h...
#
# runtime/base < spec < isolation < runtime < selftest; the canary (selftest/canary*, attempt*) includes nothing of agentd.

function layer_of(path) {
	if (path ~ /^runtime\/base\//)
		return "runtime/base"
	sub(/\/.*/, "", path)
	return path
}

BEGIN {
	canary = "^selftest/(canary|attempt)"
	allowed["runtime/base"] = "runtime/base"
	allowed["spec"] = "runtime/base spec"
	allowed["isolation"] = "runtime/base spec isolation"
	allowed["runtime"] = "runtime/base spec isolation runtime"
	allowed["selftest"] = "runtime/base spec isolation runtime selftest"

	home["yajl/"] = "^spec/json\\.c$"
	home["seccomp.h"] = "^isolation/seccomp\\.c$"
	home["sys/capability.h"] = "^isolation/caps\\.c$"
	home["libmnl/"] = "^isolation/network\\.c$"
}

/^#[ \t]*include[ \t]*"/ {
	split($0, part, "\"")
	from = layer_of(FILENAME)
	if (index(" " allowed[from] " ", " " layer_of(part[2]) " ") == 0)
		report(from " may not include " part[2])
	if (FILENAME ~ canary && part[2] !~ canary)
		report("the canary may not include " part[2])
}

/^#[ \t]*include[ \t]*</ {
	split($0, part, /[<>]/)
	for (library in home)
		if (index(part[2], library) == 1 && FILENAME !~ home[library])
			report("<" part[2] "> has another home")
}

function report(text) {
	print FILENAME ":" FNR ": " text
	failed = 1
}

END { exit failed }

# Reports files of more than 500 lines and functions of more than 70, but for those in the list of exceptions.
#
# usage: awk -f size.awk size.exceptions FILE.c FILE.h...
#
# A line of the list is "FILE REASON" or "FILE:FUNCTION REASON". An exception that is no longer needed is reported too.

FILENAME ~ /\.exceptions$/ {
	if ($0 !~ /^(#|$)/)
		reason[$1] = 1
	next
}

FNR == 1 { finish() }

{ path = FILENAME; lines = FNR }

# Kernel style: a function's brackets stand alone in the first column.
/^[A-Za-z_].*\(/ { name = $0; sub(/\(.*/, "", name); sub(/.*[ *]/, "", name) }
/^\{$/ { start = FNR }
/^\}$/ && start {
	if (FNR - start - 1 > 70)
		report(path ":" name, path ":" start ": " name " has " FNR - start - 1 " lines")
	start = 0
}

function finish() {
	if (lines > 500)
		report(path, path ": has " lines " lines")
	lines = start = 0
}

function report(key, text) {
	if (key in reason) {
		used[key] = 1
		return
	}
	print text
	failed = 1
}

END {
	finish()
	for (key in reason)
		if (!(key in used)) {
			print "size.exceptions: " key " is no longer needed"
			failed = 1
		}
	exit failed
}

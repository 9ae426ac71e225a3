# agentd: plain GNU make and pkg-config, no configure step. V=1 shows the commands.
#
#   make                       build/agentd and build/agentd-canary
#   make check                 lint, unit tests, golden files, fuzz corpora: no privilege needed
#   make check-root            integration tests as root and, where there is an unprivileged user, as one
#   make check-vm              limits, OOM, devices and AppArmor in virtual machines (qemu)
#   make test                  all of these, with one summary; installs nothing
#   make bench                 as root: beside bare system calls, crun, runc and bubblewrap (BENCH_FLAGS: tests/bench/run)
#   make scale                 as root: how the cost grows with mounts, rules, containers alive (SCALE_FLAGS: tests/bench/scale)
#   make SANITIZE=address,undefined check
#   make install DESTDIR= PREFIX=/usr/local

PREFIX ?= /usr/local
BINDIR ?= $(PREFIX)/bin
MANDIR ?= $(PREFIX)/share/man
BASHCOMPDIR ?= $(PREFIX)/share/bash-completion/completions
ZSHCOMPDIR ?= $(PREFIX)/share/zsh/site-functions
FISHCOMPDIR ?= $(PREFIX)/share/fish/vendor_completions.d
DOCDIR ?= $(PREFIX)/share/doc/agentd
DESTDIR ?=
PKG_CONFIG ?= pkg-config
CLANG_FORMAT ?= clang-format
CLANG_TIDY ?= clang-tidy
CPPCHECK ?= cppcheck
CLANG ?= clang
STRIP ?= strip
VERSION := $(shell sed -n 's/^\#define AGENTD_VERSION "\(.*\)"/\1/p' runtime/version.h)
COMMIT := $(shell git rev-parse HEAD 2>/dev/null || echo unknown)

# Every variant has a directory of its own.
SANITIZE ?=
FAULTS ?=
comma := ,
VARIANT := $(if $(SANITIZE),-$(subst $(comma),-,$(SANITIZE)))$(if $(FAULTS),-faults)
BUILD ?= build$(VARIANT)

CFLAGS ?= -O2 -g
WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wformat=2 -Wvla -Wundef -Wpointer-arith \
	-Werror=implicit-function-declaration $(WERROR)
HARDEN := $(if $(SANITIZE),,-D_FORTIFY_SOURCE=2) -fstack-protector-strong -fstack-clash-protection -fPIE
HARDEN_LINK := -pie -Wl,-z,relro,-z,now -Wl,--as-needed
ifneq ($(SANITIZE),)
CFLAGS += -fsanitize=$(SANITIZE) -fno-omit-frame-pointer -fno-sanitize-recover=all
LDFLAGS += -fsanitize=$(SANITIZE)
endif
ifneq ($(FAULTS),)
# Test builds only: AGENTD_FAIL_STEP=NAME makes that step fail.
CPPFLAGS += -DAGENTD_FAULTS
endif
CPPFLAGS += -D_GNU_SOURCE -I.

# libseccomp, yajl and libcap go into the binary where the archive is installed: each shared library costs start-up time.
static_or_shared = $(if $(wildcard $(addsuffix /$(2),$(shell $(PKG_CONFIG) --variable=libdir $(1)))),-l:$(2),$(shell $(PKG_CONFIG) --libs $(1)))
PACKAGES := libseccomp yajl libcap libmnl
# Each of some 200 symbols is looked for in the shared ones in their order: libc first, which has nearly all of them.
LIBS := $(call static_or_shared,libseccomp,libseccomp.a) $(call static_or_shared,yajl,libyajl_s.a) \
	$(call static_or_shared,libcap,libcap.a) -lc $(shell $(PKG_CONFIG) --libs libmnl)
PKG_CFLAGS := $(shell $(PKG_CONFIG) --cflags $(PACKAGES))

ALL_CFLAGS = -std=gnu11 $(CPPFLAGS) $(PKG_CFLAGS) $(CFLAGS) $(WARNINGS) $(HARDEN)

CANARY_SOURCES := $(wildcard selftest/canary*.c selftest/attempts_*.c)
SOURCES := $(wildcard runtime/base/*.c spec/*.c isolation/*.c runtime/*.c) \
	$(filter-out $(CANARY_SOURCES),$(wildcard selftest/*.c))
OBJECTS := $(SOURCES:%.c=$(BUILD)/%.o) $(BUILD)/selftest/canary_program.o
LIBRARY := $(BUILD)/libagentd.a
UNIT_SOURCES := $(wildcard tests/unit/test_*.c)
UNIT_TESTS := $(UNIT_SOURCES:%.c=$(BUILD)/%)
FUZZ_SOURCES := $(wildcard tests/fuzz/fuzz_*.c)

Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-5s %s\n' '$(1)' '$(2)' &&)

.PHONY: all test check check-unit check-golden check-fuzz check-root check-vm faults variants lint format format-check analyze fuzz coverage install \
	uninstall dist clean demo bench scale

all: $(BUILD)/agentd $(BUILD)/agentd-canary

$(BUILD)/agentd: $(BUILD)/runtime/main.o $(LIBRARY)
	$(call say,LD,$@) $(CC) $(ALL_CFLAGS) $(HARDEN_LINK) $(LDFLAGS) -o $@ $^ $(LIBS)

$(LIBRARY): $(filter-out $(BUILD)/runtime/main.o,$(OBJECTS))
	$(call say,AR,$@) rm -f $@ && $(AR) rcs $@ $^

# The payload of the tests and of selftest: static, and without anything of agentd in it.
$(BUILD)/agentd-canary: $(CANARY_SOURCES)
	@mkdir -p $(@D)
	$(call say,LD,$@) $(CC) -std=gnu11 -D_GNU_SOURCE -I. -O2 -g $(WARNINGS) -static -o $@ $^

# An installed agentd needs no second file: the canary is a part of it.
$(BUILD)/selftest/canary_program.o: selftest/canary_program.S $(BUILD)/agentd-canary
	@mkdir -p $(@D)
	$(call say,AS,$<) $(STRIP) -o $(BUILD)/selftest/canary $(BUILD)/agentd-canary && \
		$(CC) -DCANARY='"$(BUILD)/selftest/canary"' -c -o $@ $<

# Programs of the integration tests, and the build in which every step can be made to fail.
$(BUILD)/tests/integration/%: tests/integration/%.c $(LIBRARY)
	@mkdir -p $(@D)
	$(call say,TEST,$@) $(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

# Prints the plans that tests/golden compares.
GOLDEN_TOOL := $(BUILD)/tests/golden/explain
$(GOLDEN_TOOL): tests/golden/explain.c $(LIBRARY)
	@mkdir -p $(@D)
	$(call say,TEST,$@) $(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

INTEGRATION_TOOLS := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/integration/*.c))

# agentd with one layer broken each, and with canaries that are not to be trusted, for tests/variants/run: the same objects,
# and calls that are replaced.
VARIANTS := $(addprefix $(BUILD)/variants/,$(shell grep -o '^[a-z][a-z-]*' tests/variants/expected))
CANARY_VARIANTS := $(filter $(BUILD)/variants/canary-%,$(VARIANTS))
VARIANT_WRAPS := $(shell grep -o '__wrap_[a-z][a-z_]*' tests/variants/variants.c | sort -u | sed 's/__wrap_/-Wl,--wrap=/')
variants: all $(VARIANTS)
$(filter-out $(CANARY_VARIANTS),$(VARIANTS)): $(BUILD)/variants/%: tests/variants/variants.c $(BUILD)/runtime/main.o $(LIBRARY)
	@mkdir -p $(@D)
	$(call say,TEST,$@) $(CC) $(ALL_CFLAGS) -DVARIANT='"$*"' $(HARDEN_LINK) $(VARIANT_WRAPS) $(LDFLAGS) -o $@ $^ $(LIBS)

$(CANARY_VARIANTS): %: %.o $(BUILD)/runtime/main.o $(LIBRARY)
	$(call say,TEST,$@) $(CC) $(ALL_CFLAGS) $(HARDEN_LINK) $(LDFLAGS) -o $@ $^ $(LIBS)

$(CANARY_VARIANTS:=.o): $(BUILD)/variants/%.o: tests/variants/canary.c $(BUILD)/variants/canary.o selftest/canary_program.S
	$(Q)$(CC) -std=gnu11 -D_GNU_SOURCE -I. -DVARIANT='"$*"' -static -Wl,--wrap=write -o $(@:.o=.program) $< $(BUILD)/variants/canary.o
	$(Q)$(CC) -DCANARY='"$(@:.o=.program)"' -c -o $@ selftest/canary_program.S

$(BUILD)/variants/canary.o: $(CANARY_SOURCES)
	@mkdir -p $(@D)
	$(Q)$(CC) -std=gnu11 -D_GNU_SOURCE -I. -O2 -r -o $@ $^

# What tests/bench/run needs; of these, tables alone has anything of agentd in it.
BENCH_TOOLS := $(addprefix $(BUILD)/bench/,floor pair tables count payload)
bench: all $(BENCH_TOOLS)
	$(Q)BUILD=$(BUILD) tests/bench/run $(BENCH_FLAGS)

scale: all $(BENCH_TOOLS)
	$(Q)BUILD=$(BUILD) tests/bench/scale $(SCALE_FLAGS)

$(BUILD)/bench/tables: tests/bench/tables.c tests/bench/floor.h $(LIBRARY)
	@mkdir -p $(@D)
	$(call say,BENCH,$@) $(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $< $(LIBRARY) $(LIBS)

$(filter-out %/tables,$(BENCH_TOOLS)): $(BUILD)/bench/%: tests/bench/%.c tests/bench/floor.h runtime/base/sys.h
	@mkdir -p $(@D)
	$(call say,BENCH,$@) $(CC) -std=gnu11 -D_GNU_SOURCE -I. -O2 $(WARNINGS) -static -o $@ $<

faults:
	$(Q)$(MAKE) --no-print-directory FAULTS=1 BUILD=$(BUILD)-faults $(BUILD)-faults/agentd

$(BUILD)/runtime/version.o $(BUILD)/runtime/main.o: CPPFLAGS += -DAGENTD_COMMIT='"$(COMMIT)"'

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC,$<) $(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/tests/unit/test_%: tests/unit/test_%.c $(LIBRARY)
	@mkdir -p $(@D)
	$(call say,TEST,$@) $(CC) $(ALL_CFLAGS) -Wno-missing-prototypes -MMD -MP $(HARDEN_LINK) $(LDFLAGS) -o $@ $< $(LIBRARY) \
		$(LIBS) $(shell $(PKG_CONFIG) --libs cmocka)

# The tests. Suites and their summary: tests/run.
$(BUILD)/tests/fuzz/fuzz_%: tests/fuzz/fuzz_%.c tests/fuzz/replay.c $(LIBRARY)
	@mkdir -p $(@D)
	$(call say,TEST,$@) $(CC) $(ALL_CFLAGS) -Wno-missing-prototypes $(HARDEN_LINK) $(LDFLAGS) -o $@ $^ $(LIBS)

FUZZ_REPLAYS := $(FUZZ_SOURCES:%.c=$(BUILD)/%)
# In a chroot the tests make its directory a root like any other.
OWN_ROOT := $(BUILD)/tests/own_root
RUN_TESTS = $(Q)BUILD=$(BUILD) $(OWN_ROOT) tests/run

$(OWN_ROOT): tests/own_root.c
	@mkdir -p $(@D)
	$(call say,TEST,$@) $(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $<

check check-unit check-golden check-fuzz check-root check-vm test lint: $(OWN_ROOT)

check: all $(UNIT_TESTS) $(FUZZ_REPLAYS) $(GOLDEN_TOOL)
	$(RUN_TESTS) lint unit golden fuzz

check-unit: $(UNIT_TESTS)
	$(RUN_TESTS) unit

check-golden: $(GOLDEN_TOOL)
	$(RUN_TESTS) golden

check-fuzz: $(FUZZ_REPLAYS)
	$(RUN_TESTS) fuzz

check-root: all faults variants $(INTEGRATION_TOOLS) $(BENCH_TOOLS)
	$(RUN_TESTS) root user variants bench

check-vm: all variants
	$(RUN_TESTS) vm

test: all faults variants $(UNIT_TESTS) $(FUZZ_REPLAYS) $(GOLDEN_TOOL) $(INTEGRATION_TOOLS) $(BENCH_TOOLS)
	$(RUN_TESTS)

lint: all
	$(RUN_TESTS) lint

# Each fuzzer for FUZZ_SECONDS, from its corpus, with clang's libFuzzer.
FUZZ_SECONDS ?= 60
fuzz: $(BUILD)/selftest/canary_program.o
	$(Q)for fuzzer in $(basename $(notdir $(FUZZ_SOURCES))); do \
		mkdir -p build-fuzz/$$fuzzer.corpus && \
		$(CLANG) -std=gnu11 $(CPPFLAGS) $(PKG_CFLAGS) -g -O1 -fsanitize=fuzzer,address,undefined \
			-o build-fuzz/$$fuzzer tests/fuzz/$$fuzzer.c $(filter-out runtime/main.c,$(SOURCES)) $< $(LIBS) && \
		build-fuzz/$$fuzzer -max_total_time=$(FUZZ_SECONDS) -max_len=65536 -timeout=5 \
			-artifact_prefix=build-fuzz/ build-fuzz/$$fuzzer.corpus tests/fuzz/corpus/$${fuzzer#fuzz_} || exit 1; \
	done

# Lines covered by the tests that need no virtual machine: build-coverage/report/index.html.
coverage:
	$(Q)$(MAKE) BUILD=build-coverage CFLAGS='-O0 -g --coverage' LDFLAGS=--coverage check-unit check-root || :
	$(Q)lcov -q --capture --directory build-coverage --output-file build-coverage/info --no-external
	$(Q)genhtml -q build-coverage/info --output-directory build-coverage/report
	$(Q)lcov --summary build-coverage/info

analyze:
	$(Q)$(MAKE) BUILD=build-analyze CC=gcc CFLAGS='-O2 -fanalyzer' WERROR=-Werror $(OBJECTS:$(BUILD)/%=build-analyze/%)
	$(Q)$(CLANG_TIDY) --quiet --warnings-as-errors='*' $(SOURCES) -- -std=gnu11 $(CPPFLAGS) $(PKG_CFLAGS)

C_FILES = $(wildcard runtime/base/*.[ch] spec/*.[ch] isolation/*.[ch] runtime/*.[ch] selftest/*.[ch] tests/unit/*.[ch] tests/fuzz/*.[ch] tests/integration/*.c tests/golden/*.c tests/variants/*.c tests/bench/*.[ch])
format:
	$(Q)$(CLANG_FORMAT) -i $(C_FILES)

format-check:
	$(Q)$(CLANG_FORMAT) --dry-run -Werror $(C_FILES)

install: all
	install -D -m 755 $(BUILD)/agentd $(DESTDIR)$(BINDIR)/agentd
	install -D -m 644 contrib/man/agentd.8 $(DESTDIR)$(MANDIR)/man8/agentd.8
	install -D -m 644 contrib/completions/agentd.bash $(DESTDIR)$(BASHCOMPDIR)/agentd
	install -D -m 644 contrib/completions/_agentd $(DESTDIR)$(ZSHCOMPDIR)/_agentd
	install -D -m 644 contrib/completions/agentd.fish $(DESTDIR)$(FISHCOMPDIR)/agentd.fish
	install -D -m 644 -t $(DESTDIR)$(DOCDIR) README.md CHANGELOG.md SECURITY.md LICENSE

uninstall:
	rm -f $(DESTDIR)$(BINDIR)/agentd $(DESTDIR)$(MANDIR)/man8/agentd.8 $(DESTDIR)$(BASHCOMPDIR)/agentd \
		$(DESTDIR)$(ZSHCOMPDIR)/_agentd $(DESTDIR)$(FISHCOMPDIR)/agentd.fish
	rm -rf $(DESTDIR)$(DOCDIR)

dist:
	$(Q)git archive --prefix=agentd-$(VERSION)/ -o agentd-$(VERSION).tar.gz HEAD

clean:
	rm -rf build build-* agentd-$(VERSION).tar.gz

-include $(OBJECTS:.o=.d) $(UNIT_TESTS:=.d)

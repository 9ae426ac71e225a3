# agentd: plain GNU make and pkg-config, no configure step. V=1 shows the commands.
#
#   make                       build/agentd and build/agentd-canary
#   make check                 lint, unit tests, golden files, fuzz corpora: no privilege needed
#   make check-root            integration tests as root and, where there is an unprivileged user, as one
#   make check-vm              limits, OOM, devices and AppArmor in virtual machines (qemu)
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
VERSION := $(shell sed -n 's/^\#define AGENTD_VERSION "\(.*\)"/\1/p' runtime/version.h)
COMMIT := $(shell git rev-parse HEAD 2>/dev/null || echo unknown)

# Every variant has a directory of its own.
SANITIZE ?=
FAULTS ?=
VARIANT := $(if $(SANITIZE),-$(subst $(comma),-,$(SANITIZE)))$(if $(FAULTS),-faults)
comma := ,
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
LIBS := $(call static_or_shared,libseccomp,libseccomp.a) $(call static_or_shared,yajl,libyajl_s.a) \
	$(call static_or_shared,libcap,libcap.a) $(shell $(PKG_CONFIG) --libs libmnl)
PKG_CFLAGS := $(shell $(PKG_CONFIG) --cflags $(PACKAGES))

ALL_CFLAGS = -std=gnu11 $(CPPFLAGS) $(PKG_CFLAGS) $(CFLAGS) $(WARNINGS) $(HARDEN)

SOURCES := $(wildcard runtime/base/*.c spec/*.c isolation/*.c runtime/*.c)
OBJECTS := $(SOURCES:%.c=$(BUILD)/%.o)
LIBRARY := $(BUILD)/libagentd.a
UNIT_SOURCES := $(wildcard tests/unit/test_*.c)
UNIT_TESTS := $(UNIT_SOURCES:%.c=$(BUILD)/%)
FUZZ_SOURCES := $(wildcard tests/fuzz/fuzz_*.c)
CANARY_SOURCES := $(wildcard selftest/canary*.c)

Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-5s %s\n' '$(1)' '$(2)' &&)

.PHONY: all check check-unit check-golden check-fuzz check-root check-vm lint format format-check analyze fuzz coverage install \
	uninstall dist clean demo bench

all: $(BUILD)/agentd $(BUILD)/agentd-canary

$(BUILD)/agentd: $(BUILD)/runtime/main.o $(LIBRARY)
	$(call say,LD,$@) $(CC) $(ALL_CFLAGS) $(HARDEN_LINK) $(LDFLAGS) -o $@ $^ $(LIBS)

$(LIBRARY): $(filter-out $(BUILD)/runtime/main.o,$(OBJECTS))
	$(call say,AR,$@) rm -f $@ && $(AR) rcs $@ $^

# The payload of the tests and of selftest: static, and without anything of agentd in it.
$(BUILD)/agentd-canary: $(CANARY_SOURCES)
	@mkdir -p $(@D)
	$(call say,LD,$@) $(CC) -std=gnu11 -D_GNU_SOURCE -I. -O2 -g $(WARNINGS) -static -o $@ $^

$(BUILD)/runtime/version.o $(BUILD)/runtime/main.o: CPPFLAGS += -DAGENTD_COMMIT='"$(COMMIT)"'

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC,$<) $(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/tests/unit/test_%: tests/unit/test_%.c $(LIBRARY)
	@mkdir -p $(@D)
	$(call say,TEST,$@) $(CC) $(ALL_CFLAGS) -Wno-missing-prototypes -MMD -MP $(HARDEN_LINK) $(LDFLAGS) -o $@ $< $(LIBRARY) \
		$(LIBS) $(shell $(PKG_CONFIG) --libs cmocka)

-include $(OBJECTS:.o=.d) $(UNIT_TESTS:=.d)

# make            build build/puente               make demo    the main job, on five simulated registries
# make check      every test                       make bench   the floors, as JSON lines
# make check-long the tests that take minutes: kills, soak, torture (ONLY=kills: those alone)
# make fuzz       the fuzzers for long (FUZZ=json SECONDS=600)
# make dist-offline  one archive that installs and runs the demo without a network
# make lint       formatting and static checks     make install DESTDIR= PREFIX=/usr/local
#
# demo, check and bench install the Debian packages that they miss, and say which; nothing else installs anything.

BUILD ?= build
PREFIX ?= /usr/local
CC := gcc
VERSION := 0.1.0

PACKAGES := libcurl libxml-2.0 jansson libpq sqlite3 yaml-0.1 libsodium libssl libcrypto libzstd zlib icu-uc icu-i18n \
            libmicrohttpd libsystemd clp libgfshare
DEBIAN := libc6-dev tzdata pkg-config libcurl4-openssl-dev libxml2-dev libjansson-dev libpq-dev libsqlite3-dev libyaml-dev \
          libsodium-dev libssl-dev libzstd-dev zlib1g-dev libicu-dev libmicrohttpd-dev libsystemd-dev coinor-libclp-dev libgfshare-dev gettext iso-codes \
          ca-certificates
DEBIAN_CHECK := libcmocka-dev libglpk-dev libgnutls28-dev postgresql openssl clang-format clang-tidy clang libclang-rt-dev cppcheck \
                pmccabe sqlite3 man-db iproute2 systemd lld
export PUENTE_PACKAGES := $(PACKAGES)

CFLAGS ?= -O2 -g
WARNINGS := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wcast-qual \
            -Wwrite-strings -Wformat=2 -Wundef -Wvla
ALL_CFLAGS := -std=c17 -D_GNU_SOURCE -DPUENTE_VERSION='"$(VERSION)"' -I. $(WARNINGS) $(CFLAGS) -pthread \
              $(shell pkg-config --cflags $(PACKAGES) 2>/dev/null)
LIBRARIES := $(shell pkg-config --libs $(PACKAGES) 2>/dev/null) -pthread -lm
SANITIZE := -O1 -g1 -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer

# Tests start thousands of sanitized programs: at a fixed address, each has 1,800 pages less to mend.
FIXED = $(if $(findstring -fsanitize=address,$(CFLAGS)),-no-pie)

MAIN := core/main.c
LIBRARY_SOURCES := $(filter-out $(MAIN),$(sort $(shell find core connectors mapping -name '*.c')))
OBJECTS := $(LIBRARY_SOURCES:%.c=$(BUILD)/obj/%.o)
SIMULATOR := $(sort $(shell find examples/peru/simulator -name '*.c' 2>/dev/null))
TESTS := $(sort $(shell find tests -name 'test_*.c'))
TEST_HELPERS := $(sort $(wildcard tests/support/*.c))
# The kills come last, and so does their line of counts.
LONG := $(sort $(shell find tests/long -name 'long_*.c' ! -name long_kills.c)) tests/long/long_kills.c
FUZZERS := $(sort $(wildcard tests/fuzz/fuzz_*.c))
# What the fuzzers link, and no more: of linkage the reading of its files, of the store the text of identities.
FUZZED := $(sort $(shell find core/base core/model core/schedule connectors mapping -name '*.c') \
            $(filter-out $(MAIN),$(wildcard core/*.c)) $(wildcard core/link/plan*.c core/link/model*.c core/link/agglomerate*.c) \
            $(patsubst %,core/%.c,link/cluster_facts link/explain link/partition link/train store/identity store/value))
BENCHES := $(sort $(shell find tests/bench -name 'bench_*.c'))
LANGUAGES := $(patsubst po/%.po,%,$(wildcard po/*.po))
CATALOGS := $(LANGUAGES:%=$(BUILD)/locale/%/LC_MESSAGES/puente.mo)

# For makes that build: as many at a time as there are processors, where no number was told.
PARALLEL = $(if $(filter -j% --jobserver%,$(MAKEFLAGS)),,-j$(shell nproc))

.PHONY: all tests sanitized test check check-long fuzzers fuzz demo bench lint format messages install clean deps deps-check dist-offline
.DELETE_ON_ERROR:
.SECONDARY:

all: $(BUILD)/puente $(BUILD)/puente.1 $(BUILD)/audit-verify $(CATALOGS)

# ---- the program ----

$(BUILD)/configured:
	@pkg-config --exists $(PACKAGES) 2>/dev/null || { echo "puente: libraries are missing: run 'make deps' (installs them)" >&2; exit 1; }
	@mkdir -p $(BUILD) && touch $@

$(BUILD)/obj/%.o: %.c Makefile | $(BUILD)/configured
	@mkdir -p $(@D)
	@echo "  CC $<"
	@$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/libpuente.a: $(OBJECTS)
	@rm -f $@ && ar rcs $@ $^

$(BUILD)/puente: $(BUILD)/obj/$(MAIN:.c=.o) $(BUILD)/libpuente.a
	@echo "  LD $@"
	@$(CC) $(CFLAGS) $(FIXED) -o $@ $^ $(LIBRARIES)

$(BUILD)/puente-simulator: $(SIMULATOR:%.c=$(BUILD)/obj/%.o) $(BUILD)/libpuente.a
	@echo "  LD $@"
	@$(CC) $(CFLAGS) $(FIXED) -o $@ $^ $(LIBRARIES)

# The second verifier of the audit log: a file of its own, on purpose without anything of the program's.
$(BUILD)/audit-verify: examples/audit/verify.c | $(BUILD)/configured
	@echo "  LD $@"
	@$(CC) -std=c17 -D_GNU_SOURCE -O2 $(WARNINGS) -o $@ $< -lcrypto

$(BUILD)/puente.1: $(BUILD)/puente scripts/manpage.sh
	@scripts/manpage.sh $(BUILD)/puente >$@

$(BUILD)/locale/%/LC_MESSAGES/puente.mo: po/%.po
	@mkdir -p $(@D)
	@msgfmt --check --output-file=$@ $<

# ---- tests: one program a file, the whole library and tests/support linked in ----

# Hundreds of programs with sanitizers are linked: lld needs a fraction of the time.
FAST_LINK := $(FIXED) $(if $(shell command -v ld.lld),-fuse-ld=lld)

$(BUILD)/tests/%: $(BUILD)/obj/tests/%.o $(TEST_HELPERS:%.c=$(BUILD)/obj/%.o) $(BUILD)/libpuente.a
	@mkdir -p $(@D)
	@$(CC) $(CFLAGS) $(FAST_LINK) -o $@ $^ -lcmocka -lgnutls -lglpk $(LIBRARIES)

# Torture: calls of Puente's own go through wrappers that let them fail (tests/torture/inject.h).
TORTURE := $(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard tests/torture/[!t]*.c tests/torture/torture.c))
$(BUILD)/tests/torture/test_torture: $(BUILD)/obj/tests/torture/test_torture.o $(TORTURE) $(TEST_HELPERS:%.c=$(BUILD)/obj/%.o) $(BUILD)/libpuente.a
	@mkdir -p $(@D)
	@$(CC) $(CFLAGS) $(FAST_LINK) -rdynamic -o $@ $^ $$(nm $(TORTURE) | sed -n 's/.* T __wrap_/-Wl,--wrap=/p') \
	  -lcmocka -lgnutls -lglpk $(LIBRARIES)

tests: $(TESTS:%.c=$(BUILD)/%)

# The same build with sanitizers, in a folder of its own.
sanitized:
	@$(MAKE) --no-print-directory $(PARALLEL) BUILD=$(BUILD)/sanitized CFLAGS="$(SANITIZE)" $(if $(wildcard $(MAIN)),all) $(BUILD)/sanitized/libpuente.a tests $(BUILD)/sanitized/audit-verify \
	  $(if $(SIMULATOR),$(BUILD)/sanitized/puente-simulator)

# The longest ones first, so that none is left alone at the end.
SLOW := tests/torture/test_torture.c \
        $(patsubst %,tests/%.c,core/sync/test_crash integration/test_consent fault/test_kills integration/test_serve \
          integration/test_erase_midway integration/test_succession fault/test_store_faults integration/test_erase \
          core/command/test_approve_command core/command/test_approve_weights core/service/test_releasing core/command/test_roles_command \
          fault/test_faults core/store/test_backup core/command/test_audit_command)

# `make test ONLY=plan` runs the tests whose path has "plan".
test: sanitized
	@BUILD=$(BUILD)/sanitized scripts/test.sh "$(ONLY)" $(SLOW:%.c=$(BUILD)/sanitized/%) \
	  $(patsubst %.c,$(BUILD)/sanitized/%,$(filter-out $(SLOW),$(TESTS)))

# ---- fuzzers: libFuzzer, built by clang in a folder of their own ----

$(BUILD)/libfuzzed.a: $(FUZZED:%.c=$(BUILD)/obj/%.o) $(BUILD)/obj/tests/fuzz/fuzz.o $(BUILD)/obj/tests/support/pieces.o
	@rm -f $@ && ar rcs $@ $^

$(BUILD)/tests/fuzz/fuzz_%: $(BUILD)/obj/tests/fuzz/fuzz_%.o $(BUILD)/libfuzzed.a
	@mkdir -p $(@D)
	@$(CC) $(CFLAGS) -fsanitize=fuzzer -o $@ $^ $(LIBRARIES)

# The warnings are gcc's.
fuzzers:
	@$(MAKE) --no-print-directory $(PARALLEL) BUILD=$(BUILD)/fuzz CC=clang WARNINGS= CFLAGS="$(SANITIZE) -fsanitize=fuzzer-no-link" \
	  $(FUZZERS:%.c=$(BUILD)/fuzz/%)

# `make fuzz FUZZ=json SECONDS=600`; without FUZZ all of them, one after the other.
fuzz: deps-check
	@$(MAKE) --no-print-directory fuzzers
	@BUILD=$(BUILD)/fuzz scripts/fuzz.sh long "$(FUZZ)" "$(SECONDS)"

# deps comes first in a make of its own, so that pkg-config finds what was just installed.
check: deps-check
	@$(MAKE) --no-print-directory lint
	@$(MAKE) --no-print-directory $(PARALLEL) all
	@BUILD=$(BUILD) scripts/test-install.sh
	@$(MAKE) --no-print-directory dist-offline
	@BUILD=$(BUILD) scripts/test-offline.sh
	@$(MAKE) --no-print-directory test
	@$(MAKE) --no-print-directory fuzzers
	@BUILD=$(BUILD)/fuzz scripts/fuzz.sh short

# Without sanitizers and on a disk: processes are killed, and memory measured, as they run in a ministry. Torture is with them.
LONG_TORTURE := $(BUILD)/sanitized/tests/torture/test_torture
check-long: deps-check
	@$(MAKE) --no-print-directory $(PARALLEL) all $(BUILD)/puente-simulator $(LONG:%.c=$(BUILD)/%)
	@$(MAKE) --no-print-directory $(PARALLEL) BUILD=$(BUILD)/sanitized CFLAGS="$(SANITIZE)" $(LONG_TORTURE)
	@TORTURE=paths BUILD=$(BUILD) TMPDIR=$${TMPDIR:-/tmp} scripts/test.sh "$(ONLY)" $(LONG_TORTURE) $(LONG:%.c=$(BUILD)/%)

lint:
	@scripts/lint.sh deep

format:
	@clang-format -i $(shell find core connectors mapping tests examples -name '*.[ch]')

# ---- the demo and the benchmarks ----

demo: deps
	@$(MAKE) --no-print-directory $(PARALLEL) all $(BUILD)/puente-simulator
	@BUILD=$(BUILD) examples/peru/demo.sh

bench: deps-check
	@$(MAKE) --no-print-directory $(PARALLEL) all $(BENCHES:%.c=$(BUILD)/%) $(BUILD)/puente-simulator
	@BUILD=$(BUILD) tests/bench/run.sh $(CASE)

# ---- one archive that installs and runs without a network ----

dist-offline: deps
	@$(MAKE) --no-print-directory $(PARALLEL) all $(BUILD)/puente-simulator
	@BUILD=$(BUILD) scripts/dist-offline.sh $(VERSION)

# ---- packages ----

deps:
	@scripts/install-packages.sh $(DEBIAN)
deps-check:
	@scripts/install-packages.sh $(DEBIAN) $(DEBIAN_CHECK)

# ---- messages: po/puente.pot from the sources, merged into each language ----

messages:
	@xgettext --from-code=UTF-8 --keyword=_ --keyword=N_ --add-comments=translators --no-location --sort-output \
	  --package-name=puente --package-version=$(VERSION) -o po/puente.pot \
	  $(sort $(shell find core connectors mapping -name '*.[ch]'))
	@for po in po/*.po; do msgmerge --quiet --width=100 --update --no-fuzzy-matching --backup=none $$po po/puente.pot; \
	  msgfmt --statistics -o /dev/null $$po; done

# ---- installation ----

install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/lib/pkgconfig $(DESTDIR)$(PREFIX)/share/puente
	install -m 755 $(BUILD)/puente $(DESTDIR)$(PREFIX)/bin/puente
	install -m 644 $(BUILD)/libpuente.a $(DESTDIR)$(PREFIX)/lib/libpuente.a
	find core connectors mapping -name '*.h' -exec install -D -m 644 {} $(DESTDIR)$(PREFIX)/include/puente/{} \;
	sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@VERSION@|$(VERSION)|' -e 's|@PACKAGES@|$(PACKAGES)|' docs/puente.pc.in \
	  >$(DESTDIR)$(PREFIX)/lib/pkgconfig/puente.pc
	find config -path config/systemd -prune -o -type f -exec install -D -m 644 {} $(DESTDIR)$(PREFIX)/share/puente/{} \;
	install -d $(DESTDIR)$(PREFIX)/lib/systemd/system
	for unit in config/systemd/*; do sed 's|@PREFIX@|$(PREFIX)|' $$unit \
	  >$(DESTDIR)$(PREFIX)/lib/systemd/system/$${unit##*/}; done
	for l in $(LANGUAGES); do install -D -m 644 $(BUILD)/locale/$$l/LC_MESSAGES/puente.mo \
	  $(DESTDIR)$(PREFIX)/share/locale/$$l/LC_MESSAGES/puente.mo; done
	install -D -m 644 $(BUILD)/puente.1 $(DESTDIR)$(PREFIX)/share/man/man1/puente.1
	install -D -m 644 docs/completion.bash $(DESTDIR)$(PREFIX)/share/bash-completion/completions/puente

clean:
	rm -rf $(BUILD)

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)

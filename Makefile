# make            build build/puente              make demo    the main job, on five simulated registries
# make check      every test                      make bench   the floors, as JSON lines
# make lint       formatting and static checks    make install DESTDIR= PREFIX=/usr/local
#
# demo, check and bench install the Debian packages that they miss, and say which; nothing else installs anything.

BUILD ?= build
PREFIX ?= /usr/local
CC ?= gcc
VERSION := 0.1.0

PACKAGES := libcurl libxml-2.0 jansson libpq sqlite3 yaml-0.1 libsodium libcrypto libzstd zlib icu-uc icu-i18n
CFLAGS ?= -O2 -g
WARNINGS := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wcast-qual \
            -Wwrite-strings -Wformat=2 -Wundef -Wvla
ALL_CFLAGS = -std=c17 -D_GNU_SOURCE -DPUENTE_VERSION='"$(VERSION)"' -I. $(WARNINGS) $(CFLAGS) -pthread \
             $(shell pkg-config --cflags $(PACKAGES) 2>/dev/null)
LIBRARIES = $(shell pkg-config --libs $(PACKAGES) 2>/dev/null) -pthread -lm
SANITIZE := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer

SOURCES := $(sort $(shell find core connectors mapping -name '*.c'))
MAIN := core/main.c
LIBRARY_SOURCES := $(filter-out $(MAIN),$(SOURCES))
OBJECTS := $(LIBRARY_SOURCES:%.c=$(BUILD)/obj/%.o)
TESTS := $(sort $(shell find tests -name 'test_*.c' 2>/dev/null))
TEST_HELPERS := $(sort $(shell find tests/support -name '*.c' 2>/dev/null))
TEST_PROGRAMS := $(TESTS:%.c=$(BUILD)/%)

.PHONY: all sanitized tests test demo check bench lint format install clean
.DELETE_ON_ERROR:

all: $(BUILD)/puente

$(BUILD)/libpuente.a: $(OBJECTS)
	@rm -f $@ && ar rcs $@ $^

$(BUILD)/puente: $(BUILD)/obj/$(MAIN:.c=.o) $(BUILD)/libpuente.a
	$(CC) $(CFLAGS) -o $@ $^ $(LIBRARIES)

$(BUILD)/obj/%.o: %.c Makefile
	@mkdir -p $(@D)
	@echo "  CC $<"
	@$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# Tests: one program a file, the whole library and tests/support linked in.
$(BUILD)/tests/%: $(BUILD)/obj/tests/%.o $(TEST_HELPERS:%.c=$(BUILD)/obj/%.o) $(BUILD)/libpuente.a
	@mkdir -p $(@D)
	@$(CC) $(CFLAGS) -o $@ $^ -lcmocka $(LIBRARIES)
.SECONDARY:

tests: $(TEST_PROGRAMS)

# The same build again with sanitizers, in a folder of its own; `make test ONLY=plan` runs those whose path has "plan".
sanitized:
	@$(MAKE) --no-print-directory BUILD=$(BUILD)/sanitized CFLAGS="$(SANITIZE)" all tests

test: sanitized
	@for t in $(filter $(if $(ONLY),%,%),$(TESTS:%.c=$(BUILD)/sanitized/%)); do \
	  case $$t in *$(ONLY)*) ./$$t || exit 1;; esac; done

format:
	@clang-format -i $(shell find core connectors mapping tests examples -name '*.[ch]')

clean:
	rm -rf $(BUILD)

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)

# ajob: build, test, install. `make help` lists the targets.
#
# PROFILE=release|debug|asan|ubsan|cov chooses flags and build/$(PROFILE)/;
# CFLAGS, CPPFLAGS, LDFLAGS, CC, PREFIX and DESTDIR are the caller's.

PROFILE ?= release
PREFIX ?= /usr/local
BINDIR ?= $(PREFIX)/bin
LIBDIR ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
MANDIR ?= $(PREFIX)/share/man
BASHDIR ?= $(PREFIX)/share/bash-completion/completions
ZSHDIR ?= $(PREFIX)/share/zsh/site-functions
FISHDIR ?= $(PREFIX)/share/fish/vendor_completions.d
CC ?= cc
PKG_CONFIG ?= pkg-config
INSTALL ?= install
OBJCOPY ?= objcopy

VERSION := $(shell sed -n 's/^\#define AJOB_VERSION "\(.*\)"/\1/p' lib/ajob.h)
SOVERSION := 0
BUILD := build/$(PROFILE)

# ---- what is asked of the system ------------------------------------------

PACKAGES := libcurl libuv libcjson libcrypto
NEEDS := 'libcurl >= 7.85' 'libuv >= 1.41' 'libcjson >= 1.7.13' 'libcrypto >= 3.0'
GOALS := $(or $(MAKECMDGOALS),all)
ifneq ($(filter-out help deps check-deps clean uninstall demo check lint,$(GOALS)),)
PACKAGE_ERROR := $(shell $(PKG_CONFIG) --print-errors --exists $(NEEDS) 2>&1 || echo missing)
ifneq ($(PACKAGE_ERROR),)
$(error $(PACKAGE_ERROR). Run `make deps` to install what the build needs)
endif
PACKAGE_CFLAGS := $(shell $(PKG_CONFIG) --cflags $(PACKAGES))
PACKAGE_LIBS := $(shell $(PKG_CONFIG) --libs $(PACKAGES))
endif

# ---- flags -----------------------------------------------------------------

WARNINGS := -Wall -Wextra -Wshadow -Wvla -Walloca -Wformat=2 -Wstrict-prototypes \
	-Wmissing-prototypes -Wwrite-strings -Wconversion -Wno-sign-conversion -Wundef
ifdef WERROR
WARNINGS += -Werror
endif
SECTIONS := -ffunction-sections -fdata-sections
PROFILE_CFLAGS_release := -O2 -g -D_FORTIFY_SOURCE=2 -fstack-protector-strong -DNDEBUG
PROFILE_CFLAGS_debug := -O0 -g3 -DAJOB_DEBUG
PROFILE_CFLAGS_asan := -O1 -g -DAJOB_DEBUG -fsanitize=address -fno-omit-frame-pointer
PROFILE_CFLAGS_ubsan := -O1 -g -DAJOB_DEBUG -fsanitize=undefined -fno-sanitize-recover=all
PROFILE_CFLAGS_cov := -O0 -g --coverage
PROFILE_LDFLAGS_release := -Wl,-z,relro,-z,now
PROFILE_LDFLAGS_asan := -fsanitize=address
PROFILE_LDFLAGS_ubsan := -fsanitize=undefined
PROFILE_LDFLAGS_cov := --coverage
ifeq ($(shell uname -s),Darwin)
PROFILE_LDFLAGS_release :=
SHARED_NAME := libajob.$(SOVERSION).dylib
SHARED_LINK := libajob.dylib
SHARED_FLAGS = -dynamiclib -install_name $(LIBDIR)/$(SHARED_NAME)
LOCALIZE = :
else
SHARED_NAME := libajob.so.$(SOVERSION)
SHARED_LINK := libajob.so
SHARED_FLAGS = -shared -Wl,-soname,$(SHARED_NAME)
LOCALIZE = $(OBJCOPY) --localize-hidden $@
endif
ifndef PROFILE_CFLAGS_$(PROFILE)
$(error PROFILE=$(PROFILE): not one of release, debug, asan, ubsan, cov)
endif

ALL_CPPFLAGS = -D_GNU_SOURCE -Ilib $(PACKAGE_CFLAGS) $(CPPFLAGS)
ALL_CFLAGS = -std=c11 $(WARNINGS) -fPIC -fvisibility=hidden $(SECTIONS) \
	$(PROFILE_CFLAGS_$(PROFILE)) $(CFLAGS)
ALL_LDFLAGS = $(PROFILE_LDFLAGS_$(PROFILE)) $(LDFLAGS)
Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-5s %s\n' $(1) $@)
COMPILE = $(CC) $(ALL_CPPFLAGS) -include lib/base/banned.h $(ALL_CFLAGS) -MMD -MP

LIB_SOURCES := $(wildcard lib/*.c lib/*/*.c)
CMD_SOURCES := $(wildcard cmd/*.c)
UNIT_SOURCES := $(wildcard tests/unit/*.c)
LIB_OBJECTS := $(LIB_SOURCES:%.c=$(BUILD)/%.o)
CMD_OBJECTS := $(CMD_SOURCES:%.c=$(BUILD)/%.o)
UNIT_TESTS := $(UNIT_SOURCES:%.c=$(BUILD)/%)
MANUALS := $(wildcard man/*.1)

# ---- building --------------------------------------------------------------

.PHONY: all
all: $(BUILD)/ajob $(BUILD)/libajob.a $(BUILD)/$(SHARED_NAME) ## build the program and the library (PROFILE=release)

$(BUILD)/ajob: $(CMD_OBJECTS) $(BUILD)/libajob.a
	$(call say,LINK)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(PACKAGE_LIBS) $(LDLIBS)

# One object in which only the public names are global: a program that links
# statically meets none of the library's own.
$(BUILD)/libajob.o: $(LIB_OBJECTS)
	$(call say,LD)
	$(Q)$(LD) -r -o $@ $^
	$(Q)$(LOCALIZE)

$(BUILD)/libajob.a: $(BUILD)/libajob.o
	$(call say,AR)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(BUILD)/$(SHARED_NAME): $(LIB_OBJECTS)
	$(call say,LINK)
	$(Q)$(CC) $(SHARED_FLAGS) $(ALL_LDFLAGS) -o $@ $^ $(PACKAGE_LIBS) $(LDLIBS)

$(BUILD)/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(COMPILE) -c -o $@ $<

# Unit tests see the library's inside; those of the views stand in for it.
VIEW_OBJECTS := $(filter %/term.o %/width.o $(BUILD)/cmd/view%,$(CMD_OBJECTS))

$(BUILD)/tests/unit/test_views%: tests/unit/test_views%.c $(VIEW_OBJECTS) $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,LINK)
	$(Q)$(COMPILE) -Icmd $(ALL_LDFLAGS) -o $@ $< $(VIEW_OBJECTS) $(PACKAGE_LIBS)

$(BUILD)/tests/unit/%: tests/unit/%.c $(LIB_OBJECTS) $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,LINK)
	$(Q)$(COMPILE) $(ALL_LDFLAGS) -o $@ $< $(LIB_OBJECTS) $(PACKAGE_LIBS)

# Rebuilds everything when the flags change.
$(BUILD)/flags: FORCE
	@mkdir -p $(@D)
	@echo '$(COMPILE) $(ALL_LDFLAGS) $(PACKAGE_LIBS)' | cmp -s - $@ || \
		echo '$(COMPILE) $(ALL_LDFLAGS) $(PACKAGE_LIBS)' > $@

.PHONY: FORCE
FORCE:

-include $(LIB_OBJECTS:.o=.d) $(CMD_OBJECTS:.o=.d) $(UNIT_TESTS:=.d)

.PHONY: unit
unit: $(UNIT_TESTS)

.PHONY: clean
clean: ## remove everything that was built
	rm -rf build

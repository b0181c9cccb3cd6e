# ajob: build, test, install. `make help` lists the targets.
#
# PROFILE=release|debug|asan|ubsan|cov|fuzz chooses flags and build/$(PROFILE)/;
# LAZY=no links libcurl and libcrypto instead of loading them when they are used;
# CFLAGS, CPPFLAGS, LDFLAGS, CC, PREFIX and DESTDIR are the caller's. V=1 shows
# the commands, WERROR=1 makes warnings errors.

PROFILE ?= release
PREFIX ?= /usr/local
BINDIR ?= $(PREFIX)/bin
LIBDIR ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
MANDIR ?= $(PREFIX)/share/man
SCHEMADIR ?= $(PREFIX)/share/ajob
BASHDIR ?= $(PREFIX)/share/bash-completion/completions
ZSHDIR ?= $(PREFIX)/share/zsh/site-functions
FISHDIR ?= $(PREFIX)/share/fish/vendor_completions.d
CC ?= cc
PKG_CONFIG ?= pkg-config
INSTALL ?= install
OBJCOPY ?= objcopy
OBJDUMP ?= objdump

VERSION := $(shell sed -n 's/^\#define AJOB_VERSION "\(.*\)"/\1/p' lib/ajob.h)
SOVERSION := 0
BUILD := build/$(PROFILE)

# ---- what is asked of the system ------------------------------------------

# What, in which version, under which name: the table in tests/deps.
PACKAGES := libcurl libuv libcjson libcrypto
SYSTEM := $(shell uname -s)
ifeq ($(SYSTEM),Darwin)
BREW := $(shell brew --prefix)
export PKG_CONFIG_PATH := $(BREW)/opt/curl/lib/pkgconfig:$(BREW)/opt/openssl@3/lib/pkgconfig:$(PKG_CONFIG_PATH)
CPPFLAGS += -I$(BREW)/include
endif
LAZY ?= $(if $(filter Darwin,$(SYSTEM)),no,yes)
export CC CPPFLAGS PKG_CONFIG
BUILDS_NOTHING := help deps clean uninstall demo check bench torture lint fuzz faults
ifneq ($(filter-out $(BUILDS_NOTHING),$(or $(MAKECMDGOALS),all)),)
LACKING := $(shell CC='$(CC)' CPPFLAGS='$(CPPFLAGS)' PKG_CONFIG='$(PKG_CONFIG)' \
	tests/deps --check build 2>&1)
ifneq ($(LACKING),)
$(error $(LACKING). `make deps` installs what building needs)
endif
PACKAGE_CFLAGS := $(shell $(PKG_CONFIG) --cflags $(PACKAGES))
LAZY_LIBS := $(shell $(PKG_CONFIG) --libs libcurl libcrypto)
ifeq ($(LAZY),no)
PACKAGE_LIBS := $(shell $(PKG_CONFIG) --libs $(PACKAGES))
else
PACKAGE_LIBS := $(shell $(PKG_CONFIG) --libs $(filter-out libcurl libcrypto,$(PACKAGES))) -pthread -ldl
endif
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
PROFILE_CFLAGS_fuzz := -O1 -g -DAJOB_DEBUG -fsanitize=fuzzer-no-link,address,undefined \
	-fno-sanitize-recover=all -fno-omit-frame-pointer
PROFILE_LDFLAGS_release := -Wl,-z,relro,-z,now
PROFILE_LDFLAGS_asan := -fsanitize=address
PROFILE_LDFLAGS_ubsan := -fsanitize=undefined
PROFILE_LDFLAGS_cov := --coverage
PROFILE_LDFLAGS_fuzz := -fsanitize=address,undefined
ifeq ($(SYSTEM),Darwin)
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
$(error PROFILE=$(PROFILE): not one of release, debug, asan, ubsan, cov, fuzz)
endif

LAZY_CPPFLAGS = $(if $(filter no,$(LAZY)),,-DAJOB_LAZY -I$(BUILD))
ALL_CPPFLAGS = -D_GNU_SOURCE -Ilib $(LAZY_CPPFLAGS) $(PACKAGE_CFLAGS) $(CPPFLAGS)
ALL_CFLAGS = -std=c11 $(WARNINGS) -fPIC -fvisibility=hidden $(SECTIONS) \
	$(PROFILE_CFLAGS_$(PROFILE)) $(CFLAGS)
ALL_LDFLAGS = $(PROFILE_LDFLAGS_$(PROFILE)) $(LDFLAGS)
Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-5s %s\n' $(1) $@)
COMPILE = $(CC) $(ALL_CPPFLAGS) -include lib/base/banned.h $(ALL_CFLAGS) -MMD -MP

LIB_SOURCES := $(wildcard lib/*.c lib/*/*.c)
ifeq ($(LAZY),no)
LIB_SOURCES := $(filter-out %/lazy.c lib/net/lazy_%.c,$(LIB_SOURCES))
endif
CMD_SOURCES := $(wildcard cmd/*.c)
UNIT_SOURCES := $(wildcard tests/unit/*.c)
FUZZ_SOURCES := $(wildcard tests/fuzz/fuzz_*.c)
LIB_OBJECTS := $(LIB_SOURCES:%.c=$(BUILD)/%.o)
CMD_OBJECTS := $(CMD_SOURCES:%.c=$(BUILD)/%.o)
UNIT_TESTS := $(UNIT_SOURCES:%.c=$(BUILD)/%)
FUZZERS := $(FUZZ_SOURCES:%.c=$(BUILD)/%)
MANUALS := $(wildcard man/*.[1-9])

# ---- building --------------------------------------------------------------

.PHONY: all
all: $(BUILD)/ajob $(BUILD)/libajob.a $(BUILD)/$(SHARED_NAME) ## build the program and the library (LAZY=no: link libcurl, do not load it at need)

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

# The files to load are those that a program linked here would have needed.
$(BUILD)/lib/net/lazy_curl.o $(BUILD)/lib/net/lazy_crypto.o: $(BUILD)/lazy_names.h

$(BUILD)/lazy_names.h: $(BUILD)/flags
	$(call say,FIND)
	$(Q)printf '%s\n' 'char curl_url(void), EVP_md5(void);' 'int main(void) {return curl_url() + EVP_md5();}' | \
		$(CC) $(LDFLAGS) -w -x c -o $@.probe - $(LAZY_LIBS)
	$(Q)$(OBJDUMP) -p $@.probe | sed -n 's/.*NEEDED *\(lib\(curl\|crypto\)[^ ]*\)$$/\2 \1/p' | \
		awk '{printf "#define LIB%s_FILE \"%s\"\n", toupper($$1), $$2} END {exit NR != 2}' >$@.new || \
		{ echo 'libcurl or libcrypto is no shared library here: make LAZY=no' >&2; exit 1; }
	$(Q)rm $@.probe && mv $@.new $@

# Unit tests see the library's inside; those of the views stand in for it.
VIEW_OBJECTS := $(filter %/term.o %/width.o $(BUILD)/cmd/view%,$(CMD_OBJECTS))

$(BUILD)/tests/unit/test_view%: tests/unit/test_view%.c $(VIEW_OBJECTS) $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,LINK)
	$(Q)$(COMPILE) -Icmd $(ALL_LDFLAGS) -o $@ $< $(VIEW_OBJECTS) $(PACKAGE_LIBS)

$(BUILD)/tests/unit/test_each_template: tests/unit/test_each_template.c $(BUILD)/cmd/each_template.o $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,LINK)
	$(Q)$(COMPILE) $(ALL_LDFLAGS) -o $@ $< $(BUILD)/cmd/each_template.o

$(BUILD)/tests/unit/%: tests/unit/%.c $(LIB_OBJECTS) $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,LINK)
	$(Q)$(COMPILE) $(ALL_LDFLAGS) -o $@ $< $(LIB_OBJECTS) $(PACKAGE_LIBS)

# libFuzzer's main, or elsewhere one that feeds the seeds.
FUZZ_MAIN := $(if $(filter fuzz,$(PROFILE)),,$(BUILD)/tests/fuzz/replay.o)

.SECONDARY: $(FUZZ_MAIN)
$(BUILD)/tests/fuzz/fuzz_%: tests/fuzz/fuzz_%.c $(FUZZ_MAIN) $(LIB_OBJECTS) $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,LINK)
	$(Q)$(COMPILE) $(ALL_LDFLAGS) $(if $(FUZZ_MAIN),,-fsanitize=fuzzer) -o $@ $< $(FUZZ_MAIN) \
		$(LIB_OBJECTS) $(PACKAGE_LIBS)

# Rebuilds everything when the flags change.
$(BUILD)/flags: FORCE
	@mkdir -p $(@D)
	@echo '$(COMPILE) $(ALL_LDFLAGS) $(PACKAGE_LIBS) $(LAZY_LIBS)' | cmp -s - $@ || \
		echo '$(COMPILE) $(ALL_LDFLAGS) $(PACKAGE_LIBS) $(LAZY_LIBS)' > $@

.PHONY: FORCE
FORCE:

-include $(LIB_OBJECTS:.o=.d) $(CMD_OBJECTS:.o=.d) $(UNIT_TESTS:=.d) $(FUZZERS:=.d) $(FUZZ_MAIN:.o=.d)

.PHONY: unit
unit: $(UNIT_TESTS) $(FUZZERS)

# ---- trying and testing ----------------------------------------------------

# These install what they need first, and build in a make of their own that
# sees it, in parallel unless the caller said how.
CPUS = $(shell getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)
REMAKE = $(MAKE) --no-print-directory $(if $(filter -j% --jobserver%,$(MAKEFLAGS)),,-j$(CPUS))
.PHONY: deps demo check fuzz faults bench torture lint drift floors
deps: ## install what building and using it needs, by the system's package manager
	@tests/deps build use

demo: ## build, and watch a release being downloaded from a test server
	@tests/deps build use demo
	@$(REMAKE) all
	@AJOB=$(BUILD)/ajob tests/demo

check: ## install what tests need, build, run every test
	@tests/deps build use test
	@$(REMAKE) check-run

# A sanitizer's report is a fault of ajob's own, and ends it.
TESTS ?= $(UNIT_TESTS) $(FUZZERS) $(wildcard tests/bats/*.bats)
.PHONY: check-run
check-run: export ASAN_OPTIONS = detect_leaks=1:detect_stack_use_after_return=1:exitcode=125
check-run: export UBSAN_OPTIONS = print_stacktrace=1:halt_on_error=1:exitcode=125
check-run: all $(filter $(BUILD)/%,$(TESTS)) ## run every test, or TESTS="FILE...", with PROFILE's build
	@AJOB=$(BUILD)/ajob tests/run $(TESTS)

faults: ## build, and let every allocation of many runs fail, one by one (PROFILE=asan sees leaks)
	@tests/deps build use test
	@$(REMAKE) all
	@AJOB=$(BUILD)/ajob tests/faults

# Ten seconds for each are for the one who changed something; FUZZ="NAME..." are some.
fuzz: ## look for inputs that break what parses (clang; FUZZ_SECONDS=600 for each)
	@tests/deps build fuzz
	@$(REMAKE) PROFILE=fuzz CC=clang unit-fuzz
	@tests/fuzz/run $(FUZZ)

.PHONY: unit-fuzz
unit-fuzz: $(FUZZERS)

bench: ## measure downloads (curl, aria2, wget2, axel) and commands (make, xargs, ninja), side by side
	@tests/deps build bench
	@$(REMAKE) all
	@AJOB=$(BUILD)/ajob tests/bench/run
	@AJOB=$(BUILD)/ajob tests/bench/commands
	@AJOB=$(BUILD)/ajob tests/bench/hard

torture: ## kill downloads at 300 random moments, or as many as KILLS says (SEED=N: the same again)
	@tests/deps build use test
	@$(REMAKE) all
	@AJOB=$(BUILD)/ajob $${PYTHON:-python3} tests/torture.py $(if $(KILLS),--kills $(KILLS)) $(if $(SEED),--seed $(SEED))

lint: ## warnings as errors, formatting, shell scripts, manual pages
	@tests/deps build lint
	@tests/run tests/lint

floors: ## do includes point down only; does each header stand alone
	@tests/run tests/floors

drift: $(BUILD)/ajob ## do completions and manual agree with the option tables
	@AJOB=$(BUILD)/ajob tests/drift

# ---- installing ------------------------------------------------------------

# man/X.5 goes to man5.
manual_place = $(MANDIR)/man$(patsubst .%,%,$(suffix $(1)))/$(notdir $(1))
# DESTDIR stands before each, for packagers.
INSTALLED = $(BINDIR)/ajob $(INCLUDEDIR)/ajob.h $(LIBDIR)/libajob.a $(LIBDIR)/$(SHARED_NAME) \
	$(LIBDIR)/$(SHARED_LINK) $(LIBDIR)/pkgconfig/ajob.pc \
	$(foreach page,$(MANUALS),$(call manual_place,$(page))) $(SCHEMADIR)/ajob.schema.json \
	$(BASHDIR)/ajob $(ZSHDIR)/_ajob $(FISHDIR)/ajob.fish
# Directories that may be ours alone, innermost first.
OUR_DIRS = $(LIBDIR)/pkgconfig $(SCHEMADIR) $(foreach dir,$(BASHDIR) $(ZSHDIR) $(FISHDIR),$(dir) $(dir $(dir)))

.PHONY: install uninstall
install: all ## install under $(DESTDIR)$(PREFIX)
	$(INSTALL) -d $(addprefix $(DESTDIR),$(sort $(dir $(INSTALLED))))
	$(INSTALL) -m 755 $(BUILD)/ajob $(DESTDIR)$(BINDIR)/ajob
	$(INSTALL) -m 644 lib/ajob.h $(DESTDIR)$(INCLUDEDIR)/ajob.h
	$(INSTALL) -m 644 $(BUILD)/libajob.a $(DESTDIR)$(LIBDIR)/libajob.a
	$(INSTALL) -m 755 $(BUILD)/$(SHARED_NAME) $(DESTDIR)$(LIBDIR)/$(SHARED_NAME)
	ln -sf $(SHARED_NAME) $(DESTDIR)$(LIBDIR)/$(SHARED_LINK)
	$(foreach page,$(MANUALS),$(INSTALL) -m 644 $(page) $(DESTDIR)$(call manual_place,$(page)) &&) :
	$(INSTALL) -m 644 lib/spec/ajob.schema.json $(DESTDIR)$(SCHEMADIR)/ajob.schema.json
	$(INSTALL) -m 644 completions/ajob.bash $(DESTDIR)$(BASHDIR)/ajob
	$(INSTALL) -m 644 completions/_ajob $(DESTDIR)$(ZSHDIR)/_ajob
	$(INSTALL) -m 644 completions/ajob.fish $(DESTDIR)$(FISHDIR)/ajob.fish
	$(Q)printf '%s\n' $(PC_LINES) > $(DESTDIR)$(LIBDIR)/pkgconfig/ajob.pc
	$(Q)chmod 644 $(DESTDIR)$(LIBDIR)/pkgconfig/ajob.pc

# --static names the libraries that libajob.a needs, themselves shared: few
# systems have all that libcurl stands on as static libraries.
PC_LINES = 'prefix=$(PREFIX)' 'libdir=$(LIBDIR)' 'includedir=$(INCLUDEDIR)' '' 'Name: ajob' \
	'Description: Structured concurrency for downloads on a libuv loop' 'Version: $(VERSION)' \
	'Cflags: -I$${includedir}' 'Libs: -L$${libdir} -lajob' 'Libs.private: $(PACKAGE_LIBS)'

uninstall: ## remove what install put there
	rm -f $(addprefix $(DESTDIR),$(INSTALLED))
	-@rmdir $(addprefix $(DESTDIR),$(OUR_DIRS)) 2>/dev/null || :

# ---- the rest --------------------------------------------------------------

.PHONY: clean help
clean: ## remove everything that was built
	rm -rf build

help: ## list these targets
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/\1\t\2/p' Makefile | expand -t 12

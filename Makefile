# linbit-tunl.  `make help` lists the targets.
#
# A program's sources are one line below.  The builder's CFLAGS, CPPFLAGS and
# LDFLAGS are used as given; ours are added in front of them.

VERSION	:= 0.1.0

PREFIX	?= /usr/local
BINDIR	?= $(PREFIX)/bin
SBINDIR	?= $(PREFIX)/sbin
LIBEXECDIR ?= $(PREFIX)/libexec/linbit-tunl
MANDIR	?= $(PREFIX)/share/man
COMPLETIONDIR ?= $(PREFIX)/share/bash-completion/completions

CC	?= cc
CFLAGS	?= -O2 -g
SAN	?=
BUILD	?= build$(if $(SAN),/san)

comma	:= ,
STD	:= -std=c11 -D_GNU_SOURCE -DTUNL_VERSION='"$(VERSION)"' -Icommon
WARN	:= -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	   -Wpointer-arith -Wwrite-strings -Wformat=2 -Wvla -Wundef \
	   $(if $(WERROR),-Werror)
# _FORTIFY_SOURCE and the sanitizers exclude each other.
HARDEN	:= -fPIE -fstack-protector-strong \
	   $(if $(SAN),,-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3)
SANFLAGS := $(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=all \
	   -fno-omit-frame-pointer)

override CFLAGS := $(STD) $(WARN) $(HARDEN) $(SANFLAGS) -MMD -MP $(CFLAGS)
override LDFLAGS := -pie -Wl,-z,relro,-z,now,--as-needed $(SANFLAGS) $(LDFLAGS)

# ---- programs ---------------------------------------------------------------

relay-api_SRC := relay/api.c relay/notify.c relay/httpd.c relay/exchange.c relay/framing.c relay/listen.c relay/route.c relay/request.c relay/range.c relay/record.c relay/api_ops.c relay/api_metrics.c relay/api_upload.c relay/api_uploads.c relay/upload.c relay/intake.c relay/api_session.c relay/api_pending.c relay/api_sign.c relay/api_token.c relay/api_enroll.c relay/enrollment.c relay/api_throttle.c relay/throttle.c relay/token.c relay/forwarded.c relay/signer.c relay/cert.c relay/pubkey.c relay/secret.c relay/grant.c relay/grantdir.c relay/store.c relay/store_grant.c relay/store_token.c relay/store_failure.c relay/store_upload.c relay/sql.c relay/db.c relay/json.c relay/relayconf.c common/sid.c common/safetext.c common/log.c common/spawn.c common/files.c common/unix.c
relay-api_LIB := -lmicrohttpd -levent_core -lsqlite3 -lcjson -lcrypto -pthread
relay-share_SRC := relay/share.c relay/leg.c relay/produce.c relay/enroll.c relay/apicall.c relay/consume.c relay/lookup.c relay/attach.c relay/authinfo.c relay/keyfile.c relay/keeper.c relay/broker.c relay/inform.c relay/persist.c relay/state.c relay/customer.c relay/support.c relay/stream.c relay/recording.c relay/viewing.c relay/session.c relay/peer.c relay/ring.c relay/audit.c relay/chatlog.c relay/apilink.c relay/grant.c relay/relayconf.c common/cast.c common/casttext.c common/credit.c common/safetext.c common/sid.c common/log.c common/spawn.c common/files.c common/unix.c common/http.c
relay-share_LIB := -levent_core -lcjson
validate-token_SRC := relay/validate_token.c relay/apicall.c relay/relayconf.c common/http.c common/unix.c common/log.c common/files.c
validate-token_LIB :=
relay-principals_SRC := relay/principals.c relay/grant.c common/sid.c common/log.c common/files.c
relay-principals_LIB :=
linbit-tunl_SRC := customer/main.c customer/launch.c customer/hidden.c customer/server.c customer/settings.c customer/credentials.c customer/sign.c customer/signssh.c customer/sessiondir.c customer/hostinfo.c customer/daemon.c customer/fromrelay.c customer/link.c customer/child.c customer/faces.c customer/local.c customer/talk.c customer/info.c customer/panes.c customer/panepipe.c customer/pipe.c customer/pipehelper.c customer/paneshot.c customer/panekeys.c customer/panesize.c customer/control.c customer/tmux.c customer/tmuxcaps.c customer/capture.c customer/localcast.c customer/castkeep.c customer/snapshot.c customer/snapask.c customer/vtmodes.c customer/penguess.c customer/chatpane.c common/chatui.c common/chatscreen.c common/chatscroll.c common/chatwrap.c common/chatedit.c common/chatkey.c common/cast.c common/casttext.c common/safetext.c common/credit.c common/sid.c common/log.c common/spawn.c common/files.c common/unix.c
linbit-tunl_LIB := -levent_core -lcjson -lncursesw -ltinfo -ledit
tunl_SRC := support/tunl.c support/args.c support/say.c support/text.c support/table.c support/settings.c support/runtime.c support/relaycall.c support/sessions.c support/cmd_list.c support/cmd_show.c support/cmd_session.c support/cmd_control.c support/tmux.c support/join.c support/joinwin.c support/joinpane.c support/joinkeys.c support/joinfiles.c support/window.c support/poke.c support/leg.c support/legproc.c support/term.c support/view.c support/viewsize.c support/vtfilter.c support/vtrules.c support/chat.c common/chatui.c common/chatscreen.c common/chatscroll.c common/chatwrap.c common/chatedit.c common/chatkey.c common/safetext.c common/sid.c common/log.c common/spawn.c common/files.c common/unix.c common/http.c
tunl_LIB := -levent_core -lcjson -lncursesw -ltinfo -ledit

PROGRAMS := relay-api relay-share relay-principals validate-token linbit-tunl tunl

# ---- unit tests and fuzz targets: one file each, plus what it tests ----------

UNITS := $(basename $(notdir $(wildcard tests/unit/*_test.c)))
FUZZERS := $(basename $(notdir $(wildcard tests/fuzz/*_fuzz.c)))
# What a test or a fuzz target links besides its own file.
-include tests/unit/sources.mk

# -----------------------------------------------------------------------------

all: $(PROGRAMS:%=$(BUILD)/%)	## build every program

objs = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))

define program
$(BUILD)/$(1): $(call objs,$($(1)_SRC))
	$$(CC) $$(LDFLAGS) -o $$@ $$^ $($(1)_LIB)
endef
$(foreach p,$(PROGRAMS),$(eval $(call program,$(p))))

define unit
$(BUILD)/unit/$(1): $(call objs,tests/unit/$(1).c $($(1)_SRC))
	@mkdir -p $$(@D)
	$$(CC) $$(LDFLAGS) -o $$@ $$^ $($(1)_LIB) -lcmocka
endef
$(foreach t,$(UNITS),$(eval $(call unit,$(t))))

# The same target with a main() that replays files, and with libFuzzer.
define fuzzer
$(BUILD)/fuzz/$(1): $(call objs,tests/fuzz/$(1).c tests/fuzz/replay.c $($(1)_SRC))
	@mkdir -p $$(@D)
	$$(CC) $$(LDFLAGS) -o $$@ $$^ $($(1)_LIB)
$(BUILD)/libfuzzer/$(1): tests/fuzz/$(1).c $($(1)_SRC)
	@mkdir -p $$(@D)
	clang $(STD) -g -O1 -fsanitize=fuzzer,address,undefined \
	    -fno-sanitize-recover=all -o $$@ $$^ $($(1)_LIB)
endef
$(foreach f,$(FUZZERS),$(eval $(call fuzzer,$(f))))

# Prints the manual's table of verbs.
$(BUILD)/prototable: $(call objs,tests/unit/prototable.c)
	$(CC) $(LDFLAGS) -o $@ $^

$(BUILD)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

# ---- what a person calls ----------------------------------------------------

demo:	## show a customer's shell shared with an engineer, over a private relay
	@tests/deps build run
	@$(MAKE) --no-print-directory -s -j2 all
	@TUNL_BUILD=$(CURDIR)/$(BUILD) tests/demo

# What is not executable there is for the others to source.
SCRIPTS := $(sort $(shell find tests/integration -name '*.sh' -perm -u+x))

check:	## build and run every test (TESTS="name..." for some)
	@tests/deps build run check
	@$(MAKE) --no-print-directory -j2 all tests
	@TUNL_BUILD=$(CURDIR)/$(BUILD) tests/run $(or $(TESTS),\
	    $(UNITS:%=$(BUILD)/unit/%) $(FUZZERS:%=$(BUILD)/fuzz/%) $(SCRIPTS))

tests: $(UNITS:%=$(BUILD)/unit/%) $(FUZZERS:%=$(BUILD)/fuzz/%)

FUZZ_SECONDS ?= 60

fuzz:	## run every fuzz target for FUZZ_SECONDS (60) each
	@tests/deps build fuzz
	@$(MAKE) --no-print-directory $(FUZZERS:%=$(BUILD)/libfuzzer/%)
	@for f in $(FUZZERS); do \
	    mkdir -p $(BUILD)/corpus/$$f && \
	    echo "fuzz: $$f, $(FUZZ_SECONDS) s" && \
	    $(BUILD)/libfuzzer/$$f -max_total_time=$(FUZZ_SECONDS) \
		-verbosity=0 -print_final_stats=0 \
		-artifact_prefix=$(BUILD)/corpus/$$f- \
		$(BUILD)/corpus/$$f tests/fuzz/corpus/$${f%_fuzz} || exit 1; \
	done; echo "fuzz: nothing found"

include tests/bench/rules.mk

lint:	## compilers, cppcheck, shellcheck, mandoc, and our own rules
	@tests/deps build check lint
	@CC=$(CC) tests/lint

MAN1 := docs/linbit-tunl.1 docs/tunl.1
MAN7 := docs/linbit-tunl-protocol.7
MAN8 := docs/relay-api.8 docs/relay-share.8 docs/relay-principals.8 \
	docs/validate-token.8

install: all	## install below DESTDIR and PREFIX
	install -d $(addprefix $(DESTDIR),$(BINDIR) $(LIBEXECDIR) \
	    $(MANDIR)/man1 $(MANDIR)/man7 $(MANDIR)/man8 $(COMPLETIONDIR))
	install -m 755 $(BUILD)/linbit-tunl $(BUILD)/tunl $(DESTDIR)$(BINDIR)
	install -m 755 $(BUILD)/relay-api $(BUILD)/relay-share \
	    $(BUILD)/relay-principals $(BUILD)/validate-token \
	    $(DESTDIR)$(LIBEXECDIR)
	install -m 644 $(MAN1) $(DESTDIR)$(MANDIR)/man1
	install -m 644 $(MAN7) $(DESTDIR)$(MANDIR)/man7
	install -m 644 $(MAN8) $(DESTDIR)$(MANDIR)/man8
	install -m 644 support/completion/tunl.bash \
	    $(DESTDIR)$(COMPLETIONDIR)/tunl

uninstall:	## remove what install put there
	rm -f $(addprefix $(DESTDIR)$(BINDIR)/,linbit-tunl tunl) \
	    $(addprefix $(DESTDIR)$(MANDIR)/man1/,$(notdir $(MAN1))) \
	    $(addprefix $(DESTDIR)$(MANDIR)/man7/,$(notdir $(MAN7))) \
	    $(addprefix $(DESTDIR)$(MANDIR)/man8/,$(notdir $(MAN8))) \
	    $(DESTDIR)$(COMPLETIONDIR)/tunl
	rm -rf $(DESTDIR)$(LIBEXECDIR)

deps:	## install what building, running, testing and linting need
	@tests/deps build run check lint fuzz bench

help:	## this list
	@sed -n 's/^\([a-z][a-z-]*\):.*## */\1	/p' Makefile \
	    tests/bench/rules.mk | expand -t 12

clean:	## remove what was built
	rm -rf build

.PHONY: all tests demo check fuzz lint install uninstall deps help clean
.SECONDARY:
.DELETE_ON_ERROR:

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)

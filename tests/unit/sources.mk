# What each unit test and fuzz target links besides its own file: NAME_SRC the
# sources under test, NAME_LIB libraries (cmocka comes by itself).

# common/
sha256_test_SRC :=
num_test_SRC :=
proto_test_SRC :=
prototable_test_SRC :=
prototext_test_SRC :=
context_test_SRC := common/sid.c
sid_test_SRC := common/sid.c
http_test_SRC := common/http.c
log_test_SRC := common/log.c
files_test_SRC := common/files.c
spawn_test_SRC := common/spawn.c
unix_test_SRC := common/unix.c common/files.c
proto_fuzz_SRC :=
context_fuzz_SRC := common/sid.c
http_fuzz_SRC := common/http.c
cast_test_SRC := common/cast.c common/casttext.c common/safetext.c
cast_fuzz_SRC := common/casttext.c common/safetext.c

# the chat screen
chat_SRC := common/chatui.c common/chatscreen.c common/chatscroll.c \
	common/chatwrap.c common/chatedit.c common/chatkey.c \
	common/safetext.c common/files.c
chat_LIB := -levent_core -lncursesw -ltinfo -ledit
safetext_test_SRC := common/safetext.c
chatwrap_test_SRC := common/chatwrap.c common/safetext.c
chatkey_test_SRC := common/chatkey.c common/safetext.c
chatscroll_test_SRC := common/chatscroll.c common/chatwrap.c common/safetext.c
chatkey_fuzz_SRC := common/chatkey.c common/safetext.c
safetext_fuzz_SRC := common/safetext.c common/chatwrap.c

# A program that shows the chat screen, for tests/integration/chatui.sh.
.DEFAULT_GOAL := all
$(BUILD)/unit/chatui_demo: \
    $(patsubst %.c,$(BUILD)/obj/%.o,tests/unit/chatui_demo.c $(chat_SRC))
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $^ $(chat_LIB)
tests: $(BUILD)/unit/chatui_demo

# support/
vtfilter_test_SRC := support/vtfilter.c support/vtrules.c common/safetext.c
vtfilter_fuzz_SRC := support/vtfilter.c support/vtrules.c common/safetext.c

# customer/
tmux_test_SRC := customer/tmux.c
tmux_fuzz_SRC := customer/tmux.c
vtmodes_test_SRC := customer/vtmodes.c
vtmodes_fuzz_SRC := customer/vtmodes.c
penguess_test_SRC := customer/penguess.c customer/vtmodes.c
penguess_fuzz_SRC := customer/penguess.c customer/vtmodes.c
pipe_test_SRC := customer/pipe.c customer/pipehelper.c customer/tmux.c \
	common/files.c common/unix.c common/log.c common/sid.c common/spawn.c \
	customer/sessiondir.c customer/settings.c customer/tmuxcaps.c
pipe_test_LIB := -levent_core
snapshot_test_SRC := customer/snapshot.c customer/snapask.c customer/vtmodes.c
snapshot_test_LIB := -levent_core
snapshot_fuzz_SRC := customer/snapshot.c customer/snapask.c customer/vtmodes.c
snapshot_fuzz_LIB := -levent_core
tmuxcaps_test_SRC := customer/tmuxcaps.c common/spawn.c
capture_test_SRC := customer/capture.c common/credit.c
capture_test_LIB := -levent_core
settings_test_SRC := customer/settings.c customer/hostinfo.c \
	customer/tmuxcaps.c common/files.c common/sid.c common/spawn.c
talk_test_SRC := customer/talk.c customer/info.c common/safetext.c
talk_test_LIB := -lcjson
info_fuzz_SRC := customer/info.c common/safetext.c
info_fuzz_LIB := -lcjson
table_test_SRC := support/table.c support/text.c common/safetext.c common/log.c
tunlsettings_test_SRC := support/settings.c common/spawn.c

# relay/: the session certificate
cert_test_SRC := relay/cert.c relay/pubkey.c relay/authinfo.c
cert_test_LIB := -lcrypto

# The customer's tmux side by orders, for tests/integration/snapshot.sh.
panes_SRC := customer/panes.c customer/panepipe.c customer/pipe.c \
	customer/pipehelper.c customer/paneshot.c customer/panekeys.c \
	customer/panesize.c customer/tmuxcaps.c customer/server.c customer/control.c customer/tmux.c \
	customer/snapshot.c customer/snapask.c customer/vtmodes.c customer/penguess.c \
	common/log.c common/spawn.c \
	common/files.c common/unix.c customer/sessiondir.c customer/settings.c common/sid.c
$(BUILD)/unit/snapshot_demo: \
    $(patsubst %.c,$(BUILD)/obj/%.o,tests/unit/snapshot_demo.c $(panes_SRC))
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $^ -levent_core
tests: $(BUILD)/unit/snapshot_demo

# relay/: the session's broker and its legs
authinfo_test_SRC := relay/authinfo.c
authinfo_fuzz_SRC := relay/authinfo.c relay/keyfile.c common/safetext.c
keyfile_test_SRC := relay/keyfile.c common/safetext.c
attach_test_SRC := relay/attach.c common/sid.c
attach_fuzz_SRC := relay/attach.c common/sid.c
session_test_SRC := relay/session.c
session_fuzz_SRC := relay/session.c
ring_test_SRC := relay/ring.c
ring_fuzz_SRC := relay/ring.c
credit_test_SRC := common/credit.c
audit_test_SRC := relay/audit.c common/log.c common/files.c
state_test_SRC := relay/state.c
state_fuzz_SRC := relay/state.c
chatlog_test_SRC := relay/chatlog.c relay/audit.c common/log.c common/files.c \
	common/safetext.c
chatlog_fuzz_SRC := $(chatlog_test_SRC)

# relay/: the API's parts
grant_test_SRC := relay/grant.c common/sid.c common/files.c
relayconf_test_SRC := relay/relayconf.c common/files.c
json_test_SRC := relay/json.c common/safetext.c
json_test_LIB := -lcjson
route_test_SRC := relay/route.c relay/request.c relay/range.c relay/json.c \
	relay/token.c common/safetext.c common/sid.c common/files.c
route_test_LIB := -lcjson
store_SRC := relay/store.c relay/store_grant.c relay/store_token.c \
	relay/store_failure.c relay/store_upload.c relay/sql.c relay/db.c \
	relay/grant.c common/sid.c common/files.c common/log.c
store_test_SRC := $(store_SRC)
store_test_LIB := -lsqlite3
range_test_SRC := relay/range.c
range_fuzz_SRC := relay/range.c
intake_test_SRC := relay/intake.c common/files.c
intake_test_LIB := -lcrypto -pthread
pubkey_test_SRC := relay/pubkey.c
pubkey_test_LIB := -lcrypto
grant_fuzz_SRC := relay/grant.c common/sid.c common/files.c
relayconf_fuzz_SRC := relay/relayconf.c common/files.c
json_fuzz_SRC := $(json_test_SRC)
json_fuzz_LIB := -lcjson
target_fuzz_SRC := $(route_test_SRC)
target_fuzz_LIB := -lcjson
pubkey_fuzz_SRC := relay/pubkey.c
pubkey_fuzz_LIB := -lcrypto
settings_fuzz_SRC := customer/settings.c customer/tmuxcaps.c common/files.c \
	common/sid.c common/spawn.c

# A program that draws what a seed says, for tests/integration/fidelity.sh.
$(BUILD)/unit/vtgen: $(BUILD)/obj/tests/integration/vtgen.o
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $^
tests: $(BUILD)/unit/vtgen

# A bad link, for the tests of what a session does on one.
$(BUILD)/unit/forward: $(BUILD)/obj/tests/link/forward.o
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $^
tests: $(BUILD)/unit/forward

# relay/: one-time tokens
token_test_SRC := relay/token.c
throttle_test_SRC := relay/throttle.c relay/forwarded.c
storetoken_test_SRC := $(store_SRC)
storetoken_test_LIB := -lsqlite3
forwarded_fuzz_SRC := relay/throttle.c relay/forwarded.c
enrollment_test_SRC := relay/enrollment.c relay/token.c common/sid.c \
	common/files.c
enroll_fuzz_SRC := $(enrollment_test_SRC)

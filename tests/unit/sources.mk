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
vtfilter_test_SRC := support/vtfilter.c common/safetext.c
vtfilter_fuzz_SRC := support/vtfilter.c common/safetext.c

# customer/
tmux_test_SRC := customer/tmux.c
tmux_fuzz_SRC := customer/tmux.c
vtmodes_test_SRC := customer/vtmodes.c
vtmodes_fuzz_SRC := customer/vtmodes.c
snapshot_test_SRC := customer/snapshot.c customer/vtmodes.c
snapshot_test_LIB := -levent_core
snapshot_fuzz_SRC := customer/snapshot.c customer/vtmodes.c
snapshot_fuzz_LIB := -levent_core
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

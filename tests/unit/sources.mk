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

# What `make bench` builds of its own.

BENCH := bench-pane bench-probe bench-load bench-spawn bench-forward

bench-pane_SRC := tests/bench/pane.c common/files.c common/unix.c
bench-probe_SRC := tests/bench/probe.c common/files.c common/spawn.c
bench-probe_LIB := -lutil
bench-load_SRC := tests/bench/load.c
bench-spawn_SRC := tests/bench/spawn.c common/files.c common/spawn.c
bench-forward_SRC := tests/link/forward.c

define bench_program
$(BUILD)/bench/$(1): $(call objs,$($(1)_SRC))
	@mkdir -p $$(@D)
	$$(CC) $$(LDFLAGS) -o $$@ $$^ $($(1)_LIB)
endef
$(foreach p,$(BENCH),$(eval $(call bench_program,$(p))))

bench:	## measure beside the alternatives: build/bench/report.md (BENCH_FULL=1)
	@tests/deps build run bench
	@$(MAKE) --no-print-directory -s -j2 all $(BENCH:%=$(BUILD)/bench/%)
	@TUNL_BUILD=$(CURDIR)/$(BUILD) tests/bench/run

.PHONY: bench

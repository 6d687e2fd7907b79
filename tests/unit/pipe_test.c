/*
 * pipe_test.c - a pane's pipe: who is let in, in which order, and what goes
 * through.
 */
#include <sys/socket.h>
#include <sys/wait.h>

#include <event2/event.h>

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../customer/pipe.h"
#include "files.h"

static char	top[] = "/tmp/pipe_test.XXXXXX";	/* of this run */

struct world {
	struct event_base	*base;
	struct sessiondir	 sd;
	struct pipe		*pp;
	char			 got[256];
	size_t			 ngot;
	int			 opened, ended;
};

static void
output_cb(void *arg, const char *data, size_t len)
{
	struct world *w = arg;

	assert_true(len < sizeof w->got - w->ngot);
	memcpy(w->got + w->ngot, data, len);
	w->ngot += len;
	w->got[w->ngot] = '\0';
}

static void
open_cb(void *arg)
{
	((struct world *)arg)->opened++;
}

static void
end_cb(void *arg)
{
	((struct world *)arg)->ended++;
}

static const struct pipe_ops ops = { output_cb, open_cb, end_cb };

static int
setup(void **state)
{
	(void)state;
	return mkdtemp(top) == NULL ? -1 : 0;
}

static int
teardown(void **state)
{
	(void)state;
	return dir_remove(AT_FDCWD, top);
}

static void
begin(struct world *w)
{
	memset(w, 0, sizeof *w);
	(void)snprintf(w->sd.path, sizeof w->sd.path, "%s", top);
	w->base = event_base_new();
	w->pp = pipe_new(w->base, &w->sd, &ops, w);
	assert_non_null(w->pp);
}

static void
end(struct world *w)
{
	pipe_free(w->pp);
	event_base_free(w->base);
}

/* Until nothing more happens. */
static void
run(struct world *w)
{
	const struct timeval tv = { 0, 20000 };

	(void)event_base_loopexit(w->base, &tv);
	(void)event_base_dispatch(w->base);
}

/*
 * What tmux does with a pipe-pane: a helper with the other end of a pipe, of
 * which ours is returned.  TOKEN is the one of the last pipe_command() if it is
 * NULL.
 */
static int
start_helper(struct world *w, const char *token, pid_t *pid)
{
	char command[PIPE_COMMAND_MAX], *word;
	int fds[2];

	assert_int_equal(pipe_command(w->pp, command), 0);
	command[strlen(command) - 1] = '\0';	/* the quote */
	word = strrchr(command, ' ') + 1;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	*pid = fork();
	if (*pid == 0) {
		(void)dup2(fds[1], 0);
		(void)dup2(fds[1], 1);
		(void)close(fds[0]);
		(void)close(fds[1]);
		_exit(pipe_main(top, token != NULL ? token : word));
	}
	close(fds[1]);
	(void)fd_nonblock(fds[0], 1);
	return fds[0];
}

/* The exit status of a helper, which has to be served until it ends. */
static int
status_of(struct world *w, pid_t pid)
{
	int status, i;

	for (i = 0; i < 500 && waitpid(pid, &status, WNOHANG) == 0; i++)
		run(w);
	assert_true(i < 500);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void
octets_go_both_ways(void **state)
{
	struct world w;
	char buf[16];
	pid_t pid;
	int s;

	(void)state;
	begin(&w);
	s = start_helper(&w, NULL, &pid);
	assert_int_equal(write(s, "first", 5), 5);
	run(&w);
	assert_int_equal(status_of(&w, pid), 0);
	assert_int_equal(w.opened, 0);		/* tmux has not answered yet */
	assert_int_equal(w.ngot, 0);
	pipe_switch(w.pp);
	assert_int_equal(w.opened, 1);
	run(&w);
	assert_string_equal(w.got, "first");
	pipe_write(w.pp, "k\0y", 3);
	assert_int_not_equal(pipe_unread(w.pp), 0);
	assert_int_equal(read(s, buf, sizeof buf), 3);
	assert_memory_equal(buf, "k\0y", 3);
	assert_int_equal(pipe_unread(w.pp), 0);
	assert_int_equal(write(s, "last", 4), 4);
	close(s);
	run(&w);
	assert_string_equal(w.got, "firstlast");
	assert_int_equal(w.ended, 1);
	assert_false(pipe_is_open(w.pp));
	end(&w);
}

static void
the_old_pipe_comes_before_the_new_one(void **state)
{
	struct world w;
	pid_t pid;
	int one, two, early;

	(void)state;
	for (early = 0; early < 2; early++) {
		begin(&w);
		one = start_helper(&w, NULL, &pid);
		run(&w);
		pipe_switch(w.pp);
		assert_int_equal(status_of(&w, pid), 0);
		two = start_helper(&w, NULL, &pid);
		assert_int_equal(write(one, "old", 3), 3);
		assert_int_equal(write(two, "new", 3), 3);
		close(one);
		if (early) {
			run(&w);
			assert_string_equal(w.got, "old");
			pipe_switch(w.pp);
		} else {
			pipe_switch(w.pp);
			assert_string_equal(w.got, "old");
			assert_false(pipe_is_open(w.pp));
		}
		run(&w);
		assert_string_equal(w.got, "oldnew");
		assert_int_equal(w.opened, 2);
		assert_int_equal(w.ended, early);
		assert_int_equal(status_of(&w, pid), 0);
		close(two);
		end(&w);
	}
}

/* The pipe of one that is not let in is closed at once. */
static void
a_stranger_is_not_let_in(void **state)
{
	static const char *const tokens[] = { "0123456789abcdef", "", "0",
	    "0123456789abcdef0123456789abcdef" };
	struct world w;
	char buf[16];
	size_t i;
	pid_t pid;
	int s;

	(void)state;
	begin(&w);
	for (i = 0; i < sizeof tokens / sizeof tokens[0]; i++) {
		s = start_helper(&w, tokens[i], &pid);
		pipe_switch(w.pp);
		run(&w);
		assert_int_equal(status_of(&w, pid), 1);
		assert_int_equal(w.opened, 0);
		assert_int_equal(read(s, buf, sizeof buf), 0);
		close(s);
	}
	end(&w);
}

/* … as is one that belongs to an earlier question. */
static void
a_late_helper_is_not_let_in(void **state)
{
	struct world w;
	char buf[16], command[PIPE_COMMAND_MAX];
	pid_t pid;
	int s;

	(void)state;
	begin(&w);
	s = start_helper(&w, NULL, &pid);
	assert_int_equal(pipe_command(w.pp, command), 0);
	pipe_switch(w.pp);
	run(&w);
	assert_int_equal(status_of(&w, pid), 1);
	assert_int_equal(w.opened, 0);
	assert_int_equal(read(s, buf, sizeof buf), 0);
	close(s);
	end(&w);
}

static void
draining_says_how_much_there_was(void **state)
{
	struct world w;
	bool more;
	pid_t pid;
	int s;

	(void)state;
	begin(&w);
	assert_int_equal(pipe_drain(w.pp, &more), 0);
	assert_false(more);
	s = start_helper(&w, NULL, &pid);
	run(&w);
	pipe_switch(w.pp);
	assert_int_equal(write(s, "abc", 3), 3);
	assert_int_equal(pipe_drain(w.pp, &more), 3);
	assert_false(more);
	assert_string_equal(w.got, "abc");
	assert_int_equal(pipe_drain(w.pp, NULL), 3);
	assert_int_equal(status_of(&w, pid), 0);
	close(s);
	assert_int_equal(pipe_drain(w.pp, &more), 3);
	assert_int_equal(w.ended, 0);		/* that is for the loop */
	run(&w);
	assert_int_equal(w.ended, 1);
	end(&w);
}

static void
nobody_listens(void **state)
{
	(void)state;
	assert_int_equal(pipe_main("/nonexistent", "0123456789abcdef"), 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(octets_go_both_ways),
		cmocka_unit_test(the_old_pipe_comes_before_the_new_one),
		cmocka_unit_test(a_stranger_is_not_let_in),
		cmocka_unit_test(a_late_helper_is_not_let_in),
		cmocka_unit_test(draining_says_how_much_there_was),
		cmocka_unit_test(nobody_listens),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}

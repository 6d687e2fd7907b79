/*
 * leg.c - see leg.h.
 *
 * stderr is the terminal of the person at the other end: only words meant for
 * them go there.
 */
#include "leg.h"

#include <sys/socket.h>
#include <sys/syscall.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "broker.h"
#include "files.h"
#include "unix.h"

void
leg_complain(const char *fmt, ...)
{
	char text[LEG_TEXT_MAX];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	(void)fprintf(stderr, "relay-share: %s\n", text);
}

/* The client's address: the first word of SSH_CONNECTION. */
static void
remote_address(char out[ATTACH_REMOTE_MAX + 1])
{
	const char *s = getenv("SSH_CONNECTION");
	size_t n = s == NULL ? 0 : strcspn(s, " ");

	if (n > ATTACH_REMOTE_MAX)
		n = 0;
	memcpy(out, s == NULL ? "" : s, n);
	out[n] = '\0';
	/* sshd says UNKNOWN where there is no address. */
	if (strpbrk(out, ".:") == NULL)
		out[0] = '\0';
}

int
leg_login(struct leg_login *l)
{
	const char *path = getenv("SSH_USER_AUTH");
	size_t len;

	memset(l, 0, sizeof *l);
	if (path == NULL) {
		errno = ENOENT;
		return -1;
	}
	l->text = file_read(AT_FDCWD, path, AUTHINFO_FILE_MAX, &len);
	if (l->text == NULL)
		return -1;
	if (authinfo_parse(l->text, len, &l->ai) == -1) {
		leg_login_clear(l);
		errno = EINVAL;
		return -1;
	}
	remote_address(l->remote);
	return 0;
}

void
leg_login_clear(struct leg_login *l)
{
	free(l->text);
	l->text = NULL;
}

int
leg_connect(const struct relayconf *conf, const char *sid)
{
	char path[PATH_MAX];

	if (broker_path(conf, sid, ".sock", path, sizeof path) == -1)
		return -1;
	return unix_connect(path);
}

/*
 * Read one frame of the broker from S into BUF.  Returns 0, or -1 at the end
 * of the stream, after MS milliseconds (-1: never), or if it is no frame.
 */
static int
next_frame(int s, char *buf, size_t cap, struct proto_frame *f,
    enum proto_form *form, int ms)
{
	struct pollfd pfd = { s, POLLIN, 0 };
	enum proto_rule rule;
	size_t len = 0, n;
	ssize_t got;

	while (len < cap) {
		if (poll(&pfd, 1, ms) == 0)
			return -1;
		/* An octet at a time: what follows is for the next call. */
		got = read(s, buf + len, 1);
		if (got == -1 && errno == EINTR)
			continue;
		if (got <= 0)
			return -1;
		len++;
		switch (proto_parse(buf, len, f, &rule, &n)) {
		case PROTO_MORE:
			continue;
		case PROTO_MALFORMED:
			return -1;
		case PROTO_FRAME:
			return proto_check(f, PROTO_B2L, 0, form, &rule) ==
			    PROTO_GOOD ? 0 : -1;
		}
	}
	return -1;
}

enum leg_answer
leg_attach(const struct relayconf *conf, int s, const struct attach *a,
    int in, int out, int pidfd, char text[LEG_TEXT_MAX])
{
	int fds[3] = { in, out, pidfd };
	char payload[ATTACH_MAX], buf[ATTACH_MAX + PROTO_HEADER_MAX];
	struct proto_frame f;
	enum proto_form form;
	size_t n;

	text[0] = '\0';
	n = attach_format(a, payload, sizeof payload);
	n = n == 0 ? 0 : proto_put(buf, sizeof buf, PROTO_ATTACH, payload, n,
	    NULL);
	if (n == 0) {
		(void)snprintf(text, LEG_TEXT_MAX, "too much to say");
		return LEG_REFUSED;
	}
	if (unix_send(s, buf, n, fds, pidfd == -1 ? 2 : 3) == -1 ||
	    next_frame(s, buf, sizeof buf, &f, &form,
	    (int)conf->attach_ms) == -1)
		return LEG_GONE;
	if (form == PROTO_OK)
		return LEG_OK;
	(void)snprintf(text, LEG_TEXT_MAX, "%.*s", (int)f.payload.len,
	    f.payload.s);
	return LEG_REFUSED;
}

void
leg_let_go(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	/* A closed 0 or 1 would be given to the next file that is opened. */
	(void)dup2(null, STDIN_FILENO);
	(void)dup2(null, STDOUT_FILENO);
	close(null);
}

/* End the ssh connection that this leg belongs to. */
static void
hang_up(int parent, pid_t ppid)
{
#ifdef SYS_pidfd_send_signal
	if (parent != -1) {
		(void)syscall(SYS_pidfd_send_signal, parent, SIGTERM, NULL, 0);
		return;
	}
#endif
	/* An orphan's parent is somebody else. */
	if (ppid > 1 && getppid() == ppid)
		(void)kill(ppid, SIGTERM);
}

int
leg_wait(int s, int parent, pid_t ppid)
{
	char buf[PROTO_HEADER_MAX + LEG_TEXT_MAX];
	struct proto_frame f;
	enum proto_form form;

	while (next_frame(s, buf, sizeof buf, &f, &form, -1) == 0) {
		if (form == PROTO_OK)
			continue;
		if (f.payload.len > 0)
			leg_complain("%.*s", (int)f.payload.len, f.payload.s);
		if (form == PROTO_HANGUP)
			hang_up(parent, ppid);
		return form == PROTO_ERROR ? 1 : (int)proto_num(&f, 0);
	}
	leg_complain("the relay's process for this session died; "
	    "connect again");
	return LEG_TEMPFAIL;
}

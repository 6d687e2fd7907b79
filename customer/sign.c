/*
 * sign.c - see sign.h.
 */
#include "sign.h"

#include <sys/mman.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "files.h"
#include "num.h"
#include "spawn.h"

/* A line `name = "value"` of curl's configuration. */
static void
put_option(FILE *f, const char *name, const char *value)
{
	(void)fprintf(f, "%s = \"", name);
	for (; *value != '\0'; value++) {
		if (*value == '"' || *value == '\\')
			(void)fputc('\\', f);
		(void)fputc(*value, f);
	}
	(void)fputs("\"\n", f);
}

/*
 * curl's configuration in memory, to be its stdin: the URL and the body, which
 * hold the session ID and secrets.  Returns the descriptor, or -1.
 */
static int
curl_config(const struct settings *s, const char *body)
{
	char url[SETTINGS_TEXT + 32];
	int fd = memfd_create("curl", MFD_CLOEXEC), up;
	FILE *f;

	if (fd == -1)
		return -1;
	up = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	f = up == -1 ? NULL : fdopen(up, "w");
	if (f == NULL) {
		close(fd);
		return -1;
	}
	(void)snprintf(url, sizeof url, "%s/api/v1/sign", s->api_url);
	put_option(f, "url", url);
	put_option(f, "proto", "=http,https");
	put_option(f, "header", "Content-Type: application/json");
	put_option(f, "header", "Expect:");
	put_option(f, "user-agent", "linbit-tunl/" TUNL_VERSION);
	put_option(f, "write-out", "\\n%{http_code}");
	(void)fprintf(f, "silent\nshow-error\nmax-time = %u\n"
	    "connect-timeout = %u\nmax-filesize = %d\n",
	    s->sign_ms / 1000, s->sign_ms / 1000, SIGN_REPLY_MAX / 2);
	put_option(f, "data-binary", body);
	if (fclose(f) == EOF || lseek(fd, 0, SEEK_SET) == -1) {
		close(fd);
		return -1;
	}
	return fd;
}

/* All of the file FD, NUL-terminated. */
static char *
read_back(int fd)
{
	char *buf = calloc(1, SIGN_REPLY_MAX + 1);
	size_t got = 0;
	ssize_t n;

	while (buf != NULL && got < SIGN_REPLY_MAX &&
	    (n = pread(fd, buf + got, SIGN_REPLY_MAX - got, (off_t)got)) > 0)
		got += (size_t)n;
	return buf;
}

/* Take the last line, HTTP's status, off the body. */
static void
split_status(struct sign_reply *r)
{
	char *lf = strrchr(r->body, '\n');
	uint64_t v;

	if (lf == NULL || num_parse_str(lf + 1, 100, 599, &v) == -1) {
		r->failed = -1;
		return;
	}
	*lf = '\0';
	r->status = (int)v;
}

/* Once.  As sign_https(). */
static int
post(const struct settings *s, const char *body, struct sign_reply *r)
{
	static const char *const argv[] = { "curl", "-q", "-K", "-", NULL };
	struct spawn sp = SPAWN_INIT(argv);
	pid_t pid = -1;
	int saved;

	memset(r, 0, sizeof *r);
	sp.in = curl_config(s, body);
	sp.out = memfd_create("reply", MFD_CLOEXEC);
	sp.err = memfd_create("error", MFD_CLOEXEC);
	if (sp.in != -1 && sp.out != -1 && sp.err != -1)
		pid = spawn_start(&sp);
	saved = errno;
	if (pid != -1) {
		r->failed = spawn_wait(pid);
		r->body = read_back(r->failed == 0 ? sp.out : sp.err);
		if (r->body != NULL && r->failed == 0)
			split_status(r);
	}
	close(sp.in);
	close(sp.out);
	close(sp.err);
	errno = r->body == NULL && pid != -1 ? ENOMEM : saved;
	return r->body == NULL ? -1 : 0;
}

/* An answer whose loss the relay forgives to the same key. */
static int
was_lost(const struct sign_reply *r)
{
	return r->failed == 28 || r->failed == 52 || r->failed == 55 ||
	    r->failed == 56;
}

int
sign_https(const struct settings *s, const char *body, struct sign_reply *r)
{
	int rv = post(s, body, r);

	if (rv == 0 && was_lost(r)) {
		sign_clear(r);
		rv = post(s, body, r);
	}
	return rv;
}

void
sign_clear(struct sign_reply *r)
{
	if (r->body != NULL)
		wipe(r->body, strlen(r->body));
	free(r->body);
	r->body = NULL;
}

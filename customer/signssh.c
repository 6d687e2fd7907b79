/*
 * signssh.c - see sign.h: the same question over ssh, for machines that cannot
 * reach HTTPS or have no curl.
 *
 * The secret is what we log in with; ssh asks this very program for it
 * (SSH_ASKPASS), which reads it from a descriptor of ours.  Only the name of
 * that is in ssh's environment.
 */
#include "sign.h"

#include <sys/mman.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "files.h"
#include "sha256.h"
#include "spawn.h"

#define BLOB_MAX	1024	/* octets of a public key */

/* ---- the key's digest ----------------------------------------------------- */

static int
base64_value(char c)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *p = c != '\0' ? strchr(digits, c) : NULL;

	return p != NULL ? (int)(p - digits) : -1;
}

/* Decode the base64 at S, up to its padding; how many octets. */
static size_t
decode(const char *s, unsigned char out[BLOB_MAX])
{
	unsigned int bits = 0, have = 0;
	size_t n = 0;
	int v;

	for (; n < BLOB_MAX && (v = base64_value(*s)) != -1; s++) {
		bits = bits << 6 | (unsigned int)v;
		have += 6;
		if (have >= 8) {
			have -= 8;
			out[n++] = (unsigned char)(bits >> have);
		}
	}
	return n;
}

/* The SHA-256 of KEY (`type base64 …`) in hex. */
static void
key_digest(const char *key, char hex[65])
{
	unsigned char blob[BLOB_MAX], digest[SHA256_LEN];
	const char *b64 = strchr(key, ' ');
	size_t i, n = b64 != NULL ? decode(b64 + 1, blob) : 0;

	sha256(blob, n, digest);
	for (i = 0; i < SHA256_LEN; i++)
		(void)snprintf(hex + 2 * i, 3, "%02x", digest[i]);
}

/* ---- ssh ------------------------------------------------------------------ */

/* What ssh gets to see of our environment, and where the secret is. */
struct env {
	char		 path[PATH_MAX], self[PATH_MAX], secret[64];
	const char	*vars[8];
};

static int
env_init(struct env *e, int secret)
{
	const char *path = getenv("PATH");
	ssize_t n = readlink("/proc/self/exe", e->self + 12,
	    sizeof e->self - 13);

	if (n == -1)
		return -1;
	memcpy(e->self, "SSH_ASKPASS=", 12);
	e->self[12 + n] = '\0';
	(void)snprintf(e->path, sizeof e->path, "PATH=%s", path != NULL ?
	    path : "/usr/local/bin:/usr/bin:/bin");
	(void)snprintf(e->secret, sizeof e->secret, SIGN_ASKPASS
	    "=/proc/%ld/fd/%d", (long)getpid(), secret);
	e->vars[0] = e->path;
	e->vars[1] = e->self;
	e->vars[2] = e->secret;
	e->vars[3] = "SSH_ASKPASS_REQUIRE=force";
	e->vars[4] = "DISPLAY=none:0";	/* before OpenSSH 8.4 */
	e->vars[5] = "LC_ALL=C";
	e->vars[6] = NULL;
	return 0;
}

/* Start it with the descriptors in SP; the pid, or -1. */
static pid_t
start_ssh(const struct settings *s, struct spawn *sp)
{
	char port[16], timeout[32], hosts[SETTINGS_TEXT + 32],
	    alias[SETTINGS_TEXT + 16];
	const char *const argv[] = { "ssh", "-F", "none", "-T", "-S", "none",
	    "-p", port, "-l", s->enroll_user,
	    "-o", "PreferredAuthentications=keyboard-interactive",
	    "-o", "KbdInteractiveAuthentication=yes",
	    "-o", "PubkeyAuthentication=no",
	    "-o", "PasswordAuthentication=no",
	    "-o", "NumberOfPasswordPrompts=1",
	    "-o", "IdentityAgent=none", "-o", "IdentitiesOnly=yes",
	    "-o", "StrictHostKeyChecking=yes", "-o", hosts, "-o", alias,
	    "-o", "GlobalKnownHostsFile=/dev/null", "-o", "UpdateHostKeys=no",
	    "-o", "CheckHostIP=no", "-o", "ServerAliveInterval=5",
	    "-o", "ServerAliveCountMax=3", "-o", timeout,
	    "-o", "LogLevel=ERROR", "--", s->relay, NULL };

	(void)snprintf(port, sizeof port, "%u", s->relay_port);
	(void)snprintf(hosts, sizeof hosts, "UserKnownHostsFile=%s",
	    s->known_hosts);
	(void)snprintf(alias, sizeof alias, "HostKeyAlias=%s", s->relay);
	(void)snprintf(timeout, sizeof timeout, "ConnectTimeout=%u",
	    s->connect_ms / 1000);
	sp->argv = argv;
	/* old ones ask the terminal, if there is one, and not us */
	sp->flags = SPAWN_SETSID | SPAWN_DEATHSIG;
	return spawn_start(sp);
}

/* A descriptor that holds TEXT, to be read; -1 with errno. */
static int
memory(const char *text)
{
	int fd = memfd_create("linbit-tunl", MFD_CLOEXEC);

	if (fd != -1 && (write_all(fd, text, strlen(text)) == -1 ||
	    lseek(fd, 0, SEEK_SET) == -1)) {
		close(fd);
		fd = -1;
	}
	return fd;
}

/* All of FD, NUL-terminated. */
static char *
contents(int fd)
{
	char *buf = calloc(1, SIGN_REPLY_MAX + 1);
	size_t got = 0;
	ssize_t n;

	while (buf != NULL && got < SIGN_REPLY_MAX && (n = pread(fd, buf + got,
	    SIGN_REPLY_MAX - got, (off_t)got)) > 0)
		got += (size_t)n;
	return buf;
}

/* What ssh's exit STATUS and complaint, in R->body, come to. */
static void
judge(struct sign_reply *r, int status)
{
	/* the relay asked for the secret; others do not know that account */
	bool denied = status == 255 &&
	    strstr(r->body, "Permission denied (") != NULL &&
	    strstr(r->body, "keyboard-interactive") != NULL;

	r->plain = true;
	if (denied || status == 1)
		r->status = 401;
	else if (status == 75)
		r->status = 503;
	else
		r->failed = status;
}

static int
run(const struct settings *s, struct spawn *sp, struct sign_reply *r)
{
	pid_t pid = start_ssh(s, sp);
	int status;

	if (pid == -1)
		return -1;
	status = spawn_wait(pid);
	r->body = contents(status == 0 ? sp->out : sp->err);
	if (r->body == NULL) {
		errno = ENOMEM;
		return -1;
	}
	if (status == 0)
		r->status = 200;
	else
		judge(r, status);
	return 0;
}

static void
close_all(struct spawn *sp, int secret)
{
	int saved = errno;

	close(sp->in);
	close(sp->out);
	close(sp->err);
	close(secret);
	errno = saved;
}

int
sign_ssh(const struct settings *s, const char *key, const char *sid,
    const char *token, const char *resume, struct sign_reply *r)
{
	char text[512], line[BLOB_MAX + 2], digest[65];
	struct spawn sp = { .keep = -1 };
	struct env env;
	int secret, rv = -1;

	memset(r, 0, sizeof *r);
	key_digest(key, digest);
	(void)snprintf(text, sizeof text, "%s%s%s%s%s%skey=%s", sid,
	    *sid != '\0' ? " " : "", token != NULL ? token : "",
	    token != NULL ? " " : "", resume != NULL ? resume : "",
	    resume != NULL ? " " : "", digest);
	(void)snprintf(line, sizeof line, "%s\n", key);
	secret = memory(text);
	wipe(text, sizeof text);
	sp.in = memory(line);
	sp.out = memory("");
	sp.err = memory("");
	sp.envp = env.vars;
	if (secret != -1 && sp.in != -1 && sp.out != -1 && sp.err != -1 &&
	    env_init(&env, secret) == 0)
		rv = run(s, &sp, r);
	close_all(&sp, secret);
	return rv;
}

int
sign_askpass(const char *path)
{
	char text[512];
	int fd = open(path, O_RDONLY | O_CLOEXEC), rv = 1;
	ssize_t n = fd != -1 ? pread(fd, text, sizeof text - 1, 0) : -1;

	if (n > 0) {
		text[n++] = '\n';
		rv = write_all(STDOUT_FILENO, text, (size_t)n) == 0 ? 0 : 1;
	}
	wipe(text, sizeof text);
	if (fd != -1)
		close(fd);
	return rv;
}

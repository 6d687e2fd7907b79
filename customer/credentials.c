/*
 * credentials.c - see credentials.h.
 */
#include "credentials.h"

#include <sys/mman.h>

#include <cjson/cJSON.h>

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "files.h"
#include "num.h"
#include "spawn.h"

#define REPLY_MAX	65536	/* octets of the relay's answer */
#define CERT_MAX	16384
#define RESUME_LEN	64	/* hex digits */
#define KEY_MAX		4096

/* What the relay said. */
struct reply {
	int	 curl;		/* curl's exit status; 0: there was an answer */
	int	 status;	/* HTTP's */
	char	*body;		/* NUL-terminated; curl's complaint if curl is
				 * not 0 */
};

__attribute__((format(printf, 3, 4)))
static void
say(char *err, size_t cap, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(err, cap, fmt, ap);
	va_end(ap);
}

/* ---- what is kept --------------------------------------------------------- */

static const char *
json_string(const cJSON *o, const char *name)
{
	const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, name);

	return cJSON_IsString(v) ? v->valuestring : NULL;
}

static int
is_resume(const char *s)
{
	return s != NULL && strlen(s) == RESUME_LEN &&
	    s[strspn(s, "0123456789abcdef")] == '\0';
}

/* One line "ssh-…-cert-v01@openssh.com BASE64". */
static int
is_certificate(const char *s)
{
	const char *p;

	if (s == NULL || strlen(s) > CERT_MAX || strncmp(s, "ssh-", 4) != 0 ||
	    strstr(s, "-cert-v01@openssh.com ") == NULL)
		return 0;
	for (p = s; *p != '\0' && *p != '\n'; p++)
		if (*p < 0x20 || *p >= 0x7f)
			return 0;
	return *p == '\0' || p[1] == '\0';
}

/*
 * Read what the relay answered to /sign.  Returns an object that has all that
 * is needed for SD in its right form, to be deleted by the caller, or NULL.
 */
static cJSON *
parse_signed(const struct sessiondir *sd, const char *text)
{
	cJSON *o = cJSON_ParseWithLength(text, strlen(text));
	const char *sid = json_string(o, "session_id");
	const cJSON *expires = cJSON_GetObjectItemCaseSensitive(o,
	    "expires_at");

	if (sid != NULL && strcmp(sid, sd->sid) == 0 &&
	    is_resume(json_string(o, "resume")) &&
	    is_certificate(json_string(o, "certificate")) &&
	    cJSON_IsNumber(expires))
		return o;
	cJSON_Delete(o);
	return NULL;
}

static cJSON *
load_signed(const struct sessiondir *sd)
{
	size_t len;
	char *text = file_read(sd->fd, FILE_SIGNED, REPLY_MAX, &len);
	cJSON *o;

	if (text == NULL)
		return NULL;
	o = parse_signed(sd, text);
	wipe(text, len);
	free(text);
	return o;
}

static int
save_signed(const struct sessiondir *sd, const cJSON *o, const char *text)
{
	const char *cert = json_string(o, "certificate");

	if (file_replace(sd->fd, FILE_CERT, cert, strlen(cert), 0600, 0) == -1)
		return -1;
	return file_replace(sd->fd, FILE_SIGNED, text, strlen(text), 0600, 0);
}

int
credentials_valid(const struct sessiondir *sd)
{
	cJSON *o = load_signed(sd);
	double until;
	int rv;

	if (o == NULL)
		return 0;
	until = cJSON_GetObjectItemCaseSensitive(o, "expires_at")->valuedouble;
	rv = until > (double)time(NULL) + CREDENTIALS_MARGIN &&
	    faccessat(sd->fd, FILE_KEY, R_OK, 0) == 0 &&
	    faccessat(sd->fd, FILE_CERT, R_OK, 0) == 0;
	cJSON_Delete(o);
	return rv;
}

/* ---- the key -------------------------------------------------------------- */

/* The public key, one line without LF; made if need be.  NULL with ERR. */
static char *
public_key(const struct sessiondir *sd, char *err, size_t cap)
{
	char path[SESSIONDIR_PATH_MAX];
	const char *const argv[] = { "ssh-keygen", "-q", "-t", "ed25519", "-N",
	    "", "-C", "linbit-tunl", "-f", path, NULL };
	char out[256], *key;

	key = file_read(sd->fd, FILE_KEY_PUB, KEY_MAX, NULL);
	if (key == NULL) {
		(void)unlinkat(sd->fd, FILE_KEY, 0);
		sessiondir_file(sd, FILE_KEY, path);
		if (spawn_capture(argv, out, sizeof out, 30000) != 0) {
			say(err, cap, "cannot make a key with ssh-keygen; is "
			    "the OpenSSH client installed?");
			return NULL;
		}
		key = file_read(sd->fd, FILE_KEY_PUB, KEY_MAX, NULL);
	}
	if (key == NULL) {
		say(err, cap, "cannot read %s/" FILE_KEY_PUB ": %s", sd->path,
		    strerror(errno));
		return NULL;
	}
	key[strcspn(key, "\r\n")] = '\0';
	return key;
}

/* ---- curl ----------------------------------------------------------------- */

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
	    s->sign_ms / 1000, s->sign_ms / 1000, REPLY_MAX / 2);
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
	char *buf = calloc(1, REPLY_MAX + 1);
	size_t got = 0;
	ssize_t n;

	while (buf != NULL && got < REPLY_MAX &&
	    (n = pread(fd, buf + got, REPLY_MAX - got, (off_t)got)) > 0)
		got += (size_t)n;
	return buf;
}

/* Take the last line, HTTP's status, off the body. */
static void
split_status(struct reply *r)
{
	char *lf = strrchr(r->body, '\n');
	uint64_t v;

	if (lf == NULL || num_parse_str(lf + 1, 100, 599, &v) == -1) {
		r->curl = -1;
		return;
	}
	*lf = '\0';
	r->status = (int)v;
}

/* POST BODY to /sign.  Returns 0 with R filled, or -1 with errno: no curl. */
static int
post_sign(const struct settings *s, const char *body, struct reply *r)
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
		r->curl = spawn_wait(pid);
		r->body = read_back(r->curl == 0 ? sp.out : sp.err);
		if (r->body != NULL && r->curl == 0)
			split_status(r);
	}
	close(sp.in);
	close(sp.out);
	close(sp.err);
	errno = r->body == NULL && pid != -1 ? ENOMEM : saved;
	return r->body == NULL ? -1 : 0;
}

static void
reply_clear(struct reply *r)
{
	if (r->body != NULL)
		wipe(r->body, strlen(r->body));
	free(r->body);
	r->body = NULL;
}

/* ---- asking --------------------------------------------------------------- */

/* {"public_key", "session_id"[, "resume"]}.  NULL: no memory. */
static char *
sign_body(const struct sessiondir *sd, const char *key, const char *resume)
{
	cJSON *o = cJSON_CreateObject();
	char *text = NULL;

	if (o != NULL && cJSON_AddStringToObject(o, "public_key", key) &&
	    cJSON_AddStringToObject(o, "session_id", sd->sid) &&
	    (resume == NULL || cJSON_AddStringToObject(o, "resume", resume)))
		text = cJSON_PrintUnformatted(o);
	cJSON_Delete(o);
	return text;
}

/* What the relay's error says, made printable; "" if it says nothing. */
static void
error_message(const char *body, char *out, size_t cap)
{
	cJSON *o = cJSON_Parse(body);
	const char *text = json_string(cJSON_GetObjectItemCaseSensitive(o,
	    "error"), "message");
	size_t i;

	(void)snprintf(out, cap, "%s", text != NULL ? text : "");
	for (i = 0; out[i] != '\0'; i++)
		if (out[i] < 0x20 || out[i] >= 0x7f)
			out[i] = '?';
	cJSON_Delete(o);
}

/* The relay could not be asked. */
static enum credentials_answer
unreachable(const struct settings *s, const struct reply *r, char *err,
    size_t cap)
{
	size_t i;

	r->body[strcspn(r->body, "\r\n")] = '\0';
	for (i = 0; r->body[i] != '\0'; i++)
		if (r->body[i] < 0x20 || r->body[i] >= 0x7f)
			r->body[i] = '?';
	say(err, cap, "cannot reach the relay at %s (%.200s); check that this "
	    "machine may make HTTPS connections to it, and https_proxy if it "
	    "needs a proxy", s->api_url,
	    r->curl > 0 ? r->body : "no HTTP answer");
	return CREDENTIALS_LATER;
}

static enum credentials_answer
refused(const struct sessiondir *sd, const struct settings *s,
    const struct reply *r, char *err, size_t cap)
{
	char text[200];

	error_message(r->body, text, sizeof text);
	if (r->status == 401) {
		say(err, cap, "the relay does not accept session ID '%s': it "
		    "is mistyped, used already, expired, or closed; ask "
		    "support for a new session ID", sd->sid);
		return CREDENTIALS_REFUSED;
	}
	if (r->status == 429)
		say(err, cap, "the relay has seen too many failed attempts "
		    "from this network; wait ten minutes, or ask support");
	else
		say(err, cap, "the relay at %s answered HTTP %d%s%s; try "
		    "again, and tell support if it stays so", s->api_url,
		    r->status, text[0] != '\0' ? ": " : "", text);
	return r->status == 429 || r->status >= 500 ? CREDENTIALS_LATER :
	    CREDENTIALS_REFUSED;
}

/* An answer whose loss the relay forgives to the same key. */
static int
was_lost(const struct reply *r)
{
	return r->curl == 28 || r->curl == 52 || r->curl == 55 || r->curl == 56;
}

static enum credentials_answer
take_reply(const struct sessiondir *sd, const struct settings *s,
    const struct reply *r, char *err, size_t cap)
{
	cJSON *o;
	int rv;

	if (r->curl != 0)
		return unreachable(s, r, err, cap);
	if (r->status != 200)
		return refused(sd, s, r, err, cap);
	o = parse_signed(sd, r->body);
	if (o == NULL) {
		say(err, cap, "%s is no linbit-tunl relay: its answer makes no "
		    "sense; check the API URL", s->api_url);
		return CREDENTIALS_REFUSED;
	}
	rv = save_signed(sd, o, r->body);
	if (rv == -1)
		say(err, cap, "cannot write into %s: %s", sd->path,
		    strerror(errno));
	cJSON_Delete(o);
	return rv == 0 ? CREDENTIALS_OK : CREDENTIALS_LATER;
}

static enum credentials_answer
ask(const struct sessiondir *sd, const struct settings *s, const char *key,
    const char *resume, char *err, size_t cap)
{
	char *body = sign_body(sd, key, resume);
	enum credentials_answer answer = CREDENTIALS_LATER;
	struct reply r = { .body = NULL };
	int rv = -1;

	if (body != NULL) {
		rv = post_sign(s, body, &r);
		if (rv == 0 && was_lost(&r)) {
			reply_clear(&r);
			rv = post_sign(s, body, &r);
		}
		wipe(body, strlen(body));
		cJSON_free(body);
	}
	if (rv == -1)
		say(err, cap, errno == ENOENT ? "curl is needed and was not "
		    "found; install it" : "cannot run curl");
	else
		answer = take_reply(sd, s, &r, err, cap);
	reply_clear(&r);
	return answer;
}

enum credentials_answer
credentials_get(const struct sessiondir *sd, const struct settings *s,
    char *err, size_t cap)
{
	enum credentials_answer answer = CREDENTIALS_REFUSED;
	cJSON *before;
	char *key;

	if (credentials_valid(sd))
		return CREDENTIALS_OK;
	key = public_key(sd, err, cap);
	if (key == NULL)
		return CREDENTIALS_LATER;
	before = load_signed(sd);
	if (before != NULL)
		answer = ask(sd, s, key, json_string(before, "resume"), err,
		    cap);
	/* a resume secret of a closed session: the ID may be a new one's */
	if (answer == CREDENTIALS_REFUSED)
		answer = ask(sd, s, key, NULL, err, cap);
	cJSON_Delete(before);
	free(key);
	return answer;
}

/*
 * credentials.c - see credentials.h.
 */
#include "credentials.h"

#include <cjson/cJSON.h>

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "files.h"
#include "sign.h"
#include "spawn.h"

#define CERT_MAX	16384
#define RESUME_LEN	64	/* hex digits */
#define KEY_MAX		4096

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
 * is needed for SD, whose sid may be "", in its right form, to be deleted by the caller, or NULL.
 */
static cJSON *
parse_signed(const struct sessiondir *sd, const char *text)
{
	cJSON *o = cJSON_ParseWithLength(text, strlen(text));
	const char *sid = json_string(o, "session_id");
	const cJSON *expires = cJSON_GetObjectItemCaseSensitive(o,
	    "expires_at");

	if (sid != NULL && sid_is_valid(sid, strlen(sid)) &&
	    (sd->sid[0] == '\0' || strcmp(sid, sd->sid) == 0) &&
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
	char *text = file_read(sd->fd, FILE_SIGNED, SIGN_REPLY_MAX, &len);
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

/* ---- asking --------------------------------------------------------------- */

/* What we ask with, and where it is told why it failed. */
struct claim {
	struct sessiondir	*sd;		/* sid "": not known yet */
	const struct settings	*s;
	const char		*key;		/* the public one */
	const char		*token, *resume;	/* or NULL */
	char			*err;
	size_t			 cap;
};

/* Add NAME unless VALUE is NULL or "".  False: no memory. */
static bool
add_text(cJSON *o, const char *name, const char *value)
{
	return value == NULL || *value == '\0' ||
	    cJSON_AddStringToObject(o, name, value) != NULL;
}

/* {"public_key"[, "session_id"][, "token"][, "resume"]}.  NULL: no memory. */
static char *
sign_body(const struct claim *c)
{
	cJSON *o = cJSON_CreateObject();
	char *text = NULL;

	if (o != NULL && add_text(o, "public_key", c->key) &&
	    add_text(o, "session_id", c->sd->sid) &&
	    add_text(o, "token", c->resume == NULL ? c->token : NULL) &&
	    add_text(o, "resume", c->resume))
		text = cJSON_PrintUnformatted(o);
	cJSON_Delete(o);
	return text;
}

static void
make_printable(char *s)
{
	for (; *s != '\0'; s++)
		if (*s < 0x20 || *s >= 0x7f)
			*s = '?';
}

/* What the relay's error says, made printable; "" if it says nothing. */
static void
error_message(const struct sign_reply *r, char *out, size_t cap)
{
	cJSON *o = cJSON_Parse(r->body);
	const char *text = json_string(cJSON_GetObjectItemCaseSensitive(o,
	    "error"), "message");

	if (text == NULL && r->plain)
		text = r->body + strspn(r->body, "\r\n");
	(void)snprintf(out, cap, "%s", text != NULL ? text : "");
	out[strcspn(out, "\r\n")] = '\0';
	make_printable(out);
	cJSON_Delete(o);
}

/* Why the program that should ask got no answer, in OUT. */
static void
reason(const struct sign_reply *r, const char *program, char out[256])
{
	if (r->body == NULL)
		(void)snprintf(out, 256, "%s was not found or cannot be run",
		    program);
	else if (r->failed == -1)
		(void)snprintf(out, 256, "no HTTP answer");
	else {
		(void)snprintf(out, 256, "%s", r->body);
		out[strcspn(out, "\r\n")] = '\0';
		make_printable(out);
	}
}

/* The relay could not be asked, either way. */
static enum credentials_answer
unreachable(const struct claim *c, const struct sign_reply *https,
    const struct sign_reply *ssh)
{
	char a[256], b[256];

	reason(https, "curl", a);
	reason(ssh, "ssh", b);
	say(c->err, c->cap, "cannot reach the relay at %s (%s), nor by ssh at "
	    "%s port %u (%s); check that this machine may make one of these "
	    "connections, and https_proxy if it needs a proxy", c->s->api_url,
	    a, c->s->relay, c->s->relay_port, b);
	return CREDENTIALS_LATER;
}

/* The relay knows what we ask with, and does not take it. */
static enum credentials_answer
not_accepted(const struct claim *c)
{
	const char *sid = c->sd->sid;

	if (c->token == NULL)
		say(c->err, c->cap, "the relay does not accept session ID "
		    "'%s': it is mistyped, used already, expired, or closed, "
		    "or it needs a token; ask support for a new session ID",
		    sid);
	else if (sid[0] == '\0')
		say(c->err, c->cap, "the relay does not accept this token: it "
		    "is mistyped, used already, or expired, or belongs to a "
		    "session ID that must be given too; ask support for a new "
		    "token");
	else
		say(c->err, c->cap, "the relay does not accept this token for "
		    "session ID '%s': one of them is mistyped, used already, "
		    "or expired, or they do not belong together; ask support "
		    "for a new token", sid);
	return CREDENTIALS_REFUSED;
}

static enum credentials_answer
refused(const struct claim *c, const struct sign_reply *r)
{
	char text[200];

	error_message(r, text, sizeof text);
	if (r->status == 401)
		return not_accepted(c);
	if (r->status == 429)
		say(c->err, c->cap, "the relay refuses for now: %s", text[0] !=
		    '\0' ? text : "there were too many wrong attempts; wait "
		    "ten minutes, or ask support");
	else
		say(c->err, c->cap, "the relay at %s answered HTTP %d%s%s; try "
		    "again, and tell support if it stays so", c->s->api_url,
		    r->status, text[0] != '\0' ? ": " : "", text);
	return r->status == 429 || r->status >= 500 ? CREDENTIALS_LATER :
	    CREDENTIALS_REFUSED;
}

static enum credentials_answer
take_reply(const struct claim *c, const struct sign_reply *r)
{
	struct sessiondir *sd = c->sd;
	cJSON *o;
	int rv;

	if (r->status != 200)
		return refused(c, r);
	o = parse_signed(sd, r->body);
	if (o == NULL) {
		say(c->err, c->cap, "%s is no linbit-tunl relay: its answer "
		    "makes no sense; check the API URL", c->s->api_url);
		return CREDENTIALS_REFUSED;
	}
	rv = save_signed(sd, o, r->body);
	if (rv == -1)
		say(c->err, c->cap, "cannot write into %s: %s", sd->path,
		    strerror(errno));
	else
		(void)snprintf(sd->sid, sizeof sd->sid, "%s",
		    json_string(o, "session_id"));
	cJSON_Delete(o);
	return rv == 0 ? CREDENTIALS_OK : CREDENTIALS_LATER;
}

/* Over HTTPS: 0 if there is an answer. */
static int
ask_https(const struct claim *c, struct sign_reply *r)
{
	char *body = sign_body(c);
	int rv = -1;

	if (body != NULL) {
		rv = sign_https(c->s, body, r);
		wipe(body, strlen(body));
		cJSON_free(body);
	}
	return rv == 0 && r->failed == 0 ? 0 : -1;
}

/* The other way, if the first one leads nowhere. */
static enum credentials_answer
ask(const struct claim *c)
{
	struct sign_reply https = { .body = NULL }, ssh = { .body = NULL };
	enum credentials_answer answer;

	if (ask_https(c, &https) == 0)
		answer = take_reply(c, &https);
	else if (sign_ssh(c->s, c->key, c->sd->sid, c->resume == NULL ?
	    c->token : NULL, c->resume, &ssh) == 0 && ssh.failed == 0)
		answer = take_reply(c, &ssh);
	else
		answer = unreachable(c, &https, &ssh);
	sign_clear(&https);
	sign_clear(&ssh);
	return answer;
}

enum credentials_answer
credentials_get(struct sessiondir *sd, const struct settings *s,
    const char *token, char *err, size_t cap)
{
	struct claim c = { .sd = sd, .s = s, .token = token, .err = err,
	    .cap = cap };
	enum credentials_answer answer = CREDENTIALS_REFUSED;
	cJSON *before;
	char *key;

	if (credentials_valid(sd))
		return CREDENTIALS_OK;
	c.key = key = public_key(sd, err, cap);
	if (key == NULL)
		return CREDENTIALS_LATER;
	before = load_signed(sd);
	c.resume = json_string(before, "resume");
	if (before != NULL)
		answer = ask(&c);
	/* a resume secret of a closed session: the ID may be a new one's */
	c.resume = NULL;
	if (answer == CREDENTIALS_REFUSED)
		answer = ask(&c);
	cJSON_Delete(before);
	free(key);
	return answer;
}

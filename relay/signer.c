/*
 * signer.c - see signer.h.  The agent's side of the conversation is one request
 * and one answer (draft-miller-ssh-agent, 4.5).
 */
#include "signer.h"

#include <sys/queue.h>
#include <sys/random.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>

#include "cert.h"
#include "files.h"
#include "log.h"
#include "pubkey.h"
#include "unix.h"

#define AGENTC_SIGN_REQUEST	13u
#define AGENT_SIGN_RESPONSE	14u
#define AGENT_RSA_SHA2_512	4u	/* flag; other keys do not look at it */
#define JOBS_MAX		64u	/* at a time; an agent's backlog is 128, and
					 * connecting to a full one would block */
#define ANSWER_MAX		4096u	/* octets: the largest RSA signature fits */

struct job {
	TAILQ_ENTRY(job)	 entry;
	struct signer		*sg;
	struct bufferevent	*bev;
	signer_cb		*cb;
	void			*arg;
	size_t			 len;		/* of the body */
	unsigned char		 blob[CERT_BLOB_MAX];
};

struct signer {
	struct event_base	*base;
	struct signer_conf	 conf;
	TAILQ_HEAD(, job)	 jobs;
	unsigned int		 njobs;
};

/* Take it off the list, tell, free. */
static void
job_finish(struct job *job, const char *certificate)
{
	TAILQ_REMOVE(&job->sg->jobs, job, entry);
	job->sg->njobs--;
	if (job->bev != NULL)
		bufferevent_free(job->bev);
	job->cb(job->arg, certificate);
	free(job);
}

/* ---- the answer ----------------------------------------------------------- */

static uint32_t
u32(const unsigned char *s)
{
	return (uint32_t)s[0] << 24 | (uint32_t)s[1] << 16 |
	    (uint32_t)s[2] << 8 | s[3];
}

/* The LEN octets of a whole answer at S: type, and a signature as a string. */
static void
answer_take(struct job *job, const unsigned char *s, size_t len)
{
	char line[CERT_LINE_MAX];
	struct cert_octets signature;

	if (len < 5 || s[0] != AGENT_SIGN_RESPONSE || u32(s + 1) != len - 5) {
		log_warnx("the session CA's agent does not sign: does it hold "
		    "the key of %s?", job->sg->conf.ca_pub);
		job_finish(job, NULL);
		return;
	}
	signature.s = s + 5;
	signature.len = len - 5;
	if (cert_line(job->blob, job->len, signature, line) == -1) {
		log_warnx("a certificate would be too long");
		job_finish(job, NULL);
		return;
	}
	job_finish(job, line);
}

static void
read_cb(struct bufferevent *bev, void *arg)
{
	struct evbuffer *in = bufferevent_get_input(bev);
	struct job *job = arg;
	unsigned char *s, head[4];
	uint32_t len;

	if (evbuffer_copyout(in, head, sizeof head) < (ssize_t)sizeof head)
		return;
	len = u32(head);
	if (len == 0 || len > ANSWER_MAX) {
		log_warnx("the session CA's agent answers nonsense");
		job_finish(job, NULL);
		return;
	}
	if (evbuffer_get_length(in) < sizeof head + len)
		return;
	s = evbuffer_pullup(in, (ssize_t)(sizeof head + len));
	answer_take(job, s + sizeof head, len);
}

static void
event_cb(struct bufferevent *bev, short what, void *arg)
{
	struct job *job = arg;

	(void)bev;
	log_warnx("the session CA's agent %s",
	    (what & BEV_EVENT_TIMEOUT) != 0 ? "does not answer" :
	    "closed the connection");
	job_finish(job, NULL);
}

/* ---- the question --------------------------------------------------------- */

static void
put_u32(struct evbuffer *out, uint32_t v)
{
	const unsigned char s[4] = { (unsigned char)(v >> 24),
	    (unsigned char)(v >> 16), (unsigned char)(v >> 8),
	    (unsigned char)v };

	evbuffer_add(out, s, sizeof s);
}

static void
question_put(struct evbuffer *out, struct cert_octets ca,
    const unsigned char *body, size_t len)
{
	const unsigned char type = AGENTC_SIGN_REQUEST;

	put_u32(out, (uint32_t)(1 + 4 + ca.len + 4 + len + 4));
	evbuffer_add(out, &type, 1);
	put_u32(out, (uint32_t)ca.len);
	evbuffer_add(out, ca.s, ca.len);
	put_u32(out, (uint32_t)len);
	evbuffer_add(out, body, len);
	put_u32(out, AGENT_RSA_SHA2_512);
}

/* The blob of the CA's public key; it may have been replaced, so it is read
 * each time.  Returns its length, or -1 and says why. */
static int
ca_read(const char *path, unsigned char blob[PUBKEY_LINE_MAX])
{
	struct pubkey key;
	size_t len;
	char *text;
	int n = -1;

	text = file_read(AT_FDCWD, path, PUBKEY_LINE_MAX, &len);
	if (text == NULL) {
		log_warn("cannot read the session CA's key %s", path);
		return -1;
	}
	if (pubkey_parse(text, len, &key) == 0)
		n = pubkey_blob(key.line, blob);
	if (n == -1)
		log_warnx("%s is no public key", path);
	free(text);
	return n;
}

/* Assemble the body and the question about it.  0, or -1 and says why. */
static int
job_ask(struct job *job, const struct signer_request *rq)
{
	unsigned char ca[PUBKEY_LINE_MAX], key[PUBKEY_LINE_MAX];
	struct cert_what what = { .key_id = rq->key_id,
	    .serial = (uint64_t)rq->serial,
	    .expires_at = (uint64_t)rq->expires_at };
	int ca_len, key_len;

	ca_len = ca_read(job->sg->conf.ca_pub, ca);
	key_len = pubkey_blob(rq->public_key, key);
	if (ca_len == -1 || key_len == -1)
		return -1;
	what.ca = (struct cert_octets){ ca, (size_t)ca_len };
	what.key = (struct cert_octets){ key, (size_t)key_len };
	if (getrandom(what.nonce, sizeof what.nonce, 0) !=
	    (ssize_t)sizeof what.nonce) {
		log_warn("no random octets");
		return -1;
	}
	job->len = cert_body(&what, job->blob);
	if (job->len == 0) {
		log_warnx("a certificate would be too long");
		return -1;
	}
	question_put(bufferevent_get_output(job->bev), what.ca, job->blob,
	    job->len);
	return 0;
}

static int
job_connect(struct job *job)
{
	const struct signer_conf *conf = &job->sg->conf;
	struct timeval tv = { (time_t)(conf->timeout_ms / 1000),
	    (suseconds_t)(conf->timeout_ms % 1000 * 1000) };
	int s = unix_connect(conf->ca_agent);

	if (s == -1 || fd_nonblock(s, 1) == -1) {
		log_warn("cannot reach the session CA's agent at %s",
		    conf->ca_agent);
		if (s != -1)
			close(s);
		return -1;
	}
	job->bev = bufferevent_socket_new(job->sg->base, s,
	    BEV_OPT_CLOSE_ON_FREE);
	if (job->bev == NULL) {
		close(s);
		return -1;
	}
	bufferevent_setcb(job->bev, read_cb, NULL, event_cb, job);
	bufferevent_set_timeouts(job->bev, &tv, &tv);
	return bufferevent_enable(job->bev, EV_READ | EV_WRITE);
}

void
signer_start(struct signer *sg, const struct signer_request *rq, signer_cb *cb,
    void *arg)
{
	struct job *job = NULL;

	if (sg->njobs < JOBS_MAX)
		job = calloc(1, sizeof *job);
	if (job == NULL) {
		log_warnx("too much to sign at once");
		cb(arg, NULL);
		return;
	}
	job->sg = sg;
	job->cb = cb;
	job->arg = arg;
	TAILQ_INSERT_TAIL(&sg->jobs, job, entry);
	sg->njobs++;
	if (job_connect(job) == -1 || job_ask(job, rq) == -1)
		job_finish(job, NULL);
}

struct signer *
signer_new(struct event_base *base, const struct signer_conf *conf)
{
	struct signer *sg = calloc(1, sizeof *sg);

	if (sg == NULL)
		return NULL;
	sg->base = base;
	sg->conf = *conf;
	TAILQ_INIT(&sg->jobs);
	return sg;
}

void
signer_set_timeout(struct signer *sg, uint32_t ms)
{
	sg->conf.timeout_ms = ms;
}

void
signer_free(struct signer *sg)
{
	struct job *job;

	while ((job = TAILQ_FIRST(&sg->jobs)) != NULL)
		job_finish(job, NULL);
	free(sg);
}

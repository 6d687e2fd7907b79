/*
 * apilink.c - see apilink.h.
 */
#include "apilink.h"

#include <sys/random.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cjson/cJSON.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "http.h"
#include "log.h"

#define BACKOFF_MAX_MS	30000u
#define RECORD_MAX	32768	/* octets of an answer */

enum call {
	CALL_NONE,
	CALL_CLOSE,
	CALL_REGISTER,
	CALL_MODE,
	CALL_BEAT
};

struct apilink {
	const struct relayconf	*conf;
	const char		*sid;
	const struct apilink_ops *ops;
	void			*arg;
	char			 path[256];	/* of the API's socket */

	/* What is wanted; each is cleared when the API has it. */
	char			*body;		/* of the registration */
	const char		*mode;
	const char		*reason;
	bool			 beat;		/* a heartbeat is due */

	bool			 known;		/* registered once */
	bool			 alive;
	bool			 gone;		/* the API closed it */

	/* The call that is at work. */
	enum call		 call;
	bool			 stale;		/* what it says has changed since */
	int			 fd;
	char			*out;
	size_t			 out_len, out_done;
	char			*in;
	size_t			 in_len;
	struct event		*io;

	struct event		*timer;		/* call's deadline, or backoff */
	struct event		*beat_timer;
	uint32_t		 backoff_ms;
};

static void	start(struct apilink *l);
static void	io_cb(evutil_socket_t fd, short what, void *arg);

static void
set_timer(struct event *ev, uint32_t ms)
{
	struct timeval tv = { ms / 1000, ms % 1000 * 1000 };

	(void)evtimer_add(ev, &tv);
}

/* Forget the call that is at work; what it was for is still wanted. */
static void
drop_call(struct apilink *l)
{
	if (l->io != NULL)
		event_free(l->io);
	if (l->fd != -1)
		close(l->fd);
	free(l->out);
	free(l->in);
	l->io = NULL;
	l->fd = -1;
	l->out = l->in = NULL;
	l->out_len = l->out_done = l->in_len = 0;
	l->call = CALL_NONE;
	(void)evtimer_del(l->timer);
}

/* Try again later: twice as late each time, and not all sessions at once. */
static void
back_off(struct apilink *l, const char *why)
{
	unsigned char r;

	drop_call(l);
	if (l->backoff_ms == 0)
		log_warnx("relay-api: %s; trying again", why);
	l->backoff_ms = l->backoff_ms == 0 ? l->conf->api_retry_ms :
	    l->backoff_ms * 2;
	if (l->backoff_ms > BACKOFF_MAX_MS)
		l->backoff_ms = BACKOFF_MAX_MS;
	if (getrandom(&r, sizeof r, GRND_NONBLOCK) != (ssize_t)sizeof r)
		r = 0;
	set_timer(l->timer, l->backoff_ms / 4 * 3 + l->backoff_ms * r / 512);
}

/* Tell the caller that the API has closed the session. */
static void
found_gone(struct apilink *l)
{
	l->beat = false;
	l->mode = NULL;
	if (l->gone)
		return;
	l->gone = true;
	log_info("relay-api has closed the session");
	l->ops->gone_cb(l->arg);
}

/* A string field of the record, or "". */
static const char *
record_text(const cJSON *record, const char *name)
{
	const char *s = cJSON_GetStringValue(
	    cJSON_GetObjectItemCaseSensitive(record, name));

	return s == NULL ? "" : s;
}

static void
done_register(struct apilink *l, const struct http_response *r)
{
	cJSON *record;

	if (r->status != 200 && r->status != 201) {
		log_warnx("relay-api refused to register the session: %d",
		    r->status);
		if (r->status == 410)
			found_gone(l);
		return;
	}
	l->known = true;
	l->gone = false;
	record = cJSON_ParseWithLength(r->body, r->body_len);
	l->ops->registered_cb(l->arg, record_text(record, "case"),
	    record_text(record, "customer"));
	cJSON_Delete(record);
}

static void
done_beat(struct apilink *l, int status)
{
	if (status == 410)
		found_gone(l);
	else if (status != 204 && status != 200)
		log_warnx("relay-api did not take the heartbeat: %d", status);
}

/* The answer is there.  5xx and 429 mean later; the rest is final. */
static void
finish(struct apilink *l, const struct http_response *r)
{
	enum call call = l->call;

	if (r->status >= 500 || r->status == 429) {
		back_off(l, "busy or failing");
		return;
	}
	l->backoff_ms = 0;
	switch (call) {
	case CALL_REGISTER:
		if (!l->stale) {
			free(l->body);
			l->body = NULL;
		}
		done_register(l, r);
		break;
	case CALL_MODE:
		if (!l->stale)
			l->mode = NULL;
		break;
	case CALL_BEAT:
		l->beat = false;
		done_beat(l, r->status);
		break;
	case CALL_CLOSE:
		l->reason = NULL;
		if (r->status != 200 && r->status != 204)
			log_info("relay-api answered the close with %d",
			    r->status);
		break;
	case CALL_NONE:
		break;
	}
	drop_call(l);
	if (call == CALL_CLOSE)
		l->ops->closed_cb(l->arg);
	else
		start(l);
}

static void
io_read(struct apilink *l)
{
	struct http_response r;
	ssize_t n;

	n = read(l->fd, l->in + l->in_len, RECORD_MAX - l->in_len);
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		back_off(l, "it closed the connection");
		return;
	}
	l->in_len += (size_t)n;
	switch (http_response(l->in, l->in_len, &r)) {
	case HTTP_DONE:
		finish(l, &r);
		break;
	case HTTP_MORE:
		if (l->in_len < RECORD_MAX)
			break;
		/* FALLTHROUGH */
	case HTTP_BAD:
		back_off(l, "what it answers is not HTTP, or too long");
		break;
	}
}

static void
io_cb(evutil_socket_t fd, short what, void *arg)
{
	struct apilink *l = arg;
	ssize_t n;

	if ((what & EV_READ) != 0) {
		io_read(l);
		return;
	}
	n = send(fd, l->out + l->out_done, l->out_len - l->out_done,
	    MSG_NOSIGNAL);
	if (n == -1 && errno != EAGAIN && errno != EINTR) {
		back_off(l, strerror(errno));
		return;
	}
	if (n > 0)
		l->out_done += (size_t)n;
	if (l->out_done < l->out_len)
		return;
	/* All of it is out: from now on only the answer matters. */
	(void)event_del(l->io);
	(void)event_assign(l->io, event_get_base(l->io), fd,
	    EV_READ | EV_PERSIST, io_cb, l);
	(void)event_add(l->io, NULL);
}

/* Fill OUT with the request for CALL.  Returns 0 or -1. */
static int
write_request(struct apilink *l, enum call call)
{
	size_t blen = l->body != NULL ? strlen(l->body) : 0, cap = blen + 2048;
	char target[SID_MAX + 64], mode[64];
	const char *method = "POST", *body = NULL;
	int n;

	(void)snprintf(target, sizeof target, "/api/v1/sessions/%s", l->sid);
	if (call == CALL_REGISTER) {
		(void)snprintf(target, sizeof target, "/api/v1/sessions");
		body = l->body;
	} else if (call == CALL_BEAT) {
		(void)snprintf(target, sizeof target,
		    "/api/v1/sessions/%s/heartbeat", l->sid);
		body = "";
	} else if (call == CALL_MODE) {
		method = "PATCH";
		(void)snprintf(mode, sizeof mode, "{\"mode\":\"%s\"}", l->mode);
		body = mode;
	} else {
		method = "DELETE";
		(void)snprintf(target, sizeof target,
		    "/api/v1/sessions/%s?reason=%s", l->sid, l->reason);
	}
	l->out = malloc(cap);
	if (l->out == NULL)
		return -1;
	n = http_request(l->out, cap, method, target, body,
	    body != NULL ? strlen(body) : 0);
	l->out_len = n > 0 ? (size_t)n : 0;
	return n > 0 ? 0 : -1;
}

/*
 * Connect without ever waiting, not even for a full backlog.
 */
static int
connect_now(const char *path)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int s, saved;

	if (strlen(path) >= sizeof sa.sun_path) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(sa.sun_path, path, strlen(path) + 1);
	s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (s == -1)
		return -1;
	if (connect(s, (struct sockaddr *)&sa, sizeof sa) == -1) {
		saved = errno;
		close(s);
		errno = saved;
		return -1;
	}
	return s;
}

static enum call
next_call(const struct apilink *l)
{
	if (l->reason != NULL)
		return CALL_CLOSE;
	if (l->body != NULL)
		return CALL_REGISTER;
	if (!l->known || l->gone)
		return CALL_NONE;
	return l->mode != NULL ? CALL_MODE : l->beat ? CALL_BEAT : CALL_NONE;
}

/* Begin the next call, if one is wanted and none is at work. */
static void
start(struct apilink *l)
{
	enum call call = next_call(l);

	if (l->call != CALL_NONE || call == CALL_NONE ||
	    evtimer_pending(l->timer, NULL))
		return;
	l->fd = connect_now(l->path);
	if (l->fd == -1) {
		back_off(l, strerror(errno));
		return;
	}
	l->in = malloc(RECORD_MAX);
	if (l->in == NULL || write_request(l, call) == -1) {
		back_off(l, "no memory for a request");
		return;
	}
	l->call = call;
	l->stale = false;
	l->io = event_new(event_get_base(l->timer), l->fd,
	    EV_WRITE | EV_PERSIST, io_cb, l);
	if (l->io == NULL || event_add(l->io, NULL) == -1) {
		back_off(l, "no memory for an event");
		return;
	}
	set_timer(l->timer, l->conf->api_call_ms);
}

/* The call took too long, or it is time to try again. */
static void
timer_cb(evutil_socket_t fd, short what, void *arg)
{
	struct apilink *l = arg;

	(void)fd;
	(void)what;
	if (l->call != CALL_NONE)
		back_off(l, "it does not answer");
	else
		start(l);
}

static void
beat_cb(evutil_socket_t fd, short what, void *arg)
{
	struct apilink *l = arg;

	(void)fd;
	(void)what;
	if (l->alive && !l->gone) {
		l->beat = true;
		start(l);
	}
}

/* The first unix: address of TUNL_API_LISTEN. */
static int
find_socket(struct apilink *l, const char *listen)
{
	const char *p = listen;
	size_t n;

	for (; *p != '\0'; p += strspn(p, " ")) {
		n = strcspn(p, " ");
		if (n > 5 && n - 5 < sizeof l->path &&
		    memcmp(p, "unix:", 5) == 0) {
			memcpy(l->path, p + 5, n - 5);
			return 0;
		}
		p += n;
	}
	errno = EINVAL;
	return -1;
}

struct apilink *
apilink_new(struct event_base *base, const struct relayconf *conf,
    const char *sid, const struct apilink_ops *ops, void *arg)
{
	struct apilink *l = calloc(1, sizeof *l);
	struct timeval tv = { conf->heartbeat_ms / 1000,
	    conf->heartbeat_ms % 1000 * 1000 };

	if (l == NULL)
		return NULL;
	l->conf = conf;
	l->sid = sid;
	l->ops = ops;
	l->arg = arg;
	l->fd = -1;
	if (find_socket(l, conf->api_listen) == -1)
		goto fail;
	l->timer = evtimer_new(base, timer_cb, l);
	l->beat_timer = event_new(base, -1, EV_PERSIST, beat_cb, l);
	if (l->timer == NULL || l->beat_timer == NULL ||
	    event_add(l->beat_timer, &tv) == -1)
		goto fail;
	return l;
fail:
	apilink_free(l);
	return NULL;
}

void
apilink_free(struct apilink *l)
{
	if (l == NULL)
		return;
	if (l->timer != NULL) {
		drop_call(l);
		event_free(l->timer);
	}
	if (l->beat_timer != NULL)
		event_free(l->beat_timer);
	free(l->body);
	free(l);
}

/* A comma-separated list as an array. */
static void
add_list(cJSON *o, const char *name, const char *list)
{
	cJSON *a = cJSON_AddArrayToObject(o, name);
	char item[CONTEXT_ITEM_MAX + 1];
	struct proto_str s;

	while (context_next(&list, &s)) {
		(void)snprintf(item, sizeof item, "%.*s", (int)s.len, s.s);
		cJSON_AddItemToArray(a, cJSON_CreateString(item));
	}
}

static void
add_text(cJSON *o, const char *name, const char *text)
{
	if (*text != '\0')
		(void)cJSON_AddStringToObject(o, name, text);
}

int
apilink_register(struct apilink *l, const struct context *ctx,
    const char *mode, const char *remote, uint64_t serial)
{
	cJSON *o = cJSON_CreateObject();
	char number[24];

	(void)snprintf(number, sizeof number, "%llu",
	    (unsigned long long)serial);
	add_text(o, "id", l->sid);
	add_text(o, "mode", mode);
	add_text(o, "host", ctx->host);
	add_list(o, "ips", ctx->ips);
	add_list(o, "nets", ctx->nets);
	add_list(o, "dns", ctx->dns);
	add_text(o, "user", ctx->user);
	add_text(o, "case", ctx->support_case);
	add_text(o, "remote_ip", remote);
	(void)cJSON_AddRawToObject(o, "serial", number);
	free(l->body);
	l->body = cJSON_PrintUnformatted(o);
	cJSON_Delete(o);
	if (l->body == NULL)
		return -1;
	l->mode = NULL;		/* the registration says it */
	l->stale = true;
	start(l);
	return 0;
}

void
apilink_mode(struct apilink *l, const char *mode)
{
	l->mode = mode;
	l->stale = true;
	start(l);
}

void
apilink_alive(struct apilink *l, bool alive)
{
	l->alive = alive;
	l->beat = l->beat && alive;
}

void
apilink_close(struct apilink *l, const char *reason)
{
	/* Nothing else matters any more, not even the wait for a retry. */
	if (l->call != CALL_NONE && l->call != CALL_CLOSE)
		drop_call(l);
	l->reason = reason;
	if (l->call == CALL_NONE)
		(void)evtimer_del(l->timer);
	start(l);
}

/*
 * persist.c - SID.state: written on change, by rename, so that the next broker
 * of the session takes up where one that died has stopped.
 *
 * Who was put out or made read-only is written before it takes effect, and on
 * the disk unless such things come in masses; all else follows within
 * TUNL_STATE_INTERVAL.  What cannot be read is moved aside,
 * and then nobody may type whom the customer does not let type again.
 */
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "broker.h"
#include "files.h"
#include "log.h"

#define STATE_DIR	"sessions"	/* below TUNL_DATA_DIR */
#define SYNC_MS		100u	/* the disk is waited for no oftener */

static void
file_name(const struct broker *b, const char *suffix, char name[NAME_MAX])
{
	(void)snprintf(name, NAME_MAX, "%s.state%s", b->sid, suffix);
}

/* ---- writing ------------------------------------------------------------ */

static void
collect(const struct broker *b, struct state *st)
{
	const struct session *s = &b->session;
	unsigned int i;

	memset(st, 0, sizeof *st);
	st->perm = s->perm;
	st->next_n = s->next_n;
	st->terminating = s->terminating;
	st->wary = s->wary;
	if (b->closing)
		(void)snprintf(st->over, sizeof st->over, "%s", b->reason);
	memcpy(st->grades, s->grades, sizeof st->grades);
	st->ngrades = s->ngrades;
	for (i = 0; i < SESSION_VIEWERS; i++) {
		const struct viewer *v = &s->viewers[i];
		struct state_viewer *out = &st->viewers[st->nviewers];

		if (v->n == 0)
			continue;
		out->n = v->n;
		memcpy(out->client, v->client, sizeof out->client);
		memcpy(out->fingerprint, v->fingerprint,
		    sizeof out->fingerprint);
		st->nviewers++;
	}
	chatlog_owed(&b->chat, &st->chat);
}

/* It cannot be written: what is decided counts, but may be forgotten. */
static void
failed(struct broker *b)
{
	static const char text[] = "the relay cannot write down who may do "
	    "what: if its process dies, that is forgotten";

	log_warn("%s.state", b->sid);
	if (b->persist.told)
		return;
	b->persist.told = true;
	broker_audit(b, NULL, "state", "cannot be written");
	broker_tell_customer(b, "%s", text);
	broker_tell_support(b, "%s", text);
}

static void
write_state(struct broker *b, bool sync)
{
	struct persist *ps = &b->persist;
	uint64_t now = peer_clock();
	struct state *st = malloc(sizeof *st);
	char name[NAME_MAX], *buf = malloc(STATE_MAX);
	size_t len;

	(void)event_del(ps->ev);
	ps->wrote_ms = now;
	ps->unsynced = sync && now - ps->synced_ms < SYNC_MS;
	sync = sync && !ps->unsynced;
	if (sync)
		ps->synced_ms = now;
	errno = ENOMEM;
	if (st != NULL && buf != NULL) {
		collect(b, st);
		len = state_format(st, buf, STATE_MAX);
		file_name(b, "", name);
		errno = ps->dirfd == -1 ? EBADF : EFBIG;
		if (ps->dirfd != -1 && len > 0 && file_replace(ps->dirfd, name,
		    buf, len, 0600, sync) == 0)
			errno = 0;
	}
	if (errno != 0)
		failed(b);
	else
		ps->told = false;
	free(st);
	free(buf);
	if (ps->unsynced)
		persist_due(b);
}

static void
write_cb(evutil_socket_t fd, short what, void *arg)
{
	struct broker *b = arg;

	(void)fd;
	(void)what;
	write_state(b, b->persist.unsynced);
}

void
persist_due(struct broker *b)
{
	struct persist *ps = &b->persist;
	uint64_t since = peer_clock() - ps->wrote_ms;
	struct timeval tv = { 0, 0 };

	if (evtimer_pending(ps->ev, NULL))
		return;
	if (ps->wrote_ms != 0 && since < b->conf->state_ms) {
		uint32_t ms = b->conf->state_ms - (uint32_t)since;

		tv.tv_sec = ms / 1000;
		tv.tv_usec = ms % 1000 * 1000;
	}
	(void)evtimer_add(ps->ev, &tv);
}

void
persist_now(struct broker *b)
{
	write_state(b, true);
}

/* ---- reading ------------------------------------------------------------ */

static void
take_up(struct broker *b, const struct state *st)
{
	struct session *s = &b->session;
	unsigned int i;

	s->perm = st->perm;
	s->next_n = st->next_n;
	s->terminating = st->terminating;
	s->wary = st->wary;
	for (i = 0; i < st->ngrades; i++)
		session_recall_grade(s, &st->grades[i]);
	for (i = 0; i < st->nviewers; i++)
		session_recall_viewer(s, st->viewers[i].n,
		    st->viewers[i].client, st->viewers[i].fingerprint);
	memcpy(b->persist.over, st->over, sizeof st->over);
	broker_audit(b, NULL, "state", "taken up: %u keys graded, %u viewers",
	    st->ngrades, st->nviewers);
}

/* What an earlier broker knew is lost: trust no key until told to. */
static void
give_up(struct broker *b, const char *why)
{
	char name[NAME_MAX], aside[NAME_MAX];

	file_name(b, "", name);
	file_name(b, ".broken", aside);
	if (renameat(b->persist.dirfd, name, b->persist.dirfd, aside) == -1)
		log_warn("%s", name);
	log_warnx("%s: %s", name, why);
	b->session.wary = b->persist.lost = true;
	broker_audit(b, NULL, "state", "lost (%s): moved aside; who was put "
	    "out is forgotten, everybody is read-only", why);
}

static void
read_state(struct broker *b, struct state *st)
{
	char name[NAME_MAX], *text;
	const char *wrong;
	size_t len;

	memset(st, 0, sizeof *st);
	file_name(b, "", name);
	text = file_read(b->persist.dirfd, name, STATE_MAX, &len);
	if (text == NULL && errno == ENOENT)
		return;
	wrong = text == NULL ? strerror(errno) : state_parse(text, len, st);
	free(text);
	if (wrong == NULL) {
		take_up(b, st);
		return;
	}
	memset(st, 0, sizeof *st);
	give_up(b, wrong);
}

/* What a process that was killed while it wrote has left. */
static void
sweep(const struct broker *b)
{
	char prefix[NAME_MAX];
	int n = snprintf(prefix, sizeof prefix, ".%s.state.", b->sid);
	int fd = fcntl(b->persist.dirfd, F_DUPFD_CLOEXEC, 0);
	DIR *d = fd == -1 ? NULL : fdopendir(fd);
	const struct dirent *e;

	if (d == NULL) {
		if (fd != -1)
			close(fd);
		return;
	}
	while ((e = readdir(d)) != NULL)
		if (strncmp(e->d_name, prefix, (size_t)n) == 0)
			(void)unlinkat(b->persist.dirfd, e->d_name, 0);
	(void)closedir(d);
}

static int
open_dir(const char *data_dir)
{
	char path[PATH_MAX];
	int n = snprintf(path, sizeof path, "%s/" STATE_DIR, data_dir);

	if (n < 0 || (size_t)n >= sizeof path) {
		errno = ENAMETOOLONG;
		return -1;
	}
	return dir_private(path);
}

int
persist_open(struct broker *b)
{
	struct persist *ps = &b->persist;
	struct state *st = malloc(sizeof *st);

	ps->ev = evtimer_new(b->base, write_cb, b);
	if (ps->ev == NULL || st == NULL) {
		free(st);
		return -1;
	}
	memset(st, 0, sizeof *st);
	ps->dirfd = open_dir(b->conf->data_dir);
	if (ps->dirfd == -1)
		log_warn("%s/" STATE_DIR, b->conf->data_dir);
	else {
		sweep(b);
		read_state(b, st);
	}
	if (chatlog_open(&b->chat, b->conf->log_dir, b->sid, &st->chat) == -1)
		log_warn("%s", b->conf->log_dir);
	free(st);
	if (ps->lost)
		persist_now(b);
	return 0;
}

void
persist_tell(struct broker *b)
{
	if (!b->persist.lost)
		return;
	b->persist.lost = false;
	broker_tell_customer(b, "the relay lost its notes on this session: "
	    "whom you put out or made read-only is forgotten; now everybody is "
	    "read-only until you let them type");
}

void
persist_close(struct broker *b)
{
	struct persist *ps = &b->persist;
	char name[NAME_MAX];

	if (ps->ev == NULL)
		return;
	file_name(b, "", name);
	if (b->closing && b->recorded) {
		if (ps->dirfd != -1 && unlinkat(ps->dirfd, name, 0) == -1 &&
		    errno != ENOENT)
			log_warn("%s", name);
	} else if (evtimer_pending(ps->ev, NULL))
		write_state(b, false);
	event_free(ps->ev);
	ps->ev = NULL;
	if (ps->dirfd != -1)
		close(ps->dirfd);
	ps->dirfd = -1;
}

/*
 * session.c - see session.h.
 */
#include "session.h"

#include <string.h>

void
session_init(struct session *s)
{
	memset(s, 0, sizeof *s);
	s->perm = PROTO_CONFIRM;
	s->next_n = 1;
}

static struct grade *
grade_of(const struct session *s, const char *fingerprint)
{
	unsigned int i;

	for (i = 0; i < s->ngrades; i++)
		if (strcmp(s->grades[i].fingerprint, fingerprint) == 0)
			return (struct grade *)&s->grades[i];
	return NULL;
}

bool
session_is_kicked(const struct session *s, const struct viewer *v)
{
	const struct grade *g = grade_of(s, v->fingerprint);

	return g != NULL && g->kicked;
}

bool
session_is_ro(const struct session *s, const struct viewer *v)
{
	const struct grade *g = grade_of(s, v->fingerprint);

	return v->asked_ro || (g != NULL ? g->ro : s->wary);
}

/* Whoever was told that typing is dropped is told again if it still is. */
static void
forget_told(struct session *s)
{
	unsigned int i;

	for (i = 0; i < SESSION_VIEWERS; i++)
		s->viewers[i].told = 0;
}

unsigned int
session_link_up(struct session *s, unsigned int perm)
{
	unsigned int follows = session_perm(s, perm);

	s->link = true;
	forget_told(s);
	/* A customer that comes back knows of no wish, so it is told. */
	session_wanted(s, &s->cols, &s->rows);
	return follows | SESSION_INFORM | SESSION_RESIZE;
}

unsigned int
session_link_lost(struct session *s)
{
	if (!s->link)
		return 0;
	s->link = false;
	forget_told(s);
	return SESSION_INFORM;
}

unsigned int
session_perm(struct session *s, unsigned int perm)
{
	if (s->perm == perm)
		return 0;
	s->perm = perm;
	forget_told(s);
	return SESSION_INFORM | SESSION_PERM | SESSION_MODE | SESSION_SAVE;
}

struct viewer *
session_viewer(struct session *s, uint64_t n)
{
	unsigned int i;

	for (i = 0; i < SESSION_VIEWERS; i++)
		if (n != 0 && s->viewers[i].n == n)
			return &s->viewers[i];
	return NULL;
}

/*
 * The slot of this client, or a free one, or that of the viewer who left and
 * has the lowest number.  A viewer who comes back keeps the number.
 */
static struct viewer *
find_slot(struct session *s, const struct session_who *who)
{
	struct viewer *v, *best = NULL;
	unsigned int i;

	for (i = 0; i < SESSION_VIEWERS; i++) {
		v = &s->viewers[i];
		if (v->n != 0 && strcmp(v->client, who->client) == 0 &&
		    strcmp(v->fingerprint, who->fingerprint) == 0)
			return v;
		if (v->legs == 0 && (best == NULL || v->n < best->n))
			best = v;
	}
	if (best != NULL)
		memset(best, 0, sizeof *best);
	return best;
}

static void
copy(char *dst, size_t cap, const char *src)
{
	size_t len = strlen(src);

	if (len >= cap)
		len = cap - 1;
	memcpy(dst, src, len);
	dst[len] = '\0';
}

enum session_joined
session_join(struct session *s, const struct session_who *who,
    struct viewer **out, unsigned int *follows)
{
	const struct grade *g = grade_of(s, who->fingerprint);
	struct viewer *v;

	*follows = 0;
	if (g != NULL && g->kicked)
		return SESSION_KICKED;
	v = find_slot(s, who);
	if (v == NULL)
		return SESSION_FULL;
	if (v->n == 0) {
		v->n = s->next_n++;
		*follows |= SESSION_SAVE;
		copy(v->client, sizeof v->client, who->client);
		copy(v->fingerprint, sizeof v->fingerprint, who->fingerprint);
	}
	copy(v->name, sizeof v->name, who->name);
	copy(v->comment, sizeof v->comment, who->comment);
	/* Of two legs one asking to look only is enough. */
	v->asked_ro = who->ro || (v->legs > 0 && v->asked_ro);
	v->legs++;
	v->viewing += who->role == PROTO_VIEW;
	if (who->role != PROTO_CONTROL && v->watching++ == 0)
		*follows |= SESSION_INFORM;
	*out = v;
	return SESSION_JOINED;
}

unsigned int
session_leave(struct session *s, struct viewer *v, unsigned int role)
{
	unsigned int follows = 0;

	v->legs--;
	/* One that is late to be found dead must not undo its successor's. */
	if (role == PROTO_VIEW && --v->viewing == 0)
		follows |= session_wish(s, v, 0, 0, false);
	if (role != PROTO_CONTROL && --v->watching == 0)
		follows |= SESSION_INFORM;
	if (v->legs == 0) {
		v->told = 0;
		v->typed = false;
	}
	return follows;
}

enum session_verdict
session_judge(const struct session *s, const struct viewer *v,
    enum proto_form form)
{
	const struct proto_row *row = proto_row(form);

	if ((row->flags & PROTO_RW) != 0 && session_is_ro(s, v))
		return SESSION_READONLY;
	if ((row->perms & s->perm) == 0)
		return SESSION_POLICY;
	if (!s->link && (form == PROTO_KEYS_MAIN || form == PROTO_ZOOM ||
	    form == PROTO_STATUS))
		return SESSION_NO_LINK;
	return SESSION_PASS;
}

bool
session_tell(struct viewer *v, enum session_verdict verdict)
{
	uint16_t bit = (uint16_t)(1u << verdict);

	if ((v->told & bit) != 0)
		return false;
	v->told |= bit;
	return true;
}

const char *
session_verdict_text(enum session_verdict verdict)
{
	static const char *const texts[SESSION_VERDICTS] = {
		"nothing was dropped",
		"you are read-only here: what you type is dropped",
		"this session is restricted: what you type is dropped",
		"the customer is not connected: what you type is dropped",
	};

	return texts[verdict];
}

/* A new entry; in a full table the oldest goes, kicked keys last. */
static struct grade *
grade_add(struct session *s, const char *fingerprint)
{
	struct grade *g;
	unsigned int i = 0;

	if (s->ngrades == SESSION_GRADES) {
		while (i < SESSION_GRADES - 1 && s->grades[i].kicked)
			i++;
		memmove(s->grades + i, s->grades + i + 1,
		    (--s->ngrades - i) * sizeof s->grades[0]);
	}
	g = &s->grades[s->ngrades++];
	memset(g, 0, sizeof *g);
	copy(g->fingerprint, sizeof g->fingerprint, fingerprint);
	return g;
}

unsigned int
session_grade(struct session *s, uint64_t n, struct proto_str grade)
{
	struct viewer *v = session_viewer(s, n);
	bool ro = proto_is(grade, "ro"), kick = proto_is(grade, "kick");
	struct grade *g, was = { "", false, false };

	if (v == NULL)
		return 0;
	g = grade_of(s, v->fingerprint);
	if (g != NULL)
		was = *g;
	else if (ro || kick || s->wary)
		g = grade_add(s, v->fingerprint);
	if (g != NULL) {
		g->ro = ro || (kick && g->ro);
		g->kicked = g->kicked || kick;
	}
	forget_told(s);
	return SESSION_INFORM | (kick ? SESSION_EVICT : 0) |
	    (g != NULL && memcmp(g, &was, sizeof was) != 0 ?
	    SESSION_SAVE_FIRST : 0);
}

void
session_recall_grade(struct session *s, const struct grade *g)
{
	*grade_add(s, g->fingerprint) = *g;
}

void
session_recall_viewer(struct session *s, uint32_t n, const char *client,
    const char *fingerprint)
{
	unsigned int i;

	for (i = 0; i < SESSION_VIEWERS && s->viewers[i].n != 0; i++)
		;
	if (i == SESSION_VIEWERS)
		return;
	s->viewers[i].n = n;
	copy(s->viewers[i].client, sizeof s->viewers[i].client, client);
	copy(s->viewers[i].fingerprint, sizeof s->viewers[i].fingerprint,
	    fingerprint);
}

void
session_wanted(const struct session *s, uint16_t *cols, uint16_t *rows)
{
	const struct viewer *v, *forced = NULL;
	unsigned int i;

	*cols = *rows = 0;
	for (i = 0; i < SESSION_VIEWERS; i++) {
		v = &s->viewers[i];
		if (v->legs == 0 || v->cols == 0)
			continue;
		if (*cols == 0 || v->cols < *cols)
			*cols = v->cols;
		if (*rows == 0 || v->rows < *rows)
			*rows = v->rows;
		if (v->override != 0 &&
		    (forced == NULL || v->override > forced->override))
			forced = v;
	}
	if (forced != NULL) {
		*cols = forced->cols;
		*rows = forced->rows;
	}
}

unsigned int
session_wish(struct session *s, struct viewer *v, uint16_t cols,
    uint16_t rows, bool override)
{
	uint16_t c, r;

	if (cols == 0 || rows == 0)
		cols = rows = 0;
	v->cols = cols;
	v->rows = rows;
	v->override = override ? ++s->overrides : 0;
	session_wanted(s, &c, &r);
	if (c == s->cols && r == s->rows)
		return 0;
	s->cols = c;
	s->rows = r;
	return SESSION_RESIZE;
}

const char *
session_mode(const struct session *s)
{
	return s->perm == PROTO_BLOCKED ? "restricted" :
	    s->perm == PROTO_AUTO_REJECT ? "no-tunnel" : "share";
}

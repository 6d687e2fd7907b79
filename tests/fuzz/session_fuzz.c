/*
 * session_fuzz.c - any order of joining, leaving, grading, policy and sizes:
 * numbers are unique, nobody who is put out comes back, what a read-only
 * engineer may is never more than what another may.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../relay/session.h"
#include "fuzz.h"

#define LEGS	128

struct leg {
	struct viewer	*v;	/* NULL: free */
	unsigned int	 role;
};

static const char *const grades[] = { "rw", "ro", "kick" };
static const unsigned int perms[] = { PROTO_BLOCKED, PROTO_CONFIRM,
    PROTO_ALLOWED, PROTO_AUTO_REJECT };

static void
join(struct session *s, struct leg *leg, unsigned int who, unsigned int how)
{
	char client[SESSION_CLIENT_LEN + 1], key[32];
	struct session_who w = { client, "name", "comment", key, how & 8,
	    1u << how % 3 };
	unsigned int follows;

	(void)snprintf(client, sizeof client, "%016x", who);
	(void)snprintf(key, sizeof key, "SHA256:%u", who % 7);
	if (leg->v != NULL)
		return;
	if (session_join(s, &w, &leg->v, &follows) != SESSION_JOINED) {
		leg->v = NULL;
		return;
	}
	leg->role = w.role;
	must(!session_is_kicked(s, leg->v));
	must(session_viewer(s, leg->v->n) == leg->v);
}

static void
leave(struct session *s, struct leg *leg)
{
	if (leg->v != NULL)
		(void)session_leave(s, leg->v, leg->role);
	leg->v = NULL;
}

static void
grade(struct session *s, unsigned int n, unsigned int which)
{
	const char *g = grades[which % 3];
	struct proto_str word = { g, strlen(g) };
	struct viewer *v = session_viewer(s, n);
	bool was = v != NULL && session_is_kicked(s, v);

	(void)session_grade(s, n, word);
	if (v != NULL)
		must(session_is_kicked(s, v) == (was || which % 3 == 2));
}

static void
check(struct session *s, const struct leg *legs)
{
	unsigned int i, k, counted[SESSION_VIEWERS] = { 0 };

	for (i = 0; i < LEGS; i++)
		if (legs[i].v != NULL)
			counted[legs[i].v - s->viewers]++;
	for (i = 0; i < SESSION_VIEWERS; i++) {
		struct viewer *v = &s->viewers[i];

		must(v->legs == counted[i]);
		must(v->watching <= v->legs && v->viewing <= v->watching);
		must(v->viewing > 0 || v->cols == 0);
		for (k = 0; k < i && v->n != 0; k++)
			must(s->viewers[k].n != v->n);
		must(!session_is_ro(s, v) ||
		    session_judge(s, v, PROTO_KEYS_MAIN) != SESSION_PASS);
		must(s->perm != PROTO_BLOCKED ||
		    session_judge(s, v, PROTO_KEYS_MAIN) != SESSION_PASS);
	}
	must(s->ngrades <= SESSION_GRADES);
}

static void
wish(struct session *s, struct leg *leg, unsigned int a, unsigned int b)
{
	uint16_t cols, rows;

	if (leg->v == NULL || leg->role != PROTO_VIEW)
		return;
	(void)session_wish(s, leg->v, (uint16_t)a, (uint16_t)(b & 127),
	    b > 127);
	session_wanted(s, &cols, &rows);
	must((cols == 0) == (rows == 0));
	must(cols == s->cols && rows == s->rows);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct session s;
	struct leg legs[LEGS];
	size_t i;

	memset(legs, 0, sizeof legs);
	session_init(&s);
	for (i = 0; i + 2 < size && i < 1500; i += 3) {
		unsigned int op = data[i], a = data[i + 1], b = data[i + 2];
		struct leg *leg = &legs[a % LEGS];

		switch (op % 8) {
		case 0:
		case 1:
			join(&s, leg, b, op >> 3);
			break;
		case 2:
			leave(&s, leg);
			break;
		case 3:
			grade(&s, a, b);
			break;
		case 4:
			wish(&s, leg, op, b);
			break;
		case 5:
			(void)session_perm(&s, perms[a % 4]);
			break;
		case 6:
			(void)session_link_up(&s, perms[a % 4]);
			break;
		case 7:
			(void)session_link_lost(&s);
			break;
		}
		check(&s, legs);
	}
	return 0;
}

/*
 * session_test.c - who may what in a session, and what follows.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "../../relay/session.h"

#define LEN(a)	(sizeof (a) / sizeof (a)[0])

static const struct proto_str rw = { "rw", 2 }, ro = { "ro", 2 },
    kick = { "kick", 4 };

static struct viewer *
join(struct session *s, const char *client, const char *key,
    unsigned int role, bool read_only)
{
	struct session_who who = { client, client, "comment", key, read_only,
	    role };
	struct viewer *v = NULL;
	unsigned int follows;

	assert_int_equal(session_join(s, &who, &v, &follows), SESSION_JOINED);
	assert_non_null(v);
	return v;
}

/* What docs say of policies: verb, policy, may type or may look. */
static void
test_verdicts(void **state)
{
	static const struct {
		enum proto_form		form;
		unsigned int		perm;
		enum session_verdict	rw, ro;
	} cases[] = {
		{ PROTO_KEYS_MAIN, PROTO_CONFIRM, SESSION_PASS,
		    SESSION_READONLY },
		{ PROTO_KEYS_MAIN, PROTO_ALLOWED, SESSION_PASS,
		    SESSION_READONLY },
		{ PROTO_KEYS_MAIN, PROTO_AUTO_REJECT, SESSION_PASS,
		    SESSION_READONLY },
		{ PROTO_KEYS_MAIN, PROTO_BLOCKED, SESSION_POLICY,
		    SESSION_READONLY },
		{ PROTO_ZOOM, PROTO_CONFIRM, SESSION_PASS, SESSION_READONLY },
		{ PROTO_ZOOM, PROTO_BLOCKED, SESSION_POLICY,
		    SESSION_READONLY },
		{ PROTO_KEYS_CHAT, PROTO_CONFIRM, SESSION_PASS, SESSION_PASS },
		{ PROTO_KEYS_CHAT, PROTO_BLOCKED, SESSION_PASS, SESSION_PASS },
		{ PROTO_RESIZE, PROTO_BLOCKED, SESSION_PASS, SESSION_PASS },
		{ PROTO_RESIZE_OVERRIDE, PROTO_BLOCKED, SESSION_PASS,
		    SESSION_READONLY },
		{ PROTO_STATUS, PROTO_BLOCKED, SESSION_PASS, SESSION_PASS },
		{ PROTO_ACK, PROTO_BLOCKED, SESSION_PASS, SESSION_PASS },
		{ PROTO_UPGRADE_ASK, PROTO_CONFIRM, SESSION_PASS,
		    SESSION_READONLY },
		{ PROTO_UPGRADE_ASK, PROTO_ALLOWED, SESSION_PASS,
		    SESSION_READONLY },
		{ PROTO_UPGRADE_ASK, PROTO_AUTO_REJECT, SESSION_POLICY,
		    SESSION_READONLY },
		{ PROTO_UPGRADE_ASK, PROTO_BLOCKED, SESSION_POLICY,
		    SESSION_READONLY },
		{ PROTO_TERMINATE, PROTO_BLOCKED, SESSION_PASS,
		    SESSION_READONLY },
	};
	struct viewer *may, *look;
	struct session s;
	size_t i;

	(void)state;
	session_init(&s);
	(void)session_link_up(&s, PROTO_CONFIRM);
	may = join(&s, "0000000000000001", "SHA256:a", PROTO_VIEW, false);
	look = join(&s, "0000000000000002", "SHA256:b", PROTO_VIEW, true);
	for (i = 0; i < LEN(cases); i++) {
		(void)session_perm(&s, cases[i].perm);
		if (session_judge(&s, may, cases[i].form) != cases[i].rw ||
		    session_judge(&s, look, cases[i].form) != cases[i].ro)
			fail_msg("case %zu", i);
	}
}

static void
test_without_a_link(void **state)
{
	static const enum proto_form drops[] = {
		PROTO_KEYS_MAIN, PROTO_ZOOM, PROTO_STATUS,
	}, passes[] = {
		PROTO_KEYS_CHAT, PROTO_RESIZE, PROTO_RESIZE_OVERRIDE,
		PROTO_ACK, PROTO_UPGRADE_ASK, PROTO_TERMINATE,
	};
	struct viewer *v;
	struct session s;
	size_t i;

	(void)state;
	session_init(&s);
	v = join(&s, "0000000000000001", "SHA256:a", PROTO_VIEW, false);
	for (i = 0; i < LEN(drops); i++)
		assert_int_equal(session_judge(&s, v, drops[i]),
		    SESSION_NO_LINK);
	for (i = 0; i < LEN(passes); i++)
		assert_int_equal(session_judge(&s, v, passes[i]),
		    SESSION_PASS);
	assert_int_equal(session_link_up(&s, PROTO_CONFIRM),
	    SESSION_INFORM | SESSION_RESIZE);
	assert_int_equal(session_judge(&s, v, PROTO_KEYS_MAIN), SESSION_PASS);
	assert_int_equal(session_link_lost(&s), SESSION_INFORM);
	assert_int_equal(session_link_lost(&s), 0);
	assert_int_equal(session_judge(&s, v, PROTO_KEYS_MAIN),
	    SESSION_NO_LINK);
}

static void
test_told_once(void **state)
{
	struct viewer *v;
	struct session s;

	(void)state;
	session_init(&s);
	v = join(&s, "0000000000000001", "SHA256:a", PROTO_VIEW, true);
	assert_true(session_tell(v, SESSION_READONLY));
	assert_false(session_tell(v, SESSION_READONLY));
	assert_true(session_tell(v, SESSION_POLICY));
	/* Again when something has changed. */
	(void)session_perm(&s, PROTO_BLOCKED);
	assert_true(session_tell(v, SESSION_POLICY));
	(void)session_link_up(&s, PROTO_BLOCKED);
	assert_true(session_tell(v, SESSION_POLICY));
	(void)session_grade(&s, v->n, ro);
	assert_true(session_tell(v, SESSION_POLICY));
	assert_false(session_tell(v, SESSION_POLICY));
}

static void
test_policy_follows(void **state)
{
	struct session s;

	(void)state;
	session_init(&s);
	assert_string_equal(session_mode(&s), "share");
	assert_int_equal(session_perm(&s, PROTO_CONFIRM), 0);
	assert_int_equal(session_perm(&s, PROTO_AUTO_REJECT),
	    SESSION_INFORM | SESSION_PERM | SESSION_MODE | SESSION_SAVE);
	assert_string_equal(session_mode(&s), "no-tunnel");
	(void)session_perm(&s, PROTO_BLOCKED);
	assert_string_equal(session_mode(&s), "restricted");
	(void)session_perm(&s, PROTO_ALLOWED);
	assert_string_equal(session_mode(&s), "share");
	assert_int_equal(session_link_up(&s, PROTO_BLOCKED), SESSION_INFORM |
	    SESSION_PERM | SESSION_MODE | SESSION_SAVE | SESSION_RESIZE);
}

/* The legs of one client and key are one viewer, also when they come back. */
static void
test_numbers(void **state)
{
	struct session_who who = { "0000000000000001", "A", "", "SHA256:a",
	    false, PROTO_CHAT };
	struct viewer *v, *w, *x;
	struct session s;
	unsigned int follows;

	(void)state;
	session_init(&s);
	v = join(&s, "0000000000000001", "SHA256:a", PROTO_VIEW, false);
	assert_int_equal(v->n, 1);
	assert_int_equal(session_join(&s, &who, &w, &follows), SESSION_JOINED);
	assert_ptr_equal(v, w);
	assert_int_equal(follows, 0);	/* it is in the list already */
	/* Somebody else's key is somebody else. */
	x = join(&s, "0000000000000001", "SHA256:b", PROTO_VIEW, false);
	assert_int_equal(x->n, 2);
	assert_ptr_equal(session_viewer(&s, 1), v);
	assert_ptr_equal(session_viewer(&s, 2), x);
	assert_null(session_viewer(&s, 3));
	assert_null(session_viewer(&s, 0));
	assert_int_equal(session_leave(&s, v, PROTO_VIEW), 0);
	assert_int_equal(session_leave(&s, v, PROTO_CHAT), SESSION_INFORM);
	assert_ptr_equal(session_viewer(&s, 1), v);	/* it may come back */
	v = join(&s, "0000000000000001", "SHA256:a", PROTO_VIEW, false);
	assert_int_equal(v->n, 1);
	/* A control leg has a number, but nobody watches by it. */
	who.client = "0000000000000003";
	who.role = PROTO_CONTROL;
	assert_int_equal(session_join(&s, &who, &w, &follows), SESSION_JOINED);
	assert_int_equal(w->n, 3);
	assert_int_equal(follows, SESSION_SAVE);
	assert_int_equal(w->watching, 0);
	assert_int_equal(session_leave(&s, w, PROTO_CONTROL), 0);
}

static void
test_full(void **state)
{
	struct session_who who = { "", "", "", "SHA256:x", false, PROTO_VIEW };
	struct viewer *v, *first = NULL;
	char client[SESSION_CLIENT_LEN + 1];
	struct session s;
	unsigned int follows, i;

	(void)state;
	session_init(&s);
	for (i = 0; i < SESSION_VIEWERS; i++) {
		(void)snprintf(client, sizeof client, "%016x", i);
		v = join(&s, client, "SHA256:a", PROTO_VIEW, false);
		first = first == NULL ? v : first;
	}
	who.client = "ffffffffffffffff";
	assert_int_equal(session_join(&s, &who, &v, &follows), SESSION_FULL);
	(void)session_leave(&s, first, PROTO_VIEW);
	assert_int_equal(session_join(&s, &who, &v, &follows), SESSION_JOINED);
	assert_int_equal(v->n, SESSION_VIEWERS + 1);
	assert_null(session_viewer(&s, 1));
}

static void
test_grades(void **state)
{
	struct session_who who = { "0000000000000009", "A", "", "SHA256:a",
	    false, PROTO_VIEW };
	struct viewer *a, *a2, *b;
	struct session s;
	unsigned int follows;

	(void)state;
	session_init(&s);
	(void)session_link_up(&s, PROTO_CONFIRM);
	a = join(&s, "0000000000000001", "SHA256:a", PROTO_VIEW, false);
	b = join(&s, "0000000000000002", "SHA256:b", PROTO_VIEW, true);
	assert_int_equal(session_grade(&s, 7, ro), 0);	/* nobody */
	assert_int_equal(session_grade(&s, a->n, rw), SESSION_INFORM);
	assert_int_equal(s.ngrades, 0);
	assert_int_equal(session_grade(&s, a->n, ro),
	    SESSION_INFORM | SESSION_SAVE_FIRST);
	assert_int_equal(session_grade(&s, a->n, ro), SESSION_INFORM);
	assert_true(session_is_ro(&s, a));
	/* It is the key that is graded: coming back anew does not help. */
	a2 = join(&s, "0000000000000003", "SHA256:a", PROTO_VIEW, false);
	assert_true(session_is_ro(&s, a2));
	assert_int_equal(session_judge(&s, a2, PROTO_KEYS_MAIN),
	    SESSION_READONLY);
	assert_int_equal(session_grade(&s, a2->n, rw),
	    SESSION_INFORM | SESSION_SAVE_FIRST);
	assert_false(session_is_ro(&s, a));
	/* What an engineer chose is not undone. */
	assert_int_equal(session_grade(&s, b->n, rw), SESSION_INFORM);
	assert_true(session_is_ro(&s, b));
	assert_int_equal(session_grade(&s, a->n, kick),
	    SESSION_INFORM | SESSION_EVICT | SESSION_SAVE_FIRST);
	assert_int_equal(session_grade(&s, a->n, rw), SESSION_INFORM);
	assert_true(session_is_kicked(&s, a));	/* for good */
	assert_true(session_is_kicked(&s, a2));
	assert_false(session_is_kicked(&s, b));
	assert_int_equal(session_join(&s, &who, &a, &follows), SESSION_KICKED);
}

/* A table of grades that is full loses read-only keys, not kicked ones. */
static void
test_many_grades(void **state)
{
	char client[SESSION_CLIENT_LEN + 1], key[32];
	struct session_who who = { client, "", "", key, false, PROTO_VIEW };
	struct viewer *v;
	struct session s;
	unsigned int follows, i;

	(void)state;
	session_init(&s);
	for (i = 0; i < 3 * SESSION_GRADES; i++) {
		(void)snprintf(client, sizeof client, "%016x", i);
		(void)snprintf(key, sizeof key, "SHA256:%u", i);
		v = join(&s, client, key, PROTO_VIEW, false);
		(void)session_grade(&s, v->n, i == 0 ? kick : ro);
		(void)session_leave(&s, v, PROTO_VIEW);
		assert_true(s.ngrades <= SESSION_GRADES);
	}
	(void)snprintf(key, sizeof key, "SHA256:0");
	assert_int_equal(session_join(&s, &who, &v, &follows), SESSION_KICKED);
}

/* What an earlier broker knew of them. */
static void
test_recall(void **state)
{
	static const struct grade graded[] = {
		{ "SHA256:out", false, true }, { "SHA256:look", true, false },
		{ "SHA256:type", false, false },
	};
	struct session_who who = { "0000000000000001", "", "", "SHA256:out",
	    false, PROTO_VIEW };
	struct viewer *v, *w;
	struct session s;
	unsigned int follows, i;

	(void)state;
	session_init(&s);
	s.next_n = 8;
	s.wary = true;
	for (i = 0; i < LEN(graded); i++)
		session_recall_grade(&s, &graded[i]);
	session_recall_viewer(&s, 5, "0000000000000005", "SHA256:type");
	session_recall_viewer(&s, 7, "0000000000000007", "SHA256:look");
	assert_int_equal(session_join(&s, &who, &v, &follows), SESSION_KICKED);
	v = join(&s, "0000000000000007", "SHA256:look", PROTO_VIEW, false);
	assert_int_equal(v->n, 7);
	assert_true(session_is_ro(&s, v));
	/* One who has not come back yet can be put out, too. */
	assert_int_equal(session_grade(&s, 5, kick),
	    SESSION_INFORM | SESSION_EVICT | SESSION_SAVE_FIRST);
	w = join(&s, "0000000000000001", "SHA256:new", PROTO_VIEW, false);
	assert_int_equal(w->n, 8);
	/* Of this key nothing is known, or was lost. */
	assert_true(session_is_ro(&s, w));
	assert_int_equal(session_grade(&s, w->n, rw),
	    SESSION_INFORM | SESSION_SAVE_FIRST);
	assert_false(session_is_ro(&s, w));
}

static void
wanted(const struct session *s, unsigned int cols, unsigned int rows)
{
	uint16_t c, r;

	session_wanted(s, &c, &r);
	assert_int_equal(c, cols);
	assert_int_equal(r, rows);
}

static void
test_sizes(void **state)
{
	struct viewer *a, *b;
	struct session s;

	(void)state;
	session_init(&s);
	a = join(&s, "0000000000000001", "SHA256:a", PROTO_VIEW, false);
	b = join(&s, "0000000000000002", "SHA256:b", PROTO_VIEW, false);
	wanted(&s, 0, 0);
	assert_int_equal(session_wish(&s, a, 100, 30, false), SESSION_RESIZE);
	assert_int_equal(session_wish(&s, a, 100, 30, false), 0);
	assert_int_equal(session_wish(&s, b, 80, 50, false), SESSION_RESIZE);
	wanted(&s, 80, 30);	/* the smallest of each */
	assert_int_equal(session_wish(&s, a, 200, 60, true), SESSION_RESIZE);
	wanted(&s, 200, 60);
	assert_int_equal(session_wish(&s, b, 10, 10, true), SESSION_RESIZE);
	wanted(&s, 10, 10);	/* the later override */
	assert_int_equal(session_wish(&s, b, 90, 20, false), SESSION_RESIZE);
	wanted(&s, 200, 60);
	assert_int_equal(session_leave(&s, a, PROTO_VIEW),
	    SESSION_RESIZE | SESSION_INFORM);
	wanted(&s, 90, 20);
	assert_int_equal(session_wish(&s, b, 0, 10, false), SESSION_RESIZE);
	wanted(&s, 0, 0);
	assert_int_equal(session_wish(&s, b, 0, 0, false), 0);
}

/* An old leg found dead late does not take its successor's wish along. */
static void
test_size_of_a_successor(void **state)
{
	struct viewer *v;
	struct session s;

	(void)state;
	session_init(&s);
	v = join(&s, "0000000000000001", "SHA256:a", PROTO_VIEW, false);
	assert_ptr_equal(join(&s, "0000000000000001", "SHA256:a", PROTO_VIEW,
	    false), v);
	assert_int_equal(session_wish(&s, v, 80, 24, false), SESSION_RESIZE);
	assert_int_equal(session_leave(&s, v, PROTO_VIEW), 0);
	wanted(&s, 80, 24);
	assert_int_equal(session_leave(&s, v, PROTO_VIEW),
	    SESSION_RESIZE | SESSION_INFORM);
	wanted(&s, 0, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_verdicts),
		cmocka_unit_test(test_without_a_link),
		cmocka_unit_test(test_told_once),
		cmocka_unit_test(test_policy_follows),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_grades),
		cmocka_unit_test(test_many_grades),
		cmocka_unit_test(test_recall),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_size_of_a_successor),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

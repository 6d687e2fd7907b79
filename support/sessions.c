/*
 * sessions.c - see sessions.h.
 */
#include "sessions.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "num.h"
#include "proto.h"
#include "safetext.h"
#include "say.h"
#include "table.h"

#define PAGES_MAX	1000	/* a relay that never stops is broken */
#define CURSOR_MAX	256	/* octets */
#define NAMED_MAX	10	/* sessions named in an error */

const char *
record_text(const cJSON *record, const char *name)
{
	return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(record,
	    name));
}

long long
record_number(const cJSON *record, const char *name, long long fallback)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(record, name);

	if (!cJSON_IsNumber(item) || item->valuedouble < -9e15 ||
	    item->valuedouble > 9e15)
		return fallback;
	return (long long)item->valuedouble;
}

void
session_clear(struct session *s)
{
	cJSON_Delete(s->record);
	s->record = NULL;
}

/* ---- lists ---------------------------------------------------------------- */

/* GET TARGET into *JSON.  The status, or -1 with r->err. */
static int
get_json(struct relay *r, const char *target, cJSON **json)
{
	struct http_reply reply;
	int status;

	*json = NULL;
	status = relay_call(r, "GET", target, NULL, &reply);
	if (status == -1)
		return -1;
	if (status == 200) {
		*json = cJSON_ParseWithLength(reply.body, reply.body_len);
		if (*json == NULL) {
			(void)snprintf(r->err, sizeof r->err,
			    "the relay's answer to %.64s is not JSON", target);
			status = -1;
		}
	} else
		relay_refused(r, "the relay refuses", &reply);
	http_reply_clear(&reply);
	return status;
}

/* Move the objects of PAGE's array NAME that have a good ID to ALL. */
static void
take_page(cJSON *page, const char *name, cJSON *all)
{
	cJSON *list = cJSON_GetObjectItemCaseSensitive(page, name), *item;
	const char *id;

	while ((item = cJSON_DetachItemFromArray(list, 0)) != NULL) {
		id = record_text(item, "id");
		if (id != NULL && sid_is_valid(id, strlen(id)))
			cJSON_AddItemToArray(all, item);
		else
			cJSON_Delete(item);
	}
}

/* The target of the page behind PAGE; false if it was the last. */
static bool
next_page(const cJSON *page, const char *path, char *target, size_t cap)
{
	const char *cursor = record_text(page, "next");
	char coded[3 * CURSOR_MAX + 1];

	if (cursor == NULL || *cursor == '\0' || strlen(cursor) > CURSOR_MAX ||
	    proto_pct_encode(cursor, strlen(cursor), coded, sizeof coded) == -1)
		return false;
	return (size_t)snprintf(target, cap, "%s?cursor=%s", path, coded) < cap;
}

/* What the relay wants every engineer to know, from the first PAGE. */
static void
take_warnings(cJSON *page, cJSON **warnings)
{
	if (warnings != NULL && *warnings == NULL)
		*warnings = cJSON_DetachItemFromObjectCaseSensitive(page,
		    "warnings");
}

/* All pages of the list at PATH. */
static cJSON *
get_list(struct relay *r, const char *path, const char *name, cJSON **warnings)
{
	cJSON *all = cJSON_CreateArray(), *page;
	char target[64 + 3 * CURSOR_MAX];
	bool more = true;
	int pages;

	(void)snprintf(target, sizeof target, "%s", path);
	for (pages = 0; more && pages < PAGES_MAX; pages++) {
		if (get_json(r, target, &page) != 200) {
			cJSON_Delete(page);
			cJSON_Delete(all);
			return NULL;
		}
		take_page(page, name, all);
		take_warnings(page, warnings);
		more = next_page(page, path, target, sizeof target);
		cJSON_Delete(page);
	}
	return all;
}

cJSON *
sessions_active(struct relay *r, cJSON **warnings)
{
	if (warnings != NULL)
		*warnings = NULL;
	return get_list(r, "/api/v1/sessions", "sessions", warnings);
}

cJSON *
sessions_pending(struct relay *r)
{
	return get_list(r, "/api/v1/pending", "pending", NULL);
}

/* ---- one session ---------------------------------------------------------- */

/*
 * The list of sessions has those that are pending too, but not with all that
 * there is to say of them.
 */
int
session_get(struct relay *r, const char *sid, struct session *s)
{
	static const char *const lists[] = { "pending", "sessions" };
	char target[64 + SID_MAX];
	const char *state;
	int i, status;

	memset(s, 0, sizeof *s);
	(void)snprintf(s->sid, sizeof s->sid, "%s", sid);
	for (i = 0; i < 2; i++) {
		(void)snprintf(target, sizeof target, "/api/v1/%s/%s",
		    lists[i], s->sid);
		status = get_json(r, target, &s->record);
		if (status == 200) {
			state = record_text(s->record, "status");
			s->pending = i == 0 ||
			    (state != NULL && strcmp(state, "pending") == 0);
			return 1;
		}
		if (status != 404 && status != 410)
			return -1;
	}
	return 0;
}

/* The sessions that may be meant, each with its ID. */
struct candidates {
	cJSON	*records;	/* owned */
	int	 count;
	int	 pending_from;	/* those from here on are pending */
};

/* Drop what does not begin with PREFIX. */
static void
narrow(cJSON *list, const char *prefix)
{
	cJSON *item = list->child, *next;

	for (; item != NULL; item = next) {
		next = item->next;
		if (strncmp(record_text(item, "id"), prefix,
		    strlen(prefix)) != 0)
			cJSON_Delete(cJSON_DetachItemViaPointer(list, item));
	}
}

/* 0, or -1 with r->err. */
static int
candidates_get(struct relay *r, const char *prefix, unsigned int kinds,
    struct candidates *c)
{
	cJSON *list[2] = { NULL, NULL }, *item;
	int i;

	if (((kinds & SESSION_ACTIVE) != 0 &&
	    (list[0] = sessions_active(r, NULL)) == NULL) ||
	    ((kinds & SESSION_PENDING) != 0 &&
	    (list[1] = sessions_pending(r)) == NULL)) {
		cJSON_Delete(list[0]);
		return -1;
	}
	c->records = cJSON_CreateArray();
	for (i = 0; i < 2; i++) {
		if (i == 1)
			c->pending_from = cJSON_GetArraySize(c->records);
		if (list[i] == NULL)
			continue;
		narrow(list[i], prefix);
		while ((item = cJSON_DetachItemFromArray(list[i], 0)) != NULL)
			cJSON_AddItemToArray(c->records, item);
		cJSON_Delete(list[i]);
	}
	c->count = cJSON_GetArraySize(c->records);
	return 0;
}

/* Their IDs in one line. */
static void
candidates_name(const struct candidates *c, char *buf, size_t cap)
{
	const cJSON *item;
	size_t o = 0;
	int i = 0;

	buf[0] = '\0';
	cJSON_ArrayForEach(item, c->records) {
		if (i == NAMED_MAX || o + SID_MAX + 8 > cap) {
			(void)snprintf(buf + o, cap - o, ", ...");
			break;
		}
		o += (size_t)snprintf(buf + o, cap - o, "%s%s",
		    i++ > 0 ? ", " : "", record_text(item, "id"));
	}
}

/* Let the user choose; the index, or -1. */
static int
menu(const struct candidates *c)
{
	static const struct table_column cols[] = { { "#", 0 },
	    { "SESSION ID", 0 }, { "HOST", TABLE_CUT }, { "CASE", TABLE_CUT } };
	struct table *t = table_new(cols, 4);
	const char *cells[4];
	const cJSON *item;
	char line[64], no[16];
	uint64_t n;
	int i = 0;

	cJSON_ArrayForEach(item, c->records) {
		(void)snprintf(no, sizeof no, "%d", i + 1);
		cells[0] = no;
		cells[1] = record_text(item, "id");
		cells[2] = record_text(item, i < c->pending_from ? "host" :
		    "customer");
		cells[3] = record_text(item, "case");
		table_row(t, cells);
		i++;
	}
	table_print(t, stderr, table_terminal_width());
	table_free(t);
	(void)fprintf(stderr, "Session [1-%d]: ", c->count);
	if (fgets(line, sizeof line, stdin) == NULL)
		return -1;
	line[strcspn(line, "\n")] = '\0';
	if (num_parse_str(line, 1, (uint64_t)c->count, &n) == -1)
		return -1;
	return (int)n - 1;
}

/* Several may be meant: have one chosen.  The index, or -1 after saying why. */
static int
choose(const struct candidates *c, const char *arg)
{
	char ids[1024];
	int i;

	candidates_name(c, ids, sizeof ids);
	if (arg != NULL) {
		say_error("'%s' may be any of: %s", arg, ids);
		return -1;
	}
	if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO)) {
		say_error("which session? Give one of: %s", ids);
		return -1;
	}
	i = menu(c);
	if (i == -1)
		say_error("no session chosen");
	return i;
}

static void
say_none(const char *arg, unsigned int kinds)
{
	const char *kind = kinds == SESSION_ACTIVE ? "active " : "";

	if (arg == NULL)
		say_error("there is no %ssession (`tunl create-session` opens "
		    "one)", kind);
	else
		say_error("no %ssession '%s' (`tunl list` shows them)", kind,
		    arg);
}

/* As session_find(), by the relay's lists. */
static int
find_listed(struct relay *r, const char *arg, unsigned int kinds,
    struct session *s)
{
	struct candidates c = { NULL, 0, 0 };
	int i = 0, rv = -1;

	if (candidates_get(r, arg != NULL ? arg : "", kinds, &c) == -1) {
		say_error("%s", r->err);
		return -1;
	}
	if (c.count == 0)
		say_none(arg, kinds);
	else if (c.count == 1 || (i = choose(&c, arg)) != -1) {
		s->pending = i >= c.pending_from;
		s->record = cJSON_DetachItemFromArray(c.records, i);
		(void)snprintf(s->sid, sizeof s->sid, "%s",
		    record_text(s->record, "id"));
		rv = 0;
	}
	cJSON_Delete(c.records);
	if (rv == 0 && (arg == NULL || strcmp(arg, s->sid) != 0))
		say_notice("session %s", s->sid);
	return rv;
}

int
session_find(struct relay *r, const char *arg, unsigned int kinds,
    struct session *s)
{
	memset(s, 0, sizeof *s);
	if (arg != NULL && sid_is_valid(arg, strlen(arg)))
		switch (session_get(r, arg, s)) {
		case 1:
			return 0;
		case -1:
			say_error("%s", r->err);
			return -1;
		}
	if (arg != NULL && (*arg == '\0' ||
	    strspn(arg, "abcdefghijklmnopqrstuvwxyz-") != strlen(arg))) {
		say_error("'%s' is no SESSION_ID: four words joined by '-'",
		    arg);
		return -1;
	}
	return find_listed(r, arg, kinds, s);
}

/* ---- JSON ----------------------------------------------------------------- */

/* Print the character CP of a JSON text. */
static void
json_putc(uint32_t cp)
{
	char utf8[4] = "";

	if (cp == '\n' || cp == '\t' || safetext_map(cp) == cp)
		(void)fwrite(utf8, 1, safetext_encode(utf8, cp), stdout);
	else if (cp < 0x10000)
		printf("\\u%04x", cp);
	else
		printf("\\u%04x\\u%04x", 0xd7c0 + (cp >> 10),
		    0xdc00 + (cp & 0x3ff));
}

void
json_print(const cJSON *json)
{
	char *text = cJSON_Print(json);
	size_t i = 0, len;
	uint32_t cp;

	if (text == NULL)
		return;
	len = strlen(text);
	while (i < len) {
		i += safetext_decode(text + i, len - i, &cp);
		json_putc(cp);
	}
	putchar('\n');
	free(text);
}

/*
 * cmd_list.c - `tunl list`.
 */
#include <cjson/cJSON.h>
#include <stdlib.h>
#include <time.h>

#include "say.h"
#include "sessions.h"
#include "table.h"
#include "tunl.h"

struct row {
	const cJSON	*record;
	long long	 born;
	bool		 pending;
};

static int
newer_first(const void *a, const void *b)
{
	const struct row *ra = a, *rb = b;

	return (ra->born < rb->born) - (ra->born > rb->born);
}

/* Fill ROWS with the records of LIST; returns how many. */
static size_t
rows_add(struct row *rows, const cJSON *list, bool pending)
{
	const cJSON *item;
	size_t n = 0;

	cJSON_ArrayForEach(item, list) {
		rows[n].record = item;
		rows[n].pending = pending;
		rows[n++].born = record_number(item, pending ? "created_at" :
		    "registered_at", 0);
	}
	return n;
}

static void
print_rows(const struct row *rows, size_t count)
{
	static const struct table_column cols[] = { { "SESSION ID", 0 },
	    { "MODE", 0 }, { "HOST", TABLE_CUT }, { "CASE", TABLE_CUT },
	    { "AGE", 0 } };
	struct table *t = table_new(cols, 5);
	const char *cells[5];
	char age[32];
	size_t i;

	for (i = 0; i < count; i++) {
		table_age(time(NULL) - (time_t)rows[i].born, age, sizeof age);
		cells[0] = record_text(rows[i].record, "id");
		cells[1] = rows[i].pending ? "pending" :
		    record_text(rows[i].record, "mode");
		cells[2] = record_text(rows[i].record, rows[i].pending ?
		    "customer" : "host");
		cells[3] = record_text(rows[i].record, "case");
		cells[4] = age;
		table_row(t, cells);
	}
	table_print(t, stdout, table_terminal_width());
	table_free(t);
}

static int
print_table(const cJSON *active, const cJSON *pending)
{
	size_t n = (size_t)cJSON_GetArraySize(active) +
	    (size_t)cJSON_GetArraySize(pending);
	struct row *rows;

	if (n == 0) {
		say_notice("no sessions (`tunl create-session` opens one)");
		return 0;
	}
	rows = calloc(n, sizeof *rows);
	if (rows == NULL)
		return say_error("out of memory");
	n = rows_add(rows, active, false);
	n += rows_add(rows + n, pending, true);
	qsort(rows, n, sizeof *rows, newer_first);
	print_rows(rows, n);
	free(rows);
	return 0;
}

/* Beside the list: what is said here concerns every engineer. */
static void
print_warnings(const cJSON *warnings)
{
	const cJSON *w;
	const char *message;
	char until[32];
	struct tm tm;
	time_t at;

	cJSON_ArrayForEach(w, warnings) {
		message = record_text(w, "message");
		at = (time_t)record_number(w, "until", 0);
		if (message == NULL || localtime_r(&at, &tm) == NULL)
			continue;
		(void)strftime(until, sizeof until, "%H:%M", &tm);
		say_notice("warning: %s (until %s)", message, until);
	}
}

int
cmd_list(struct tunl *t, const struct args *args)
{
	cJSON *active, *pending, *both, *warnings;
	int rv = 0;

	active = sessions_active(&t->relay, &warnings);
	pending = active != NULL ? sessions_pending(&t->relay) : NULL;
	if (pending == NULL) {
		cJSON_Delete(active);
		cJSON_Delete(warnings);
		return say_error("%s", t->relay.err);
	}
	both = cJSON_CreateObject();
	cJSON_AddItemToObject(both, "sessions", active);
	cJSON_AddItemToObject(both, "pending", pending);
	print_warnings(warnings);
	if (warnings != NULL)
		cJSON_AddItemToObject(both, "warnings", warnings);
	if (args_value(args, "--json") != NULL)
		json_print(both);
	else
		rv = print_table(active, pending);
	cJSON_Delete(both);
	return rv;
}

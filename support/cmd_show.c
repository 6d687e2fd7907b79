/*
 * cmd_show.c - `tunl show`.
 */
#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "safetext.h"
#include "say.h"
#include "sessions.h"
#include "table.h"
#include "text.h"
#include "tunl.h"

#define VALUE_MAX	1024	/* octets shown of one value */

enum kind { TEXT, NUMBER, LIST, TIME, AGE };

struct field {
	const char	*label;
	const char	*name;
	enum kind	 kind;
};

static const struct field active_fields[] = {
	{ "Session ID", "id", TEXT }, { "Status", "status", TEXT },
	{ "Registered", "registered_at", TIME },
	{ "Closed", "closed_at", TIME }, { "Mode", "mode", TEXT },
	{ "Relay port", "port", NUMBER },
	{ "Tunnel port", "tunnel_port", NUMBER }, { "Host", "host", TEXT },
	{ "IPs", "ips", LIST }, { "Networks", "nets", LIST },
	{ "DNS", "dns", LIST }, { "Customer", "customer", TEXT },
	{ "Case", "case", TEXT }, { "User", "user", TEXT },
	{ "Remote IP", "remote_ip", TEXT }, { NULL, NULL, TEXT }
};

static const struct field pending_fields[] = {
	{ "Session ID", "id", TEXT }, { "Case", "case", TEXT },
	{ "Customer", "customer", TEXT }, { "Age", "created_at", AGE },
	{ "Expires", "expires_at", TIME }, { NULL, NULL, TEXT }
};

static void
format_time(long long when, char *buf, size_t cap)
{
	time_t t = (time_t)when;
	struct tm tm;

	if (localtime_r(&t, &tm) == NULL ||
	    strftime(buf, cap, "%Y-%m-%d %H:%M:%S %Z", &tm) == 0)
		buf[0] = '\0';
}

static void
format_list(const cJSON *list, char *buf, size_t cap)
{
	const cJSON *item;
	size_t o = 0;
	int n;

	cJSON_ArrayForEach(item, list) {
		if (!cJSON_IsString(item))
			continue;
		n = snprintf(buf + o, cap - o, "%s%s", o > 0 ? ", " : "",
		    item->valuestring);
		if (n < 0 || (size_t)n >= cap - o)
			return;
		o += (size_t)n;
	}
}

/* The value of field F of RECORD; empty if there is none. */
static void
format_field(const cJSON *record, const struct field *f, char *buf, size_t cap)
{
	long long v = record_number(record, f->name, -1);
	const char *s = record_text(record, f->name);

	buf[0] = '\0';
	if (f->kind == TEXT && s != NULL)
		(void)snprintf(buf, cap, "%s", s);
	else if (f->kind == LIST)
		format_list(cJSON_GetObjectItemCaseSensitive(record, f->name),
		    buf, cap);
	else if (f->kind == NUMBER && v >= 0)
		(void)snprintf(buf, cap, "%lld", v);
	else if (f->kind == TIME && v >= 0)
		format_time(v, buf, cap);
	else if (f->kind == AGE && v >= 0)
		table_age(time(NULL) - (time_t)v, buf, cap);
}

static void
print_field(const char *label, const char *value)
{
	char safe[SAFETEXT_SIZE(VALUE_MAX)];

	if (*value != '\0')
		printf("%-13s%s\n", label, text_safe(safe, sizeof safe, value,
		    strlen(value)));
}

int
cmd_show(struct tunl *t, const struct args *args)
{
	const struct field *f;
	struct session s;
	char value[VALUE_MAX];

	if (session_find(&t->relay, args->arg, SESSION_ANY, &s) == -1)
		return 1;
	if (args_value(args, "--json") != NULL) {
		json_print(s.record);
		session_clear(&s);
		return 0;
	}
	for (f = s.pending ? pending_fields : active_fields; f->name != NULL;
	    f++) {
		format_field(s.record, f, value, sizeof value);
		print_field(f->label, value);
		if (s.pending && f == pending_fields)
			print_field("Status", "pending");
	}
	session_clear(&s);
	return 0;
}

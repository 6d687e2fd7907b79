/*
 * info.c - see info.h.
 */
#include "info.h"

#include <cjson/cJSON.h>

#include <stdio.h>
#include <string.h>

#include "safetext.h"

static void
copy_text(char *out, size_t cap, const cJSON *o, const char *name)
{
	const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, name);

	out[0] = '\0';
	if (cJSON_IsString(v))
		(void)safetext(out, cap, v->valuestring,
		    strlen(v->valuestring));
}

static void
take_viewer(struct info *info, const cJSON *o)
{
	const cJSON *n = cJSON_GetObjectItemCaseSensitive(o, "n");
	struct info_viewer *v;

	if (!cJSON_IsNumber(n) || n->valuedouble < 0 || n->valuedouble > 1e9)
		return;
	if (info->count == INFO_VIEWERS) {
		info->more++;
		return;
	}
	v = &info->viewers[info->count++];
	v->n = (unsigned long)n->valuedouble;
	v->ro = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(o, "ro"));
	copy_text(v->name, sizeof v->name, o, "name");
	if (v->name[0] == '\0')
		(void)snprintf(v->name, sizeof v->name, "support");
	copy_text(v->key, sizeof v->key, o, "key");
}

int
info_parse(struct info *info, const char *json, size_t len)
{
	cJSON *o = cJSON_ParseWithLength(json, len);
	const cJSON *viewer;

	memset(info, 0, sizeof *info);
	if (!cJSON_IsObject(o)) {
		cJSON_Delete(o);
		return -1;
	}
	viewer = cJSON_GetObjectItemCaseSensitive(o, "viewers");
	for (viewer = viewer != NULL ? viewer->child : NULL; viewer != NULL;
	    viewer = viewer->next)
		take_viewer(info, viewer);
	info->known = true;
	info->recording = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(o,
	    "recording"));
	copy_text(info->support_case, sizeof info->support_case, o, "case");
	cJSON_Delete(o);
	return 0;
}

const struct info_viewer *
info_find(const struct info *info, unsigned long n)
{
	unsigned int i;

	for (i = 0; i < info->count; i++)
		if (info->viewers[i].n == n)
			return &info->viewers[i];
	return NULL;
}

char *
info_summary(const struct info *info, bool restricted, char *out, size_t cap)
{
	size_t at;
	unsigned int i;
	int n;

	if (info->count == 0) {
		(void)snprintf(out, cap, "nobody watches");
		return out;
	}
	n = snprintf(out, cap, "%u watch%s", info->count + info->more,
	    info->count + info->more == 1 ? "es" : "");
	at = n < 0 || (size_t)n >= cap ? cap - 1 : (size_t)n;
	for (i = 0; i < info->count && at + 1 < cap; i++) {
		n = snprintf(out + at, cap - at, "%s %s%s",
		    i == 0 ? ":" : ",", info->viewers[i].name,
		    info->viewers[i].ro && !restricted ? " (read-only)" : "");
		at = n < 0 || (size_t)n >= cap - at ? cap - 1 :
		    at + (size_t)n;
	}
	return out;
}

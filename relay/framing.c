/*
 * framing.c - see framing.h.
 *
 * A head must add up: the lines that libmicrohttpd shows, spelled the usual
 * way (`Name: value` CRLF), must be exactly as long as what it read.  Folded
 * lines, NUL, bare line feeds and lines that it skipped all fail that.
 */
#include "framing.h"

#include <sys/types.h>

#include <stdint.h>
#include <string.h>
#include <strings.h>

#include <microhttpd.h>

#include "num.h"

/* What the fields of a head come to. */
enum { LENGTH, TRANSFER, HOST, TYPE, AUTHORIZATION, CONTENT_RANGE, ENCODING,
	FORWARDED, RANGE, FIELDS };

/*
 * The fields that we look at; each may be there once, but that proxies may add
 * to what was forwarded: the last is then the nearest's.
 */
static const char *const names[FIELDS] = {
	[LENGTH] = "Content-Length",
	[TRANSFER] = "Transfer-Encoding",
	[HOST] = "Host",
	[TYPE] = "Content-Type",
	[AUTHORIZATION] = "Authorization",
	[CONTENT_RANGE] = "Content-Range",
	[ENCODING] = "Content-Encoding",
	[FORWARDED] = "X-Forwarded-For",
	[RANGE] = "Range",
};

struct head {
	size_t		 size;		/* octets, spelled the usual way */
	size_t		 empty;		/* fields without a value */
	unsigned int	 count[FIELDS];
	const char	*value[FIELDS];
	bool		 bad;		/* a name or a value has octets that
					 * it may not have */
};

/* A field's name: RFC 9110, 5.6.2. */
static bool
is_token(const char *s)
{
	size_t len = strspn(s, "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$%&'*+-.^_`|~");

	return len > 0 && s[len] == '\0';
}

/* And its value: no control octet but the tab. */
static bool
is_value(const char *s)
{
	for (; *s != '\0'; s++)
		if (((unsigned char)*s < ' ' && *s != '\t') || *s == 0x7f)
			return false;
	return true;
}

static enum MHD_Result
add_field(void *arg, enum MHD_ValueKind kind, const char *name,
    const char *value)
{
	struct head *hd = arg;
	int i;

	(void)kind;
	if (value == NULL)
		value = "";
	hd->size += strlen(name) + strlen(": ") + strlen(value) + strlen("\r\n");
	hd->empty += value[0] == '\0';
	if (!is_token(name) || !is_value(value))
		hd->bad = true;
	for (i = 0; i < FIELDS; i++)
		if (strcasecmp(name, names[i]) == 0) {
			hd->count[i]++;
			hd->value[i] = value;
		}
	return MHD_YES;
}

/* Does the head that was read consist of nothing but what we were shown? */
static bool
adds_up(struct MHD_Connection *mc, const struct head *hd, const char *method,
    const char *target, const char *version)
{
	const union MHD_ConnectionInfo *info;
	size_t size;

	info = MHD_get_connection_info(mc,
	    MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
	size = strlen(method) + 1 + strlen(target) + 1 + strlen(version) +
	    strlen("\r\n") + hd->size + strlen("\r\n");
	/* Only an empty value may do without its space. */
	return info != NULL && info->header_size <= size &&
	    info->header_size >= size - hd->empty;
}

static bool
is_graphic(const char *s)
{
	for (; *s != '\0'; s++)
		if (*s <= ' ' || *s > '~')
			return false;
	return true;
}

static bool
takes_body(const char *method)
{
	return strcmp(method, "POST") == 0 || strcmp(method, "PUT") == 0 ||
	    strcmp(method, "PATCH") == 0;
}

/* Is it JSON, of any parameters? */
static bool
is_json(const struct head *hd)
{
	static const char json[] = "application/json";
	const char *type = hd->value[TYPE];
	size_t n = strlen(json);

	return type != NULL && strncasecmp(type, json, n) == 0 &&
	    (type[n] == '\0' || type[n] == ';' || type[n] == ' ');
}

/* What is wrong with the request line and the fields, or NULL. */
static const char *
malformed(struct MHD_Connection *mc, const struct head *hd, const char *method,
    const char *target, const char *version)
{
	bool http_1_1 = strcmp(version, "HTTP/1.1") == 0;
	int i;

	if (strcmp(method, "CONNECT") == 0 || !is_token(method))
		return "this method is not taken here";
	if (!http_1_1 && strcmp(version, "HTTP/1.0") != 0)
		return "this version of HTTP is not taken here";
	if (hd->bad || !is_graphic(target) || hd->count[HOST] > 1 ||
	    (http_1_1 && hd->count[HOST] == 0) ||
	    !adds_up(mc, hd, method, target, version))
		return "the head is not well-formed";
	if (hd->count[TRANSFER] > 0)
		return "Transfer-Encoding is not taken here";
	if (hd->count[LENGTH] > 1)
		return "there is more than one Content-Length";
	for (i = 0; i < FIELDS; i++)
		if (hd->count[i] > 1 && i != FORWARDED)
			return "a field is there twice";
	return NULL;
}

static bool
refuse(struct framing *f, unsigned int status, const char *why)
{
	f->status = status;
	f->why = why;
	return false;
}

bool
framing_take(struct MHD_Connection *mc, const char *method,
    const char *target, const char *version, struct framing *f)
{
	struct head hd = { .size = 0 };
	const char *wrong;
	uint64_t n = 0;

	memset(f, 0, sizeof *f);
	(void)MHD_get_connection_values(mc, MHD_HEADER_KIND, add_field, &hd);
	wrong = malformed(mc, &hd, method, target, version);
	if (wrong != NULL)
		return refuse(f, 400, wrong);
	if (takes_body(method) && hd.count[LENGTH] == 0)
		return refuse(f, 411, "a Content-Length is needed");
	if (hd.count[LENGTH] == 1 && num_parse_str(hd.value[LENGTH], 0,
	    INT64_MAX, &n) == -1)
		return refuse(f, 400, "the Content-Length is not a number");
	if (!takes_body(method) && n > 0)
		return refuse(f, 400, "this method takes no body");
	f->length = n;
	f->json = is_json(&hd);
	f->authorization = hd.value[AUTHORIZATION];
	f->content_range = hd.value[CONTENT_RANGE];
	f->encoding = hd.value[ENCODING];
	f->forwarded = hd.value[FORWARDED];
	f->range = hd.value[RANGE];
	return true;
}

/*
 * enroll.c - relay-share enroll: a public key in, a certificate out, for
 * somebody who has just logged in with a secret.
 *
 * What that secret was only relay-api knows, by the connection; it is used up
 * now.  stdin is one line, the key; stdout gets one line, what POST /sign
 * answers.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cjson/cJSON.h>

#include "apicall.h"
#include "files.h"
#include "leg.h"
#include "log.h"
#include "peer.h"

#define KEY_MAX	4096	/* octets of the line */

/* Read one line, within MS; -1 if there is none. */
static int
read_line(char *buf, size_t cap, uint32_t ms)
{
	struct pollfd pfd = { STDIN_FILENO, POLLIN, 0 };
	uint64_t now = peer_clock(), end = now + ms;
	size_t have = 0;
	ssize_t n;

	for (; have < cap - 1 && now < end; now = peer_clock()) {
		if (poll(&pfd, 1, (int)(end - now)) <= 0)
			continue;
		n = read(STDIN_FILENO, buf + have, cap - 1 - have);
		if (n <= 0 && errno != EINTR && errno != EAGAIN)
			break;
		have += n > 0 ? (size_t)n : 0;
		buf[have] = '\0';
		if (strchr(buf, '\n') != NULL) {
			buf[strcspn(buf, "\r\n")] = '\0';
			return 0;
		}
	}
	return -1;
}

/* The body for the API; NULL: no memory. */
static char *
sign_body(const char *connection, const char *key)
{
	cJSON *o = cJSON_CreateObject();
	char *text = NULL;

	if (cJSON_AddStringToObject(o, "connection", connection) != NULL &&
	    cJSON_AddStringToObject(o, "public_key", key) != NULL)
		text = cJSON_PrintUnformatted(o);
	cJSON_Delete(o);
	return text;
}

/* Say why there is no certificate.  The API's words are ours: plain text. */
static int
complain(const struct http_reply *reply)
{
	cJSON *o = cJSON_ParseWithLength(reply->body, reply->body_len);
	const char *text = cJSON_GetStringValue(
	    cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(o,
	    "error"), "message"));

	leg_complain("%s", text != NULL ? text : "the relay does not answer "
	    "as it should");
	cJSON_Delete(o);
	return reply->status == 429 || reply->status >= 500 ? LEG_TEMPFAIL : 1;
}

static int
answer(const struct http_reply *reply)
{
	if (reply->status != 200)
		return complain(reply);
	if (write_all(STDOUT_FILENO, reply->body, reply->body_len) == -1 ||
	    write_all(STDOUT_FILENO, "\n", 1) == -1)
		return LEG_TEMPFAIL;
	return 0;
}

int
leg_enroll(const struct relayconf *conf)
{
	const char *connection = getenv("SSH_CONNECTION");
	struct http_reply reply;
	char key[KEY_MAX + 2], *body;
	int status, rv;

	if (connection == NULL) {
		leg_complain("sshd does not say which connection this is");
		return 1;
	}
	if (read_line(key, sizeof key, conf->hello_ms) == -1) {
		leg_complain("expected a public key, in one line, on stdin");
		return 1;
	}
	body = sign_body(connection, key);
	rv = body == NULL ? -1 : api_call(conf, "/api/v1/enroll/sign", body,
	    &reply);
	cJSON_free(body);
	if (rv == -1) {
		log_warn("enroll: cannot ask relay-api");
		leg_complain("the relay cannot sign now; try again later");
		return LEG_TEMPFAIL;
	}
	status = answer(&reply);
	http_reply_clear(&reply);
	return status;
}

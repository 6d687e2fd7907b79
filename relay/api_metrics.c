/*
 * api_metrics.c - how the relay is doing, in the text format of Prometheus.
 */
#include "api.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "upload.h"

/* Octets of memory that are ours, the kernel says. */
static uint64_t
resident(void)
{
	unsigned long long size = 0, pages = 0;
	FILE *f = fopen("/proc/self/statm", "re");

	if (f == NULL)
		return 0;
	if (fscanf(f, "%llu %llu", &size, &pages) != 2)
		pages = 0;
	(void)fclose(f);
	return (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static void
head(FILE *f, const char *name, const char *type, const char *help)
{
	(void)fprintf(f, "# HELP %s %s\n# TYPE %s %s\n", name, help, name,
	    type);
}

static void
gauge(FILE *f, const char *name, const char *help, uint64_t n)
{
	head(f, name, "gauge", help);
	(void)fprintf(f, "%s %" PRIu64 "\n", name, n);
}

static void
print_counts(FILE *f, const struct store_counts *c)
{
	head(f, "tunl_sessions", "gauge", "Sessions by status.");
	(void)fprintf(f, "tunl_sessions{status=\"pending\"} %" PRId64 "\n"
	    "tunl_sessions{status=\"active\"} %" PRId64 "\n"
	    "tunl_sessions{status=\"closed\"} %" PRId64 "\n"
	    "tunl_sessions{status=\"archived\"} %" PRId64 "\n",
	    c->pending, c->active, c->closed, c->archived);
	head(f, "tunl_uploads", "gauge", "Uploads by status.");
	(void)fprintf(f, "tunl_uploads{status=\"open\"} %" PRId64 "\n"
	    "tunl_uploads{status=\"complete\"} %" PRId64 "\n",
	    c->uploads_open, c->uploads_complete);
	gauge(f, "tunl_upload_bytes", "Size of all complete uploads.",
	    (uint64_t)c->upload_octets);
}

static void
print_answers(FILE *f, const struct api *api)
{
	unsigned int i;

	head(f, "tunl_http_answers_total", "counter",
	    "Answers by class of status.");
	for (i = 2; i <= 5; i++)
		(void)fprintf(f, "tunl_http_answers_total{class=\"%uxx\"} %"
		    PRIu64 "\n", i, api->answers[i]);
}

void
api_metrics(struct request *rq)
{
	struct api *api = rq->api;
	struct store_counts c = { .pending = 0 };
	char *text = NULL;
	size_t len = 0;
	FILE *f;

	if (store_count(api->store, api_now(), &c) != STORE_OK) {
		request_fail(rq, 503, "the database does not answer");
		return;
	}
	f = open_memstream(&text, &len);
	if (f == NULL) {
		request_fail(rq, 503, "out of memory");
		return;
	}
	head(f, "tunl_build_info", "gauge", "Version of relay-api.");
	(void)fprintf(f, "tunl_build_info{version=\"" TUNL_VERSION "\"} 1\n");
	print_counts(f, &c);
	gauge(f, "tunl_uploads_busy", "Uploads being worked on.",
	    uploads_busy(api->uploads));
	gauge(f, "tunl_upload_room_bytes",
	    "Free on the disk above TUNL_FREE_FLOOR.",
	    uploads_room(api->uploads));
	print_answers(f, api);
	gauge(f, "process_start_time_seconds", "When relay-api started.",
	    (uint64_t)api->started);
	gauge(f, "process_resident_memory_bytes", "Resident memory.",
	    resident());
	if (fclose(f) != 0) {
		free(text);
		request_fail(rq, 503, "out of memory");
		return;
	}
	request_text_of(rq, "text/plain; version=0.0.4; charset=utf-8", text,
	    len);
}

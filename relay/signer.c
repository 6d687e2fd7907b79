/*
 * signer.c - see signer.h.  The one place that says what a session certificate
 * may do: listen for forwarded ports, as principal tunl-customer, for a while.
 */
#include "signer.h"

#include <sys/queue.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>

#include "files.h"
#include "log.h"
#include "pubkey.h"
#include "sid.h"
#include "spawn.h"

#define SIGN_DIR	"sign"		/* in the run directory; 0700 */
#define RUNNING_MAX	4		/* children at a time */
#define PRINCIPAL	"tunl-customer"
#define STDERR_MAX	1024

struct job {
	TAILQ_ENTRY(job)	 entry;
	struct signer		*sg;
	struct event		*timer;
	char			 public_key[PUBKEY_LINE_MAX + 1];
	char			 key_id[SID_MAX + 1];
	int64_t			 serial, expires_at;
	signer_cb		*cb;
	void			*arg;
	pid_t			 pid;		/* -1: waits for its turn */
	bool			 late;		/* killed: it took too long */
	char			 name[32];	/* of its directory; "": none */
	int			 dir;		/* or -1 */
};

TAILQ_HEAD(jobs, job);

struct signer {
	struct event_base	*base;
	struct signer_conf	 conf;
	struct event		*sigchld;
	struct jobs		 waiting, running;
	unsigned int		 nrunning;
	int			 dir;		/* RUN_DIR/sign */
	char			 path[PATH_MAX]; /* of it */
	uint64_t		 count;		/* names directories */
};

/* ---- a job's files ---- */

static int
files_make(struct job *job)
{
	char line[PUBKEY_LINE_MAX + 2];
	int n;

	(void)snprintf(job->name, sizeof job->name, "%" PRIu64,
	    ++job->sg->count);
	if (mkdirat(job->sg->dir, job->name, 0700) == -1)
		return -1;
	job->dir = openat(job->sg->dir, job->name, O_RDONLY | O_DIRECTORY |
	    O_NOFOLLOW | O_CLOEXEC);
	if (job->dir == -1)
		return -1;
	n = snprintf(line, sizeof line, "%s\n", job->public_key);
	return file_replace(job->dir, "key.pub", line, (size_t)n, 0600, 0);
}

static void
files_remove(struct job *job)
{
	if (job->dir != -1)
		close(job->dir);
	job->dir = -1;
	if (job->name[0] != '\0' &&
	    dir_remove(job->sg->dir, job->name) == -1 && errno != ENOENT)
		log_warn("cannot remove %s/%s", job->sg->path, job->name);
	job->name[0] = '\0';
}

/*
 * What ssh-keygen made, without comment and line end; the caller frees it.
 */
static char *
certificate_read(struct job *job)
{
	char *text, *p;
	size_t len;

	text = file_read(job->dir, "key-cert.pub", SIGNER_CERT_MAX, &len);
	if (text == NULL)
		return NULL;
	p = strchr(text, ' ');
	if (p == NULL || strlen(text) != len) {
		free(text);
		errno = EINVAL;
		return NULL;
	}
	p[1 + strcspn(p + 1, " \n")] = '\0';
	return text;
}

/* Log what ssh-keygen complained of: its first line. */
static void
complaint_log(struct job *job, int status)
{
	char *text;

	text = file_read(job->dir, "stderr", STDERR_MAX, NULL);
	if (text != NULL)
		text[strcspn(text, "\n")] = '\0';
	log_warnx("ssh-keygen could not sign: status %d: %s", status,
	    text != NULL ? text : "");
	free(text);
}

/* ---- a job's life ---- */

/* Take it off its list, clean up, tell; frees it.  STATUS of the child. */
static void
job_finish(struct job *job, int status)
{
	char *certificate = NULL;

	if (job->pid != -1) {
		TAILQ_REMOVE(&job->sg->running, job, entry);
		job->sg->nrunning--;
	} else
		TAILQ_REMOVE(&job->sg->waiting, job, entry);
	if (job->late)
		log_warnx("signing took more than %" PRIu32 " ms",
		    job->sg->conf.timeout_ms);
	else if (status == 0) {
		certificate = certificate_read(job);
		if (certificate == NULL)
			log_warn("cannot read what ssh-keygen signed");
	} else if (status > 0)
		complaint_log(job, status);
	files_remove(job);
	if (job->timer != NULL)
		event_free(job->timer);
	job->cb(job->arg, certificate);
	free(certificate);
	free(job);
}

/* Time is up: a child is killed, and finished when it has been reaped. */
static void
timer_cb(evutil_socket_t fd, short what, void *arg)
{
	struct job *job = arg;

	(void)fd;
	(void)what;
	job->late = true;
	if (job->pid != -1)
		(void)kill(job->pid, SIGKILL);
	else
		job_finish(job, -1);
}

static int
child_start(struct job *job)
{
	const struct signer_conf *conf = &job->sg->conf;
	char key[PATH_MAX + 40], agent[PATH_MAX + 16];
	char serial[24], until[16], validity[32];
	time_t t = (time_t)job->expires_at;
	struct tm tm;
	const char *argv[] = { "ssh-keygen", "-q", "-U", "-s", conf->ca_pub,
	    "-I", job->key_id, "-z", serial, "-n", PRINCIPAL, "-V", validity,
	    "-O", "clear", "-O", "permit-port-forwarding", "--", key, NULL };
	/* The validity below is local time, so local time is UTC. */
	const char *envp[] = { "PATH=/usr/bin:/bin", "LC_ALL=C", "TZ=UTC0",
	    agent, NULL };
	struct spawn sp = SPAWN_INIT(argv);

	if (gmtime_r(&t, &tm) == NULL ||
	    strftime(until, sizeof until, "%Y%m%d%H%M%S", &tm) == 0)
		return -1;
	(void)snprintf(validity, sizeof validity, "always:%s", until);
	(void)snprintf(serial, sizeof serial, "%" PRId64, job->serial);
	(void)snprintf(key, sizeof key, "%s/%s/key.pub", job->sg->path,
	    job->name);
	(void)snprintf(agent, sizeof agent, "SSH_AUTH_SOCK=%s", conf->ca_agent);
	sp.envp = envp;
	sp.in = sp.out = -1;
	sp.flags = SPAWN_DEATHSIG;
	sp.err = openat(job->dir, "stderr", O_WRONLY | O_CREAT | O_EXCL |
	    O_NOFOLLOW | O_CLOEXEC, 0600);
	if (sp.err == -1)
		return -1;
	job->pid = spawn_start(&sp);
	close(sp.err);
	return job->pid == -1 ? -1 : 0;
}

/* Start what waits, as far as there is room. */
static void
pump(struct signer *sg)
{
	struct job *job;

	while (sg->nrunning < RUNNING_MAX &&
	    (job = TAILQ_FIRST(&sg->waiting)) != NULL) {
		if (files_make(job) == -1 || child_start(job) == -1) {
			log_warn("cannot start ssh-keygen");
			job_finish(job, -1);
			continue;
		}
		TAILQ_REMOVE(&sg->waiting, job, entry);
		TAILQ_INSERT_TAIL(&sg->running, job, entry);
		sg->nrunning++;
	}
}

static void
sigchld_cb(evutil_socket_t sig, short what, void *arg)
{
	struct signer *sg = arg;
	struct job *job, *next;
	int status;

	(void)sig;
	(void)what;
	for (job = TAILQ_FIRST(&sg->running); job != NULL; job = next) {
		next = TAILQ_NEXT(job, entry);
		if (waitpid(job->pid, &status, WNOHANG) == job->pid)
			job_finish(job, spawn_status(status));
	}
	pump(sg);
}

void
signer_start(struct signer *sg, const struct signer_request *rq, signer_cb *cb,
    void *arg)
{
	struct timeval tv = { (time_t)(sg->conf.timeout_ms / 1000),
	    (suseconds_t)(sg->conf.timeout_ms % 1000 * 1000) };
	struct job *job;

	job = calloc(1, sizeof *job);
	if (job == NULL) {
		cb(arg, NULL);
		return;
	}
	job->sg = sg;
	job->cb = cb;
	job->arg = arg;
	job->pid = job->dir = -1;
	job->serial = rq->serial;
	job->expires_at = rq->expires_at;
	(void)snprintf(job->public_key, sizeof job->public_key, "%s",
	    rq->public_key);
	(void)snprintf(job->key_id, sizeof job->key_id, "%s", rq->key_id);
	TAILQ_INSERT_TAIL(&sg->waiting, job, entry);
	job->timer = evtimer_new(sg->base, timer_cb, job);
	if (job->timer == NULL || evtimer_add(job->timer, &tv) == -1) {
		job_finish(job, -1);
		return;
	}
	pump(sg);
}

/* ---- the signer ---- */

static int
dir_make(struct signer *sg)
{
	int run;

	if (snprintf(sg->path, sizeof sg->path, "%s/" SIGN_DIR,
	    sg->conf.run_dir) >= (int)sizeof sg->path) {
		errno = ENAMETOOLONG;
		return -1;
	}
	run = open(sg->conf.run_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (run == -1)
		return -1;
	if (dir_remove(run, SIGN_DIR) == -1 && errno != ENOENT) {
		close(run);
		return -1;
	}
	close(run);
	sg->dir = dir_private(sg->path);
	return sg->dir == -1 ? -1 : 0;
}

struct signer *
signer_new(struct event_base *base, const struct signer_conf *conf)
{
	struct signer *sg;
	int saved;

	sg = calloc(1, sizeof *sg);
	if (sg == NULL)
		return NULL;
	sg->base = base;
	sg->conf = *conf;
	sg->dir = -1;
	TAILQ_INIT(&sg->waiting);
	TAILQ_INIT(&sg->running);
	if (dir_make(sg) == -1)
		goto fail;
	sg->sigchld = evsignal_new(base, SIGCHLD, sigchld_cb, sg);
	if (sg->sigchld == NULL || evsignal_add(sg->sigchld, NULL) == -1)
		goto fail;
	return sg;
fail:
	saved = errno;
	signer_free(sg);
	errno = saved;
	return NULL;
}

void
signer_free(struct signer *sg)
{
	struct job *job;

	while ((job = TAILQ_FIRST(&sg->waiting)) != NULL)
		job_finish(job, -1);
	while ((job = TAILQ_FIRST(&sg->running)) != NULL) {
		(void)kill(job->pid, SIGKILL);
		(void)spawn_wait(job->pid);
		job_finish(job, -1);
	}
	if (sg->sigchld != NULL)
		event_free(sg->sigchld);
	if (sg->dir != -1) {
		close(sg->dir);
		(void)rmdir(sg->path);
	}
	free(sg);
}
